//! The table of commands: by age, by device and by ID.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;

use crate::{Command, CommandId, Delivery, DeviceId, Origin, SentCommand, State, Timestamp};

/// A command's place, in the order in which commands came into memory. For unsettled ones that is the order of
/// submission.
pub(super) type CommandKey = u64;

/// The commands in memory, and what is known of their devices.
#[derive(Debug, Default)]
pub(super) struct CommandTable {
    last: CommandKey,
    entries: HashMap<CommandKey, Entry, RandomState>,
    unsettled: BTreeSet<CommandKey>,
    devices: HashMap<DeviceId, Device, RandomState>,
    /// How many devices have a command with that id: a broadcast shares one.
    ids: HashMap<CommandId, usize, RandomState>,
}

/// A command and what is known of it beyond its events, for as long as this ledger lives.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) command: Command,
    /// Its last publish is in progress in this session.
    pub(super) open: bool,
    /// It counts in the answer window since its last send.
    pub(super) counts_as: Option<SentCommand>,
    /// Its device was known to be offline at the last send, and the broker keeps the request until it reconnects. After
    /// a restart, when no presence is known, this is possible.
    pub(super) broker_may_hold: bool,
    /// The MQTT client did not take it: not tried again before this.
    pub(super) paused_until: Option<Timestamp>,
    /// Its session was reported lost: not resent before the next connection.
    pub(super) awaits_session: bool,
    /// Its place among the timers.
    pub(super) timer: Option<Timestamp>,
    /// It is listed among the settled ones.
    pub(super) listed: bool,
    /// It is listed among those to which something has happened.
    pub(super) changed: bool,
    /// Which terms of its expectation reports have met, a bit for each. A restart forgets them.
    pub(super) met: u64,
}

/// The known state of a device.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// `None`: unknown.
    pub(super) online: Option<bool>,
    /// It was online when the connection ended.
    pub(super) was_online: bool,
    /// It is given until then to come back.
    pub(super) returns_by: Option<Timestamp>,
    /// One of its commands has timed out since its last answer, or was forgotten while it could still be answered.
    pub(super) timed_out: bool,
    commands: HashMap<CommandId, CommandKey, RandomState>,
    /// How many of its commands have an id of that many bytes.
    lengths: BTreeMap<usize, usize>,
    pub(super) unsettled: BTreeSet<CommandKey>,
    /// Unsettled commands that may have been sent, by whomever.
    pub(super) outstanding: BTreeSet<CommandKey>,
    /// Commands of ours that ended without an answer. An answer without an ID may belong to one of these, see
    /// [`Entry::may_yet_be_answered`].
    pub(super) unconfirmed: BTreeSet<CommandKey>,
    /// Outstanding commands of ours.
    pub(super) in_flight: usize,
    /// Those of them that are answered without an id.
    pub(super) in_flight_without_id: usize,
    /// Outstanding commands of ours for which an answer is expected.
    pub(super) awaited: usize,
    /// Until when it counts in the answer window.
    pub(super) active_until: Option<Timestamp>,
    /// Commands that wait until the one in flight has ended.
    pub(super) blocked: BTreeSet<CommandKey>,
}

/// The counter of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Accounted {
    /// Its state, for an unsettled command of ours.
    pub(super) counted: Option<State>,
    pub(super) unsettled: bool,
    pub(super) outstanding: bool,
    pub(super) unconfirmed: bool,
    pub(super) in_flight: bool,
    pub(super) in_flight_without_id: bool,
    pub(super) awaited: bool,
}

impl CommandTable {
    pub(super) fn insert(&mut self, command: Command) -> CommandKey {
        self.last += 1;
        let slot = self.last;
        let (device, id) = (command.device().clone(), command.id().clone());
        *self.ids.entry(id.clone()).or_default() += 1;
        let device = self.devices.entry(device).or_default();
        *device.lengths.entry(id.as_str().len()).or_default() += 1;
        device.commands.insert(id, slot);
        let entry = Entry {
            command,
            open: false,
            counts_as: None,
            broker_may_hold: false,
            paused_until: None,
            awaits_session: false,
            timer: None,
            listed: false,
            changed: false,
            met: 0,
        };
        self.entries.insert(slot, entry);
        slot
    }

    pub(super) fn remove(&mut self, slot: CommandKey) {
        let Some(Entry { command, .. }) = self.entries.remove(&slot) else { return };
        self.unsettled.remove(&slot);
        take_one(&mut self.ids, command.id());
        let Some(device) = self.devices.get_mut(command.device()) else { return };
        device.commands.remove(command.id());
        device.unconfirmed.remove(&slot);
        let length = command.id().as_str().len();
        if let Some(count) = device.lengths.get_mut(&length) {
            *count -= 1;
            if *count == 0 {
                device.lengths.remove(&length);
            }
        }
    }

    pub(super) fn find(&self, device: &DeviceId, id: &str) -> Option<CommandKey> {
        self.devices.get(device)?.commands.get(id).copied()
    }

    /// All commands of a device.
    pub(super) fn slots_of(&self, device: &DeviceId) -> impl Iterator<Item = CommandKey> {
        self.devices.get(device).into_iter().flat_map(|device| device.commands.values().copied())
    }

    /// Forgets what is known of a device that has no commands here.
    pub(super) fn remove_device(&mut self, device: &DeviceId) {
        self.devices.remove(device);
    }

    pub(super) fn entry(&self, slot: CommandKey) -> Option<&Entry> {
        self.entries.get(&slot)
    }

    pub(super) fn entry_mut(&mut self, slot: CommandKey) -> Option<&mut Entry> {
        self.entries.get_mut(&slot)
    }

    pub(super) fn device(&self, device: &DeviceId) -> Option<&Device> {
        self.devices.get(device)
    }

    pub(super) fn device_mut(&mut self, device: &DeviceId) -> &mut Device {
        self.devices.entry(device.clone()).or_default()
    }

    /// A device that has commands, or of which something is known.
    pub(super) fn known_device_mut(&mut self, device: &DeviceId) -> Option<&mut Device> {
        self.devices.get_mut(device)
    }

    /// Nobody's presence is known any more. Hands back the unsettled commands of those that were offline.
    pub(super) fn forget_presence(&mut self) -> Vec<CommandKey> {
        let mut of_offline = Vec::new();
        for device in self.devices.values_mut() {
            let online = device.online.take();
            device.was_online |= online == Some(true);
            if online == Some(false) {
                of_offline.extend(device.unsettled.iter().copied());
            }
        }
        of_offline
    }

    /// Devices that were online before have to come back by then. Hands back those, with their unsettled commands.
    pub(super) fn expect_back(&mut self, by: Timestamp) -> Vec<CommandKey> {
        let mut expected = Vec::new();
        for device in self.devices.values_mut() {
            if std::mem::take(&mut device.was_online) {
                device.returns_by = Some(by);
                expected.extend(device.unsettled.iter().copied());
            }
        }
        expected
    }

    /// The broker has kept our session, so it has kept those of the devices, unless it reported otherwise.
    pub(super) fn nobody_was_lost(&mut self) {
        self.devices.values_mut().for_each(|device| device.was_online = false);
    }

    /// The clock is ahead of the one before by so many milliseconds from now on.
    pub(super) fn clock_is_set(&mut self, by: i64) {
        for device in self.devices.values_mut() {
            device.returns_by = device.returns_by.map(|at| at.moved(by));
        }
    }

    pub(super) fn returns_by(&self, device: &DeviceId) -> Option<Timestamp> {
        self.devices.get(device).and_then(|device| device.returns_by)
    }

    pub(super) fn is_offline(&self, device: &DeviceId) -> bool {
        self.devices.get(device).is_some_and(|device| device.online == Some(false))
    }

    pub(super) fn devices_with(&self, id: &CommandId) -> usize {
        self.ids.get(id).copied().unwrap_or(0)
    }

    pub(super) fn unsettled(&self) -> impl Iterator<Item = CommandKey> {
        self.unsettled.iter().copied()
    }

    pub(super) fn set_unsettled(&mut self, slot: CommandKey, unsettled: bool) {
        if unsettled {
            self.unsettled.insert(slot);
        } else {
            self.unsettled.remove(&slot);
        }
    }
}

impl Entry {
    pub(super) fn accounted(&self) -> Accounted {
        let command = &self.command;
        let ours = command.origin == Origin::Here;
        let policy = &command.submission.policy;
        let in_flight = ours && command.is_outstanding();
        Accounted {
            counted: (ours && !command.is_settled()).then_some(command.state),
            unsettled: !command.is_settled(),
            outstanding: command.is_outstanding(),
            unconfirmed: ours && command.state == State::Unconfirmed,
            in_flight,
            in_flight_without_id: in_flight && !policy.answers_carry_ids,
            awaited: in_flight && policy.answer_expected,
        }
    }

    /// An unexpected answer to it would arrive by now: for as long as silence would be normal if one were expected.
    pub(super) fn may_yet_be_answered(&self, now: Timestamp) -> bool {
        now < self.command.silent_since() + self.command.submission.policy.timeout
    }
}

impl Device {
    /// The slots of its commands whose ID occurs in the text as a whole word.
    pub(super) fn named_in(&self, text: &str) -> BTreeSet<CommandKey> {
        let mut found = BTreeSet::new();
        let mut read = 0;
        let mut before: Option<char> = None;
        for (start, character) in text.char_indices() {
            let begins = before.replace(character).is_none_or(|before| !before.is_alphanumeric());
            if start < read || !begins {
                continue;
            }
            if let Some((id, slot)) = self.named_at_start(&text[start..]) {
                found.insert(slot);
                read = start + id.as_str().len();
            }
        }
        found
    }

    /// The longest of its commands' IDs with which the text begins.
    fn named_at_start(&self, text: &str) -> Option<(&CommandId, CommandKey)> {
        self.lengths.keys().rev().find_map(|length| {
            let (word, rest) = text.split_at_checked(*length)?;
            let (id, slot) = self.commands.get_key_value(word)?;
            (!rest.starts_with(char::is_alphanumeric)).then_some((id, *slot))
        })
    }
}

impl Command {
    /// Never sent, in the queue, and not to be kept there.
    pub(super) fn is_now_or_never(&self) -> bool {
        self.is_unsent() && self.state == State::Queued && self.delivery() == Delivery::Now
    }
}

fn take_one(counts: &mut HashMap<CommandId, usize, RandomState>, id: &CommandId) {
    if let Some(count) = counts.get_mut(id) {
        *count -= 1;
        if *count == 0 {
            counts.remove(id);
        }
    }
}
