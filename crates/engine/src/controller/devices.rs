//! Sets names, tags and notes of devices, and forgets and restores devices.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokio::sync::oneshot;
use wilco_ledger::{DeviceId, Millis, Timestamp};

use super::{Controller, attention::Attention, connection::Connection};
use crate::{
    absent::not_found,
    api::{Failure, invalid},
    dialects,
    fleet::{AnnotationChange, Device},
    store::{ConnectionId, StoredAnnotation},
};

/// Commands forgotten in one commit: everybody else waits that long.
pub(super) const FORGOTTEN_AT_ONCE: usize = 250;
/// A forgotten device can be restored for so long.
pub(crate) const UNDO_WITHIN: Millis = Millis::seconds(30);
/// A device that has something to do cannot be deleted; it is tried again after this.
const TRIED_AGAIN_AFTER: Millis = Millis::seconds(60);

/// Something to be done with devices, and where the answer goes.
pub(crate) enum DeviceRequest {
    /// Something is set of devices. The answer is which of them are different now.
    Annotate(ConnectionId, Vec<(DeviceId, AnnotationChange)>, oneshot::Sender<Result<Vec<DeviceId>, Failure>>),
    /// Devices are no longer listed, and deleted some time later.
    Forget(ConnectionId, Vec<DeviceId>, oneshot::Sender<Result<Forgotten, Failure>>),
    /// Forgotten devices are listed again. The answer is which of them.
    Restore(ConnectionId, Vec<DeviceId>, oneshot::Sender<Result<Vec<DeviceId>, Failure>>),
    /// A part of a device is deleted, finally the device itself. The reply says whether there is more.
    Delete(ConnectionId, DeviceId, oneshot::Sender<Result<bool, Failure>>),
    /// Some of a forgotten device that cannot be restored any more is deleted.
    DeletionProgress(oneshot::Sender<Result<DeletionProgress, Failure>>),
}

/// The result of forgetting devices. Unknown devices are in none of these.
#[derive(Debug, Default)]
pub(crate) struct Forgotten {
    pub(crate) devices: Vec<DeviceId>,
    pub(crate) busy: Vec<DeviceId>,
    pub(crate) named: Vec<DeviceId>,
}

/// How far the forgotten devices are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeletionProgress {
    /// There may be more to delete now.
    More,
    /// There is something to delete after this.
    Later(Millis),
    Done,
}

/// Devices that are forgotten and not yet deleted.
pub(super) type Pending = BTreeMap<DeviceId, PendingDevice>;

pub(super) struct PendingDevice {
    /// When it is to be deleted.
    due: Timestamp,
    /// The device as it was listed.
    device: Option<Device>,
    /// The description in its dialect, if that is not Wilco's own.
    described: Option<dialects::Forgotten>,
    /// Its commands that needed attention.
    attention: Attention,
}

impl Connection {
    /// Takes on what people have set of its devices.
    pub(super) fn take_annotations(&mut self, stored: Vec<StoredAnnotation>) {
        let mut gone = Vec::new();
        {
            let mut fleet = self.fleet();
            for StoredAnnotation { device, annotation, forgotten_at } in stored {
                match forgotten_at {
                    None => fleet.annotate(&device, annotation),
                    Some(at) => gone.push((device, at)),
                }
            }
        }
        self.set_aside(gone);
    }

    /// Nothing is shown of these devices any more, and each is deleted when that is due.
    fn set_aside(&mut self, devices: Vec<(DeviceId, Timestamp)>) {
        let taken = self.fleet().take_out(devices.iter().map(|(device, _)| device));
        let mut taken: HashMap<DeviceId, Device> =
            taken.into_iter().map(|device| (device.id.clone(), device)).collect();
        for (id, due) in devices {
            let (described, attention) = self.take_out_beside(&id);
            self.pending.insert(id.clone(), PendingDevice { due, device: taken.remove(&id), described, attention });
        }
    }

    /// The stored data was read again, including devices that are set aside.
    pub(super) fn set_aside_again(&mut self) {
        for (device, pending) in &mut self.pending {
            pending.attention = self.attention.take(device);
        }
    }

    /// Nothing is known of a device any more.
    pub(super) fn take_out(&mut self, device: &DeviceId) {
        self.fleet().take_out([device]);
        self.take_out_beside(device);
    }

    /// Removes everything about a device besides the fleet. Returns its description in its dialect, and its commands
    /// that needed attention.
    fn take_out_beside(&mut self, device: &DeviceId) -> (Option<dialects::Forgotten>, Attention) {
        // One that is doubted is in there until then, and is not believed gone without this.
        self.lifecycles.remove(device);
        self.retained.remove(device);
        self.agreements.forget(device);
        let described = self.dialects.as_ref().and_then(|dialects| dialects::write(dialects).forget(device));
        (described, self.attention.take(device))
    }
}

impl Controller {
    pub(super) async fn device_request(&mut self, asked: DeviceRequest) {
        match asked {
            DeviceRequest::Annotate(connection, changes, reply) => {
                let _ = reply.send(self.annotate(&connection, changes).await);
            }
            DeviceRequest::Forget(connection, devices, reply) => {
                let _ = reply.send(self.forget_for_now(&connection, devices).await);
            }
            DeviceRequest::Restore(connection, devices, reply) => {
                let _ = reply.send(self.restore_devices(&connection, devices).await);
            }
            DeviceRequest::Delete(connection, device, reply) => {
                let _ = reply.send(self.delete_device(&connection, &device).await);
            }
            DeviceRequest::DeletionProgress(reply) => {
                let _ = reply.send(self.sweep().await);
            }
        }
    }

    async fn annotate(
        &mut self,
        connection: &ConnectionId,
        changes: Vec<(DeviceId, AnnotationChange)>,
    ) -> Result<Vec<DeviceId>, Failure> {
        let absent = || not_found("connection", connection.as_str());
        // A new annotation restores a device that was just forgotten.
        let pending = &self.connections.get(connection).ok_or_else(absent)?.pending;
        let back: Vec<_> = changes.iter().filter(|(id, change)| change.add && pending.contains_key(id)).collect();
        let back = back.into_iter().map(|(id, _)| id.clone()).collect();
        self.take_back(connection, back).await?;
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        let mut annotations = BTreeMap::new();
        {
            let fleet = known.fleet();
            for (id, change) in changes {
                let kept = fleet.annotation(&id);
                if kept.is_none() && !change.add {
                    continue;
                }
                let is_new = kept.is_none() && !annotations.contains_key(&id);
                let before = annotations.get(&id).cloned().or(kept).unwrap_or_default();
                let after = change.apply(&before)?;
                if is_new || after != before {
                    annotations.insert(id, after);
                }
            }
        }
        if annotations.is_empty() {
            return Ok(Vec::new());
        }
        let annotations: Vec<_> = annotations.into_iter().collect();
        let changes: Vec<_> = {
            let fleet = known.fleet();
            let before = |id: &DeviceId| fleet.annotation(id).unwrap_or_default();
            annotations.iter().map(|(id, after)| (id.clone(), before(id), after.clone())).collect()
        };
        let entry = self.audit_annotated(connection, &changes);
        self.store.audited(entry).annotate(connection, annotations.clone()).await?;
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        let mut fleet = known.fleet();
        for (id, annotation) in &annotations {
            fleet.annotate(id, annotation.clone());
        }
        drop(fleet);
        self.feed.connections();
        Ok(annotations.into_iter().map(|(id, _)| id).collect())
    }

    async fn forget_for_now(
        &mut self,
        connection: &ConnectionId,
        devices: Vec<DeviceId>,
    ) -> Result<Forgotten, Failure> {
        self.settle().await;
        let now = self.clock.now();
        let absent = || not_found("connection", connection.as_str());
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        known.unread.clone().map_or(Ok(()), Err)?;
        let mut forgotten = Forgotten::default();
        let to_release: HashSet<DeviceId> = known.rollouts.to_release().into_iter().cloned().collect();
        for id in devices {
            if known.fleet().get(&id).is_none() {
                continue;
            }
            if to_release.contains(&id) {
                forgotten.busy.push(id);
                continue;
            }
            if known.profile.devices.iter().any(|named| named == id.as_str()) {
                forgotten.named.push(id);
            } else if known.ledger.forget_device(&id) {
                forgotten.devices.push(id);
            } else {
                forgotten.busy.push(id);
            }
        }
        if forgotten.devices.is_empty() {
            return Ok(forgotten);
        }
        let entry = self.audit_devices(connection, "Deleted", &forgotten.devices);
        self.store.audited(entry).forget_later(connection, forgotten.devices.clone(), Some(now)).await?;
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        known.set_aside(forgotten.devices.iter().map(|device| (device.clone(), now + UNDO_WITHIN)).collect());
        known.counts = known.count();
        self.feed.connections();
        Ok(forgotten)
    }

    async fn restore_devices(
        &mut self,
        connection: &ConnectionId,
        mut devices: Vec<DeviceId>,
    ) -> Result<Vec<DeviceId>, Failure> {
        let now = self.clock.now();
        let known = self.connections.get(connection).ok_or_else(|| not_found("connection", connection.as_str()))?;
        devices.retain(|id| known.pending.get(id).is_some_and(|pending| pending.due > now));
        self.take_back(connection, devices).await
    }

    /// Devices are not to be deleted after all.
    async fn take_back(&mut self, connection: &ConnectionId, devices: Vec<DeviceId>) -> Result<Vec<DeviceId>, Failure> {
        let absent = || not_found("connection", connection.as_str());
        self.connections.get(connection).ok_or_else(absent)?;
        if devices.is_empty() {
            return Ok(devices);
        }
        let entry = self.audit_devices(connection, "Restored", &devices);
        self.store.audited(entry).forget_later(connection, devices.clone(), None).await?;
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        for id in &devices {
            let Some(pending) = known.pending.remove(id) else { continue };
            if let (Some(dialects), Some(described)) = (&known.dialects, pending.described) {
                dialects::write(dialects).put_back(described);
            }
            if let Some(device) = pending.device {
                known.fleet().put_back(device);
            }
            known.attention.put_back(pending.attention);
        }
        known.counts = known.count();
        self.feed.connections();
        Ok(devices)
    }

    /// Deletes some of a device that has nothing to do, in the ledger and in the store.
    async fn delete_device(&mut self, connection: &ConnectionId, device: &DeviceId) -> Result<bool, Failure> {
        self.settle().await;
        let absent = || not_found("connection", connection.as_str());
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        known.unread.clone().map_or(Ok(()), Err)?;
        let is_pending = known.pending.contains_key(device);
        let is_listed = known.fleet().get(device).is_some();
        if !is_listed && !is_pending {
            return Err(not_found("device", device.as_str()));
        }
        if known.profile.devices.iter().any(|named| named == device.as_str()) {
            return Err(invalid(
                format!("'{device}' is listed under Only these devices of this connection."),
                "Remove it from that list first.",
            ));
        }
        if let Some(rollout) = known.rollouts.awaits(device) {
            return Err(invalid(
                format!("'{device}' is still to be sent the command of rollout {rollout}."),
                "Pause or stop the rollout, or wait until it finishes.",
            ));
        }
        if !known.ledger.forget_device(device) {
            return Err(invalid(
                format!("'{device}' has an unfinished command."),
                "Stop waiting for the command, or wait until it finishes.",
            ));
        }
        let (commands, more) = self.store.forget_device(connection, device, FORGOTTEN_AT_ONCE).await?;
        let known = self.connections.get_mut(connection).ok_or_else(absent)?;
        known.kept = known.kept.saturating_sub(u32::try_from(commands).unwrap_or(u32::MAX));
        known.attention.take(device);
        if !more {
            self.quota.forget(connection, device);
            known.pending.remove(device);
            known.take_out(device);
            self.telemetry.forget_device(connection, device);
        }
        self.feed.connections();
        Ok(more)
    }

    async fn sweep(&mut self) -> Result<DeletionProgress, Failure> {
        let now = self.clock.now();
        let pending = self.connections.iter().flat_map(|(connection, known)| {
            known.pending.iter().map(move |(device, pending)| (pending.due, connection, device))
        });
        let Some((due, connection, device)) = pending.min() else { return Ok(DeletionProgress::Done) };
        if due > now {
            return Ok(DeletionProgress::Later(due.since(now)));
        }
        let (connection, device) = (connection.clone(), device.clone());
        let deleted = self.delete_device(&connection, &device).await;
        if let (Err(failure), Some(known)) = (&deleted, self.connections.get_mut(&connection))
            && let Some(pending) = known.pending.get_mut(&device)
        {
            tracing::info!(%failure, %device, "a forgotten device is deleted later");
            pending.due = now + TRIED_AGAIN_AFTER;
        }
        Ok(DeletionProgress::More)
    }
}
