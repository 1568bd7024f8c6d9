//! An answer of a device, as a dialect has decoded it.

use crate::{CommandId, DeviceId, State, Timestamp};

/// One answer of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The device on whose topic it came.
    pub device: DeviceId,
    /// The command ID in the payload.
    pub claim: Claim,
    /// The command ID in the MQTT 5 Correlation Data, if there is any.
    pub correlation: Option<CommandId>,
    /// The outcome.
    pub outcome: Outcome,
    /// 0 … 100 %, with [`Outcome::Running`].
    pub progress: Option<u8>,
    /// A sentence of the device, for people.
    pub message: Option<Box<str>>,
    /// The result as canonical JSON text: equal results are equal texts.
    pub result: Option<Box<str>>,
    /// When it happened by the device's own clock. Never used for decisions.
    pub said_at: Option<Timestamp>,
    /// A retained answer is an old one and never settles anything.
    pub retained: bool,
    /// The message as it came.
    pub raw: Raw,
}

/// The command that an answer claims to belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It names an id.
    Id(CommandId),
    /// Free text that may have an id of that device's commands somewhere in it.
    Within(Box<str>),
    /// It names none.
    Nothing,
    /// It names none, and is not an answer by itself: a report of the device's state with the requested value.
    State,
}

/// The outcome in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It has the command.
    Accepted,
    /// It is at it.
    Running,
    /// It did it.
    Succeeded,
    /// It could not.
    Failed,
    /// It will not.
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
    /// The topic it came on.
    pub topic: Box<str>,
    /// The payload, byte for byte, or what is kept of it. Not necessarily UTF-8.
    pub payload: Box<[u8]>,
    /// Its quality of service, 0 … 2.
    pub qos: u8,
    /// Where only the first and the last part of the payload are kept: what there was.
    pub cut: Option<Box<Cut>>,
}

/// A payload of which the middle is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The size of the whole payload, bytes.
    pub bytes: u64,
    /// How many bytes of what is kept are its first part; the others are its last.
    pub first: u32,
    /// The SHA-256 of the whole payload.
    pub sha256: [u8; 32],
}
