//! Devices that report their presence on several topics: combines these reports.

use std::collections::HashMap;

use wilco_dialect::{AvailabilityMode, DecodedMessage, KnownDevice, Meaning};
use wilco_ledger::DeviceId;

/// What each availability topic of a device has said last.
#[derive(Debug, Default)]
pub(super) struct Availabilities(HashMap<DeviceId, HashMap<Box<str>, bool>>);

impl Availabilities {
    /// Nothing is known of a device any more.
    pub(super) fn forget(&mut self, device: &DeviceId) {
        self.0.remove(device);
    }

    /// Puts what a device's topics say together in the place of what this one says. `false`: they do not tell yet.
    pub(super) fn combine(&mut self, device: &KnownDevice, topic: &str, meaning: &mut Meaning) -> bool {
        let Meaning::Message(DecodedMessage::Presence { online, .. }) = meaning else { return true };
        let topics = || device.availability.iter().map(|one| &one.topic);
        let is_one_of_several = device.availability.len() > 1 && topics().any(|one| **one == *topic);
        if device.availability_mode == AvailabilityMode::Latest || !is_one_of_several {
            return true;
        }
        let said = self.0.entry(device.id.clone()).or_default();
        said.insert(topic.into(), *online);
        said.retain(|known, _| topics().any(|one| one == known));
        let is_heard_of_all = topics().all(|one| said.contains_key(one));
        let (decisive, wanted) = match device.availability_mode {
            AvailabilityMode::Any => (true, said.values().any(|online| *online)),
            AvailabilityMode::All | AvailabilityMode::Latest => (false, said.values().all(|online| *online)),
        };
        *online = wanted;
        wanted == decisive || is_heard_of_all
    }
}

#[cfg(test)]
mod tests {
    use wilco_dialect::{Availability, AvailabilityMode, DecodedMessage, KnownDevice, Meaning};
    use wilco_ledger::DeviceId;

    use super::Availabilities;

    #[test]
    fn reports_on_several_topics_are_combined_as_announced() {
        let check = |mode: AvailabilityMode, said: &[(&str, bool)], expected: &[Option<bool>]| {
            let mut device = KnownDevice::new(DeviceId::new("lamp").expect("an ID"), "homeassistant", "lamp");
            let topic = |topic: &str| Availability {
                topic: topic.into(),
                template: None,
                online: "online".into(),
                offline: "offline".into(),
            };
            device.availability = ["bridge", "lamp"].map(topic).to_vec();
            device.availability_mode = mode;
            let mut availabilities = Availabilities::default();
            let heard = said.iter().map(|(topic, online)| {
                let (boot, firmware, since) = (None, None, None);
                let presence = DecodedMessage::Presence {
                    device: device.id.clone(),
                    online: *online,
                    boot,
                    firmware,
                    tags: Vec::new(),
                    since,
                };
                let mut meaning = Meaning::Message(presence);
                let tells = availabilities.combine(&device, topic, &mut meaning);
                let Meaning::Message(DecodedMessage::Presence { online, .. }) = meaning else { panic!("{meaning:?}") };
                tells.then_some(online)
            });
            let heard: Vec<Option<bool>> = heard.collect();
            assert_eq!(heard, expected, "{mode:?} {said:?}");
        };
        use AvailabilityMode::{All, Any, Latest};
        check(All, &[("lamp", true), ("bridge", true)], &[None, Some(true)]);
        check(All, &[("lamp", true), ("bridge", false), ("lamp", true)], &[None, Some(false), Some(false)]);
        check(All, &[("bridge", false)], &[Some(false)]);
        check(Any, &[("bridge", false), ("lamp", true), ("lamp", false)], &[None, Some(true), Some(false)]);
        check(Any, &[("bridge", true), ("lamp", false)], &[Some(true), Some(true)]);
        check(Latest, &[("bridge", true), ("lamp", false), ("bridge", true)], &[Some(true), Some(false), Some(true)]);
        // A topic that is none of these says what it says.
        check(All, &[("elsewhere", true)], &[Some(true)]);
    }
}
