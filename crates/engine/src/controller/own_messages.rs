//! Wilco's messages to itself: the marker after which a resumed session delivers nothing old, and probes, which show
//! the answer window whether the broker queues answers.

use wilco_dialect::{DecodedMessage, Filter, Inbound, Outbound};
use wilco_ledger::{CommandId, DeviceId, Input, Puback, Timestamp};

use super::{Connection, Controller};
use crate::{
    mqtt::Publication,
    profile,
    store::{ConnectionId, Profile},
};

/// Whether messages to ourselves come through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum OwnMessages {
    /// None has returned yet.
    #[default]
    Untried,
    /// One has returned.
    Welcome,
    /// A connection ended while the first was in progress, so no more are sent.
    Unwelcome,
}

impl Connection {
    /// Whether messages to ourselves may be sent.
    pub(super) fn may_send_to_itself(&self) -> bool {
        let Profile { settings, url, .. } = &self.profile;
        settings.mode.publishes()
            && self.own_messages != OwnMessages::Unwelcome
            && self.shared().receives_own_messages(settings.preset, url)
    }

    /// Sends a message to ourselves, where that is allowed. It comes back behind everything that the broker keeps for us.
    pub(super) fn send_to_itself(&self) -> Option<CommandId> {
        let sender = self.sender.as_ref().filter(|_| self.may_send_to_itself())?;
        let nonce = uuid::Uuid::new_v4().to_string();
        let outbound = self.dialect.probe(&self.profile.client_id, &nonce).answer;
        let device = DeviceId::closest_to(&self.profile.client_id);
        let id = CommandId::new(&nonce).ok()?;
        sender.publish(Publication { device, id: id.clone(), attempt: 1 }, outbound).ok()?;
        Some(id)
    }

    /// The probe for brokers on which our own topic is not subscribed, and its subscription. Not for a broker that
    /// disconnects after a forbidden request (AWS IoT).
    pub(super) fn message_to_subscribe_to(&self) -> Option<(Filter, Publication, Outbound)> {
        let Profile { settings, url, client_id, .. } = &self.profile;
        let is_aws = profile::is_aws(settings.preset, url);
        if !settings.mode.publishes() || self.own_messages == OwnMessages::Unwelcome || is_aws {
            return None;
        }
        let nonce = uuid::Uuid::new_v4().to_string();
        let probe = self.dialect.probe(client_id, &nonce);
        let filter = Filter { filter: probe.filter, qos: 1, required: false, others_only: false };
        let publication =
            Publication { device: DeviceId::closest_to(client_id), id: CommandId::new(&nonce).ok()?, attempt: 1 };
        Some((filter, publication, probe.answer))
    }

    /// The nonce of a message that we have sent to ourselves and that is awaited.
    pub(super) fn awaited_nonce(&self, inbound: &Inbound<'_>) -> Option<String> {
        let marker = self.draining.as_ref()?.marker.as_ref()?;
        match self.dialect.decode(inbound) {
            Ok(Some(DecodedMessage::Probe { nonce })) if nonce == marker.as_str() => Some(nonce),
            _ => None,
        }
    }

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

    /// Handles a returned message of this console, or of another one to itself. Returns whether it was this console's
    /// probe.
    fn came_back(&mut self, nonce: &str, now: Timestamp) -> bool {
        if let Some(draining) =
            self.draining.as_mut().filter(|it| it.marker.as_ref().is_some_and(|id| id.as_str() == nonce))
        {
            draining.until = now;
            draining.marker = None;
            self.own_messages = OwnMessages::Welcome;
        }
        let is_probe = self.probe.take_if(|id| id.as_str() == nonce).is_some();
        if is_probe {
            self.own_messages = OwnMessages::Welcome;
            self.ledger.answers().probe_returned(now);
        }
        is_probe
    }
}

impl Controller {
    /// A message to ourselves has come back, or another console's to itself.
    pub(super) fn came_back(&mut self, connection: &ConnectionId, nonce: &str) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        if known.came_back(nonce, now) {
            // It shows how much can be read once everything before it is acknowledged, and that is after the commit.
            self.pending_batch.probes.push(connection.clone());
            self.pending_batch.urgent = true;
        }
        self.record(connection, Input::Tick);
    }

    /// Everything that came before these connections' probes is stored and acknowledged.
    pub(super) fn probes_settled(&mut self, connections: Vec<ConnectionId>) {
        let now = self.clock.now();
        for connection in connections {
            if let Some(known) = self.connections.get_mut(&connection) {
                known.ledger.answers().probe_settled(now);
                self.record(&connection, Input::Tick);
            }
        }
    }

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
