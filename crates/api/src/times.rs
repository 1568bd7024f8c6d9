//! Answer times of devices.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How answer times are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum TimesBy {
    /// The command's name.
    #[default]
    Command,
    /// The device, the slowest first.
    Device,
    /// The firmware that the device currently reports.
    Firmware,
}

/// Which answer times to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TimesQuery {
    /// The connection ID.
    pub connection: String,
    /// Only answers of this device.
    #[serde(default)]
    pub device: Option<String>,
    /// How they are grouped.
    #[serde(default)]
    pub by: TimesBy,
}

/// Times from sending to the final answer, milliseconds. A command that was resent counts from its last send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TimesView {
    /// The command, the device or the firmware; `None` for devices that report no firmware.
    pub name: Option<String>,
    /// The number of answers.
    pub count: u32,
    /// The median.
    pub p50_ms: f64,
    /// The 95th percentile.
    pub p95_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The maximum.
    pub max_ms: f64,
    /// An answer that takes longer is slower than usual. Requires 5 answers.
    pub slow_after_ms: Option<f64>,
    /// A timeout that hardly any answer exceeds. Requires 20 answers.
    #[ts(type = "number | null")]
    pub suggested_timeout_ms: Option<u64>,
}

/// A timeout that the latest answers to a command suggest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SuggestedTimeout {
    /// The timeout, milliseconds: whole seconds.
    #[ts(type = "number")]
    pub timeout_ms: u64,
    /// The number of answers from which it is derived.
    pub count: u32,
    /// The 99th percentile of their times, milliseconds.
    pub p99_ms: f64,
    /// They are answers of the device alone; otherwise of all devices of the connection.
    pub of_device: bool,
}
