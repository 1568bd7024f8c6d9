//! The stored progress of a rollout, without that of its members' commands.

use crate::Timestamp;

/// The progress of a rollout that must survive a restart. Store it whenever it changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The reason why it releases nothing, regardless of everything else.
    pub suspension: Option<Suspension>,
    /// The index of the current stage.
    pub stage: u32,
    /// Its stages, in order.
    pub stages: Vec<StageProgress>,
    /// Since when the gate's measurement has been within its limits without interruption; `None` while it is not
    /// watched.
    pub within_since: Option<Timestamp>,
    /// Members that had ended when a user resumed it after a halt, without cancelled ones. The halt rule counts those
    /// that end afterwards.
    pub ended_before: u32,
    /// Those of them that had failed, and have not answered otherwise since.
    pub failed_before: u32,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended: finished, halted or stopped, without unfinished members.
    pub ended_at: Option<Timestamp>,
}

/// The reason why a rollout releases no members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suspension {
    /// It has not been approved yet: nothing is released, and only [`super::Input::Approved`] changes this.
    Unapproved,
    /// A user has paused it.
    Paused,
    /// It has halted automatically.
    Halted(HaltReason),
    /// A user has stopped it permanently.
    Stopped,
}

/// The reason why a rollout has halted automatically.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HaltReason {
    /// Too many members failed.
    Failures {
        /// So many failed.
        failed: u32,
        /// Of so many that had ended.
        ended: u32,
    },
    /// The gate's measurement left its limits: a sentence.
    Gate(Box<str>),
    /// The history has lost events, so members that seem unreleased may have been released.
    EventsMissing,
}

/// The progress of a stage, without that of its members' commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageProgress {
    /// When its first member was released.
    pub started_at: Option<Timestamp>,
    /// When it was finished.
    pub ended_at: Option<Timestamp>,
    /// A user closed it: it does not wait for members without any answer.
    pub closed: bool,
}

/// The state of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Members are being released, or are in progress.
    Running,
    /// Nothing can be released for now.
    Waiting(WaitsFor),
    /// A user has paused it.
    Paused,
    /// It has halted automatically.
    Halted,
    /// A user has stopped it.
    Stopped,
    /// Every member has finished.
    Finished,
}

/// The condition that a waiting rollout waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// The approval of a second person.
    Approval,
    /// A user who starts the next stage.
    Person,
    /// The end of a pause.
    Pause {
        /// When it ends.
        until: Timestamp,
    },
    /// A measurement that is being watched.
    Gate {
        /// When it has been within its limits for long enough; `None` while it is not known to be within them.
        until: Option<Timestamp>,
    },
    /// Its maintenance hours.
    Hours {
        /// When they begin.
        until: Timestamp,
    },
    /// The connection.
    Connection,
}

impl Progress {
    /// The progress of a rollout that has just been started.
    #[must_use]
    pub fn new(stages: usize, now: Timestamp) -> Progress {
        Progress {
            suspension: None,
            stage: 0,
            stages: vec![StageProgress::default(); stages],
            within_since: None,
            ended_before: 0,
            failed_before: 0,
            started_at: now,
            ended_at: None,
        }
    }
}
