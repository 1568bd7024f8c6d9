use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandState, Confirmation, Confirmed, CutView, Delivery, DiscardedView, EventView, JsonText, Outcome};

/// A command to send.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NewCommand {
    /// The connection ID.
    pub connection: String,
    /// The devices. Each gets its own command.
    pub devices: Vec<String>,
    /// The command's name.
    pub command: String,
    /// Its arguments: a JSON object.
    #[serde(default)]
    pub args: JsonText,
    /// The timeout, milliseconds; the command's default if `None`.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub timeout_ms: Option<u64>,
    /// The time to live, milliseconds; the command's default if `None`.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub ttl_ms: Option<u64>,
    /// The maximum number of resends.
    #[serde(default)]
    pub retries: Option<u32>,
    /// What to do while a device is offline.
    #[serde(default)]
    pub delivery: Option<Delivery>,
    /// No answer is expected: the command ends as unconfirmed when the broker acknowledges it.
    #[serde(default)]
    pub no_answer: bool,
    /// The command that this one repeats.
    #[serde(default)]
    pub again_of: Option<String>,
    /// Wilco sends it automatically, for example to follow a log. The history lists it separately, and it does not
    /// count as a device's last command.
    #[serde(default)]
    pub automatic: bool,
    /// The confirmation that the user gave, see [`CommandCheck::confirmation`].
    #[serde(default)]
    pub confirmed: Confirmed,
    /// The reason for the audit.
    #[serde(default)]
    pub note: Option<String>,
}

/// The result of checking a command before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandCheck {
    /// The reason why the connection sends nothing, as a sentence.
    pub refused: Option<String>,
    /// The confirmation that the connection's mode requires. Without it, the engine refuses the command.
    pub confirmation: Confirmation,
    /// The devices with something to report.
    pub devices: Vec<DeviceCheck>,
}

/// The result of checking a command for one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceCheck {
    /// The device ID.
    pub device: String,
    /// The device's display name, if it differs from the ID.
    pub name: Option<String>,
    /// The reported state, if it already equals the requested one, for example `ON`.
    pub already: Option<String>,
    /// With `already`: the device answers only by reporting a change, so the command may end as unconfirmed or time
    /// out.
    pub may_stay_silent: bool,
    /// The reason why the device cannot report back, as a sentence: the command ends as unconfirmed.
    pub silent: Option<String>,
    /// The reason why it cannot be sent, as a sentence.
    pub refused: Option<String>,
    /// A warning about another console's unfinished command on the device, as a sentence.
    pub busy: Option<String>,
}

/// The commands created from a [`NewCommand`], in the order of its devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Sent {
    /// The command IDs.
    pub ids: Vec<String>,
}

/// A command in its current state. All times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandView {
    /// The connection ID.
    pub connection: String,
    /// The device ID.
    pub device: String,
    /// The command ID.
    pub id: String,
    /// The command name.
    pub command: String,
    /// Its arguments.
    pub args: JsonText,
    /// The sender.
    pub by: SentBy,
    /// Wilco sent it automatically.
    #[serde(default)]
    pub automatic: bool,
    /// The operator named in the request, at most 64 characters. Anyone can write any name there.
    #[serde(default)]
    pub operator: Option<String>,
    /// Its state.
    pub state: CommandState,
    /// The state is final.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// When it was written to the outbox.
    #[ts(type = "number")]
    pub queued_at: i64,
    /// When the MQTT client wrote it to the network.
    #[ts(type = "number | null")]
    pub sent_at: Option<i64>,
    /// When the broker acknowledged it.
    #[ts(type = "number | null")]
    pub at_broker_at: Option<i64>,
    /// When the device first answered.
    #[ts(type = "number | null")]
    pub accepted_at: Option<i64>,
    /// When it reached its final state.
    #[ts(type = "number | null")]
    pub finished_at: Option<i64>,
    /// When it will time out or expire, unless something happens first.
    #[ts(type = "number | null")]
    pub deadline: Option<i64>,
    /// The time of its last event.
    #[ts(type = "number")]
    pub changed_at: i64,
    /// The number of sends.
    pub attempts: u32,
    /// Progress, 0 … 100 %.
    pub progress: Option<u8>,
    /// The device's message; or Wilco's, if the command ended without the device or was settled by a report.
    pub message: Option<String>,
    /// The result in the final answer.
    pub result: Option<JsonText>,
    /// How the answer that changed its state was matched; `None` without such an answer.
    #[serde(rename = "match")]
    pub matched: Option<AnswerMatch>,
    /// The basis of the final state, if the device determined it.
    #[serde(default)]
    pub settled_by: Option<SettledBy>,
    /// The final answer arrived after the timeout.
    pub late: bool,
    /// The number of answers that only repeated an earlier one.
    pub duplicates: u32,
    /// Unreadable messages about it. They settled nothing; the evidence contains their bytes.
    #[serde(default)]
    pub unreadable: Option<UnreadableView>,
    /// A second, different final answer was received.
    pub conflict: bool,
    /// The state that the device reports although the command was cancelled or expired here.
    pub contradicted: Option<Outcome>,
    /// The broker reported no subscribers on the topic.
    pub nobody_listening: bool,
    /// The device rejected it as expired right after it was sent, so the clocks of the device and this computer
    /// probably differ.
    #[serde(default)]
    pub clocks_differ: bool,
    /// The command that this one repeats.
    pub again_of: Option<String>,
}

impl CommandView {
    /// The sender as text: `you`, `another console`, or `another console, by Ana`. The name is the one in the request.
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
    /// The user of this console.
    You,
    /// Another console.
    #[serde(rename = "another console")]
    AnotherConsole,
    /// Wilco, automatically.
    #[serde(rename = "Wilco")]
    Wilco,
}

impl SentBy {
    /// The sender in tables and JSON.
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
    /// It has no ID, but can only belong to this command.
    Inferred,
    /// It has no ID, and could belong to more than one command.
    Ambiguous,
}

impl AnswerMatch {
    /// The match in tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AnswerMatch::Exact => "exact",
            AnswerMatch::Inferred => "inferred",
            AnswerMatch::Ambiguous => "ambiguous",
        }
    }
}

/// The basis of a command's final state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SettledBy {
    /// The device has answered the command.
    Answer,
    /// The device did not answer, but reports the requested state. If the device gave no message, the message is
    /// Wilco's and contains the report.
    Report,
}

/// Identifies a command of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandRef {
    /// The device ID.
    pub device: String,
    /// The command ID.
    pub id: String,
}

/// Unreadable answers to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct UnreadableView {
    /// The number of answers.
    pub count: u32,
    /// When the last one arrived, Unix milliseconds.
    #[ts(type = "number")]
    pub last_at: i64,
    /// The problem with the last one, as a sentence.
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
    /// The origin of that request.
    pub request_is: RequestOrigin,
    /// Its events, oldest first. If there are thousands of progress answers, only the first and the last.
    pub events: Vec<EventView>,
    /// The number of stored progress answers that are not among these events.
    pub left_out: u32,
    /// Messages about it that were not kept.
    pub discarded: Option<DiscardedView>,
    /// The difference, if the device answered that it succeeded but later reported something else.
    pub disagrees: Option<DisagreementView>,
    /// The command line that repeats it in a POSIX shell; `None` if a name contains control characters.
    pub shell_line: Option<String>,
}

/// A device answered that a command succeeded, but reported something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DisagreementView {
    /// The command ID.
    pub command: String,
    /// The answer and the report: `Answered ON, reports OFF`.
    pub text: String,
    /// The difference is past: since then, the device has reported the value or received another command.
    pub past: bool,
}

/// The origin of the request that is shown for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum RequestOrigin {
    /// It was published like this.
    Sent,
    /// Another console published it, and Wilco received it.
    Observed,
    /// Nothing was published; this is what the current connection would publish.
    Planned,
}

/// A message as it was transferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WireView {
    /// Its topic.
    pub topic: String,
    /// Its quality of service.
    pub qos: u8,
    /// The size of its whole payload in bytes.
    pub bytes: u32,
    /// The payload as text; bytes that are not UTF-8 are written as `\xNN`.
    pub payload: String,
    /// The payload was not UTF-8.
    pub binary: bool,
    /// Only both ends of the payload were kept, with a line between them that gives the missing size.
    #[serde(default)]
    pub cut: Option<CutView>,
}
