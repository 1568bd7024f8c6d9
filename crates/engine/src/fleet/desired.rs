//! Compares devices with their desired configuration.
//!
//! Several desired configurations can apply to one device. Their order counts: the first one with a key decides its
//! value. Reported values are compared as values, to the last digit.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use wilco_dialect::json;
use wilco_ledger::DeviceId;

use super::{Device, Fleet, Search, search::Facts};
use crate::api::{
    ConfigDifference, DesiredState, DeviceDesired, DeviceQuery, JsonText, OverruledValue, ReportedKey, ReportedValue,
};

/// Examples of devices, at most.
const EXAMPLES: usize = 5;
/// Keys that devices report, at most, and values of each.
const KEYS: usize = 200;
const VALUES: usize = 5;

/// The desired configurations of a connection, in the order in which they apply.
#[derive(Debug, Default)]
pub(crate) struct Desired(Vec<Wanted>);

/// The desired configuration of the devices that match a search.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The tag, or the view's name.
    pub(crate) name: String,
    /// Finds its devices, and does not depend on wanted values.
    pub(crate) search: Search,
    /// Each value as JSON text.
    pub(crate) values: Vec<(String, String)>,
}

/// The number of devices in each state of one desired configuration.
#[derive(Debug, Default)]
pub(crate) struct DesiredCounts {
    pub(crate) as_wanted: u32,
    pub(crate) differs: u32,
    pub(crate) unknown: u32,
    pub(crate) overruled: Vec<OverruledValue>,
}

/// The devices that differ from their desired configuration.
#[derive(Debug, Default)]
pub(crate) struct OutOfLine {
    /// Those that differ, each with the arguments of a `config.set`: its values that differ.
    pub(crate) differ: Vec<(DeviceId, String)>,
    /// Devices that have not reported their configuration, each with all its wanted values.
    pub(crate) unreported: Vec<(DeviceId, String)>,
    /// How many have it.
    pub(crate) as_wanted: u32,
}

/// A wanted value of a device, and its source.
struct Applied<'a> {
    key: &'a str,
    value: &'a str,
    by: &'a Wanted,
}

impl Desired {
    pub(crate) fn new(wanted: Vec<Wanted>) -> Desired {
        Desired(wanted)
    }

    /// The series of measurements that must be known to find its devices.
    pub(crate) fn series(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|wanted| wanted.search.series()).collect()
    }

    /// Whether a device matches its desired configuration; none if it has none.
    pub(crate) fn state(&self, device: &Device, facts: &Facts) -> Option<DesiredState> {
        let applied = self.applied(device, facts);
        if applied.is_empty() {
            return None;
        }
        Some(match applied.iter().all(|wanted| wanted.is_met(device)) {
            _ if device.running.is_empty() => DesiredState::Unknown,
            true => DesiredState::AsWanted,
            false => DesiredState::Differs,
        })
    }

    /// The same with all differences; for a device that has reported nothing, all wanted values.
    pub(crate) fn of(&self, device: &Device, facts: &Facts) -> Option<DeviceDesired> {
        let state = self.state(device, facts)?;
        let applied = self.applied(device, facts);
        let differences = applied.iter().filter(|wanted| !wanted.is_met(device)).map(|wanted| ConfigDifference {
            key: wanted.key.to_owned(),
            wanted: JsonText::of(wanted.value),
            running: device.running(wanted.key).map(JsonText::of),
            saved: device.saved_apart(wanted.key).map(JsonText::of),
            by: wanted.by.name.clone(),
        });
        Some(DeviceDesired { state, differences: differences.collect() })
    }

    /// The wanted values of a device: for each key, the value of the first configuration that sets it.
    fn applied<'a>(&'a self, device: &Device, facts: &Facts) -> Vec<Applied<'a>> {
        let mut applied: Vec<Applied<'a>> = Vec::new();
        for by in self.0.iter().filter(|wanted| wanted.search.matches(device, facts)) {
            for (key, value) in &by.values {
                if !applied.iter().any(|other| other.key == key) {
                    applied.push(Applied { key, value, by });
                }
            }
        }
        applied
    }
}

impl Applied<'_> {
    fn is_met(&self, device: &Device) -> bool {
        device.running(self.key).is_some_and(|running| json::same(running, self.value))
            && device.saved_apart(self.key).is_none_or(|saved| json::same(saved, self.value))
    }
}

/// The arguments of a `config.set` that changes these.
fn set(changes: impl Iterator<Item = (String, String)>) -> String {
    let changes: Vec<_> = changes.map(|(key, value)| format!("{}:{value}", Value::from(key))).collect();
    format!("{{\"changes\":{{{}}},\"apply\":\"now\"}}", changes.join(","))
}

impl Fleet {
    /// The number of devices in each state of each desired configuration, in order.
    pub(crate) fn desired_counts(&self, facts: &Facts) -> Vec<DesiredCounts> {
        let all = &facts.desired.0;
        let mut counts: Vec<_> = all.iter().map(|_| DesiredCounts::default()).collect();
        for device in self.devices() {
            let Some(state) = facts.desired.state(device, facts) else { continue };
            let applied = facts.desired.applied(device, facts);
            for (wanted, counts) in all.iter().zip(&mut counts) {
                if !wanted.search.matches(device, facts) {
                    continue;
                }
                match state {
                    DesiredState::AsWanted => counts.as_wanted += 1,
                    DesiredState::Differs => counts.differs += 1,
                    DesiredState::Unknown => counts.unknown += 1,
                }
                for (key, value) in &wanted.values {
                    let applies = applied.iter().find(|other| other.key == key);
                    if let Some(applies) = applies.filter(|other| !json::same(other.value, value)) {
                        counts.overrule(applies, &device.id);
                    }
                }
            }
        }
        counts
    }

    /// The matching devices that differ from their desired configuration, in the list's order.
    pub(crate) fn out_of_line(&mut self, query: &DeviceQuery, search: &Search, facts: &Facts) -> OutOfLine {
        let mut found = OutOfLine::default();
        for id in self.matching(query, search, facts) {
            let Some(desired) = self.get(&id).and_then(|device| facts.desired.of(device, facts)) else { continue };
            let differences = desired.differences.into_iter();
            let args = set(differences.map(|one| (one.key, one.wanted.as_str().to_owned())));
            match desired.state {
                DesiredState::AsWanted => found.as_wanted += 1,
                DesiredState::Differs => found.differ.push((id, args)),
                DesiredState::Unknown => found.unreported.push((id, args)),
            }
        }
        found
    }

    /// The keys of the configuration that devices that match report, the most frequent first.
    pub(crate) fn reported_keys(&self, search: &Search, facts: &Facts) -> Vec<ReportedKey> {
        let mut keys: HashMap<&str, HashMap<&str, u32>> = HashMap::new();
        for device in self.devices().filter(|device| search.matches(device, facts)) {
            for (key, value) in device.running_leaves() {
                *keys.entry(key).or_default().entry(value).or_default() += 1;
            }
        }
        let mut keys: Vec<_> = keys.into_iter().map(|(key, values)| reported_key(key, values)).collect();
        keys.sort_by(|a, b| b.devices.cmp(&a.devices).then_with(|| a.key.cmp(&b.key)));
        keys.truncate(KEYS);
        keys
    }
}

impl DesiredCounts {
    fn overrule(&mut self, applies: &Applied<'_>, device: &DeviceId) {
        let value = JsonText::of(applies.value);
        let is_it =
            |one: &&mut OverruledValue| one.key == applies.key && one.by == applies.by.name && one.value == value;
        if let Some(known) = self.overruled.iter_mut().find(is_it) {
            known.devices += 1;
            if known.examples.len() < EXAMPLES {
                known.examples.push(device.as_str().to_owned());
            }
            return;
        }
        self.overruled.push(OverruledValue {
            key: applies.key.to_owned(),
            value,
            by: applies.by.name.clone(),
            devices: 1,
            examples: vec![device.as_str().to_owned()],
        });
    }
}

fn reported_key(key: &str, values: HashMap<&str, u32>) -> ReportedKey {
    let devices = values.values().sum();
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    values.truncate(VALUES);
    let values = values.into_iter().map(|(value, devices)| ReportedValue { value: JsonText::of(value), devices });
    ReportedKey { key: key.to_owned(), devices, values: values.collect() }
}

#[cfg(test)]
mod tests;
