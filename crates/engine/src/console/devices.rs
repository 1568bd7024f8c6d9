//! Adds, names, tags, annotates, forgets and restores devices.

use std::time::Duration;

use tokio::time::sleep;
use wilco_ledger::DeviceId;

use super::{Handle, beyond, not_found};
use crate::{
    api::{Failure, ForgottenDevices, NewDevice},
    controller::{DeletionProgress, DeviceRequest, Request, SerialChange, UNDO_WITHIN},
    fleet::{AnnotationChange, TagChange, annotations},
    profile::device_id,
    store::ConnectionId,
};

/// Devices that are changed in one commit: everybody else waits that long.
pub(super) const AT_ONCE: usize = 2_000;

impl Handle {
    /// Adds devices, or changes the given annotations of known ones. Returns the changed devices.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection; `Invalid` for an invalid ID, name, tag or
    /// note; then nothing is set; `Store`.
    pub async fn add_devices(&self, connection: &str, devices: Vec<NewDevice>) -> Result<Vec<String>, Failure> {
        let shared = self.shared(connection).await?;
        if let Some(refusal) = beyond(&shared.named, devices.iter().map(|new| new.device.as_str())) {
            return Err(refusal);
        }
        let changes = devices.into_iter().map(added).collect::<Result<_, _>>()?;
        self.annotate(connection, changes).await
    }

    /// Sets the name of a device; removes it if none is given.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Invalid` for a name that is too long; `Store`.
    pub async fn name_device(&self, connection: &str, device: &str, name: Option<String>) -> Result<(), Failure> {
        let name = name.as_deref().map(annotations::name).transpose()?.flatten();
        self.annotate_one(connection, device, AnnotationChange { name: Some(name), ..AnnotationChange::default() })
            .await
    }

    /// Sets the note of a device; removes it if none is given.
    ///
    /// # Errors
    /// As [`Handle::name_device`].
    pub async fn note_device(&self, connection: &str, device: &str, note: Option<String>) -> Result<(), Failure> {
        let note = note.as_deref().map(annotations::note).transpose()?.flatten();
        self.annotate_one(connection, device, AnnotationChange { note: Some(note), ..AnnotationChange::default() })
            .await
    }

    /// Adds a tag to devices. Returns those that did not have it. Unknown devices are added, as by
    /// [`Handle::add_devices`].
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection; `Invalid` for an invalid tag, for a
    /// device with too many, and for an invalid ID; `Store`.
    pub async fn tag_devices(&self, connection: &str, devices: Vec<String>, tag: &str) -> Result<Vec<String>, Failure> {
        let tag = TagChange::Add(annotations::tag(tag)?);
        if let Some(refusal) = beyond(&self.shared(connection).await?.named, devices.iter().map(String::as_str)) {
            return Err(refusal);
        }
        let change = AnnotationChange { add: true, tags: tag, ..AnnotationChange::default() };
        self.change_all(connection, &devices, &change).await
    }

    /// Removes a tag that was set here from devices. Returns those that had it. Reported tags stay, and unknown devices
    /// are not added.
    ///
    /// # Errors
    /// As [`Handle::tag_devices`].
    pub async fn untag_devices(
        &self,
        connection: &str,
        devices: Vec<String>,
        tag: &str,
    ) -> Result<Vec<String>, Failure> {
        let change = AnnotationChange { tags: TagChange::Remove(tag.to_owned()), ..AnnotationChange::default() };
        self.change_all(connection, &devices, &change).await
    }

    /// Forgets devices without unfinished commands. They can be restored for 30 seconds; then their history is deleted.
    /// A device that sends a message in the meantime is listed again.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection; `Store`.
    pub async fn forget_devices(&self, connection: &str, devices: Vec<String>) -> Result<ForgottenDevices, Failure> {
        let id = ConnectionId::from(connection);
        let mut all = ForgottenDevices {
            undo_within_s: u32::try_from(UNDO_WITHIN.0 / 1_000).unwrap_or(u32::MAX),
            ..ForgottenDevices::default()
        };
        let devices: Vec<_> = devices.iter().map(|device| device_id(device)).collect::<Result<_, _>>()?;
        for some in devices.chunks(AT_ONCE) {
            let forgotten = self.of_devices(|reply| DeviceRequest::Forget(id.clone(), some.to_vec(), reply)).await?;
            all.devices.extend(texts(forgotten.devices));
            all.busy.extend(texts(forgotten.busy));
            all.named.extend(texts(forgotten.named));
        }
        if !all.devices.is_empty() {
            tokio::spawn(self.clone().delete_forgotten(Duration::from_millis(UNDO_WITHIN.0)));
        }
        Ok(all)
    }

    /// Restores forgotten devices. Returns those that could be restored.
    ///
    /// # Errors
    /// As [`Handle::forget_devices`].
    pub async fn restore_devices(&self, connection: &str, devices: Vec<String>) -> Result<Vec<String>, Failure> {
        let id = ConnectionId::from(connection);
        let devices: Vec<_> = devices.iter().map(|device| device_id(device)).collect::<Result<_, _>>()?;
        let mut restored = Vec::new();
        for some in devices.chunks(AT_ONCE) {
            let back = self.of_devices(|reply| DeviceRequest::Restore(id.clone(), some.to_vec(), reply)).await?;
            restored.extend(texts(back));
        }
        Ok(restored)
    }

    /// Deletes what is left of forgotten devices once they cannot be restored, beginning after this time.
    pub(super) async fn delete_forgotten(self, after: Duration) {
        sleep(after).await;
        self.loaded.all_at_last().await;
        loop {
            match self.of_devices(DeviceRequest::NextDeletion).await {
                Ok(DeletionProgress::Due(connection, device)) => {
                    if let Err(failure) = self.delete_some(&connection, &device).await {
                        tracing::info!(%failure, %device, "a forgotten device is deleted later");
                        let later = SerialChange::Devices(DeviceRequest::DeleteLater(connection, device));
                        self.post(Request::InTurn(later)).await;
                    }
                }
                Ok(DeletionProgress::Later(wait)) => sleep(Duration::from_millis(wait.0)).await,
                Ok(DeletionProgress::Done) | Err(_) => return,
            }
        }
    }

    /// Sets something of many devices, some at a time. Answers with those that are different now.
    pub(super) async fn annotate(
        &self,
        connection: &str,
        changes: Vec<(DeviceId, AnnotationChange)>,
    ) -> Result<Vec<String>, Failure> {
        let id = ConnectionId::from(connection);
        let mut changed = Vec::new();
        for some in changes.chunks(AT_ONCE) {
            let of_these = self.of_devices(|reply| DeviceRequest::Annotate(id.clone(), some.to_vec(), reply)).await?;
            changed.extend(texts(of_these));
        }
        Ok(changed)
    }

    async fn annotate_one(&self, connection: &str, device: &str, change: AnnotationChange) -> Result<(), Failure> {
        let id = device_id(device)?;
        let known = super::fleet::read(&self.shared(connection).await?.fleet).get(&id).is_some();
        if !known {
            return Err(Failure { hint: Some("Add the device first.".into()), ..not_found("device", device) });
        }
        self.annotate(connection, vec![(id, change)]).await.map(drop)
    }

    async fn change_all(
        &self,
        connection: &str,
        devices: &[String],
        change: &AnnotationChange,
    ) -> Result<Vec<String>, Failure> {
        let with = |device: &String| Ok((device_id(device)?, change.clone()));
        self.annotate(connection, devices.iter().map(with).collect::<Result<_, Failure>>()?).await
    }

    pub(super) async fn of_devices<T>(
        &self,
        asked: impl FnOnce(tokio::sync::oneshot::Sender<Result<T, Failure>>) -> DeviceRequest,
    ) -> Result<T, Failure> {
        self.request(|reply| Request::InTurn(SerialChange::Devices(asked(reply)))).await?
    }
}

/// The annotation of an added device. Values that are not given do not change.
fn added(new: NewDevice) -> Result<(DeviceId, AnnotationChange), Failure> {
    let NewDevice { device, name, tags, note } = new;
    let mut kept: Vec<String> = Vec::new();
    for tag in &tags {
        let tag = annotations::tag(tag)?;
        if !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    let change = AnnotationChange {
        add: true,
        name: name.as_deref().map(annotations::name).transpose()?.flatten().map(Some),
        note: note.as_deref().map(annotations::note).transpose()?.flatten().map(Some),
        tags: if kept.is_empty() { TagChange::Keep } else { TagChange::Replace(kept) },
    };
    Ok((device_id(&device)?, change))
}

fn texts(devices: Vec<DeviceId>) -> impl Iterator<Item = String> {
    devices.into_iter().map(|id| id.as_str().to_owned())
}

#[cfg(test)]
mod tests;
