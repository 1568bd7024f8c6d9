use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{AuditKind, JsonText};

/// An entry of the audit: who did what, when and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditEntry {
    /// Its number: from 1, without a gap.
    pub number: u32,
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
    /// The subject of the entry.
    pub kind: AuditKind,
    /// The operator name in the settings at that time. Anybody at this computer may set any name there.
    pub operator: Option<String>,
    /// The account of the operating system.
    pub os_user: String,
    /// The name of the computer.
    pub machine: String,
    /// The connection's id.
    pub connection: Option<String>,
    /// The connection's name at that time.
    pub connection_name: Option<String>,
    /// The action, as a sentence without a full stop.
    pub what: String,
    /// The particulars: a JSON object. Nothing where they have more than 16,000 bytes; an export contains them.
    pub details: Option<JsonText>,
    /// The reason, in the user's words.
    pub note: Option<String>,
    /// The SHA-256 by which the next entry names it, in hexadecimal digits.
    pub hash: String,
}

/// Which entries of the audit.
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
    /// Of these kinds; all where empty.
    #[serde(default)]
    pub kinds: Vec<AuditKind>,
    /// Older than the entry with this number.
    #[serde(default)]
    pub before: Option<u32>,
    /// How many at most, 1 … 1,000.
    pub limit: u32,
}

/// Some entries of the audit, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// The number before which older entries are listed, if there are any.
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
    /// The entries before the first one were deleted by the retention, this many.
    pub deleted: u32,
    /// The problems. Empty if every entry is as it was written.
    pub problems: Vec<AuditProblem>,
    /// The entries that are as they were written, also where something is wrong with others.
    pub intact: Vec<AuditRange>,
    /// Entries that had no seal when Wilco started: it had ended before it sealed them, or another program added them.
    pub unsealed: Vec<AuditRange>,
    /// Whether the newest entry is sealed.
    pub seal: AuditSeal,
}

/// Entries from one number to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditRange {
    /// The first.
    pub from: u32,
    /// The last.
    pub to: u32,
}

/// Something that is wrong with the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AuditProblem {
    /// The kind of problem.
    pub kind: AuditProblemKind,
    /// The entries that it is about; nothing where it is about the audit as a whole.
    pub entries: Option<AuditRange>,
    /// The problem, as a sentence.
    pub text: String,
}

/// A kind of thing that can be wrong with the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AuditProblemKind {
    /// An entry is not as it was written.
    Altered,
    /// Entries are missing before others.
    Removed,
    /// The newest entries are missing.
    CutOff,
    /// Entries were replaced by others that agree among themselves, but not with the seal.
    Replaced,
    /// A seal is not one of this installation, or it is missing.
    Seal,
    /// The record of what the retention deleted is not as it was written.
    Checkpoint,
    /// A rollout is not as the entry about its start says.
    Rollout,
}

/// Whether the audit is sealed: its newest entry is kept in the keyring, too.
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
    /// Without a keyring nothing can be sealed: that the newest entries were cut off would not be noticed.
    NoKeyring {
        /// The error of the keyring, as a sentence.
        why: String,
    },
}

impl AuditVerification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}
