//! Messages before encoding and after decoding.

use std::sync::Arc;

use wilco_ledger::{Answer, CommandId, DeviceId, Millis, Policy, Submission, Timestamp, WireForm, WrittenMessage};

use crate::{LifecycleEvent, json::Members, log::LogChunk};

/// One send of one command.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The command ID.
    pub id: &'a CommandId,
    /// Its name.
    pub command: &'a str,
    /// Its arguments as JSON text.
    pub args: &'a str,
    /// Its own request template, if it has one.
    pub form: Option<&'a WireForm>,
    /// When it was submitted.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// 1 for the first send.
    pub attempt: u32,
    /// The operator, if the request should name them.
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
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// MQTT 5 Correlation Data (section 3.3.2.3.6): the command ID. `None` for other firmware.
    pub correlation: Vec<u8>,
    /// MQTT 5 Response Topic (section 3.3.2.3.5).
    pub response_topic: Option<String>,
    /// MQTT 5 Message Expiry Interval in seconds (section 3.3.2.3.3), at least 1.
    pub expiry: u32,
    /// MQTT 5 Content Type (section 3.3.2.3.9). Empty if unknown.
    pub content_type: &'static str,
    /// Stored and shown instead of a payload with a proof of a password.
    pub kept: Option<Vec<u8>>,
}

impl Outbound {
    /// The payload to store and show.
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

/// A received message.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The payload.
    pub payload: &'a [u8],
    /// Its quality of service, 0 … 2.
    pub qos: u8,
    /// Whether the message was retained.
    pub retained: bool,
    /// MQTT 5 Correlation Data.
    pub correlation: Option<&'a [u8]>,
}

/// The meaning of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum DecodedMessage {
    /// A device's answer to a command.
    Answer(Answer),
    /// A device's status, or its will.
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
    /// The broker's event about a connection that began or ended (AWS IoT Core). It contains a client ID, which may be
    /// another console's. [`crate::Lifecycle`] interprets it.
    Lifecycle {
        /// Which device, or other client.
        device: DeviceId,
        /// The event.
        event: LifecycleEvent,
    },
    /// A device's state report: LED, running and saved configuration.
    State {
        /// Which device.
        device: DeviceId,
        /// The report: a JSON object as it was written.
        state: String,
    },
    /// A device's measurements.
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
    /// A command on a request topic: another console's, or our own that is received back.
    Request(Submission),
    /// A broadcast: another console's, or our own that is received back. `None` if it is unknown which.
    Broadcast(Option<Box<Broadcast>>),
    /// A connection test. It has no meaning for devices; see [`crate::Dialect::probe`].
    Probe {
        /// Tells one trial from another.
        nonce: String,
    },
    /// A chunk of a device's log; [`crate::LogProgress::of`] combines them.
    Log {
        /// Which device.
        device: DeviceId,
        /// The piece.
        chunk: LogChunk,
    },
}

/// A command on a broadcast topic. Only the devices know which of them it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Broadcast {
    /// The group of devices; `None` for all.
    pub group: Option<String>,
    /// The ID in all answers to it.
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

    /// The operator in the request, if there is one.
    #[must_use]
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// How long a device may stay silent, if this console knows the command.
    #[must_use]
    pub fn timeout(&self) -> Millis {
        self.policy.timeout
    }

    /// The command for one of the devices.
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

/// Members of a telemetry message that are not measurements, but may be intended as such.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TelemetryRest {
    /// Members with a quoted number, which may also be an ID. Only the first few.
    pub quoted: Vec<String>,
    /// Members without a value: `null`, or values that JSON cannot represent as numbers (`NaN`, `Infinity`). Only the
    /// first few.
    pub empty: Vec<String>,
    /// The number of further numbers that were ignored.
    pub left_out: u32,
}

/// The parts of a state report ([`DecodedMessage::State`]) that all devices have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateReport {
    /// The LED, if the device has one.
    pub led: Option<bool>,
    /// The LED blinks, so that a person can find the device.
    pub identifying: bool,
    /// The telemetry interval, milliseconds, if it sends telemetry.
    pub telemetry_interval_ms: Option<u64>,
    /// The running configuration: a JSON object with its original text.
    pub running: Option<String>,
    /// The configuration after the next restart: a JSON object with its original text.
    pub saved: Option<String>,
}

impl StateReport {
    /// Decodes a state report, a JSON object; missing and invalid members are omitted.
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

/// An unreadable message on one of Wilco's topics. It is shown unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unreadable {
    /// The device, if the topic contains one.
    pub device: Option<DeviceId>,
    /// The problem, as a sentence.
    pub why: String,
    /// The command that it concerns, if that is readable.
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
    /// Only these devices, each by its own topics, for narrow policies. `None`: every device.
    pub devices: Option<&'a [DeviceId]>,
    /// Also lifecycle events: on AWS IoT Core, a wildcard subscription receives no retained status.
    pub lifecycle: bool,
}

/// A topic filter to subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The filter.
    pub filter: String,
    /// The requested quality of service.
    pub qos: u8,
    /// A required filter: without it, answers cannot be matched. Others are optional.
    pub required: bool,
    /// Our own messages need not be delivered to us: MQTT 5 No Local (section 3.8.3.1). MQTT 3.1.1 delivers them.
    pub others_only: bool,
}
