//! The answer to a request: approved or declined, by whom, and why.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wilco_credentials::signing::{PublicKey, SigningKey};

use super::{Kind, Request, altered, json};
use crate::{
    api::{Failure, Verdict},
    audit::{Signer, hex},
    signed_lines::Format,
};

const KIND: Kind = Kind {
    format: Format { name: "wilco approval", version: 1 },
    name: "an answer to an approval request",
    made_by: "Choose the file that your colleague saved after approving or declining.",
};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    format: String,
    version: u32,
    wilco: String,
    /// What the request signs, by its SHA-256.
    pub(crate) request_sha256: String,
    /// The installation that asks, by its id.
    pub(crate) installation: String,
    /// The number that the rollout has there.
    pub(crate) rollout: u32,
    command: String,
    members: u32,
    pub(crate) verdict: Verdict,
    pub(crate) note: Option<String>,
    name: String,
    operator: Option<String>,
    os_user: String,
    machine: String,
    /// Unix milliseconds.
    pub(crate) signed_at: i64,
}

/// An answer as it was read from its file.
pub(crate) struct ReadAnswer {
    pub(crate) answer: Answer,
    /// The key that signed it.
    pub(crate) key: PublicKey,
    /// The whole file.
    pub(crate) text: String,
}

impl Answer {
    /// The answer of the person here to a request.
    pub(crate) fn new(
        request: &Request,
        by: Signer,
        (verdict, note): (Verdict, Option<String>),
        signed_at: i64,
    ) -> Answer {
        let Signer { name, operator, os_user, machine, .. } = by;
        Answer {
            format: KIND.format.name.to_owned(),
            version: KIND.format.version,
            wilco: env!("CARGO_PKG_VERSION").to_owned(),
            request_sha256: hex(&request.sha256),
            installation: request.header.signer.installation.clone(),
            rollout: request.header.rollout,
            command: request.plan.spec.command.name.clone(),
            members: request.plan.members,
            verdict,
            note,
            name,
            operator,
            os_user,
            machine,
            signed_at,
        }
    }

    /// Its file.
    pub(crate) fn text(&self, key: &SigningKey) -> Result<String, Failure> {
        Ok(KIND.format.signed(&[json(self)?], key))
    }

    /// Reads such a file. Blocks.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode).
    pub(crate) fn read(path: &Path) -> Result<ReadAnswer, Failure> {
        let opened = KIND.open(path)?;
        match opened.lines.as_slice() {
            [line] => {
                let answer = serde_json::from_str(line).map_err(|_| altered(path))?;
                Ok(ReadAnswer { answer, key: opened.key, text: opened.text })
            }
            _ => Err(altered(path)),
        }
    }
}
