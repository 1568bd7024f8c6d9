//! The words for rollouts, their states and their members, the same wherever they are read.

use super::{MemberCounts, MemberState, NewRollout, RolloutState, RolloutTarget, TraitKind};

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

impl NewRollout {
    /// One publish for all of its devices.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        matches!(self.target, RolloutTarget::Broadcast { .. })
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

impl RolloutState {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RolloutState::Running => "running",
            RolloutState::Waiting => "waiting",
            RolloutState::Paused => "paused",
            RolloutState::Halted => "halted",
            RolloutState::Stopped => "stopped",
            RolloutState::Finished => "finished",
        }
    }
}

impl TraitKind {
    /// What it is called in front of its value.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            TraitKind::Firmware => "Firmware",
            TraitKind::Tag => "Tag",
            TraitKind::Configuration => "Configuration",
            TraitKind::Restart => "Restarted",
        }
    }
}
