//! Verifies the audit: every entry is unchanged, continues from the one before, and matches the seals.
//!
//! Each entry has a hash of its own content and of the hash before. So an altered entry does not match its own hash,
//! and if that hash was recalculated, the next entry does not match. A chain that was recalculated up to its end, one
//! that was cut off, and an old copy of the database are consistent in themselves; they do not match the signed seals
//! or the newest entry in the keyring, which is not restored together with the database. What the retention deleted is signed
//! with the key in the keyring, so that nobody else can delete the oldest entries and say that the retention did.
//!
//! Entries about rollouts are collected, and their rollouts compared by the caller afterwards: each takes its own reading.

use std::collections::{HashMap, HashSet};

use wilco_credentials::signing::{PublicKey, SigningKey};

use super::{
    rollout::{StartedEntry, approved},
    seal::SealedHead,
};
use crate::{
    api::{AuditKind, AuditProblem, AuditProblemKind, AuditRange, AuditSeal, AuditVerification},
    store::{AuditHead, Hash, StoredAudit, StoredAuditEntry, StoredSeal, audit_genesis},
};

/// The seals that the audit must match.
pub(crate) struct Expected {
    /// The installation's id.
    pub(crate) installation: String,
    /// The seal of the keyring; or a sentence why there is none.
    pub(crate) keyring: Result<Kept, String>,
}

/// The seal of the keyring.
#[derive(Default)]
pub(crate) struct Kept {
    /// The key that signs.
    pub(crate) key: Option<PublicKey>,
    /// The newest entry that was sealed.
    pub(crate) head: Option<SealedHead>,
}

/// Takes the entries one after the other.
pub(crate) struct Verifier {
    expected: Expected,
    stored: StoredAudit,
    /// The first entry that there is.
    first: Option<u32>,
    /// The newest entry so far; the checkpoint before the first.
    last: u32,
    /// Its hash as it is stored; `None` where that cannot be known.
    previous: Option<Hash>,
    entries: u32,
    problems: Vec<AuditProblem>,
    /// Entries that are not as they were written.
    bad: Vec<AuditRange>,
    /// Entries that are not there.
    missing: Vec<AuditRange>,
    /// The hashes of entries that others refer to.
    hashes: HashMap<u32, Hash>,
    named: HashSet<u32>,
    /// The range that was last recorded as deleted.
    deleted: Option<Deleted>,
    /// Entries that had no seal when Wilco started.
    unsealed: Vec<AuditRange>,
    /// Entries about the start of a rollout that are as they were written.
    started: Vec<StartedEntry>,
    /// The rollouts that entries say were approved, by number.
    approved: HashSet<u32>,
}

/// What an entry says of the entries that were deleted.
struct Deleted {
    /// The last of them.
    head: AuditHead,
    /// Of [`deletion_message`], where there was a key.
    signature: Option<Vec<u8>>,
}

/// What the entries say.
pub(crate) struct Verified {
    pub(crate) found: AuditVerification,
    /// The entries about the start of a rollout. The rollouts are not compared yet.
    pub(crate) started: Vec<StartedEntry>,
    /// The rollouts that were approved, by number.
    pub(crate) approved: HashSet<u32>,
}

impl Verifier {
    pub(crate) fn begin(stored: StoredAudit, expected: Expected) -> Verifier {
        let kept = expected.keyring.as_ref().ok().and_then(|kept| kept.head.as_ref());
        let named = stored.seals.iter().map(|seal| seal.head.number).chain(kept.map(|kept| kept.head.number));
        Verifier {
            named: named.collect(),
            first: None,
            last: stored.checkpoint.number,
            previous: Some(stored.checkpoint.hash),
            entries: 0,
            problems: Vec::new(),
            bad: Vec::new(),
            missing: Vec::new(),
            hashes: HashMap::new(),
            deleted: None,
            unsealed: Vec::new(),
            started: Vec::new(),
            approved: HashSet::new(),
            expected,
            stored,
        }
    }

    /// The next entry; only its number where it cannot be read.
    pub(crate) fn entry(&mut self, number: u32, entry: Option<StoredAuditEntry>) {
        let expected = self.last.saturating_add(1);
        if number > expected {
            let range = AuditRange { from: expected, to: number - 1 };
            self.missing.push(range);
            let (entries, are) = numbered(range);
            self.problem(AuditProblemKind::Removed, Some(range), format!("{entries} {are} missing."));
            self.previous = None;
        }
        self.first.get_or_insert(number);
        self.entries += 1;
        self.last = number;
        let Some(entry) = entry else {
            self.altered(number, format!("Entry {number} was altered: it cannot be read."));
            self.previous = None;
            return;
        };
        if !entry.is_intact() {
            let text = format!("Entry {number} was altered. It now says: {}.", entry.entry.what);
            self.altered(number, text);
        } else if self.previous.is_some_and(|previous| previous != entry.previous) {
            self.not_linked(number);
        }
        if self.named.contains(&number) {
            self.hashes.insert(number, entry.hash);
        }
        match entry.entry.kind {
            AuditKind::Audit if entry.is_intact() => {
                self.deleted = deleted(&entry.entry.details).or(self.deleted.take());
                self.unsealed.extend(unsealed(&entry.entry.details));
            }
            AuditKind::Rollout if entry.is_intact() => {
                self.started.extend(StartedEntry::of(&entry));
                self.approved.extend(approved(&entry));
            }
            _ => {}
        }
        self.previous = Some(entry.hash);
    }

    pub(crate) fn end(mut self) -> Verified {
        self.look_at_checkpoint();
        let seal = self.look_at_seals();
        let range = self.first.map(|from| AuditRange { from, to: self.last });
        let found = AuditVerification {
            entries: self.entries,
            range,
            deleted: self.stored.checkpoint.number,
            intact: range.map(|range| without(range, self.bad.iter().chain(&self.missing))).unwrap_or_default(),
            problems: self.problems,
            unsealed: self.unsealed,
            seal,
        };
        Verified { found, started: self.started, approved: self.approved }
    }

    /// Reports that an entry contains another hash than that of the entry before it.
    fn not_linked(&mut self, number: u32) {
        let before = number - 1;
        if before == self.stored.checkpoint.number {
            let text = format!("Entry {number} does not follow the entries that were deleted before it.");
            self.problem(AuditProblemKind::Checkpoint, None, text);
        } else if !self.bad.iter().any(|range| range.to == before) {
            let text = format!("Entry {before} was replaced: entry {number} contains a different hash for it.");
            self.altered(before, text);
        }
    }

    /// Checks that the deleted entries are those that this installation recorded as deleted.
    fn look_at_checkpoint(&mut self) {
        let checkpoint = self.stored.checkpoint;
        let genuine = match checkpoint.number {
            0 => checkpoint == audit_genesis(&self.expected.installation),
            _ => self.deleted.as_ref().is_some_and(|deleted| deleted.head == checkpoint && self.is_signed(deleted)),
        };
        let is_told = self.problems.iter().any(|problem| problem.kind == AuditProblemKind::Checkpoint);
        if !genuine && !is_told {
            let text = match checkpoint.number {
                0 => "The audit does not begin with the first entry of this installation.".to_owned(),
                number => {
                    format!(
                        "No entry signed by this installation records that the entries up to {number} were deleted."
                    )
                }
            };
            self.problem(AuditProblemKind::Checkpoint, None, text);
        }
    }

    /// Whether this installation has recorded the deletion; `None` without its key.
    fn is_signed(&self, Deleted { head, signature }: &Deleted) -> bool {
        let Ok(Kept { key: Some(key), .. }) = &self.expected.keyring else { return true };
        let message = deletion_message(&self.expected.installation, head);
        signature.as_ref().is_some_and(|signature| key.verifies(&message, signature))
    }

    /// Compares the entries with the seals.
    fn look_at_seals(&mut self) -> AuditSeal {
        let kept = match std::mem::replace(&mut self.expected.keyring, Ok(Kept::default())) {
            Ok(kept) => kept,
            Err(why) => {
                if !self.stored.seals.is_empty() {
                    let text = format!("The seal could not be checked, because {why}.");
                    self.problem(AuditProblemKind::Seal, None, text);
                }
                return AuditSeal::NoKeyring { why };
            }
        };
        let (Some(key), Some(head)) = (kept.key, kept.head) else {
            if self.stored.seals.is_empty() && kept.head.is_none() {
                return AuditSeal::NotYet;
            }
            self.problem(AuditProblemKind::Seal, None, "The keyring no longer has the seal or its key.".to_owned());
            return AuditSeal::NotYet;
        };
        let mut sealed = vec![head.head];
        for StoredSeal { head, at, public_key, signature } in std::mem::take(&mut self.stored.seals) {
            let message = StoredSeal::message(&self.expected.installation, &head, at);
            if public_key != key.as_bytes() || !key.verifies(&message, &signature) {
                let text = format!("The seal of entry {} was not made by this installation.", head.number);
                self.problem(AuditProblemKind::Seal, None, text);
            } else {
                sealed.push(head);
            }
        }
        sealed.sort_unstable_by_key(|head| head.number);
        self.compare(&sealed);
        AuditSeal::Sealed { number: head.head.number, at: head.at, fingerprint: key.fingerprint() }
    }

    /// Compares the entries with sealed ones, in order.
    fn compare(&mut self, sealed: &[AuditHead]) {
        let beginning = self.stored.checkpoint.number;
        let mut good = beginning;
        let last = self.last;
        for head in sealed.iter().filter(|head| head.number > beginning && head.number <= last) {
            match self.hashes.get(&head.number) {
                Some(hash) if *hash == head.hash => good = head.number,
                // An unreadable or missing seal is reported already.
                None => {}
                Some(_) => {
                    let range = AuditRange { from: good + 1, to: head.number };
                    let is_told = |problem: &AuditProblem| {
                        problem.entries.is_some_and(|told| told.from <= range.to && told.to >= range.from)
                    };
                    if !self.problems.iter().any(is_told) {
                        let (entries, are) = numbered(range);
                        let text = format!(
                            "{entries} {are} not the sealed ones: at least one was replaced, and all later hashes \
                             were recomputed."
                        );
                        self.problem(AuditProblemKind::Replaced, Some(range), text);
                    }
                }
            }
        }
        let Some(newest) = sealed.last() else { return };
        // Entries after the last one that matches its seal are not protected.
        if newest.number > good && last > good {
            self.bad.push(AuditRange { from: good + 1, to: last });
        }
        if newest.number > self.last {
            let range = AuditRange { from: self.last + 1, to: newest.number };
            let (entries, are) = numbered(range);
            let text = format!(
                "{entries} {are} missing at the end: they were sealed and later removed, or an old copy of the \
                 database was restored."
            );
            self.problem(AuditProblemKind::CutOff, Some(range), text);
        } else if newest.number < beginning {
            let text = format!("The entries up to {beginning} were deleted without a seal.");
            self.problem(AuditProblemKind::Checkpoint, None, text);
        }
    }

    fn altered(&mut self, number: u32, text: String) {
        let range = AuditRange { from: number, to: number };
        self.bad.push(range);
        self.problem(AuditProblemKind::Altered, Some(range), text);
    }

    fn problem(&mut self, kind: AuditProblemKind, entries: Option<AuditRange>, text: String) {
        self.problems.push(AuditProblem { kind, entries, text });
    }
}

/// `Entry 7`, `is`; `Entries 7 to 9`, `are`.
pub(crate) fn numbered(range: AuditRange) -> (String, &'static str) {
    match range {
        AuditRange { from, to } if from == to => (format!("Entry {from}"), "is"),
        AuditRange { from, to } => (format!("Entries {from} to {to}"), "are"),
    }
}

/// The details of an entry about deleted entries, signed where there is a key.
pub(crate) fn deletion(checkpoint: &AuditHead, installation: &str, key: Option<&SigningKey>) -> serde_json::Value {
    let signature = key.map(|key| super::hex(&key.sign(&deletion_message(installation, checkpoint))));
    serde_json::json!({
        "deleted_to": checkpoint.number,
        "hash": super::hex(&checkpoint.hash),
        "signature": signature,
    })
}

/// What is signed of deleted entries: the last of them.
fn deletion_message(installation: &str, checkpoint: &AuditHead) -> Vec<u8> {
    let mut message = b"wilco audit deletion 1\n".to_vec();
    message.extend_from_slice(&checkpoint.number.to_be_bytes());
    message.extend_from_slice(&checkpoint.hash);
    message.extend_from_slice(installation.as_bytes());
    message
}

fn deleted(details: &str) -> Option<Deleted> {
    let details: serde_json::Value = serde_json::from_str(details).ok()?;
    let number = u32::try_from(details.get("deleted_to")?.as_u64()?).ok()?;
    let hash = super::unhex(details.get("hash")?.as_str()?)?.try_into().ok()?;
    let signature = details.get("signature").and_then(serde_json::Value::as_str).and_then(super::unhex);
    Some(Deleted { head: AuditHead { number, hash }, signature })
}

/// The details of the entry about entries that had no seal when Wilco started.
pub(crate) fn without_seal(range: AuditRange) -> serde_json::Value {
    serde_json::json!({ "unsealed": range })
}

fn unsealed(details: &str) -> Option<AuditRange> {
    let mut details: serde_json::Value = serde_json::from_str(details).ok()?;
    serde_json::from_value(details.get_mut("unsealed")?.take()).ok()
}

/// The rest of a range.
fn without<'a>(range: AuditRange, out: impl Iterator<Item = &'a AuditRange>) -> Vec<AuditRange> {
    let mut out: Vec<_> = out.copied().collect();
    out.sort_unstable_by_key(|range| range.from);
    let mut left = Vec::new();
    let mut from = range.from;
    for gap in out {
        if gap.from > from {
            left.push(AuditRange { from, to: gap.from - 1 });
        }
        from = from.max(gap.to.saturating_add(1));
    }
    if from <= range.to {
        left.push(AuditRange { from, to: range.to });
    }
    left
}
