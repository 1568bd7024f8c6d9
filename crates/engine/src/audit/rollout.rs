//! The content of the entry about the start of a rollout, and its comparison with the stored rollout.
//!
//! Everything that an entry contains is compared, except what may change later: the note, the progress and the name of the
//! connection. A rollout that is no longer stored is no contradiction: it is deleted with its connection.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wilco_dialect::json as json_text;
use wilco_ledger::{grouped, rollout::Suspension};

use super::{devices, hex, plain};
use crate::{
    api::{Confirmed, NewRollout, RolloutCommand, RolloutTarget, Verdict},
    store::{ConnectionId, NewMember, StoredAuditEntry, StoredRollout},
};

/// The particulars of the entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Started {
    /// The rollout's number.
    pub(crate) rollout: u32,
    name: Option<String>,
    command: String,
    /// Without secrets, and shortened.
    args: Value,
    target: Value,
    members: u32,
    /// Of [`Members`].
    members_sha256: String,
    stages: Vec<u32>,
    /// Its rate, halt rule, gate, hours and what else it waits for.
    #[serde(default)]
    terms: Option<NewRollout>,
    /// Of how its requests are written, delivered and waited for.
    #[serde(default)]
    delivery_sha256: Option<String>,
    /// It waits for the approval of a second installation.
    #[serde(default)]
    needs_approval: bool,
}

/// The rollout that an entry says was approved.
pub(crate) fn approved(entry: &StoredAuditEntry) -> Option<u32> {
    #[derive(Deserialize)]
    struct Decided {
        rollout: u32,
        verdict: Verdict,
    }
    let Decided { rollout, verdict } = serde_json::from_str(&entry.entry.details).ok()?;
    (verdict == Verdict::Approved).then_some(rollout)
}

/// The members of a rollout in the order of release, as a hash: of each the device's id and its own arguments, each with a line
/// feed after it.
#[derive(Default)]
pub(crate) struct Members {
    hash: Sha256,
    count: u32,
    /// A place in the order of release is empty or taken twice.
    misplaced: bool,
}

/// An entry about the start of a rollout, to be compared with that rollout.
#[derive(Debug)]
pub(crate) struct StartedEntry {
    pub(crate) number: u32,
    connection: Option<ConnectionId>,
    pub(crate) started: Started,
}

impl Members {
    pub(crate) fn of(members: &[NewMember]) -> Members {
        let mut all = Members::default();
        (0_u32..).zip(members).for_each(|(place, member)| all.add(place, member));
        all
    }

    /// The next one, with its place in the order of release.
    pub(crate) fn add(&mut self, place: u32, NewMember { device, args }: &NewMember) {
        self.misplaced |= place != self.count;
        self.count += 1;
        for text in [device.as_str(), args.as_deref().unwrap_or_default()] {
            self.hash.update(text.as_bytes());
            self.hash.update(b"\n");
        }
    }
}

impl Started {
    /// The particulars of a rollout with these members.
    pub(crate) fn of(rollout: &StoredRollout, members: Members) -> Started {
        let StoredRollout { number, spec, stages, template, approval, .. } = rollout;
        let target = match &spec.target {
            RolloutTarget::Devices { .. } => json!({ "by": "devices" }),
            other => serde_json::to_value(other).unwrap_or_default(),
        };
        Started {
            rollout: *number,
            name: spec.name.clone(),
            command: spec.command.name.clone(),
            args: plain(spec.command.args.as_str()),
            target,
            members: members.count,
            members_sha256: hex(&members.hash.finalize()),
            stages: stages.clone(),
            terms: Some(terms(spec)),
            delivery_sha256: Some(hex(&Sha256::digest(template.form_and_policy()))),
            needs_approval: approval.is_some(),
        }
    }
}

/// A rollout without what other particulars say, and without its note, which may change.
fn terms(spec: &NewRollout) -> NewRollout {
    let RolloutCommand { timeout_ms, ttl_ms, retries, delivery, no_answer, .. } = spec.command;
    NewRollout {
        connection: String::new(),
        name: None,
        note: None,
        target: RolloutTarget::default(),
        command: RolloutCommand { timeout_ms, ttl_ms, retries, delivery, no_answer, ..RolloutCommand::default() },
        stages: Vec::new(),
        confirmed: Confirmed::No,
        ..spec.clone()
    }
}

impl StartedEntry {
    /// If the entry is about the start of a rollout.
    pub(crate) fn of(entry: &StoredAuditEntry) -> Option<StartedEntry> {
        let started = serde_json::from_str(&entry.entry.details).ok()?;
        let connection = entry.entry.connection.as_ref().map(|(id, _)| id.clone());
        Some(StartedEntry { number: entry.number, connection, started })
    }

    /// Compares it with the stored rollout. A sentence, if they contradict each other. `approved`: another entry says so.
    pub(crate) fn contradiction(&self, stored: &StoredRollout, members: Members, approved: bool) -> Option<String> {
        let misplaced = members.misplaced;
        let (then, now) = (&self.started, Started::of(stored, members));
        let template = &stored.template;
        let mut differences = Vec::new();
        if self.connection.as_ref() != Some(&stored.connection) {
            differences.push("it is stored for another connection".to_owned());
        }
        if let Some(other) = [&*now.command, &*template.name].into_iter().find(|name| *name != then.command) {
            differences.push(format!("its command is {other} instead of {}", then.command));
        }
        let sent = json_text::object(stored.spec.command.args.as_str());
        if now.args != then.args || sent.as_deref() != Ok(&*template.args) {
            differences.push("its arguments are different".to_owned());
        }
        if now.members != then.members {
            differences.push(format!("it has {} instead of {}", devices(now.members as usize), grouped(then.members)));
        } else if now.members_sha256 != then.members_sha256 {
            differences.push("its devices, their order or their individual arguments are different".to_owned());
        } else if misplaced {
            differences.push("the positions of its devices are different".to_owned());
        }
        if now.stages != then.stages {
            differences.push("its stages are different".to_owned());
        }
        // Entries of earlier versions of Wilco do not have these.
        if then.terms.is_some() && now.terms != then.terms {
            differences.push("its rate, halt rule, gate, hours or timeouts are different".to_owned());
        }
        if then.delivery_sha256.is_some() && now.delivery_sha256 != then.delivery_sha256 {
            differences.push("its topic, payload, timeout or delivery is different".to_owned());
        }
        if now.target != then.target {
            differences.push("its target is different".to_owned());
        }
        if now.name != then.name {
            differences.push("its name is different".to_owned());
        }
        let waits_or_stopped =
            matches!(stored.snapshot.progress.suspension, Some(Suspension::Unapproved | Suspension::Stopped));
        if then.needs_approval && !approved && !waits_or_stopped {
            differences.push("it is running, but no entry records its approval".to_owned());
        }
        let (entry, rollout) = (self.number, then.rollout);
        let text = || format!("Rollout {rollout} was altered after entry {entry}: {}.", differences.join(", "));
        (!differences.is_empty()).then(text)
    }

    /// The sentence where the stored rollout cannot be read.
    pub(crate) fn unreadable(&self) -> String {
        format!("Rollout {} was altered after entry {}: it cannot be read.", self.started.rollout, self.number)
    }
}
