//! Names, tags and notes that users set, and forgotten devices that can be restored.

use std::collections::HashSet;

use wilco_ledger::DeviceId;

use super::{Device, Fleet, device::DirtyFlags, listing::Aspects};
use crate::{
    api::{Failure, excerpt, grouped, invalid, legible},
    store::Annotation,
};

/// The longest name, in characters.
const NAME: usize = 100;
/// The longest tag, in characters.
const TAG: usize = 64;
/// Tags of one device, at most.
const TAGS: usize = 50;
/// The longest note, in characters.
const NOTE: usize = 10_000;

/// The change of a device's annotation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AnnotationChange {
    /// A device that is not known becomes one.
    pub(crate) add: bool,
    /// Another name; `Some(None)` takes it away.
    pub(crate) name: Option<Option<String>>,
    pub(crate) tags: TagChange,
    /// Another note; `Some(None)` takes it away.
    pub(crate) note: Option<Option<String>>,
}

/// The change of the tags that were set here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum TagChange {
    #[default]
    Keep,
    Replace(Vec<String>),
    Add(String),
    Remove(String),
}

impl AnnotationChange {
    /// The annotation of a device after a change.
    ///
    /// # Errors
    /// [`crate::api::FailureCode::Invalid`] for a device that would have too many tags.
    pub(crate) fn apply(&self, before: &Annotation) -> Result<Annotation, Failure> {
        let mut after = before.clone();
        if let Some(name) = &self.name {
            after.name.clone_from(name);
        }
        if let Some(note) = &self.note {
            after.note.clone_from(note);
        }
        match &self.tags {
            TagChange::Keep => {}
            TagChange::Replace(tags) => after.tags.clone_from(tags),
            TagChange::Add(tag) if after.tags.contains(tag) => {}
            TagChange::Add(tag) => after.tags.push(tag.clone()),
            TagChange::Remove(tag) => after.tags.retain(|other| other != tag),
        }
        if after.tags.len() > TAGS && after.tags.len() > before.tags.len() {
            return Err(invalid(
                format!("A device can have at most {TAGS} tags that are set here, not {}.", after.tags.len()),
                "Remove some of its tags first.",
            ));
        }
        Ok(after)
    }
}

/// A name as it is kept; none where it is empty.
///
/// # Errors
/// [`crate::api::FailureCode::Invalid`].
pub(crate) fn name(text: &str) -> Result<Option<String>, Failure> {
    let name = legible(text, "name")?;
    fits("name", name, NAME)?;
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

/// A note as it is kept; none where it is empty.
///
/// # Errors
/// [`crate::api::FailureCode::Invalid`].
pub(crate) fn note(text: &str) -> Result<Option<String>, Failure> {
    let length = text.chars().count();
    if length > NOTE {
        return Err(too_long("note", length, NOTE));
    }
    Ok((!text.trim().is_empty()).then(|| text.to_owned()))
}

/// A tag as it is kept.
///
/// # Errors
/// [`crate::api::FailureCode::Invalid`].
pub(crate) fn tag(text: &str) -> Result<String, Failure> {
    let tag = legible(text, "tag")?;
    if tag.is_empty() {
        return Err(invalid("A tag cannot be empty.".to_owned(), "Write a word, such as kitchen."));
    }
    fits("tag", tag, TAG)?;
    if tag.contains([',', ';']) {
        return Err(invalid(
            format!("The tag '{}' contains a comma or a semicolon.", excerpt(tag)),
            "These separate tags in CSV files: set two tags, or write it with a hyphen.",
        ));
    }
    Ok(tag.to_owned())
}

fn fits(what: &str, text: &str, at_most: usize) -> Result<(), Failure> {
    let length = text.chars().count();
    if length > at_most {
        return Err(too_long(what, length, at_most));
    }
    Ok(())
}

fn too_long(what: &str, length: usize, at_most: usize) -> Failure {
    invalid(
        format!("The {what} has {} characters; the maximum is {}.", grouped(length as u64), grouped(at_most as u64)),
        if what == "note" { "Shorten it." } else { "Shorten it, and put the rest into the note." },
    )
}

impl Fleet {
    /// The annotation of a device.
    pub(crate) fn annotation(&self, device: &DeviceId) -> Option<Annotation> {
        Some(self.get(device)?.annotation.as_deref().cloned().unwrap_or_default())
    }

    /// Sets it; the device may be a new one.
    pub(crate) fn annotate(&mut self, device: &DeviceId, annotation: Annotation) {
        let set = (annotation != Annotation::default()).then(|| Box::new(annotation));
        let is_unsaved = self.get(device).is_some_and(|device| device.dirty.unsaved);
        self.update(device, |device| device.annotation = set);
        // It is stored separately, and the device's reports have not changed.
        if !is_unsaved && let Some(known) = self.known(device) {
            known.dirty.unsaved = false;
            self.unsaved.pop();
        }
    }

    /// Devices are no longer known. Those that were are handed back.
    pub(crate) fn take_out<'a>(&mut self, devices: impl IntoIterator<Item = &'a DeviceId>) -> Vec<Device> {
        let mut taken = Vec::new();
        let mut places = HashSet::new();
        for id in devices {
            let Some(place) = self.places.remove(id) else { continue };
            let Some(device) = self.devices.get_mut(place as usize).and_then(Option::take) else { continue };
            self.tally.remove(&device);
            self.free.push(place);
            places.insert(place);
            if !device.dirty.changed {
                self.changed.push(id.clone());
            }
            taken.push(device);
        }
        if !places.is_empty() {
            self.by_id.retain(|place| !places.contains(place));
            self.unplaced.retain(|place| !places.contains(place));
            self.listings.forget();
        }
        taken
    }

    /// Restores a device. If it has published meanwhile, its newer state is kept.
    pub(crate) fn put_back(&mut self, device: Device) {
        let id = device.id.clone();
        if self.get(&id).is_none() {
            self.insert(Device { dirty: DirtyFlags::default(), ..device });
            self.update(&id, |device| device.dirty.tile = true);
            return;
        }
        let Device {
            annotation,
            description,
            can_switch,
            last_command,
            firmware,
            boot,
            restart,
            tags,
            state,
            running,
            saved_apart,
            led,
            trip_ms,
            ..
        } = device;
        self.update(&id, |known| {
            known.description = known.description.take().or(description);
            known.can_switch |= can_switch;
            known.annotation = known.annotation.take().or(annotation);
            known.last_command = known.last_command.take().or(last_command);
            known.firmware = known.firmware.take().or(firmware);
            if known.boot.is_none() || known.boot == boot {
                known.restart = known.restart.or(restart);
            }
            known.boot = known.boot.take().or(boot);
            known.led = known.led.or(led);
            known.trip_ms = known.trip_ms.or(trip_ms);
            if known.tags.is_empty() {
                known.tags = tags;
            }
            if known.state.is_none() {
                (known.state, known.running, known.saved_apart) = (state, running, saved_apart);
            }
        });
        self.listings.changed(Aspects::COMMAND.and(Aspects::LED).and(Aspects::TRIP));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::DeviceId;

    use super::{AnnotationChange, TagChange, name, note, tag};
    use crate::{
        api::DeviceQuery,
        fleet::{Facts, Fleet, Search, tests::fleet},
        store::Annotation,
    };

    fn id(text: &str) -> DeviceId {
        DeviceId::new(text).unwrap()
    }

    fn found(fleet: &mut Fleet, search: &str) -> Vec<String> {
        let query = DeviceQuery { search: search.into(), ..DeviceQuery::default() };
        let found = fleet.matching(&query, &Search::read(search).unwrap(), &Facts::default());
        found.iter().map(|id| id.as_str().to_owned()).collect()
    }

    fn annotated(name: Option<&str>, tags: &[&str]) -> Annotation {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Annotation { name: name.map(str::to_owned), tags, note: None }
    }

    #[test]
    fn names_and_tags_that_are_set_here_are_found_beside_those_that_are_reported() {
        let mut fleet = fleet();
        assert_eq!(found(&mut fleet, "tag:kitchen"), ["kitchen-9", "kitchen-10"]);
        fleet.annotate(&id("dock-1"), annotated(Some("Loading bay"), &["kitchen", "spare"]));
        fleet.annotate(&id("kitchen-9"), annotated(None, &["kitchen"]));
        let mut check = |search: &str, expected: &[&str]| assert_eq!(found(&mut fleet, search), expected, "{search}");
        check("tag:kitchen", &["dock-1", "kitchen-9", "kitchen-10"]);
        check("tag:spare", &["dock-1"]);
        check("bay", &["dock-1"]);
        check("name:LOADING", &["dock-1"]);
        check("name:*", &["dock-1"]);
        check("-name:*", &["kitchen-9", "kitchen-10"]);
        check("name:\"loading bay\"", &["dock-1"]);
        let tags: Vec<_> = fleet.counts().tags.into_iter().map(|tag| (tag.value, tag.count)).collect();
        assert_eq!(tags, [("kitchen".to_owned(), 3), ("dock".to_owned(), 1), ("spare".to_owned(), 1)]);
        // A list that is shown is updated.
        fleet.annotate(&id("dock-1"), Annotation::default());
        assert_eq!(found(&mut fleet, "bay"), Vec::<String>::new());
        assert_eq!(found(&mut fleet, "tag:kitchen"), ["kitchen-9", "kitchen-10"]);
    }

    #[test]
    fn devices_that_were_taken_out_can_come_back_as_they_were() {
        let mut fleet = fleet();
        fleet.annotate(&id("dock-1"), annotated(Some("Bay"), &["spare"]));
        let ids = [id("dock-1"), id("kitchen-9"), id("nobody")];
        let mut taken = fleet.take_out(&ids);
        assert_eq!((taken.len(), fleet.len(), fleet.online()), (2, 1, 1));
        assert_eq!(found(&mut fleet, ""), ["kitchen-10"]);
        // It speaks before it is wanted back.
        fleet.update(&id("dock-1"), |device| device.firmware = Some("3.0".into()));
        taken.drain(..).for_each(|device| fleet.put_back(device));
        assert_eq!((fleet.len(), found(&mut fleet, "name:bay")), (3, vec!["dock-1".to_owned()]));
        assert_eq!(fleet.get(&id("dock-1")).unwrap().firmware.as_deref(), Some("3.0"));
        assert_eq!(found(&mut fleet, "tag:dock"), ["dock-1"]);
        assert_eq!(found(&mut fleet, "is:offline"), ["kitchen-9"]);
    }

    #[test]
    fn only_given_settings_are_changed() {
        let before = Annotation { note: Some("by the door".into()), ..annotated(Some("Bay"), &["a", "b"]) };
        let check = |change: AnnotationChange, expected: Annotation| {
            assert_eq!(change.apply(&before).unwrap(), expected, "{change:?}");
        };
        let tags = |tags| AnnotationChange { tags, ..AnnotationChange::default() };
        check(AnnotationChange::default(), before.clone());
        check(tags(TagChange::Add("b".into())), before.clone());
        check(
            tags(TagChange::Add("c".into())),
            Annotation { tags: vec!["a".into(), "b".into(), "c".into()], ..before.clone() },
        );
        check(tags(TagChange::Remove("a".into())), Annotation { tags: vec!["b".into()], ..before.clone() });
        let unnamed = AnnotationChange { name: Some(None), ..AnnotationChange::default() };
        check(unnamed, Annotation { name: None, ..before.clone() });
        let many = TagChange::Replace((0..51).map(|number| format!("t{number}")).collect());
        let refused = tags(many).apply(&before).unwrap_err();
        assert_eq!(refused.message, "A device can have at most 50 tags that are set here, not 51.");
    }

    #[test]
    fn invalid_definitions_are_refused_with_a_message() {
        let spaced = name("Loading bay ").unwrap_err().message;
        assert_eq!(spaced, "The name “Loading bay ” begins or ends with a space.");
        assert_eq!(name("").unwrap(), None);
        assert_eq!(note(" \n").unwrap(), None);
        assert_eq!(note("two\nlines").unwrap().as_deref(), Some("two\nlines"));
        let said = |refused: Result<String, crate::api::Failure>| refused.unwrap_err().message;
        assert_eq!(said(tag(&"x".repeat(10_000))), "The tag has 10,000 characters; the maximum is 64.");
        assert_eq!(said(tag("a;b")), "The tag 'a;b' contains a comma or a semicolon.");
        assert_eq!(said(tag("")), "A tag cannot be empty.");
        assert_eq!(said(tag(" cold store")), "The tag “ cold store” begins or ends with a space.");
        assert_eq!(said(tag("a\nb")), "The tag \"a\\nb\" contains a line break or another control character.");
        assert_eq!(name(&"x".repeat(101)).unwrap_err().message, "The name has 101 characters; the maximum is 100.");
        assert_eq!(
            note(&"x".repeat(10_001)).unwrap_err().message,
            "The note has 10,001 characters; the maximum is 10,000."
        );
    }
}
