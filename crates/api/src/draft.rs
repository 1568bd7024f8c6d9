//! A dialect that somebody describes: its file, the same as a form, and how it reads what was received.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Outcome;

/// A dialect file as a form has it. An empty text is a part that is not described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectFields {
    /// One word: `my-firmware`.
    pub name: String,
    /// The readable name.
    pub title: String,
    /// A sentence.
    pub about: String,
    /// Where requests are published, with `{device}`.
    pub request_topic: String,
    /// What is published, with `{command}`, `{id}` and `{args...}`.
    pub request_payload: String,
    /// That is JSON.
    pub is_json: bool,
    /// How the command's ID is written.
    pub request_id: IdForm,
    /// The quality of service of requests, 0 … 2.
    pub qos: u8,
    /// Where answers come.
    pub answer_topic: String,
    /// Where an answer has the command's ID; empty where it names none.
    pub answer_id: String,
    /// The words by which an answer says how the command went; the first one that fits counts.
    pub outcomes: Vec<OutcomeWord>,
    /// Where the device reports its state.
    pub state_topic: String,
    /// The name of a state that is a single value.
    pub state_key: String,
    /// Which value the device must report so that a command without an answer is done; empty: each argument under its name.
    pub expect_key: String,
    /// What that value must be; empty: anything.
    pub expect_value: String,
    /// Why nothing can come back, as a sentence.
    pub silent: String,
    /// Where the device says whether it is there.
    pub presence_topic: String,
    /// Where in that payload; empty: the whole.
    pub presence_at: String,
    /// The words for there, separated by commas.
    pub online: String,
    /// The words for not there, separated by commas.
    pub offline: String,
    /// Where measurements come.
    pub telemetry: Vec<String>,
}

/// How a command's ID is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum IdForm {
    /// As text.
    Text,
    /// As a number from 1 to 2,147,483,647.
    Int31,
    /// Not at all.
    None,
}

/// A word of an answer, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OutcomeWord {
    /// Where it is: a JSON pointer, or a placeholder of the topic. Empty with an empty word: every answer.
    pub at: String,
    /// The word; several are separated by commas. Empty: anything that stands there.
    pub is: String,
    /// What it means.
    pub means: Outcome,
    /// Where the device's sentence is.
    pub message: String,
}

/// What a draft is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "from", rename_all = "snake_case")]
#[ts(export)]
pub enum DraftSource {
    /// Nothing yet: a firmware that names each command in its answers.
    New,
    /// The file, as somebody has written it.
    Text {
        /// The file.
        text: String,
    },
    /// The form. Comments at the head of the file as it was before stay.
    Fields {
        /// The form.
        fields: Box<DialectFields>,
        /// The file as it was before.
        before: String,
    },
    /// Two messages that somebody points at: the request, and its answer or the report of the state that it changes.
    Messages {
        /// The dialect's name.
        name: String,
        /// The request, by its place among the messages.
        request: u32,
        /// What comes back, by its place.
        answer: Option<u32>,
    },
    /// All the messages.
    Everything {
        /// The dialect's name.
        name: String,
    },
}

/// A message that was received, for a draft to be tried on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SampleMessage {
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Its topic.
    pub topic: String,
    /// Its payload as text.
    pub payload: String,
    /// The broker had kept it.
    pub retained: bool,
}

/// A dialect that is being described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectDraft {
    /// The file.
    pub text: String,
    /// The same as a form; none for a file with an error, or one that says more than the form has room for.
    pub fields: Option<DialectFields>,
    /// Its name, if the file is valid.
    pub name: Option<String>,
    /// What is wrong with the file.
    pub problems: Vec<DialectProblem>,
    /// What was seen and what could not be told, and which other dialects read the same topics: a sentence each.
    pub remarks: Vec<String>,
    /// How it reads the messages, one for each; none while the file has an error.
    pub readings: Vec<MessageReading>,
}

/// What is wrong with a dialect file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectProblem {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong and what to do.
    pub what: String,
}

/// How a message is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MessageReading {
    /// What it is.
    pub kind: ReadingKind,
    /// Of which device.
    pub device: Option<String>,
    /// What it says, in a few words; why it cannot be read.
    pub said: String,
}

/// What a message is to a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ReadingKind {
    /// A command to a device.
    Request,
    /// A device's answer.
    Answer,
    /// A device's state.
    State,
    /// Whether a device is there.
    Presence,
    /// Measurements.
    Telemetry,
    /// On a topic that is described, and not readable.
    Unreadable,
    /// On a topic that is not described.
    Other,
}

/// A dialect file of somebody's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnDialect {
    /// Its name.
    pub name: String,
    /// The readable name.
    pub title: String,
    /// A sentence.
    pub about: String,
    /// The file.
    pub text: String,
    /// It is enabled on the connection.
    pub enabled: bool,
    /// What the connection can change of it.
    pub settings: Vec<super::DialectSetting>,
}
