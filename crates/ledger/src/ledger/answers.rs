//! Matches answers to commands and applies them.

use super::{Ledger, table::CommandKey};
use crate::{
    About, Answer, Claim, CommandId, Delivery, DeviceId, Effect, Event, Fact, Origin, PublishResult, Reading, Report,
    State, Timestamp, Unmatched, reading,
};

/// Where an answer belongs.
enum Belonging {
    /// This command, by its ID.
    Named(CommandKey),
    /// The only possible command.
    Only(CommandKey),
    /// Ambiguous; the oldest of the possible commands.
    Oldest(CommandKey),
    /// None.
    Unmatched(Unmatched),
}

/// What an answer shows besides how its command stands, recorded or not.
pub(super) struct Sign {
    device: DeviceId,
    /// The command that it may have ended.
    spends: Option<CommandKey>,
    /// The device sent it just now.
    is_live: bool,
}

impl Sign {
    pub(super) fn of(answer: &Answer, belongs: Result<(CommandKey, Reading), Unmatched>) -> Sign {
        let spends = match belongs {
            Ok((slot, Reading::Ambiguous)) if answer.outcome.is_final() => Some(slot),
            _ => None,
        };
        Sign { device: answer.device.clone(), spends, is_live: belongs.is_ok() || !answer.retained }
    }
}

impl Ledger {
    /// Records an answer in exactly one event.
    pub(super) fn answer(&mut self, answer: Answer, now: Timestamp, effects: &mut Vec<Effect>) {
        let belongs = self.belongs(&answer, now);
        let sign = Sign::of(&answer, belongs);
        match belongs {
            Ok((slot, reading)) => {
                self.record(slot, Fact::Answered { answer: Box::new(answer), reading }, now, effects);
            }
            Err(unmatched) => {
                let device = answer.device.clone();
                let fact = Fact::Unsolicited { answer: Box::new(answer), unmatched };
                effects.push(Effect::Record(Event { device, command: None, at: now, fact }));
            }
        }
        // Only now: an answer to a command that was never sent makes it one that is waited for.
        self.note_sign(&sign, now);
    }

    /// Records that a device requires a signed request, so that its command is sent again. Only once, and only if
    /// nothing but that one request may have arrived: otherwise it is an answer like any other.
    pub(super) fn challenged(&mut self, answer: Answer, again: bool, now: Timestamp, effects: &mut Vec<Effect>) {
        let named = match self.home_of(&answer, now) {
            Belonging::Named(slot) if !again => self.table.entry(slot).map(|entry| (slot, &entry.command)),
            _ => None,
        };
        let reading = named.and_then(|(slot, command)| {
            let send = command.last_send?;
            let is_open = command.origin == Origin::Here && command.is_outstanding() && command.state < State::Accepted;
            let is_ours = is_open && !command.abandoned && command.delivery() != Delivery::Broadcast;
            match send.number {
                1 if is_ours && send.publish_result != PublishResult::Declined => Some((slot, Reading::Challenge)),
                // The same answer again, after the request has been sent again.
                1 | 2 if is_ours && command.was_declined() => Some((slot, Reading::Duplicate)),
                _ => None,
            }
        });
        let Some((slot, reading)) = reading else { return self.answer(answer, now, effects) };
        let device = answer.device.clone();
        self.record(slot, Fact::Answered { answer: Box::new(answer), reading }, now, effects);
        self.seen_now(&device, now);
    }

    /// The command that an answer belongs to and what it makes of it, or why it belongs to none.
    pub(super) fn belongs(&self, answer: &Answer, now: Timestamp) -> Result<(CommandKey, Reading), Unmatched> {
        match self.home_of(answer, now) {
            Belonging::Unmatched(unmatched) => Err(unmatched),
            Belonging::Named(slot) => Ok(match self.read(slot, answer) {
                Reading::Moved if answer.outcome.is_final() && self.is_overdue(slot, now) => (slot, Reading::Late),
                other => (slot, other),
            }),
            Belonging::Only(slot) => Ok(match self.read(slot, answer) {
                Reading::Moved => (slot, Reading::Inferred),
                other => (slot, other),
            }),
            Belonging::Oldest(slot) => Ok((slot, Reading::Ambiguous)),
        }
    }

    /// The effects of an answer besides its command.
    pub(super) fn note_sign(&mut self, sign: &Sign, now: Timestamp) {
        if let Some(slot) = sign.spends {
            self.is_spent(&sign.device, slot);
        }
        if sign.is_live {
            self.seen_now(&sign.device, now);
        }
    }

    /// Records a report of state with each command whose expectation it meets. What meets none is no answer at all.
    pub(super) fn report(&mut self, report: &Report, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(known) = self.table.device(&report.device).filter(|_| !report.retained) else { return };
        let mut answered = false;
        for slot in known.outstanding.iter().copied().collect::<Vec<CommandKey>>() {
            let Some(entry) = self.table.entry_mut(slot) else { continue };
            let Some(expects) = entry.command.expects() else { continue };
            let is_under_way = matches!(entry.command.state, State::Accepted | State::Running);
            let verdict = expects.judge(report, entry.met, is_under_way);
            entry.met = verdict.met;
            let Some(outcome) = verdict.outcome else { continue };
            let answer = Answer {
                device: report.device.clone(),
                claim: Claim::State,
                correlation: None,
                outcome,
                progress: None,
                message: verdict.message,
                result: None,
                said_at: None,
                retained: false,
                raw: report.raw.clone(),
            };
            let reading = match self.read(slot, &answer) {
                Reading::Moved => Reading::Inferred,
                other => other,
            };
            self.record(slot, Fact::Answered { answer: Box::new(answer), reading }, now, effects);
            answered = true;
        }
        if answered {
            self.seen_now(&report.device, now);
        }
    }

    /// Keeps an unreadable message with the commands it is about; with its device if these are unknown.
    pub(super) fn unreadable(
        &mut self,
        device: DeviceId,
        about: &About,
        fact: Fact,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let concerned = self.concerned(&device, about, now);
        let Some((last, others)) = concerned.split_last() else {
            if *about != About::Report {
                effects.push(Effect::Record(Event { device, command: None, at: now, fact }));
            }
            return;
        };
        for slot in others {
            self.record(*slot, fact.clone(), now, effects);
        }
        self.record(*last, fact, now, effects);
    }

    /// The commands that an unreadable message is about; none if that is unknown.
    pub(super) fn concerned(&self, device: &DeviceId, about: &About, now: Timestamp) -> Vec<CommandKey> {
        match about {
            About::Named(id) => self.table.find(device, id.as_str()).into_iter().collect(),
            About::Unnamed => {
                let mut meant = self.meant(device, now);
                meant.next().filter(|_| meant.next().is_none()).into_iter().collect()
            }
            About::Report => self.waiting_for_reports(device).collect(),
            About::Nothing => Vec::new(),
        }
    }

    /// Whether a command of a device was sent and waits for a report of its state.
    #[must_use]
    pub fn waits_for_report(&self, device: &DeviceId) -> bool {
        self.waiting_for_reports(device).next().is_some()
    }

    fn waiting_for_reports(&self, device: &DeviceId) -> impl Iterator<Item = CommandKey> {
        let outstanding = self.table.device(device).into_iter().flat_map(|known| known.outstanding.iter().copied());
        outstanding.filter(|slot| self.table.entry(*slot).is_some_and(|entry| entry.command.waits_for_report()))
    }

    fn seen_now(&mut self, device: &DeviceId, now: Timestamp) {
        if let Some(known) = self.table.known_device_mut(device) {
            known.timed_out = false;
            self.note_activity(device, now);
        }
    }

    /// A device answers in the order of its requests, so further answers no longer belong to this command.
    fn is_spent(&mut self, device: &DeviceId, slot: CommandKey) {
        if let Some(known) = self.table.known_device_mut(device) {
            known.unconfirmed.remove(&slot);
        }
    }

    fn read(&self, slot: CommandKey, answer: &Answer) -> Reading {
        self.table.entry(slot).map_or(Reading::Ambiguous, |entry| reading::read(&entry.command, answer))
    }

    /// The command would have timed out by now if the broker's queue were not being read, so its answer is late. An
    /// answer to a send over an earlier connection may have waited there, so this is unknown.
    fn is_overdue(&self, slot: CommandKey, now: Timestamp) -> bool {
        self.table.entry(slot).is_some_and(|entry| {
            let command = &entry.command;
            let is_earlier = self.connection.is_earlier(command);
            let may_have_waited = self.draining && is_earlier;
            let is_sent = is_earlier || command.last_send.is_some_and(|send| send.on_wire);
            let is_overdue = entry.deadline().is_some_and(|deadline| deadline <= now);
            command.origin == Origin::Here && !command.is_unsent() && is_sent && !may_have_waited && is_overdue
        })
    }

    fn home_of(&self, answer: &Answer, now: Timestamp) -> Belonging {
        if answer.retained {
            return Belonging::Unmatched(Unmatched::Retained);
        }
        let claimed = match &answer.claim {
            Claim::Id(id) => Some(id.clone()),
            Claim::Within(text) => self.named_within(answer, text),
            Claim::Nothing | Claim::State => None,
        };
        match (claimed, &answer.correlation) {
            (Some(claimed), Some(correlation)) if claimed != *correlation => {
                Belonging::Unmatched(Unmatched::Disagreement)
            }
            (Some(id), _) => self.home_of_id(answer, &id),
            (None, Some(id)) => self.home_of_id(answer, id),
            (None, None) => self.home_of_nameless(answer, now),
        }
    }

    fn home_of_id(&self, answer: &Answer, id: &CommandId) -> Belonging {
        match self.table.find(&answer.device, id.as_str()) {
            Some(slot) => Belonging::Named(slot),
            None if self.table.devices_with(id) > 0 => Belonging::Unmatched(Unmatched::OtherDevice),
            None => Belonging::Unmatched(Unmatched::UnknownId),
        }
    }

    /// The ID of the only command of that device whose ID is in the text; outstanding ones first.
    fn named_within(&self, answer: &Answer, text: &str) -> Option<CommandId> {
        let known = self.table.device(&answer.device)?;
        let named = known.named_in(text);
        let (outstanding, others): (Vec<CommandKey>, Vec<CommandKey>) =
            named.into_iter().partition(|slot| known.outstanding.contains(slot));
        let candidates = if outstanding.is_empty() { others } else { outstanding };
        match candidates.as_slice() {
            [only] => self.table.entry(*only).map(|entry| entry.command.id().clone()),
            _ => None,
        }
    }

    /// Possible commands: the outstanding ones, and those that recently ended as unconfirmed, because a device may
    /// answer although no answer is expected.
    fn meant(&self, device: &DeviceId, now: Timestamp) -> impl Iterator<Item = CommandKey> {
        let known = self.table.device(device).into_iter();
        known.flat_map(move |known| {
            let unconfirmed = known.unconfirmed.iter().filter(move |slot| self.may_yet_be_answered(**slot, now));
            known.outstanding.iter().chain(unconfirmed).copied()
        })
    }

    fn home_of_nameless(&self, answer: &Answer, now: Timestamp) -> Belonging {
        let Some(known) = self.table.device(&answer.device) else {
            return Belonging::Unmatched(Unmatched::NothingOutstanding);
        };
        let meant = || self.meant(&answer.device, now);
        // Slots are in the order of loading, and an ended command may have been loaded again since.
        let oldest = meant().min_by_key(|slot| self.table.entry(*slot).map(|entry| entry.command.turn()));
        match oldest {
            None => Belonging::Unmatched(Unmatched::NothingOutstanding),
            Some(only) if meant().nth(1).is_none() && !known.timed_out => Belonging::Only(only),
            Some(oldest) => Belonging::Oldest(oldest),
        }
    }

    fn may_yet_be_answered(&self, slot: CommandKey, now: Timestamp) -> bool {
        self.table.entry(slot).is_some_and(|entry| entry.may_yet_be_answered(now))
    }
}
