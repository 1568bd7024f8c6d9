//! Sets names, tags and notes of devices, and forgets and restores devices. Nothing of it is shown before it is on the disk.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::oneshot;
use wilco_ledger::{DeviceId, Millis, Timestamp};

use super::{Controller, attention::Attention, connection::Connection, deletion::DeletionProgress};
use crate::{
    absent::not_found,
    api::Failure,
    dialects,
    fleet::{AnnotationChange, Device},
    store::{Annotation, Change, ConnectionId, Remains},
};

/// A forgotten device can be restored for so long.
pub(crate) const UNDO_WITHIN: Millis = Millis::seconds(30);

/// Something to be done with devices, and where the answer goes.
pub(crate) enum DeviceRequest {
    /// Sets annotations of devices. The reply lists the changed devices.
    Annotate(ConnectionId, Vec<(DeviceId, AnnotationChange)>, oneshot::Sender<Result<Vec<DeviceId>, Failure>>),
    /// Forgets devices, which are deleted some time later.
    Forget(ConnectionId, Vec<DeviceId>, oneshot::Sender<Result<Forgotten, Failure>>),
    /// Restores forgotten devices. The reply lists them.
    Restore(ConnectionId, Vec<DeviceId>, oneshot::Sender<Result<Vec<DeviceId>, Failure>>),
    /// Deletes part of a device's stored data, and finally the device itself. The reply states whether there is more.
    Delete(ConnectionId, DeviceId, Remains, oneshot::Sender<Result<bool, Failure>>),
    /// A forgotten device to delete, because it can no longer be restored.
    NextDeletion(oneshot::Sender<Result<DeletionProgress, Failure>>),
    /// A device could not be deleted; it is tried again later.
    DeleteLater(ConnectionId, DeviceId),
}

impl DeviceRequest {
    /// The connection that it is about; none where that is to be found out.
    pub(super) fn connection(&self) -> Option<&ConnectionId> {
        match self {
            DeviceRequest::Annotate(connection, ..)
            | DeviceRequest::Forget(connection, ..)
            | DeviceRequest::Restore(connection, ..)
            | DeviceRequest::Delete(connection, ..)
            | DeviceRequest::DeleteLater(connection, _) => Some(connection),
            DeviceRequest::NextDeletion(_) => None,
        }
    }
}

/// The result of forgetting devices. Unknown devices are in none of these.
#[derive(Debug, Default)]
pub(crate) struct Forgotten {
    pub(crate) devices: Vec<DeviceId>,
    pub(crate) busy: Vec<DeviceId>,
    pub(crate) named: Vec<DeviceId>,
}

/// Devices that are forgotten and not yet deleted.
pub(super) type Pending = BTreeMap<DeviceId, PendingDevice>;

pub(super) struct PendingDevice {
    /// When it is to be deleted.
    pub(super) due: Timestamp,
    /// The device as it was listed.
    device: Option<Device>,
    /// The description in its dialect, if that is not Wilco's own.
    described: Option<dialects::Forgotten>,
    /// Its commands that needed attention.
    attention: Attention,
}

impl Connection {
    /// Nothing is shown of these devices any more, and each is deleted when that is due.
    pub(super) fn set_aside(&mut self, devices: Vec<(DeviceId, Timestamp)>) {
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

    /// Lists devices again that were set aside.
    fn put_back(&mut self, devices: &[DeviceId]) {
        for id in devices {
            let Some(pending) = self.pending.remove(id) else { continue };
            if let (Some(dialects), Some(described)) = (&self.dialects, pending.described) {
                dialects::write(dialects).put_back(described);
            }
            if let Some(device) = pending.device {
                self.fleet().put_back(device);
            }
            self.change_attention(|attention| attention.put_back(pending.attention));
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
        (described, self.change_attention(|attention| attention.take(device)))
    }

    /// Changes what needs attention, and the number that is shown of it by as much.
    pub(super) fn change_attention<T>(&mut self, change: impl FnOnce(&mut Attention) -> T) -> T {
        let before = self.attention.count();
        let changed = change(&mut self.attention);
        let after = self.attention.count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let shown = &mut self.counts.needs_attention;
        *shown = shown.saturating_add(count(after.saturating_sub(before)));
        *shown = shown.saturating_sub(count(before.saturating_sub(after)));
        changed
    }
}

/// Where the answer goes that names devices.
type NamedDevices = oneshot::Sender<Result<Vec<DeviceId>, Failure>>;

impl Controller {
    pub(super) fn device_request(&mut self, asked: DeviceRequest) {
        match asked {
            DeviceRequest::Annotate(connection, changes, reply) => self.annotate(connection, changes, reply),
            DeviceRequest::Forget(connection, devices, reply) => self.forget_for_now(connection, devices, reply),
            DeviceRequest::Restore(connection, devices, reply) => self.restore_devices(connection, devices, reply),
            DeviceRequest::Delete(connection, device, remains, reply) => {
                self.delete_device(connection, device, remains, reply);
            }
            DeviceRequest::NextDeletion(reply) => {
                let _ = reply.send(Ok(self.next_deletion()));
            }
            DeviceRequest::DeleteLater(connection, device) => self.delete_later(&connection, &device),
        }
    }

    fn annotate(&mut self, connection: ConnectionId, changes: Vec<(DeviceId, AnnotationChange)>, reply: NamedDevices) {
        // A new annotation restores a device that was just forgotten.
        let is_pending =
            |id: &DeviceId| self.connections.get(&connection).is_some_and(|known| known.pending.contains_key(id));
        let back: Vec<_> = changes.iter().filter(|(id, change)| change.add && is_pending(id)).collect();
        let back: Vec<_> = back.into_iter().map(|(id, _)| id.clone()).collect();
        if back.is_empty() {
            return self.annotate_listed(&connection, changes, reply);
        }
        self.take_back(connection.clone(), back, move |controller, restored| match restored {
            Ok(_) => controller.annotate_listed(&connection, changes, reply),
            Err(failure) => drop(reply.send(Err(failure))),
        });
    }

    /// The same for devices that are restored.
    fn annotate_listed(
        &mut self,
        connection: &ConnectionId,
        changes: Vec<(DeviceId, AnnotationChange)>,
        reply: NamedDevices,
    ) {
        let annotated = match self.annotated(connection, changes) {
            Ok(annotated) if !annotated.is_empty() => annotated,
            nothing => {
                let _ = reply.send(nothing.map(|_| Vec::new()));
                return;
            }
        };
        let entry = self.audit_annotated(connection, &annotated);
        let after: Vec<_> = annotated.into_iter().map(|(id, _, after)| (id, after)).collect();
        self.pending_batch.changes.extend(after.iter().cloned().map(|(device, annotation)| Change::Annotation {
            connection: connection.clone(),
            device,
            annotation,
        }));
        self.write_down(Some(entry));
        let connection = connection.clone();
        self.after_commit(move |controller, stored| {
            if let (Ok(()), Some(known)) = (&stored, controller.connections.get(&connection)) {
                let mut fleet = known.fleet();
                for (id, annotation) in &after {
                    fleet.annotate(id, annotation.clone());
                }
                controller.feed.connections();
            }
            let _ = reply.send(stored.map(|()| after.into_iter().map(|(id, _)| id).collect()));
        });
    }

    /// The changed devices, with their annotations before and after.
    fn annotated(
        &self,
        connection: &ConnectionId,
        changes: Vec<(DeviceId, AnnotationChange)>,
    ) -> Result<Vec<(DeviceId, Annotation, Annotation)>, Failure> {
        let known = self.connections.get(connection).ok_or_else(|| not_found("connection", connection.as_str()))?;
        let fleet = known.fleet();
        let mut annotations = BTreeMap::new();
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
        let before = |id: &DeviceId| fleet.annotation(id).unwrap_or_default();
        Ok(annotations.into_iter().map(|(id, after)| (id.clone(), before(&id), after)).collect())
    }

    fn forget_for_now(
        &mut self,
        connection: ConnectionId,
        devices: Vec<DeviceId>,
        reply: oneshot::Sender<Result<Forgotten, Failure>>,
    ) {
        let due = self.clock.now() + UNDO_WITHIN;
        let forgotten = match self.forgettable(&connection, devices) {
            Ok(forgotten) if !forgotten.devices.is_empty() => forgotten,
            nothing => {
                let _ = reply.send(nothing);
                return;
            }
        };
        self.note_forgotten(&connection, "Deleted", &forgotten.devices, Some(self.clock.now()));
        self.after_commit(move |controller, stored| {
            if let (Ok(()), Some(known)) = (&stored, controller.connections.get_mut(&connection)) {
                for device in &forgotten.devices {
                    known.ledger.forget_device(device);
                }
                known.set_aside(forgotten.devices.iter().map(|device| (device.clone(), due)).collect());
                controller.feed.connections();
            }
            let _ = reply.send(stored.map(|()| forgotten));
        });
    }

    /// The devices among these that may be forgotten.
    fn forgettable(&self, connection: &ConnectionId, devices: Vec<DeviceId>) -> Result<Forgotten, Failure> {
        let known = self.connections.get(connection).ok_or_else(|| not_found("connection", connection.as_str()))?;
        known.unread.clone().map_or(Ok(()), Err)?;
        let mut forgotten = Forgotten::default();
        let to_release = known.rollouts.to_release();
        for id in devices {
            if known.fleet().get(&id).is_none() {
                continue;
            }
            let which = if to_release.contains(&id) {
                &mut forgotten.busy
            } else if known.profile.settings.devices_named.iter().any(|named| named == id.as_str()) {
                &mut forgotten.named
            } else if known.ledger.is_busy(&id) {
                &mut forgotten.busy
            } else {
                &mut forgotten.devices
            };
            which.push(id);
        }
        Ok(forgotten)
    }

    fn restore_devices(&mut self, connection: ConnectionId, mut devices: Vec<DeviceId>, reply: NamedDevices) {
        let now = self.clock.now();
        let Some(known) = self.connections.get(&connection) else {
            let _ = reply.send(Err(not_found("connection", connection.as_str())));
            return;
        };
        devices.retain(|id| known.pending.get(id).is_some_and(|pending| pending.due > now));
        if devices.is_empty() {
            let _ = reply.send(Ok(devices));
            return;
        }
        self.take_back(connection, devices, |_, restored| drop(reply.send(restored)));
    }

    /// Cancels the deletion of devices.
    fn take_back(
        &mut self,
        connection: ConnectionId,
        devices: Vec<DeviceId>,
        then: impl FnOnce(&mut Controller, Result<Vec<DeviceId>, Failure>) + Send + 'static,
    ) {
        self.note_forgotten(&connection, "Restored", &devices, None);
        self.after_commit(move |controller, stored| {
            if let (Ok(()), Some(known)) = (&stored, controller.connections.get_mut(&connection)) {
                known.put_back(&devices);
                controller.feed.connections();
            }
            then(controller, stored.map(|()| devices));
        });
    }

    /// Commits the time at which devices will be deleted, or that they will not.
    fn note_forgotten(&mut self, connection: &ConnectionId, did: &str, devices: &[DeviceId], at: Option<Timestamp>) {
        let entry = self.audit_devices(connection, did, devices);
        let change =
            |device: &DeviceId| Change::ForgetLater { connection: connection.clone(), device: device.clone(), at };
        self.pending_batch.changes.extend(devices.iter().map(change));
        self.write_down(Some(entry));
    }
}
