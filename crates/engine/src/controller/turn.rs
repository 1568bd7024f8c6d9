//! What one turn of the controller's loop has brought: changes to commit, and what may only happen once they are.

use tokio::sync::oneshot;
use wilco_ledger::{Command, CommandId, DeviceId};

use crate::{
    api::Failure,
    mqtt::{Outlet, Receipt},
    store::{Change, ConnectionId},
};

/// Everything between two commits.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) changes: Vec<Change>,
    /// To be handed to MQTT.
    pub(super) publish: Vec<(ConnectionId, DeviceId, CommandId, u32)>,
    /// PUBACKs owed for what is in `changes`.
    pub(super) receipts: Vec<(Outlet, Receipt)>,
    /// Whoever waits to hear that it is written down.
    pub(super) replies: Vec<oneshot::Sender<Result<(), Failure>>>,
    /// Commands whose state is different afterwards.
    pub(super) touched: Vec<(ConnectionId, DeviceId, CommandId)>,
    /// Commands that have come to their end.
    pub(super) ended: Vec<Command>,
    /// Something waits for the commit. Without it the changes may wait for the next ones.
    pub(super) urgent: bool,
}

impl Turn {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.receipts.is_empty() && self.replies.is_empty() && self.publish.is_empty()
    }
}
