//! The events of a command, and the interpretation of each answer.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandState, WireView};

/// An event in a command's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EventView {
    /// Its position among all of the command's events, or in a separate list, from 0. Omitted events leave gaps.
    pub place: u32,
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
    /// The kind of event.
    pub kind: EventKind,
    /// The event, as a sentence.
    pub text: String,
    /// The send it belongs to.
    pub attempt: Option<u32>,
    /// The content of an answer.
    pub answer: Option<AnswerView>,
}

/// An answer and its interpretation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AnswerView {
    /// The outcome.
    pub outcome: AnswerOutcome,
    /// Its interpretation.
    pub reading: AnswerReading,
    /// 0 … 100 %.
    pub progress: Option<u8>,
    /// The device's message.
    pub message: Option<String>,
    /// The message as received.
    pub raw: WireView,
}

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum EventKind {
    /// It was written to the outbox, or another console sent it.
    Submitted,
    /// It is held until its device is online.
    Held,
    /// Its device is online, so it was released.
    Released,
    /// It waits until its device has reconnected to the broker.
    AwaitsReturn,
    /// It was passed to the MQTT client.
    Handed,
    /// The history has lost events, so it may have been sent.
    EventsMissing,
    /// The MQTT client wrote it to the network.
    Sent,
    /// The broker has acknowledged it.
    AtBroker,
    /// The connection ended before the broker acknowledged it.
    DeliveryUnknown,
    /// The MQTT client rejected it.
    NotSent,
    /// It cannot be delivered.
    Undeliverable,
    /// It was delivered, and no answer is expected.
    Unconfirmed,
    /// The device has answered it, or reports the requested value.
    Answered,
    /// An answer belongs to no command.
    Unsolicited,
    /// An answer cannot be read.
    Unreadable,
    /// No answer arrived in time.
    TimedOut,
    /// Its time to live passed before it was sent.
    Expired,
    /// It was cancelled before it was sent.
    Cancelled,
}

impl EventKind {
    /// The resulting state of the command, if the event alone determines it. For answers, see the answer.
    #[must_use]
    pub fn state(self) -> Option<CommandState> {
        match self {
            EventKind::Submitted | EventKind::Released => Some(CommandState::Queued),
            EventKind::Held => Some(CommandState::Held),
            EventKind::Sent => Some(CommandState::Sent),
            EventKind::AtBroker => Some(CommandState::AtBroker),
            EventKind::Undeliverable => Some(CommandState::Undeliverable),
            EventKind::Unconfirmed => Some(CommandState::Unconfirmed),
            EventKind::TimedOut => Some(CommandState::TimedOut),
            EventKind::Expired => Some(CommandState::Expired),
            EventKind::Cancelled => Some(CommandState::Cancelled),
            EventKind::AwaitsReturn
            | EventKind::Handed
            | EventKind::EventsMissing
            | EventKind::DeliveryUnknown
            | EventKind::NotSent
            | EventKind::Answered
            | EventKind::Unsolicited
            | EventKind::Unreadable => None,
        }
    }

    /// The kind in JSON, for example `expired`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Submitted => "submitted",
            EventKind::Held => "held",
            EventKind::Released => "released",
            EventKind::AwaitsReturn => "awaits_return",
            EventKind::Handed => "handed",
            EventKind::EventsMissing => "events_missing",
            EventKind::Sent => "sent",
            EventKind::AtBroker => "at_broker",
            EventKind::DeliveryUnknown => "delivery_unknown",
            EventKind::NotSent => "not_sent",
            EventKind::Undeliverable => "undeliverable",
            EventKind::Unconfirmed => "unconfirmed",
            EventKind::Answered => "answered",
            EventKind::Unsolicited => "unsolicited",
            EventKind::Unreadable => "unreadable",
            EventKind::TimedOut => "timed_out",
            EventKind::Expired => "expired",
            EventKind::Cancelled => "cancelled",
        }
    }
}

/// The outcome in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Outcome {
    /// The device has received the command.
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
    /// The resulting state of a command.
    #[must_use]
    pub fn state(self) -> CommandState {
        wilco_ledger::Outcome::from(self).state().into()
    }

    /// The outcome in tables and JSON, for example `rejected`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.state().as_str()
    }
}

impl From<wilco_ledger::Outcome> for Outcome {
    fn from(outcome: wilco_ledger::Outcome) -> Outcome {
        match outcome {
            wilco_ledger::Outcome::Accepted => Outcome::Accepted,
            wilco_ledger::Outcome::Running => Outcome::Running,
            wilco_ledger::Outcome::Succeeded => Outcome::Succeeded,
            wilco_ledger::Outcome::Failed => Outcome::Failed,
            wilco_ledger::Outcome::Rejected => Outcome::Rejected,
        }
    }
}

impl From<Outcome> for wilco_ledger::Outcome {
    fn from(outcome: Outcome) -> wilco_ledger::Outcome {
        match outcome {
            Outcome::Accepted => wilco_ledger::Outcome::Accepted,
            Outcome::Running => wilco_ledger::Outcome::Running,
            Outcome::Succeeded => wilco_ledger::Outcome::Succeeded,
            Outcome::Failed => wilco_ledger::Outcome::Failed,
            Outcome::Rejected => wilco_ledger::Outcome::Rejected,
        }
    }
}

/// The outcome in an answer, if it is readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AnswerOutcome {
    /// The outcome is unreadable.
    Unreadable,
    /// The outcome.
    #[serde(untagged)]
    Read(Outcome),
}

impl AnswerOutcome {
    /// The name in JSON, for example `rejected`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AnswerOutcome::Unreadable => "unreadable",
            AnswerOutcome::Read(outcome) => outcome.as_str(),
        }
    }
}

/// The interpretation of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AnswerReading {
    /// It changed the state.
    Moved,
    /// It has no ID, but can only belong to this command.
    Inferred,
    /// It arrived after the timeout, but still counts.
    Late,
    /// The device did not run the command: it requires a request signed with its password.
    Challenge,
    /// It reports that the device is still working on it.
    Heartbeat,
    /// It repeats an earlier one.
    Duplicate,
    /// It is a second, different final answer.
    Conflict,
    /// The command had already ended here, but the device reports something else.
    Contradiction,
    /// It arrived after the command finished, and adds nothing.
    AfterTheEnd,
    /// It has no ID, and could belong to more than one command.
    Ambiguous,
    /// It does not change a command's state: its ID is unknown.
    UnknownId,
    /// It does not change a command's state: its ID is that of another device's command.
    OtherDevice,
    /// It does not change a command's state: payload and Correlation Data have different IDs.
    Disagreement,
    /// It does not change a command's state: the broker had retained it.
    Retained,
    /// It does not change a command's state: it has no ID, and no command of the device is unfinished.
    NothingOutstanding,
    /// It does not change a command's state: it cannot be read.
    Unreadable,
}

impl AnswerReading {
    /// The name in JSON, for example `nothing_outstanding`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AnswerReading::Moved => "moved",
            AnswerReading::Inferred => "inferred",
            AnswerReading::Late => "late",
            AnswerReading::Challenge => "challenge",
            AnswerReading::Heartbeat => "heartbeat",
            AnswerReading::Duplicate => "duplicate",
            AnswerReading::Conflict => "conflict",
            AnswerReading::Contradiction => "contradiction",
            AnswerReading::AfterTheEnd => "after_the_end",
            AnswerReading::Ambiguous => "ambiguous",
            AnswerReading::UnknownId => "unknown_id",
            AnswerReading::OtherDevice => "other_device",
            AnswerReading::Disagreement => "disagreement",
            AnswerReading::Retained => "retained",
            AnswerReading::NothingOutstanding => "nothing_outstanding",
            AnswerReading::Unreadable => "unreadable",
        }
    }
}
