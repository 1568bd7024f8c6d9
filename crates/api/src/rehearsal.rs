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
    /// The share of the devices that is offline at any moment.
    pub offline: f64,
    /// The network delays each answer by up to so many milliseconds, 60,000 at most.
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

/// The input of a rehearsal, from the engine that has the real devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RehearsalPlan {
    /// The rollout as it is rehearsed: without what only a real one can wait for, and never faster than its connection
    /// allows.
    pub rollout: NewRollout,
    /// Its devices, in the order in which they are released, without those that are left out.
    pub devices: Vec<RehearsedDevice>,
    /// The definition of its command, if that is one of the user's own.
    pub definition: Option<CommandDefinition>,
    /// The settings that its timeouts come from.
    pub settings: Settings,
    /// The pause that is left out before each stage but the first, milliseconds.
    #[ts(type = "number")]
    pub pause_ms: u64,
    /// How the rehearsal is unlike the real rollout, as sentences.
    pub remarks: Vec<String>,
}

/// A device as a rehearsal imitates it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RehearsedDevice {
    /// Its id.
    pub device: String,
    /// Its firmware's version.
    pub firmware: Option<String>,
    /// The tags that it reports.
    pub tags: Vec<String>,
    /// Whether its LED is on.
    pub led: bool,
    /// Whether it is there.
    pub presence: Presence,
    /// Half of its answers come within this, milliseconds: of this command, else of all its commands, else of the other
    /// devices.
    pub p50_ms: f64,
    /// 95 % of them do.
    pub p95_ms: f64,
    /// Arguments of its own, where it has some.
    pub args: Option<JsonText>,
}

/// How a rehearsal progresses, and its result once it has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RehearsalView {
    /// The rehearsed rollout. Its ID, number and connection have no meaning outside the rehearsal.
    pub rollout: RolloutView,
    /// Nothing more will happen.
    pub ended: bool,
    /// How long it has taken, milliseconds, without the time until the virtual devices were there.
    #[ts(type = "number")]
    pub took_ms: u64,
    /// The pauses between its stages that were left out, milliseconds.
    #[ts(type = "number")]
    pub left_out_ms: u64,
    /// Members whose commands wait for an offline device. The rehearsal does not wait for them.
    pub waiting_for_offline: u32,
    /// How long answers took, once it has ended.
    pub answer_times: AnswerTimes,
    /// Why members failed, once it has ended.
    pub causes: Vec<Cause>,
    /// How it is unlike the real rollout, as sentences.
    pub remarks: Vec<String>,
}
