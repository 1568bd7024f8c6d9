//! The members of a rollout by state.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wilco_ledger::{State, rollout};

/// The state of a command. The order of the variants is that of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum MemberState {
    /// Not released yet: there is no command.
    Pending,
    /// In the outbox.
    Queued,
    /// Kept here until its device is online.
    Held,
    /// On the wire.
    Sent,
    /// The broker has it.
    AtBroker,
    /// The device has it.
    Accepted,
    /// The device is doing it.
    Running,
    /// The device did it.
    Succeeded,
    /// The device could not do it.
    Failed,
    /// The device will not do it.
    Rejected,
    /// It cannot be delivered.
    Undeliverable,
    /// Delivered, and no answer is expected.
    Unconfirmed,
    /// No answer in time.
    TimedOut,
    /// Its time to live passed before it was sent.
    Expired,
    /// Withdrawn before it was sent.
    Cancelled,
}

/// Members by state.
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
    /// The word for it in tables and JSON, `timed_out` for instance.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MemberState::Pending => "pending",
            MemberState::Queued => "queued",
            MemberState::Held => "held",
            MemberState::Sent => "sent",
            MemberState::AtBroker => "at_broker",
            MemberState::Accepted => "accepted",
            MemberState::Running => "running",
            MemberState::Succeeded => "succeeded",
            MemberState::Failed => "failed",
            MemberState::Rejected => "rejected",
            MemberState::Undeliverable => "undeliverable",
            MemberState::Unconfirmed => "unconfirmed",
            MemberState::TimedOut => "timed_out",
            MemberState::Expired => "expired",
            MemberState::Cancelled => "cancelled",
        }
    }

    /// It did not do what it was asked, or did not say so.
    #[must_use]
    pub fn has_failed(self) -> bool {
        matches!(
            self,
            MemberState::Failed
                | MemberState::Rejected
                | MemberState::TimedOut
                | MemberState::Undeliverable
                | MemberState::Expired
                | MemberState::Cancelled
        )
    }
}

impl MemberCounts {
    /// The number of members in each state: those that have ended first, those that are not released last.
    #[must_use]
    pub fn by_state(&self) -> [(MemberState, u32); 15] {
        [
            (MemberState::Succeeded, self.succeeded),
            (MemberState::Unconfirmed, self.unconfirmed),
            (MemberState::Failed, self.failed),
            (MemberState::Rejected, self.rejected),
            (MemberState::TimedOut, self.timed_out),
            (MemberState::Undeliverable, self.undeliverable),
            (MemberState::Expired, self.expired),
            (MemberState::Cancelled, self.cancelled),
            (MemberState::Running, self.running),
            (MemberState::Accepted, self.accepted),
            (MemberState::AtBroker, self.at_broker),
            (MemberState::Sent, self.sent),
            (MemberState::Held, self.held),
            (MemberState::Queued, self.queued),
            (MemberState::Pending, self.pending),
        ]
    }

    /// Members that failed, see [`MemberState::has_failed`].
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
