//! Drafts of a dialect: the file, its representation as a form, and how it decodes received messages.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Outcome;

/// A dialect file as a form. An empty text means that the part is not described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectFields {
    /// The name: one word, such as `my-firmware`.
    pub name: String,
    /// The title.
    pub title: String,
    /// The description, a sentence.
    pub about: String,
    /// The topic of requests, with `{device}`.
    pub request_topic: String,
    /// The payload, with `{command}`, `{id}` and `{args...}`.
    pub request_payload: String,
    /// The payload is JSON.
    pub is_json: bool,
    /// How the command's ID is written.
    pub request_id: IdForm,
    /// The topic of answers.
    pub answer_topic: String,
    /// The place of the command's ID in an answer; empty if answers contain none.
    pub answer_id: String,
    /// The outcomes; the first match counts.
    pub outcomes: Vec<OutcomeWord>,
    /// The topic on which the device reports its state.
    pub state_topic: String,
    /// The key of a state that is a single value.
    pub state_key: String,
    /// The key that the device must report to settle a command without an answer; empty: each argument under its name.
    pub expect_key: String,
    /// The required value; empty: any.
    pub expect_value: String,
    /// The reason why the device cannot report back, as a sentence.
    pub silent: String,
    /// The topic of the device's presence.
    pub presence_topic: String,
    /// The place of the presence in that payload; empty: the whole payload.
    pub presence_at: String,
    /// The values for online, separated by commas.
    pub online: String,
    /// The values for offline, separated by commas.
    pub offline: String,
    /// The topics of measurements.
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

/// A value in an answer, and its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OutcomeWord {
    /// Its place: a JSON pointer, or a placeholder of the topic. If place and value are empty, it matches every answer.
    pub at: String,
    /// The value, or several separated by commas. `word*` matches the beginning of a text. Empty: any value.
    pub is: String,
    /// What it means.
    pub means: Outcome,
    /// The place of the device's message.
    pub message: String,
}

/// The source of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "from", rename_all = "snake_case")]
#[ts(export)]
pub enum DraftSource {
    /// Nothing: an example for firmware whose answers contain the command's ID.
    New,
    /// The file, as the user wrote it.
    Text {
        /// The file.
        text: String,
    },
    /// The form. Comments at the beginning of the previous file are kept.
    Fields {
        /// The form.
        fields: Box<DialectFields>,
        /// The file as it was before.
        before: String,
    },
    /// Two messages that the user marked: the request, and its answer or the resulting state report.
    Messages {
        /// The dialect's name.
        name: String,
        /// The request, by its place among the messages.
        request: u32,
        /// The answers, by their place.
        answer: Option<u32>,
    },
    /// All messages.
    Everything {
        /// The dialect's name.
        name: String,
    },
}

/// A received message to try a draft on.
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
    /// The message was retained.
    pub retained: bool,
}

/// A dialect that is being described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectDraft {
    /// The dialect file.
    pub text: String,
    /// The form; `None` for a file with an error, or with more than the form can show.
    pub fields: Option<DialectFields>,
    /// Its name, if the file is valid.
    pub name: Option<String>,
    /// The problems of the file.
    pub problems: Vec<DialectProblem>,
    /// Remarks about findings, about what could not be determined, and about other dialects that use the same topics:
    /// one sentence each.
    pub remarks: Vec<String>,
    /// How it decodes the messages, one entry per message; empty while the file has an error.
    pub readings: Vec<MessageReading>,
}

/// A problem of a dialect file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectProblem {
    /// The line, from 1.
    pub line: u32,
    /// The problem and its solution.
    pub what: String,
}

/// How a message is decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MessageReading {
    /// The kind.
    pub kind: ReadingKind,
    /// The device.
    pub device: Option<String>,
    /// The content, in a few words; or the reason why it cannot be read.
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
    /// A device's presence.
    Presence,
    /// Measurements.
    Telemetry,
    /// On a described topic, but unreadable.
    Unreadable,
    /// On a topic that is not described.
    Other,
}

/// A user's dialect file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnDialect {
    /// Its name.
    pub name: String,
    /// The title.
    pub title: String,
    /// The description, a sentence.
    pub about: String,
    /// The file.
    pub text: String,
    /// Whether it is enabled on the connection.
    pub enabled: bool,
    /// Its settings.
    pub settings: Vec<super::DialectSetting>,
}
