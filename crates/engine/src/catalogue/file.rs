//! Commands as a file, to be taken to another computer: JSON, and a connection that one is for by its name.
//!
//! It knows neither the store nor which connections there are.

use std::{io::Write, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    api::{CommandDefinition, Failure, FailureCode},
    exchange,
    replacement::{Replacement, refused},
};

/// What the file says it is.
const FORMAT: &str = "wilco commands";
/// Which form of it. A newer one is refused.
const VERSION: u32 = 1;
/// The largest file that is read, bytes.
const LIMIT: u64 = 4 * 1024 * 1024;

/// The file.
#[derive(Serialize, Deserialize)]
struct Page {
    format: String,
    version: u32,
    commands: Vec<Line>,
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
    schema: Value,
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

/// Writes commands to a file, their connections named. An earlier file is replaced as a whole or not at all. Blocks.
pub(crate) fn write(path: &Path, commands: Vec<CommandDefinition>) -> Result<(), Failure> {
    let commands = commands.into_iter().map(Line::of).collect();
    let page = Page { format: FORMAT.to_owned(), version: VERSION, commands };
    let text = serde_json::to_vec_pretty(&page).map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("The commands could not be written down: {error}."),
        hint: None,
    })?;
    let mut file = Replacement::begin(path)?;
    file.write_all(&text).map_err(|error| refused(path, &error))?;
    file.finish()
}

/// Reads a file that [`write`] or a person has written. Blocks.
pub(crate) fn read(path: &Path) -> Result<Vec<CommandDefinition>, Failure> {
    let content = exchange::content(path, LIMIT)?;
    let failure =
        |message: String, hint: &str| Failure { code: FailureCode::File, message, hint: Some(hint.to_owned()) };
    let name = path.display();
    let not_ours = || {
        failure(
            format!("{name} is not a file of commands that Wilco has exported."),
            "Choose one that was made with Export under Commands. Connections are imported where they are listed.",
        )
    };
    let page: Value = serde_json::from_slice(&content).map_err(|_| not_ours())?;
    if page["format"] != FORMAT {
        return Err(not_ours());
    }
    if page["version"].as_u64().is_none_or(|version| version > u64::from(VERSION)) {
        return Err(failure(
            format!("{name} was exported by a newer version of Wilco."),
            "Install that version here, too.",
        ));
    }
    let page: Page = serde_json::from_value(page).map_err(|error| {
        failure(
            format!("{name} is damaged: {error}."),
            "Each command needs a name, and what it has must be of its kind.",
        )
    })?;
    Ok(page.commands.into_iter().map(Line::described).collect())
}

impl Line {
    fn of(described: CommandDefinition) -> Line {
        Line {
            name: described.name,
            title: described.title,
            connection: described.connection,
            schema: described.schema,
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
            schema: self.schema,
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

fn anything() -> Value {
    Value::Object(Map::new())
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

fn plain_icon() -> String {
    "send".to_owned()
}
