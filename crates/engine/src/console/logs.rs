//! The received logs of devices.

use std::path::PathBuf;

use serde_json::json;
use tokio::task::spawn_blocking;

use super::{Handle, command_id, defect, device_id, not_found};
use crate::{
    api::{AuditKind, Failure, FileToWrite, KeptLog, LogView},
    logs::{self, Log},
    output_file,
    store::ConnectionId,
};
use wilco_atomic_file::Readers;

impl Handle {
    /// The stored logs of a device, newest first, at most five.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode); the same applies to the methods below.
    pub async fn logs(&self, connection: &str, device: &str) -> Result<Vec<KeptLog>, Failure> {
        let kept = self.store.logs(&ConnectionId::from(connection), &device_id(device)?).await?;
        let listed =
            |log: crate::store::StoredLog| KeptLog { id: log.command.as_str().to_owned(), begun_at: log.begun_at.0 };
        Ok(kept.into_iter().map(listed).collect())
    }

    /// The log that a command requested, as far as it was received: with its text, or only its progress.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) when neither the command nor anything of its log is known.
    pub async fn log(&self, connection: &str, device: &str, id: &str, with_text: bool) -> Result<LogView, Failure> {
        let (connection, device, command_id) = (ConnectionId::from(connection), device_id(device)?, command_id(id)?);
        let command = self.store.command(&connection, &device, &command_id).await?;
        let (stored, chunks) = match self.store.log(&connection, &device, &command_id).await? {
            Some((stored, chunks)) => (Some(stored), chunks),
            None => (None, Vec::new()),
        };
        if command.is_none() && stored.is_none() {
            return Err(not_found("log", id));
        }
        let log = Log { connection, device, id: command_id, stored, chunks, command };
        // A checksum over some megabytes is nothing for a task of the runtime.
        spawn_blocking(move || log.view(with_text)).await.map_err(defect)
    }

    /// Writes a log to a file, completely or not at all, and returns the file's path. Missing parts are marked in it.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) if it cannot be written, `Exists` if the file exists and must not
    /// be replaced, `NotFound` as in [`Handle::log`].
    pub async fn save_log(
        &self,
        connection: &str,
        device: &str,
        id: &str,
        to: FileToWrite,
    ) -> Result<PathBuf, Failure> {
        let log = self.log(connection, device, id, true).await?;
        let write = move || output_file::write(&to, Readers::Owner, logs::plain(&log.parts).as_bytes());
        spawn_blocking(write).await.map_err(defect)?
    }

    /// Deletes a stored log. The device still has its own.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) when nothing of it is kept.
    pub async fn forget_log(&self, connection: &str, device: &str, id: &str) -> Result<(), Failure> {
        let (device, command) = (device_id(device)?, command_id(id)?);
        let entry = self.entry_on(connection, AuditKind::History, format!("Deleted a log of {device}"));
        let entry = entry.with(&json!({ "device": device.as_str(), "id": command.as_str() }));
        let store = self.store.audited(entry);
        let forgotten = store.forget_log(&ConnectionId::from(connection), &device, &command).await?;
        if forgotten { Ok(()) } else { Err(not_found("log", id)) }
    }
}
