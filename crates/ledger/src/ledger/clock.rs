//! Timeouts: effects of time passing without an event.

use super::{
    Ledger,
    table::{CommandKey, Entry},
};
use crate::{
    Command, CommandId, Delivery, DeviceId, Effect, Fact, Limits, Millis, Origin, PublishResult, State, TimeOut,
    Timestamp, retry,
};

/// The current connection, or the last one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    since: Timestamp,
    /// Commands sent over an earlier connection do not time out before this time.
    grace_until: Timestamp,
}

impl Default for Connection {
    fn default() -> Connection {
        Connection { since: Timestamp(i64::MIN), grace_until: Timestamp(i64::MIN) }
    }
}

impl Connection {
    fn clock_is_set(&mut self, by: i64) {
        self.since = self.since.moved(by);
        self.grace_until = self.grace_until.moved(by);
    }

    /// Starts it. With a grace period for earlier sends, if the session was resumed.
    pub(super) fn begin(&mut self, grace: Option<Millis>, now: Timestamp) {
        self.since = now;
        if let Some(grace) = grace {
            self.grace_until = now + grace;
        }
    }

    /// Whether a command last went out over an earlier connection, by whomever.
    pub(super) fn is_earlier(&self, command: &Command) -> bool {
        command.last_send.map_or(command.submitted_at, |send| send.at) < self.since
    }

    /// An answer to what went out before shows that there may be more.
    pub(super) fn answered(&mut self, command: &Command, limits: &Limits, now: Timestamp) {
        if now < self.grace_until && self.is_earlier(command) {
            let at_most = self.since + limits.earlier_answers_at_most;
            self.grace_until = (now + limits.earlier_answers_within).min(at_most).max(self.grace_until);
        }
    }

    /// When a command expires or times out.
    pub(super) fn deadline(&self, entry: &Entry) -> Option<Timestamp> {
        let deadline = entry.deadline()?;
        let has_grace = !entry.command.is_unsent() && self.is_earlier(&entry.command);
        Some(if has_grace { deadline.max(self.grace_until) } else { deadline })
    }
}

impl Ledger {
    /// The clock was changed by this many milliseconds, negative for backwards. Only while no command waits for a time
    /// ([`Ledger::next_deadline`]). The sends of this second, devices that must reconnect and the start of the
    /// connection move with it; otherwise a clock that is set back by hours would delay commands for hours.
    pub fn clock_is_set(&mut self, by: i64) {
        self.connection.clock_is_set(by);
        self.rate.clock_is_set(by);
        self.table.clock_is_set(by);
        self.answers.clock_is_set(by);
    }

    /// When [`crate::Input::Tick`] is due, unless another event happens first.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let expiry = self.expiries.first().map(|(at, _)| *at);
        let silence = self.silences.first().map(|(at, _)| *at).filter(|_| !self.draining);
        let room = self.more_answer_room_at().filter(|_| self.is_answer_window_in_the_way());
        let renewal = self.rate.renewed_at().filter(|_| self.is_rate_in_the_way());
        [expiry, silence, room, renewal].into_iter().flatten().min()
    }

    /// When a command expires or times out, unless another event happens first. `None` for a settled or unknown one. It
    /// may be in the past while the messages queued at the broker are being read.
    #[must_use]
    pub fn deadline(&self, device: &DeviceId, id: &CommandId) -> Option<Timestamp> {
        self.connection.deadline(self.table.entry(self.table.find(device, id.as_str())?)?)
    }

    /// Does what is due by now.
    pub(super) fn run_timers(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while let Some(slot) = due(&self.expiries, now) {
            self.time_is_up(slot, now, effects);
        }
        while !self.draining
            && let Some(slot) = due(&self.silences, now)
        {
            self.time_is_up(slot, now, effects);
        }
        while let Some((at, device)) = self.falls_silent.first().cloned()
            && at <= now
            && self.answers.has_read(at)
        {
            self.fall_silent(&device);
        }
    }

    fn time_is_up(&mut self, slot: CommandKey, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(entry) = self.table.entry(slot) else { return };
        if self.connection.deadline(entry).is_none_or(|deadline| deadline > now) {
            return self.refresh(slot, now);
        }
        let fact = end_of_waiting(&entry.command);
        self.record(slot, fact, now, effects);
    }

    /// Finds the command's place among the queues and timers, from what is known of it now.
    pub(super) fn refresh(&mut self, slot: CommandKey, now: Timestamp) {
        let returns_by = self.table.entry(slot).and_then(|entry| self.table.returns_by(entry.command.device()));
        let Some(entry) = self.table.entry_mut(slot) else { return };
        if let Some(timer) = entry.timer.take() {
            self.expiries.remove(&(timer, slot));
            self.silences.remove(&(timer, slot));
        }
        let unsent = entry.command.is_unsent();
        let due = entry.next_send().map(|due| returns_by.map_or(due, |by| due.max(by)));
        let is_due = due.is_some_and(|due| due <= now) && now < entry.command.end_of_life();
        let timer = [self.connection.deadline(entry), due.filter(|due| *due > now)].into_iter().flatten().min();
        entry.timer = timer;
        if entry.command.is_settled() && !entry.open && !entry.listed {
            entry.listed = true;
            self.settled.push_back(slot);
        }
        if let Some(timer) = timer {
            let timers = if unsent { &mut self.expiries } else { &mut self.silences };
            timers.insert((timer, slot));
        }
        self.enqueue(slot, is_due, unsent);
    }
}

fn due(timers: &std::collections::BTreeSet<(Timestamp, CommandKey)>, now: Timestamp) -> Option<CommandKey> {
    timers.first().filter(|(at, _)| *at <= now).map(|(_, slot)| *slot)
}

/// The state of a command when its deadline has passed.
fn end_of_waiting(command: &Command) -> Fact {
    if command.is_unsent() {
        return Fact::Expired;
    }
    match command.state {
        State::Running => Fact::TimedOut(TimeOut::HeartbeatsStopped),
        State::Accepted if !command.submission.policy.answer_expected => Fact::Unconfirmed,
        State::Accepted | State::AtBroker => Fact::TimedOut(TimeOut::Silence),
        _ => Fact::TimedOut(TimeOut::MayHaveRun),
    }
}

impl Entry {
    /// When it expires or times out, the grace for earlier connections aside.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let command = &self.command;
        if command.is_settled() {
            return None;
        }
        if command.is_unsent() {
            return Some(command.end_of_life());
        }
        let timeout = command.submission.policy.timeout;
        let silence = command.silent_since() + timeout;
        if command.state >= State::Accepted {
            return Some(silence);
        }
        let held = self.broker_may_hold.then(|| command.end_of_life() + timeout);
        // It waits for a connection rather than for its device.
        let redelivery = (self.publish_result() == Some(PublishResult::Unknown) && command.may_repeat())
            .then(|| command.end_of_life());
        [Some(silence), held, redelivery].into_iter().flatten().max()
    }

    /// When it should be sent, for the first time or again. `None`: not for now.
    fn next_send(&self) -> Option<Timestamp> {
        let command = &self.command;
        let at_once = self.paused_until.unwrap_or(Timestamp(i64::MIN));
        if command.is_unsent() {
            let is_due = command.state == State::Queued && command.origin == Origin::Here;
            return (is_due && command.delivery() != Delivery::Broadcast).then_some(at_once);
        }
        if self.publish_result() == Some(PublishResult::Declined) {
            // It has provably not been carried out, so sending it again repeats nothing.
            let may = command.is_outstanding() && !command.abandoned && !command.repeat_refused;
            return (may && at_once < command.end_of_life()).then_some(at_once);
        }
        if !command.may_repeat() {
            return None;
        }
        let due = match self.publish_result()? {
            PublishResult::Open | PublishResult::Refused | PublishResult::Declined => return None,
            PublishResult::Unknown if self.awaits_session => return None,
            PublishResult::NotSent => at_once,
            PublishResult::Unknown if command.state < State::Accepted => at_once,
            PublishResult::Unknown | PublishResult::Confirmed => {
                command.silent_since() + retry::pause(&command.submission.policy.retry, command.id(), command.attempt)
            }
        };
        (due < command.end_of_life()).then_some(due)
    }

    /// The result of its last send. A send that is not in progress in this session has an unknown result.
    pub(super) fn publish_result(&self) -> Option<PublishResult> {
        let send = self.command.last_send?;
        Some(if send.publish_result == PublishResult::Open && !self.open {
            PublishResult::Unknown
        } else {
            send.publish_result
        })
    }
}
