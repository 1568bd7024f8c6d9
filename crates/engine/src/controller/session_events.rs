//! Handles the events of a session: the state of its connection, and the delivery of published messages.

use std::time::Duration;

use wilco_ledger::{Input, Millis, Puback};

use super::{Controller, connection::Draining, own_messages::OwnMessages, sessions::LONGEST_DRAIN};
use crate::{
    api::LinkState,
    mqtt::{LinkEvent, MqttSender, Publication, Refusal, Remedy},
    store::ConnectionId,
};

/// What the broker kept has been read when nothing has come for this long.
pub(super) const QUIET: Millis = Millis::seconds(5);

impl Controller {
    pub(super) fn link(&mut self, connection: &ConnectionId, event: LinkEvent) {
        match event {
            LinkEvent::Connecting => self.set_link(connection, LinkState::Connecting),
            LinkEvent::Connected => self.set_link(connection, LinkState::Subscribing),
            LinkEvent::Ready { sender, resumed, refused, receive_maximum } => {
                self.set_link(connection, LinkState::Online { since: self.clock.now().0 });
                for filter in refused {
                    self.feed.notice_of(
                        connection,
                        format!("The broker denied the subscription to {}.", filter.filter),
                        "Commands still work. To see messages on this topic, allow this client ID to subscribe to it in the broker's ACL.",
                    );
                }
                if let Some(known) = self.connections.get_mut(connection) {
                    known.ledger.broker_takes(receive_maximum);
                }
                self.ready(connection, sender, resumed);
            }
            LinkEvent::Written(publication) => {
                if let Some(known) = self.connections.get_mut(connection) {
                    known.traffic.sent += 1;
                }
                let (device, id, attempt) = (publication.device, publication.id, publication.attempt);
                self.record(connection, Input::Sent { device, id, attempt });
            }
            LinkEvent::Delivered(publication, puback, took) => {
                let now = self.clock.now();
                if let Some(known) = self.connections.get_mut(connection) {
                    known.measured(took.as_secs_f64() * 1_000.0);
                    if known.probe.as_ref() == Some(&publication.id) {
                        return known.probe_delivered(&puback, now);
                    }
                }
                let (device, id, attempt) = (publication.device, publication.id, publication.attempt);
                self.record(connection, Input::Delivered { device, id, attempt, puback });
            }
            LinkEvent::Message(sender, message) => self.message(connection, &sender, message),
            LinkEvent::Unsent(publications) => {
                for Publication { device, id, attempt } in publications {
                    self.record(connection, Input::Delivered { device, id, attempt, puback: Puback::NotTaken });
                }
            }
            LinkEvent::Lost { refusal, retry_in } => self.lost(connection, refusal, retry_in),
        }
    }

    fn set_link(&mut self, connection: &ConnectionId, link: LinkState) {
        if let Some(known) = self.connections.get_mut(connection) {
            known.link = link;
            self.feed.connections();
        }
    }

    fn ready(&mut self, connection: &ConnectionId, sender: MqttSender, resumed: bool) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.sender = Some(sender);
        known.probe = None;
        let may_probe = known.may_send_to_itself();
        known.ledger.answers().connected(may_probe);
        // Where no session is kept, its absence says nothing.
        let keeps_sessions = known.profile.settings.session_expiry_s > 0 && !self.background.passing;
        // Decisions 32 and 114.
        let devices_are_gone = std::mem::take(&mut known.broker_ended) || (!resumed && keeps_sessions);
        if let Some(draining) = &mut known.draining {
            // A broker that has kept no session has kept no answers either.
            draining.quiet_at = Some(if resumed { now + QUIET } else { now });
            draining.until = now + LONGEST_DRAIN;
            draining.marker = None;
        } else if resumed {
            known.draining = Some(Draining { until: now + LONGEST_DRAIN, quiet_at: Some(now + QUIET), marker: None });
            self.record(connection, Input::Resumed);
        }
        if resumed {
            self.send_marker(connection);
        }
        if devices_are_gone {
            self.record(connection, Input::SessionLost);
        }
        self.begin_to_hear(connection);
        self.record(connection, Input::Connected);
    }

    /// Sends a message to ourselves: when it returns, everything that the broker had queued has been read.
    fn send_marker(&mut self, connection: &ConnectionId) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        let sent = known.send_to_itself();
        let Some(sender) = known.sender.clone() else { return };
        let unsubscribed = if sent.is_none() { known.message_to_subscribe_to() } else { None };
        let Some(draining) = known.draining.as_mut() else { return };
        let Some((filter, publication, outbound)) = unsubscribed else {
            draining.marker = sent;
            return;
        };
        draining.marker = Some(publication.id.clone());
        tokio::spawn(async move {
            // Without it the end is found by a quiet time.
            if sender.subscribe(&[filter]).await.is_ok_and(|subscribed| subscribed.refused.is_empty()) {
                let _ = sender.publish(publication, outbound);
            }
        });
    }

    fn lost(&mut self, connection: &ConnectionId, refusal: Refusal, retry_in: Option<Duration>) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.sender = None;
        known.fleet().forget_presence();
        known.round_trip_ms = None;
        let marker = known.draining.as_mut().and_then(|draining| draining.marker.take());
        if marker.or(known.probe.take()).is_some() && known.own_messages == OwnMessages::Untried {
            // A broker that ends the connection over it would do so each time, whatever it gives as its reason.
            known.own_messages = OwnMessages::Unwelcome;
        } else {
            known.broker_ended |= refusal.broker_ended;
        }
        known.ledger.answers().disconnected();
        let message = refusal.explanation();
        let Refusal { code, hint, remedy, .. } = refusal;
        known.link = match (remedy, retry_in) {
            (Remedy::TryAgain, Some(pause)) => {
                let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                LinkState::Waiting { message, hint, retry_at: now.0.saturating_add(pause) }
            }
            _ => LinkState::Stopped { code, message, hint },
        };
        self.feed.connections();
        self.record(connection, Input::Disconnected);
    }
}
