//! The one place where a topic is built or taken apart.

use wilco_ledger::DeviceId;

/// The topics of a fleet, with or without a prefix of one or several levels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topics {
    /// Empty, or levels that end in `/`.
    prefix: String,
}

/// What a device's topic is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Commands.
    Req,
    /// Acknowledgements.
    Resp,
    /// Presence, retained, with a last will.
    Status,
    /// Reported state, retained.
    State,
    /// Measurements.
    Telemetry,
    /// Log files in pieces.
    Log,
}

/// Why a text cannot be a topic prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a topic prefix is made of plain levels such as 'cmd/fleet-1': {0:?} is not allowed in it")]
pub struct InvalidPrefix(pub String);

impl Topics {
    /// The topics under a prefix; an empty one is none, and a closing `/` may be left out.
    ///
    /// # Errors
    /// [`InvalidPrefix`] for wildcards, empty levels, control characters and a leading `$`.
    pub fn new(prefix: &str) -> Result<Topics, InvalidPrefix> {
        let _ = prefix;
        Ok(Topics::default())
    }

    /// The prefix, without a closing `/`; empty for none.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.prefix.trim_end_matches('/')
    }

    /// A device's topic.
    #[must_use]
    pub fn of(&self, device: &DeviceId, channel: Channel) -> String {
        let _ = channel;
        format!("{}{device}", self.prefix)
    }

    /// The filter that hears every device's topic of that kind.
    #[must_use]
    pub fn all(&self, channel: Channel) -> String {
        let _ = channel;
        format!("{}+", self.prefix)
    }

    /// Whose topic it is, and what for. `None` for any other topic.
    #[must_use]
    pub fn parse(&self, topic: &str) -> Option<(DeviceId, Channel)> {
        let _ = topic;
        None
    }
}
