//! The progress of a rollout and of its members.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{MemberCounts, MemberState, NewRollout};
use crate::{ApprovalDecision, DisagreementView, JsonText};

/// The state of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum RolloutState {
    /// Members are being released, or are in progress.
    Running,
    /// A stage is done, and the next one waits for a pause, a user, a gate or the maintenance hours.
    Waiting,
    /// A user has paused it.
    Paused,
    /// Its halt rule or its gate has stopped it.
    Halted,
    /// A user has stopped it.
    Stopped,
    /// Every member has finished.
    Finished,
}

/// A rollout in its current state, for lists and progress. All times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RolloutView {
    /// The rollout ID.
    pub id: String,
    /// Its number, which counts up from 1 in each data directory.
    pub number: u32,
    /// The parameters. If the target is a list of devices, the list is empty here: see the members.
    pub spec: NewRollout,
    /// Its state.
    pub state: RolloutState,
    /// The condition that a waiting rollout waits for.
    pub waits_for: Option<WaitsFor>,
    /// Why it halted, was declined, or could not continue, as a sentence.
    pub why: Option<String>,
    /// The approval that it requires; `None` if it requires none.
    #[serde(default)]
    pub approval: Option<RolloutApproval>,
    /// Its stages, in order.
    pub stages: Vec<StageView>,
    /// The index of the current stage.
    pub stage: u32,
    /// All members by state.
    pub counts: MemberCounts,
    /// The number of members.
    pub members: u32,
    /// Members that had ended when a user resumed it after a halt, without cancelled ones. The halt rule counts those
    /// that end afterwards.
    #[serde(default)]
    pub ended_before: u32,
    /// Those of them that had failed, and have not answered otherwise since.
    #[serde(default)]
    pub failed_before: u32,
    /// When it was started.
    #[ts(type = "number")]
    pub started_at: i64,
    /// When something last changed.
    #[ts(type = "number")]
    pub changed_at: i64,
    /// When it ended: finished, halted or stopped, without unfinished members.
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
}

/// The approval of a second installation that a rollout requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RolloutApproval {
    /// Until when an approval is accepted, Unix milliseconds.
    #[ts(type = "number")]
    pub expires_at: i64,
    /// The answer that was imported.
    pub decision: Option<ApprovalDecision>,
}

/// What a waiting rollout waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "what", rename_all = "snake_case")]
#[ts(export)]
pub enum WaitsFor {
    /// The approval of a second installation: see [`RolloutView::approval`].
    Approval,
    /// A user who starts the next stage.
    Person,
    /// The end of a pause.
    Pause {
        /// When it ends, Unix milliseconds.
        #[ts(type = "number")]
        until: i64,
    },
    /// A gate that is being watched.
    Gate {
        /// When it has been within limits for long enough, Unix milliseconds; `None` before every device that is done has
        /// measured it.
        #[ts(type = "number | null")]
        until: Option<i64>,
        /// Devices that are done and have not measured it since the stage ended, or not of late.
        unmeasured: u32,
        /// Examples of those, by id, 5 at most.
        unmeasured_examples: Vec<String>,
    },
    /// Its maintenance hours.
    Hours {
        /// When they begin, Unix milliseconds.
        #[ts(type = "number")]
        until: i64,
    },
    /// The connection.
    Connection,
}

/// One stage of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StageView {
    /// The number of its members.
    pub members: u32,
    /// Its members by state.
    pub counts: MemberCounts,
    /// Members whose commands wait for an offline device.
    pub waiting_for_offline: u32,
    /// When its first member was released, Unix milliseconds.
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// When it was finished or closed, Unix milliseconds.
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
    /// A user closed it while members waited for offline devices.
    pub closed: bool,
}

/// Selects members of a rollout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct MemberQuery {
    /// The rollout ID.
    pub rollout: String,
    /// Only members in one of these states; in all states if empty.
    pub states: Vec<MemberState>,
    /// Only members with this message.
    pub message: Option<String>,
    /// Only members of this stage, by index.
    pub stage: Option<u32>,
    /// Slowest first, instead of in the order of release.
    pub slowest_first: bool,
}

/// A member of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MemberView {
    /// The device ID.
    pub device: String,
    /// The index of its stage.
    pub stage: u32,
    /// Its state.
    pub state: MemberState,
    /// The command ID, once it is released.
    pub command: Option<String>,
    /// The device's message, or Wilco's.
    pub message: Option<String>,
    /// The number of sends.
    pub attempts: u32,
    /// When its command was released, Unix milliseconds.
    #[ts(type = "number | null")]
    pub released_at: Option<i64>,
    /// When it ended, Unix milliseconds.
    #[ts(type = "number | null")]
    pub finished_at: Option<i64>,
    /// The time from sending to the final answer, milliseconds.
    pub took_ms: Option<f64>,
    /// The firmware version.
    pub firmware: Option<String>,
    /// Its individual arguments, if it has any: a JSON object.
    pub args: Option<JsonText>,
    /// The device's values before `config.set` changed them: a JSON object. `None` if they are unknown.
    pub earlier: Option<JsonText>,
    /// Its device answered that it succeeded, but reports other values.
    #[serde(default)]
    pub disagrees: Option<DisagreementView>,
}

/// Some of a rollout's members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MemberPage {
    /// The requested rows.
    pub rows: Vec<MemberView>,
    /// The position of the first of them.
    pub from: u32,
    /// The number of matching members.
    pub matching: u32,
}
