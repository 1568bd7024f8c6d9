//! Seals the audit: stores its newest entry in the keyring, and a signature of it beside the entries.
//!
//! Entries are sealed only if they continue from the last seal. So a chain that was tampered with never matches its
//! seal again. Entries that had no seal when Wilco started are named before they are sealed: nobody knows whether Wilco wrote
//! them just before it ended, or another program did.

use serde::{Deserialize, Serialize};
use wilco_credentials::signing::{INSTALLATION, SigningKey};
use wilco_ledger::Timestamp;

use super::{hex, unhex, verify::Kept};
use crate::{
    api::{AuditRange, Failure, invalid, sentence},
    store::{AuditHead, Store, StoreError, StoredAuditEntry, StoredSeal},
    vault::{Secret, SecretKind, Vault, VaultError},
};

/// The newest entry that was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealedHead {
    pub(crate) head: AuditHead,
    /// When, Unix milliseconds.
    pub(crate) at: i64,
}

/// As it is kept in the keyring.
#[derive(Serialize, Deserialize)]
struct Written {
    number: u32,
    hash: String,
    at: i64,
}

/// Why the newest entry was not sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSealed {
    #[error("the audit does not continue from its last seal")]
    Broken,
    #[error(transparent)]
    Keyring(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotSealed> for Failure {
    fn from(error: NotSealed) -> Failure {
        match error {
            NotSealed::Keyring(error) => error.into(),
            NotSealed::Store(error) => error.into(),
            NotSealed::Broken => invalid(sentence(&error.to_string()), "Verify the audit."),
        }
    }
}

/// Reads the seal from the keyring. Blocks.
pub(crate) fn kept(vault: &Vault) -> Result<Kept, VaultError> {
    Ok(Kept { key: SigningKey::open(vault)?.map(|key| key.public()), head: sealed(vault)? })
}

/// The newest entry that was sealed. Blocks.
fn sealed(vault: &Vault) -> Result<Option<SealedHead>, VaultError> {
    let Some(secret) = vault.get(INSTALLATION, SecretKind::AuditHead)? else { return Ok(None) };
    let damaged = || VaultError::Damaged { kind: SecretKind::AuditHead.word(), what: "it cannot be read".to_owned() };
    let Written { number, hash, at } = serde_json::from_slice(secret.expose()).map_err(|_| damaged())?;
    let hash = unhex(&hash).and_then(|hash| hash.try_into().ok()).ok_or_else(damaged)?;
    Ok(Some(SealedHead { head: AuditHead { number, hash }, at }))
}

/// Keeps an entry as the newest one, and signs it. Blocks.
fn put(vault: &Vault, installation: &str, head: AuditHead, at: Timestamp) -> Result<StoredSeal, VaultError> {
    let key = SigningKey::open_or_create(vault)?;
    let written = Written { number: head.number, hash: hex(&head.hash), at: at.0 };
    let written = serde_json::to_vec(&written).map_err(|error| VaultError::Other(error.to_string()))?;
    vault.put(INSTALLATION, SecretKind::AuditHead, &Secret::new(written))?;
    let signature = key.sign(&StoredSeal::message(installation, &head, at));
    Ok(StoredSeal { head, at, public_key: key.public().as_bytes().to_vec(), signature })
}

/// Whether the audit continues from its last seal, so that the database is no older copy. Without a seal that is not known.
pub(crate) async fn continues(store: &Store, vault: &Vault) -> Result<bool, NotSealed> {
    let of = vault.clone();
    match blocking(move || sealed(&of)).await {
        Ok(Some(before)) => Ok(follows(store, before.head).await?.is_some()),
        Ok(None) | Err(VaultError::NoKeyring(_)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The entries up to the newest one at the start that were not sealed then, if this keyring sealed the one before them.
pub(crate) async fn unsealed(store: &Store, vault: &Vault, at_start: u32) -> Result<Option<AuditRange>, NotSealed> {
    // The keyring is asked no more than needed.
    if at_start == 0 || store.seals().await?.last().is_some_and(|seal| seal.head.number >= at_start) {
        return Ok(None);
    }
    let of = vault.clone();
    let Some(before) = blocking(move || sealed(&of)).await?.filter(|before| before.head.number < at_start) else {
        return Ok(None);
    };
    follows(store, before.head).await?.ok_or(NotSealed::Broken)?;
    Ok(Some(AuditRange { from: before.head.number + 1, to: at_start }))
}

/// Seals the newest entry, unless it is sealed already.
pub(crate) async fn seal(store: &Store, vault: &Vault, installation: &str, now: Timestamp) -> Result<(), NotSealed> {
    let newest = store.audit_head().await?;
    if newest.number == 0 {
        return Ok(());
    }
    // The keyring is asked no more than needed: it may be locked, and ask the person.
    let seals = store.seals().await?;
    if seals.last().is_some_and(|seal| seal.head == newest) {
        return Ok(());
    }
    let of = vault.clone();
    let before = blocking(move || sealed(&of)).await?;
    let newest = match before {
        Some(before) if before.head == newest => return Ok(()),
        Some(before) => follows(store, before.head).await?.ok_or(NotSealed::Broken)?,
        None if !seals.is_empty() => return Err(NotSealed::Broken),
        None => newest,
    };
    keep(store, vault, installation, newest, now).await
}

/// Seals the newest entry, whatever was sealed before. The seals from before are deleted.
pub(crate) async fn seal_anew(
    store: &Store,
    vault: &Vault,
    installation: &str,
    now: Timestamp,
) -> Result<(), NotSealed> {
    let newest = store.audit_head().await?;
    store.forget_seals().await?;
    keep(store, vault, installation, newest, now).await
}

async fn keep(
    store: &Store,
    vault: &Vault,
    installation: &str,
    newest: AuditHead,
    now: Timestamp,
) -> Result<(), NotSealed> {
    let (vault, installation) = (vault.clone(), installation.to_owned());
    let seal = blocking(move || put(&vault, &installation, newest, now)).await?;
    Ok(store.keep_seal(seal).await?)
}

/// The newest entry, if the entries from the sealed one on are whole.
async fn follows(store: &Store, sealed: AuditHead) -> Result<Option<AuditHead>, StoreError> {
    let from = sealed.number.saturating_sub(1);
    let begin = |_| (None::<AuditHead>, true);
    let each = move |(newest, whole): &mut (Option<AuditHead>, bool), _, entry: Option<StoredAuditEntry>| {
        *whole &= entry.is_some_and(|entry| {
            let follows = match *newest {
                None => entry.head() == sealed,
                Some(before) => entry.number == before.number + 1 && entry.previous == before.hash,
            };
            *newest = Some(entry.head());
            follows && entry.is_intact()
        });
    };
    store.read_audit(from, begin, each, |(newest, whole)| newest.filter(|_| whole)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(VaultError::Other(error.to_string())))
}
