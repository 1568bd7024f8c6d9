//! The numbers of a rollout's members in each state.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wilco_ledger::{State, rollout};

use crate::CommandState;

/// The state of a member of a rollout. The variants are in the order of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum MemberState {
    /// Not released yet, so there is no command.
    Pending,
    /// Released: its command is in this state.
    #[serde(untagged)]
    Released(CommandState),
}

/// The numbers of members in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is named after the state it counts")]
pub struct MemberCounts {
    pub pending: u32,
    pub queued: u32,
    pub held: u32,
    pub sent: u32,
    pub at_broker: u32,
    pub accepted: u32,
    pub running: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub rejected: u32,
    pub undeliverable: u32,
    pub unconfirmed: u32,
    pub timed_out: u32,
    pub expired: u32,
    pub cancelled: u32,
}

impl MemberState {
    /// Every state, in the order of the ladder.
    pub const ALL: [MemberState; 15] = {
        let mut all = [MemberState::Pending; 15];
        let mut place = 0;
        while place < CommandState::ALL.len() {
            all[place + 1] = MemberState::Released(CommandState::ALL[place]);
            place += 1;
        }
        all
    };

    /// The state in tables and JSON, for example `timed_out`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MemberState::Pending => "pending",
            MemberState::Released(state) => state.as_str(),
        }
    }

    /// The state in a sentence, for example `timed out`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            MemberState::Pending => "pending".to_owned(),
            MemberState::Released(state) => state.words(),
        }
    }

    /// Whether it failed, timed out or could not be delivered.
    #[must_use]
    pub fn has_failed(self) -> bool {
        match self {
            MemberState::Pending => false,
            MemberState::Released(state) => {
                state.ended_badly() || matches!(state, CommandState::Expired | CommandState::Cancelled)
            }
        }
    }
}

impl From<CommandState> for MemberState {
    fn from(state: CommandState) -> MemberState {
        MemberState::Released(state)
    }
}

/// Of a member that is not released yet, the ledger knows no state.
impl From<Option<State>> for MemberState {
    fn from(state: Option<State>) -> MemberState {
        state.map_or(MemberState::Pending, |state| MemberState::Released(state.into()))
    }
}

impl From<MemberState> for Option<State> {
    fn from(state: MemberState) -> Option<State> {
        match state {
            MemberState::Pending => None,
            MemberState::Released(state) => Some(state.into()),
        }
    }
}

impl MemberCounts {
    /// The numbers of members in each state: final states first, pending last.
    #[must_use]
    pub fn by_state(&self) -> [(MemberState, u32); 15] {
        let released = |state, count| (MemberState::Released(state), count);
        [
            released(CommandState::Succeeded, self.succeeded),
            released(CommandState::Unconfirmed, self.unconfirmed),
            released(CommandState::Failed, self.failed),
            released(CommandState::Rejected, self.rejected),
            released(CommandState::TimedOut, self.timed_out),
            released(CommandState::Undeliverable, self.undeliverable),
            released(CommandState::Expired, self.expired),
            released(CommandState::Cancelled, self.cancelled),
            released(CommandState::Running, self.running),
            released(CommandState::Accepted, self.accepted),
            released(CommandState::AtBroker, self.at_broker),
            released(CommandState::Sent, self.sent),
            released(CommandState::Held, self.held),
            released(CommandState::Queued, self.queued),
            (MemberState::Pending, self.pending),
        ]
    }

    /// The number of failed members, see [`MemberState::has_failed`].
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.by_state().into_iter().filter(|(state, _)| state.has_failed()).map(|(_, count)| count).sum()
    }
}

impl From<&rollout::MemberCounts> for MemberCounts {
    fn from(counts: &rollout::MemberCounts) -> MemberCounts {
        MemberCounts {
            pending: counts.pending(),
            queued: counts.in_state(State::Queued),
            held: counts.in_state(State::Held),
            sent: counts.in_state(State::Sent),
            at_broker: counts.in_state(State::AtBroker),
            accepted: counts.in_state(State::Accepted),
            running: counts.in_state(State::Running),
            succeeded: counts.in_state(State::Succeeded),
            failed: counts.in_state(State::Failed),
            rejected: counts.in_state(State::Rejected),
            undeliverable: counts.in_state(State::Undeliverable),
            unconfirmed: counts.in_state(State::Unconfirmed),
            timed_out: counts.in_state(State::TimedOut),
            expired: counts.in_state(State::Expired),
            cancelled: counts.in_state(State::Cancelled),
        }
    }
}

impl std::ops::Add for MemberCounts {
    type Output = MemberCounts;

    fn add(self, other: MemberCounts) -> MemberCounts {
        MemberCounts {
            pending: self.pending + other.pending,
            queued: self.queued + other.queued,
            held: self.held + other.held,
            sent: self.sent + other.sent,
            at_broker: self.at_broker + other.at_broker,
            accepted: self.accepted + other.accepted,
            running: self.running + other.running,
            succeeded: self.succeeded + other.succeeded,
            failed: self.failed + other.failed,
            rejected: self.rejected + other.rejected,
            undeliverable: self.undeliverable + other.undeliverable,
            unconfirmed: self.unconfirmed + other.unconfirmed,
            timed_out: self.timed_out + other.timed_out,
            expired: self.expired + other.expired,
            cancelled: self.cancelled + other.cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MemberState;

    #[test]
    fn a_members_state_crosses_a_seam_as_one_word() {
        for state in MemberState::ALL {
            let json = serde_json::to_value(state).expect("JSON");
            assert_eq!(json, state.as_str());
            assert_eq!(serde_json::from_value::<MemberState>(json).expect("a state"), state);
        }
        assert!(serde_json::from_value::<MemberState>("waiting".into()).is_err());
    }
}
