//! The wording of rollouts and their states, for all clients.

use super::{RolloutState, TraitKind};

impl RolloutState {
    /// The name.
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
    /// The name in front of its value.
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
