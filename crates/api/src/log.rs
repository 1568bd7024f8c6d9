use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A device's log file, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LogView {
    /// Its connection's id.
    pub connection: String,
    /// The device's id.
    pub device: String,
    /// The ID of the command that requested it.
    pub id: String,
    /// When it was requested, Unix milliseconds.
    #[ts(type = "number")]
    pub asked_at: i64,
    /// How far it has come.
    pub standing: LogState,
    /// The same as a sentence.
    pub sentence: String,
    /// In how many pieces it has come so far.
    pub have: u32,
    /// The total number, if the device has reported it.
    pub of: Option<u32>,
    /// How long what has come is, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The received text, in order, with its gaps; empty if only the progress was requested.
    pub parts: Vec<LogPart>,
}

/// How far a log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum LogState {
    /// Pieces are still to come.
    Coming,
    /// Chunks are missing, and the device has reported that it sent all of them, or has fallen silent.
    Gaps,
    /// Every piece is there, and the device gave no checksum.
    Unchecked,
    /// Every piece is there, and the checksum is right.
    Whole,
    /// It will never be right.
    Wrong,
}

/// Neighbouring pieces of a log: text, or a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LogPart {
    /// The first piece's number, from 1.
    pub first: u32,
    /// The last piece's number.
    pub last: u32,
    /// The text; nothing where these pieces are missing.
    pub text: Option<String>,
}

/// A log that is kept, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KeptLog {
    /// The ID of the command that requested it.
    pub id: String,
    /// When the first of it came, Unix milliseconds.
    #[ts(type = "number")]
    pub begun_at: i64,
}
