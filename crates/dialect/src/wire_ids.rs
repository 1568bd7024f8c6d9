//! Command IDs in the form that firmware requires: numbers of 31 bits, or IDs that another client has chosen.
//!
//! The mapping is pure: the caller stores each pair with its command, and restores them with [`WireIds::adopt`] after a
//! restart, together with the last number that was used.

use std::collections::{HashMap, VecDeque};

use wilco_ledger::{CommandId, DeviceId};

/// The largest number that is given out: what a signed number of 32 bits can be.
const LARGEST: u32 = 0x7fff_ffff;
/// How many ids of ended commands are remembered, so that a late answer still finds its command.
const REMEMBERED: usize = 10_000;

/// The mapping of IDs in messages to commands.
#[derive(Debug, Clone, Default)]
pub struct WireIds {
    last: u32,
    commands: HashMap<Box<str>, (DeviceId, CommandId)>,
    ids: HashMap<(DeviceId, CommandId), Box<str>>,
    /// Of finished commands, the oldest first.
    released: VecDeque<Box<str>>,
}

impl WireIds {
    /// An empty mapping; numbers continue after `last`.
    #[must_use]
    pub fn after(last: u32) -> WireIds {
        WireIds { last: last.min(LARGEST), ..WireIds::default() }
    }

    /// The number after which those of a new connection begin. `random` is any number. Consoles on one broker begin far
    /// apart, so that a late answer to a command of one is not matched to a command of another.
    #[must_use]
    pub fn beginning(random: u32) -> u32 {
        random & LARGEST
    }

    /// The last number that was assigned, to be kept across a restart; the initial one if there is none.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.last
    }

    /// The number of a command: its own, or the next one that no other command has. Numbers begin again at 1 after
    /// `LARGEST`.
    pub fn number(&mut self, device: &DeviceId, command: &CommandId) -> u32 {
        if let Some(number) = self.of(device, command).and_then(|id| id.parse().ok()) {
            return number;
        }
        loop {
            self.last = if self.last >= LARGEST { 1 } else { self.last + 1 };
            let id: Box<str> = self.last.to_string().into();
            if !self.commands.contains_key(&id) {
                self.put(id, device, command);
                return self.last;
            }
        }
    }

    /// Adds a known pair: after a restart, or if another client has chosen the ID. Returns `false` if another command
    /// has that ID.
    pub fn adopt(&mut self, id: &str, device: &DeviceId, command: &CommandId) -> bool {
        let own = (device.clone(), command.clone());
        if let Some(known) = self.commands.get(id) {
            return *known == own;
        }
        if self.ids.contains_key(&own) {
            return false;
        }
        self.put(id.into(), device, command);
        true
    }

    /// The command has finished. Its number is not reused before 10,000 others have ended.
    pub fn release(&mut self, device: &DeviceId, command: &CommandId) {
        let Some(id) = self.ids.get(&(device.clone(), command.clone())).cloned() else { return };
        if !self.released.contains(&id) {
            self.released.push_back(id);
        }
        while self.released.len() > REMEMBERED
            && let Some(oldest) = self.released.pop_front()
            && let Some(pair) = self.commands.remove(&oldest)
        {
            self.ids.remove(&pair);
        }
    }

    /// The ID of a command in messages, if it has one.
    #[must_use]
    pub fn of(&self, device: &DeviceId, command: &CommandId) -> Option<&str> {
        self.ids.get(&(device.clone(), command.clone())).map(|id| &**id)
    }

    /// The command of an ID in messages, even if its request was signed and resent.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(&DeviceId, &CommandId)> {
        let found = self.commands.get(id).or_else(|| self.commands.get(crate::sign_in::first_id(id)?));
        found.map(|(device, command)| (device, command))
    }

    fn put(&mut self, id: Box<str>, device: &DeviceId, command: &CommandId) {
        let pair = (device.clone(), command.clone());
        self.ids.insert(pair.clone(), id.clone());
        self.commands.insert(id, pair);
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::{CommandId, DeviceId};

    use super::{LARGEST, WireIds};

    fn pair(number: usize) -> (DeviceId, CommandId) {
        let device = DeviceId::new(format!("d{}", number % 3)).expect("a device ID");
        (device, CommandId::new(format!("c{number}")).expect("a command ID"))
    }

    #[test]
    fn each_command_has_its_own_number() {
        let mut ids = WireIds::default();
        let ((a, one), (b, two)) = (pair(1), pair(2));
        assert_eq!((ids.number(&a, &one), ids.number(&b, &two), ids.number(&a, &one)), (1, 2, 1));
        assert_eq!(ids.find("2"), Some((&b, &two)));
        assert_eq!(ids.of(&a, &one), Some("1"));
        assert_eq!(ids.find("3"), None);
    }

    #[test]
    fn a_number_in_use_is_passed_over_also_after_a_restart_and_at_the_end_of_the_range() {
        let ((a, one), (b, two), (c, three)) = (pair(1), pair(2), pair(3));
        let mut ids = WireIds::after(LARGEST - 1);
        assert!(ids.adopt("1", &a, &one));
        assert!(ids.adopt("1", &a, &one));
        assert!(!ids.adopt("1", &b, &two));
        assert!(!ids.adopt("9", &a, &one));
        assert_eq!((ids.number(&b, &two), ids.number(&c, &three)), (LARGEST, 2));
        assert_eq!(ids.last(), 2);
        assert_eq!(WireIds::after(u32::MAX).number(&a, &one), 1);
    }

    #[test]
    fn numbers_begin_anywhere_in_the_range() {
        let (a, one) = pair(1);
        let first = |random: u32| WireIds::after(WireIds::beginning(random)).number(&a, &one);
        assert_eq!(first(0), 1);
        assert_eq!(first(1_234_567_890), 1_234_567_891);
        // The upper bit does not count, and the range ends in 1.
        assert_eq!(first(1 << 31 | 77), 78);
        assert_eq!(first(LARGEST - 1), LARGEST);
        assert_eq!((first(LARGEST), first(u32::MAX)), (1, 1));
    }

    #[test]
    fn a_late_answer_finds_its_command_for_a_while() {
        let mut ids = WireIds::default();
        for number in 0..10_002 {
            let (device, command) = pair(number);
            ids.number(&device, &command);
        }
        for number in 0..10_001 {
            let (device, command) = pair(number);
            ids.release(&device, &command);
        }
        assert_eq!(ids.find("1"), None);
        assert!(ids.find("2").is_some() && ids.find("10002").is_some());
    }
}
