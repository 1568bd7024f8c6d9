use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandState, Confirmation, Confirmed, CutView, Delivery, DiscardedView, EventView, JsonText, Outcome};

/// A command to send.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NewCommand {
    /// The connection's id.
    pub connection: String,
    /// The devices to ask, each by a command of its own.
    pub devices: Vec<String>,
    /// The command's name.
    pub command: String,
    /// Its arguments: a JSON object.
    #[serde(default)]
    pub args: JsonText,
    /// Longest silence, milliseconds; the command's own where none is given.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub timeout_ms: Option<u64>,
    /// Time to live, milliseconds; the command's own where none is given.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub ttl_ms: Option<u64>,
    /// Sends after the first, at the most.
    #[serde(default)]
    pub retries: Option<u32>,
    /// What to do while a device is offline.
    #[serde(default)]
    pub delivery: Option<Delivery>,
    /// No answer is expected: it ends well when the broker has it.
    #[serde(default)]
    pub no_answer: bool,
    /// The command that this one repeats.
    #[serde(default)]
    pub again_of: Option<String>,
    /// Wilco sends it by itself, for example to follow a log. The history lists it apart, and it is no device's last
    /// command.
    #[serde(default)]
    pub automatic: bool,
    /// What the person has confirmed, see [`CommandCheck::confirmation`].
    #[serde(default)]
    pub confirmed: Confirmed,
    /// Why it is sent, for the audit.
    #[serde(default)]
    pub note: Option<String>,
}

/// What is known of a command before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandCheck {
    /// Why the connection sends nothing at all, as a sentence.
    pub refused: Option<String>,
    /// What the person has to do first, by the connection's mode. Without it the engine refuses the command.
    pub confirmation: Confirmation,
    /// Those of its devices of which there is something to say.
    pub devices: Vec<DeviceCheck>,
}

/// What is known of a command for one device before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceCheck {
    /// The device's id.
    pub device: String,
    /// The device's display name, where it is known by another one.
    pub name: Option<String>,
    /// What the device reports already, where that is what the command asks for: `ON`, for instance.
    pub already: Option<String>,
    /// Beside `already`: the device answers only by reporting a change, so the command may end as unconfirmed or time out.
    pub may_stay_silent: bool,
    /// Why nothing can come back, as a sentence: the command ends as unconfirmed.
    pub silent: Option<String>,
    /// Why it cannot be sent, as a sentence.
    pub refused: Option<String>,
    /// That a command of another console has not finished on it, as a sentence.
    pub busy: Option<String>,
}

/// The commands that a [`NewCommand`] has become, in the order of its devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Sent {
    /// Their ids.
    pub ids: Vec<String>,
}

/// A command as it stands. All times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandView {
    /// Its connection's id.
    pub connection: String,
    /// Its device's id.
    pub device: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub command: String,
    /// Its arguments.
    pub args: JsonText,
    /// The sender.
    pub by: SentBy,
    /// Wilco sent it by itself.
    #[serde(default)]
    pub automatic: bool,
    /// The operator whom the request names, at most 64 characters. Anybody may write any name there.
    #[serde(default)]
    pub operator: Option<String>,
    /// Its state.
    pub state: CommandState,
    /// Nothing more is awaited.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// When it was written to the outbox.
    #[ts(type = "number")]
    pub queued_at: i64,
    /// When it was on the wire.
    #[ts(type = "number | null")]
    pub sent_at: Option<i64>,
    /// When the broker had it.
    #[ts(type = "number | null")]
    pub at_broker_at: Option<i64>,
    /// The first sign of the device.
    #[ts(type = "number | null")]
    pub accepted_at: Option<i64>,
    /// When it ended.
    #[ts(type = "number | null")]
    pub finished_at: Option<i64>,
    /// When it counts as timed out or expired, unless something happens before.
    #[ts(type = "number | null")]
    pub deadline: Option<i64>,
    /// When its last event happened.
    #[ts(type = "number")]
    pub changed_at: i64,
    /// The number of sends.
    pub attempts: u32,
    /// 0 … 100 %.
    pub progress: Option<u8>,
    /// The device's sentence, or ours: where the command ended without its device, and where a report settled it.
    pub message: Option<String>,
    /// The final answer's result.
    pub result: Option<JsonText>,
    /// How the answer that moved it was matched to it; nothing before there is one.
    #[serde(rename = "match")]
    pub matched: Option<AnswerMatch>,
    /// What its end rests on, where its device has said how it ended.
    #[serde(default)]
    pub settled_by: Option<SettledBy>,
    /// The final answer came after we had given up.
    pub late: bool,
    /// Answers that only repeated an earlier one.
    pub duplicates: u32,
    /// What came about it and cannot be read. It has settled nothing; the bytes are in its evidence.
    #[serde(default)]
    pub unreadable: Option<UnreadableView>,
    /// A second, different final answer was heard.
    pub conflict: bool,
    /// What the device reports of a command that had ended here as cancelled or expired.
    pub contradicted: Option<Outcome>,
    /// The broker said that nobody listens on the topic.
    pub nobody_listening: bool,
    /// The device refused it as expired right after it was sent: most likely its clock and this computer's differ.
    #[serde(default)]
    pub clocks_differ: bool,
    /// The command that it repeats.
    pub again_of: Option<String>,
}

impl CommandView {
    /// The sender, for people: `you`, `another console`, or `another console, by Ana`. The name is as the request has it.
    #[must_use]
    pub fn requested_by(&self) -> String {
        match &self.operator {
            Some(operator) => format!("{}, by {operator}", self.by),
            None => self.by.to_string(),
        }
    }
}

/// The sender of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SentBy {
    /// The person at this console.
    You,
    /// Another console.
    #[serde(rename = "another console")]
    AnotherConsole,
    /// Wilco by itself.
    #[serde(rename = "Wilco")]
    Wilco,
}

impl SentBy {
    /// The words for it in tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SentBy::You => "you",
            SentBy::AnotherConsole => "another console",
            SentBy::Wilco => "Wilco",
        }
    }
}

impl fmt::Display for SentBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// How an answer was matched to its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AnswerMatch {
    /// By its ID.
    Exact,
    /// It has no ID, and can only belong to this command.
    Inferred,
    /// It has no ID, and could belong to more than one command.
    Ambiguous,
}

impl AnswerMatch {
    /// The word for it in tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AnswerMatch::Exact => "exact",
            AnswerMatch::Inferred => "inferred",
            AnswerMatch::Ambiguous => "ambiguous",
        }
    }
}

/// What of its device a command's end rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SettledBy {
    /// The device has answered the command.
    Answer,
    /// The device has answered nothing, but reports what the command asked for. Without a sentence of the device's own,
    /// the message is ours and says what it reports.
    Report,
}

/// Which command of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandRef {
    /// Its device.
    pub device: String,
    /// Its id.
    pub id: String,
}

/// Answers to a command that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct UnreadableView {
    /// How many.
    pub count: u32,
    /// When the last one came, Unix milliseconds.
    #[ts(type = "number")]
    pub last_at: i64,
    /// What is wrong with the last one, as a sentence.
    pub why: String,
}

/// A command with all its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandDetail {
    /// The command.
    pub command: CommandView,
    /// The last request, byte for byte.
    pub request: Option<WireView>,
    /// Where that request is from.
    pub request_is: RequestOrigin,
    /// Its events, oldest first. Of thousands of answers that only say that the device is still at it, the first and the
    /// last.
    pub events: Vec<EventView>,
    /// How many such answers are kept but not among its events here.
    pub left_out: u32,
    /// Messages about it that were not kept.
    pub discarded: Option<DiscardedView>,
    /// Its device said that it did it, and reported something else afterwards.
    pub disagrees: Option<DisagreementView>,
    /// How it is asked for once more at a POSIX shell; nothing where a name would do something to a terminal.
    pub shell_line: Option<String>,
}

/// A device said that it did what a command asked for, and reported something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DisagreementView {
    /// The command's id.
    pub command: String,
    /// What the device said and what it reports: `Answered ON, reports OFF`.
    pub text: String,
    /// It was so after the answer. Since then the device has reported the value, or was sent another command.
    pub past: bool,
}

/// Where the request that is shown of a command is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum RequestOrigin {
    /// It was published so.
    Sent,
    /// Another console published it, and Wilco received it.
    Observed,
    /// Nothing has been published; by the connection as it stands now, it would be this.
    Planned,
}

/// A message as it went over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WireView {
    /// Its topic.
    pub topic: String,
    /// Its quality of service.
    pub qos: u8,
    /// The size of its whole payload in bytes.
    pub bytes: u32,
    /// The payload as text: bytes that are not UTF-8 stand as `\xNN`.
    pub payload: String,
    /// The payload was not UTF-8.
    pub binary: bool,
    /// Only both ends of the payload are kept, with a line between them that says how much is missing.
    #[serde(default)]
    pub cut: Option<CutView>,
}
