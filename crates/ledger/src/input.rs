//! What the ledger is told, and what it wants done.

use crate::{Answer, CommandId, DeviceId, Event, Raw, Report, Submission};

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
    /// The broker has not kept our session, so it may have been started anew: devices that were there before have to come back
    /// first. To be told before [`Input::Connected`].
    SessionLost,
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
    /// A device has not carried a request out, because it wants it to be signed with its password, and the next send can
    /// be. A command that has been sent once is sent again, also where it is not safe to repeat; `again`: that is this
    /// answer's request already, which is an answer like any other.
    Challenged {
        /// What the device said.
        answer: Answer,
        /// It answers a request that was sent again because of an earlier challenge.
        again: bool,
    },
    /// A device reported its state. Settles the commands whose expectation it meets, and is recorded with those alone.
    Report(Report),
    /// A device said something on the answers' topic that cannot be read. Kept as evidence, beside the command it is about
    /// where that can be told; settles nothing and resets no timer.
    Unreadable {
        /// Which device.
        device: DeviceId,
        /// The message as it came.
        raw: Raw,
        /// What is wrong with it, as a sentence.
        why: Box<str>,
        /// The command that it is about.
        about: About,
        /// A retained message is an old one, and about no command.
        retained: bool,
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
    /// A device spoke of itself, just now: one that was thought to be away is not, or may not be, and one that had to come
    /// back is there.
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

/// Which command an unreadable message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Its id can be read, or MQTT 5 Correlation Data names it.
    Named(CommandId),
    /// Nothing in it can be read: about the one command that can be meant, if there is only one.
    Unnamed,
    /// About no command, whatever is outstanding.
    Nothing,
}

/// What became of a publish.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        /// The Reason String (MQTT 5 section 3.4.2.2.2), where there is one.
        said: Option<Box<str>>,
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
