//! Events of a command: append-only facts. The state of a command is a projection of them.

use std::sync::Arc;

use crate::{Answer, CommandId, DeviceId, Origin, Raw, Submission, Timestamp};

/// One fact of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The device it is about.
    pub device: DeviceId,
    /// The command it is about; `None` for an answer that belongs to none.
    pub command: Option<CommandId>,
    /// When it happened, by this computer's clock.
    pub at: Timestamp,
    /// The event.
    pub fact: Fact,
}

/// The event.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Written to the outbox, or another console's command was seen.
    Submitted {
        /// The request.
        submission: Arc<Submission>,
        /// The console that sent it.
        origin: Origin,
    },
    /// Kept here until the device is online.
    Held,
    /// No longer held: back in the queue.
    Released,
    /// The broker may have been restarted, and the device has not come back yet: it is given a moment.
    AwaitsReturn,
    /// About to be handed to MQTT. From here on it *may* have been sent.
    Handed {
        /// 1 for the first send.
        attempt: u32,
    },
    /// The history has lost events, perhaps some of this command: though no event says so, it *may* have been sent.
    EventsMissing,
    /// Written by the MQTT client.
    Sent {
        /// Which send.
        attempt: u32,
    },
    /// The PUBACK of that publish (QoS 0: written by the client).
    AtBroker {
        /// Which send.
        attempt: u32,
        /// MQTT 5 reason 0x10: no matching subscribers.
        nobody_listening: bool,
    },
    /// The session was lost before a PUBACK: it is unknown whether the broker has it.
    DeliveryUnknown {
        /// Which send.
        attempt: u32,
    },
    /// The MQTT client did not accept that send: certainly not sent. If it was the only one, the command is as if it
    /// had never been handed over.
    NotSent {
        /// Which send.
        attempt: u32,
    },
    /// It cannot be delivered. Final, unless an earlier send may have arrived: then nothing more is sent, and the
    /// command continues to wait for its answer.
    Undeliverable(NotDelivered),
    /// No answer is expected, and MQTT has done its part. Final until an answer comes after all.
    Unconfirmed,
    /// An answer, and how it was read.
    Answered {
        /// The answer.
        answer: Box<Answer>,
        /// How the ledger read it.
        reading: Reading,
    },
    /// An answer or message that settles nothing here. `Event::command` is `None`.
    Unsolicited {
        /// The answer.
        answer: Box<Answer>,
        /// Why it settles nothing.
        unmatched: Unmatched,
    },
    /// An unreadable message of a device. `Event::command` is the command it is about, if that is known.
    Unreadable {
        /// The message as it came.
        raw: Box<Raw>,
        /// The problem, as a sentence.
        why: Box<str>,
    },
    /// No answer in time.
    TimedOut(TimeOut),
    /// The time to live passed before it was ever sent.
    Expired,
    /// Withdrawn before it was ever sent.
    Cancelled,
}

impl Fact {
    /// A step on a command's way, by which it does not finish.
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

/// Why a command cannot be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDelivered {
    /// The request could not be encoded, so nothing was ever sent. Why, as a sentence.
    NotWritten(Box<str>),
    /// The broker's PUBACK carries a reason of 0x80 or above (MQTT 5 section 3.4.2.1).
    Refused {
        /// The reason code.
        code: u8,
        /// The broker's reason.
        said: Option<Box<str>>,
    },
    /// The packet is larger than the broker (or our own limit) allows.
    TooLarge {
        /// The packet's size in bytes.
        bytes: usize,
    },
    /// The device is offline and the command was *now or fail*.
    DeviceOffline,
    /// There is no connection to the broker and the command was *now or fail*.
    NotConnected,
}

/// How the ledger read an answer to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// It moved the command, by id.
    Moved,
    /// It moved the command, without an id: only this one could be meant.
    Inferred,
    /// A final answer after the timeout: it still settles the command.
    Late,
    /// The device did not carry it out, because it requires a signed request: it is sent again.
    Challenge,
    /// `running` again: a heartbeat.
    Heartbeat,
    /// The same answer again.
    Duplicate,
    /// A second, different final answer: the first one counts.
    Conflict,
    /// A final answer to a command that had ended here as cancelled or expired.
    Contradiction,
    /// A non-final answer after the end: evidence only.
    AfterTheEnd,
    /// Without an id, and more than one command could be meant.
    Ambiguous,
}

/// Why an answer settles nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unmatched {
    /// It has an unknown ID.
    UnknownId,
    /// It names the id of another device's command.
    OtherDevice,
    /// Payload and Correlation Data name different ids.
    Disagreement,
    /// It is retained, so it is an old one.
    Retained,
    /// It names no id, and no command of that device is outstanding.
    NothingOutstanding,
}

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeOut {
    /// Silence for as long as was allowed.
    Silence,
    /// The heartbeats of a running command stopped.
    HeartbeatsStopped,
    /// Its time to live passed while it is unknown whether it was sent: it may have run.
    MayHaveRun,
    /// *Stop waiting* was requested.
    Abandoned,
}
