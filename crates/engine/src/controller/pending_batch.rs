//! The changes since the last commit started, and the effects that must wait for them.

use std::collections::HashMap;

use tokio::sync::oneshot;
use wilco_dialect::Outbound;
use wilco_ledger::{Command, CommandId, DeviceId};

use super::serial_changes::AfterCommit;
use crate::{
    api::{Counts, Failure, RolloutView},
    mqtt::{MqttSender, Publication, Receipt},
    store::{self, Change, ConnectionId, Discarded},
    views::CommandSnapshot,
};

/// Everything between two commits.
#[derive(Default)]
pub(super) struct PendingBatch {
    pub(super) changes: Vec<Change>,
    /// Rollouts that are over, with another note.
    pub(super) noted: Vec<RolloutView>,
    /// To be handed to MQTT: on the network connection that there was when the ledger decided it, and on no later one.
    pub(super) publish: Vec<(ConnectionId, Option<MqttSender>, Publication, Option<Outbound>)>,
    /// PUBACKs owed for what is in `changes`.
    pub(super) receipts: Vec<(MqttSender, Receipt)>,
    /// Our probes that came back: they show how much can be read once what came before them is stored and acknowledged.
    pub(super) probes: Vec<ConnectionId>,
    /// Callers that wait until it is stored.
    pub(super) replies: Vec<oneshot::Sender<Result<(), Failure>>>,
    /// Finished commands.
    pub(super) ended: Vec<(ConnectionId, Command)>,
    /// Messages that are not kept, by the command that they are about.
    pub(super) discarded: HashMap<(ConnectionId, DeviceId, Option<CommandId>), Discarded>,
    /// What follows from the turn that is part of it.
    pub(super) turn: Option<AfterCommit>,
    /// Something waits for the commit. Without it the changes may wait for the next ones.
    pub(super) urgent: bool,
}

impl PendingBatch {
    /// Failed commands need no more attention.
    pub(super) fn dismiss(&mut self, connection: &ConnectionId, commands: Vec<(DeviceId, CommandId)>) {
        let dismissed = |(device, command)| Change::Dismissed { connection: connection.clone(), device, command };
        self.changes.extend(commands.into_iter().map(dismissed));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.discarded.is_empty()
            && self.receipts.is_empty()
            && self.probes.is_empty()
            && self.replies.is_empty()
            && self.turn.is_none()
            && self.publish.is_empty()
    }
}

/// A batch of which the changes are on their way to the disk.
pub(super) struct Committing {
    pub(super) stored: store::Committing,
    pub(super) pending_batch: PendingBatch,
    /// The states of the commands that have changed.
    pub(super) snapshots: Vec<(ConnectionId, CommandSnapshot)>,
    /// The states of the rollouts that have changed.
    pub(super) rollouts: Vec<RolloutView>,
    /// The counters to update afterwards.
    pub(super) counts: Vec<(ConnectionId, Counts)>,
}
