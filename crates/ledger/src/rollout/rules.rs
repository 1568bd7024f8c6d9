//! The rules of a rollout: releases, halts, stages and actions.

use super::{
    Action, Between, Effect, GateReading, HaltReason, MemberCounts, Rollout, StageProgress, Suspension, WaitsFor,
    counts::counts_as_failed,
};
use crate::{State, Timestamp};

impl Rollout {
    /// A member's command is in that state now.
    pub(super) fn note(&mut self, member: u32, state: State) {
        let stage = self.stage_of(member);
        let Some(known) = self.members.get_mut(member as usize) else { return };
        let before = known.replace(state);
        if let (Some(before), Some(halt)) = (before, self.plan.halt)
            && counts_as_failed(before, halt.count_timeouts)
            && !counts_as_failed(state, halt.count_timeouts)
        {
            // It answered late. Otherwise one that fails from now on would count as the one that had failed before.
            self.progress.failed_before = self.progress.failed_before.saturating_sub(1);
        }
        if let Some(counts) = self.counts.get_mut(stage) {
            counts.moved(before, Some(state));
        }
        self.skip_released();
    }

    /// Halts if the rule requires it. With nothing left to release there is nothing to halt.
    pub(super) fn judge(&mut self) {
        let Some(halt) = self.plan.halt else { return };
        if matches!(
            self.progress.suspension,
            Some(Suspension::Unapproved | Suspension::Halted(_) | Suspension::Stopped)
        ) {
            return;
        }
        let all = self.counts();
        let ended = all.judged().saturating_sub(self.progress.ended_before);
        let failed = all.failed(halt.count_timeouts).saturating_sub(self.progress.failed_before);
        if all.pending() > 0 && halt.is_exceeded(failed, ended) {
            self.progress.suspension = Some(Suspension::Halted(HaltReason::Failures { failed, ended }));
        }
    }

    /// Ends finished stages, and starts the next one if nothing prevents it.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some((counts, stage)) = self.current().zip(self.stage_progress().copied()) {
            if stage.ended_at.is_none() {
                if !is_done(&counts, stage) {
                    return;
                }
                self.progress.stages[self.progress.stage as usize].ended_at = Some(now);
            }
            if self.is_last_stage() || self.progress.suspension.is_some() || self.waits_between(now).is_some() {
                return;
            }
            self.start_next_stage();
        }
    }

    pub(super) fn act(&mut self, action: Action, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.refuses(action).is_some() {
            return;
        }
        match action {
            Action::Pause => self.progress.suspension = Some(Suspension::Paused),
            Action::Resume => self.resume(now),
            Action::Stop => {
                self.progress.suspension = Some(Suspension::Stopped);
                let unsent = |state: &Option<State>| matches!(state, Some(State::Queued | State::Held));
                let members = (0..).zip(&self.members).filter(|(_, state)| unsent(state));
                effects.extend(members.map(|(member, _)| Effect::Cancel { member }));
            }
            Action::StartNextStage => self.start_next_stage(),
            Action::CloseStage => {
                if let Some(stage) = self.progress.stages.get_mut(self.progress.stage as usize) {
                    stage.closed = true;
                }
            }
        }
    }

    fn resume(&mut self, now: Timestamp) {
        self.progress.ended_at = None;
        match self.progress.suspension.take() {
            Some(Suspension::Halted(HaltReason::Failures { .. })) => {
                let all = self.counts();
                self.progress.ended_before = all.judged();
                let count_timeouts = self.plan.halt.is_some_and(|halt| halt.count_timeouts);
                self.progress.failed_before = all.failed(count_timeouts);
            }
            // The user who continues it has seen the gate's result.
            Some(Suspension::Halted(HaltReason::Gate(_))) if self.is_between_stages() => self.start_next_stage(),
            _ => {}
        }
        // Measurements in the meantime are unknown.
        self.progress.within_since = self.progress.within_since.map(|_| now);
    }

    /// The gate's reading while it is watched.
    pub(super) fn gate(&mut self, reading: GateReading, now: Timestamp) {
        if !self.watches_gate() {
            return;
        }
        match reading {
            GateReading::Within => {
                self.progress.within_since.get_or_insert(now);
            }
            GateReading::Unknown => self.progress.within_since = None,
            GateReading::Outside(why) => {
                self.progress.within_since = None;
                self.progress.suspension = Some(Suspension::Halted(HaltReason::Gate(why)));
            }
        }
    }

    /// Releases the next member.
    pub(super) fn release(&mut self, now: Timestamp) -> Effect {
        let member = self.next;
        self.pace.count(now);
        if let Some(stage) = self.progress.stages.get_mut(self.progress.stage as usize) {
            stage.started_at.get_or_insert(now);
        }
        self.note(member, State::Queued);
        Effect::Release { member }
    }

    /// Notes when it has finished, and that it has not where a person lets it continue.
    pub(super) fn note_end(&mut self, now: Timestamp) {
        let suspended = matches!(self.progress.suspension, Some(Suspension::Halted(_) | Suspension::Stopped));
        if self.is_over() || (suspended && self.counts().on_the_way() == 0) {
            self.progress.ended_at.get_or_insert(now);
        } else {
            self.progress.ended_at = None;
        }
    }

    /// The current stage has a member that is still to be released.
    pub(super) fn wants_release(&self) -> bool {
        // A published broadcast is never published again.
        let is_out = self.plan.broadcast && self.counts().pending() < self.plan.members();
        !is_out && self.ends.get(self.progress.stage as usize).is_some_and(|end| self.next < *end)
    }

    pub(super) fn is_within_hours(&self, now: Timestamp) -> bool {
        !self.plan.hours || (self.hours.open && now < self.hours.until)
    }

    /// The current stage is done, and there is another one.
    pub(super) fn is_between_stages(&self) -> bool {
        !self.is_last_stage() && self.stage_progress().is_some_and(|stage| stage.ended_at.is_some())
    }

    /// The condition for the next stage.
    pub(super) fn waits_between(&self, now: Timestamp) -> Option<WaitsFor> {
        let ended_at = self.stage_progress().and_then(|stage| stage.ended_at).unwrap_or(now);
        match self.plan.between {
            Between::Pause(pause) if now < ended_at + pause => {
                return Some(WaitsFor::Pause { until: ended_at + pause });
            }
            Between::Continue | Between::Pause(_) => {}
            Between::Ask => return Some(WaitsFor::Person),
        }
        let length = self.plan.gate?;
        let until = self.progress.within_since.map(|since| since + length);
        until.is_none_or(|until| now < until).then_some(WaitsFor::Gate { until })
    }

    fn start_next_stage(&mut self) {
        self.progress.stage += 1;
        self.progress.within_since = None;
    }

    pub(super) fn skip_released(&mut self) {
        while self.members.get(self.next as usize).is_some_and(Option::is_some) {
            self.next += 1;
        }
    }

    pub(super) fn current(&self) -> Option<MemberCounts> {
        self.counts.get(self.progress.stage as usize).copied()
    }

    pub(super) fn stage_progress(&self) -> Option<&StageProgress> {
        self.progress.stages.get(self.progress.stage as usize)
    }

    fn is_last_stage(&self) -> bool {
        self.progress.stage as usize + 1 >= self.ends.len()
    }
}

/// Every member is released, and those that it waits for are finished.
fn is_done(counts: &MemberCounts, stage: StageProgress) -> bool {
    let given_up = if stage.closed { counts.unanswered() } else { 0 };
    counts.pending() == 0 && counts.on_the_way() == given_up
}
