use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandState, CommandView};

/// Which part of the history to read. Newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct HistoryQuery {
    /// The connection's id; all where none is given.
    pub connection: Option<String>,
    /// Only this device's.
    pub device: Option<String>,
    /// Only commands in one of these states; all where empty.
    pub states: Vec<CommandState>,
    /// Only commands submitted at or after this, Unix milliseconds.
    #[ts(type = "number | null")]
    pub since: Option<i64>,
    /// Only commands with all of these words, or words that begin so, in their device, name, arguments, message or result:
    /// at most 200 characters. Case and the accents of European letters do not matter. Of unfinished commands, the message
    /// is not searched.
    pub search: String,
    /// Only commands that Wilco sent by itself, for example to follow a log. Without it, they are left out.
    pub automatic: bool,
    /// Only commands that need attention: those that failed within the last hour and were not dismissed.
    #[serde(default)]
    pub needs_attention: bool,
    /// From where the last page ended.
    pub cursor: Option<String>,
    /// Rows at the most, 1 … 1,000.
    pub limit: u32,
}

/// How the history is written to a file. Every format has the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ExportFormat {
    /// Comma-separated, the names of the columns first.
    Csv,
    /// A JSON object a line.
    Json,
}

/// How far an export of the history is, or how it has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ExportView {
    /// Commands written so far.
    pub written: u32,
    /// How many matched when it began; not counted (`None`) where that would be slow.
    pub matching: Option<u32>,
    /// It was stopped, and what was there before is still there.
    pub stopped: bool,
    /// Where the file lies, once it is whole.
    pub path: Option<PathBuf>,
}

/// What is kept from before a time, or was forgotten of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Older {
    /// Commands at their end.
    pub commands: u32,
    /// Answers that belong to no command.
    pub unmatched: u32,
    /// Devices' logs.
    pub logs: u32,
}

/// A page of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HistoryPage {
    /// The commands, newest first.
    pub commands: Vec<CommandView>,
    /// Where the next page begins; nothing at the end.
    pub next: Option<String>,
    /// How many commands are kept, of all connections or the one asked for.
    pub total: u32,
    /// How many match; not counted (`None`) where that would be slow.
    pub matching: Option<u32>,
}

/// Why commands failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HistoryCauses {
    /// The most frequent first, as many as the query's limit.
    pub causes: Vec<HistoryCause>,
    /// Of how many commands: the newest that match and failed, were rejected, timed out or were undeliverable; at most
    /// 50,000.
    pub commands: u32,
    /// There are older ones, which were not counted.
    pub more: bool,
}

/// A message that commands ended with, whatever the numbers in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HistoryCause {
    /// How they ended.
    pub state: CommandState,
    /// The message of the newest of them; empty where they have none.
    pub message: String,
    /// How many they are.
    pub count: u32,
    /// When the newest of them was submitted, Unix milliseconds.
    #[ts(type = "number")]
    pub latest_at: i64,
    /// The words of the message without its numbers: as [`HistoryQuery::search`], together with the state, they find these
    /// commands.
    pub search: String,
}
