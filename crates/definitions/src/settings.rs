//! The settings of the app.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The settings of the app, for all connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Commands are forgotten, with all their evidence, so many days after they ended: 1 … 3,650; never where there is
    /// none. Unfinished commands are always kept.
    pub history_days: Option<u32>,
    /// Entries of the audit are deleted so many days after they were written: 1 … 3,650; never where there is none.
    #[serde(default)]
    pub audit_days: Option<u32>,
    /// Measurements are deleted after this many days: 1 … 3,650.
    pub telemetry_days: u32,
    /// Evidence that settles nothing (progress, duplicates, messages that cannot be read or belong to no command) takes at
    /// most so many bytes in all: 1,000,000 … 1,000,000,000,000.
    #[ts(type = "number")]
    pub evidence_bytes: u64,
    /// That of one device takes at most so many bytes: 100,000 … 1,000,000,000,000.
    #[ts(type = "number")]
    pub device_evidence_bytes: u64,
    /// The default timeout, the longest silence after a command was sent: seconds, 1 … 604,800.
    pub timeout_s: u32,
    /// The default time to live, the longest time until a command is sent: seconds, 1 … 604,800.
    pub time_to_live_s: u32,
    /// Show system notifications when commands fail while the window is not in front.
    pub notify_failed: bool,
    /// Tell so of commands that took long, however they ended.
    pub notify_long: bool,
    /// How long is long: seconds, 1 … 86,400.
    pub long_after_s: u32,
    /// The name that requests give as the operator's, on connections that send it: 1 … 64 characters, none of them a
    /// control character.
    pub operator_name: Option<String>,
}
