//! Messages before encoding and after decoding.

use std::sync::Arc;

use wilco_ledger::{Answer, CommandId, DeviceId, Millis, Policy, Submission, Timestamp, WireForm, WrittenMessage};

use crate::{LifecycleEvent, json::Members, log::LogChunk};

/// One send of one command.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The command's id.
    pub id: &'a CommandId,
    /// Its name.
    pub command: &'a str,
    /// Its arguments as JSON text.
    pub args: &'a str,
    /// How it is written, where the dialect alone would write it otherwise.
    pub form: Option<&'a WireForm>,
    /// When it was submitted.
    pub issued_at: Timestamp,
    /// When it is no longer to be carried out.
    pub expires_at: Timestamp,
    /// 1 for the first send.
    pub attempt: u32,
    /// The operator, if the request is to name them.
    pub by: Option<&'a str>,
}

impl Request<'_> {
    /// How long it is still to be carried out, whole seconds, at least 1.
    pub(crate) fn seconds_left(&self, now: Timestamp) -> u32 {
        let seconds = self.expires_at.since(now).0.div_ceil(1_000).max(1);
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

/// A message to publish. Never retained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Where to.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// MQTT 5 Correlation Data (section 3.3.2.3.6): the id. Nothing for other people's firmware.
    pub correlation: Vec<u8>,
    /// MQTT 5 Response Topic (section 3.3.2.3.5).
    pub response_topic: Option<String>,
    /// MQTT 5 Message Expiry Interval in seconds (section 3.3.2.3.3), at least 1.
    pub expiry: u32,
    /// MQTT 5 Content Type (section 3.3.2.3.9). Empty where it is not known.
    pub content_type: &'static str,
    /// Stored and shown in place of a payload that proves a password.
    pub kept: Option<Vec<u8>>,
}

impl Outbound {
    /// The payload as it may be kept and shown.
    #[must_use]
    pub fn shown(&self) -> &[u8] {
        self.kept.as_deref().unwrap_or(&self.payload)
    }

    /// A request that its device's dialect has written. Other firmware does not know our Correlation Data, and some of
    /// it would answer on any Response Topic.
    pub(crate) fn written(written: &WrittenMessage, request: &Request<'_>, now: Timestamp) -> Outbound {
        Outbound {
            topic: written.topic.to_string(),
            payload: written.payload.as_bytes().to_vec(),
            correlation: Vec::new(),
            response_topic: None,
            expiry: request.seconds_left(now),
            content_type: "",
            kept: None,
        }
    }
}

/// A message that came in.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// Where it came.
    pub topic: &'a str,
    /// The payload.
    pub payload: &'a [u8],
    /// Its quality of service, 0 … 2.
    pub qos: u8,
    /// Whether the broker had kept it.
    pub retained: bool,
    /// MQTT 5 Correlation Data.
    pub correlation: Option<&'a [u8]>,
}

/// The meaning of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum DecodedMessage {
    /// A device answers a command.
    Answer(Answer),
    /// A device's status, or its last will.
    Presence {
        /// Which device.
        device: DeviceId,
        /// Whether it is there.
        online: bool,
        /// Which start of the device this is.
        boot: Option<String>,
        /// Its firmware's version.
        firmware: Option<String>,
        /// Labels it carries.
        tags: Vec<String>,
        /// Since when, by its own clock.
        since: Option<Timestamp>,
    },
    /// The broker's event about a connection that began or ended (AWS IoT Core). It names a client ID, which may also
    /// be another console's. [`crate::Lifecycle`] interprets it.
    Lifecycle {
        /// Which device, or other client.
        device: DeviceId,
        /// The event.
        event: LifecycleEvent,
    },
    /// A device reports its state: LED, running and saved configuration.
    State {
        /// Which device.
        device: DeviceId,
        /// The report: a JSON object as it was written.
        state: String,
    },
    /// A device reports measurements.
    Telemetry {
        /// Which device.
        device: DeviceId,
        /// When, by its own clock.
        at: Option<Timestamp>,
        /// Its numeric members, in the payload's order: 64 at most.
        series: Vec<(String, f64)>,
        /// Other members that looked like measurements.
        rest: TelemetryRest,
    },
    /// A command on a request topic: another console's, or our own coming back.
    Request(Submission),
    /// A command for many devices at once: another console's, or our own coming back. `None` where it is not known which.
    Broadcast(Option<Box<Broadcast>>),
    /// A connection test. It has no meaning for devices; see [`crate::Dialect::probe`].
    Probe {
        /// Tells one trial from another.
        nonce: String,
    },
    /// A piece of a device's log file; [`crate::LogProgress::of`] puts them together.
    Log {
        /// Which device.
        device: DeviceId,
        /// The piece.
        chunk: LogChunk,
    },
}

/// A command on a broadcast topic. Which devices it is for, they alone know.
#[derive(Debug, Clone, PartialEq)]
pub struct Broadcast {
    /// The group of devices; `None` for all.
    pub group: Option<String>,
    /// The id that all answers to it have.
    pub id: CommandId,
    pub(crate) name: Arc<str>,
    pub(crate) args: Arc<str>,
    pub(crate) policy: Policy,
    pub(crate) by: Option<Arc<str>>,
}

impl Broadcast {
    /// The name of the command.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The operator, if the request names them.
    #[must_use]
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// How long a device may stay silent, as far as this console knows the command.
    #[must_use]
    pub fn timeout(&self) -> Millis {
        self.policy.timeout
    }

    /// The command of one of the devices.
    #[must_use]
    pub fn of(&self, device: DeviceId) -> Submission {
        Submission {
            device,
            id: self.id.clone(),
            name: Arc::clone(&self.name),
            args: Arc::clone(&self.args),
            form: None,
            policy: self.policy,
            again_of: None,
            rollout: None,
            automatic: false,
            by: self.by.clone(),
        }
    }
}

/// Members of a telemetry message that are not measurements, but may be meant as such.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TelemetryRest {
    /// Members with a number in quotes, which may also be an ID. The first few.
    pub quoted: Vec<String>,
    /// Those without a value: `null`, or what JSON has no number for (`NaN`, `Infinity`). The first few.
    pub empty: Vec<String>,
    /// How many numbers are beyond those that are read.
    pub left_out: u32,
}

/// The parts of a state report ([`DecodedMessage::State`]) that every device has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateReport {
    /// The LED, if the device has one.
    pub led: Option<bool>,
    /// The LED blinks, so that a person can find the device.
    pub identifying: bool,
    /// How often it sends telemetry, milliseconds, if it does.
    pub telemetry_interval_ms: Option<u64>,
    /// The configuration it runs with: a JSON object as it was written.
    pub running: Option<String>,
    /// The configuration it will have after its next restart: a JSON object as it was written.
    pub saved: Option<String>,
}

impl StateReport {
    /// Reads a state report, a JSON object; what is missing or of another type is left out.
    #[must_use]
    pub fn of(state: &str) -> StateReport {
        let Ok(members) = Members::parse(state) else { return StateReport::default() };
        let object = |name: &str| members.text(name).filter(|text| text.starts_with('{')).map(str::to_owned);
        let switch = |name: &str| members.get(name).and_then(|value| value.as_bool());
        StateReport {
            led: switch("led"),
            identifying: switch("identifying") == Some(true),
            telemetry_interval_ms: members.get("telemetry_interval_ms").and_then(|value| value.as_u64()),
            running: object("running"),
            saved: object("saved"),
        }
    }
}

/// A message on one of our topics that makes no sense. It is shown as it came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unreadable {
    /// The device on whose topic it came, where the topic names one.
    pub device: Option<DeviceId>,
    /// The problem, as a sentence.
    pub why: String,
    /// The command that it is about, where that can be read anyway.
    pub id: Option<CommandId>,
}

impl Unreadable {
    pub(crate) fn of(device: DeviceId, why: String) -> Unreadable {
        Unreadable { device: Some(device), why, id: None }
    }
}

/// A topic filter of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Subscriptions<'a> {
    /// These devices, each by its own topics, as a narrow policy allows it. `None`: every device.
    pub devices: Option<&'a [DeviceId]>,
    /// Lifecycle events too: on AWS IoT Core a wildcard subscription receives no retained status.
    pub lifecycle: bool,
}

/// A topic filter to subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The filter.
    pub filter: String,
    /// The requested quality of service.
    pub qos: u8,
    /// Without it no command can be reconciled. Others are used where the broker allows them.
    pub required: bool,
    /// Our own publishes need not be delivered to us: MQTT 5 No Local (section 3.8.3.1). With older MQTT they are.
    pub others_only: bool,
}
