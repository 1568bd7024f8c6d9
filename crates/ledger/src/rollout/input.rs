//! The inputs and the effects of a rollout.

use crate::{State, Timestamp};

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A member's command is in that state now.
    Member {
        /// Its place.
        member: u32,
        /// The state.
        state: State,
    },
    /// So many commands could be handed over at once.
    Room(u32),
    /// The connection is established.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// A person does something to it. See [`super::Rollout::refuses`].
    Act(Action),
    /// A second person has approved it. Without meaning where it does not wait for that.
    Approved,
    /// What the gate's measurement says now. Only looked at between two stages.
    Gate(GateReading),
    /// The maintenance hours.
    Hours {
        /// It is within them.
        open: bool,
        /// When that changes. Nothing is released from then on until this input is repeated.
        until: Timestamp,
    },
    /// Time has passed, nothing else.
    Tick,
}

/// An action on a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// No more releases for now; answers are still taken.
    Pause,
    /// Releases continue, also after a halt.
    Resume,
    /// No more releases at all. Commands that were never sent are cancelled.
    Stop,
    /// The next stage starts now.
    StartNextStage,
    /// The current stage no longer waits for members without any answer.
    CloseStage,
}

/// Why an action is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is over.
    #[error("the rollout has ended")]
    Ended,
    /// It must be approved first.
    #[error("the rollout waits for the approval of a second installation")]
    Unapproved,
    /// It cannot be paused.
    #[error("the rollout is not running")]
    NotRunning,
    /// It cannot be resumed.
    #[error("the rollout is neither paused nor halted")]
    NotPaused,
    /// The current stage is not done, or is the last one, or the rollout is paused or halted.
    #[error("the rollout is not waiting to start its next stage")]
    NoStageWaits,
    /// Some members of the current stage are not released yet, or none is unfinished.
    #[error("the current stage is not waiting for devices")]
    NothingToClose,
}

/// The reading of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateReading {
    /// It is within its limits on every device that is done.
    Within,
    /// It is outside: a sentence about the device.
    Outside(Box<str>),
    /// Some device has not measured it of late.
    Unknown,
}

/// An effect of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Submit the member's command. From here on it counts as queued.
    Release {
        /// Its place.
        member: u32,
    },
    /// Cancel the member's command if it was never sent.
    Cancel {
        /// Its place.
        member: u32,
    },
}
