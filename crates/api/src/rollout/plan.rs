//! The plan of a rollout, before it starts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Confirmation, WireView};

/// The plan of a rollout, before it starts. Nothing is sent for it. Devices that are offline, already in the requested
/// state or busy are counted in the whole target, whether or not they are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RolloutPlan {
    /// The number of members, without devices that are left out.
    pub members: u32,
    /// Identifies the members and what each of them is sent, see [`crate::ExpectedMembers`]: equal for equal members.
    #[serde(default)]
    pub fingerprint: String,
    /// The sizes of the stages.
    pub stages: Vec<u32>,
    /// Members that are known to be offline.
    pub offline: u32,
    /// Members with unknown presence.
    pub presence_unknown: u32,
    /// Members that already report the requested state.
    pub already: u32,
    /// Members that are busy with a command of another console.
    pub busy_elsewhere: u32,
    /// A warning about another console's rollout to these devices, as a sentence.
    pub overlap: Option<String>,
    /// A warning about a rollout of this installation that still has to send to some of these devices, as a sentence.
    pub overlap_here: Option<String>,
    /// Members that are busy with a command of this installation.
    pub busy_here: u32,
    /// Examples of offline members by ID, at most 5.
    pub offline_examples: Vec<String>,
    /// Examples of members already in the requested state, by ID.
    pub already_examples: Vec<String>,
    /// Examples of busy members, first those with a command of another console.
    pub busy_examples: Vec<String>,
    /// When earlier values are restored: devices that are left out because their earlier values are unknown.
    pub unknown_before: u32,
    /// Examples of those by ID, at most 5.
    pub unknown_before_examples: Vec<String>,
    /// When earlier values are restored: members whose values have changed since. They report neither the values that
    /// the earlier rollout set nor those from before it.
    pub changed_since: u32,
    /// Examples of those by ID, at most 5.
    pub changed_since_examples: Vec<String>,
    /// Devices that have not reported their configuration, if a desired configuration is applied. They are members if
    /// the rollout includes them, and left out otherwise.
    pub unreported: u32,
    /// Examples of those by ID, at most 5.
    pub unreported_examples: Vec<String>,
    /// The expected duration including pauses, milliseconds; `None` if a user must start a stage.
    #[ts(type = "number | null")]
    pub expected_ms: Option<u64>,
    /// The number of messages, requests and answers together.
    #[ts(type = "number")]
    pub messages: u64,
    /// The command is dangerous and needs confirmation.
    pub dangerous: bool,
    /// It waits for the approval of a second installation, and sends nothing until then.
    #[serde(default)]
    pub needs_approval: bool,
    /// The confirmation that the connection's mode requires. Without it, the engine refuses the rollout.
    pub confirmation: Confirmation,
    /// Remarks before the start, as sentences: for example the broker's limits.
    pub remarks: Vec<String>,
    /// The first requests as they would be published, at most 5.
    pub samples: Vec<PlannedRequest>,
}

/// Some of the requests that a rollout would publish, in the order of their release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlannedRequests {
    /// The requests. A member whose dialect has no such command has none.
    pub requests: Vec<PlannedRequest>,
    /// The position of the first of them, or of its member, among all members.
    pub from: u32,
    /// The number of members; 1 for a broadcast, which is one request.
    pub total: u32,
}

/// A request as a rollout would publish it. `{id}` stands for the command's ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlannedRequest {
    /// The device ID.
    pub device: String,
    /// Topic and payload.
    pub request: WireView,
}
