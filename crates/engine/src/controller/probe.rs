//! Probes: messages to ourselves that tell the answer window whether the broker queues answers.

use wilco_ledger::{Puback, Timestamp};

use super::{
    Controller,
    connection::{Connection, OwnMessages},
};

impl Connection {
    /// When a probe is to be sent: while many commands wait for answers, and more are to be sent.
    pub(super) fn probe_due_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.ledger.probe_due_at().filter(|_| self.ledger.is_anything_due() || self.rollouts.want_room(now))
    }

    /// The broker's response to the probe.
    pub(super) fn probe_delivered(&mut self, puback: &Puback, now: Timestamp) {
        if matches!(puback, Puback::Accepted { .. }) {
            self.ledger.answers().probe_confirmed(now);
        } else {
            self.probe = None;
            self.ledger.answers().probe_refused();
        }
    }

    /// A message to ourselves has come back, or another console's to itself.
    pub(super) fn came_back(&mut self, nonce: &str, now: Timestamp) {
        if let Some(draining) =
            self.draining.as_mut().filter(|it| it.marker.as_ref().is_some_and(|id| id.as_str() == nonce))
        {
            draining.until = now;
            draining.marker = None;
            self.own_messages = OwnMessages::Welcome;
        }
        if self.probe.take_if(|id| id.as_str() == nonce).is_some() {
            self.own_messages = OwnMessages::Welcome;
            self.ledger.answers().probe_returned(now);
        }
    }
}

impl Controller {
    /// Sends the probes that are due.
    pub(super) fn probe(&mut self, now: Timestamp) {
        for known in self.connections.values_mut().filter(|known| known.sender.is_some()) {
            known.ledger.answers().tick(now);
            if known.probe_due_at(now).is_some_and(|due| due <= now) {
                known.probe = known.send_to_itself();
                match known.probe {
                    Some(_) => known.ledger.answers().probe_sent(now),
                    None => known.ledger.answers().probe_refused(),
                }
            }
        }
    }
}
