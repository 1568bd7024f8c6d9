//! Approvals by a second installation: trusted installations, requests and answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wilco_definitions::Verdict;

use super::{JsonText, WireView};

/// An installation of Wilco as seen by others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct InstallationIdentity {
    /// Its name: the operator, or else the account, and the computer.
    pub name: String,
    /// The key that verifies its signatures (Ed25519, RFC 8032): 64 hexadecimal digits.
    pub public_key: String,
    /// The fingerprint, which two people compare to check that they have the same key: the first 16 bytes of its
    /// SHA-256.
    pub fingerprint: String,
}

/// Another installation whose approvals are accepted here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrustedView {
    /// Its name here. Unique.
    pub name: String,
    /// Its public key: 64 hexadecimal digits.
    pub public_key: String,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// When it was added, Unix milliseconds.
    #[ts(type = "number")]
    pub added_at: i64,
}

/// A request to approve a rollout, as read from its file. Nothing in the file was altered after it was signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalRequestView {
    /// The SHA-256 of the signed content, different for each request. 64 hexadecimal digits.
    pub sha256: String,
    /// The rollout's number at the requesting installation.
    pub rollout: u32,
    /// The effect of the rollout, as a sentence.
    pub summary: String,
    /// Further facts about the rollout, in the order in which they are shown.
    pub facts: Vec<ApprovalFact>,
    /// The arguments of the command: a JSON object.
    pub args: JsonText,
    /// The request to the first device in each dialect, as it would be published.
    pub samples: Vec<ApprovalSample>,
    /// The devices in the order of release, at most 5,000.
    pub devices: Vec<ApprovalDevice>,
    /// The number of devices.
    pub members: u32,
    /// The reason, in the requester's words.
    pub note: Option<String>,
    /// The requesting installation.
    pub from: ApprovalSender,
    /// When it was requested, Unix milliseconds.
    #[ts(type = "number")]
    pub created_at: i64,
    /// Until when an approval is accepted, Unix milliseconds.
    #[ts(type = "number")]
    pub expires_at: i64,
    /// Why it cannot be approved or declined here, as a sentence.
    pub refused: Option<String>,
}

/// A fact about a rollout that an approver should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalFact {
    /// For example `Broker`.
    pub label: String,
    /// For example `mqtts://broker.example.net:8883`.
    pub value: String,
}

/// A request as the rollout to be approved would publish it. `{id}` stands for the command's ID, and its times are
/// those at which the rollout was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalSample {
    /// The device's dialect.
    pub dialect: String,
    /// The device ID.
    pub device: String,
    /// Topic and payload.
    pub request: WireView,
}

/// A device of a rollout that is to be approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalDevice {
    /// The device ID.
    pub device: String,
    /// Its individual arguments, if it has any: a JSON object.
    pub args: Option<JsonText>,
}

/// The installation that requests an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalSender {
    /// Its own name.
    pub name: String,
    /// The fingerprint of the key that signed the request.
    pub fingerprint: String,
    /// Its name here, if it is trusted here.
    pub trusted_as: Option<String>,
    /// The operator name of the requester.
    pub operator: Option<String>,
    /// The account of the operating system.
    pub os_user: String,
    /// The computer.
    pub machine: String,
    /// The version of Wilco.
    pub wilco: String,
}

/// The answer to a request, to be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalAnswer {
    /// The file of the request.
    pub request: PathBuf,
    /// The request that the user has reviewed ([`ApprovalRequestView::sha256`]). If the file now contains another one,
    /// nothing is signed.
    pub sha256: String,
    /// Whether the rollout may start.
    pub verdict: Verdict,
    /// The reason, at most 10,000 characters.
    pub note: Option<String>,
}
