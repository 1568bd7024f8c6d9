//! The storage of the vault: named byte strings of limited size.

use std::collections::HashMap;

use keyring::{Entry, Error};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::VaultError;

/// Something that keeps small entries by name. Each call is done as a whole or not at all.
pub(super) trait Backend: Send + Sync {
    fn set(&self, name: &str, content: &[u8]) -> Result<(), VaultError>;
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError>;
    /// Deletes an entry. A missing entry is not an error.
    fn delete(&self, name: &str) -> Result<(), VaultError>;
}

/// The operating system's keyring.
pub(super) struct Keyring {
    service: String,
}

impl Keyring {
    pub(super) fn new(service: &str) -> Keyring {
        Keyring { service: service.to_owned() }
    }

    fn entry(&self, name: &str) -> Result<Entry, VaultError> {
        // Tried once in a process; what failed then fails for good.
        if let Err(error) = Entry::store_status() {
            return Err(VaultError::NoKeyring(innermost(error)));
        }
        Entry::new(&self.service, name).map_err(explain)
    }
}

impl Backend for Keyring {
    fn set(&self, name: &str, content: &[u8]) -> Result<(), VaultError> {
        self.entry(name)?.set_secret(content).map_err(explain)
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match self.entry(name)?.get_secret() {
            Ok(content) => Ok(Some(Zeroizing::new(content))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(explain(error)),
        }
    }

    fn delete(&self, name: &str) -> Result<(), VaultError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(explain(error)),
        }
    }
}

/// Some of the library's errors carry what was read, so none is passed on as it is.
fn explain(error: Error) -> VaultError {
    match error {
        Error::NoDefaultStore => VaultError::NoKeyring("it is not reachable".to_owned()),
        Error::NoStorageAccess(_) => VaultError::Locked,
        Error::PlatformFailure(_) => {
            let what = innermost(&error);
            if what.to_lowercase().contains("locked") { VaultError::Locked } else { VaultError::Other(what) }
        }
        Error::Ambiguous(_) => VaultError::Other("it contains several entries with the same name".to_owned()),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            VaultError::Other("an entry is not in the keyring's own format".to_owned())
        }
        other => VaultError::Other(other.to_string()),
    }
}

/// The first cause is the most specific; the errors around it only add context.
fn innermost(error: &Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

/// For one run, and for tests.
#[derive(Default)]
pub(super) struct Memory {
    entries: Mutex<HashMap<String, Zeroizing<Vec<u8>>>>,
}

impl Memory {
    pub(super) fn entries(&self) -> parking_lot::MutexGuard<'_, HashMap<String, Zeroizing<Vec<u8>>>> {
        self.entries.lock()
    }
}

impl Backend for Memory {
    fn set(&self, name: &str, content: &[u8]) -> Result<(), VaultError> {
        self.entries().insert(name.to_owned(), Zeroizing::new(content.to_owned()));
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        Ok(self.entries().get(name).cloned())
    }

    fn delete(&self, name: &str) -> Result<(), VaultError> {
        self.entries().remove(name);
        Ok(())
    }
}
