use serde::{Deserialize, Serialize, Serializer};
use ts_rs::TS;

use super::JsonText;

/// A user-defined command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandDefinition {
    /// The command name in requests.
    pub name: String,
    /// Its display name.
    pub title: String,
    /// The ID of its connection; `None` for all connections.
    #[serde(default)]
    pub connection: Option<String>,
    /// The JSON Schema of its arguments, which describes an object.
    pub schema: JsonText,
    /// The topic below the connection's prefix, for example `{device}/req`; `None` for the dialect's topic.
    #[serde(default)]
    pub topic: Option<String>,
    /// The payload, with the placeholders `{id}`, `{device}`, `{args}`, `{args.name}`, `{issued_at}` and
    /// `{expires_at}`. The dialect's payload if there is none.
    #[serde(default)]
    pub payload: Option<String>,
    /// The payload is plain text; otherwise it must produce JSON.
    #[serde(default)]
    pub plain: bool,
    /// The timeout, milliseconds.
    #[ts(type = "number")]
    pub timeout_ms: u64,
    /// Time to live, milliseconds.
    #[ts(type = "number")]
    pub ttl_ms: u64,
    /// Running it twice has the same effect as running it once.
    #[serde(default)]
    pub safe_to_repeat: bool,
    /// It interrupts what the device is doing, so it needs confirmation.
    #[serde(default)]
    pub dangerous: bool,
    /// The device answers it.
    pub answer_expected: bool,
    /// Its icon, one of a fixed set.
    pub icon: String,
}

impl CommandDefinition {
    /// Serialises it with the schema as a JSON value with all digits. Only for JSON.
    ///
    /// # Errors
    /// Errors of the serialiser.
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
    /// Comes with Wilco and cannot be changed.
    pub built_in: bool,
    /// Its definition.
    pub definition: CommandDefinition,
}

/// A command to preview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandToPreview {
    /// The definition, which may still be invalid.
    pub definition: CommandDefinition,
    /// The connection ID; the connection of the definition if none is given.
    #[serde(default)]
    pub connection: Option<String>,
    /// The device; an example if none is given.
    #[serde(default)]
    pub device: Option<String>,
    /// Its arguments, which are validated; examples if none are given.
    #[serde(default)]
    pub args: Option<JsonText>,
}

/// The preview of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandPreview {
    /// Its topic.
    pub topic: String,
    /// Its payload as text.
    pub payload: String,
    /// Whether the request contains the command's ID, so that its answer can refer to it.
    pub carries_id: bool,
    /// Whether a form can be made from its schema.
    pub drawable: bool,
    /// The reasons why it cannot be saved or sent, as sentences.
    pub problems: Vec<String>,
    /// Remarks about a definition that can be saved and sent anyway: sentences.
    pub remarks: Vec<String>,
}

/// A command or a button in a file, and the effect of importing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImportLine {
    /// Whether it is a command or a button.
    pub kind: ImportKind,
    /// The key for replacing it: a command's name in requests, or a button's label.
    pub name: String,
    /// A command's display name; the name of the command that a button sends.
    pub title: String,
    /// The name of its connection; `None` for all connections.
    pub connection: Option<String>,
    /// The difference from the existing one.
    pub change: ImportChange,
    /// The reason why it is refused, as a sentence.
    pub why: Option<String>,
}

/// An item of a command file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ImportKind {
    /// A user-defined command.
    Command,
    /// A command with its arguments filled in.
    Button,
}

/// The difference between an item in a file and the existing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ImportChange {
    /// There is none with this name.
    New,
    /// There is a different one with this name for the same connections.
    Changed,
    /// It already exists.
    Same,
    /// It cannot be imported.
    Refused,
}

/// A button: a command with its arguments filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandButton {
    /// Its ID; empty for a new button.
    #[serde(default)]
    pub id: String,
    /// The ID of its connection; `None` for all connections.
    #[serde(default)]
    pub connection: Option<String>,
    /// The label.
    pub label: String,
    /// Its icon, one of a fixed set.
    pub icon: String,
    /// The command's name.
    pub command: String,
    /// Its arguments: a JSON object.
    pub args: JsonText,
    /// No answer is expected.
    #[serde(default)]
    pub no_answer: bool,
}
