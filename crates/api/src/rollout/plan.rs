//! The plan of a rollout, before it starts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Confirmation, WireView};

/// The plan of a rollout, before it starts. Nothing is sent for it. Devices that are offline, already in the requested
/// state or busy are counted in the whole target, whether they are left out or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RolloutPlan {
    /// The number of members: without those that are left out.
    pub members: u32,
    /// Names the members and what each is sent, see [`crate::ExpectedMembers`]: the same text for the same ones.
    #[serde(default)]
    pub fingerprint: String,
    /// The sizes of the stages.
    pub stages: Vec<u32>,
    /// Members that are known to be offline.
    pub offline: u32,
    /// Members of which it is not known whether they are online.
    pub presence_unknown: u32,
    /// Members that already report the requested state.
    pub already: u32,
    /// Members that are busy with a command of another console.
    pub busy_elsewhere: u32,
    /// A rollout of another console to these devices, as a sentence.
    pub overlap: Option<String>,
    /// A rollout of this installation that is still to send to some of these devices, as a sentence.
    pub overlap_here: Option<String>,
    /// Members that are busy with a command of ours.
    pub busy_here: u32,
    /// Examples of those that are offline, by id, 5 at most.
    pub offline_examples: Vec<String>,
    /// Examples of those, by ID.
    pub already_examples: Vec<String>,
    /// Examples of those that are busy, first with a command of another console.
    pub busy_examples: Vec<String>,
    /// Devices that are left out because the values that they had before are not known, where those are put back.
    pub unknown_before: u32,
    /// Examples of those, by id, 5 at most.
    pub unknown_before_examples: Vec<String>,
    /// Members whose values have been changed since, where earlier values are put back: they report neither what the
    /// earlier rollout set nor what they had before it.
    pub changed_since: u32,
    /// Examples of those, by id, 5 at most.
    pub changed_since_examples: Vec<String>,
    /// Devices that have not reported their configuration, if a desired configuration is applied. They are members if
    /// the rollout includes them, and left out otherwise.
    pub unreported: u32,
    /// Examples of those, by id, 5 at most.
    pub unreported_examples: Vec<String>,
    /// How long it is expected to take, pauses included, milliseconds; `None` where a person must go ahead.
    #[ts(type = "number | null")]
    pub expected_ms: Option<u64>,
    /// Messages that it takes, requests and answers together.
    #[ts(type = "number")]
    pub messages: u64,
    /// The command is dangerous and needs confirmation.
    pub dangerous: bool,
    /// It starts only when a second installation has approved it: until then it waits, and sends nothing.
    #[serde(default)]
    pub needs_approval: bool,
    /// What the person has to do before it starts, by the connection's mode. Without it the engine refuses the rollout.
    pub confirmation: Confirmation,
    /// Remarks before the start, as sentences: for example the broker's limits.
    pub remarks: Vec<String>,
    /// The first requests as they would be published, 5 at most.
    pub samples: Vec<PlannedRequest>,
}

/// Some of the requests that a rollout would publish, in the order of their release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlannedRequests {
    /// The requests. A member whose dialect has no such command has none.
    pub requests: Vec<PlannedRequest>,
    /// The place of the first of them, or of its member, among all members.
    pub from: u32,
    /// How many members there are; 1 for a broadcast, which is one request.
    pub total: u32,
}

/// A request as a rollout would publish it. `{id}` stands where the command's ID will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlannedRequest {
    /// Its device's id.
    pub device: String,
    /// Topic and payload.
    pub request: WireView,
}
