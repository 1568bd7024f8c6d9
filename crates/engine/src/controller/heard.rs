//! What comes in from a session: how its connection stands, and what devices say.

use wilco_dialect::{Heard, Inbound, LifecycleEvent, Unreadable};
use wilco_ledger::{Answer, Claim, Command, CommandId, DeviceId, Input, Raw, Timestamp};

use super::{Controller, Draining, PATIENCE, QUIET};
use crate::{
    api::{LinkState, Presence},
    mqtt::{LinkEvent, Message, Outlet},
    profile,
    refusal::{Refusal, Remedy},
    store::ConnectionId,
    telemetry,
    traffic::Passing,
};

/// A device that says it has been there for longer, 10 years in milliseconds, has no clock.
const LONGEST_PRESENCE: i64 = 10 * 365 * 86_400_000;

/// So much of a long topic tells which it is, letters.
const SHOWN_OF_A_TOPIC: usize = 60;

impl Controller {
    pub(super) async fn link(&mut self, connection: &ConnectionId, event: LinkEvent) {
        match event {
            LinkEvent::Connecting => self.set_link(connection, LinkState::Connecting),
            LinkEvent::Connected => self.set_link(connection, LinkState::Subscribing),
            LinkEvent::Ready { outlet, resumed, refused } => {
                self.set_link(connection, LinkState::Online { since: self.clock.now().0 });
                for filter in refused {
                    self.feed.notice_of(
                        connection,
                        format!("The broker does not let Wilco hear {}.", filter.filter),
                        "Commands work; what comes there is not shown.",
                    );
                }
                self.ready(connection, outlet, resumed);
            }
            LinkEvent::Written(publication) => {
                if let Some(known) = self.connections.get_mut(connection) {
                    known.traffic.sent += 1;
                }
                let (device, id, attempt) = (publication.device, publication.id, publication.attempt);
                self.tell(connection, Input::Sent { device, id, attempt });
            }
            LinkEvent::Delivered(publication, puback, took) => {
                if let Some(known) = self.connections.get_mut(connection) {
                    known.measured(took.as_secs_f64() * 1_000.0);
                }
                let (device, id, attempt) = (publication.device, publication.id, publication.attempt);
                self.tell(connection, Input::Delivered { device, id, attempt, puback });
            }
            LinkEvent::Message(outlet, message) => self.message(connection, &outlet, message).await,
            LinkEvent::Lost { refusal, retry_in } => self.lost(connection, refusal, retry_in),
        }
    }

    fn set_link(&mut self, connection: &ConnectionId, link: LinkState) {
        if let Some(known) = self.connections.get_mut(connection) {
            known.link = link;
            self.feed.connections();
        }
    }

    fn ready(&mut self, connection: &ConnectionId, outlet: Outlet, resumed: bool) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.outlet = Some(outlet);
        if let Some(draining) = &mut known.draining {
            // A broker that has kept no session has kept no answers either.
            draining.quiet_at = Some(if resumed { now + QUIET } else { now });
            draining.until = now + PATIENCE;
        } else if resumed {
            known.draining = Some(Draining { until: now + PATIENCE, quiet_at: Some(now + QUIET) });
            self.tell(connection, Input::Resumed);
        }
        self.tell(connection, Input::Connected);
    }

    fn lost(&mut self, connection: &ConnectionId, refusal: Refusal, retry_in: Option<std::time::Duration>) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.outlet = None;
        known.fleet().forget_presence();
        known.round_trip_ms = None;
        let message = refusal.told();
        let Refusal { code, hint, remedy, .. } = refusal;
        known.link = match (remedy, retry_in) {
            (Remedy::TryAgain, Some(pause)) => {
                let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                LinkState::Waiting { message, hint, retry_at: now.0.saturating_add(pause) }
            }
            _ => LinkState::Stopped { code, message, hint },
        };
        self.feed.connections();
        self.tell(connection, Input::Disconnected);
    }

    async fn message(&mut self, connection: &ConnectionId, outlet: &Outlet, message: Message) {
        let Message { topic, payload, qos, retained, correlation, envelope, receipt } = message;
        if let Some(receipt) = receipt {
            self.turn.receipts.push((outlet.clone(), receipt));
            self.turn.urgent = true;
        }
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.traffic.arrived += 1;
        if !self.taps.is_empty() {
            let (topic, payload, correlation) = (&*topic, &*payload, correlation.as_deref());
            let passing = Passing { to: None, topic, payload, qos, retained, correlation, envelope: &envelope };
            self.taps.iter().for_each(|tap| tap.see(connection, passing, now));
        }
        let inbound = Inbound { topic: &topic, payload: &payload, qos, retained, correlation: correlation.as_deref() };
        let heard = known.dialect.decode(&inbound);
        if let Some(draining) = known.draining.as_mut().filter(|_| matches!(heard, Ok(Some(Heard::Answer(_))))) {
            draining.quiet_at = draining.quiet_at.map(|_| now + QUIET);
        }
        match heard {
            Ok(None) => self.unlisted(connection, &topic),
            Ok(Some(Heard::Broadcast | Heard::Probe { .. })) => {}
            Ok(Some(Heard::Lifecycle { device, event })) => self.lifecycle(connection, device, event),
            // Noted once, and not again with every new connection.
            Ok(Some(Heard::Answer(answer))) if retained && known.is_retained_still(&answer.device, &payload) => {}
            Ok(Some(Heard::Answer(answer))) => {
                self.spoke(connection, &answer.device, retained);
                self.answer(connection, answer).await;
            }
            Ok(Some(Heard::Presence { device, online, boot, firmware, tags, since })) => {
                let possible = now.0 - LONGEST_PRESENCE..=now.0 + telemetry::AHEAD;
                let since = since.filter(|since| possible.contains(&since.0));
                known.fleet().update(&device, |device| {
                    let presence = if online { Presence::Online } else { Presence::Offline };
                    if device.presence != presence || (boot.is_some() && device.boot != boot) {
                        device.presence_since = since.or((!retained).then_some(now));
                    }
                    device.presence = presence;
                    device.boot = boot.or(device.boot.take());
                    device.firmware = firmware.or(device.firmware.take());
                    if !tags.is_empty() {
                        device.tags = tags;
                    }
                    if !retained {
                        device.seen_at = Some(now);
                    }
                });
                self.tell(connection, Input::Presence { device, online });
            }
            Ok(Some(Heard::State { device, state })) => {
                // What a broker has kept was reported nobody knows when.
                let at = (!retained).then_some(now);
                known.fleet().update(&device, |device| device.report(state, at));
                self.spoke(connection, &device, retained);
            }
            Ok(Some(Heard::Telemetry { device, at, series, rest })) => {
                self.spoke(connection, &device, retained);
                // What a broker has kept was measured nobody knows when.
                if !retained {
                    self.telemetry.take(connection, &device, telemetry::Message { at, series, rest }, now);
                }
            }
            Ok(Some(Heard::Log { device, chunk })) => {
                self.spoke(connection, &device, retained);
                self.log_chunk(connection, device, chunk).await;
            }
            Ok(Some(Heard::Request(asked))) => {
                if !known.ledger.is_known(&asked.device, &asked.id) {
                    self.look_up(connection, &asked.device, &asked.id).await;
                    self.tell(connection, Input::Observed(asked));
                }
            }
            Err(Unreadable { device: Some(device), why }) if known.dialect.is_telemetry(&topic) => {
                self.spoke(connection, &device, retained);
                self.telemetry.unreadable(connection, &device, &why);
            }
            Err(unreadable) => self.unreadable(connection, &topic, unreadable, &payload, qos, retained),
        }
    }

    /// A topic that is nobody's. That of a device with too long a name is told, once.
    fn unlisted(&mut self, connection: &ConnectionId, topic: &str) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        let Some(bytes) = known.dialect.too_long_a_name(topic).filter(|_| !known.told_of_names) else { return };
        known.told_of_names = true;
        let start: String = topic.chars().take(SHOWN_OF_A_TOPIC).collect();
        let name = &known.profile.name;
        self.feed.notice_of(
            connection,
            format!("A device on {name} is not listed: its name has {bytes} bytes, and at most 200 are possible."),
            format!("It speaks on {start}… Give it a shorter name. Others like it are not told."),
        );
    }

    /// A device has spoken for itself, so it is there. What the broker had kept says that it was.
    fn spoke(&mut self, connection: &ConnectionId, device: &DeviceId, retained: bool) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        if retained {
            // Nobody knows when it said so.
            known.fleet().update(device, |_| ());
        } else if known.draining.is_some() {
            known.fleet().heard(device, now);
        } else if known.fleet().spoke(device, now) {
            self.tell(connection, Input::Heard { device: device.clone() });
        }
    }

    /// The broker tells of a client's connection. Consoles are clients too, but no devices.
    fn lifecycle(&mut self, connection: &ConnectionId, device: DeviceId, event: LifecycleEvent) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        if device.as_str() == known.profile.client_id || profile::is_made_client_id(device.as_str()) {
            return;
        }
        if let Some(online) = known.lifecycle(&device, event, now) {
            self.present(connection, device, online);
        }
    }

    /// Devices whose end was doubted, and is no more.
    pub(super) fn believe_gone(&mut self, now: Timestamp) {
        let gone: Vec<_> = self
            .connections
            .values_mut()
            .flat_map(|known| {
                let id = known.id().clone();
                known.gone(now).into_iter().map(move |device| (id.clone(), device))
            })
            .collect();
        for (connection, device) in gone {
            self.present(&connection, device, false);
        }
    }

    fn present(&mut self, connection: &ConnectionId, device: DeviceId, online: bool) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.fleet().update(&device, |device| {
            let presence = if online { Presence::Online } else { Presence::Offline };
            if device.presence != presence {
                device.presence_since = Some(now);
            }
            device.presence = presence;
        });
        // Time alone may have brought it, and then nothing else would have it handed out.
        self.feed.connections();
        self.tell(connection, Input::Presence { device, online });
    }

    /// Reconciles an answer. One to a command that has long ended is told from a stray one by asking the store.
    async fn answer(&mut self, connection: &ConnectionId, answer: Answer) {
        let named = match &answer.claim {
            Claim::Id(id) => vec![id.clone()],
            Claim::Within(text) => wilco_dialect::uuids_in(text),
            Claim::Nothing => Vec::new(),
        };
        for id in named.into_iter().chain(answer.correlation.clone()) {
            self.look_up(connection, &answer.device, &id).await;
        }
        self.tell(connection, Input::Answer(answer));
        self.turn.urgent = true;
    }

    /// Has the ledger know a command that the store knows.
    pub(super) async fn look_up(&mut self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) {
        let Some(known) = self.connections.get(connection) else { return };
        if known.ledger.is_known(device, id) {
            return;
        }
        // The ledger forgets what has ended, and that may be newer than what the store knows so far.
        let command = match self.not_yet_stored(connection, device, id) {
            Some(command) => Ok(Some(command.clone())),
            None => self.store.command(connection, device, id).await,
        };
        match command {
            Ok(Some(command)) => {
                if let Some(known) = self.connections.get_mut(connection) {
                    known.ledger.adopt(command);
                }
            }
            Ok(None) => {}
            Err(error) => self.feed.failure(error),
        }
    }

    /// A command as it will be stored by the commit that is under way. What has changed since then, the ledger has not
    /// forgotten.
    fn not_yet_stored(&self, connection: &ConnectionId, device: &DeviceId, id: &CommandId) -> Option<&Command> {
        let standings = self.committing.iter().flat_map(|committing| &committing.standings);
        let mut commands = standings.filter(|(of, _)| of == connection).map(|(_, standing)| &*standing.command);
        commands.find(|command| command.id() == id && command.device() == device)
    }

    /// A message of a device that makes no sense is shown, and one on the answers' topic is kept.
    fn unreadable(
        &mut self,
        connection: &ConnectionId,
        topic: &str,
        unreadable: Unreadable,
        payload: &[u8],
        qos: u8,
        retained: bool,
    ) {
        // Requests in a form of somebody's own come back where consoles hear each other, and no dialect knows them again.
        let Some(known) = self.connections.get(connection) else { return };
        let (is_request, is_answer) = (known.dialect.is_request(topic), known.dialect.is_answer(topic));
        if is_request && self.catalogue.speaks_otherwise(connection) {
            return;
        }
        let Unreadable { device, why } = unreadable;
        let hint = match (is_request, is_answer && device.is_some()) {
            (true, _) => "Another console sent it. What it wanted is not known here.",
            (_, true) => "It settles nothing. The message is kept as it came.",
            _ => "It is left out. Live traffic shows such messages as they come.",
        };
        self.feed.notice_of(connection, format!("{why} It came on {topic}."), hint);
        let Some(device) = device.filter(|_| !is_request) else { return };
        if is_answer {
            self.spoke(connection, &device, retained);
            let raw = Raw { topic: topic.into(), payload: payload.into(), qos };
            self.tell(connection, Input::Unreadable { device, raw, why: why.into() });
            self.turn.urgent = true;
        }
    }
}
