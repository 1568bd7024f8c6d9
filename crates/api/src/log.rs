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
    /// The id of the command that asked for it.
    pub id: String,
    /// When it was asked for, Unix milliseconds.
    #[ts(type = "number")]
    pub asked_at: i64,
    /// How far it has come.
    pub standing: LogStand,
    /// The same as a sentence.
    pub sentence: String,
    /// In how many pieces it has come so far.
    pub have: u32,
    /// Of how many, where the device has said it.
    pub of: Option<u32>,
    /// How long what has come is, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// What has come, in order, with its gaps; empty where only the standing was asked for.
    pub parts: Vec<LogPart>,
}

/// How far a log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum LogStand {
    /// Pieces are still to come.
    Coming,
    /// Pieces are missing, and the device says that it has sent them all, or is not heard any more.
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
    /// The id of the command that asked for it.
    pub id: String,
    /// When the first of it came, Unix milliseconds.
    #[ts(type = "number")]
    pub begun_at: i64,
}
