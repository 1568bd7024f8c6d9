use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A device's log, as far as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LogView {
    /// The connection ID.
    pub connection: String,
    /// The device ID.
    pub device: String,
    /// The ID of the command that requested it.
    pub id: String,
    /// When it was requested, Unix milliseconds.
    #[ts(type = "number")]
    pub asked_at: i64,
    /// The state of the transfer.
    pub standing: LogState,
    /// The state as a sentence.
    pub sentence: String,
    /// The number of chunks received so far.
    pub have: u32,
    /// The total number of chunks, if the device has reported it.
    pub of: Option<u32>,
    /// The size received so far, bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The received text, in order, with its gaps; empty if only the progress was requested.
    pub parts: Vec<LogPart>,
}

/// The state of a log's transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum LogState {
    /// More chunks are expected.
    Coming,
    /// Chunks are missing, although the device reported that it sent all of them or has fallen silent.
    Gaps,
    /// Complete, but the device sent no checksum.
    Unchecked,
    /// Complete, and the checksum matches.
    Whole,
    /// It is inconsistent, and will never be complete.
    Wrong,
}

/// Adjacent chunks of a log: text, or a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LogPart {
    /// The number of the first chunk, from 1.
    pub first: u32,
    /// The number of the last chunk.
    pub last: u32,
    /// The text; `None` if these chunks are missing.
    pub text: Option<String>,
}

/// A stored log, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KeptLog {
    /// The ID of the command that requested it.
    pub id: String,
    /// When its first chunk arrived, Unix milliseconds.
    #[ts(type = "number")]
    pub begun_at: i64,
}
