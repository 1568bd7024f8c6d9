//! What can go wrong with the keyring, as sentences. None of them ever holds a secret.

use crate::api::{Failure, FailureCode};

/// Why a secret could not be kept or had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keyring.
    #[error("there is no keyring on this machine to keep secrets in ({0})")]
    NoKeyring(String),
    /// The keyring is locked and was not unlocked.
    #[error("the keyring is locked and was not unlocked, so no secret can be read or kept")]
    Locked,
    /// What the keyring holds is not what was put there.
    #[error("the {kind} kept in the keyring is damaged: {what}")]
    Damaged {
        /// Which secret.
        kind: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// Anything else that the keyring says.
    #[error("the keyring could not be used: {0}")]
    Other(String),
}

impl VaultError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            VaultError::NoKeyring(_) if cfg!(target_os = "linux") => {
                "Install one (on Debian: the package gnome-keyring), log in to a desktop session again and restart \
                 Wilco. Or hold the secrets in memory for this run."
            }
            VaultError::NoKeyring(_) => "Hold the secrets in memory for this run.",
            VaultError::Locked => {
                "Unlock it (log in to the desktop session, or answer the system's question) and try again. Or hold the \
                 secrets in memory for this run."
            }
            VaultError::Damaged { .. } => "Give the connection its certificates or its password once more.",
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
