//! Errors of the keyring, as sentences. They never contain a secret.

use wilco_failure::{Failure, FailureCode};

/// The reason why a secret could not be stored or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keyring.
    #[error("this computer has no keyring for storing secrets ({0})")]
    NoKeyring(String),
    /// The keyring is locked and was not unlocked.
    #[error("the keyring is locked, so secrets cannot be read or saved")]
    Locked,
    /// The content of the keyring differs from what was stored.
    #[error("the {kind} in the keyring is damaged: {what}")]
    Damaged {
        /// Which secret.
        kind: &'static str,
        /// The problem.
        what: String,
    },
    /// Any other error of the keyring.
    #[error("the keyring failed: {0}")]
    Other(String),
}

impl VaultError {
    /// How to fix it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            VaultError::NoKeyring(_) if cfg!(target_os = "linux") => {
                "Install one (on Debian: the package gnome-keyring), log in to a desktop session again and restart \
                 Wilco. Or keep the secrets in memory until Wilco closes."
            }
            VaultError::NoKeyring(_) => "Keep the secrets in memory until Wilco closes.",
            VaultError::Locked => {
                "Unlock it (log in to the desktop session, or confirm the system's prompt) and try again. Or keep the \
                 secrets in memory until Wilco closes."
            }
            VaultError::Damaged { .. } => "Enter the certificates and passwords of the connection again.",
            VaultError::Other(_) => return None,
        };
        Some(hint.to_owned())
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Failure {
        Failure::of(FailureCode::Keyring, &error, error.hint())
    }
}
