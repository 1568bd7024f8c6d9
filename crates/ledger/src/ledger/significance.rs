//! What recording a message would change. A device may repeat itself without end; a message that changes nothing need not be
//! stored.

use super::{Ledger, answers::Sign};
use crate::{About, Answer, CommandId, DeviceId, Millis, Origin, Reading, Timestamp};

/// Of the answers that a device is still at a command, so many are recorded in its timeout, or it would time out.
const SIGNS_IN_A_TIMEOUT: u64 = 4;

/// The effect of recording a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Significance {
    /// It decides the state of its command, or is the first of its kind. It must be recorded.
    Decides,
    /// It matters only if its unfinished command times out.
    KeepsAlive {
        /// The command.
        command: CommandId,
        /// It must be recorded, or the command could time out although its device reports progress. Nothing else in it
        /// is needed.
        is_due: bool,
    },
    /// None: it repeats what is known about its command, or belongs to no command.
    Repeats(Option<CommandId>),
}

impl Ledger {
    /// The effect of recording an answer.
    #[must_use]
    pub fn significance(&self, answer: &Answer, now: Timestamp) -> Significance {
        let Ok((slot, reading)) = self.belongs(answer, now) else { return Significance::Repeats(None) };
        let Some(entry) = self.table.entry(slot) else { return Significance::Decides };
        let command = &entry.command;
        let is_first = match reading {
            Reading::Moved | Reading::Inferred | Reading::Late | Reading::Contradiction => true,
            Reading::Conflict => !command.conflict,
            Reading::Duplicate => command.duplicates == 0,
            Reading::Ambiguous => command.ambiguous == 0,
            Reading::Challenge | Reading::Heartbeat | Reading::AfterTheEnd => false,
        };
        if is_first {
            return Significance::Decides;
        }
        let id = command.id().clone();
        if command.is_settled() || !matches!(reading, Reading::Heartbeat | Reading::Duplicate) {
            return Significance::Repeats(Some(id));
        }
        let every = Millis(command.submission.policy.timeout.0 / SIGNS_IN_A_TIMEOUT);
        let is_due = command.last_answer_at.is_none_or(|heard| heard + every <= now);
        Significance::KeepsAlive { command: id, is_due }
    }

    /// Whether an answer belongs to a command of another console.
    #[must_use]
    pub fn is_of_observed(&self, answer: &Answer, now: Timestamp) -> bool {
        let entry = self.belongs(answer, now).ok().and_then(|(slot, _)| self.table.entry(slot));
        entry.is_some_and(|entry| entry.command.origin == Origin::Observed)
    }

    /// The change by an unreadable message.
    #[must_use]
    pub fn weight_of_unreadable(
        &self,
        device: &DeviceId,
        about: &About,
        retained: bool,
        now: Timestamp,
    ) -> Significance {
        let about = if retained { &About::Nothing } else { about };
        let concerned = self.concerned(device, about, now);
        let mut commands = concerned.iter().filter_map(|slot| self.table.entry(*slot)).map(|entry| &entry.command);
        match commands.clone().next() {
            Some(_) if commands.any(|command| command.unreadable.is_none()) => Significance::Decides,
            command => Significance::Repeats(command.map(|command| command.id().clone())),
        }
    }

    /// Handles an answer that is not recorded. It still shows that its device is online.
    pub fn pass_over(&mut self, answer: &Answer, now: Timestamp) {
        let sign = Sign::of(answer, self.belongs(answer, now));
        self.note_sign(&sign, now);
    }
}
