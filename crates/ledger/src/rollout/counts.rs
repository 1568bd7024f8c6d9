//! Counts members by the state of their commands.

use std::ops::AddAssign;

use crate::State;

/// The number of members in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberCounts {
    pending: u32,
    states: [u32; State::ALL.len()],
}

impl MemberCounts {
    /// Members whose command is in this state; `None` before the release.
    #[must_use]
    pub fn of(members: &[Option<State>]) -> MemberCounts {
        let mut counts = MemberCounts::default();
        members.iter().for_each(|member| *counts.place(*member) += 1);
        counts
    }

    /// Members that are not released yet.
    #[must_use]
    pub fn pending(&self) -> u32 {
        self.pending
    }

    /// Members whose command is in that state.
    #[must_use]
    pub fn in_state(&self, state: State) -> u32 {
        self.states[state as usize]
    }

    /// Released but unfinished members.
    #[must_use]
    pub fn on_the_way(&self) -> u32 {
        self.sum(|state| !state.is_final())
    }

    /// Released members without any answer.
    #[must_use]
    pub fn unanswered(&self) -> u32 {
        self.sum(|state| state < State::Accepted)
    }

    /// Finished members that show how well the rollout is going. Cancelled ones do not count, because a user cancelled
    /// them.
    #[must_use]
    pub fn judged(&self) -> u32 {
        self.sum(|state| state.is_final() && state != State::Cancelled)
    }

    /// Members that count as failed.
    #[must_use]
    pub fn failed(&self, count_timeouts: bool) -> u32 {
        self.sum(|state| counts_as_failed(state, count_timeouts))
    }

    /// All members.
    #[must_use]
    pub fn all(&self) -> u32 {
        self.pending + self.sum(|_| true)
    }

    pub(super) fn moved(&mut self, from: Option<State>, to: Option<State>) {
        let before = self.place(from);
        *before = before.saturating_sub(1);
        *self.place(to) += 1;
    }

    fn place(&mut self, member: Option<State>) -> &mut u32 {
        match member {
            None => &mut self.pending,
            Some(state) => &mut self.states[state as usize],
        }
    }

    fn sum(&self, wanted: impl Fn(State) -> bool) -> u32 {
        State::ALL.into_iter().filter(|state| wanted(*state)).map(|state| self.in_state(state)).sum()
    }
}

/// Whether a member in that state counts as failed.
pub(super) fn counts_as_failed(state: State, count_timeouts: bool) -> bool {
    match state {
        State::Failed | State::Rejected | State::Undeliverable => true,
        State::TimedOut | State::Expired => count_timeouts,
        _ => false,
    }
}

impl AddAssign for MemberCounts {
    fn add_assign(&mut self, other: MemberCounts) {
        self.pending += other.pending;
        self.states.iter_mut().zip(other.states).for_each(|(own, other)| *own += other);
    }
}
