//! Counts the devices of a connection as they change.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use wilco_ledger::State;

use super::{Device, search::Search, version::begins};
use crate::api::{Counted, FleetCounts, MemberCounts, Presence};

/// So many firmware versions are named.
const VERSIONS: usize = 20;
/// So many tags are named.
const TAGS: usize = 50;

/// How many devices there are of each kind.
#[derive(Debug, Default)]
pub(super) struct Tally {
    presence: [u32; 3],
    states: [u32; 1 + State::ALL.len()],
    pub(super) firmware: HashMap<String, u32, RandomState>,
    pub(super) tags: HashMap<String, u32, RandomState>,
}

impl Tally {
    pub(super) fn add(&mut self, device: &Device) {
        self.presence[usize::from(device.presence as u8)] += 1;
        self.states[usize::from(device.state_code())] += 1;
        device.firmware.iter().for_each(|version| add(&mut self.firmware, version));
        device.all_tags().for_each(|tag| add(&mut self.tags, tag));
    }

    pub(super) fn remove(&mut self, device: &Device) {
        self.presence[usize::from(device.presence as u8)] -= 1;
        self.states[usize::from(device.state_code())] -= 1;
        device.firmware.iter().for_each(|version| remove(&mut self.firmware, version));
        device.all_tags().for_each(|tag| remove(&mut self.tags, tag));
    }

    /// A device's presence and its last command's state have changed, and nothing else of it.
    pub(super) fn moved(&mut self, (presence, state): (Presence, u8), device: &Device) {
        self.presence[usize::from(presence as u8)] -= 1;
        self.states[usize::from(state)] -= 1;
        self.presence[usize::from(device.presence as u8)] += 1;
        self.states[usize::from(device.state_code())] += 1;
    }

    pub(super) fn online(&self) -> u32 {
        self.presence[usize::from(Presence::Online as u8)]
    }

    pub(super) fn counts(&self) -> FleetCounts {
        let [online, offline, unknown] = self.presence;
        let firmware = most(&self.firmware, VERSIONS, |version| self.firmware_search(version));
        let tags = most(&self.tags, TAGS, Search::of_tag);
        FleetCounts { online, offline, unknown, states: member_counts(&self.states), firmware, tags }
    }

    /// The search that finds the devices with a version, and none with one that only begins so.
    pub(super) fn firmware_search(&self, version: &str) -> String {
        let is_longer = |other: &String| other != version && begins(other, version);
        if self.firmware.keys().any(is_longer) {
            Search::of_exact_firmware(version)
        } else {
            Search::of_firmware(version)
        }
    }
}

fn add(counts: &mut HashMap<String, u32, RandomState>, value: &str) {
    match counts.get_mut(value) {
        Some(count) => *count += 1,
        None => _ = counts.insert(value.to_owned(), 1),
    }
}

fn remove(counts: &mut HashMap<String, u32, RandomState>, value: &str) {
    if let Some(count) = counts.get_mut(value) {
        *count -= 1;
        if *count == 0 {
            counts.remove(value);
        }
    }
}

/// The most frequent values; equally frequent ones in their order.
pub(super) fn most<K: AsRef<str>>(
    counts: &HashMap<K, u32, RandomState>,
    at_most: usize,
    search: impl Fn(&str) -> String,
) -> Vec<Counted> {
    let mut all: Vec<_> = counts.iter().map(|(value, count)| (value.as_ref(), *count)).collect();
    all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    all.truncate(at_most);
    all.into_iter().map(|(value, count)| Counted { value: value.to_owned(), search: search(value), count }).collect()
}

/// A command's state as the page's columns have it: its place in [`MemberState`](crate::api::MemberState).
pub(super) fn code(state: State) -> u8 {
    1 + state as u8
}

/// Counts by code as counts by name.
pub(super) fn member_counts(counts: &[u32; 1 + State::ALL.len()]) -> MemberCounts {
    let [
        pending,
        queued,
        held,
        sent,
        at_broker,
        accepted,
        running,
        succeeded,
        failed,
        rejected,
        undeliverable,
        unconfirmed,
        timed_out,
        expired,
        cancelled,
    ] = *counts;
    MemberCounts {
        pending,
        queued,
        held,
        sent,
        at_broker,
        accepted,
        running,
        succeeded,
        failed,
        rejected,
        undeliverable,
        unconfirmed,
        timed_out,
        expired,
        cancelled,
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::State;

    use super::code;
    use crate::api::MemberState;

    #[test]
    fn a_states_code_is_its_place_among_the_states_that_the_page_knows() {
        for state in State::ALL {
            assert_eq!(MemberState::ALL.get(usize::from(code(state))), Some(&Some(state).into()));
        }
    }
}
