//! The settings of the app.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The settings of the app, for all connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Commands and all their evidence are deleted this many days after they ended: 1 … 3,650; never if `None`.
    /// Unfinished commands are always kept.
    pub history_days: Option<u32>,
    /// Entries of the audit are deleted this many days after they were written: 1 … 3,650; never if `None`.
    #[serde(default)]
    pub audit_days: Option<u32>,
    /// Measurements are deleted after this many days: 1 … 3,650.
    pub telemetry_days: u32,
    /// The overall quota for evidence that settles nothing (progress, duplicates, unreadable or unmatched messages), in
    /// bytes: 1,000,000 … 1,000,000,000,000.
    #[ts(type = "number")]
    pub evidence_bytes: u64,
    /// The quota per device for this evidence, in bytes: 100,000 … 1,000,000,000,000.
    #[ts(type = "number")]
    pub device_evidence_bytes: u64,
    /// The default timeout, seconds: 1 … 604,800.
    pub timeout_s: u32,
    /// The default time to live, seconds: 1 … 604,800.
    pub time_to_live_s: u32,
    /// Show system notifications when commands fail while the window is in the background.
    pub notify_failed: bool,
    /// Show notifications about long-running commands, whatever their result.
    pub notify_long: bool,
    /// The duration of a long-running command, seconds: 1 … 86,400.
    pub long_after_s: u32,
    /// The operator name in requests, on connections that send it: 1 … 64 characters, without control characters.
    pub operator_name: Option<String>,
}
