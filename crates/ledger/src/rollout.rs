//! A rollout: one command for many devices, in stages, as a state machine.
//!
//! A [`Rollout`] holds the members of **one** rollout, in the order of release, and the progress of each member's
//! command. Its inputs are events ([`Input`]) with their time, its outputs are effects ([`Effect`]). Only
//! [`Input::Room`] releases members, at most as many as the connection can hand over immediately: no time to live runs
//! while a command waits for our own windows, and a halt takes effect before the next release.
//!
//! It knows no devices, commands, sockets, files, time zones or measurements: a member is a number, and the results of
//! gates and maintenance hours are arguments. Its [`Progress`] must be stored over a restart; the progress of members
//! follows from their commands.

mod counts;
mod input;
mod pace;
mod plan;
mod progress;
mod rules;

use crate::{State, Timestamp};

pub use counts::MemberCounts;
pub use input::{Action, Effect, GateReading, Input, Refusal};
pub use plan::{Between, Halt, HaltLimit, Plan};
pub use progress::{HaltReason, Phase, Progress, StageProgress, Suspension, WaitsFor};

use pace::Pace;

/// The members of a rollout, and their progress.
#[derive(Debug, Clone)]
pub struct Rollout {
    plan: Plan,
    progress: Progress,
    /// How far each member's command is; `None` before its release.
    members: Vec<Option<State>>,
    /// The first member after each stage.
    ends: Vec<u32>,
    /// The members of each stage by state.
    counts: Vec<MemberCounts>,
    /// Every member before this one is released.
    next: u32,
    pace: Pace,
    connected: bool,
    hours: Hours,
}

/// The known maintenance hours.
#[derive(Debug, Clone, Copy)]
struct Hours {
    open: bool,
    /// When that changes.
    until: Timestamp,
}

impl Rollout {
    /// A rollout without released members.
    #[must_use]
    pub fn new(plan: Plan, now: Timestamp) -> Rollout {
        let members = vec![None; plan.members() as usize];
        let progress = Progress::new(plan.stages.len(), now);
        Rollout::restore(plan, progress, members, None, now)
    }

    /// A rollout that releases no members before [`Input::Approved`].
    #[must_use]
    pub fn unapproved(plan: Plan, now: Timestamp) -> Rollout {
        let mut rollout = Rollout::new(plan, now);
        rollout.progress.suspension = Some(Suspension::Unapproved);
        rollout
    }

    /// A restored rollout: its last recorded progress, the state of each member's command, and the time of the last
    /// release. Not connected, and with unknown maintenance hours.
    #[must_use]
    pub fn restore(
        plan: Plan,
        progress: Progress,
        members: Vec<Option<State>>,
        last_release: Option<Timestamp>,
        now: Timestamp,
    ) -> Rollout {
        let sum = |end: &mut u32, size: &u32| {
            *end += size;
            Some(*end)
        };
        let ends: Vec<u32> = plan.stages.iter().scan(0, sum).collect();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let of_stage = |(start, end): (u32, &u32)| {
            MemberCounts::of(members.get(start as usize..*end as usize).unwrap_or_default())
        };
        let counts = starts.zip(&ends).map(of_stage).collect();
        // A clock that was set back must not keep it waiting.
        let pace = Pace::new(plan.rate, last_release.map(|at| at.min(now)));
        let hours = Hours { open: false, until: Timestamp(i64::MIN) };
        let mut rollout = Rollout { plan, progress, members, ends, counts, next: 0, pace, connected: false, hours };
        rollout.skip_released();
        rollout
    }

    /// Handles an input and returns the effects.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut room = 0;
        match input {
            Input::Member { member, state } => self.note(member, state),
            Input::Room(count) => room = count,
            Input::Connected => self.connected = true,
            Input::Disconnected => self.connected = false,
            Input::Act(action) => self.act(action, now, &mut effects),
            Input::Approved => {
                self.progress.suspension.take_if(|suspension| *suspension == Suspension::Unapproved);
            }
            Input::Gate(reading) => self.gate(reading, now),
            Input::Hours { open, until } => self.hours = Hours { open, until },
            Input::Tick => {}
        }
        self.judge();
        self.advance(now);
        for _ in 0..room {
            if !self.wants_room(now) {
                break;
            }
            effects.push(self.release(now));
            while self.plan.broadcast && (self.next as usize) < self.members.len() {
                effects.push(self.release(now));
            }
        }
        self.note_end(now);
        effects
    }

    /// When [`Input::Tick`] is due, unless another event happens first. When the maintenance hours change,
    /// [`Input::Hours`] is due.
    #[must_use]
    pub fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_over() {
            return None;
        }
        let hours = (self.plan.hours && self.progress.suspension.is_none()).then_some(self.hours.until);
        let next = match self.phase(now) {
            Phase::Running if self.wants_release() && !self.pace.is_due(now) => self.pace.due_at(),
            Phase::Waiting(WaitsFor::Pause { until }) => Some(until),
            Phase::Waiting(WaitsFor::Gate { until }) => until,
            _ => None,
        };
        [hours, next].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Whether the state of the maintenance hours is needed: nothing is released before.
    #[must_use]
    pub fn hours_are_due(&self, now: Timestamp) -> bool {
        self.plan.hours && self.hours.until <= now && !self.is_over()
    }

    /// Whether the gate's reading is needed, and must be repeated from time to time.
    #[must_use]
    pub fn watches_gate(&self) -> bool {
        self.plan.gate.is_some() && self.progress.suspension.is_none() && self.is_between_stages()
    }

    /// Whether it measures a duration from a recorded time: a pause between stages, even while paused by a user, or the
    /// time for which a measurement has been within its limits. A clock change in the meantime would falsify it.
    #[must_use]
    pub fn counts_time(&self, now: Timestamp) -> bool {
        let waits = self.is_between_stages().then(|| self.waits_between(now)).flatten();
        !self.is_over()
            && self.progress.suspension != Some(Suspension::Stopped)
            && matches!(waits, Some(WaitsFor::Pause { .. } | WaitsFor::Gate { until: Some(_) }))
    }

    /// The reason why an action is not possible; `None` if it is.
    #[must_use]
    pub fn refuses(&self, action: Action) -> Option<Refusal> {
        if self.is_over() {
            return Some(Refusal::Ended);
        }
        let suspension = self.progress.suspension.as_ref();
        match action {
            Action::Stop => None,
            _ if suspension == Some(&Suspension::Unapproved) => Some(Refusal::Unapproved),
            Action::Pause => suspension.is_some().then_some(Refusal::NotRunning),
            Action::Resume => suspension.is_none().then_some(Refusal::NotPaused),
            Action::StartNextStage => {
                (suspension.is_some() || !self.is_between_stages()).then_some(Refusal::NoStageWaits)
            }
            Action::CloseStage => {
                let waits = self.current().is_some_and(|counts| counts.pending() == 0 && counts.unanswered() > 0);
                (!waits || self.stage_progress().is_none_or(|stage| stage.closed)).then_some(Refusal::NothingToClose)
            }
        }
    }

    /// Whether its next release waits only for capacity of the connection.
    #[must_use]
    pub fn wants_room(&self, now: Timestamp) -> bool {
        self.progress.suspension.is_none()
            && self.connected
            && self.wants_release()
            && self.is_within_hours(now)
            && self.plan.in_flight.is_none_or(|limit| self.in_flight() < limit.get())
            && self.pace.is_due(now)
    }

    /// The next member to release: the first unreleased one of its stage.
    #[must_use]
    pub fn next_member(&self) -> Option<u32> {
        self.wants_release().then_some(self.next)
    }

    /// The first member after the current stage.
    #[must_use]
    pub fn end_of_stage(&self) -> u32 {
        self.ends.get(self.progress.stage as usize).copied().unwrap_or(self.next)
    }

    /// The index of a member's stage.
    #[must_use]
    pub fn stage_of(&self, member: u32) -> usize {
        self.ends.partition_point(|end| *end <= member)
    }

    /// Its state.
    #[must_use]
    pub fn phase(&self, now: Timestamp) -> Phase {
        match self.progress.suspension {
            Some(Suspension::Stopped) => return Phase::Stopped,
            _ if self.is_finished() => return Phase::Finished,
            Some(Suspension::Unapproved) => return Phase::Waiting(WaitsFor::Approval),
            Some(Suspension::Halted(_)) => return Phase::Halted,
            Some(Suspension::Paused) => return Phase::Paused,
            None => {}
        }
        let waits_for = if self.is_between_stages() {
            self.waits_between(now)
        } else if !self.wants_release() {
            None
        } else if !self.is_within_hours(now) {
            Some(WaitsFor::Hours { until: self.hours.until })
        } else {
            (!self.connected).then_some(WaitsFor::Connection)
        };
        waits_for.map_or(Phase::Running, Phase::Waiting)
    }

    /// The parameters.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The progress to store.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The members of each stage by state.
    #[must_use]
    pub fn stages(&self) -> &[MemberCounts] {
        &self.counts
    }

    /// All members by state.
    #[must_use]
    pub fn counts(&self) -> MemberCounts {
        let mut all = MemberCounts::default();
        self.counts.iter().for_each(|counts| all += *counts);
        all
    }

    /// The state of a member's command; `None` before its release.
    #[must_use]
    pub fn member(&self, member: u32) -> Option<State> {
        self.members.get(member as usize).copied().flatten()
    }

    /// The number of released but unfinished members, except those that a closed stage no longer waits for.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        let of_stage = |(counts, stage): (&MemberCounts, &StageProgress)| {
            counts.on_the_way() - if stage.closed { counts.unanswered() } else { 0 }
        };
        self.counts.iter().zip(&self.progress.stages).map(of_stage).sum()
    }

    /// Whether nothing will be released any more, and no member is unfinished.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_finished() || (self.progress.suspension == Some(Suspension::Stopped) && self.counts().on_the_way() == 0)
    }

    fn is_finished(&self) -> bool {
        self.counts.iter().all(|counts| counts.pending() == 0 && counts.on_the_way() == 0)
    }
}
