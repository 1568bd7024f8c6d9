//! Verifies the audit: that every entry is as it was written, follows the one before, and agrees with what is sealed.
//!
//! Each entry has a hash of its own content and of the hash before. So an altered entry shows by itself, and one whose hash was
//! computed anew shows by the next one. A chain that was computed anew up to its end, one that was cut off, and an old copy of the
//! database agree with themselves; they do not agree with the seals, which are signed, and with the newest entry in the
//! keyring, where the one who restores an old database does not restore it.

use std::collections::{HashMap, HashSet};

use wilco_credentials::signing::PublicKey;

use super::seal::SealedHead;
use crate::{
    api::{AuditKind, AuditProblem, AuditProblemKind, AuditRange, AuditSeal, AuditVerification},
    store::{AuditHead, Hash, StoredAudit, StoredAuditEntry, StoredSeal, audit_genesis},
};

/// What the audit has to agree with.
pub(crate) struct Expected {
    /// The installation's id.
    pub(crate) installation: String,
    /// What the keyring knows; a sentence why it says nothing.
    pub(crate) keyring: Result<Kept, String>,
}

/// What the keyring knows of the audit.
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
    /// The hashes of the entries that something says something about.
    hashes: HashMap<u32, Hash>,
    named: HashSet<u32>,
    /// What the retention says that it deleted last.
    deleted: Option<AuditHead>,
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
            let text = format!("Entry {number} was altered. It says now: {}.", entry.entry.what);
            self.altered(number, text);
        } else if self.previous.is_some_and(|previous| previous != entry.previous) {
            self.not_linked(number);
        }
        if self.named.contains(&number) {
            self.hashes.insert(number, entry.hash);
        }
        if entry.entry.kind == AuditKind::Audit
            && let Some(deleted) = deleted(&entry.entry.details)
        {
            self.deleted = Some(deleted);
        }
        self.previous = Some(entry.hash);
    }

    pub(crate) fn end(mut self) -> AuditVerification {
        self.look_at_checkpoint();
        let seal = self.look_at_seals();
        let range = self.first.map(|from| AuditRange { from, to: self.last });
        AuditVerification {
            entries: self.entries,
            range,
            deleted: self.stored.checkpoint.number,
            intact: range.map(|range| without(range, self.bad.iter().chain(&self.missing))).unwrap_or_default(),
            problems: self.problems,
            seal,
        }
    }

    /// An entry names another hash than the entry before it has.
    fn not_linked(&mut self, number: u32) {
        let before = number - 1;
        if before == self.stored.checkpoint.number {
            let text = format!("Entry {number} does not follow what was deleted before it.");
            self.problem(AuditProblemKind::Checkpoint, None, text);
        } else if !self.bad.iter().any(|range| range.to == before) {
            let text = format!("Entry {before} was replaced by another one: entry {number} names another hash for it.");
            self.altered(before, text);
        }
    }

    /// What was deleted is what the retention wrote down.
    fn look_at_checkpoint(&mut self) {
        let checkpoint = self.stored.checkpoint;
        let genuine = match checkpoint.number {
            0 => checkpoint == audit_genesis(&self.expected.installation),
            _ => self.deleted == Some(checkpoint),
        };
        let is_told = self.problems.iter().any(|problem| problem.kind == AuditProblemKind::Checkpoint);
        if !genuine && !is_told {
            let text = match checkpoint.number {
                0 => "The audit does not begin where this installation's does.".to_owned(),
                number => format!("No entry says that the entries up to {number} were deleted."),
            };
            self.problem(AuditProblemKind::Checkpoint, None, text);
        }
    }

    /// Compares the entries with what was sealed.
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
            self.problem(
                AuditProblemKind::Seal,
                None,
                "The keyring has no seal any more, or no key for it.".to_owned(),
            );
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

    /// Compares the entries with sealed ones, in their order.
    fn compare(&mut self, sealed: &[AuditHead]) {
        let beginning = self.stored.checkpoint.number;
        let mut good = beginning;
        let last = self.last;
        for head in sealed.iter().filter(|head| head.number > beginning && head.number <= last) {
            match self.hashes.get(&head.number) {
                Some(hash) if *hash == head.hash => good = head.number,
                // That it cannot be read, or is not there, is told already.
                None => {}
                Some(_) => {
                    let range = AuditRange { from: good + 1, to: head.number };
                    let is_told = |problem: &AuditProblem| {
                        problem.entries.is_some_and(|told| told.from <= range.to && told.to >= range.from)
                    };
                    if !self.problems.iter().any(is_told) {
                        let (entries, are) = numbered(range);
                        let text = format!(
                            "{entries} {are} not what was sealed: something among them was replaced, and all hashes after \
                             it were computed anew."
                        );
                        self.problem(AuditProblemKind::Replaced, Some(range), text);
                    }
                }
            }
        }
        let Some(newest) = sealed.last() else { return };
        // What comes after the last entry that is as it was sealed, nothing vouches for.
        if newest.number > good && last > good {
            self.bad.push(AuditRange { from: good + 1, to: last });
        }
        if newest.number > self.last {
            let range = AuditRange { from: self.last + 1, to: newest.number };
            let (entries, are) = numbered(range);
            let text = format!(
                "{entries} {are} missing at the end: they were sealed. They were cut off, or an old copy of the database was \
                 restored."
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
fn numbered(range: AuditRange) -> (String, &'static str) {
    match range {
        AuditRange { from, to } if from == to => (format!("Entry {from}"), "is"),
        AuditRange { from, to } => (format!("Entries {from} to {to}"), "are"),
    }
}

/// The particulars of an entry that says what the retention deleted.
pub(crate) fn deletion(checkpoint: &AuditHead) -> serde_json::Value {
    serde_json::json!({ "deleted_to": checkpoint.number, "hash": super::hex(&checkpoint.hash) })
}

fn deleted(details: &str) -> Option<AuditHead> {
    let details: serde_json::Value = serde_json::from_str(details).ok()?;
    let number = u32::try_from(details.get("deleted_to")?.as_u64()?).ok()?;
    let hash = super::unhex(details.get("hash")?.as_str()?)?.try_into().ok()?;
    Some(AuditHead { number, hash })
}

/// What is left of a range.
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
