//! Events of a command: append-only facts. The state of a command is a projection of them.

use std::sync::Arc;

use crate::{Answer, CommandId, DeviceId, Origin, Raw, Submission, Timestamp};

/// An event in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The device ID.
    pub device: DeviceId,
    /// The command ID; `None` for an answer that belongs to no command.
    pub command: Option<CommandId>,
    /// When it happened by this computer's clock.
    pub at: Timestamp,
    /// The event.
    pub fact: Fact,
}

/// The event.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Written to the outbox, or another console's command was received.
    Submitted {
        /// The request.
        submission: Arc<Submission>,
        /// The console that sent it.
        origin: Origin,
    },
    /// Held until the device is online.
    Held,
    /// No longer held, and back in the queue.
    Released,
    /// The broker may have restarted and the device has not reconnected yet, so it is given a moment.
    AwaitsReturn,
    /// About to be passed to MQTT. From here on it *may* have been sent.
    Handed {
        /// 1 for the first send.
        attempt: u32,
    },
    /// The history has lost events, perhaps some of this command: it *may* have been sent, even if no event records it.
    EventsMissing,
    /// Written by the MQTT client.
    Sent {
        /// Which send.
        attempt: u32,
    },
    /// The PUBACK of that publish (at QoS 0: written by the client).
    AtBroker {
        /// Which send.
        attempt: u32,
        /// MQTT 5 reason 0x10: no matching subscribers.
        nobody_listening: bool,
    },
    /// The session was lost before the PUBACK, so it is unknown whether the broker has it.
    DeliveryUnknown {
        /// Which send.
        attempt: u32,
    },
    /// The MQTT client rejected that send, so it was certainly not sent. If it was the only one, the command is as if
    /// it had never been passed on.
    NotSent {
        /// Which send.
        attempt: u32,
    },
    /// It cannot be delivered. Final, unless an earlier send may have arrived: then nothing more is sent, and the
    /// command continues to wait for its answer.
    Undeliverable(NotDelivered),
    /// No answer is expected, and the broker has acknowledged it. Final unless an answer arrives after all.
    Unconfirmed,
    /// An answer and its interpretation.
    Answered {
        /// The answer.
        answer: Box<Answer>,
        /// How the ledger read it.
        reading: Reading,
    },
    /// An answer or message that belongs to no command. `Event::command` is `None`.
    Unsolicited {
        /// The answer.
        answer: Box<Answer>,
        /// Why it settles nothing.
        unmatched: Unmatched,
    },
    /// An unreadable message from a device. `Event::command` is the command that it concerns, if known.
    Unreadable {
        /// The message as it came.
        raw: Box<Raw>,
        /// The problem, as a sentence.
        why: Box<str>,
    },
    /// No answer in time.
    TimedOut(TimeOut),
    /// The time to live passed before it was sent.
    Expired,
    /// Cancelled before it was sent.
    Cancelled,
}

impl Fact {
    /// An intermediate event of a command, which does not end it.
    #[must_use]
    pub fn is_on_the_way(&self) -> bool {
        match self {
            Fact::Submitted { .. }
            | Fact::Held
            | Fact::Released
            | Fact::AwaitsReturn
            | Fact::Handed { .. }
            | Fact::EventsMissing
            | Fact::Sent { .. }
            | Fact::AtBroker { .. }
            | Fact::DeliveryUnknown { .. }
            | Fact::NotSent { .. } => true,
            Fact::Undeliverable(_)
            | Fact::Unconfirmed
            | Fact::Answered { .. }
            | Fact::Unsolicited { .. }
            | Fact::Unreadable { .. }
            | Fact::TimedOut(_)
            | Fact::Expired
            | Fact::Cancelled => false,
        }
    }
}

/// The reason why a command cannot be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDelivered {
    /// The request could not be encoded, so nothing was sent. The reason, as a sentence.
    NotWritten(Box<str>),
    /// The broker's PUBACK has a reason code of 0x80 or above (MQTT 5 section 3.4.2.1).
    Refused {
        /// The reason code.
        code: u8,
        /// The broker's reason.
        said: Option<Box<str>>,
    },
    /// The packet is larger than the broker's or Wilco's limit.
    TooLarge {
        /// The packet's size in bytes.
        bytes: usize,
    },
    /// The device is offline, and the delivery was *now*.
    DeviceOffline,
    /// There is no connection to the broker, and the delivery was *now*.
    NotConnected,
}

/// The interpretation of an answer to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// It changed the state, matched by ID.
    Moved,
    /// It changed the state without an ID: only this command was possible.
    Inferred,
    /// A final answer after the timeout. It still settles the command.
    Late,
    /// The device did not run the command, because it requires a signed request; it is sent again.
    Challenge,
    /// `running` again: a heartbeat.
    Heartbeat,
    /// A duplicate.
    Duplicate,
    /// A second, different final answer. The first one counts.
    Conflict,
    /// A final answer to a command that had ended here as cancelled or expired.
    Contradiction,
    /// A non-final answer after the end: evidence only.
    AfterTheEnd,
    /// Without an ID, and several commands were possible.
    Ambiguous,
}

/// The reason why an answer settles nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unmatched {
    /// It has an unknown ID.
    UnknownId,
    /// It has the ID of another device's command.
    OtherDevice,
    /// Payload and Correlation Data have different IDs.
    Disagreement,
    /// It is retained, so it is not new.
    Retained,
    /// It has no ID, and the device has no outstanding command.
    NothingOutstanding,
}

/// The reason why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeOut {
    /// The timeout passed without an answer.
    Silence,
    /// The heartbeats of a running command stopped.
    HeartbeatsStopped,
    /// Its time to live passed while it is unknown whether it was sent: it may have run.
    MayHaveRun,
    /// *Stop waiting* was requested.
    Abandoned,
}
