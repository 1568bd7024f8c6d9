//! Wire types of rehearsals: the virtual devices to imitate, and the progress of a rehearsal.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{AnswerTimes, Cause, CommandDefinition, JsonText, NewRollout, Presence, RolloutView, Settings};

/// Faults of virtual devices: probabilities from 0 to 1, for each answer unless stated otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default, deny_unknown_fields)]
pub struct FaultDials {
    /// An answer is lost.
    pub drop: f64,
    /// An answer is sent twice.
    pub duplicate: f64,
    /// An answer is delayed by a second, so that later ones overtake it.
    pub reorder: f64,
    /// An answer has an unknown ID.
    pub wrong_id: f64,
    /// An answer is truncated.
    pub malformed: f64,
    /// A command fails (for each command).
    pub fail: f64,
    /// A command takes twenty times as long (for each command).
    pub slow: f64,
    /// The device restarts in the middle of a command (for each command).
    pub restart: f64,
    /// The share of devices that are offline at any moment.
    pub offline: f64,
    /// The network delays each answer by up to this many milliseconds, at most 60,000.
    #[ts(type = "number")]
    pub delay_ms: u64,
    /// The same seed causes the same faults.
    #[ts(type = "number")]
    pub seed: u32,
}

impl Default for FaultDials {
    fn default() -> FaultDials {
        FaultDials {
            drop: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            wrong_id: 0.0,
            malformed: 0.0,
            fail: 0.0,
            slow: 0.0,
            restart: 0.0,
            offline: 0.0,
            delay_ms: 0,
            seed: 1,
        }
    }
}

/// The input of a rehearsal, from the engine with the real devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RehearsalPlan {
    /// The rollout to rehearse: without conditions that only a real rollout can wait for, and never faster than its
    /// connection allows.
    pub rollout: NewRollout,
    /// Its devices in the order of release, without those that are left out.
    pub devices: Vec<RehearsedDevice>,
    /// The definition of its command, if it is user-defined.
    pub definition: Option<CommandDefinition>,
    /// The settings that determine its timeouts.
    pub settings: Settings,
    /// The pause that is omitted before each stage except the first, milliseconds.
    #[ts(type = "number")]
    pub pause_ms: u64,
    /// Differences between the rehearsal and the real rollout, as sentences.
    pub remarks: Vec<String>,
}

/// A device to imitate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RehearsedDevice {
    /// The device ID.
    pub device: String,
    /// The firmware version.
    pub firmware: Option<String>,
    /// The tags that it reports.
    pub tags: Vec<String>,
    /// Whether its LED is on.
    pub led: bool,
    /// Whether it is online.
    pub presence: Presence,
    /// The median of its answer times, milliseconds: for this command, or else for all its commands, or else of the
    /// other devices.
    pub p50_ms: f64,
    /// The 95th percentile.
    pub p95_ms: f64,
    /// Its individual arguments, if any.
    pub args: Option<JsonText>,
}

/// The progress of a rehearsal, and its result once it has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RehearsalView {
    /// The rehearsed rollout. Its ID, number and connection have no meaning outside the rehearsal.
    pub rollout: RolloutView,
    /// The rehearsal has ended.
    pub ended: bool,
    /// Its duration, milliseconds, excluding the start of the virtual devices.
    #[ts(type = "number")]
    pub took_ms: u64,
    /// The total of the omitted pauses between stages, milliseconds.
    #[ts(type = "number")]
    pub left_out_ms: u64,
    /// The number of members whose commands wait for an offline device. The rehearsal skips them.
    pub waiting_for_offline: u32,
    /// Answer times, once it has ended.
    pub answer_times: AnswerTimes,
    /// Causes of failures, once it has ended.
    pub causes: Vec<Cause>,
    /// Differences from the real rollout, as sentences.
    pub remarks: Vec<String>,
}
