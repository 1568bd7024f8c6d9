//! Lists, verifies, seals and annotates the audit.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::json;
use tokio::time::{sleep, timeout};
use wilco_credentials::signing::SigningKey;
use wilco_ledger::Timestamp;

use super::{Handle, blocking, not_found};
use crate::{
    api::{
        AuditEntry, AuditKind, AuditPage, AuditProblem, AuditProblemKind, AuditQuery, AuditRange, AuditVerification,
        Failure, JsonText, Notice, NoticeLevel, grouped, invalid,
    },
    audit::{
        self, hex,
        rollout::{Members, StartedEntry},
        seal::{self, NotSealed},
        verify::{Expected, Verified, Verifier, deletion, numbered, without_seal},
    },
    controller::Request,
    settings::days_ago,
    store::{AuditFilter, ConnectionId, NewAuditEntry, StoreError, StoredAuditEntry},
    vault::VaultError,
};

/// Entries within this time of each other are sealed together.
const SEALED_AFTER: Duration = Duration::from_secs(1);
/// A locked keyring may prompt the user, which is not waited for at the end.
const AT_THE_END: Duration = Duration::from_secs(3);
/// Entries of one page, at most.
const PAGE: u32 = 1_000;
/// Particulars longer than this are left out of a page, bytes.
const DETAILS: usize = 16_000;
/// The longest note on an entry, in characters.
const NOTE: usize = 10_000;

impl Handle {
    /// Some entries of the audit, newest first.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn audit(&self, query: AuditQuery) -> Result<AuditPage, Failure> {
        let limit = query.limit.clamp(1, PAGE);
        let filter = AuditFilter {
            since: query.since.map(Timestamp),
            until: query.until.map(Timestamp),
            kinds: query.kinds,
            before: query.before,
            limit: limit + 1,
        };
        let mut entries = self.store.audit_page(filter).await?;
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let next = entries.last().filter(|_| more).map(|entry| entry.number);
        Ok(AuditPage { entries: entries.into_iter().map(view).collect(), next })
    }

    /// Checks that every entry of the audit is present and unaltered, and that the stored rollouts match the entries
    /// about their starts.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode). What is wrong with the audit is no error.
    pub async fn verify_audit(&self) -> Result<AuditVerification, Failure> {
        // The latest entries are sealed first, so that they can be compared too. Errors are found below.
        let _ = self.seal_audit().await;
        let vault = self.vault.clone();
        let keyring = blocking(move || Ok(seal::kept(&vault).map_err(|error| error.to_string()))).await?;
        let expected = Expected { installation: self.installation.to_string(), keyring };
        let begin = move |stored| Verifier::begin(stored, expected);
        let Verified { mut found, started, approved } =
            self.store.read_audit(0, begin, Verifier::entry, Verifier::end).await?;
        for entry in started {
            let is_approved = approved.contains(&entry.started.rollout);
            found.problems.extend(self.compare_rollout(entry, is_approved).await?);
        }
        Ok(found)
    }

    /// Adds a note to an entry of the audit, as a separate entry. Returns the new entry.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the entry; `Invalid` for an empty note or one of more than
    /// 10,000 characters; `Store`.
    pub async fn note_audit_entry(&self, number: u32, note: &str) -> Result<AuditEntry, Failure> {
        let note = note.trim();
        if note.is_empty() || note.chars().count() > NOTE {
            return Err(invalid("The note is empty or too long.".into(), "Write 1 to 10,000 characters."));
        }
        let filter = AuditFilter { before: number.checked_add(1), limit: 1, ..AuditFilter::default() };
        let found = self.store.audit_page(filter).await?.pop().filter(|entry| entry.number == number);
        let of = found.ok_or_else(|| not_found("entry", &number.to_string()))?;
        let entry = self.audit.entry(AuditKind::Audit, format!("Wrote a note on entry {number}"));
        let entry = NewAuditEntry { connection: of.entry.connection, ..entry };
        let entry = entry.with(&json!({ "entry": number, "hash": hex(&of.hash) })).because(Some(note.to_owned()));
        self.store.append_audit(entry).await?;
        let page = self.audit(AuditQuery { limit: 1, kinds: vec![AuditKind::Audit], ..AuditQuery::default() }).await?;
        page.entries.into_iter().next().ok_or_else(|| not_found("entry", "of the note"))
    }

    /// Seals the audit again: after a backup was restored, or the keyring was lost. An entry states this, with the
    /// problems and the reason, and signs which entries were deleted. Altered entries stay altered.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) without a note; `Keyring`; `Store`.
    pub async fn reseal_audit(&self, note: &str) -> Result<AuditVerification, Failure> {
        let found = self.verify_audit().await?;
        let note = note.trim();
        if note.is_empty() {
            return Err(invalid("The note is empty.".into(), "Enter the reason for sealing the audit again."));
        }
        let problems: Vec<_> = found.problems.iter().map(|problem| &*problem.text).collect();
        let key = self.signing_key().await?;
        let checkpoint = self.store.read_audit(u32::MAX, |stored| stored.checkpoint, |_, _, _| {}, |it| it).await?;
        let mut details = json!({});
        if checkpoint.number > 0 {
            details = deletion(&checkpoint, &self.installation, Some(&key));
        }
        details["problems"] = json!(problems);
        let entry = self.audit.entry(AuditKind::Audit, "Sealed the audit again").with(&details);
        self.store.append_audit(entry.because(Some(note.to_owned()))).await?;
        {
            let _one = self.sealing.lock().await;
            self.unsealed_to.store(0, Ordering::Relaxed);
            seal::seal_anew(&self.store, &self.vault, &self.installation, self.clock.now()).await?;
        }
        self.verify_audit().await
    }
}

impl Handle {
    /// Compares an entry about a rollout with the stored rollout.
    async fn compare_rollout(&self, entry: StartedEntry, approved: bool) -> Result<Option<AuditProblem>, Failure> {
        let add = |members: &mut Members, place, member| members.add(place, &member);
        let text = match self.store.rollout(entry.started.rollout, add).await {
            Ok(None) => None,
            Ok(Some((stored, members))) => entry.contradiction(&stored, members, approved),
            Err(StoreError::Damaged { .. }) => Some(entry.unreadable()),
            Err(error) => return Err(error.into()),
        };
        let number = entry.number;
        let entries = Some(AuditRange { from: number, to: number });
        Ok(text.map(|text| AuditProblem { kind: AuditProblemKind::Rollout, entries, text }))
    }
}

impl Handle {
    /// Seals the newest entry shortly after it was written. Does not end by itself.
    pub(super) async fn keep_audit_sealed(self) {
        let mut told = false;
        loop {
            self.store.audit_grew().await;
            sleep(SEALED_AFTER).await;
            match self.seal_audit().await {
                Ok(()) => told = false,
                Err(error) if told => tracing::debug!(%error, "the audit is not sealed"),
                Err(error) => {
                    told = true;
                    tracing::warn!(%error, "the audit is not sealed");
                    if let NotSealed::Broken = error {
                        self.say_broken().await;
                    }
                }
            }
        }
    }

    async fn say_broken(&self) {
        let notice = Notice {
            level: NoticeLevel::Warning,
            message: "The audit does not continue from its last seal, so newer entries are not sealed.".into(),
            hint: Some("Verify the audit. If you restored a backup, seal it again: wilco audit reseal.".into()),
            connection: None,
        };
        let _ = self.request(|reply| Request::Notice(notice, reply)).await;
    }

    /// Seals what has not been sealed yet, before the store closes.
    pub(super) async fn seal_audit_at_the_end(&self) {
        match timeout(AT_THE_END, self.seal_audit()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the audit is not sealed"),
            Err(_) => tracing::warn!("the audit is not sealed: the keyring did not answer"),
        }
    }

    /// Whether the audit continues from its last seal, so that the database is no older copy.
    pub(super) async fn audit_continues(&self) -> Result<bool, Failure> {
        let _one = self.sealing.lock().await;
        Ok(seal::continues(&self.store, &self.vault).await?)
    }

    async fn seal_audit(&self) -> Result<(), NotSealed> {
        let _one = self.sealing.lock().await;
        if let Some(range) = seal::unsealed(&self.store, &self.vault, self.unsealed_to.load(Ordering::Relaxed)).await? {
            let (entries, _) = numbered(range);
            let what = format!("Found {} without a seal when Wilco started", entries.to_lowercase());
            let entry = self.audit.entry(AuditKind::Audit, what).with(&without_seal(range));
            self.store.append_audit(entry).await?;
        }
        self.unsealed_to.store(0, Ordering::Relaxed);
        seal::seal(&self.store, &self.vault, &self.installation, self.clock.now()).await
    }

    /// Deletes audit entries before that time, adds an entry about it, and returns their number.
    pub(super) async fn forget_audit(&self, days: u32, now: Timestamp) -> Result<u32, Failure> {
        let before = days_ago(days, now)?;
        // A chain that does not hold is evidence, and one that is sealed must be so up to what stays.
        let sealed = self.seal_audit().await;
        let key = match sealed {
            Ok(()) => self.key_for_deletion().await,
            Err(error) => Err(error),
        };
        let was_sealed = !self.store.seals().await?.is_empty();
        let key = match key {
            Ok(key) => Some(key),
            // Without a keyring nothing was ever sealed here, so nothing is signed either.
            Err(NotSealed::Keyring(VaultError::NoKeyring(_))) if !was_sealed => None,
            Err(NotSealed::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "old entries of the audit are not deleted until it can be sealed");
                return Ok(0);
            }
        };
        let entry = self.audit.entry(AuditKind::Audit, String::new());
        let installation = self.installation.clone();
        let describe = move |checkpoint, count: u32| {
            let entries = if count == 1 { "1 entry".to_owned() } else { format!("{} entries", grouped(count)) };
            let what = format!("The retention deleted {entries} of more than {} ago", audit::days(days));
            NewAuditEntry { what, ..entry }.with(&deletion(&checkpoint, &installation, key.as_ref()))
        };
        Ok(self.store.forget_audit(before, describe).await?)
    }

    /// The key that signs the deletions by the retention.
    async fn key_for_deletion(&self) -> Result<SigningKey, NotSealed> {
        let vault = self.vault.clone();
        let opened = tokio::task::spawn_blocking(move || SigningKey::open_or_create(&vault)).await;
        Ok(opened.unwrap_or_else(|error| Err(VaultError::Other(error.to_string())))?)
    }

    /// An entry about a connection, by its name where it has one.
    pub(super) fn entry_on(&self, connection: &str, kind: AuditKind, what: String) -> NewAuditEntry {
        let id = ConnectionId::from(connection);
        let shared = self.shared_connections.read();
        let name = shared.get(&id).map(|shared| Arc::clone(&shared.name)).or_else(|| self.loaded.name(&id));
        self.audit.entry(kind, what).on(&id, name.as_deref().unwrap_or_default())
    }

    /// The same, where it may be about all connections.
    pub(super) fn entry_on_any(&self, connection: Option<&str>, kind: AuditKind, what: String) -> NewAuditEntry {
        match connection {
            Some(connection) => self.entry_on(connection, kind, what),
            None => self.audit.entry(kind, what),
        }
    }
}

fn view(stored: StoredAuditEntry) -> AuditEntry {
    let StoredAuditEntry { number, entry, hash, .. } = stored;
    let (connection, connection_name) = entry.connection.map(|(id, name)| (id.as_str().to_owned(), name)).unzip();
    AuditEntry {
        number,
        at: entry.at.0,
        kind: entry.kind,
        operator: entry.operator,
        os_user: entry.os_user,
        machine: entry.machine,
        connection,
        connection_name,
        what: entry.what,
        details: (entry.details.len() <= DETAILS).then(|| JsonText::of(&entry.details)),
        note: entry.note,
        hash: hex(&hash),
    }
}

#[cfg(test)]
mod tests;
