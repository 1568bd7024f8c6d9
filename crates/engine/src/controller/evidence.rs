//! Decides whether a message is kept as evidence, before it reaches the ledger. A message that is not kept is counted, and
//! acknowledged to the broker when the count is on the disk.

use wilco_ledger::{About, Answer, CommandId, DeviceId, Raw, Significance, Submission};

use super::Controller;
use crate::{
    message_rates::{REPETITION, SIGN_OF_LIFE},
    store::{self, Change, ConnectionId, Discarded},
};

impl Controller {
    /// Whether an answer is kept. Of one that only keeps its command alive, and for which there is no room, the outcome is.
    pub(super) fn keeps_answer(&mut self, connection: &ConnectionId, answer: &mut Answer) -> bool {
        if !answer.outcome.is_final() {
            store::shorten_sentence(answer);
        }
        let has_room = self.quota.has_room(connection, &answer.device, store::size_of_answer(answer));
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return true };
        let (command, cost) = match known.ledger.significance(answer, now) {
            Significance::Decides => {
                // Anyone who can publish a request can publish its answer too.
                if known.ledger.is_of_observed(answer, now) {
                    store::shorten_answer(answer);
                }
                return true;
            }
            Significance::KeepsAlive { is_due: true, .. } => {
                if !has_room {
                    store::reduce(answer);
                }
                return true;
            }
            Significance::KeepsAlive { command, is_due: false } => (Some(command), SIGN_OF_LIFE),
            Significance::Repeats(command) => (command, REPETITION),
        };
        has_room && known.rates.keeps_repetition(&answer.device, cost, now)
            || self.pass_over(connection, answer, command)
    }

    /// Whether a request of another console is kept. Somebody can send any number of them, of any size.
    pub(super) fn keeps_request(&mut self, connection: &ConnectionId, asked: &Submission, raw: &Raw) -> bool {
        let (now, size) = (self.clock.now(), store::size_of_request(asked, raw));
        let has_room = size.is_none_or(|bytes| self.quota.has_room(connection, &asked.device, bytes));
        let Some(known) = self.connections.get_mut(connection) else { return true };
        has_room && known.rates.reads_request(&asked.device, raw.payload.len(), now)
    }

    /// An answer is not kept.
    fn pass_over(&mut self, connection: &ConnectionId, answer: &mut Answer, command: Option<CommandId>) -> bool {
        let now = self.clock.now();
        if let Some(known) = self.connections.get_mut(connection) {
            known.ledger.pass_over(answer, now);
        }
        let raw = std::mem::take(&mut answer.raw);
        self.discard(connection, (answer.device.clone(), command), raw);
        false
    }

    /// Whether a message is kept that cannot be read.
    pub(super) fn keeps_unreadable(
        &mut self,
        connection: &ConnectionId,
        device: &DeviceId,
        raw: &mut Raw,
        about: &About,
        retained: bool,
    ) -> bool {
        let has_room = self.quota.has_room(connection, device, store::size_of_raw(raw));
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return true };
        let Significance::Repeats(command) = known.ledger.weight_of_unreadable(device, about, retained, now) else {
            return true;
        };
        if has_room && known.rates.keeps_repetition(device, REPETITION, now) {
            return true;
        }
        self.discard(connection, (device.clone(), command), std::mem::take(raw));
        false
    }

    /// Counts a message that is not kept.
    pub(super) fn discard(
        &mut self,
        connection: &ConnectionId,
        (device, command): (DeviceId, Option<CommandId>),
        raw: Raw,
    ) {
        let at = self.clock.now();
        let key = (connection.clone(), device, command);
        match self.pending_batch.discarded.get_mut(&key) {
            Some(discarded) => discarded.add(raw, at),
            None => {
                self.pending_batch.discarded.insert(key, Discarded::one(raw, at));
            }
        }
        self.pending_batch.urgent = true;
    }
}

impl super::PendingBatch {
    /// The messages that were not kept, to be counted on the disk: of each command, however many there were, one row.
    pub(super) fn take_discarded(&mut self) -> impl Iterator<Item = Change> + use<> {
        std::mem::take(&mut self.discarded).into_iter().map(|((connection, device, command), discarded)| {
            Change::Discarded { connection, device, command, discarded: Box::new(discarded.shortened()) }
        })
    }
}
