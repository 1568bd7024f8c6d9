//! The audit: each entry is chained to the previous one by its hash.
//!
//! An entry is written in the transaction of the change that it describes ([`Store::audited`],
//! [`super::Change::Audit`]). It never changes; the retention deletes the oldest entries and leaves a checkpoint. The
//! engine's audit seals the chain and interprets a broken one.

use std::sync::Arc;

use rusqlite::Transaction;
use sha2::{Digest, Sha256};
use wilco_ledger::Timestamp;

use super::{ConnectionId, Store, StoreError, sql_enum::SqlEnum, table::audit};
use wilco_definitions::AuditKind;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// A user's action, before it becomes an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// The time.
    pub at: Timestamp,
    /// The subject of the entry.
    pub kind: AuditKind,
    /// The operator name in the settings.
    pub operator: Option<String>,
    /// The account of the operating system.
    pub os_user: String,
    /// The name of the computer.
    pub machine: String,
    /// The connection, and its name.
    pub connection: Option<(ConnectionId, String)>,
    /// The action, as a sentence without a full stop.
    pub what: String,
    /// The particulars: a JSON object.
    pub details: String,
    /// The reason, in the user's words.
    pub note: Option<String>,
}

/// A stored entry. Its content may have been altered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAuditEntry {
    /// Its number.
    pub number: u32,
    /// Its content.
    pub entry: NewAuditEntry,
    /// The hash of the entry before it.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
}

/// The number and hash of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// The number; 0 for the beginning.
    pub number: u32,
    /// The hash.
    pub hash: Hash,
}

/// The last entry that the retention deleted.
pub type AuditCheckpoint = AuditHead;

/// A signature of an entry's number and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSeal {
    /// The sealed entry.
    pub head: AuditHead,
    /// The time.
    pub at: Timestamp,
    /// The public key.
    pub public_key: Vec<u8>,
    /// The signature of [`StoredSeal::message`].
    pub signature: Vec<u8>,
}

/// The stored state of the audit without its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAudit {
    /// Where the chain begins.
    pub checkpoint: AuditCheckpoint,
    /// The seals, oldest first.
    pub seals: Vec<StoredSeal>,
}

/// Selects entries to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// At or after this.
    pub since: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// Of these kinds; of all kinds if empty.
    pub kinds: Vec<AuditKind>,
    /// Older than this entry.
    pub before: Option<u32>,
    /// The maximum number of entries.
    pub limit: u32,
}

/// Where the chain of an installation begins.
#[must_use]
pub fn audit_genesis(installation: &str) -> AuditHead {
    let hash = Sha256::new().chain_update(b"wilco audit 1\n").chain_update(installation.as_bytes()).finalize();
    AuditHead { number: 0, hash: hash.into() }
}

impl NewAuditEntry {
    /// Sets the connection.
    #[must_use]
    pub fn on(self, connection: &ConnectionId, name: &str) -> NewAuditEntry {
        NewAuditEntry { connection: Some((connection.clone(), name.to_owned())), ..self }
    }

    /// Sets the details.
    #[must_use]
    pub fn with(self, details: &serde_json::Value) -> NewAuditEntry {
        NewAuditEntry { details: details.to_string(), ..self }
    }

    /// Adds the reason, in the user's words.
    #[must_use]
    pub fn because(self, note: Option<String>) -> NewAuditEntry {
        NewAuditEntry { note: note.filter(|note| !note.trim().is_empty()), ..self }
    }

    /// Its hash as the entry with this number, after the given one.
    #[must_use]
    pub fn hash(&self, number: u32, previous: &Hash) -> Hash {
        let (connection, name) = self.connection.as_ref().map(|(id, name)| (id.as_str(), name.as_str())).unzip();
        let mut hash = Sha256::new();
        hash.update(b"wilco audit entry 1\n");
        hash.update(previous);
        hash.update(number.to_be_bytes());
        hash.update(self.at.0.to_be_bytes());
        let texts = [
            Some(self.kind.word()),
            self.operator.as_deref(),
            Some(&*self.os_user),
            Some(&*self.machine),
            connection,
            name,
            Some(&*self.what),
            Some(&*self.details),
            self.note.as_deref(),
        ];
        for text in texts {
            // With its length, so that no character can move from one to the next.
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(text.unwrap_or_default().as_bytes());
        }
        hash.finalize().into()
    }
}

impl StoredAuditEntry {
    /// Whether it matches its own hash.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.entry.hash(self.number, &self.previous) == self.hash
    }

    /// Its number and its hash.
    #[must_use]
    pub fn head(&self) -> AuditHead {
        AuditHead { number: self.number, hash: self.hash }
    }
}

impl StoredSeal {
    /// The signed content.
    #[must_use]
    pub fn message(installation: &str, head: &AuditHead, at: Timestamp) -> Vec<u8> {
        let mut message = b"wilco audit seal 1\n".to_vec();
        message.extend_from_slice(&head.number.to_be_bytes());
        message.extend_from_slice(&head.hash);
        message.extend_from_slice(&at.0.to_be_bytes());
        message.extend_from_slice(installation.as_bytes());
        message
    }
}

impl Store {
    /// A handle whose next change is described by this entry. The entry is written with the change, or not at all if
    /// nothing changes.
    #[must_use]
    pub fn audited(&self, entry: NewAuditEntry) -> Store {
        Store { entry: Some(Arc::new(entry)), ..self.clone() }
    }

    /// Waits until something has been written to the audit since the last call.
    pub async fn audit_grew(&self) {
        self.audit_grew.notified().await;
    }

    /// Some entries, newest first.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn audit_page(&self, filter: AuditFilter) -> Result<Vec<StoredAuditEntry>, StoreError> {
        self.readers.read(move |connection| audit::page(connection, &filter)).await
    }

    /// The newest entry; the checkpoint if there is none.
    pub async fn audit_head(&self) -> Result<AuditHead, StoreError> {
        self.readers.read(audit::head).await
    }

    /// Reads the whole audit as it is at one moment: hands over what it begins with, then each entry after that number, the
    /// oldest first, and only its number where it cannot be read. Returns what the reader makes of it.
    pub async fn read_audit<R, T>(
        &self,
        after: u32,
        begin: impl FnOnce(StoredAudit) -> R + Send + 'static,
        mut each: impl FnMut(&mut R, u32, Option<StoredAuditEntry>) + Send + 'static,
        end: impl FnOnce(R) -> T + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
    {
        self.readers
            .read(move |connection| {
                let mut reader = begin(audit::stored(connection)?);
                audit::each_after(connection, after, |number, entry| each(&mut reader, number, entry))?;
                Ok(end(reader))
            })
            .await
    }

    /// Adds an entry without a change.
    pub async fn append_audit(&self, entry: NewAuditEntry) -> Result<(), StoreError> {
        let grew = Arc::clone(&self.audit_grew);
        self.write(move |transaction| audit::append(transaction, &entry)).await?;
        grew.notify_one();
        Ok(())
    }

    /// The seals, oldest first.
    pub async fn seals(&self) -> Result<Vec<StoredSeal>, StoreError> {
        self.readers.read(|connection| Ok(audit::stored(connection)?.seals)).await
    }

    /// Deletes every seal.
    pub async fn forget_seals(&self) -> Result<(), StoreError> {
        self.write(|transaction| transaction.execute("DELETE FROM audit_seals", []).map(drop)).await
    }

    /// Stores a seal.
    pub async fn keep_seal(&self, seal: StoredSeal) -> Result<(), StoreError> {
        self.write(move |transaction| audit::keep_seal(transaction, &seal)).await
    }

    /// Deletes the entries before that time except the last one, and returns their number. `describe` creates the entry
    /// about this from the checkpoint and their number; it is written in the same transaction.
    pub async fn forget_audit(
        &self,
        before: Timestamp,
        describe: impl FnOnce(AuditCheckpoint, u32) -> NewAuditEntry + Send + 'static,
    ) -> Result<u32, StoreError> {
        self.write(move |transaction| {
            let Some((checkpoint, count)) = audit::forget(transaction, before)? else { return Ok(0) };
            audit::append(transaction, &describe(checkpoint, count))?;
            Ok(count)
        })
        .await
    }
}

/// Makes a change, and writes the entry that describes it if anything is different afterwards.
pub(super) fn change<T>(
    transaction: &Transaction<'_>,
    entry: Option<&NewAuditEntry>,
    change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let before = transaction.total_changes();
    let value = change(transaction)?;
    if let Some(entry) = entry.filter(|_| transaction.total_changes() != before) {
        audit::append(transaction, entry)?;
    }
    Ok(value)
}
