//! Approvals by a second installation: who may approve, what is asked, and what is answered.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wilco_definitions::Verdict;

use super::{JsonText, WireView};

/// An installation of Wilco as others know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct InstallationIdentity {
    /// Its name: the operator, or the account, and the computer.
    pub name: String,
    /// The key by which its signatures are verified (Ed25519, RFC 8032): 64 hexadecimal digits.
    pub public_key: String,
    /// What two people compare to know that they have the same key: the first 16 bytes of its SHA-256.
    pub fingerprint: String,
}

/// Another installation whose approvals count here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrustedView {
    /// What it is called here. Unique.
    pub name: String,
    /// Its public key: 64 hexadecimal digits.
    pub public_key: String,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// When it was added, Unix milliseconds.
    #[ts(type = "number")]
    pub added_at: i64,
}

/// A request to approve a rollout, as it was read from its file. Nothing in the file was altered since it was signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalRequestView {
    /// The SHA-256 of what is signed: no two requests have the same. 64 hexadecimal digits.
    pub sha256: String,
    /// The rollout's number at the installation that asks.
    pub rollout: u32,
    /// What would happen, as a sentence.
    pub summary: String,
    /// What else is to be known of it, in the order in which it is shown.
    pub facts: Vec<ApprovalFact>,
    /// The arguments of the command: a JSON object.
    pub args: JsonText,
    /// The request to the first device in each dialect, as it would be published.
    pub samples: Vec<ApprovalSample>,
    /// The devices in the order of release, 5,000 at the most.
    pub devices: Vec<ApprovalDevice>,
    /// How many devices there are.
    pub members: u32,
    /// Why it is done, in the words of the person who asks.
    pub note: Option<String>,
    /// The installation that asks.
    pub from: ApprovalSender,
    /// When it was asked, Unix milliseconds.
    #[ts(type = "number")]
    pub created_at: i64,
    /// Until when an approval is accepted, Unix milliseconds.
    #[ts(type = "number")]
    pub expires_at: i64,
    /// Why it cannot be approved or declined here, as a sentence.
    pub refused: Option<String>,
}

/// Something that is to be known of a rollout before it is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalFact {
    /// `Broker` for instance.
    pub label: String,
    /// `mqtts://broker.example.net:8883` for instance.
    pub value: String,
}

/// A request as a rollout that is to be approved would publish it. `{id}` stands where the command's ID will be, and the times in
/// it are those at which the rollout was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalSample {
    /// The device's dialect.
    pub dialect: String,
    /// The device's id.
    pub device: String,
    /// Topic and payload.
    pub request: WireView,
}

/// A device of a rollout that is to be approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalDevice {
    /// Its id.
    pub device: String,
    /// Its own arguments, where they are not everybody's: a JSON object.
    pub args: Option<JsonText>,
}

/// The installation that asks for an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ApprovalSender {
    /// What it calls itself.
    pub name: String,
    /// The fingerprint of the key that signed the request.
    pub fingerprint: String,
    /// What it is called here, where it is trusted here.
    pub trusted_as: Option<String>,
    /// The operator name of the person who asks.
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
    /// The request that the person has seen ([`ApprovalRequestView::sha256`]). If the file says something else now, nothing
    /// is signed.
    pub sha256: String,
    /// Whether the rollout may start.
    pub verdict: Verdict,
    /// Why, 10,000 characters at the most.
    pub note: Option<String>,
}
