//! The other installations whose approvals count here, by the keys with which they sign.

use wilco_ledger::Timestamp;

use super::{Store, StoreError, table::trusted};

/// Another installation whose approvals count here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedInstallation {
    /// What it is called here. Unique.
    pub name: String,
    /// Its public key (Ed25519), 32 bytes. Unique.
    pub public_key: Vec<u8>,
    /// When it was added.
    pub added_at: Timestamp,
}

impl Store {
    /// Every trusted installation, by name.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn trusted_installations(&self) -> Result<Vec<TrustedInstallation>, StoreError> {
        self.readers.read(trusted::all).await
    }

    /// Adds one; `false` where one of that name or with that key is there already.
    pub async fn trust_installation(&self, installation: TrustedInstallation) -> Result<bool, StoreError> {
        self.write(move |transaction| trusted::add(transaction, &installation)).await
    }

    /// Removes one; `false` where there is none of that name.
    pub async fn distrust_installation(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |transaction| trusted::remove(transaction, &name)).await
    }
}
