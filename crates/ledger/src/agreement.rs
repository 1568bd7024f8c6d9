//! Checks whether devices did what they answered: compares a device's reports after its answer with what the command
//! requested.
//!
//! A device has [`FOLLOWS_WITHIN`] to report the value that it answered, counted while it is not known to be offline.
//! Its reports within that time decide. Later reports have other causes, such as a pressed button. A device that
//! reported something else disagrees until it reports the answered value, or a command requests something else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;

use crate::{CommandId, DeviceId, Millis, Term, Timestamp, is_same_value};

/// How long a device has to report the value that it answered.
pub const FOLLOWS_WITHIN: Millis = Millis::seconds(10);

/// A device's answer contradicts its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The command that it answered.
    pub command: CommandId,
    /// The name of the value in its reports.
    pub key: Box<str>,
    /// The requested value.
    pub said: Box<str>,
    /// The reported value.
    pub reported: Box<str>,
}

/// The devices of one connection.
#[derive(Debug, Default)]
pub struct Agreements {
    devices: HashMap<DeviceId, BTreeMap<Box<str>, Watched>, RandomState>,
    /// When what is reported is looked at.
    due: BTreeSet<(Timestamp, DeviceId, Box<str>)>,
}

/// A value that a device is to report.
#[derive(Debug)]
struct Watched {
    command: CommandId,
    said: Box<str>,
    state: WatchState,
}

#[derive(Debug, PartialEq, Eq)]
enum WatchState {
    /// It is evaluated at this time.
    Until(Timestamp),
    /// The device is offline. It is evaluated some time after the device is back.
    Offline,
    /// The device reports this instead.
    Disagrees(Box<str>),
}

impl Agreements {
    /// A command that requests these values is pending: earlier answers about them no longer count. Returns whether the
    /// device disagreed about one of them.
    pub fn requested(&mut self, device: &DeviceId, terms: &[Term]) -> bool {
        let removed = terms.iter().filter_map(|term| self.remove(device, &term.key));
        removed.filter(|watched| matches!(watched.state, WatchState::Disagrees(_))).count() > 0
    }

    /// A device answered that it ran this command. `offline`: it is known to be offline now.
    pub fn record_success(
        &mut self,
        device: &DeviceId,
        command: &CommandId,
        terms: &[Term],
        offline: bool,
        now: Timestamp,
    ) {
        for term in terms {
            let Some(said) = &term.value else { continue };
            self.remove(device, &term.key);
            let state = if offline { WatchState::Offline } else { WatchState::Until(now + FOLLOWS_WITHIN) };
            if let WatchState::Until(due) = state {
                self.due.insert((due, device.clone(), term.key.clone()));
            }
            let watched = Watched { command: command.clone(), said: said.clone(), state };
            self.devices.entry(device.clone()).or_default().insert(term.key.clone(), watched);
        }
    }

    /// A device has reported. `value` is its reported value of a key; `None` if it reports none. Returns whether there
    /// is a new disagreement.
    pub fn reported(&mut self, device: &DeviceId, value: impl Fn(&str) -> Option<Box<str>>) -> bool {
        let Some(keys) = self.devices.get_mut(device) else { return false };
        let mut changed = false;
        keys.retain(|key, watched| {
            let WatchState::Disagrees(reported) = &mut watched.state else { return true };
            let Some(now) = value(key).filter(|now| now != reported) else { return true };
            changed = true;
            let agrees = is_same_value(&watched.said, &now);
            *reported = now;
            !agrees
        });
        self.drop_empty(device);
        changed
    }

    /// A device has come online or gone offline.
    pub fn presence(&mut self, device: &DeviceId, online: bool, now: Timestamp) {
        let Some(keys) = self.devices.get_mut(device) else { return };
        for (key, watched) in keys {
            match watched.state {
                WatchState::Until(due) if !online => {
                    self.due.remove(&(due, device.clone(), key.clone()));
                    watched.state = WatchState::Offline;
                }
                WatchState::Offline if online => {
                    let due = now + FOLLOWS_WITHIN;
                    self.due.insert((due, device.clone(), key.clone()));
                    watched.state = WatchState::Until(due);
                }
                _ => {}
            }
        }
    }

    /// The connection has ended, so no reports arrive: the time of each device continues with its next message.
    pub fn disconnected(&mut self) {
        for (_, device, key) in std::mem::take(&mut self.due) {
            if let Some(watched) = self.devices.get_mut(&device).and_then(|keys| keys.get_mut(&key)) {
                watched.state = WatchState::Offline;
            }
        }
    }

    /// Evaluates due comparisons. `value` is a device's reported value of a key; `None` if it does not report it, which
    /// decides nothing. Returns the devices that now disagree.
    pub fn look(&mut self, now: Timestamp, value: impl Fn(&DeviceId, &str) -> Option<Box<str>>) -> Vec<DeviceId> {
        let mut disagree = Vec::new();
        while self.due.first().is_some_and(|(due, ..)| *due <= now)
            && let Some((_, device, key)) = self.due.pop_first()
        {
            let Some(watched) = self.devices.get_mut(&device).and_then(|keys| keys.get_mut(&key)) else { continue };
            match value(&device, &key).filter(|reported| !is_same_value(&watched.said, reported)) {
                Some(reported) => {
                    watched.state = WatchState::Disagrees(reported);
                    disagree.push(device);
                }
                None => {
                    self.remove(&device, &key);
                }
            }
        }
        disagree.dedup();
        disagree
    }

    /// When a comparison is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, ..)| *due)
    }

    /// The disagreement of a device: the first key by name, if there are several.
    #[must_use]
    pub fn of(&self, device: &DeviceId) -> Option<Disagreement> {
        self.devices.get(device)?.iter().find_map(|(key, watched)| match &watched.state {
            WatchState::Disagrees(reported) => Some(Disagreement {
                command: watched.command.clone(),
                key: key.clone(),
                said: watched.said.clone(),
                reported: reported.clone(),
            }),
            _ => None,
        })
    }

    /// Restores a disagreement from an earlier run.
    pub fn restore(&mut self, device: &DeviceId, disagreement: Disagreement) {
        let Disagreement { command, key, said, reported } = disagreement;
        let watched = Watched { command, said, state: WatchState::Disagrees(reported) };
        self.devices.entry(device.clone()).or_default().insert(key, watched);
    }

    /// Removes a device.
    pub fn forget(&mut self, device: &DeviceId) {
        for (key, watched) in self.devices.remove(device).unwrap_or_default() {
            if let WatchState::Until(due) = watched.state {
                self.due.remove(&(due, device.clone(), key));
            }
        }
    }

    fn remove(&mut self, device: &DeviceId, key: &str) -> Option<Watched> {
        let watched = self.devices.get_mut(device)?.remove(key)?;
        if let WatchState::Until(due) = watched.state {
            self.due.remove(&(due, device.clone(), key.into()));
        }
        self.drop_empty(device);
        Some(watched)
    }

    fn drop_empty(&mut self, device: &DeviceId) {
        if self.devices.get(device).is_some_and(BTreeMap::is_empty) {
            self.devices.remove(device);
        }
    }
}
