//! Changes that run one after the other, because each depends on the stored result of the previous one, for example two
//! changes of the same devices.
//!
//! A turn waits for nothing. It adds its changes to the next commit, or has a task ask the store; what follows from it, and
//! its reply, come when that has ended. Then it is the next one's turn. Everything else goes on meanwhile.

use std::collections::VecDeque;

use tokio::sync::oneshot;
use wilco_ledger::Timestamp;

use super::{Controller, Event, devices::DeviceRequest};
use crate::{
    api::{ConnectionView, Failure},
    profile::Opening,
    store::{ConnectionId, Forgotten},
};

/// A change that waits for its turn, with its reply channel.
pub(crate) enum SerialChange {
    /// Adds a connection with a stored profile, replacing the one with the same ID.
    Open(Box<Opening>, oneshot::Sender<Result<ConnectionView, Failure>>),
    /// Stops a connection, and removes it from the store with all its data.
    Remove(ConnectionId, oneshot::Sender<Result<(), Failure>>),
    /// Deletes these commands, which finished before that time. Replies with their number, without commands that are
    /// changing at the moment.
    ForgetEnded(Timestamp, Vec<Forgotten>, oneshot::Sender<Result<usize, Failure>>),
    Devices(DeviceRequest),
}

/// What follows from a turn when its changes are on the disk, or are not.
pub(super) type AfterCommit = Box<dyn FnOnce(&mut Controller, Result<(), Failure>) + Send>;

/// What follows from the task of a turn.
pub(crate) type AfterTask = Box<dyn FnOnce(&mut Controller) + Send>;

/// The turns. One is taken while the batch that gathers, or the one that is being committed, belongs to it, or its task runs.
#[derive(Default)]
pub(super) struct SerialChanges {
    waiting: VecDeque<SerialChange>,
    has_task: bool,
}

impl Controller {
    /// Does this when it is its turn.
    pub(super) fn in_series(&mut self, turn: SerialChange) {
        self.serial_changes.waiting.push_back(turn);
        self.next_serial_change();
    }

    /// The turn before may have ended.
    pub(super) fn next_serial_change(&mut self) {
        while !self.is_serial_change_running()
            && let Some(turn) = self.serial_changes.waiting.pop_front()
        {
            match turn {
                SerialChange::Open(opening, reply) => self.open(*opening, reply),
                SerialChange::Remove(id, reply) => self.remove(id, reply),
                SerialChange::ForgetEnded(before, commands, reply) => self.forget_ended(before, commands, reply),
                SerialChange::Devices(asked) => self.device_request(asked),
            }
        }
    }

    fn is_serial_change_running(&self) -> bool {
        let committing = self.committing.as_ref().is_some_and(|committing| committing.pending_batch.turn.is_some());
        self.serial_changes.has_task || committing || self.pending_batch.turn.is_some()
    }

    /// Commits what has gathered, and does this at the end of that.
    pub(super) fn after_commit(&mut self, then: impl FnOnce(&mut Controller, Result<(), Failure>) + Send + 'static) {
        debug_assert!(self.pending_batch.turn.is_none(), "one turn at a time");
        self.pending_batch.turn = Some(Box::new(then));
        self.pending_batch.urgent = true;
    }

    /// Has a task ask the store for something, and does this with its answer.
    pub(super) fn after_task<T: Send + 'static>(
        &mut self,
        task: impl Future<Output = T> + Send + 'static,
        then: impl FnOnce(&mut Controller, T) + Send + 'static,
    ) {
        debug_assert!(!self.serial_changes.has_task, "one turn at a time");
        self.serial_changes.has_task = true;
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let answer = task.await;
            let then: AfterTask = Box::new(move |controller| then(controller, answer));
            let _ = tell.send(Event::TaskEnded(then)).await;
        });
    }

    /// The task of a turn has ended.
    pub(super) fn task_ended(&mut self, then: AfterTask) {
        self.serial_changes.has_task = false;
        then(self);
        self.next_serial_change();
    }
}
