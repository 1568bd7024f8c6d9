//! Drafts of a dialect: the file, the same as a form, and how it reads the received messages.

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
    /// The payload, with `{command}`, `{id}` and `{args...}`.
    pub request_payload: String,
    /// That is JSON.
    pub is_json: bool,
    /// How the command's ID is written.
    pub request_id: IdForm,
    /// Where answers come.
    pub answer_topic: String,
    /// Where an answer has the command's ID; empty where it names none.
    pub answer_id: String,
    /// The words for the outcome of a command; the first match counts.
    pub outcomes: Vec<OutcomeWord>,
    /// Where the device reports its state.
    pub state_topic: String,
    /// The name of a state that is a single value.
    pub state_key: String,
    /// Which value the device must report so that a command without an answer is done; empty: each argument under its name.
    pub expect_key: String,
    /// The required value; empty: any.
    pub expect_value: String,
    /// Why nothing can come back, as a sentence.
    pub silent: String,
    /// The topic of the device's presence.
    pub presence_topic: String,
    /// Where in that payload; empty: the whole.
    pub presence_at: String,
    /// The words for online, separated by commas.
    pub online: String,
    /// The words for offline, separated by commas.
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

/// A word of an answer, and its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OutcomeWord {
    /// Its place: a JSON pointer, or a placeholder of the topic. Empty with an empty word: every answer.
    pub at: String,
    /// The word, or several separated by commas. `word*` is the beginning of a text. Empty: any value.
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
    /// The file, as a user wrote it.
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
    /// Two messages that the user marked: the request, and its answer or the report of the state that it changes.
    Messages {
        /// The dialect's name.
        name: String,
        /// The request, by its place among the messages.
        request: u32,
        /// The answers, by their place.
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
    /// The same as a form; none for a file with an error, or with more than the form can show.
    pub fields: Option<DialectFields>,
    /// Its name, if the file is valid.
    pub name: Option<String>,
    /// The problems of the file.
    pub problems: Vec<DialectProblem>,
    /// Remarks about what was found and what could not be determined, and other dialects that read the same topics: a
    /// sentence each.
    pub remarks: Vec<String>,
    /// How it reads the messages, one for each; none while the file has an error.
    pub readings: Vec<MessageReading>,
}

/// A problem of a dialect file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectProblem {
    /// The line, from 1.
    pub line: u32,
    /// The problem and how to fix it.
    pub what: String,
}

/// How a message is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MessageReading {
    /// The kind.
    pub kind: ReadingKind,
    /// Of which device.
    pub device: Option<String>,
    /// The content, in a few words; or why it cannot be read.
    pub said: String,
}

/// The meaning of a message in a dialect.
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

/// A user's own dialect file.
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
