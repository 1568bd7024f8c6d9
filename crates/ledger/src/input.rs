//! The inputs and the effects of the ledger.

use crate::{Answer, CommandId, DeviceId, Event, Raw, Report, Submission};

/// An event outside the ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A new command for a device.
    Submit(Submission),
    /// *Cancel* if it was not sent yet, *stop waiting* otherwise.
    Cancel {
        /// The device.
        device: DeviceId,
        /// Which command.
        id: CommandId,
    },
    /// The connection is established and its subscriptions are acknowledged: publishing may begin.
    Connected,
    /// The broker has not kept the session, or its program has ended, so it may have restarted: devices that were
    /// connected before must reconnect first. Pass it before [`Input::Connected`].
    SessionLost,
    /// The connection is lost: commands in flight may or may not have arrived, and the presence of all devices is
    /// unknown.
    Disconnected,
    /// That publish was written by the MQTT client.
    Sent {
        /// The device.
        device: DeviceId,
        /// Which command.
        id: CommandId,
        /// Which send.
        attempt: u32,
    },
    /// That publish finished.
    Delivered {
        /// The device.
        device: DeviceId,
        /// Which command.
        id: CommandId,
        /// Which send.
        attempt: u32,
        /// The result.
        puback: Puback,
    },
    /// A device answered.
    Answer(Answer),
    /// A device did not carry out a request, because it requires one signed with its password, and the next send can be
    /// signed. A command that was sent once is sent again, even if it is not safe to repeat; `again`: this is the
    /// answer to that second request, which is treated like any other.
    Challenged {
        /// The answer.
        answer: Answer,
        /// It answers a request that was sent again because of an earlier challenge.
        again: bool,
    },
    /// A device reported its state. Settles the commands whose expectation it meets, and is recorded with those alone.
    Report(Report),
    /// An unreadable message of a device: an answer, or a report that may be one. Kept as evidence of the command it is
    /// about, if that is known; settles nothing and resets no timer.
    Unreadable {
        /// Which device.
        device: DeviceId,
        /// The message as it came.
        raw: Raw,
        /// The problem, as a sentence.
        why: Box<str>,
        /// The command that it is about.
        about: About,
        /// A retained message is an old one, and about no command.
        retained: bool,
    },
    /// Another console's command was received on the request topic.
    Observed(Submission),
    /// A device came online or went offline.
    Presence {
        /// Which device.
        device: DeviceId,
        /// Whether it is there.
        online: bool,
    },
    /// A device has just sent a message: it is or may be online again, and has reconnected if it had to.
    DeviceSeen {
        /// Which device.
        device: DeviceId,
    },
    /// Start or wake-up: commands cannot time out until the messages queued at the broker have been read.
    Resumed,
    /// The messages queued at the broker have been read, or cannot be: commands may time out again.
    Drained,
    /// Time has passed without another event.
    Tick,
}

/// The command that an unreadable message concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Its ID is readable, or is in MQTT 5 Correlation Data.
    Named(CommandId),
    /// Nothing in it is readable: it concerns the only possible command, if there is exactly one.
    Unnamed,
    /// A state report: it concerns each sent command that waits for one. Without such a command it is not kept.
    Report,
    /// No command, regardless of outstanding ones.
    Nothing,
}

/// The result of a publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Puback {
    /// The broker has acknowledged it.
    Accepted {
        /// MQTT 5 reason 0x10: no matching subscribers.
        nobody_listening: bool,
    },
    /// The broker refused it with a reason code of 0x80 or above.
    Refused {
        /// The reason code.
        code: u8,
        /// The Reason String (MQTT 5 section 3.4.2.2.2), where there is one.
        said: Option<Box<str>>,
    },
    /// The packet is larger than the broker's or Wilco's limit. It was not sent.
    TooLarge {
        /// The packet's size in bytes.
        bytes: usize,
    },
    /// The session ended before the PUBACK.
    Unknown,
    /// The MQTT client rejected it, so it was certainly not sent in this attempt.
    NotTaken,
}

/// An effect of the ledger. All [`Effect::Record`]s of one call are committed together, before any [`Effect::Publish`]
/// of that call is carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Append it to the history.
    Record(Event),
    /// Pass it to MQTT.
    Publish {
        /// The recipient.
        device: DeviceId,
        /// The command, to be had from [`crate::Ledger::command`].
        id: CommandId,
        /// Which send.
        attempt: u32,
    },
}
