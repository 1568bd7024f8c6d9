//! The inputs and the effects of a rollout.

use crate::{State, Timestamp};

/// An event outside the rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A member's command has changed to this state.
    Member {
        /// Its place.
        member: u32,
        /// The state.
        state: State,
    },
    /// The number of commands that could be sent immediately.
    Room(u32),
    /// The connection is established.
    Connected,
    /// The connection is lost.
    Disconnected,
    /// A user acts on it. See [`super::Rollout::refuses`].
    Act(Action),
    /// A second person has approved it. Has no effect if it does not wait for approval.
    Approved,
    /// The current reading of the gate's measurement. Only used between two stages.
    Gate(GateReading),
    /// The maintenance hours.
    Hours {
        /// It is within them.
        open: bool,
        /// When that changes. Nothing is released from then on until this input is repeated.
        until: Timestamp,
    },
    /// Time has passed without another event.
    Tick,
}

/// An action on a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Pauses releases; answers still count.
    Pause,
    /// Resumes releases, also after a halt.
    Resume,
    /// Ends releases. Commands that were not sent yet are cancelled.
    Stop,
    /// Starts the next stage.
    StartNextStage,
    /// Closes the current stage without waiting for members that have not answered.
    CloseStage,
}

/// The reason why an action is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The rollout has ended.
    #[error("the rollout has ended")]
    Ended,
    /// It waits for approval.
    #[error("the rollout waits for the approval of a second installation")]
    Unapproved,
    /// It is not running.
    #[error("the rollout is not running")]
    NotRunning,
    /// It is neither paused nor halted.
    #[error("the rollout is neither paused nor halted")]
    NotPaused,
    /// The current stage is not done, or is the last one, or the rollout is paused or halted.
    #[error("the rollout is not waiting to start its next stage")]
    NoStageWaits,
    /// Some members of the current stage are not released yet, or none is unfinished.
    #[error("the current stage is not waiting for devices")]
    NothingToClose,
}

/// A reading of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateReading {
    /// Within its limits on every finished device.
    Within,
    /// Outside its limits: a sentence about the device.
    Outside(Box<str>),
    /// Some device has not reported a recent measurement.
    Unknown,
}

/// An effect of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Submit the member's command. From now on it counts as queued.
    Release {
        /// Its place.
        member: u32,
    },
    /// Cancel the member's command if it was not sent yet.
    Cancel {
        /// Its place.
        member: u32,
    },
}
