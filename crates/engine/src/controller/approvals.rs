//! Rollouts that require the approval of a second installation: which do, when one may start, and the checks that it
//! sends only to the approved broker.
//!
//! A rollout waits in its own state machine, which releases nothing before it is approved. Whether an answer is genuine is not
//! decided here.

use serde_json::json;
use wilco_ledger::{
    Submission,
    rollout::{self, Action, Suspension},
};

use super::Controller;
use crate::{
    absent::{no_rollout, not_found},
    api::{ApprovalDecision, Failure, Verdict, grouped, invalid},
    approval::{self, Connection},
    sample::Samples,
    store::{Change, ConnectionId, NewAuditEntry, NewMember, StoredApproval, StoredRollout},
};

impl Controller {
    /// What a second installation has to approve before a rollout may start; `None` where it needs no approval.
    pub(super) fn approval_for(
        &self,
        rollout: &StoredRollout,
        members: &[NewMember],
    ) -> Result<Option<StoredApproval>, Failure> {
        let of = &rollout.connection;
        let known = self.connections.get(of).ok_or_else(|| not_found("connection", of.as_str()))?;
        let shared = known.shared();
        if !shared.needs_approval(&self.catalogue.find(of, &rollout.template.name)) {
            return Ok(None);
        }
        let (now, by) = (self.clock.now(), self.audit.signer());
        let samples = Samples { shared: &shared, template: &rollout.template, by: by.operator.as_deref(), now };
        let samples = samples.of_each_dialect(members)?;
        approval::stored(rollout, members, samples, &known.profile, (by, now.0)).map(Some)
    }

    /// Whether these commands may be sent at once: to several devices a dangerous one goes only as a rollout, which can be
    /// approved.
    pub(super) fn permit_unapproved(
        &self,
        connection: &ConnectionId,
        submissions: &[Submission],
    ) -> Result<(), Failure> {
        let Some((known, first)) = self.connections.get(connection).zip(submissions.first()) else { return Ok(()) };
        known.shared().permit_unapproved(&self.catalogue.find(connection, &first.name), submissions.len())
    }

    /// Whether a rollout that was approved may go on: only on the broker that it was approved for, and in the dialects.
    pub(super) fn permit_here(&self, connection: &ConnectionId, rollout: &StoredRollout) -> Result<(), Failure> {
        let Some(known) = self.connections.get(connection) else { return Ok(()) };
        let here = Connection::of(&known.profile);
        let approved = rollout.approval.as_ref().and_then(approval::connection_of);
        match approved {
            Some(approved) if approved.is_same_place(&here) => match approved.changed_dialect(&here) {
                None => Ok(()),
                Some(dialect) => Err(invalid(
                    format!(
                        "Rollout {} was approved with an earlier version of the dialect {dialect}: the connection \
                         '{}' has changed since.",
                        rollout.number, here.name,
                    ),
                    "Change the dialect back, or stop the rollout and start it again, which requires a new approval.",
                )),
            },
            Some(approved) => Err(invalid(
                format!(
                    "The approval of rollout {} is for {}{}, but the connection '{}' has changed since.",
                    rollout.number,
                    approved.url,
                    if approved.prefix == here.prefix {
                        String::new()
                    } else {
                        format!(" with prefix '{}'", approved.prefix)
                    },
                    here.name,
                ),
                "Change the connection back, or stop the rollout and start it again, which requires a new approval.",
            )),
            None => Ok(()),
        }
    }

    /// Pauses rollouts that were approved for another broker than the connection reaches now, or in other dialects.
    pub(super) fn pause_where_not_approved(&mut self, connection: &ConnectionId) {
        let now = self.clock.now();
        let Some(known) = self.connections.get_mut(connection) else { return };
        let here = Connection::of(&known.profile);
        let is_elsewhere = |stored: &StoredRollout| {
            let approved = stored.approval.as_ref().and_then(approval::connection_of);
            approved.is_some_and(|approved| !approved.sends_as(&here))
        };
        let paused = known.rollouts.pause_some(now, is_elsewhere);
        if paused > 0 {
            self.pending_batch.urgent = true;
            let rollouts =
                if paused == 1 { "1 rollout is".to_owned() } else { format!("{} rollouts are", grouped(paused)) };
            self.feed.notice_of(
                connection,
                format!(
                    "{rollouts} paused, because the connection's broker, or a dialect of the rollout, was changed \
                     after the approval."
                ),
                "To resume, change the connection back. Otherwise start the rollout again.",
            );
        }
    }

    /// A second installation has answered: the rollout of that number starts, or is stopped.
    pub(super) fn decide_rollout(
        &mut self,
        number: u32,
        decision: ApprovalDecision,
        (answer, request_sha256): (String, String),
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let waits_no_more = || {
            invalid(
                format!("Rollout {number} no longer waits for an approval."),
                "An approval can start one rollout, once. To send again, start a new rollout and have it approved.",
            )
        };
        let of = self.connections.iter().find(|(_, known)| known.rollouts.get(number).is_some());
        let id = of.map(|(id, _)| id.clone()).ok_or_else(waits_no_more)?;
        let known = self.connections.get(&id).and_then(|known| known.rollouts.get(number));
        let rollout = known.ok_or_else(|| no_rollout(&number.to_string()))?;
        let approval = rollout.stored.approval.clone().ok_or_else(waits_no_more)?;
        if rollout.machine.progress().suspension != Some(Suspension::Unapproved) {
            return Err(waits_no_more());
        }
        if now.0 >= approval.expires_at {
            return Err(invalid(
                format!("The approval of rollout {number} has expired, because it was requested more than 7 days ago."),
                "Stop the rollout and start it again, which creates a new request.",
            ));
        }
        if decision.verdict == Verdict::Approved {
            self.permit(&id)?;
            self.permit_here(&id, &rollout.stored)?;
            self.permit_confirmed(&id, &rollout.stored)?;
            if !approval::asks_for(&approval, &rollout.stored) {
                return Err(invalid(
                    format!("The stored rollout {number} does not match its request: another program altered it."),
                    "Stop it, and verify the audit.",
                ));
            }
        }
        let entry = self.audit_decided(number, &decision, &request_sha256);
        let input = match decision.verdict {
            Verdict::Approved => rollout::Input::Approved,
            Verdict::Declined => rollout::Input::Act(Action::Stop),
        };
        let approval = StoredApproval { decision: Some(decision), answer: Some(answer), ..approval };
        let known = self.connections.get_mut(&id).and_then(|known| known.rollouts.get_mut(number));
        let rollout = known.ok_or_else(|| no_rollout(&number.to_string()))?;
        rollout.stored.approval = Some(approval.clone());
        rollout.handle(input, now);
        self.pending_batch.changes.push(Change::RolloutApproval { number, approval: Box::new(approval) });
        self.write_down(Some(entry));
        Ok(())
    }

    fn audit_decided(&self, number: u32, decision: &ApprovalDecision, request_sha256: &str) -> NewAuditEntry {
        let ApprovalDecision { verdict, by, fingerprint, note, signed_at, .. } = decision;
        let what = match verdict {
            Verdict::Approved => format!("Started rollout {number}, which {by} approved"),
            Verdict::Declined => format!("Stopped rollout {number}, which {by} declined"),
        };
        let details = json!({
            "rollout": number,
            "verdict": verdict,
            "by": by,
            "fingerprint": fingerprint,
            "signed_at": signed_at,
            "request_sha256": request_sha256,
        });
        self.of_rollout(number, what, &details).because(note.clone())
    }
}
