use serde::{Deserialize, Serialize, Serializer};
use ts_rs::TS;

use super::JsonText;

/// A user's own command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandDefinition {
    /// Its name in requests.
    pub name: String,
    /// Its display name.
    pub title: String,
    /// The id of the connection that it is for; all where there is none.
    #[serde(default)]
    pub connection: Option<String>,
    /// The JSON Schema of its arguments: of an object.
    pub schema: JsonText,
    /// Where it goes, below the connection's prefix: `{device}/req`, for instance. The dialect's own topic where there is
    /// none.
    #[serde(default)]
    pub topic: Option<String>,
    /// The payload, with the placeholders `{id}`, `{device}`, `{args}`, `{args.name}`, `{issued_at}` and
    /// `{expires_at}`. The dialect's payload if there is none.
    #[serde(default)]
    pub payload: Option<String>,
    /// The payload is plain text; otherwise it has to make JSON.
    #[serde(default)]
    pub plain: bool,
    /// Longest silence, milliseconds.
    #[ts(type = "number")]
    pub timeout_ms: u64,
    /// Time to live, milliseconds.
    #[ts(type = "number")]
    pub ttl_ms: u64,
    /// Doing it twice is the same as doing it once.
    #[serde(default)]
    pub safe_to_repeat: bool,
    /// It interrupts what the device is doing, so it needs confirmation.
    #[serde(default)]
    pub dangerous: bool,
    /// The device answers it.
    pub answer_expected: bool,
    /// Its sign, one of a fixed set.
    pub icon: String,
}

impl CommandDefinition {
    /// Writes it with the schema as the value itself, to the last digit. For JSON alone.
    ///
    /// # Errors
    /// What the serialiser says.
    pub fn embedded<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Embedded::serialize(self, serializer)
    }
}

/// A definition in a file or a printed row.
#[derive(Serialize)]
#[serde(remote = "CommandDefinition")]
struct Embedded {
    name: String,
    title: String,
    connection: Option<String>,
    #[serde(serialize_with = "JsonText::embedded")]
    schema: JsonText,
    topic: Option<String>,
    payload: Option<String>,
    plain: bool,
    timeout_ms: u64,
    ttl_ms: u64,
    safe_to_repeat: bool,
    dangerous: bool,
    answer_expected: bool,
    icon: String,
}

/// A command of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CatalogueEntry {
    /// Its ID: generated for a user's own command, the name for a built-in one.
    pub id: String,
    /// It came with Wilco and stays as it is.
    pub built_in: bool,
    /// Its definition.
    pub definition: CommandDefinition,
}

/// A command to be shown as it would be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandToPreview {
    /// The definition, which need not be valid yet.
    pub definition: CommandDefinition,
    /// The connection's id; the one that it is for where none is given.
    #[serde(default)]
    pub connection: Option<String>,
    /// The device; an invented one if none is given.
    #[serde(default)]
    pub device: Option<String>,
    /// Its arguments, which are then judged; made up where none are given.
    #[serde(default)]
    pub args: Option<JsonText>,
}

/// A command as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandPreview {
    /// Its topic.
    pub topic: String,
    /// Its payload as text.
    pub payload: String,
    /// The request contains the command's ID, so its answer can name it.
    pub carries_id: bool,
    /// Its schema is one that a form can be made from.
    pub drawable: bool,
    /// Why it cannot be kept or sent like this: sentences.
    pub problems: Vec<String>,
    /// Remarks about a definition that can be saved and sent anyway: sentences.
    pub remarks: Vec<String>,
}

/// A command or a button in a file, and what taking it would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImportLine {
    /// Which of the two.
    pub kind: ImportKind,
    /// The key for replacing it: a command's name on the wire, a button's label.
    pub name: String,
    /// A command's display name; the name of the command that a button sends.
    pub title: String,
    /// The connection that it is for, by name; all where there is none.
    pub connection: Option<String>,
    /// How it differs from the existing one.
    pub change: ImportChange,
    /// Why it is refused: a sentence.
    pub why: Option<String>,
}

/// The contents of a file of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ImportKind {
    /// A user's own command.
    Command,
    /// A command with its arguments filled in.
    Button,
}

/// How a command or a button in a file differs from the existing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ImportChange {
    /// There is none of that name.
    New,
    /// There is one of that name for the same connections, and it is different.
    Changed,
    /// It is here already.
    Same,
    /// It cannot be taken.
    Refused,
}

/// A command with its arguments filled in, to be sent by one press.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandButton {
    /// Its id; empty for a new one.
    #[serde(default)]
    pub id: String,
    /// The id of the connection that it is for; all where there is none.
    #[serde(default)]
    pub connection: Option<String>,
    /// The label.
    pub label: String,
    /// Its sign, one of a fixed set.
    pub icon: String,
    /// The command's name.
    pub command: String,
    /// Its arguments: a JSON object.
    pub args: JsonText,
    /// No answer is expected.
    #[serde(default)]
    pub no_answer: bool,
}
