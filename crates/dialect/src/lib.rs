//! How a kind of firmware is asked, and how it answers: topics and payloads.
//!
//! A dialect can be code ([`Dialect`]) or data ([`DialectFile`]); a [`DialectSet`] holds those that are enabled on a
//! connection behind one interface, and a [`Discovery`] finds their devices.
//!
//! It deliberately has no clock, no randomness, no socket and no file. Everything read here comes from devices and is
//! taken for what it is: possibly malformed, huge, or somebody else's.

mod aws;
mod catalogue;
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
pub use catalogue::{CommandKind, ICONS, InvalidKind, command, commands};
pub use devices::{
    Ask, AskPayload, Availability, AvailabilityMode, Control, DeviceCommand, Devices, Inserted, KnownDevice, Role,
    Root, Variable,
};
pub use discovery::{Changes, Discovery, Findings};
pub use exchange::{Exchange, Expected, Played, Published, ReadMatch, ReadState};
pub use file::{
    CONSOLE, DialectFile, DialectForm, FORMAT, FileProblem, Group, IdKind, LARGEST_FILE, OutcomeField, ReaderKind,
    STARTED, Setting,
};
pub use ids::uuids_in;
pub use implied::implied_state;
pub use in_place::InPlace;
pub use jinja::{Template, Unusable};
pub use learn::{Observed, Proposal, learn, propose};
pub use lifecycle::{Lifecycle, LifecycleEvent};
pub use log::{Checksum, LogChunk, LogNews, LogPieces, LogReceipt, LogStanding};
pub use message::{
    DecodedMessage, Filter, Inbound, Outbound, Reported, Request, Subscriptions, TelemetryRest, Unreadable,
};
pub use preview::{ReadKind, ReadMessage, preview};
pub use probe::Probe;
pub use set::{Asking, Context, Decoded, DialectSet, Meaning, Message, shipped, shipped_text};
pub use sign_in::Challenge;
pub use topics::{Channel, InvalidPrefix, Topics};
pub use wire_ids::WireIds;

use wilco_ledger::{DeviceId, Timestamp, WireForm};

use json::Members;

/// The command whose argument `text` is sent as it stands by [`Dialect::Text`].
pub const FREE_TEXT: &str = "text";

/// A kind of firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialect {
    /// Wilco's own JSON, reading plain-text answers too.
    Wilco(Topics),
    /// Plain text, and Wilco's own JSON for every command but [`FREE_TEXT`].
    Text(Topics),
}

impl Dialect {
    /// The dialects by name, for a command line's help.
    pub const NAMES: &'static [&'static str] = &["wilco", "text"];

    /// The dialect of that name over these topics.
    #[must_use]
    pub fn named(name: &str, topics: Topics) -> Option<Dialect> {
        match name {
            "wilco" => Some(Dialect::Wilco(topics)),
            "text" => Some(Dialect::Text(topics)),
            _ => None,
        }
    }

    /// Why a command cannot be asked like this, as a sentence for people. To be asked before [`Dialect::encode`].
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

    /// Why a command cannot be written in a form of its own with these arguments, as a sentence for people. To be asked
    /// before [`Dialect::encode`], besides [`Dialect::refuses`].
    #[must_use]
    pub fn refuses_form(&self, form: &WireForm, command: &str, args: &str) -> Option<String> {
        template::refuses(form, self.topics(), command, args)
    }

    /// Whether an answer to a command in this form can be expected to say which command it answers: the device was told
    /// its id.
    #[must_use]
    pub fn form_carries_id(form: &WireForm) -> bool {
        template::carries_id(form)
    }

    /// The arguments that a form names in its topic and payload, as `level` or `who.name`.
    #[must_use]
    pub fn form_arguments(form: &WireForm) -> Vec<&str> {
        template::arguments_named(form)
    }

    /// Those of them that are sent as `null` where they are not given.
    #[must_use]
    pub fn form_values(form: &WireForm) -> Vec<&str> {
        template::arguments_as_values(form)
    }

    /// Whether an answer to this command can be expected to say which command it answers.
    #[must_use]
    pub fn answers_carry_ids(&self, command: &str) -> bool {
        match self {
            Dialect::Wilco(_) => true,
            Dialect::Text(_) => command != FREE_TEXT,
        }
    }

    /// What to publish so that a device does something.
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

    /// What a message means. `None` for one that is none of this dialect's business.
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

    /// The device whose topic it is; none for a topic that is no single device's.
    #[must_use]
    pub fn device_of(&self, topic: &str) -> Option<DeviceId> {
        let of_broker = topics::lifecycle_client(topic).and_then(|(client, _)| DeviceId::new(client).ok());
        of_broker.or_else(|| self.topics().parse(topic).map(|(device, _)| device))
    }

    /// Whether a device speaks on this topic whose name is too long to be listed: how many bytes it has.
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

    /// Whether devices are asked on this topic.
    #[must_use]
    pub fn is_request(&self, topic: &str) -> bool {
        matches!(self.topics().parse(topic), Some((_, Channel::Req)))
    }

    /// Whether devices send measurements on this topic.
    #[must_use]
    pub fn is_telemetry(&self, topic: &str) -> bool {
        matches!(self.topics().parse(topic), Some((_, Channel::Telemetry)))
    }

    /// Whether devices report on this topic, each report in the place of the one before: presence, state or measurements.
    #[must_use]
    pub fn is_report(&self, topic: &str) -> bool {
        matches!(self.topics().parse(topic), Some((_, Channel::Status | Channel::State | Channel::Telemetry)))
    }

    /// What to subscribe, the required filters first: some brokers limit how many subscriptions a connection may have.
    #[must_use]
    pub fn filters(&self, wishes: &Subscriptions<'_>) -> Vec<Filter> {
        let mut filters = wilco::filters(self.topics(), wishes.devices);
        if wishes.lifecycle {
            // AWS IoT Core does not say whether it knows No Local, and hangs up at what it does not like.
            filters.iter_mut().for_each(|filter| filter.others_only = false);
            let lifecycle = topics::lifecycle_filters(wishes.devices);
            let filter = |filter| Filter { filter, qos: 0, required: false, others_only: false };
            filters.extend(lifecycle.into_iter().map(filter));
        }
        filters
    }

    /// What to publish and to hear for trying a connection without troubling a device. The nonce tells this trial from
    /// others; at most 128 bytes.
    #[must_use]
    pub fn probe(&self, client_id: &str, nonce: &str) -> Probe {
        probe::of(self.topics(), client_id, nonce)
    }

    /// The least that an AWS IoT policy must allow for a client that subscribes these filters. Without a host of AWS'
    /// own the region is left open in it.
    #[must_use]
    pub fn aws_policy(&self, host: &str, client_id: &str, filters: &[String]) -> AwsPolicy {
        aws::policy(self.topics(), host, client_id, filters)
    }

    /// What of a connection goes beyond what AWS IoT Core allows, as a sentence with the way out.
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
