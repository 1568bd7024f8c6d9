use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{AuditKind, JsonText};

/// An entry of the audit: who did what, when and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditEntry {
    /// Its number: starts at 1, without gaps.
    pub number: u32,
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
    /// The subject of the entry.
    pub kind: AuditKind,
    /// The operator name in the settings at that time. Anyone at this computer can set any name there.
    pub operator: Option<String>,
    /// The account of the operating system.
    pub os_user: String,
    /// The name of the computer.
    pub machine: String,
    /// The connection ID.
    pub connection: Option<String>,
    /// The connection's name at that time.
    pub connection_name: Option<String>,
    /// The action, as a sentence without a full stop.
    pub what: String,
    /// The details: a JSON object. `None` if they have more than 16,000 bytes; an export contains them.
    pub details: Option<JsonText>,
    /// The reason, in the user's words.
    pub note: Option<String>,
    /// The SHA-256 that the next entry contains as the previous hash, in hexadecimal digits.
    pub hash: String,
}

/// Selects entries of the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditQuery {
    /// At or after this, Unix milliseconds.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub since: Option<i64>,
    /// Before this, Unix milliseconds.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    /// Of these kinds; of all kinds if empty.
    #[serde(default)]
    pub kinds: Vec<AuditKind>,
    /// Older than the entry with this number.
    #[serde(default)]
    pub before: Option<u32>,
    /// The maximum number of entries, 1 … 1,000.
    pub limit: u32,
}

/// Some entries of the audit, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// The number before which older entries continue, if there are any.
    pub next: Option<u32>,
}

/// The result of verifying the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditVerification {
    /// How many entries there are.
    pub entries: u32,
    /// The numbers of the first and the last entry, if there are any.
    pub range: Option<AuditRange>,
    /// The number of entries before the first one that the retention deleted.
    pub deleted: u32,
    /// The problems. Empty if all entries are unaltered.
    pub problems: Vec<AuditProblem>,
    /// The unaltered entries, even if there are problems with others.
    pub intact: Vec<AuditRange>,
    /// Entries that had no seal when Wilco started: it exited before sealing them, or another program added them.
    pub unsealed: Vec<AuditRange>,
    /// Whether the newest entry is sealed.
    pub seal: AuditSeal,
}

/// A range of entries, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditRange {
    /// The first.
    pub from: u32,
    /// The last.
    pub to: u32,
}

/// A problem of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditProblem {
    /// The kind of problem.
    pub kind: AuditProblemKind,
    /// The affected entries; `None` if the problem concerns the whole audit.
    pub entries: Option<AuditRange>,
    /// The problem, as a sentence.
    pub text: String,
}

/// The kind of a problem of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AuditProblemKind {
    /// An entry was altered.
    Altered,
    /// Entries before others are missing.
    Removed,
    /// The newest entries are missing.
    CutOff,
    /// Entries were replaced by consistent others that do not match the seal.
    Replaced,
    /// A seal was not made by this installation, or is missing.
    Seal,
    /// The record of the deletions by the retention was altered.
    Checkpoint,
    /// A rollout does not match the entry about its start.
    Rollout,
}

/// Whether the audit is sealed, that is, whether its newest entry is in the keyring, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "state")]
#[ts(export)]
pub enum AuditSeal {
    /// Up to this entry.
    Sealed {
        /// The entry's number.
        number: u32,
        /// When it was sealed, Unix milliseconds.
        #[ts(type = "number")]
        at: i64,
        /// The fingerprint of the key.
        fingerprint: String,
    },
    /// Nothing has been sealed yet.
    NotYet,
    /// Without a keyring, nothing can be sealed, so it would go unnoticed if the newest entries were removed.
    NoKeyring {
        /// The error of the keyring, as a sentence.
        why: String,
    },
}

impl AuditVerification {
    /// Whether there are no problems.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}
