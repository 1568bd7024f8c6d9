use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::JsonText;

/// The subject of an evidence file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "of", rename_all = "snake_case")]
#[ts(export)]
pub enum EvidenceOf {
    /// One command.
    Command {
        /// The connection's id.
        connection: String,
        /// The device's id.
        device: String,
        /// The command's id.
        id: String,
    },
    /// A device during a period.
    Device {
        /// The connection's id.
        connection: String,
        /// The device's id.
        device: String,
        /// From when, Unix milliseconds; from the beginning where there is none.
        #[ts(type = "number | null")]
        since: Option<i64>,
        /// Until when, Unix milliseconds; until now where there is none.
        #[ts(type = "number | null")]
        until: Option<i64>,
    },
    /// A rollout.
    Rollout {
        /// Its id.
        rollout: String,
    },
    /// The audit.
    Audit {
        /// From when, Unix milliseconds; from the beginning where there is none.
        #[ts(type = "number | null")]
        since: Option<i64>,
    },
}

/// An evidence file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EvidenceExport {
    /// The file.
    pub path: PathBuf,
    /// The number of records.
    pub records: u32,
    /// Whether it is signed.
    pub signature: EvidenceSignature,
}

/// Whether an evidence file is signed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum EvidenceSignature {
    /// It is signed by the key with this fingerprint. Compare it with the one that the sender sees.
    Signed {
        /// The fingerprint: the first 16 bytes of the key's SHA-256 in hexadecimal digits.
        fingerprint: String,
    },
    /// It is not signed: anyone may have written it.
    Unsigned {
        /// Why, as a sentence.
        why: String,
    },
    /// Its signature is not valid.
    Invalid,
}

/// An evidence file that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EvidenceFileView {
    /// The subject, as a sentence without a full stop.
    pub title: String,
    /// The version of Wilco that wrote it.
    pub wilco: String,
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub written_at: i64,
    /// The operator name of the person who saved it.
    pub operator: Option<String>,
    /// The account of the operating system.
    pub os_user: String,
    /// The computer.
    pub machine: String,
    /// The connection without its secrets: a JSON object.
    pub connection: Option<JsonText>,
    /// Its records, in order, at most 5,000.
    pub records: Vec<EvidenceRecord>,
    /// The number of records.
    pub record_count: u32,
    /// Whether it is signed.
    pub signature: EvidenceSignature,
    /// The problems, with the line numbers of the first 100. Empty if the file is unaltered.
    pub problems: Vec<EvidenceProblem>,
}

/// A record of an evidence file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EvidenceRecord {
    /// The line of the file, from 1.
    pub line: u32,
    /// The kind of the record.
    pub kind: EvidenceRecordKind,
    /// When it happened, Unix milliseconds.
    #[ts(type = "number | null")]
    pub at: Option<i64>,
    /// The content, for a list.
    pub text: String,
    /// The whole record; `None` if it is larger than 1 MiB, and after 32 MiB of records.
    pub content: Option<JsonText>,
    /// The record was altered.
    pub altered: bool,
}

/// What a record of an evidence file is: its member `record`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum EvidenceRecordKind {
    /// A command in its current state.
    Command,
    /// An event of a command.
    Event,
    /// A message that belongs to no command.
    Unmatched,
    /// Messages that were not kept.
    Discarded,
    /// A device's log.
    Log,
    /// A series of measurements.
    Measurements,
    /// The known state of a device.
    Device,
    /// A rollout.
    Rollout,
    /// The request to a second installation, and its answer.
    Approval,
    /// A device of a rollout.
    Member,
    /// An entry of the audit.
    Audit,
    /// The result of verifying the audit.
    Verification,
    /// Unknown to Wilco: the line was altered.
    #[serde(rename = "")]
    Other,
}

impl EvidenceRecordKind {
    /// The kind in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EvidenceRecordKind::Command => "command",
            EvidenceRecordKind::Event => "event",
            EvidenceRecordKind::Unmatched => "unmatched",
            EvidenceRecordKind::Discarded => "discarded",
            EvidenceRecordKind::Log => "log",
            EvidenceRecordKind::Measurements => "measurements",
            EvidenceRecordKind::Device => "device",
            EvidenceRecordKind::Rollout => "rollout",
            EvidenceRecordKind::Approval => "approval",
            EvidenceRecordKind::Member => "member",
            EvidenceRecordKind::Audit => "audit",
            EvidenceRecordKind::Verification => "verification",
            EvidenceRecordKind::Other => "",
        }
    }
}

/// A problem of an evidence file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EvidenceProblem {
    /// The line of the file, from 1; `None` if the problem concerns the whole file.
    pub line: Option<u32>,
    /// The problem, as a sentence.
    pub text: String,
}

impl EvidenceFileView {
    /// Whether it is unaltered and signed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty() && matches!(self.signature, EvidenceSignature::Signed { .. })
    }
}
