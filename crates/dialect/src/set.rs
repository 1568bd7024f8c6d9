//! Several dialects on one connection: subscriptions, requests, and the meaning of messages.
//!
//! A dialect belongs to a device. Each message is given to every dialect of the set; within a dialect, the first rule with a
//! matching topic reads it.

mod body;
mod damaged;
mod decode;
mod encode;
mod filters;
mod named;
mod overlaps;
mod owner;
mod parts;

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use wilco_ledger::{Report, Reported, is_same_value};

pub use encode::{CommandToEncode, Message};
pub(crate) use encode::{device_id, usable};
pub(crate) use filters::covers;

use crate::{
    CommandRequest, Control, DecodedMessage, Dialect, DialectFile, KnownDevice, ReaderKind, Role, Topics, Unreadable,
    devices::Devices,
    discovery::{Discovery, ReaderSettings},
    file::Code,
    wire_ids::WireIds,
};

/// The dialects that come with Wilco, as they are written.
const SHIPPED: [(&str, &str); 21] = [
    ("wilco", include_str!("../dialects/wilco.toml")),
    ("text", include_str!("../dialects/text.toml")),
    ("tasmota", include_str!("../dialects/tasmota.toml")),
    ("shelly", include_str!("../dialects/shelly.toml")),
    ("shelly-gen1", include_str!("../dialects/shelly-gen1.toml")),
    ("zigbee2mqtt", include_str!("../dialects/zigbee2mqtt.toml")),
    ("homeassistant", include_str!("../dialects/homeassistant.toml")),
    ("homie5", include_str!("../dialects/homie5.toml")),
    ("homie4", include_str!("../dialects/homie4.toml")),
    ("thingsboard", include_str!("../dialects/thingsboard.toml")),
    ("aws-commands", include_str!("../dialects/aws-commands.toml")),
    ("aws-jobs", include_str!("../dialects/aws-jobs.toml")),
    ("aws-shadow", include_str!("../dialects/aws-shadow.toml")),
    ("atlas", include_str!("../dialects/atlas.toml")),
    ("hono", include_str!("../dialects/hono.toml")),
    ("openbk", include_str!("../dialects/openbk.toml")),
    ("enapter", include_str!("../dialects/enapter.toml")),
    ("onenet", include_str!("../dialects/onenet.toml")),
    ("huawei", include_str!("../dialects/huawei.toml")),
    ("azure-methods", include_str!("../dialects/azure-methods.toml")),
    ("zwave-js", include_str!("../dialects/zwave-js.toml")),
];

/// The dialects that come with Wilco.
#[must_use]
pub fn shipped() -> &'static [DialectFile] {
    static FILES: LazyLock<Vec<DialectFile>> =
        LazyLock::new(|| SHIPPED.iter().filter_map(|(_, text)| DialectFile::parse(text).ok()).collect());
    &FILES
}

/// The text of a dialect file that comes with Wilco, for reading or copying.
#[must_use]
pub fn shipped_text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The dialects that are enabled on a connection.
#[derive(Debug, Clone)]
pub struct DialectSet {
    members: Vec<Member>,
}

/// A dialect with what its settings are here.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) file: DialectFile,
    /// Formats that are decoded by code.
    pub(crate) native: Option<Dialect>,
    pub(crate) vars: BTreeMap<String, String>,
}

/// The context for decoding messages.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The devices, by their names in topics.
    pub devices: &'a Devices,
    /// The mapping of IDs in messages to commands.
    pub wire_ids: &'a WireIds,
}

/// The meaning of a message in a dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<'a> {
    /// The dialect's name.
    pub dialect: &'a str,
    /// The meaning.
    pub meaning: Meaning,
}

/// The meaning of a message in a dialect.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// An answer, presence, state, measurements or similar.
    Message(DecodedMessage),
    /// Values that may be requested ones: [`wilco_ledger::Input::Report`].
    Report(Report),
    /// One of the above, but unreadable.
    Unreadable(Unreadable),
    /// An unreadable state report. Commands may be waiting for it.
    UnreadableReport(Unreadable),
}

impl DialectSet {
    /// The set of these dialects. Those implemented in code use these topics.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = DialectFile>, topics: &Topics) -> DialectSet {
        let member = |file: DialectFile| {
            let native = file.code.map(|code| match code {
                Code::Wilco => Dialect::Wilco(topics.clone()),
                Code::Text => Dialect::Text(topics.clone()),
            });
            Member { vars: file.vars.clone(), native, file }
        };
        DialectSet { members: files.into_iter().map(member).collect() }
    }

    /// Changes a setting of a dialect. Returns whether the setting exists.
    pub fn set(&mut self, dialect: &str, name: &str, value: &str) -> bool {
        let member = self.members.iter_mut().find(|member| *member.file.name == *dialect);
        let setting = member.and_then(|member| member.vars.get_mut(name));
        setting.is_some_and(|setting| {
            value.clone_into(setting);
            true
        })
    }

    /// The names of the dialects.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| &*member.file.name)
    }

    /// The title of a dialect.
    #[must_use]
    pub fn title(&self, dialect: &str) -> Option<&str> {
        self.member(dialect).map(|member| member.file.title())
    }

    /// The readers of all dialects that have one, for a console with this name.
    #[must_use]
    pub fn readers(&self, console: &str) -> Vec<Discovery> {
        self.members.iter().filter_map(|member| member.reader(console)).collect()
    }

    /// Whether a dialect lists devices by their messages before they are announced. If a hub or a description lists
    /// every device, similar topics belong to something else.
    #[must_use]
    pub fn lists_unannounced(&self, dialect: &str) -> bool {
        let reader = self.member(dialect).map(|member| member.file.reader);
        matches!(reader, Some(None | Some(ReaderKind::Tasmota | ReaderKind::Shelly | ReaderKind::ShellyGen1)))
    }

    /// The value of a dialect's setting; none if it has no value.
    #[must_use]
    pub fn setting(&self, dialect: &str, name: &str) -> Option<&str> {
        self.member(dialect)?.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether devices of a dialect can have a password, and require requests signed with it.
    #[must_use]
    pub fn signs_in(&self, dialect: &str) -> bool {
        self.member(dialect).is_some_and(|member| member.file.signs_in)
    }

    /// Whether a dialect is Wilco's own.
    #[must_use]
    pub fn is_wilco(&self, dialect: &str) -> bool {
        self.member(dialect).is_some_and(|member| member.native.is_some())
    }

    /// Whether a device's relay or light is on, if reported.
    #[must_use]
    pub fn is_on(&self, device: &KnownDevice, reported: &[Reported]) -> Option<bool> {
        let light = device.command_for(Role::Light)?;
        let (Control::Switch { on, off }, Some(key)) = (&light.control, &light.reports) else { return None };
        let compare = &self.member(&device.dialect)?.file.compare;
        // A request is its own answer; the changed value is reported under another name.
        let key = match &light.ask {
            CommandRequest::Request { .. } if **key == *"answer" => {
                format!("{}/output", light.name.split('/').next()?).into()
            }
            _ => compare.key(key),
        };
        let value = &reported.iter().find(|one| *one.key == *key)?.value;
        let is = |word: &str| is_same_value(value, &compare.value(device.word(light.reported(word))));
        if is(on) { Some(true) } else { is(off).then_some(false) }
    }

    /// The reported value with this name, in the device's own form.
    #[must_use]
    pub fn value_of<'r>(&self, device: &KnownDevice, key: &str, reported: &'r [Reported]) -> Option<&'r str> {
        let key = self.member(&device.dialect)?.file.compare.key(key);
        reported.iter().find(|one| one.key == key).map(Reported::shown)
    }

    /// Requests that make devices announce themselves: a topic and a payload each.
    #[must_use]
    pub fn announcements(&self) -> Vec<(String, String)> {
        let announce = |member: &Member| {
            let announce = member.file.announce.as_ref()?;
            let topic = announce.topic.fill(&|name| member.setting(name)).ok()?;
            Some((topic, announce.payload.to_string()))
        };
        self.members.iter().filter_map(announce).collect()
    }

    pub(crate) fn member(&self, dialect: &str) -> Option<&Member> {
        self.members.iter().find(|member| *member.file.name == *dialect)
    }
}

impl Member {
    /// A setting, if it has a value.
    pub(crate) fn setting(&self, name: &str) -> Option<Cow<'_, str>> {
        self.vars.get(name).filter(|value| !value.is_empty()).map(|value| Cow::Borrowed(value.as_str()))
    }

    /// The reader of its announcements, for a console with this name.
    fn reader(&self, console: &str) -> Option<Discovery> {
        let kind = self.file.reader?;
        let base = kind.base_setting().and_then(|setting| self.setting(setting)).unwrap_or_default();
        let is_server = kind.server_setting().and_then(|setting| self.setting(setting));
        let is_server = is_server.is_some_and(|value| value.eq_ignore_ascii_case("on"));
        let (dialect, base) = (self.file.name.clone(), (*base).into());
        Some(Discovery::of(kind, ReaderSettings { dialect, console: console.into(), base, is_server }))
    }

    /// Whether every setting that a pattern names has a value.
    pub(crate) fn is_set_for(&self, pattern: &crate::pattern::Pattern) -> bool {
        pattern.places().all(|place| !self.vars.contains_key(place) || self.setting(place).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::{SHIPPED, shipped};
    use crate::{DialectFile, ReaderKind};

    #[test]
    fn every_dialect_that_comes_with_wilco_can_be_read() {
        for (name, text) in SHIPPED {
            match DialectFile::parse(text) {
                Ok(file) => assert_eq!(file.name(), name),
                Err(problems) => {
                    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    panic!("{name}.toml\n{}", problems.join("\n"));
                }
            }
        }
        assert_eq!(shipped().len(), SHIPPED.len());
        // Each reader has its dialect, and there are no others.
        let with_readers = shipped().iter().filter_map(|file| Some((file.name(), file.reader()?)));
        let mut with_readers: Vec<_> = with_readers.collect();
        with_readers.sort_by_key(|(_, kind)| ReaderKind::ALL.iter().position(|one| one == kind));
        assert_eq!(with_readers, ReaderKind::ALL.map(|kind| (kind.dialect(), kind)));
    }
}
