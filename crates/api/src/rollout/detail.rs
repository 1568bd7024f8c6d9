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
    /// The times from sent to the final answer of the members that answered.
    pub answer_times: AnswerTimes,
    /// The same times by the firmware that the members report now; nothing where all report the same.
    pub firmware_times: Vec<TimesView>,
    /// Members that failed, by message. The largest group first, at most 20.
    pub causes: Vec<Cause>,
    /// Traits that the failed members have in common and the others do not. The clearest first, at most 5.
    pub shared: Vec<SharedTrait>,
    /// The members that answered much later than most; none where they have nothing in common.
    #[serde(default)]
    pub slow: Option<SlowAnswers>,
    /// The number of members whose devices answered that they succeeded, but report other values.
    #[serde(default)]
    pub disagree: u32,
    /// The number of members whose devices answered that they succeeded, and reported other values then or now.
    #[serde(default)]
    pub disagreed: u32,
    /// Rollouts that follow this one, by id, oldest first.
    pub followed_by: Vec<String>,
    /// Devices that answered and are no members, where it was a broadcast: the first by id, 100 at most.
    pub unexpected_devices: Vec<UnexpectedDevice>,
    /// How many of them there are.
    pub unexpected_count: u32,
}

/// A device that answered a broadcast and is no member of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct UnexpectedDevice {
    /// Its id.
    pub device: String,
    /// What it said, as the state of a command.
    pub state: CommandState,
    /// Its sentence.
    pub message: Option<String>,
    /// When that came, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
}

/// Answer times of a rollout's members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AnswerTimes {
    /// How many members have answered.
    pub count: u32,
    /// The width of a bucket, milliseconds.
    pub bucket_ms: f64,
    /// Members in each bucket, the first begins at 0. The last one also has everything slower.
    pub buckets: Vec<u32>,
    /// Half of them answered within this, milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 % of them, milliseconds.
    pub p95_ms: Option<f64>,
    /// 99 % of them, milliseconds.
    pub p99_ms: Option<f64>,
    /// The slowest, milliseconds.
    pub max_ms: Option<f64>,
}

/// Members of a rollout that failed for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Cause {
    /// Their message, or the sentence about them.
    pub message: String,
    /// How they ended.
    pub state: CommandState,
    /// How many of them.
    pub count: u32,
}

/// Something that the failed members of a rollout have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SharedTrait {
    /// The kind of the trait.
    pub kind: TraitKind,
    /// Its value, `2.3.0` for instance.
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
    /// The firmware's version.
    Firmware,
    /// A tag.
    Tag,
    /// A value of its running configuration.
    Configuration,
    /// How long ago it last restarted.
    Restart,
}

/// The form of a rollout's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ReportFormat {
    /// One page for a browser.
    Html,
    /// Markdown.
    Markdown,
    /// A JSON object for each member, one a line, with its evidence.
    Json,
    /// A row for each member.
    Csv,
}
