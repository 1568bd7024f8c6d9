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
    /// The connection's id.
    pub connection: String,
    /// A display name; the command with its arguments where none is given.
    pub name: Option<String>,
    /// Why it is done, for people who read it later.
    pub note: Option<String>,
    /// The devices, taken as a snapshot when it starts.
    pub target: RolloutTarget,
    /// Devices of the target that are left out, decided when it starts.
    pub leave_out: LeaveOut,
    /// The command for each device.
    pub command: RolloutCommand,
    /// The sizes of its stages, in order. One stage with every device where empty.
    pub stages: Vec<StageSize>,
    /// The behaviour between two stages.
    pub between: BetweenStages,
    /// Releases a second, at most; as many as the connection allows where none is given.
    pub rate: Option<u32>,
    /// Members released and not finished, at most; as many as the connection allows where none is given.
    pub in_flight: Option<u32>,
    /// When it stops by itself.
    pub halt: Option<HaltRule>,
    /// A measurement that must stay within limits before the next stage starts.
    pub gate: Option<Gate>,
    /// The hours in which members are released.
    pub hours: Option<MaintenanceHours>,
    /// The rollout that this one follows.
    pub follows: Option<Follows>,
    /// The confirmation, see [`wilco_connection::Confirmation`]. It is not stored with the rollout.
    pub confirmed: Confirmed,
    /// The members that were confirmed: it does not start with others. It is not stored with the rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expected: Option<ExpectedMembers>,
}

/// The members of a rollout as somebody has confirmed them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct ExpectedMembers {
    /// How many they are.
    pub count: u32,
    /// Which they are, as the plan names them; any where there is none.
    pub fingerprint: Option<String>,
}

/// Devices of a rollout's target that are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct LeaveOut {
    /// Those that are known to be offline.
    pub offline: bool,
    /// Those that already report the requested state.
    pub already: bool,
    /// Those that are busy with another command, of another console or of ours.
    pub busy: bool,
}

/// The devices of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
#[ts(export)]
pub enum RolloutTarget {
    /// These devices, by id.
    Devices {
        /// Their ids, in the order in which they are released.
        devices: Vec<String>,
    },
    /// Every device that matches a search when the rollout starts.
    Search {
        /// The search, as for any list of devices.
        search: String,
    },
    /// Members of an earlier rollout, by how they ended.
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
    /// One publish for all: on `groups/{group}/req`, or on `all/req` where there is no group.
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

/// Members of a rollout by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum WhichMembers {
    /// Failed, rejected, timed out, undeliverable, expired or cancelled.
    Failed,
    /// Those, and those that were never released.
    FailedOrNotStarted,
    /// Those that were never released.
    NotStarted,
    /// Those that succeeded.
    Succeeded,
    /// All of them.
    All,
    /// Those that it changed or may have changed: they succeeded, or were sent the command and have not answered that
    /// it failed.
    Changed,
}

/// The command for each member of a rollout, and its delivery. As for a single command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct RolloutCommand {
    /// The command's name.
    pub name: String,
    /// Its arguments: a JSON object.
    pub args: JsonText,
    /// Longest silence, milliseconds; the command's own where none is given.
    #[ts(type = "number | null")]
    pub timeout_ms: Option<u64>,
    /// Time to live from a member's release, milliseconds; the command's own where none is given.
    #[ts(type = "number | null")]
    pub ttl_ms: Option<u64>,
    /// Sends after the first, at most.
    pub retries: Option<u32>,
    /// The delivery while a device is offline.
    pub delivery: Option<Delivery>,
    /// No answer is expected.
    pub no_answer: bool,
}

/// The size of a stage. A percentage is of all members, the stages before it included: 10 devices, then 10 %, then 100 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "unit", rename_all = "snake_case")]
#[ts(export)]
pub enum StageSize {
    /// So many devices more.
    Devices {
        /// At least 1.
        count: u32,
    },
    /// Until so many per cent of all members belong to this stage or an earlier one.
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
    /// The next stage starts at once.
    #[default]
    Continue,
    /// The next stage starts after a pause.
    Pause {
        /// Milliseconds.
        #[ts(type = "number")]
        pause_ms: u64,
    },
    /// A person starts the next stage.
    Ask,
}

/// When a rollout stops by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HaltRule {
    /// It halts when more than this has failed.
    pub above: HaltLimit,
    /// It does not halt before so many members have ended.
    pub after: u32,
    /// Time-outs count as failures.
    pub count_timeouts: bool,
}

/// How many failures are too many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "unit", rename_all = "snake_case")]
#[ts(export)]
pub enum HaltLimit {
    /// So many members.
    Members {
        /// At least 0.
        count: u32,
    },
    /// So many per cent of those that have ended.
    Percent {
        /// 0 … 100.
        percent: f64,
    },
}

/// A measurement that must stay within limits on the members that are done, before the next stage starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Gate {
    /// The series' name in the devices' telemetry.
    pub series: String,
    /// The smallest value allowed.
    pub min: Option<f64>,
    /// The largest value allowed.
    pub max: Option<f64>,
    /// For how long it is watched, milliseconds.
    #[ts(type = "number")]
    pub for_ms: u64,
}

/// The hours of a day in which members are released, in a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MaintenanceHours {
    /// The first minute of the day, 0 … 1,439.
    pub from_minute: u16,
    /// The minute of the day from which on nothing is released, 0 … 1,440. Below `from_minute` it lies on the next day.
    pub until_minute: u16,
    /// IANA name of the time zone, `Europe/Amsterdam` for instance.
    pub time_zone: String,
}

/// The rollout that another one follows, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Follows {
    /// The earlier rollout's id.
    pub rollout: String,
    /// Why.
    pub reason: FollowReason,
}

/// Why a rollout follows another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum FollowReason {
    /// It sends to the failed members again.
    RetryFailed,
    /// It sends to the failed members and to those that were never released.
    RetryFailedAndNotStarted,
    /// It sends to all members again.
    SendAgain,
    /// It restores what each changed device had before: `config.set` with each device's own values. The engine sets target
    /// and command itself.
    PutBack,
}

/// An action on a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum RolloutAction {
    /// No more releases for now; answers are still taken.
    Pause,
    /// Releases continue, also after a halt.
    Resume,
    /// No more releases at all. Commands that were never sent are cancelled.
    Stop,
    /// The next stage starts now.
    StartNextStage,
    /// The current stage no longer waits for offline devices.
    CloseStage,
}

impl NewRollout {
    /// One publish for all of its devices.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        matches!(self.target, RolloutTarget::Broadcast { .. })
    }
}
