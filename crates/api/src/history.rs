use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandState, CommandView};

/// Selects a part of the history, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct HistoryQuery {
    /// The connection ID; all connections if `None`.
    pub connection: Option<String>,
    /// Only commands of this device.
    pub device: Option<String>,
    /// Only commands in one of these states; in all states if empty.
    pub states: Vec<CommandState>,
    /// Only commands submitted at or after this, Unix milliseconds.
    #[ts(type = "number | null")]
    pub since: Option<i64>,
    /// Only commands whose device, name, arguments, message or result contains all of these words or beginnings of
    /// words: at most 200 characters. Case and the accents of European letters do not matter. For unfinished commands,
    /// the message is not searched.
    pub search: String,
    /// Only automatic commands, which Wilco sends for example to follow a log. They are omitted otherwise.
    pub automatic: bool,
    /// Only commands that need attention: those that failed within the last hour and were not dismissed.
    #[serde(default)]
    pub needs_attention: bool,
    /// Continue after the previous page.
    pub cursor: Option<String>,
    /// The maximum number of rows, 1 … 1,000.
    pub limit: u32,
}

/// The file format of an exported history. All formats have the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ExportFormat {
    /// Comma-separated values, with column names in the first line.
    Csv,
    /// One JSON object per line.
    Json,
}

/// The progress of an export of the history, or its result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ExportView {
    /// Commands written so far.
    pub written: u32,
    /// The number of matching commands at the beginning; `None` if counting them would be slow.
    pub matching: Option<u32>,
    /// The export was stopped, and an existing file was not changed.
    pub stopped: bool,
    /// The path of the finished file.
    pub path: Option<PathBuf>,
}

/// The amount of history before a time that is stored, or was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Older {
    /// Finished commands.
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
    /// The cursor of the next page; `None` at the end.
    pub next: Option<String>,
    /// The number of stored commands, of all connections or the requested one.
    pub total: u32,
    /// The number of matching commands; `None` if counting them would be slow.
    pub matching: Option<u32>,
}

/// The causes of failed commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HistoryCauses {
    /// The most frequent first, up to the query's limit.
    pub causes: Vec<HistoryCause>,
    /// The number of commands counted: the newest that match and failed, were rejected, timed out or were
    /// undeliverable; at most 50,000.
    pub commands: u32,
    /// There are older commands that were not counted.
    pub more: bool,
}

/// A message with which commands ended, ignoring the numbers in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HistoryCause {
    /// The state in which they ended.
    pub state: CommandState,
    /// The message of the newest of them; empty if they have none.
    pub message: String,
    /// The number of commands.
    pub count: u32,
    /// When the newest of them was submitted, Unix milliseconds.
    #[ts(type = "number")]
    pub latest_at: i64,
    /// The words of the message without its numbers. Used as [`HistoryQuery::search`] together with the state, they
    /// find these commands.
    pub search: String,
}
