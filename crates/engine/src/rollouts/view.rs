//! The state of a rollout for users.

use wilco_ledger::{
    Timestamp, grouped,
    rollout::{self, HaltReason, Phase, Suspension},
};

use super::Found;
use crate::{
    api::{
        Confirmed, HaltLimit, HaltRule, MemberCounts, NewRollout, RolloutApproval, RolloutState, RolloutView,
        StageView, Verdict, WaitsFor, sentence,
    },
    store::{RolloutSnapshot, StoredRollout},
};

/// The devices that a rollout waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Awaited {
    /// How many commands of each stage wait for an offline device.
    pub(crate) offline: Vec<u32>,
    /// The devices whose measurement its gate waits for.
    pub(crate) unmeasured: Found,
}

/// A rollout as it is shown.
pub(crate) fn view(
    stored: &StoredRollout,
    snapshot: &RolloutSnapshot,
    phase: Phase,
    awaited: &Awaited,
    changed_at: Timestamp,
) -> RolloutView {
    let RolloutSnapshot { progress, counts } = snapshot;
    let (state, waits_for) = state(phase, &awaited.unmeasured, changed_at);
    let stages: Vec<_> = stored
        .stages
        .iter()
        .zip(&progress.stages)
        .zip(counts)
        .enumerate()
        .map(|(place, ((members, stage), counts))| StageView {
            members: *members,
            counts: *counts,
            waiting_for_offline: awaited.offline.get(place).copied().unwrap_or(0),
            started_at: stage.started_at.map(|at| at.0),
            ended_at: stage.ended_at.map(|at| at.0),
            closed: stage.closed,
        })
        .collect();
    RolloutView {
        id: stored.number.to_string(),
        number: stored.number,
        // A rollout that follows this one is confirmed by itself.
        spec: NewRollout { confirmed: Confirmed::No, ..stored.spec.clone() },
        state,
        waits_for,
        why: why(progress.suspension.as_ref(), &stored.spec).or_else(|| declined(stored)),
        approval: stored
            .approval
            .as_ref()
            .map(|approval| RolloutApproval { expires_at: approval.expires_at, decision: approval.decision.clone() }),
        stage: progress.stage,
        counts: stages.iter().fold(MemberCounts::default(), |sum, stage| sum + stage.counts),
        members: stored.stages.iter().sum(),
        ended_before: progress.ended_before,
        failed_before: progress.failed_before,
        stages,
        started_at: progress.started_at.0,
        changed_at: changed_at.0,
        ended_at: progress.ended_at.map(|at| at.0),
    }
}

fn state(phase: Phase, unmeasured: &Found, now: Timestamp) -> (RolloutState, Option<WaitsFor>) {
    let waits_for = match phase {
        Phase::Running => return (RolloutState::Running, None),
        Phase::Paused => return (RolloutState::Paused, None),
        Phase::Halted => return (RolloutState::Halted, None),
        Phase::Stopped => return (RolloutState::Stopped, None),
        Phase::Finished => return (RolloutState::Finished, None),
        Phase::Waiting(waits_for) => waits_for,
    };
    let waits_for = match waits_for {
        rollout::WaitsFor::Approval => WaitsFor::Approval,
        rollout::WaitsFor::Person => WaitsFor::Person,
        rollout::WaitsFor::Pause { until } => WaitsFor::Pause { until: until.0 },
        rollout::WaitsFor::Gate { until } => WaitsFor::Gate {
            until: until.map(|until| until.0),
            unmeasured: unmeasured.count,
            unmeasured_examples: unmeasured.examples.clone(),
        },
        rollout::WaitsFor::Hours { until } => WaitsFor::Hours { until: until.max(now).0 },
        rollout::WaitsFor::Connection => WaitsFor::Connection,
    };
    (RolloutState::Waiting, Some(waits_for))
}

/// Why it has stopped by itself, as a sentence.
fn why(suspension: Option<&Suspension>, spec: &NewRollout) -> Option<String> {
    match suspension? {
        Suspension::Halted(HaltReason::Gate(why)) => Some(why.to_string()),
        Suspension::Halted(HaltReason::Failures { failed, ended }) => {
            let limit = spec.halt.as_ref().map(limit).unwrap_or_default();
            Some(format!("{} of {} finished devices failed{limit}.", grouped(*failed), grouped(*ended)))
        }
        Suspension::Halted(HaltReason::EventsMissing) => Some(
            "The history has lost events. Devices that seem to be waiting may already have received the command. If \
             you resume the rollout, it is sent to them."
                .to_owned(),
        ),
        Suspension::Unapproved | Suspension::Paused | Suspension::Stopped => None,
    }
}

/// Why it never started, where it was not approved.
fn declined(stored: &StoredRollout) -> Option<String> {
    let decision = stored.approval.as_ref()?.decision.as_ref().filter(|of| of.verdict == Verdict::Declined)?;
    Some(match &decision.note {
        Some(note) => sentence(&format!("{} declined it: {note}", decision.by)),
        None => format!("{} declined it.", decision.by),
    })
}

fn limit(halt: &HaltRule) -> String {
    match halt.above {
        HaltLimit::Members { count } => format!("; the limit is {}", grouped(count)),
        HaltLimit::Percent { percent } => format!("; the limit is {percent} %"),
    }
}
