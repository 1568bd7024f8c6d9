//! A device's answer, as decoded by a dialect.

use crate::{CommandId, DeviceId, State, Timestamp};

/// A device's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The device whose topic it arrived on.
    pub device: DeviceId,
    /// The command ID in the payload.
    pub claim: Claim,
    /// The command ID in the MQTT 5 Correlation Data, if there is any.
    pub correlation: Option<CommandId>,
    /// The outcome.
    pub outcome: Outcome,
    /// Progress, 0 … 100 %, with [`Outcome::Running`].
    pub progress: Option<u8>,
    /// The device's message for users.
    pub message: Option<Box<str>>,
    /// The result as canonical JSON text: equal results are equal texts.
    pub result: Option<Box<str>>,
    /// When it happened by the device's clock. Never used for decisions.
    pub said_at: Option<Timestamp>,
    /// A retained answer is not new and never settles anything.
    pub retained: bool,
    /// The message as received.
    pub raw: Raw,
}

/// The command that an answer claims to belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It contains an ID.
    Id(CommandId),
    /// Free text that may contain the ID of one of the device's commands.
    Within(Box<str>),
    /// It contains no ID.
    Nothing,
    /// It contains no ID, and is not an answer but a report of the device's state with the requested value.
    State,
}

/// The outcome in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The device has accepted it.
    Accepted,
    /// The device is running it.
    Running,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// The device refused it.
    Rejected,
}

impl Outcome {
    /// The state of a command after this outcome.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Outcome::Accepted => State::Accepted,
            Outcome::Running => State::Running,
            Outcome::Succeeded => State::Succeeded,
            Outcome::Failed => State::Failed,
            Outcome::Rejected => State::Rejected,
        }
    }

    /// The last answer of a command.
    #[must_use]
    pub fn is_final(self) -> bool {
        self.state().is_final()
    }
}

/// A received message: evidence, stored unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Raw {
    /// The topic.
    pub topic: Box<str>,
    /// The payload byte for byte, or its kept parts. Not necessarily UTF-8.
    pub payload: Box<[u8]>,
    /// Its quality of service, 0 … 2.
    pub qos: u8,
    /// The original payload's properties, if only its first and last part are kept.
    pub cut: Option<Box<Cut>>,
}

/// A payload whose middle was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The size of the whole payload, bytes.
    pub bytes: u64,
    /// How many of the kept bytes are the first part; the others are the last.
    pub first: u32,
    /// The SHA-256 of the whole payload.
    pub sha256: [u8; 32],
}
