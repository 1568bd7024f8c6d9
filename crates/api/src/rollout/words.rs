//! The words for rollouts and their states, the same wherever they are read.

use super::{RolloutState, TraitKind};

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
