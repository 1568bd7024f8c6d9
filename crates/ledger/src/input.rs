//! What the ledger is told, and what it wants done.

use crate::{Answer, CommandId, DeviceId, Event, Raw, Submission};

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Somebody asks something of a device.
    Submit(Submission),
    /// *Cancel* while it was never sent, *stop waiting* afterwards.
    Cancel {
        /// Whose command.
        device: DeviceId,
        /// Which command.
        id: CommandId,
    },
    /// The connection stands and its subscriptions are acknowledged: publishing may begin.
    Connected,
    /// The connection is gone; what is in flight may or may not have arrived, and which device is there is not known any
    /// more.
    Disconnected,
    /// That publish was written to the wire.
    Sent {
        /// Whose command.
        device: DeviceId,
        /// Which command.
        id: CommandId,
        /// Which send.
        attempt: u32,
    },
    /// That publish came to its end.
    Delivered {
        /// Whose command.
        device: DeviceId,
        /// Which command.
        id: CommandId,
        /// Which send.
        attempt: u32,
        /// What became of it.
        puback: Puback,
    },
    /// A device spoke.
    Answer(Answer),
    /// A device said something on the answers' topic that cannot be read. Kept as evidence; settles nothing.
    Unreadable {
        /// Which device.
        device: DeviceId,
        /// The message as it came.
        raw: Raw,
        /// What is wrong with it, as a sentence.
        why: Box<str>,
    },
    /// Another console's command was seen on the request topic.
    Observed(Submission),
    /// A device came online or went offline.
    Presence {
        /// Which device.
        device: DeviceId,
        /// Whether it is there.
        online: bool,
    },
    /// A device spoke of itself, just now: one that was thought to be away is not, or may not be.
    Heard {
        /// Which device.
        device: DeviceId,
    },
    /// Start or wake-up: nothing may time out until what the broker kept has been read.
    Resumed,
    /// What the broker kept has been read (or cannot be had): timing out is allowed again.
    Drained,
    /// Time has passed, nothing else.
    Tick,
}

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Puback {
    /// The broker has it.
    Accepted {
        /// MQTT 5 reason 0x10: no matching subscribers.
        nobody_listening: bool,
    },
    /// The broker refuses it: a reason code of 0x80 or above.
    Refused {
        /// The reason code.
        code: u8,
    },
    /// The packet is too large for the broker or for our own limit. It was not sent.
    TooLarge {
        /// The packet's size in bytes.
        bytes: usize,
    },
    /// The session ended before the PUBACK.
    Unknown,
    /// The MQTT client did not take it: provably not on the wire in this attempt.
    NotTaken,
}

/// Something the ledger wants done. All [`Effect::Record`]s of one call are committed together, before any
/// [`Effect::Publish`] of that call is carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Append to the history.
    Record(Event),
    /// Hand to MQTT.
    Publish {
        /// The device to ask.
        device: DeviceId,
        /// The command, to be had from [`crate::Ledger::command`].
        id: CommandId,
        /// Which send.
        attempt: u32,
    },
}
