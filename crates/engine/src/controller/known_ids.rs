//! The IDs of a device's stored commands, while the device sends many IDs that the ledger does not know: one query for
//! all of them instead of one for each.

use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher,
};

use foldhash::fast::RandomState;
use wilco_ledger::{CommandId, DeviceId};

use super::look_up::LookUp;
use crate::store::ConnectionId;

/// Beyond so many look-ups of a device at a time, all its command IDs are read.
const ONE_BY_ONE: usize = 100;
/// A device with more commands than this is looked up one by one anyway.
pub(super) const MOST_IDS: usize = 1_000_000;
/// Devices that are remembered. Those that named nothing unknown for a while make room.
const MOST_DEVICES: usize = 50_000;

/// The stored commands of each device that recently sent an unknown ID.
#[derive(Default)]
pub(super) struct KnownIds {
    devices: HashMap<(ConnectionId, DeviceId), Known>,
    hasher: RandomState,
}

struct Known {
    state: State,
    /// It was needed since the last cleanup.
    needed: bool,
}

enum State {
    /// Its IDs are looked up individually.
    OneByOne {
        under_way: usize,
        /// It has so many commands that this stays so.
        always: bool,
        /// A later state was committed meanwhile: the store's reply may be older.
        committed: bool,
    },
    /// All its IDs are being read. Messages with unknown IDs wait for them, in order.
    Reading { waiting: Vec<LookUp>, committed: Vec<CommandId> },
    /// The hashes of all IDs for which it has ever had a command. An ID that is not included has no command.
    Read(HashSet<u64, RandomState>),
}

/// The next step of a look-up.
pub(super) enum Next {
    /// Query the store.
    Ask(Box<LookUp>),
    /// Query the store for all IDs of the device, and wait for the result.
    ReadIds,
    /// Wait for the IDs that are being read.
    Waits,
}

impl KnownIds {
    /// Whether a device may have a command with this ID.
    pub(super) fn may_have(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> bool {
        if self.devices.is_empty() {
            return true;
        }
        let Some(known) = self.devices.get_mut(&(connection.clone(), device.clone())) else { return true };
        known.needed = true;
        match &known.state {
            State::OneByOne { .. } | State::Reading { .. } => true,
            State::Read(ids) => ids.contains(&self.hasher.hash_one(id.as_str())),
        }
    }

    /// Takes in a look-up.
    pub(super) fn begin(&mut self, look_up: Box<LookUp>) -> Next {
        let key = (look_up.connection.clone(), look_up.device.clone());
        let known = self.devices.entry(key).or_insert_with(|| Known {
            state: State::OneByOne { under_way: 0, always: false, committed: false },
            needed: true,
        });
        known.needed = true;
        match &mut known.state {
            State::OneByOne { under_way, always, .. } if *always || *under_way < ONE_BY_ONE => {
                *under_way += 1;
                Next::Ask(look_up)
            }
            State::OneByOne { .. } => {
                known.state = State::Reading { waiting: vec![*look_up], committed: Vec::new() };
                Next::ReadIds
            }
            State::Reading { waiting, .. } => {
                waiting.push(*look_up);
                Next::Waits
            }
            State::Read(_) => Next::Ask(look_up),
        }
    }

    /// A look-up has come back. `has_none`: the store knows no command of this device at all.
    pub(super) fn end(&mut self, connection: &ConnectionId, device: &DeviceId, has_none: bool) {
        let Some(known) = self.devices.get_mut(&(connection.clone(), device.clone())) else { return };
        if let State::OneByOne { under_way, committed, .. } = &mut known.state {
            *under_way = under_way.saturating_sub(1);
            if has_none && !*committed {
                known.state = State::Read(HashSet::default());
            } else if *under_way == 0 {
                *committed = false;
            }
        }
    }

    /// All IDs of a device have been read: `None` if those are too many, or could not be read. Hands back what waits for
    /// them.
    pub(super) fn read(
        &mut self,
        connection: &ConnectionId,
        device: &DeviceId,
        ids: Option<Vec<CommandId>>,
    ) -> Vec<LookUp> {
        let Some(known) = self.devices.get_mut(&(connection.clone(), device.clone())) else { return Vec::new() };
        let always = State::OneByOne { under_way: 0, always: true, committed: true };
        match std::mem::replace(&mut known.state, always) {
            State::Reading { waiting, committed } => {
                if let Some(ids) = ids {
                    let ids = ids.iter().chain(&committed).map(|id| self.hasher.hash_one(id.as_str()));
                    known.state = State::Read(ids.collect());
                }
                waiting
            }
            state => {
                known.state = state;
                Vec::new()
            }
        }
    }

    /// A device has had a command with this ID.
    pub(super) fn committed(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) {
        if self.devices.is_empty() {
            return;
        }
        match self.devices.get_mut(&(connection.clone(), device.clone())).map(|known| &mut known.state) {
            Some(State::OneByOne { committed, .. }) => *committed = true,
            Some(State::Reading { committed, .. }) => committed.push(id.clone()),
            Some(State::Read(ids)) => {
                ids.insert(self.hasher.hash_one(id.as_str()));
            }
            None => {}
        }
    }

    /// Forgets devices that nobody needed since the last call, and everything that can be forgotten if there are too
    /// many.
    pub(super) fn tidy_up(&mut self) {
        let too_many = self.devices.len() > MOST_DEVICES;
        self.devices.retain(|_, known| {
            let is_busy = match &known.state {
                State::OneByOne { under_way, .. } => *under_way > 0,
                State::Reading { .. } => true,
                State::Read(_) => false,
            };
            is_busy || (std::mem::take(&mut known.needed) && !too_many)
        });
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::{CommandId, DeviceId};

    use super::{super::look_up::LookUp, KnownIds, Next, ONE_BY_ONE};
    use crate::store::ConnectionId;

    fn connection() -> ConnectionId {
        ConnectionId::from("plant")
    }

    fn device() -> DeviceId {
        DeviceId::new("press").unwrap()
    }

    fn id(id: &str) -> CommandId {
        CommandId::new(id).unwrap()
    }

    /// Processes this many look-ups, and returns how many of them query, read IDs, and wait.
    fn begin(known: &mut KnownIds, look_ups: usize) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for number in 0..look_ups {
            match known.begin(Box::new(LookUp::cancel(connection(), device(), id(&format!("unknown-{number}"))))) {
                Next::Ask(_) => counts.0 += 1,
                Next::ReadIds => counts.1 += 1,
                Next::Waits => counts.2 += 1,
            }
        }
        counts
    }

    fn may_have(known: &mut KnownIds, command: &str) -> bool {
        known.may_have(&connection(), &device(), &id(command))
    }

    #[test]
    fn beyond_so_many_look_ups_the_ids_of_a_device_are_read_once() {
        let mut known = KnownIds::default();
        assert_eq!(begin(&mut known, 5_000), (ONE_BY_ONE, 1, 5_000 - ONE_BY_ONE - 1));
        assert!(may_have(&mut known, "unknown-1"), "nothing is known before they are read");
        // Two commands are committed: one before the IDs are there, one after.
        known.committed(&connection(), &device(), &id("meanwhile"));
        let waiting = known.read(&connection(), &device(), Some(vec![id("old")]));
        assert_eq!(waiting.len(), 5_000 - ONE_BY_ONE);
        known.committed(&connection(), &device(), &id("later"));
        let found = ["old", "meanwhile", "later", "unknown-1"].map(|command| may_have(&mut known, command));
        assert_eq!(found, [true, true, true, false]);
        // The first hundred come back only now.
        known.end(&connection(), &device(), false);
        assert!(may_have(&mut known, "old") && !may_have(&mut known, "unknown-2"));
    }

    #[test]
    fn a_device_without_any_command_is_looked_up_once_unless_one_was_committed_meanwhile() {
        for meanwhile in [false, true] {
            let mut known = KnownIds::default();
            assert_eq!(begin(&mut known, 1), (1, 0, 0));
            if meanwhile {
                known.committed(&connection(), &device(), &id("new"));
            }
            known.end(&connection(), &device(), true);
            assert_eq!(may_have(&mut known, "unknown-7"), meanwhile);
            known.committed(&connection(), &device(), &id("unknown-7"));
            assert!(may_have(&mut known, "unknown-7"));
        }
    }

    #[test]
    fn ids_that_cannot_be_read_are_looked_up_one_by_one() {
        let mut known = KnownIds::default();
        begin(&mut known, 1_000);
        assert_eq!(known.read(&connection(), &device(), None).len(), 1_000 - ONE_BY_ONE);
        assert_eq!(begin(&mut known, 1_000), (1_000, 0, 0));
        assert!(may_have(&mut known, "unknown-1"));
    }

    #[test]
    fn unused_entries_are_dropped_after_a_while() {
        let mut known = KnownIds::default();
        begin(&mut known, 1);
        known.tidy_up();
        known.tidy_up();
        assert_eq!(known.devices.len(), 1, "a look-up is under way");
        known.end(&connection(), &device(), true);
        assert!(!may_have(&mut known, "x"));
        known.tidy_up();
        assert!(!may_have(&mut known, "x"), "it was needed");
        known.tidy_up();
        known.tidy_up();
        assert!(known.devices.is_empty());
    }
}
