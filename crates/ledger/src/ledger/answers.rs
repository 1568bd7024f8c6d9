//! Which command an answer belongs to, and what it makes of it.

use super::{Ledger, shelf::Slot};
use crate::{Answer, Claim, CommandId, Effect, Event, Fact, Reading, Stray, Timestamp, reading};

/// Where an answer belongs.
enum Home {
    /// To this command, by its id.
    Named(Slot),
    /// To the only command that can be meant.
    Only(Slot),
    /// To nobody knows which; the oldest of those that can be meant.
    Oldest(Slot),
    /// To none.
    Stray(Stray),
}

impl Ledger {
    /// Records an answer in exactly one event.
    pub(super) fn answer(&mut self, answer: Answer, now: Timestamp, effects: &mut Vec<Effect>) {
        let home = self.home_of(&answer, now);
        let (device, retained) = (answer.device.clone(), answer.retained);
        let (slot, reading) = match home {
            Home::Stray(stray) => {
                let fact = Fact::Unsolicited { answer: Box::new(answer), stray };
                effects.push(Effect::Record(Event { device: device.clone(), command: None, at: now, fact }));
                if !retained {
                    self.heard_from(&device, now);
                }
                return;
            }
            Home::Named(slot) => (slot, self.read(slot, &answer)),
            Home::Only(slot) => match self.read(slot, &answer) {
                Reading::Moved => (slot, Reading::Inferred),
                other => (slot, other),
            },
            Home::Oldest(slot) => {
                if answer.outcome.is_final() {
                    self.is_spent(&device, slot);
                }
                (slot, Reading::Ambiguous)
            }
        };
        self.record(slot, Fact::Answered { answer: Box::new(answer), reading }, now, effects);
        self.heard_from(&device, now);
    }

    fn heard_from(&mut self, device: &crate::DeviceId, now: Timestamp) {
        if let Some(known) = self.shelf.known_device_mut(device) {
            known.timed_out = false;
            self.note_activity(device, now);
        }
    }

    /// A device answers in the order in which it was asked, so a further answer is not for this one any more.
    fn is_spent(&mut self, device: &crate::DeviceId, slot: Slot) {
        if let Some(known) = self.shelf.known_device_mut(device) {
            known.unconfirmed.remove(&slot);
        }
    }

    fn read(&self, slot: Slot, answer: &Answer) -> Reading {
        self.shelf.entry(slot).map_or(Reading::Ambiguous, |entry| reading::read(&entry.command, answer))
    }

    fn home_of(&self, answer: &Answer, now: Timestamp) -> Home {
        if answer.retained {
            return Home::Stray(Stray::Retained);
        }
        let claimed = match &answer.claim {
            Claim::Id(id) => Some(id.clone()),
            Claim::Within(text) => self.named_within(answer, text),
            Claim::Nothing => None,
        };
        match (claimed, &answer.correlation) {
            (Some(claimed), Some(correlation)) if claimed != *correlation => Home::Stray(Stray::Disagreement),
            (Some(id), _) => self.home_of_id(answer, &id),
            (None, Some(id)) => self.home_of_id(answer, id),
            (None, None) => self.home_of_nameless(answer, now),
        }
    }

    fn home_of_id(&self, answer: &Answer, id: &CommandId) -> Home {
        match self.shelf.find(&answer.device, id.as_str()) {
            Some(slot) => Home::Named(slot),
            None if self.shelf.devices_with(id) > 0 => Home::Stray(Stray::OtherDevice),
            None => Home::Stray(Stray::UnknownId),
        }
    }

    /// The id of the one command of that device that is named in the text; outstanding ones first.
    fn named_within(&self, answer: &Answer, text: &str) -> Option<CommandId> {
        let known = self.shelf.device(&answer.device)?;
        let named = known.named_in(text);
        let (outstanding, others): (Vec<Slot>, Vec<Slot>) =
            named.into_iter().partition(|slot| known.outstanding.contains(slot));
        let candidates = if outstanding.is_empty() { others } else { outstanding };
        match candidates.as_slice() {
            [only] => self.shelf.entry(*only).map(|entry| entry.command.id().clone()),
            _ => None,
        }
    }

    /// Meant can be what is outstanding, and what ended as unconfirmed a moment ago: that nobody expects an answer to it
    /// does not keep its device from giving one.
    fn home_of_nameless(&self, answer: &Answer, now: Timestamp) -> Home {
        let Some(known) = self.shelf.device(&answer.device) else { return Home::Stray(Stray::NothingOutstanding) };
        let unconfirmed = known.unconfirmed.iter().filter(|slot| self.may_yet_be_answered(**slot, now));
        let meant = || known.outstanding.iter().chain(unconfirmed.clone()).copied();
        // Slots tell when a command came into memory, and an ended one may have been taken in again since.
        let oldest = meant().min_by_key(|slot| self.shelf.entry(*slot).map(|entry| entry.command.turn()));
        match oldest {
            None => Home::Stray(Stray::NothingOutstanding),
            Some(only) if meant().nth(1).is_none() && !known.timed_out => Home::Only(only),
            Some(oldest) => Home::Oldest(oldest),
        }
    }

    fn may_yet_be_answered(&self, slot: Slot, now: Timestamp) -> bool {
        self.shelf.entry(slot).is_some_and(|entry| entry.may_yet_be_answered(now))
    }
}
