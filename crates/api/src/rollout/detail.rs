//! The details of one rollout: answer times, causes of failure, and common traits of the failed devices.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::RolloutView;
use crate::{CommandState, TimesView};

/// A rollout with an analysis of its members' answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RolloutDetail {
    /// Its current state.
    pub rollout: RolloutView,
    /// The times from sending to the final answer, for members that answered.
    pub answer_times: AnswerTimes,
    /// The same times by the firmware that the members now report; empty if all report the same.
    pub firmware_times: Vec<TimesView>,
    /// Failed members by message, the largest group first, at most 20.
    pub causes: Vec<Cause>,
    /// Traits that the failed members share and the others lack, the clearest first, at most 5.
    pub shared: Vec<SharedTrait>,
    /// The members that answered much later than most; none where they have nothing in common.
    #[serde(default)]
    pub slow: Option<SlowAnswers>,
    /// The number of members whose devices answered that they succeeded, but report other values.
    #[serde(default)]
    pub disagree: u32,
    /// The number of members whose devices answered that they succeeded, but reported other values at some time.
    #[serde(default)]
    pub disagreed: u32,
    /// Rollouts that follow this one, by ID, oldest first.
    pub followed_by: Vec<String>,
    /// For a broadcast: devices that answered but are not members, the first 100 by ID.
    pub unexpected_devices: Vec<UnexpectedDevice>,
    /// The number of these devices.
    pub unexpected_count: u32,
}

/// A device that answered a broadcast but is not a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct UnexpectedDevice {
    /// The device ID.
    pub device: String,
    /// Its answer, as the state of a command.
    pub state: CommandState,
    /// Its message.
    pub message: Option<String>,
    /// When the answer arrived, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
}

/// Answer times of a rollout's members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AnswerTimes {
    /// The number of members that have answered.
    pub count: u32,
    /// The width of a bucket, milliseconds.
    pub bucket_ms: f64,
    /// Members in each bucket; the first bucket begins at 0, and the last one includes all slower answers.
    pub buckets: Vec<u32>,
    /// The median, milliseconds.
    pub p50_ms: Option<f64>,
    /// The 95th percentile, milliseconds.
    pub p95_ms: Option<f64>,
    /// The 99th percentile, milliseconds.
    pub p99_ms: Option<f64>,
    /// The slowest answer, milliseconds.
    pub max_ms: Option<f64>,
}

/// Members of a rollout that failed for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Cause {
    /// Their message, or Wilco's sentence about them.
    pub message: String,
    /// The state in which they ended.
    pub state: CommandState,
    /// The number of members.
    pub count: u32,
}

/// A trait that the failed members of a rollout share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SharedTrait {
    /// The kind of the trait.
    pub kind: TraitKind,
    /// Its value, for example `2.3.0`.
    pub value: String,
    /// Failed members that have it.
    pub failed_with: u32,
    /// All failed members.
    pub failed: u32,
    /// Succeeded members that have it too.
    pub succeeded_with: u32,
    /// All succeeded members.
    pub succeeded: u32,
    /// The search that finds the devices that have it.
    pub search: String,
}

/// The members of a rollout that answered much later than most, and what they have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SlowAnswers {
    /// They took longer than this, milliseconds.
    pub above_ms: f64,
    /// How many they are: the slowest 2,000 at most.
    pub count: u32,
    /// Traits that they have in common and the quicker ones do not. The clearest first, at most 5.
    pub shared: Vec<SlowTrait>,
}

/// Something that the slow members of a rollout have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SlowTrait {
    /// The kind of the trait.
    pub kind: TraitKind,
    /// Its value, `kitchen` for instance.
    pub value: String,
    /// Slow members that have it.
    pub slow_with: u32,
    /// Quicker members that have it too.
    pub quick_with: u32,
    /// All quicker members.
    pub quick: u32,
    /// The search that finds the devices that have it.
    pub search: String,
}

/// A kind of trait that devices can share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum TraitKind {
    /// The firmware version.
    Firmware,
    /// A tag.
    Tag,
    /// A value of its running configuration.
    Configuration,
    /// The time since the last restart.
    Restart,
}

/// The form of a rollout's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ReportFormat {
    /// An HTML page.
    Html,
    /// Markdown.
    Markdown,
    /// One JSON object per line for each member, with its evidence.
    Json,
    /// One CSV row for each member.
    Csv,
}
