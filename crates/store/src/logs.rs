//! Stored logs of devices.

use wilco_dialect::LogChunk;
use wilco_ledger::{CommandId, DeviceId, Timestamp};

use super::{ConnectionId, Store, StoreError, StoredLog, table::logs};

impl Store {
    /// The logs of a device, newest first; five at most.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn logs(&self, connection: &ConnectionId, device: &DeviceId) -> Result<Vec<StoredLog>, StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.readers.read(move |connection| logs::of_device(connection, &id, &device)).await
    }

    /// A log with its received chunks, in order.
    pub async fn log(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Result<Option<(StoredLog, Vec<LogChunk>)>, StoreError> {
        let (id, device, command) = (connection.clone(), device.clone(), command.clone());
        self.readers.read(move |connection| logs::with_chunks(connection, &id, &device, &command)).await
    }

    /// Forgets a log. Says whether there was one.
    pub async fn forget_log(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Result<bool, StoreError> {
        let (id, device, command) = (connection.clone(), device.clone(), command.clone());
        self.write(move |transaction| logs::forget(transaction, &id, &device, &command)).await
    }

    /// Deletes the logs that began before that time, and returns their number.
    pub async fn prune_logs(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.write(move |transaction| logs::prune(transaction, before)).await
    }
}
