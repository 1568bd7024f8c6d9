//! The events of a command, and how each answer of its device was read.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandState, WireView};

/// One fact of a command's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EventView {
    /// Its place among all of the command's events, or in a list of its own, from 0. Where some are left out, it leaps.
    pub place: u32,
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
    /// The kind of fact.
    pub kind: EventKind,
    /// The event, as a sentence.
    pub text: String,
    /// The send it belongs to.
    pub attempt: Option<u32>,
    /// With an answer: its content.
    pub answer: Option<AnswerView>,
}

/// An answer and what was made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AnswerView {
    /// The outcome.
    pub outcome: AnswerOutcome,
    /// How it was read.
    pub reading: AnswerReading,
    /// 0 … 100 %.
    pub progress: Option<u8>,
    /// The device's sentence.
    pub message: Option<String>,
    /// The message as it came.
    pub raw: WireView,
}

/// The kind of fact of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum EventKind {
    /// It was written to the outbox, or another console sent it.
    Submitted,
    /// It is kept here until its device is online.
    Held,
    /// Its device is online.
    Released,
    /// It waits until its device is back at the broker.
    AwaitsReturn,
    /// It was passed to the MQTT client.
    Handed,
    /// The history has lost events, so it may have been sent.
    EventsMissing,
    /// The MQTT client has written it.
    Sent,
    /// The broker has acknowledged it.
    AtBroker,
    /// The connection ended before the broker acknowledged it.
    DeliveryUnknown,
    /// The MQTT client did not accept it.
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
    /// No answer came in time.
    TimedOut,
    /// Its time to live passed before it was sent.
    Expired,
    /// It was withdrawn before it was sent.
    Cancelled,
}

impl EventKind {
    /// The state that such an event brings its command into, where the event alone decides that: what an answer does is in
    /// the answer.
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

    /// The word for it in JSON, `expired` for instance.
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

/// What a device says of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Outcome {
    /// The device has it.
    Accepted,
    /// The device is doing it.
    Running,
    /// The device did it.
    Succeeded,
    /// The device could not do it.
    Failed,
    /// The device will not do it.
    Rejected,
}

impl Outcome {
    /// The state that a command is in when its device says so.
    #[must_use]
    pub fn state(self) -> CommandState {
        wilco_ledger::Outcome::from(self).state().into()
    }

    /// The word for it in tables and JSON, `rejected` for instance.
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

/// What an answer says of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AnswerOutcome {
    /// Nobody knows what it says.
    Unreadable,
    /// This.
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

/// How an answer was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AnswerReading {
    /// It changed the state.
    Moved,
    /// It has no ID, and can only belong to this command.
    Inferred,
    /// It came after the timeout, and still counts.
    Late,
    /// The device did not carry out the request: it requires one signed with its password.
    Challenge,
    /// It reports that the device is still working on it.
    Heartbeat,
    /// It repeats an earlier one.
    Duplicate,
    /// It is a second, different final answer.
    Conflict,
    /// The command had ended here, and the device reports something else.
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
    /// It does not change a command's state: the broker had kept it.
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
