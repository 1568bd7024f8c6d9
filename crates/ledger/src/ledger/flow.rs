//! Flow control: the queue, the send window, the answer window and the rate.

use super::{
    Ledger,
    table::{Accounted, CommandKey},
};
use crate::{AnswerWindow, CommandId, Delivery, DeviceId, Effect, Fact, Millis, PublishResult, State, Timestamp};

/// How long to wait before a command is handed over again that the MQTT client did not take.
pub(super) const PAUSE_AFTER_NOT_TAKEN: Millis = Millis::seconds(1);

/// So many times what the broker takes at once are handed over: while it takes one part, the next is on its way to the disk.
pub(super) const TURNS_AHEAD: usize = 5;

impl Ledger {
    /// Hands over what is due, oldest first, as long as windows and rate allow it. Says whether there was anything.
    pub(super) fn pump(&mut self, now: Timestamp, effects: &mut Vec<Effect>) -> bool {
        let mut handed = false;
        self.rate.advance(now);
        self.answers.tick(now);
        while self.connected && self.windows_are_open() && !self.rate.is_used_up() {
            let Some(slot) = self.take_next() else { break };
            if self.hand_over(slot, now, effects) {
                handed = true;
            }
        }
        handed
    }

    /// The number of commands that would be sent immediately if submitted now.
    #[must_use]
    pub fn room(&self) -> usize {
        if !self.connected || self.rate.is_used_up() {
            return 0;
        }
        let send = self.send_window().saturating_sub(self.open.len());
        send.min(self.answer_room()).saturating_sub(self.first_sends.len())
    }

    /// When time alone increases [`Ledger::room`]: a device counts as silent, commands are no longer within the last
    /// half second, or another second begins. [`crate::Input::Tick`] is due then if a caller waits for it.
    #[must_use]
    pub fn more_room_at(&self) -> Option<Timestamp> {
        let answers = self.more_answer_room_at().filter(|_| self.answer_room() == 0);
        let renewal = self.rate.renewed_at().filter(|_| self.rate.is_used_up());
        [answers, renewal].into_iter().flatten().min().filter(|_| self.connected)
    }

    /// When more commands may be sent by time alone, as far as answers are concerned.
    pub(super) fn more_answer_room_at(&self) -> Option<Timestamp> {
        let silence = self.falls_silent.first().map(|(at, _)| *at).filter(|at| self.answers.has_read(*at));
        let spare = self.answers.more_spare_at().filter(|_| self.awaited < AnswerWindow::MOST);
        [silence, spare].into_iter().flatten().min()
    }

    /// When a probe is to be sent: while many commands wait for answers (see [`AnswerWindow::probe_due_at`]), and when a
    /// device seems to be silent whose place another command needs.
    #[must_use]
    pub fn probe_due_at(&self) -> Option<Timestamp> {
        let window = self.limits.answer_window.min(self.answers.always());
        let many = self.awaited.saturating_mul(4) >= window.saturating_mul(3);
        let room = self.answers.probe_due_at().filter(|_| many);
        let silent = self.falls_silent.first().map(|(at, _)| *at);
        let silent = silent.filter(|at| self.answer_room() == 0 && !self.answers.has_read(*at));
        let silence = self.answers.next_probe_at().zip(silent).map(|(probe, silence)| probe.max(silence));
        [room, silence].into_iter().flatten().min()
    }

    fn windows_are_open(&self) -> bool {
        self.open.len() < self.send_window() && self.answer_room() > 0
    }

    fn send_window(&self) -> usize {
        self.limits.send_window.min(self.taken_by_broker)
    }

    /// The number of commands that the answer windows allow.
    fn answer_room(&self) -> usize {
        let always = self.limits.answer_window.min(self.answers.always()).saturating_sub(self.awaited);
        let spare = self.answers.spare().min(AnswerWindow::MOST.saturating_sub(self.awaited));
        always.max(spare)
    }

    /// Something is due that waits for devices to answer, or to fall silent.
    pub(super) fn is_answer_window_in_the_way(&self) -> bool {
        self.is_anything_due() && self.answer_room() == 0
    }

    /// Something is due that only waits for the next second.
    pub(super) fn is_rate_in_the_way(&self) -> bool {
        self.is_anything_due() && self.windows_are_open() && self.rate.is_used_up()
    }

    /// Queues a command, to be sent as soon as the windows allow.
    #[must_use]
    pub fn is_anything_due(&self) -> bool {
        self.connected && (!self.first_sends.is_empty() || (!self.repeats.is_empty() && !self.draining))
    }

    fn take_next(&mut self) -> Option<CommandKey> {
        let first = self.first_sends.first().copied();
        let repeat = self.repeats.first().copied().filter(|_| !self.draining);
        let next = [first, repeat].into_iter().flatten().min()?;
        self.first_sends.remove(&next);
        self.repeats.remove(&next);
        Some(next)
    }

    /// Sends a command, unless something prevents it.
    fn hand_over(&mut self, slot: CommandKey, now: Timestamp, effects: &mut Vec<Effect>) -> bool {
        let Some(entry) = self.table.entry(slot) else { return false };
        let command = &entry.command;
        let (device, id) = (command.device().clone(), command.id().clone());
        let (delivery, unsent, number) = (command.delivery(), command.is_unsent(), command.last_send);
        if now >= command.end_of_life() {
            self.refresh(slot, now);
            return false;
        }
        if self.must_wait(&device, slot) {
            self.table.device_mut(&device).blocked.insert(slot);
            return false;
        }
        if unsent && delivery != Delivery::BrokerHolds && self.table.is_offline(&device) {
            self.device_is_offline(slot, now, effects);
            return false;
        }
        let offline = self.table.is_offline(&device);
        let attempt = number.map_or(0, |send| send.number).saturating_add(1);
        self.open.insert(slot, attempt);
        self.rate.count(now);
        let counts_as = self.answers.sent(now);
        if let Some(entry) = self.table.entry_mut(slot) {
            if let Some(earlier) = entry.counts_as.replace(counts_as) {
                self.answers.ended(earlier, false, now);
            }
            entry.open = true;
            entry.paused_until = None;
            entry.broker_may_hold = delivery == Delivery::BrokerHolds && offline;
        }
        self.record(slot, Fact::Handed { attempt }, now, effects);
        self.note_activity(&device, now);
        effects.push(Effect::Publish { device, id, attempt });
        true
    }

    /// Hands a command over with all others that share its id: the first of them is published. The windows do not hold it
    /// up, because one publish takes one place in them.
    pub(super) fn broadcast(&mut self, slot: CommandKey, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(entry) = self.table.entry(slot) else { return };
        let (device, id) = (entry.command.device().clone(), entry.command.id().clone());
        let offline = self.table.is_offline(&device);
        if let Some(entry) = self.table.entry_mut(slot) {
            entry.open = true;
            entry.broker_may_hold = offline;
        }
        let attempt = 1;
        self.open.insert(slot, attempt);
        self.record(slot, Fact::Handed { attempt }, now, effects);
        self.note_activity(&device, now);
        if self.table.devices_with(&id) == 1 {
            self.rate.count(now);
            effects.push(Effect::Publish { device, id, attempt });
        }
    }

    /// The devices whose commands went out with that one's publish, itself included.
    pub(super) fn sharing(&self, device: DeviceId, id: &CommandId) -> Vec<DeviceId> {
        let command = |slot: &CommandKey| self.table.entry(*slot).map(|entry| &entry.command);
        let slot = self.table.find(&device, id.as_str());
        if slot.as_ref().and_then(command).is_none_or(|command| command.delivery() != Delivery::Broadcast) {
            return vec![device];
        }
        let under_way = self.open.keys().filter_map(command).filter(|command| command.id() == id);
        let mut devices: Vec<_> = under_way.map(|command| command.device().clone()).collect();
        if !devices.contains(&device) {
            devices.push(device);
        }
        devices
    }

    /// Puts a command where it belongs: into a queue when it is due, out of all queues when it is not.
    pub(super) fn enqueue(&mut self, slot: CommandKey, is_due: bool, unsent: bool) {
        let Some(entry) = self.table.entry(slot) else { return };
        let device = entry.command.device().clone();
        // The broker holds one already: another would only lie beside it.
        let pointless = !unsent
            && self.table.is_offline(&device)
            && !(entry.command.delivery() == Delivery::BrokerHolds
                && entry.publish_result() == Some(PublishResult::Unknown));
        let wanted = is_due && !pointless;
        self.first_sends.remove(&slot);
        self.repeats.remove(&slot);
        let blocked = &mut self.table.device_mut(&device).blocked;
        if !wanted {
            blocked.remove(&slot);
        } else if !blocked.contains(&slot) {
            self.queue_of(unsent).insert(slot);
        }
        self.unblock(&device);
    }

    fn queue_of(&mut self, unsent: bool) -> &mut std::collections::BTreeSet<CommandKey> {
        if unsent { &mut self.first_sends } else { &mut self.repeats }
    }

    /// Puts the device's oldest waiting command back into the queue, if nothing prevents it any more; and the next ones
    /// too, as long as those before do not block them: a resend may wait for long until the broker's queue is read.
    fn unblock(&mut self, device: &DeviceId) {
        while let Some(slot) = self.table.device(device).and_then(|known| known.blocked.first().copied())
            && !self.is_in_the_way_of(device, slot)
        {
            self.table.device_mut(device).blocked.remove(&slot);
            let Some(entry) = self.table.entry(slot) else { continue };
            let (unsent, carries_id) = (entry.command.is_unsent(), entry.command.submission.policy.answers_carry_ids);
            self.queue_of(unsent).insert(slot);
            if !carries_id {
                return;
            }
        }
    }

    fn must_wait(&self, device: &DeviceId, slot: CommandKey) -> bool {
        let older_waits =
            self.table.device(device).and_then(|known| known.blocked.first()).is_some_and(|first| *first < slot);
        older_waits || self.is_in_the_way_of(device, slot)
    }

    /// If answers contain no ID, two commands of the same device cannot be in flight together.
    fn is_in_the_way_of(&self, device: &DeviceId, slot: CommandKey) -> bool {
        let (Some(known), Some(entry)) = (self.table.device(device), self.table.entry(slot)) else { return false };
        let own = entry.accounted();
        if entry.command.submission.policy.answers_carry_ids {
            known.in_flight_without_id > usize::from(own.in_flight_without_id)
        } else {
            known.in_flight > usize::from(own.in_flight)
        }
    }

    /// Keeps the counts that follow from a command's standing.
    pub(super) fn account(&mut self, slot: CommandKey, before: Accounted) {
        let Some(entry) = self.table.entry(slot) else { return };
        let after = entry.accounted();
        if before == after {
            return;
        }
        let device = entry.command.device().clone();
        for (accounted, step) in [(before, -1), (after, 1)] {
            let count = match accounted.counted {
                Some(State::Queued) => &mut self.counts.queued,
                Some(State::Held) => &mut self.counts.held,
                Some(_) => &mut self.counts.in_flight,
                None => continue,
            };
            *count = count.saturating_add_signed(step);
        }
        self.table.set_unsettled(slot, after.unsettled);
        let known = self.table.device_mut(&device);
        put(&mut known.unsettled, slot, after.unsettled);
        put(&mut known.outstanding, slot, after.outstanding);
        put(&mut known.unconfirmed, slot, after.unconfirmed);
        let step = |before: bool, after: bool| isize::from(after) - isize::from(before);
        known.in_flight = known.in_flight.saturating_add_signed(step(before.in_flight, after.in_flight));
        known.in_flight_without_id = known
            .in_flight_without_id
            .saturating_add_signed(step(before.in_flight_without_id, after.in_flight_without_id));
        let awaited = step(before.awaited, after.awaited);
        known.awaited = known.awaited.saturating_add_signed(awaited);
        if known.active_until.is_some() {
            self.awaited = self.awaited.saturating_add_signed(awaited);
            if known.awaited == 0 {
                self.fall_silent(&device);
            }
        }
    }

    /// The device was just sent a request or has published: it counts in the answer window, for a while.
    pub(super) fn note_activity(&mut self, device: &DeviceId, now: Timestamp) {
        let until = now + self.limits.silent_after;
        let Some(known) = self.table.known_device_mut(device) else { return };
        if known.awaited == 0 {
            return;
        }
        match known.active_until.replace(until) {
            Some(earlier) => {
                self.falls_silent.remove(&(earlier, device.clone()));
            }
            None => self.awaited += known.awaited,
        }
        self.falls_silent.insert((until, device.clone()));
    }

    /// The device no longer counts in the answer window.
    pub(super) fn fall_silent(&mut self, device: &DeviceId) {
        let Some(known) = self.table.known_device_mut(device) else { return };
        if let Some(until) = known.active_until.take() {
            self.awaited = self.awaited.saturating_sub(known.awaited);
            self.falls_silent.remove(&(until, device.clone()));
        }
    }
}

fn put(slots: &mut std::collections::BTreeSet<CommandKey>, slot: CommandKey, wanted: bool) {
    if wanted {
        slots.insert(slot);
    } else {
        slots.remove(&slot);
    }
}
