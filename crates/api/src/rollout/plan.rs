//! What a rollout would do.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Confirmation, WireView};

/// What a rollout would do, before it starts. Nothing is sent for it. Who is offline, already as asked or busy is counted in
/// the whole target, whether it is left out or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RolloutPlan {
    /// The number of members: without those that are left out.
    pub members: u32,
    /// The sizes of the stages.
    pub stages: Vec<u32>,
    /// Members that are known to be offline.
    pub offline: u32,
    /// Members of which it is not known whether they are online.
    pub presence_unknown: u32,
    /// Members whose reported state already is what the command asks for.
    pub already: u32,
    /// Members that are busy with a command of another console.
    pub busy_elsewhere: u32,
    /// What another console seems to roll out to these devices, as a sentence.
    pub overlap: Option<String>,
    /// Members that are busy with a command of ours.
    pub busy_here: u32,
    /// Examples of those that are offline, by id, 5 at the most.
    pub offline_examples: Vec<String>,
    /// Examples of those that are already as asked.
    pub already_examples: Vec<String>,
    /// Examples of those that are busy, first with a command of another console.
    pub busy_examples: Vec<String>,
    /// Devices that are left out because the values that they had before are not known, where those are put back.
    pub unknown_before: u32,
    /// Examples of those, by id, 5 at the most.
    pub unknown_before_examples: Vec<String>,
    /// Devices that have not reported their configuration, where the wanted one is set. They are members if the rollout
    /// includes them, and left out otherwise.
    pub unreported: u32,
    /// Examples of those, by id, 5 at the most.
    pub unreported_examples: Vec<String>,
    /// How long it is expected to take, pauses included, milliseconds; `None` where a person must go ahead.
    #[ts(type = "number | null")]
    pub expected_ms: Option<u64>,
    /// Messages that it takes, requests and answers together.
    #[ts(type = "number")]
    pub messages: u64,
    /// The command is dangerous: ask before it starts.
    pub dangerous: bool,
    /// It starts only when a second installation has approved it: until then it waits, and sends nothing.
    #[serde(default)]
    pub needs_approval: bool,
    /// What the person has to do before it starts, by the connection's mode. Without it the engine refuses the rollout.
    pub confirmation: Confirmation,
    /// What the person should know before, as sentences: the broker's limits, for instance.
    pub remarks: Vec<String>,
    /// The first requests as they would be published, 5 at the most.
    pub samples: Vec<PlannedRequest>,
}

/// A request as a rollout would publish it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlannedRequest {
    /// Its device's id.
    pub device: String,
    /// Topic and payload.
    pub request: WireView,
}
