//! The file format of exported commands and buttons: JSON, with connections by name.
//!
//! It knows neither the store nor the existing connections.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use wilco_dialect::json;

use crate::{
    api::{CommandButton, CommandDefinition, Failure, FailureCode, FileToWrite, JsonText},
    import_export, output_file,
};
use wilco_atomic_file::Readers;

/// The type of the file.
const FORMAT: &str = "wilco commands";
/// Which form of it. A newer one is refused.
const VERSION: u32 = 1;
/// The largest file that is read, bytes.
const LIMIT: u64 = 4 * 1024 * 1024;

/// How deep the schema of a command is in a file.
const SCHEMA_LEVEL: usize = 3;

/// The contents of a file: connections by name, and buttons without IDs.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) commands: Vec<CommandDefinition>,
    pub(crate) buttons: Vec<CommandButton>,
}

/// The type of a file. Numbers in the rest of it may be of any size.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: Value,
    #[serde(default)]
    version: Value,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Page {
    format: String,
    version: u32,
    commands: Vec<Line>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<ButtonLine>,
}

/// One button in it.
#[derive(Serialize, Deserialize)]
struct ButtonLine {
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    command: String,
    #[serde(default)]
    args: Option<Box<RawValue>>,
    #[serde(default)]
    no_answer: bool,
    #[serde(default = "button_icon")]
    icon: String,
}

/// One command in it. What a person who writes one by hand leaves out is as for any command.
#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    #[serde(default)]
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(default = "anything")]
    schema: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(default)]
    plain: bool,
    #[serde(default = "ten_seconds")]
    timeout_ms: u64,
    #[serde(default = "a_minute")]
    ttl_ms: u64,
    #[serde(default)]
    safe_to_repeat: bool,
    #[serde(default)]
    dangerous: bool,
    #[serde(default = "yes")]
    answer_expected: bool,
    #[serde(default = "plain_icon")]
    icon: String,
}

/// Writes commands and buttons to a file. An earlier file is replaced as a whole or not at all. Blocks.
pub(crate) fn write(to: &FileToWrite, content: Content) -> Result<PathBuf, Failure> {
    let commands = content.commands.into_iter().map(Line::of).collect();
    let buttons = content.buttons.into_iter().map(ButtonLine::of).collect();
    let page = Page { format: FORMAT.to_owned(), version: VERSION, commands, buttons };
    let text = serde_json::to_vec_pretty(&page).map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("Could not save the commands: {error}."),
        hint: None,
    })?;
    // No secret is in it, and it is meant for others.
    output_file::write(to, Readers::Umask, &text)
}

/// Reads a file that [`write`] or a person has written. Blocks.
pub(crate) fn read(path: &Path) -> Result<Content, Failure> {
    let content = import_export::content(path, LIMIT)?;
    let failure =
        |message: String, hint: &str| Failure { code: FailureCode::File, message, hint: Some(hint.to_owned()) };
    let name = path.display();
    let not_ours = || {
        failure(
            format!("{name} is not a command catalogue that Wilco exported."),
            "Choose a file that was exported under Commands. To import connections, use Connections.",
        )
    };
    let head: Head = serde_json::from_slice(&content).map_err(|error| {
        // A file with such a beginning was written by hand.
        if content.trim_ascii_start().starts_with(b"{") {
            failure(
                format!("{name} is not valid JSON: {error}."),
                "Correct it at that position. There may be a missing or an extra comma.",
            )
        } else {
            not_ours()
        }
    })?;
    if head.format != FORMAT {
        return Err(not_ours());
    }
    if head.version.as_u64().is_none_or(|version| version > u64::from(VERSION)) {
        return Err(failure(
            format!("{name} was exported by a newer version of Wilco."),
            "Install that version on this computer.",
        ));
    }
    let page: Page = serde_json::from_slice(&content).map_err(|error| {
        failure(
            format!("{name} is damaged: {error}."),
            "Each command needs a name, each button needs a label and a command, and every value must have the right \
             type.",
        )
    })?;
    let commands = page.commands.into_iter().map(Line::described).collect();
    let buttons = page.buttons.into_iter().map(ButtonLine::filled_in).collect();
    Ok(Content { commands, buttons })
}

impl Line {
    fn of(described: CommandDefinition) -> Line {
        let schema = RawValue::from_string(json::indented(described.schema.as_str(), SCHEMA_LEVEL));
        Line {
            name: described.name,
            title: described.title,
            connection: described.connection,
            schema: schema.unwrap_or_else(|_| (&described.schema).into()),
            topic: described.topic,
            payload: described.payload,
            plain: described.plain,
            timeout_ms: described.timeout_ms,
            ttl_ms: described.ttl_ms,
            safe_to_repeat: described.safe_to_repeat,
            dangerous: described.dangerous,
            answer_expected: described.answer_expected,
            icon: described.icon,
        }
    }

    fn described(self) -> CommandDefinition {
        CommandDefinition {
            name: self.name,
            title: self.title,
            connection: self.connection,
            schema: self.schema.get().to_owned().into(),
            topic: self.topic,
            payload: self.payload,
            plain: self.plain,
            timeout_ms: self.timeout_ms,
            ttl_ms: self.ttl_ms,
            safe_to_repeat: self.safe_to_repeat,
            dangerous: self.dangerous,
            answer_expected: self.answer_expected,
            icon: self.icon,
        }
    }
}

impl ButtonLine {
    fn of(button: CommandButton) -> ButtonLine {
        let CommandButton { id: _, connection, label, icon, command, args, no_answer } = button;
        ButtonLine { label, connection, command, args: Some((&args).into()), no_answer, icon }
    }

    fn filled_in(self) -> CommandButton {
        let ButtonLine { label, connection, command, args, no_answer, icon } = self;
        let args = args.map(|args| args.get().to_owned().into()).unwrap_or_default();
        CommandButton { id: String::new(), connection, label, icon, command, args, no_answer }
    }
}

fn anything() -> Box<RawValue> {
    (&JsonText::default()).into()
}

fn ten_seconds() -> u64 {
    10_000
}

fn a_minute() -> u64 {
    60_000
}

fn yes() -> bool {
    true
}

fn button_icon() -> String {
    "play".to_owned()
}

fn plain_icon() -> String {
    "send".to_owned()
}
