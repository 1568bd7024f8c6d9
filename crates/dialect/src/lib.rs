//! The requests and answers of a kind of firmware: topics and payloads.
//!
//! A dialect can be code ([`Dialect`]) or data ([`DialectFile`]); a [`DialectSet`] combines the enabled dialects of a
//! connection behind one interface, and a [`Discovery`] finds their devices.
//!
//! It has no clock, randomness, socket or file. Everything read here comes from devices and is not trusted: it may be
//! malformed, huge, or sent by somebody else.

mod aws;
mod catalogue;
mod colour;
pub mod device_side;
mod devices;
mod discovery;
mod exchange;
mod file;
mod ids;
mod implied;
mod in_place;
mod jinja;
pub mod json;
mod learn;
mod lifecycle;
mod log;
mod message;
mod pattern;
mod payload;
mod preview;
mod probe;
mod set;
mod sign_in;
mod template;
mod text;
mod topics;
mod wilco;
mod wire_ids;
mod words;

pub use aws::{AwsPolicy, is_aws_endpoint};
pub use catalogue::{CommandKind, ICONS, InvalidKind, LONGEST_SPAN_MS, LONGEST_SPAN_S, command, commands};
pub use colour::ColourNotation;
pub use devices::{
    Availability, AvailabilityMode, CommandRequest, Control, DeviceCommand, Devices, Inserted, KnownDevice,
    RequestPayload, Role, Root, Variable,
};
pub use discovery::{Changes, Discovery, Findings};
pub use exchange::{Exchange, Expected, Played, Published, ReadMatch, ReadState};
pub use file::{
    CONSOLE, DialectFile, DialectForm, FORMAT, FileProblem, Group, IdKind, LARGEST_FILE, OutcomeField, ReaderKind,
    RefusedSetting, STARTED, Setting,
};
pub use ids::uuids_in;
pub use implied::implied_state;
pub use in_place::InPlace;
pub use jinja::{Template, Unusable};
pub use learn::{Observed, Proposal, learn, propose};
pub use lifecycle::{Lifecycle, LifecycleEvent};
pub use log::{Checksum, ChunkResult, LogChunk, LogPieces, LogProgress, LogReceipt};
pub use message::{
    Broadcast, DecodedMessage, Filter, Inbound, Outbound, Request, StateReport, Subscriptions, TelemetryRest,
    Unreadable,
};
pub use preview::{ReadKind, ReadMessage, preview};
pub use probe::Probe;
pub use set::{CommandToEncode, Context, Decoded, DialectSet, Meaning, Message, shipped, shipped_text};
pub use sign_in::Challenge;
pub use topics::{Channel, InvalidPrefix, Topics};
pub use wire_ids::WireIds;

use wilco_ledger::{DeviceId, Timestamp, WireForm};

use json::Members;

/// The command whose argument `text` is sent unchanged by [`Dialect::Text`].
pub const FREE_TEXT: &str = "text";

/// A kind of firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialect {
    /// Wilco's JSON, which also accepts plain-text answers.
    Wilco(Topics),
    /// Plain text, with Wilco's JSON for every command except [`FREE_TEXT`].
    Text(Topics),
}

impl Dialect {
    /// The dialects by name, for a command line's help.
    pub const NAMES: &'static [&'static str] = &["wilco", "text"];

    /// The dialect with this name, using these topics.
    #[must_use]
    pub fn named(name: &str, topics: Topics) -> Option<Dialect> {
        match name {
            "wilco" => Some(Dialect::Wilco(topics)),
            "text" => Some(Dialect::Text(topics)),
            _ => None,
        }
    }

    /// The dialect's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Dialect::Wilco(_) => "wilco",
            Dialect::Text(_) => "text",
        }
    }

    /// The reason why a command cannot be sent, as a sentence. Call it before [`Dialect::encode`].
    #[must_use]
    pub fn refuses(&self, command: &str, args: &str) -> Option<String> {
        let args = if args.trim().is_empty() { "{}" } else { args };
        let members = match Members::parse(args) {
            Ok(members) => members,
            Err(error) => return Some(format!("The arguments are not a JSON object ({error}).")),
        };
        match self {
            Dialect::Text(_) if command == FREE_TEXT => text::refuses(&members),
            Dialect::Text(_) | Dialect::Wilco(_) => None,
        }
    }

    /// The reason why a command's own request template cannot be used with these arguments, as a sentence. Call it
    /// before [`Dialect::encode`], in addition to [`Dialect::refuses`].
    #[must_use]
    pub fn refuses_form(&self, form: &WireForm, command: &str, args: &str) -> Option<String> {
        template::refuses(form, self.topics(), command, args)
    }

    /// Whether answers to a command with this template can refer to it: the request contains its ID.
    #[must_use]
    pub fn form_carries_id(form: &WireForm) -> bool {
        template::carries_id(form)
    }

    /// The arguments that a template uses in its topic and payload, as `level` or `who.name`.
    #[must_use]
    pub fn form_arguments(form: &WireForm) -> Vec<&str> {
        template::arguments_named(form)
    }

    /// Those of them that are sent as `null` if they are missing.
    #[must_use]
    pub fn form_values(form: &WireForm) -> Vec<&str> {
        template::arguments_as_values(form)
    }

    /// Whether answers to this command can refer to it.
    #[must_use]
    pub fn answers_carry_ids(&self, command: &str) -> bool {
        match self {
            Dialect::Wilco(_) => true,
            Dialect::Text(_) => command != FREE_TEXT,
        }
    }

    /// A request to a device.
    #[must_use]
    pub fn encode(&self, device: &DeviceId, request: &Request<'_>, now: Timestamp) -> Outbound {
        if let Some(written) = request.form.and_then(|form| form.written.as_deref()) {
            return Outbound::written(written, request, now);
        }
        let outbound = match self {
            Dialect::Wilco(topics) => wilco::encode(topics, device, request, now),
            Dialect::Text(topics) => text::encode(topics, device, request, now),
        };
        match request.form {
            Some(form) => template::write(form, self.topics(), device, request, outbound),
            None => outbound,
        }
    }

    /// Decodes a message. `None` if it does not belong to this dialect.
    ///
    /// # Errors
    /// [`Unreadable`] when the topic is one of ours and the payload makes no sense.
    pub fn decode(&self, inbound: &Inbound<'_>) -> Result<Option<DecodedMessage>, Unreadable> {
        if let Some(heard) = lifecycle::decode(inbound.topic, inbound.payload)? {
            return Ok(Some(heard));
        }
        if let Some(heard) = probe::decode(self.topics(), inbound) {
            return Ok(Some(heard));
        }
        match self {
            Dialect::Wilco(topics) => wilco::decode(topics, inbound, wilco::SPOKEN),
            Dialect::Text(topics) => text::decode(topics, inbound),
        }
    }

    /// The device that a topic belongs to; `None` for a topic of no single device.
    #[must_use]
    pub fn device_of(&self, topic: &str) -> Option<DeviceId> {
        let of_broker = topics::lifecycle_client(topic).and_then(|(client, _)| DeviceId::new(client).ok());
        of_broker.or_else(|| self.topics().parse(topic).map(|(device, _)| device))
    }

    /// The number of bytes of the device's name in this topic, if it is too long to be listed.
    #[must_use]
    pub fn too_long_a_name(&self, topic: &str) -> Option<usize> {
        self.topics().too_long(topic)
    }

    /// Whether devices answer on this topic.
    #[must_use]
    pub fn is_answer(&self, topic: &str) -> bool {
        matches!(self.topics().parse(topic), Some((_, Channel::Resp)))
    }

    /// Whether devices send their log files on this topic.
    #[must_use]
    pub fn is_log(&self, topic: &str) -> bool {
        matches!(self.topics().parse(topic), Some((_, Channel::Log)))
    }

    /// Whether this is a request topic.
    #[must_use]
    pub fn is_request(&self, topic: &str) -> bool {
        matches!(self.topics().parse(topic), Some((_, Channel::Req)))
    }

    /// Whether devices send measurements on this topic.
    #[must_use]
    pub fn is_telemetry(&self, topic: &str) -> bool {
        matches!(self.topics().parse(topic), Some((_, Channel::Telemetry)))
    }

    /// Whether devices report on this topic such that each report replaces the previous one: presence, state or
    /// measurements.
    #[must_use]
    pub fn is_report(&self, topic: &str) -> bool {
        matches!(self.topics().parse(topic), Some((_, Channel::Status | Channel::State | Channel::Telemetry)))
    }

    /// The topic filters, required ones first: some brokers limit the number of subscriptions of a connection.
    #[must_use]
    pub fn filters(&self, wishes: &Subscriptions<'_>) -> Vec<Filter> {
        let mut filters = wilco::filters(self.topics(), wishes.devices);
        // Commands of other consoles to every device come on `+/req`. The policies of AWS IoT Core name each filter, and
        // it hangs up at any other.
        if wishes.devices.is_none() && !wishes.lifecycle {
            filters.push(Filter { filter: self.topics().groups(), qos: 0, required: false, others_only: true });
        }
        if wishes.lifecycle {
            // AWS IoT Core does not say whether it knows No Local, and hangs up at what it does not like.
            filters.iter_mut().for_each(|filter| filter.others_only = false);
            let lifecycle = topics::lifecycle_filters(wishes.devices);
            let filter = |filter| Filter { filter, qos: 0, required: false, others_only: false };
            filters.extend(lifecycle.into_iter().map(filter));
        }
        filters
    }

    /// A probe message and its filter, for testing a connection without reaching a device. The nonce distinguishes
    /// tests; at most 128 bytes.
    #[must_use]
    pub fn probe(&self, client_id: &str, nonce: &str) -> Probe {
        probe::of(self.topics(), client_id, nonce)
    }

    /// The minimal AWS IoT policy for a client that subscribes to these filters. Without an AWS host name, the region
    /// must be filled in.
    #[must_use]
    pub fn aws_policy(&self, host: &str, client_id: &str, filters: &[String]) -> AwsPolicy {
        aws::policy(self.topics(), host, client_id, filters)
    }

    /// A description of how a connection exceeds the limits of AWS IoT Core, with the solution.
    #[must_use]
    pub fn beyond_aws(&self, client_id: &str, wishes: &Subscriptions<'_>) -> Option<String> {
        aws::goes_beyond(self, client_id, wishes)
    }

    fn topics(&self) -> &Topics {
        match self {
            Dialect::Wilco(topics) | Dialect::Text(topics) => topics,
        }
    }
}
