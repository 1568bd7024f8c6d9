//! Deletes finished commands and forgotten devices, step by step.
//!
//! The caller has read what there is to delete. Whether it may be deleted is decided here. From then on it is unknown: to the
//! ledgers, and to look-ups in the store, which has it until a task has deleted it. So nothing that is heard meanwhile is
//! taken down for a command that is deleted.

use tokio::sync::oneshot;
use wilco_ledger::{DeviceId, Millis, Timestamp};

use super::Controller;
use crate::{
    absent::not_found,
    api::{Failure, invalid},
    store::{Change, ConnectionId, Forgotten, Remains},
};

/// A device that has something to do cannot be deleted; it is tried again after this.
const TRIED_AGAIN_AFTER: Millis = Millis::seconds(60);

/// How far the forgotten devices are deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeletionProgress {
    /// The command to delete now.
    Due(ConnectionId, DeviceId),
    /// Whether there is more to delete.
    Later(Millis),
    Done,
}

impl Controller {
    /// Deletes commands that finished before that time, in the ledgers and in the store.
    pub(super) fn forget_ended(
        &mut self,
        before: Timestamp,
        commands: Vec<Forgotten>,
        reply: oneshot::Sender<Result<usize, Failure>>,
    ) {
        let now = self.clock.now();
        for known in self.connections.values_mut() {
            known.ledger.forget(before, now);
        }
        self.forget_commands(commands, move |forgotten| drop(reply.send(forgotten)));
    }

    /// Deletes commands, except those that are changing at the moment. Returns their number once this is on the disk.
    fn forget_commands(
        &mut self,
        mut commands: Vec<Forgotten>,
        then: impl FnOnce(Result<usize, Failure>) + Send + 'static,
    ) {
        commands.retain(|Forgotten { connection, device, id, .. }| {
            let known = self.connections.get(connection);
            !known.is_some_and(|known| known.ledger.is_known(device, id))
                && !self.look_ups.is_under_way(connection, device, id)
        });
        self.look_ups.forget(&commands);
        let (store, deleted) = (self.store.clone(), commands.clone());
        self.after_task(async move { store.forget_commands(deleted).await }, move |controller, deleted| {
            controller.look_ups.forgotten();
            if deleted.is_ok() {
                commands.iter().for_each(|forgotten| controller.command_forgotten(forgotten));
            }
            then(deleted.map(|()| commands.len()).map_err(Failure::from));
        });
    }

    /// Deletes a command from memory.
    fn command_forgotten(&mut self, Forgotten { connection, device, id, automatic }: &Forgotten) {
        let Some(known) = self.connections.get_mut(connection) else { return };
        let one = u32::from(!automatic);
        known.kept = known.kept.saturating_sub(one);
        known.counts.kept = known.counts.kept.saturating_sub(one);
        known.change_attention(|attention| attention.forget(device, id));
        known.fleet().forget_command(device, id);
        self.feed.connections();
    }

    /// Deletes some of a device that has nothing to do, in the ledger and in the store. `remains`: what there was of it a
    /// moment ago.
    pub(super) fn delete_device(
        &mut self,
        connection: ConnectionId,
        device: DeviceId,
        remains: Remains,
        reply: oneshot::Sender<Result<bool, Failure>>,
    ) {
        if let Err(refused) = self.permit_deletion(&connection, &device) {
            let _ = reply.send(Err(refused));
            return;
        }
        let forgets = self.connections.get_mut(&connection).is_some_and(|known| known.ledger.forget_device(&device));
        match remains {
            // Something of it is still to be committed, and then there is more to delete.
            _ if !forgets => self.after_commit(move |_, stored| drop(reply.send(stored.map(|()| true)))),
            Remains::Commands(commands) => {
                self.forget_commands(commands, move |forgotten| drop(reply.send(forgotten.map(|_| true))));
            }
            Remains::Other => {
                let store = self.store.clone();
                let sweep = async move { store.sweep_device(&connection, &device).await };
                self.after_task(sweep, move |_, swept| drop(reply.send(swept.map(|()| true).map_err(Failure::from))));
            }
            Remains::Nothing => {
                let change = Change::NoDevice { connection: connection.clone(), device: device.clone() };
                self.pending_batch.changes.push(change);
                self.after_commit(move |controller, stored| {
                    if stored.is_ok() {
                        controller.device_forgotten(&connection, &device);
                    }
                    let _ = reply.send(stored.map(|()| false));
                });
            }
        }
    }

    /// Handles a device whose data has been deleted completely.
    fn device_forgotten(&mut self, connection: &ConnectionId, device: &DeviceId) {
        self.quota.forget(connection, device);
        self.telemetry.forget_device(connection, device);
        let Some(known) = self.connections.get_mut(connection) else { return };
        known.pending.remove(device);
        known.take_out(device);
        self.feed.connections();
    }

    fn permit_deletion(&self, connection: &ConnectionId, device: &DeviceId) -> Result<(), Failure> {
        let known = self.connections.get(connection).ok_or_else(|| not_found("connection", connection.as_str()))?;
        known.unread.clone().map_or(Ok(()), Err)?;
        let is_listed = known.fleet().get(device).is_some();
        if !is_listed && !known.pending.contains_key(device) {
            return Err(not_found("device", device.as_str()));
        }
        if known.profile.settings.devices_named.iter().any(|named| named == device.as_str()) {
            return Err(invalid(
                format!("'{device}' is listed under Only these devices of this connection."),
                "Remove it from that list first.",
            ));
        }
        if let Some(rollout) = known.rollouts.awaits(device) {
            return Err(invalid(
                format!("'{device}' has not been sent the command of rollout {rollout} yet."),
                "Pause or stop the rollout, or wait until it finishes.",
            ));
        }
        if known.ledger.is_busy(device) {
            return Err(invalid(
                format!("'{device}' has an unfinished command."),
                "Stop the command, or wait until it finishes.",
            ));
        }
        Ok(())
    }

    /// The forgotten device that is to be deleted first.
    pub(super) fn next_deletion(&self) -> DeletionProgress {
        let now = self.clock.now();
        let pending = self.connections.iter().flat_map(|(connection, known)| {
            known.pending.iter().map(move |(device, pending)| (pending.due, connection, device))
        });
        match pending.min() {
            None => DeletionProgress::Done,
            Some((due, ..)) if due > now => DeletionProgress::Later(due.since(now)),
            Some((_, connection, device)) => DeletionProgress::Due(connection.clone(), device.clone()),
        }
    }

    /// A forgotten device could not be deleted.
    pub(super) fn delete_later(&mut self, connection: &ConnectionId, device: &DeviceId) {
        let due = self.clock.now() + TRIED_AGAIN_AFTER;
        let known = self.connections.get_mut(connection);
        if let Some(pending) = known.and_then(|known| known.pending.get_mut(device)) {
            pending.due = due;
        }
    }
}
