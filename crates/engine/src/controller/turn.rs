//! What has happened since the last commit began: changes to commit, and what may only happen once they are.

use tokio::sync::oneshot;
use wilco_ledger::Command;

use crate::{
    api::{Counts, Failure},
    mqtt::{Outlet, Publication, Receipt},
    store::{self, Change, ConnectionId},
    views::Standing,
};

/// Everything between two commits.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) changes: Vec<Change>,
    /// To be handed to MQTT: on the network connection that there was when the ledger decided it, and on no later one.
    pub(super) publish: Vec<(ConnectionId, Option<Outlet>, Publication)>,
    /// PUBACKs owed for what is in `changes`.
    pub(super) receipts: Vec<(Outlet, Receipt)>,
    /// Whoever waits to hear that it is written down.
    pub(super) replies: Vec<oneshot::Sender<Result<(), Failure>>>,
    /// Commands that have come to their end.
    pub(super) ended: Vec<(ConnectionId, Command)>,
    /// Something waits for the commit. Without it the changes may wait for the next ones.
    pub(super) urgent: bool,
}

impl Turn {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.receipts.is_empty() && self.replies.is_empty() && self.publish.is_empty()
    }
}

/// A turn of which the changes are on their way to the disk.
pub(super) struct Committing {
    pub(super) stored: store::Committing,
    pub(super) turn: Turn,
    /// How the commands stand that are different afterwards.
    pub(super) standings: Vec<(ConnectionId, Standing)>,
    /// What is counted afterwards.
    pub(super) counts: Vec<(ConnectionId, Counts)>,
}
