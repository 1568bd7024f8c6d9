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
    /// The firmware that the device reports now.
    Firmware,
}

/// Which answer times to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TimesQuery {
    /// The connection's id.
    pub connection: String,
    /// Only those of this device.
    #[serde(default)]
    pub device: Option<String>,
    /// How they are grouped.
    #[serde(default)]
    pub by: TimesBy,
}

/// How long answers took, from sent to the final answer, in milliseconds. A command that was sent again counts from its last
/// send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TimesView {
    /// The command, the device or the firmware; nothing for devices that report no firmware.
    pub name: Option<String>,
    /// How many answers these times are of.
    pub count: u32,
    /// Half of the answers came within this.
    pub p50_ms: f64,
    /// 95 % of them.
    pub p95_ms: f64,
    /// 99 % of them.
    pub p99_ms: f64,
    /// All of them.
    pub max_ms: f64,
    /// An answer that takes longer than this is slower than usual. From 5 answers on.
    pub slow_after_ms: Option<f64>,
    /// A timeout that hardly any answer misses. From 20 answers on.
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
    /// How many answers it is derived from.
    pub count: u32,
    /// 99 % of them came within this, milliseconds.
    pub p99_ms: f64,
    /// They are answers of the device alone. Otherwise they are of all devices of the connection.
    pub of_device: bool,
}
