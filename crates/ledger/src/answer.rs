//! What a device said, as a dialect has read it.

use crate::{CommandId, DeviceId, State, Timestamp};

/// One acknowledgement heard from a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The device on whose topic it came.
    pub device: DeviceId,
    /// What the payload says of the command it answers.
    pub claim: Claim,
    /// What MQTT 5 Correlation Data says of it, where there is any.
    pub correlation: Option<CommandId>,
    /// What the device says of the command.
    pub outcome: Outcome,
    /// 0 … 100 %, with [`Outcome::Running`].
    pub progress: Option<u8>,
    /// A sentence of the device, for people.
    pub message: Option<Box<str>>,
    /// The result as canonical JSON text: equal results are equal texts.
    pub result: Option<Box<str>>,
    /// When the device says that it happened, by its own clock. Never used to decide anything.
    pub said_at: Option<Timestamp>,
    /// A retained answer is an old one and never settles anything.
    pub retained: bool,
    /// The message as it came.
    pub raw: Raw,
}

/// Which command an answer says it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It names an id.
    Id(CommandId),
    /// Free text that may have an id of that device's commands somewhere in it.
    Within(Box<str>),
    /// It names none.
    Nothing,
    /// It names none, and is no answer in itself: a report of the device's state that meets what the command asked for.
    State,
}

/// What a device says of a command.
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
    /// The state that a command has once its device has said this.
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

/// A message as it came over the wire: evidence, kept as it is.
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
