//! The parameters of a rollout, and the actions on one.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use wilco_connection::Confirmed;

use crate::{Delivery, JsonText};

/// A dangerous command for more devices than this is confirmed by typing their number.
pub const TYPED_COUNT_ABOVE: u32 = 20;

/// A rollout to plan or to start: one command for many devices, in stages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct NewRollout {
    /// The connection ID.
    pub connection: String,
    /// The display name; the command with its arguments if `None`.
    pub name: Option<String>,
    /// The reason or another note.
    pub note: Option<String>,
    /// The devices, determined when the rollout starts.
    pub target: RolloutTarget,
    /// Devices to leave out, determined when the rollout starts.
    pub leave_out: LeaveOut,
    /// The command for each device.
    pub command: RolloutCommand,
    /// The sizes of the stages, in order. Empty: one stage with every device.
    pub stages: Vec<StageSize>,
    /// The behaviour between two stages.
    pub between: BetweenStages,
    /// The maximum number of releases per second; `None`: as many as the connection allows.
    pub rate: Option<u32>,
    /// The maximum number of released but unfinished members; `None`: as many as the connection allows.
    pub in_flight: Option<u32>,
    /// When the rollout halts automatically.
    pub halt: Option<HaltRule>,
    /// A measurement that must stay within limits before the next stage starts.
    pub gate: Option<Gate>,
    /// The maintenance hours, in which members are released.
    pub hours: Option<MaintenanceHours>,
    /// The rollout that this one follows.
    pub follows: Option<Follows>,
    /// The confirmation, see [`wilco_connection::Confirmation`]. It is not stored with the rollout.
    pub confirmed: Confirmed,
    /// The confirmed members: the rollout does not start with others. Not stored with the rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expected: Option<ExpectedMembers>,
}

/// The members of a rollout as confirmed by the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct ExpectedMembers {
    /// The number of members.
    pub count: u32,
    /// Their fingerprint from the plan; `None` for any members.
    pub fingerprint: Option<String>,
}

/// Devices of a rollout's target to leave out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct LeaveOut {
    /// Devices known to be offline.
    pub offline: bool,
    /// Devices that already report the requested state.
    pub already: bool,
    /// Devices that are busy with another command of any console.
    pub busy: bool,
}

/// The devices of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
#[ts(export)]
pub enum RolloutTarget {
    /// The devices with these IDs.
    Devices {
        /// Their ids, in the order in which they are released.
        devices: Vec<String>,
    },
    /// Every device that matches a search when the rollout starts.
    Search {
        /// The search, as for any list of devices.
        search: String,
    },
    /// Members of an earlier rollout, by result.
    Members {
        /// The earlier rollout's id.
        rollout: String,
        /// Which of them.
        which: WhichMembers,
    },
    /// Every device that matches a search and differs from its desired configuration: `config.set` with the values that
    /// differ. The engine sets the command itself.
    Desired {
        /// The search, as for any list of devices; every device where it is empty.
        search: String,
        /// Include devices that have not reported their configuration: `config.set` with all their wanted values.
        unknown: bool,
    },
    /// One publish for all devices: on `groups/{group}/req`, or on `all/req` without a group.
    Broadcast {
        /// The group; every device where none is given.
        group: Option<String>,
        /// The devices that are expected to answer, by search. Where it is empty: every known device, or those with the
        /// group's name as a tag.
        search: String,
    },
}

impl Default for RolloutTarget {
    fn default() -> RolloutTarget {
        RolloutTarget::Devices { devices: Vec::new() }
    }
}

/// Members of a rollout by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum WhichMembers {
    /// Failed, rejected, timed out, undeliverable, expired or cancelled.
    Failed,
    /// The above, and members that were not released.
    FailedOrNotStarted,
    /// Members that were not released.
    NotStarted,
    /// Succeeded members.
    Succeeded,
    /// All members.
    All,
    /// Members that were changed, or may have been: they succeeded, or were sent the command and have not answered that
    /// it failed.
    Changed,
}

/// The command for each member of a rollout, and its delivery. Like a single command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct RolloutCommand {
    /// The command's name.
    pub name: String,
    /// Its arguments: a JSON object.
    pub args: JsonText,
    /// The timeout, milliseconds; the command's default if `None`.
    #[ts(type = "number | null")]
    pub timeout_ms: Option<u64>,
    /// The time to live from a member's release, milliseconds; the command's default if `None`.
    #[ts(type = "number | null")]
    pub ttl_ms: Option<u64>,
    /// The maximum number of resends.
    pub retries: Option<u32>,
    /// The delivery while a device is offline.
    pub delivery: Option<Delivery>,
    /// No answer is expected.
    pub no_answer: bool,
}

/// The size of a stage. A percentage is cumulative, that is, of all members including earlier stages: 10 devices, then
/// 10 %, then 100 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "unit", rename_all = "snake_case")]
#[ts(export)]
pub enum StageSize {
    /// This many further devices.
    Devices {
        /// At least 1.
        count: u32,
    },
    /// Up to this percentage of all members, including earlier stages.
    Percent {
        /// More than 0, at most 100.
        percent: f64,
    },
}

/// The behaviour between two stages of a rollout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "then", rename_all = "snake_case")]
#[ts(export)]
pub enum BetweenStages {
    /// The next stage starts immediately.
    #[default]
    Continue,
    /// The next stage starts after a pause.
    Pause {
        /// Milliseconds.
        #[ts(type = "number")]
        pause_ms: u64,
    },
    /// A user starts the next stage.
    Ask,
}

/// When a rollout halts automatically.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HaltRule {
    /// It halts when more members than this have failed.
    pub above: HaltLimit,
    /// It does not halt before this many members have ended.
    pub after: u32,
    /// Timeouts count as failures.
    pub count_timeouts: bool,
}

/// The limit of failures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "unit", rename_all = "snake_case")]
#[ts(export)]
pub enum HaltLimit {
    /// This many members.
    Members {
        /// At least 0.
        count: u32,
    },
    /// This percentage of the members that have ended.
    Percent {
        /// 0 … 100.
        percent: f64,
    },
}

/// A measurement that must stay within limits on the finished members before the next stage starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Gate {
    /// The name of the series in the devices' telemetry.
    pub series: String,
    /// The lower limit.
    pub min: Option<f64>,
    /// The upper limit.
    pub max: Option<f64>,
    /// How long it must stay within limits, milliseconds.
    #[ts(type = "number")]
    pub for_ms: u64,
}

/// The maintenance hours, in which members are released, in a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MaintenanceHours {
    /// The first minute of the day, 0 … 1,439.
    pub from_minute: u16,
    /// The minute of the day when releases stop, 0 … 1,440. If it is less than `from_minute`, it is on the next day.
    pub until_minute: u16,
    /// The IANA name of the time zone, for example `Europe/Amsterdam`.
    pub time_zone: String,
}

/// The rollout that another one follows, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Follows {
    /// The ID of the earlier rollout.
    pub rollout: String,
    /// The reason.
    pub reason: FollowReason,
}

/// Why a rollout follows another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum FollowReason {
    /// Retries the failed members.
    RetryFailed,
    /// Sends to the failed members and to those that were not released.
    RetryFailedAndNotStarted,
    /// Sends to all members again.
    SendAgain,
    /// Restores the values that each changed device had before: `config.set` with individual values. The engine
    /// determines target and command.
    PutBack,
}

/// An action on a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum RolloutAction {
    /// Pauses releases; answers still count.
    Pause,
    /// Resumes releases, also after a halt.
    Resume,
    /// Ends releases. Commands that were not sent yet are cancelled.
    Stop,
    /// Starts the next stage.
    StartNextStage,
    /// Closes the current stage without waiting for offline devices.
    CloseStage,
}

impl NewRollout {
    /// Whether it is one publish for all of its devices.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        matches!(self.target, RolloutTarget::Broadcast { .. })
    }
}
