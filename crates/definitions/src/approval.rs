//! What a second installation has answered to a rollout that needs its approval.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether a rollout may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Verdict {
    /// It may.
    Approved,
    /// It may not.
    Declined,
}

/// The answer of a second installation to a rollout that needs its approval. Its signature was valid when it was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalDecision {
    /// What it says.
    pub verdict: Verdict,
    /// The installation, by the name under which it is trusted here.
    pub by: String,
    /// The fingerprint of the key that signed the answer.
    pub fingerprint: String,
    /// Why, in the words of the person who answered.
    pub note: Option<String>,
    /// When it was signed, by the clock of that computer, Unix milliseconds.
    #[ts(type = "number")]
    pub signed_at: i64,
    /// When it was imported, Unix milliseconds.
    #[ts(type = "number")]
    pub imported_at: i64,
}
