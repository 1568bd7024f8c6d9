//! Decodes each message from a device or another console, and acts on it.

use wilco_dialect::{Changes, DecodedMessage, Inbound, Meaning, Unreadable};
use wilco_ledger::{About, Answer, Claim, Input, Raw, Report};

use super::{
    Connection, Controller,
    connection::UNREADABLE_NOTICES,
    look_up::{PendingPuback, Waiting},
    session_events::QUIET,
};
use crate::{
    api::Presence,
    dialects::{self, Interpretation},
    mqtt::{Message, MqttSender},
    store::{ConnectionId, Restart},
    telemetry,
    traffic::ObservedMessage,
};

/// A device that reports a longer uptime, 10 years in milliseconds, has no clock.
const LONGEST_PRESENCE: i64 = 10 * 365 * 86_400_000;

/// The hint of a notice about an unreadable message.
const UNCHANGED: &str = "It does not change the state of the command. The message is kept unchanged.";

/// How much of a long topic is shown, characters.
const SHOWN_OF_A_TOPIC: usize = 60;

impl Controller {
    pub(super) fn message(&mut self, connection: &ConnectionId, sender: &MqttSender, mut message: Message) {
        let now = self.clock.now();
        message.room = None;
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.traffic.arrived += 1;
        known.ledger.answers().message();
        if !self.taps.is_empty() {
            let Message { topic, payload, qos, retained, correlation, envelope, .. } = &message;
            let (qos, retained, correlation) = (*qos, *retained, correlation.as_deref());
            let passing = ObservedMessage { to: None, topic, payload, qos, retained, correlation, envelope };
            self.taps.iter().for_each(|tap| tap.see(connection, passing, now));
        }
        if known.is_only_looked_at(&message.topic) {
            self.owe(message.receipt.map(|receipt| (sender.clone(), receipt)));
            return;
        }
        if let Some(message) = known.within_rate(sender, message, now) {
            self.read_message(connection, sender, message);
        }
    }

    /// Acts on a message.
    pub(super) fn read_message(&mut self, connection: &ConnectionId, sender: &MqttSender, message: Message) {
        let Message { topic, payload, qos, retained, correlation, receipt, .. } = message;
        let mut owed = receipt.map(|receipt| (sender.clone(), receipt));
        let Some(known) = self.connections.get_mut(connection) else { return };
        let inbound = Inbound { topic: &topic, payload: &payload, qos, retained, correlation: correlation.as_deref() };
        if let Some(nonce) = known.awaited_nonce(&inbound) {
            self.came_back(connection, &nonce);
            self.owe(owed);
            return;
        }
        let Some(dialects) = known.dialects.clone() else {
            let meaning = match known.dialect.decode(&inbound) {
                Ok(None) => None,
                Ok(Some(heard)) => Some(Meaning::Message(heard)),
                Err(unreadable) => Some(Meaning::Unreadable(unreadable)),
            };
            match meaning {
                Some(meaning) => self.on_message(
                    connection,
                    Interpretation { meaning, own: true, retained, challenge: None },
                    &inbound,
                    &mut owed,
                ),
                None => self.unlisted(connection, &topic),
            }
            self.owe(owed);
            return;
        };
        let reading = dialects::write(&dialects).interpret(&inbound);
        let is_nobodys = reading.meant.is_empty() && reading.changes == Changes::default();
        let reading = self.admit_found(connection, &dialects, reading, retained);
        let meant = self.discovered(connection, sender, &dialects, &topic, reading);
        if is_nobodys {
            self.unlisted(connection, &topic);
        }
        for meant in meant {
            if let (false, Some(device)) = (meant.own, dialects::device_of(&meant.meaning))
                && let Some(known) = self.connections.get_mut(connection)
            {
                known.rates.note_owner(&topic, device);
            }
            self.on_message(connection, meant, &inbound, &mut owed);
        }
        self.owe(owed);
    }

    /// Sends the PUBACK of a message that did not wait for the store.
    fn owe(&mut self, owed: PendingPuback) {
        self.pending_batch.urgent |= owed.is_some();
        self.pending_batch.receipts.extend(owed);
    }

    fn on_message(
        &mut self,
        connection: &ConnectionId,
        meant: Interpretation,
        inbound: &Inbound<'_>,
        owed: &mut PendingPuback,
    ) {
        if !self.admits(connection, &meant) {
            return;
        }
        let Interpretation { meaning, own, retained, challenge } = meant;
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let is_answer = matches!(meaning, Meaning::Message(DecodedMessage::Answer(_)) | Meaning::Report(_));
        if let Some(draining) = known.draining.as_mut().filter(|_| is_answer) {
            draining.quiet_at = draining.quiet_at.map(|_| now + QUIET);
        }
        let heard = match meaning {
            Meaning::Message(heard) => heard,
            Meaning::Report(report) => return self.reported(connection, report, retained),
            Meaning::Unreadable(Unreadable { device: Some(device), why, .. })
                if own && known.dialect.is_telemetry(inbound.topic) =>
            {
                self.spoke(connection, &device, retained);
                self.telemetry.unreadable(connection, &device, &why);
                return;
            }
            Meaning::Unreadable(unreadable) => {
                return self.unreadable(connection, unreadable, raw_of(inbound), (own, retained), owed);
            }
            Meaning::UnreadableReport(unreadable) => {
                return self.unreadable_report(connection, unreadable, raw_of(inbound), retained, owed);
            }
        };
        match heard {
            DecodedMessage::Broadcast(asked) => {
                if let Some(asked) = asked {
                    self.broadcast(connection, *asked, raw_of(inbound));
                }
            }
            DecodedMessage::Probe { nonce } => self.came_back(connection, &nonce),
            DecodedMessage::Lifecycle { device, event } => self.lifecycle(connection, device, event),
            // Noted once, and not again with every new connection.
            DecodedMessage::Answer(answer) if retained && known.is_retained_still(&answer.device, inbound.payload) => {}
            DecodedMessage::Answer(answer) => {
                self.spoke(connection, &answer.device, retained);
                match challenge {
                    Some(again) if is_in_memory(self.connections.get(connection), &answer) => {
                        self.owe(owed.take());
                        self.record(connection, Input::Challenged { answer, again });
                        self.pending_batch.urgent = true;
                    }
                    _ => self.answer(connection, answer, owed.take()),
                }
            }
            DecodedMessage::Presence { device, online, boot, firmware, tags, since } => {
                // The retained presence of a device may be from before its hub disconnected.
                let online = online && (own || !known.is_behind_an_absent_hub(&device));
                let possible = now.0 - LONGEST_PRESENCE..=now.0 + telemetry::AHEAD;
                let since = since.filter(|since| possible.contains(&since.0));
                known.fleet().update(&device, |device| {
                    let presence = if online { Presence::Online } else { Presence::Offline };
                    if device.presence != presence || (boot.is_some() && device.boot != boot) {
                        device.presence_since = since.or((!retained).then_some(now));
                    }
                    device.presence = presence;
                    device.started(boot, since, (!retained).then_some(now));
                    device.firmware = firmware.or(device.firmware.take());
                    if !tags.is_empty() {
                        device.tags = tags;
                    }
                    if !retained {
                        device.seen_at = Some(now);
                    }
                });
                if !own {
                    self.hub_presence(connection, &device, online);
                }
                self.record(connection, Input::Presence { device: device.clone(), online });
                // A retained message may be older than the device's restart.
                if online && !retained {
                    self.record(connection, Input::DeviceSeen { device });
                }
            }
            // A device of another dialect reports one value at a time.
            DecodedMessage::State { device, .. } if !own => self.spoke(connection, &device, retained),
            DecodedMessage::State { device, state } => {
                // The time of a retained report is unknown.
                let at = (!retained).then_some(now);
                let led = known.reported_led(&device);
                known.fleet().update(&device, |device| device.report(state, at));
                let agreement = known.note_report(&device);
                if agreement || known.reported_led(&device) != led {
                    self.feed.devices_at_once();
                }
                self.spoke(connection, &device, retained);
            }
            DecodedMessage::Telemetry { device, at, series, rest } => {
                self.spoke(connection, &device, retained);
                // The time of a retained measurement is unknown.
                if !retained {
                    if let Some(known) = self.connections.get_mut(connection) {
                        known.rollouts.measured(&device, &series, telemetry::sent_at(at, now), now);
                    }
                    self.telemetry.take(connection, &device, telemetry::Message { at, series, rest }, now);
                }
            }
            DecodedMessage::Log { device, chunk } => {
                self.spoke(connection, &device, retained);
                let ids = vec![chunk.id.clone()];
                let Some(known) = self.connections.get_mut(connection) else { return };
                if !known.rates.reads_log_chunk(&device, now) {
                    self.discard(connection, (device, None), raw_of(inbound));
                    return;
                }
                self.with_commands(connection, device, ids, Waiting::Log(chunk), owed.take());
            }
            DecodedMessage::Request(asked) => {
                let (device, ids, raw) = (asked.device.clone(), vec![asked.id.clone()], raw_of(inbound));
                if !self.keeps_request(connection, &asked, &raw) {
                    self.discard(connection, (device, None), raw);
                    return;
                }
                self.with_commands(connection, device, ids, Waiting::Observed(asked, raw), owed.take());
            }
        }
    }

    /// Handles reported values of a device with another dialect: commands that requested them are settled.
    fn reported(&mut self, connection: &ConnectionId, report: Report, retained: bool) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let led_before = known.reported_led(&report.device);
        if let Some(dialects) = &known.dialects {
            let dialects = dialects::read(dialects);
            let (values, led) = dialects.state(&report.device);
            let at = (!retained).then_some(now);
            let has_started = report.values.iter().any(|value| &*value.key == wilco_dialect::STARTED);
            known.fleet().update(&report.device, |device| {
                device.report_values(values, led, at);
                if let Some(at) = at.filter(|_| has_started) {
                    device.restart = Some(Restart { at, reported: false });
                }
            });
        }
        let agreement = known.note_report(&report.device);
        if agreement || known.reported_led(&report.device) != led_before {
            self.feed.devices_at_once();
        }
        self.spoke(connection, &report.device, retained);
        let before = self.pending_batch.changes.len();
        self.record(connection, Input::Report(Report { retained, ..report }));
        self.pending_batch.urgent |= self.pending_batch.changes.len() > before;
    }

    /// Applies an answer. A look-up distinguishes an answer to an old finished command from an unmatched one.
    fn answer(&mut self, connection: &ConnectionId, answer: Answer, owed: PendingPuback) {
        let named = match &answer.claim {
            Claim::Id(id) => vec![id.clone()],
            Claim::Within(text) => wilco_dialect::uuids_in(text),
            Claim::Nothing | Claim::State => Vec::new(),
        };
        let ids = named.into_iter().chain(answer.correlation.clone()).collect();
        self.with_commands(connection, answer.device.clone(), ids, Waiting::Answer(answer), owed);
    }

    /// Shows an unreadable message of a device, and keeps it if it is on the answer topic.
    fn unreadable(
        &mut self,
        connection: &ConnectionId,
        unreadable: Unreadable,
        raw: Raw,
        (own, retained): (bool, bool),
        owed: &mut PendingPuback,
    ) {
        // Requests with a user-defined payload are received again on connections that subscribe to requests, and no dialect can decode them.
        let Some(known) = self.connections.get(connection) else { return };
        let is_request = own && known.dialect.is_request(&raw.topic);
        // Of other dialects, these are only answers: [`Controller::unreadable_report`] has their reports.
        let is_answer = !own || known.dialect.is_answer(&raw.topic);
        let is_log = own && known.dialect.is_log(&raw.topic);
        if is_request && self.catalogue.speaks_otherwise(connection) {
            return;
        }
        let Unreadable { device, why, id } = unreadable;
        let hint = match (is_request, is_answer && device.is_some()) {
            (true, _) => "Another console sent it, and Wilco does not know the request.",
            (_, true) => UNCHANGED,
            _ => "Wilco ignored it. To see such messages, open Live traffic.",
        };
        self.notice_of_unreadable(connection, &why, &raw, hint);
        let Some(device) = device.filter(|_| !is_request) else { return };
        let about = match id {
            Some(id) => About::Named(id),
            None if is_answer => About::Unnamed,
            // Any program may write to a log.
            None => About::Nothing,
        };
        if is_answer || (is_log && about != About::Nothing) {
            self.spoke(connection, &device, retained);
            let ids = match &about {
                About::Named(id) => vec![id.clone()],
                About::Unnamed | About::Report | About::Nothing => Vec::new(),
            };
            let waiting = Waiting::Unreadable { raw, why, about, retained, log: is_log };
            self.with_commands(connection, device, ids, waiting, owed.take());
        }
    }

    /// Keeps an unreadable report of other firmware with the commands that wait for a report. Without such a command
    /// there is no notice, because these devices report all the time.
    fn unreadable_report(
        &mut self,
        connection: &ConnectionId,
        unreadable: Unreadable,
        raw: Raw,
        retained: bool,
        owed: &mut PendingPuback,
    ) {
        let Unreadable { device: Some(device), why, .. } = unreadable else { return };
        self.spoke(connection, &device, retained);
        let waits = self.connections.get(connection).is_some_and(|known| known.ledger.waits_for_report(&device));
        if retained || !waits {
            return;
        }
        self.notice_of_unreadable(connection, &why, &raw, UNCHANGED);
        let waiting = Waiting::Unreadable { raw, why, about: About::Report, retained, log: false };
        self.with_commands(connection, device, Vec::new(), waiting, owed.take());
    }

    /// Unmatched messages are counted or kept; hundreds of notices per second would be useless.
    fn notice_of_unreadable(&mut self, connection: &ConnectionId, why: &str, raw: &Raw, hint: &str) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        if known.unreadable_notices.take(1, UNREADABLE_NOTICES, now) {
            self.feed.notice_of(connection, format!("{why} It arrived on {}.", raw.topic), hint);
        }
    }

    /// Handles a topic that belongs to no device. A device with too long a name is reported once.
    fn unlisted(&mut self, connection: &ConnectionId, topic: &str) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        let Some(bytes) = known.dialect.too_long_a_name(topic).filter(|_| !known.reported_long_names) else { return };
        known.reported_long_names = true;
        let start: String = topic.chars().take(SHOWN_OF_A_TOPIC).collect();
        let name = &known.profile.name;
        self.feed.notice_of(
            connection,
            format!("A device on {name} cannot be listed: its ID has {bytes} bytes; the limit is 200."),
            format!("It publishes on {start}… Give it a shorter ID. Wilco reports only the first such device."),
        );
    }
}

/// Whether an answer is about a command that is in memory: only such a one can be sent again.
fn is_in_memory(known: Option<&Connection>, answer: &Answer) -> bool {
    let Claim::Id(id) = &answer.claim else { return false };
    known.is_some_and(|known| known.ledger.command(&answer.device, id).is_some())
}

/// A message as it came.
fn raw_of(inbound: &Inbound<'_>) -> Raw {
    Raw { topic: inbound.topic.into(), payload: inbound.payload.into(), qos: inbound.qos, cut: None }
}
