//! The common values and the differences of several devices.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use wilco_ledger::{DeviceId, State};

use super::{
    Fleet, Search,
    tally::{member_counts, most},
};
use crate::api::{ConfigSummary, DeviceSummary, Presence};

/// So many firmware versions, tags, keys and values of a key are named.
const VERSIONS: usize = 10;
const TAGS: usize = 20;
const KEYS: usize = 50;
const VALUES: usize = 5;

type Counts<K> = HashMap<K, u32, RandomState>;

impl Fleet {
    /// Compares devices. Those that are not known are left out.
    pub(crate) fn summary(&self, devices: &[DeviceId]) -> DeviceSummary {
        let mut presence = [0; 3];
        let mut led = [0; 2];
        let mut states = [0; 1 + State::ALL.len()];
        let mut firmware: Counts<&str> = HashMap::default();
        let mut tags: Counts<&str> = HashMap::default();
        let mut added: Counts<&str> = HashMap::default();
        let mut keys: Vec<(&str, Counts<String>)> = Vec::new();
        let mut known = 0;
        for device in devices.iter().filter_map(|id| self.get(id)) {
            known += 1;
            presence[usize::from(device.presence as u8)] += 1;
            device.led.iter().for_each(|on| led[usize::from(*on)] += 1);
            states[usize::from(device.state_code())] += 1;
            device.firmware.iter().for_each(|version| *firmware.entry(version).or_default() += 1);
            device.all_tags().for_each(|tag| *tags.entry(tag).or_default() += 1);
            let set = device.annotation.iter().flat_map(|annotation| &annotation.tags);
            set.for_each(|tag| *added.entry(tag).or_default() += 1);
            for (key, value) in device.running_leaves() {
                let place = keys.iter().position(|(other, _)| *other == key).or_else(|| {
                    (keys.len() < KEYS).then(|| keys.push((key, HashMap::default())))?;
                    Some(keys.len() - 1)
                });
                if let Some((_, values)) = place.and_then(|place| keys.get_mut(place)) {
                    *values.entry(shown(value)).or_default() += 1;
                }
            }
        }
        let config = keys.into_iter().map(|(key, values)| ConfigSummary {
            key: key.to_owned(),
            devices: values.values().sum(),
            values: most(&values, VALUES, |value| Search::of_config(key, value)),
            different: u32::try_from(values.len()).unwrap_or(u32::MAX),
        });
        DeviceSummary {
            devices: known,
            online: presence[usize::from(Presence::Online as u8)],
            offline: presence[usize::from(Presence::Offline as u8)],
            unknown: presence[usize::from(Presence::Unknown as u8)],
            led_on: led[1],
            led_off: led[0],
            states: member_counts(&states),
            firmware: most(&firmware, VERSIONS, |version| self.tally.firmware_search(version)),
            tags: most(&tags, TAGS, Search::of_tag),
            added_tags: most(&added, TAGS, Search::of_tag),
            configuration: config.collect(),
        }
    }
}

/// A value of the configuration as it is shown and looked for.
pub(crate) fn shown(written: &str) -> String {
    serde_json::from_str(written).unwrap_or_else(|_| written.to_owned())
}
