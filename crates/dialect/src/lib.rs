//! How a kind of firmware is asked, and how it answers: topics and payloads.
//!
//! It deliberately has no clock, no randomness, no socket and no file. Everything read here comes from devices and is
//! taken for what it is: possibly malformed, huge, or somebody else's.

mod catalogue;
pub mod device_side;
mod ids;
mod json;
mod message;
mod topics;
mod wilco;
mod words;

pub use catalogue::{CommandKind, command, commands};
pub use ids::uuids_in;
pub use message::{Filter, Heard, Inbound, Outbound, Reported, Request, Unreadable};
pub use topics::{Channel, InvalidPrefix, Topics};

use wilco_ledger::{DeviceId, Timestamp};

/// A kind of firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialect {
    /// Wilco's own JSON, reading plain-text answers too.
    Wilco(Topics),
}

impl Dialect {
    /// The dialects by name, for a command line's help.
    pub const NAMES: &'static [&'static str] = &["wilco"];

    /// The dialect of that name over these topics.
    #[must_use]
    pub fn named(name: &str, topics: Topics) -> Option<Dialect> {
        match name {
            "wilco" => Some(Dialect::Wilco(topics)),
            _ => None,
        }
    }

    /// What to publish so that a device does something.
    #[must_use]
    pub fn encode(&self, device: &DeviceId, request: &Request<'_>, now: Timestamp) -> Outbound {
        match self {
            Dialect::Wilco(topics) => wilco::encode(topics, device, request, now),
        }
    }

    /// What a message means. `None` for one that is none of this dialect's business.
    ///
    /// # Errors
    /// [`Unreadable`] when the topic is one of ours and the payload makes no sense.
    pub fn decode(&self, inbound: &Inbound<'_>) -> Result<Option<Heard>, Unreadable> {
        match self {
            Dialect::Wilco(topics) => wilco::decode(topics, inbound),
        }
    }

    /// Whether devices answer on this topic.
    #[must_use]
    pub fn is_answer(&self, topic: &str) -> bool {
        match self {
            Dialect::Wilco(topics) => matches!(topics.parse(topic), Some((_, Channel::Resp))),
        }
    }

    /// What to subscribe to hear every device (or only the named ones).
    #[must_use]
    pub fn filters(&self, devices: Option<&[DeviceId]>) -> Vec<Filter> {
        match self {
            Dialect::Wilco(topics) => wilco::filters(topics, devices),
        }
    }
}
