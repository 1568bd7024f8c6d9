//! The answer of a second installation to a rollout that requires its approval.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The verdict on a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Verdict {
    /// The rollout may start.
    Approved,
    /// The rollout must not start.
    Declined,
}

/// The answer of a second installation to a rollout that requires its approval. Its signature was valid when it was
/// imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalDecision {
    /// The verdict.
    pub verdict: Verdict,
    /// The name under which the installation is trusted here.
    pub by: String,
    /// The fingerprint of the key that signed the answer.
    pub fingerprint: String,
    /// The reason, in the approver's words.
    pub note: Option<String>,
    /// When it was signed according to that computer's clock, Unix milliseconds.
    #[ts(type = "number")]
    pub signed_at: i64,
    /// When it was imported, Unix milliseconds.
    #[ts(type = "number")]
    pub imported_at: i64,
}
