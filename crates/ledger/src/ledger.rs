//! The state machine.
//!
//! A command changes in only one place, [`Ledger::record`], and in only one way: an event is applied to it and returned
//! to be stored. Everything else in memory (windows, queues, timers) is derived from the command after each of its
//! events, so it cannot deviate from the history.

mod answers;
mod clock;
mod flow;
mod rate;
mod significance;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::{
    About, AnswerWindow, Command, CommandId, Delivery, DeviceId, Effect, Event, Fact, Input, Limits, NotDelivered,
    Origin, Puback, PublishResult, State, Submission, TimeOut, Timestamp,
};
use clock::Connection;
use rate::Rate;
pub use significance::Significance;
use table::{CommandKey, CommandTable};

/// The commands of one connection.
#[derive(Debug)]
pub struct Ledger {
    limits: Limits,
    /// Publishes without a PUBACK, at most, by what the broker takes: see [`Ledger::broker_takes`].
    taken_by_broker: usize,
    /// The connection is established and its subscriptions are acknowledged.
    connected: bool,
    /// That connection, or the last one.
    connection: Connection,
    /// The broker's queued messages are still being read: nothing times out, and nothing is resent.
    draining: bool,
    /// Commands to be sent again in the next session.
    lost: BTreeSet<CommandKey>,
    table: CommandTable,
    /// Commands whose first send is due, by age.
    first_sends: BTreeSet<CommandKey>,
    /// Commands whose next send is due, by age.
    repeats: BTreeSet<CommandKey>,
    /// Publishes of this session without a PUBACK, with their number: the send window.
    open: BTreeMap<CommandKey, u32>,
    /// The number of sends that remain in this second.
    rate: Rate,
    /// Commands whose answer is outstanding from devices that are not silent: the answer window.
    awaited: usize,
    /// How many more may be sent.
    answers: AnswerWindow,
    /// When each device that counts in the answer window becomes a silent one.
    falls_silent: BTreeSet<(Timestamp, DeviceId)>,
    /// Timers of commands never sent. These run also while draining.
    expiries: BTreeSet<(Timestamp, CommandKey)>,
    /// Timers of commands that may have been sent: silence is judged by these.
    silences: BTreeSet<(Timestamp, CommandKey)>,
    /// Settled commands, in the order of their ends.
    settled: VecDeque<CommandKey>,
    /// Commands to which something has happened since [`Ledger::take_changed`].
    changed: Vec<CommandKey>,
    counts: Counts,
}

/// A changed command.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The command in its current state.
    pub command: Command,
    /// When it expires or times out; `None` for a finished command.
    pub deadline: Option<Timestamp>,
}

/// The unfinished commands of this installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// In the outbox.
    pub queued: usize,
    /// Held until their device is online.
    pub held: usize,
    /// Sent, at the broker, accepted or running.
    pub in_flight: usize,
}

impl Ledger {
    /// A ledger without commands, not connected.
    #[must_use]
    pub fn new(limits: Limits) -> Ledger {
        Ledger {
            limits,
            taken_by_broker: usize::MAX,
            connected: false,
            connection: Connection::default(),
            draining: false,
            lost: BTreeSet::new(),
            table: CommandTable::default(),
            first_sends: BTreeSet::new(),
            repeats: BTreeSet::new(),
            open: BTreeMap::new(),
            rate: Rate::new(limits.sends_per_second),
            awaited: 0,
            answers: AnswerWindow::default(),
            falls_silent: BTreeSet::new(),
            expiries: BTreeSet::new(),
            silences: BTreeSet::new(),
            settled: VecDeque::new(),
            changed: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Changes the windows and the rate. The new rate applies only to sends after this call.
    pub fn set_limits(&mut self, limits: Limits) {
        if self.limits.sends_per_second != limits.sends_per_second {
            self.rate = Rate::new(limits.sends_per_second);
        }
        self.limits = limits;
    }

    /// How many publishes the broker of this connection takes without having acknowledged them (MQTT 5 section 3.2.2.3.3,
    /// Receive Maximum); `None` where it does not say. The others cannot leave, so only a few times as many are handed over:
    /// if the program is killed, nobody knows which of those have left.
    pub fn broker_takes(&mut self, at_once: Option<u16>) {
        self.taken_by_broker = at_once.map_or(usize::MAX, |most| usize::from(most.max(1)) * flow::TURNS_AHEAD);
    }

    /// The results of probes of the broker's queue for this client. The caller that sends probes reports them here;
    /// [`Input::Tick`] sends the commands that they allow.
    pub fn answers(&mut self) -> &mut AnswerWindow {
        &mut self.answers
    }

    /// Adds a command that the store knows and this ledger does not: unsettled ones at a start, oldest first; settled
    /// ones at any time, for example when an answer names them. Does nothing for a command it already has.
    ///
    /// Two kinds of settled commands must be added at a start too, or an answer without an ID for one of them is taken
    /// for the next command's: those that ended as unconfirmed, as long as their timeout has not passed since their
    /// last change; and those that timed out, as long as their device has not answered anything since.
    ///
    /// A send with an unknown result may have happened. Whether its device had answered before the timeout cannot be
    /// derived from the command alone, so the next answer without an ID is not taken for this command's.
    pub fn adopt(&mut self, command: Command) {
        if self.is_known(command.device(), command.id()) {
            return;
        }
        let unheard = command.is_outstanding() && command.last_answer_at.is_none();
        let doubtful = unheard || command.state == State::TimedOut;
        let broker_may_hold = matches!(command.delivery(), Delivery::BrokerHolds | Delivery::Broadcast);
        let device = command.device().clone();
        let slot = self.table.insert(command);
        self.table.device_mut(&device).timed_out |= doubtful;
        if let Some(entry) = self.table.entry_mut(slot) {
            entry.broker_may_hold = broker_may_hold;
        }
        self.account(slot, table::Accounted::default());
        self.refresh(slot, Timestamp(i64::MIN));
    }

    /// Handles an input and returns the effects.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Submit(submission) => self.submit(submission, now, &mut effects),
            Input::Cancel { device, id } => self.cancel(&device, &id, now, &mut effects),
            Input::Connected => self.connected(now),
            Input::SessionLost => self.session_lost(now, &mut effects),
            Input::Disconnected => self.disconnected(now, &mut effects),
            Input::Sent { device, id, attempt } => {
                self.rate.written(now);
                for device in self.sharing(device, &id) {
                    self.sent(&device, &id, attempt, now, &mut effects);
                }
            }
            Input::Delivered { device, id, attempt, puback } => {
                for device in self.sharing(device, &id) {
                    self.delivered(&device, &id, attempt, puback.clone(), now, &mut effects);
                }
            }
            Input::Answer(answer) => self.answer(answer, now, &mut effects),
            Input::Challenged { answer, again } => self.challenged(answer, again, now, &mut effects),
            Input::Report(report) => self.report(&report, now, &mut effects),
            Input::Unreadable { device, raw, why, about, retained } => {
                let fact = Fact::Unreadable { raw: Box::new(raw), why };
                let about = if retained { About::Nothing } else { about };
                self.unreadable(device, &about, fact, now, &mut effects);
            }
            Input::Observed(submission) => {
                if !self.is_known(&submission.device, &submission.id) {
                    self.begin(submission, Origin::Observed, now, &mut effects);
                }
            }
            Input::Presence { device, online } => self.presence(&device, online, now, &mut effects),
            Input::DeviceSeen { device } => self.device_seen(&device, now, &mut effects),
            Input::Resumed => self.draining = true,
            Input::Drained => self.draining = false,
            Input::Tick => {}
        }
        loop {
            self.run_timers(now, &mut effects);
            if !self.pump(now, &mut effects) {
                break;
            }
        }
        self.evict(now);
        effects
    }

    /// The commands that have changed since the last call, in their current state, in the order of their first change.
    /// Call it before each commit: until then they stay in memory.
    pub fn take_changed(&mut self) -> Vec<Changed> {
        let slots = std::mem::take(&mut self.changed);
        slots
            .into_iter()
            .filter_map(|slot| {
                let entry = self.table.entry_mut(slot)?;
                entry.changed = false;
                Some(Changed { command: entry.command.clone(), deadline: self.connection.deadline(entry) })
            })
            .collect()
    }

    /// A command in memory: all unsettled ones, the latest settled ones, and all that have changed since
    /// [`Ledger::take_changed`].
    #[must_use]
    pub fn command(&self, device: &DeviceId, id: &CommandId) -> Option<&Command> {
        let slot = self.table.find(device, id.as_str())?;
        self.table.entry(slot).map(|entry| &entry.command)
    }

    /// Removes the settled commands without a change since `before`, because the store is about to delete them. Later
    /// messages with their IDs are treated as unknown. A command with an uncommitted change is kept.
    pub fn forget(&mut self, before: Timestamp, now: Timestamp) {
        for slot in std::mem::take(&mut self.settled) {
            let is_old = self
                .table
                .entry(slot)
                .is_none_or(|entry| entry.command.changed_at < before && !entry.open && !entry.changed);
            if is_old {
                self.drop_settled(slot, now);
            } else {
                self.settled.push_back(slot);
            }
        }
    }

    /// Removes a device with all its commands, because the store is about to. Returns whether it did: not while one of
    /// them is unfinished, a publish is in progress, or a change is uncommitted.
    pub fn forget_device(&mut self, device: &DeviceId) -> bool {
        let slots: BTreeSet<CommandKey> = self.table.slots_of(device).collect();
        let is_changed = slots.iter().filter_map(|slot| self.table.entry(*slot)).any(|entry| entry.changed);
        if is_changed || self.is_busy(device) {
            return false;
        }
        slots.iter().for_each(|slot| self.table.remove(*slot));
        self.settled.retain(|slot| !slots.contains(slot));
        self.fall_silent(device);
        self.table.remove_device(device);
        true
    }

    /// Whether a device has an unfinished command, or a publish of one is in progress.
    #[must_use]
    pub fn is_busy(&self, device: &DeviceId) -> bool {
        let mut entries = self.table.slots_of(device).filter_map(|slot| self.table.entry(slot));
        entries.any(|entry| !entry.command.is_settled() || entry.open)
    }

    /// Whether a command is in memory. If not, and an answer contains its ID, the store may have it: see
    /// [`Ledger::adopt`].
    #[must_use]
    pub fn is_known(&self, device: &DeviceId, id: &CommandId) -> bool {
        self.table.find(device, id.as_str()).is_some()
    }

    /// Whether a device has not reconnected yet after a possible restart of the broker. [`Input::DeviceSeen`] ends
    /// this.
    #[must_use]
    pub fn awaits_return(&self, device: &DeviceId, now: Timestamp) -> bool {
        self.table.returns_by(device).is_some_and(|by| by > now)
    }

    /// Whether another device has a command with this ID in memory.
    #[must_use]
    pub fn is_known_elsewhere(&self, device: &DeviceId, id: &CommandId) -> bool {
        self.table.devices_with(id) > usize::from(self.is_known(device, id))
    }

    /// All unfinished commands, oldest first.
    pub fn outstanding(&self) -> impl Iterator<Item = &Command> {
        self.table.unsettled().filter_map(|slot| self.table.entry(slot)).map(|entry| &entry.command)
    }

    /// The unfinished commands of a device from any console, oldest first.
    pub fn outstanding_of(&self, device: &DeviceId) -> impl Iterator<Item = &Command> {
        let unsettled = self.table.device(device).into_iter().flat_map(|device| device.unsettled.iter());
        unsettled.filter_map(|slot| self.table.entry(*slot)).map(|entry| &entry.command)
    }

    /// The number of unfinished commands of this installation. It is maintained, so this is cheap.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn submit(&mut self, submission: Submission, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.is_known(&submission.device, &submission.id) {
            return;
        }
        let delivery = submission.policy.delivery;
        let offline = self.table.is_offline(&submission.device);
        let unwritable = submission.form.as_ref().and_then(|form| form.unwritable.clone());
        let slot = self.begin(submission, Origin::Here, now, effects);
        if let Some(why) = unwritable {
            self.record(slot, Fact::Undeliverable(NotDelivered::NotWritten(why)), now, effects);
            return;
        }
        match delivery {
            Delivery::Now | Delivery::Broadcast if !self.connected => {
                self.record(slot, Fact::Undeliverable(NotDelivered::NotConnected), now, effects);
            }
            Delivery::Broadcast => self.broadcast(slot, now, effects),
            Delivery::Now | Delivery::HoldHere if offline => self.device_is_offline(slot, now, effects),
            Delivery::Now | Delivery::BrokerHolds | Delivery::HoldHere => self.await_return(slot, now, effects),
        }
    }

    /// Records that an unsent command waits for its device to reconnect, if so.
    fn await_return(&mut self, slot: CommandKey, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(entry) = self.table.entry(slot).filter(|entry| entry.command.is_unsent()) else { return };
        if self.table.returns_by(entry.command.device()).is_some_and(|by| by > now) {
            self.record(slot, Fact::AwaitsReturn, now, effects);
        }
    }

    fn session_lost(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        for slot in self.table.expect_back(now + self.limits.return_within) {
            self.await_return(slot, now, effects);
            self.refresh(slot, now);
        }
    }

    /// The device has reconnected, so nothing waits for it any more.
    fn has_returned(&mut self, device: &DeviceId, now: Timestamp) {
        let Some(known) = self.table.known_device_mut(device) else { return };
        known.was_online = false;
        if known.returns_by.take().is_some() {
            for slot in known.unsettled.iter().copied().collect::<Vec<CommandKey>>() {
                self.refresh(slot, now);
            }
        }
    }

    fn cancel(&mut self, device: &DeviceId, id: &CommandId, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some((slot, command)) = self.look_up(device, id) else { return };
        if command.is_settled() {
            return;
        }
        let fact = if command.is_unsent() { Fact::Cancelled } else { Fact::TimedOut(TimeOut::Abandoned) };
        self.record(slot, fact, now, effects);
    }

    fn connected(&mut self, now: Timestamp) {
        self.connected = true;
        self.connection.begin(self.draining.then_some(self.limits.earlier_answers_within), now);
        self.table.nobody_was_lost();
        for slot in std::mem::take(&mut self.lost) {
            if let Some(entry) = self.table.entry_mut(slot) {
                entry.awaits_session = false;
                self.refresh(slot, now);
            }
        }
    }

    fn disconnected(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if !self.connected {
            return;
        }
        self.connected = false;
        // A held command waits until its device is known to be online.
        for slot in self.table.forget_presence() {
            self.refresh(slot, now);
        }
        for (slot, attempt) in std::mem::take(&mut self.open) {
            let Some(entry) = self.table.entry_mut(slot) else { continue };
            entry.open = false;
            if entry.command.state < State::Accepted {
                self.record(slot, Fact::DeliveryUnknown { attempt }, now, effects);
            } else {
                self.refresh(slot, now);
            }
        }
        let now_or_never: Vec<CommandKey> = self
            .table
            .unsettled()
            .filter(|slot| self.table.entry(*slot).is_some_and(|entry| entry.command.is_now_or_never()))
            .collect();
        for slot in now_or_never {
            self.record(slot, Fact::Undeliverable(NotDelivered::NotConnected), now, effects);
        }
    }

    fn sent(&mut self, device: &DeviceId, id: &CommandId, attempt: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some((slot, command)) = self.look_up(device, id) else { return };
        let Some(send) = command.last_send else { return };
        let news = command.origin == Origin::Here && send.number == attempt && !send.on_wire;
        if news && !matches!(send.publish_result, PublishResult::NotSent | PublishResult::Refused) {
            self.record(slot, Fact::Sent { attempt }, now, effects);
        }
    }

    fn delivered(
        &mut self,
        device: &DeviceId,
        id: &CommandId,
        attempt: u32,
        puback: Puback,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some((slot, command)) = self.look_up(device, id) else { return };
        let Some(send) = command.last_send else { return };
        if command.origin == Origin::Observed || send.number != attempt {
            return;
        }
        let settled = command.is_settled();
        let answer_expected = command.submission.policy.answer_expected;
        let unanswered = command.state < State::Accepted;
        let undecided = matches!(send.publish_result, PublishResult::Open | PublishResult::Unknown);
        if self.open.remove(&slot).is_some()
            && let Some(entry) = self.table.entry_mut(slot)
        {
            entry.open = false;
        }
        match puback {
            Puback::Accepted { nobody_listening } if undecided => {
                self.record(slot, Fact::AtBroker { attempt, nobody_listening }, now, effects);
                if !answer_expected && !settled {
                    self.record(slot, Fact::Unconfirmed, now, effects);
                }
            }
            Puback::Refused { code, said } if undecided && !settled => {
                self.record(slot, Fact::Undeliverable(NotDelivered::Refused { code, said }), now, effects);
            }
            Puback::TooLarge { bytes } if undecided && !settled => {
                self.record(slot, Fact::Undeliverable(NotDelivered::TooLarge { bytes }), now, effects);
            }
            Puback::NotTaken if undecided && !settled && !send.on_wire => self.not_taken(slot, attempt, now, effects),
            Puback::Unknown | Puback::NotTaken if send.publish_result == PublishResult::Open && unanswered => {
                self.await_session(slot);
                self.record(slot, Fact::DeliveryUnknown { attempt }, now, effects);
            }
            _ => self.refresh(slot, now),
        }
    }

    fn not_taken(&mut self, slot: CommandKey, attempt: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        if let Some(entry) = self.table.entry_mut(slot) {
            entry.paused_until = Some(now + flow::PAUSE_AFTER_NOT_TAKEN);
        }
        self.record(slot, Fact::NotSent { attempt }, now, effects);
        let command = self.table.entry(slot).map(|entry| &entry.command);
        let now_or_never = command.is_some_and(|command| command.is_now_or_never() && !self.connected);
        if now_or_never || command.is_some_and(|command| command.delivery() == Delivery::Broadcast) {
            self.record(slot, Fact::Undeliverable(NotDelivered::NotConnected), now, effects);
        }
    }

    /// The session of its last send is lost, as the next [`Input::Disconnected`] will confirm.
    fn await_session(&mut self, slot: CommandKey) {
        if self.connected
            && let Some(entry) = self.table.entry_mut(slot)
        {
            entry.awaits_session = true;
            self.lost.insert(slot);
        }
    }

    fn presence(&mut self, device: &DeviceId, online: bool, now: Timestamp, effects: &mut Vec<Effect>) {
        let known = self.table.device_mut(device);
        known.online = Some(online);
        for slot in known.unsettled.iter().copied().collect::<Vec<CommandKey>>() {
            let Some(entry) = self.table.entry(slot) else { continue };
            match entry.command.state {
                State::Held if online => self.record(slot, Fact::Released, now, effects),
                State::Queued if !online && entry.command.is_unsent() => self.device_is_offline(slot, now, effects),
                _ => self.refresh(slot, now),
            }
        }
    }

    fn device_seen(&mut self, device: &DeviceId, now: Timestamp, effects: &mut Vec<Effect>) {
        self.has_returned(device, now);
        let Some(known) = self.table.known_device_mut(device).filter(|known| known.online != Some(true)) else {
            return;
        };
        known.online = None;
        for slot in known.unsettled.iter().copied().collect::<Vec<CommandKey>>() {
            match self.table.entry(slot).map(|entry| entry.command.state) {
                Some(State::Held) => self.record(slot, Fact::Released, now, effects),
                _ => self.refresh(slot, now),
            }
        }
    }

    /// What happens to an unsent command whose device is known to be offline.
    fn device_is_offline(&mut self, slot: CommandKey, now: Timestamp, effects: &mut Vec<Effect>) {
        match self.table.entry(slot).map(|entry| entry.command.delivery()) {
            Some(Delivery::Now) => {
                self.record(slot, Fact::Undeliverable(NotDelivered::DeviceOffline), now, effects);
            }
            Some(Delivery::HoldHere) => self.record(slot, Fact::Held, now, effects),
            Some(Delivery::BrokerHolds | Delivery::Broadcast) | None => {}
        }
    }

    fn look_up(&self, device: &DeviceId, id: &CommandId) -> Option<(CommandKey, &Command)> {
        let slot = self.table.find(device, id.as_str())?;
        self.table.entry(slot).map(|entry| (slot, &entry.command))
    }

    /// A command's first event.
    fn begin(
        &mut self,
        submission: Submission,
        origin: Origin,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> CommandKey {
        let event = Event {
            device: submission.device.clone(),
            command: Some(submission.id.clone()),
            at: now,
            fact: Fact::Submitted { submission: Arc::new(submission), origin },
        };
        let slot = Command::begin(&event).map(|command| self.table.insert(command)).unwrap_or_default();
        self.note_change(slot);
        effects.push(Effect::Record(event));
        self.account(slot, table::Accounted::default());
        self.refresh(slot, now);
        slot
    }

    /// The one place where a command changes.
    fn record(&mut self, slot: CommandKey, fact: Fact, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(entry) = self.table.entry_mut(slot) else { return };
        let before = entry.accounted();
        let event =
            Event { device: entry.command.device().clone(), command: Some(entry.command.id().clone()), at: now, fact };
        entry.command.apply(&event);
        if !entry.accounted().awaited
            && let Some(counts_as) = entry.counts_as.take()
        {
            self.answers.ended(counts_as, matches!(event.fact, Fact::Answered { .. }), now);
        }
        match event.fact {
            Fact::TimedOut(_) => self.table.device_mut(&event.device).timed_out = true,
            Fact::Answered { .. } => self.connection.answered(&entry.command, &self.limits, now),
            _ => {}
        }
        self.note_change(slot);
        effects.push(Effect::Record(event));
        self.account(slot, before);
        self.refresh(slot, now);
    }

    fn note_change(&mut self, slot: CommandKey) {
        if let Some(entry) = self.table.entry_mut(slot)
            && !std::mem::replace(&mut entry.changed, true)
        {
            self.changed.push(slot);
        }
    }

    /// Removes the oldest settled commands, up to the first that has changed. One with a publish in progress keeps its
    /// place in the send window, and is listed again once that has finished. If a command can still be answered, this
    /// uncertainty is remembered.
    fn evict(&mut self, now: Timestamp) {
        while self.settled.len() > self.limits.settled_kept
            && let Some(slot) =
                self.settled.pop_front_if(|slot| self.table.entry(*slot).is_none_or(|entry| !entry.changed))
        {
            self.drop_settled(slot, now);
        }
    }

    fn drop_settled(&mut self, slot: CommandKey, now: Timestamp) {
        if let Some(entry) = self.table.entry_mut(slot)
            && entry.open
        {
            entry.listed = false;
            return;
        }
        if let Some(entry) = self.table.entry(slot)
            && entry.may_yet_be_answered(now)
        {
            let device = entry.command.device().clone();
            let known = self.table.device_mut(&device);
            known.timed_out |= known.unconfirmed.contains(&slot);
        }
        self.table.remove(slot);
    }
}
