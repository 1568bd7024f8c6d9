//! The vault: stores secrets in the operating system's keyring, and nowhere else.
//!
//! Linux: the Secret Service. macOS: the Keychain. Windows: the Credential Manager, which stores up to 2,560 bytes per
//! entry; larger secrets are split in the same way on every system. A secret is replaced as a whole or not at all.
//!
//! There is no fallback to a file. Without a keyring, a secret can be kept in memory for one run.
//!
//! Every call blocks, possibly until the user unlocks the keyring: call it from a blocking thread (`spawn_blocking`),
//! with or without a tokio runtime, but not from inside a task.

mod backend;
mod entry;
mod error;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use parking_lot::{Mutex, MutexGuard};

pub use error::VaultError;
pub use wilco_connection::{Secret, SecretKind};

use backend::{Backend, Keyring, Memory};
use entry::Place;

/// The secrets of a data directory. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    backend: Box<dyn Backend>,
    held: Mutex<HashMap<(String, SecretKind), Secret>>,
    /// One change at a time: two replacements of the same secret would take each other's parts away.
    changing: Mutex<()>,
}

impl Vault {
    /// The vault with that name in the keyring. Does not access the keyring yet.
    #[must_use]
    pub fn open(namespace: &str) -> Vault {
        Vault::over(Keyring::new(namespace))
    }

    /// A vault in memory, which loses its content with its last handle.
    #[must_use]
    pub fn in_memory() -> Vault {
        Vault::over(Memory::default())
    }

    fn over(backend: impl Backend + 'static) -> Vault {
        Vault(Arc::new(Inner { backend: Box::new(backend), held: Mutex::default(), changing: Mutex::new(()) }))
    }

    /// Stores a secret, replacing the secret of the same kind and owner (a connection ID). If this fails or is
    /// interrupted, either the old or the new secret is intact.
    ///
    /// # Errors
    /// See [`VaultError`]; the same applies to the methods below.
    pub fn put(&self, owner: &str, kind: SecretKind, secret: &Secret) -> Result<(), VaultError> {
        let _one = self.changing();
        entry::put(&*self.0.backend, Place { owner, kind }, secret)?;
        self.held().remove(&(owner.to_owned(), kind));
        Ok(())
    }

    /// Reads a secret, if there is one. A secret in memory takes precedence.
    pub fn get(&self, owner: &str, kind: SecretKind) -> Result<Option<Secret>, VaultError> {
        if let Some(secret) = self.held().get(&(owner.to_owned(), kind)) {
            return Ok(Some(secret.clone()));
        }
        // Not between the flip of a manifest and the removal of what it stood for.
        let _one = self.changing();
        entry::get(&*self.0.backend, Place { owner, kind })
    }

    /// Deletes a secret of an owner. A missing secret is not an error.
    pub fn remove(&self, owner: &str, kind: SecretKind) -> Result<(), VaultError> {
        self.held().remove(&(owner.to_owned(), kind));
        let _one = self.changing();
        entry::remove(&*self.0.backend, Place { owner, kind })
    }

    /// Deletes all secrets of a connection, including leftovers of an interrupted replacement.
    pub fn remove_all(&self, owner: &str) -> Result<(), VaultError> {
        self.held().retain(|(of, _), _| of != owner);
        let _one = self.changing();
        SecretKind::ALL.into_iter().try_for_each(|kind| entry::remove(&*self.0.backend, Place { owner, kind }))
    }

    /// Keeps a secret in memory until the program ends, because there is no keyring.
    pub fn hold_in_memory(&self, owner: &str, kind: SecretKind, secret: Secret) {
        self.held().insert((owner.to_owned(), kind), secret);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<(String, SecretKind), Secret>> {
        self.0.held.lock()
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.0.changing.lock()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}
