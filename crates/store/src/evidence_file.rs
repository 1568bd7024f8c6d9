//! The part of the history in an evidence file: every event, with the bytes of every stored message.

use wilco_ledger::{CommandId, DeviceId, Event, Raw, Timestamp};

use super::{ConnectionId, Store, StoreError, table::events};

impl Store {
    /// All events of a command, oldest first, each with its request.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn whole_course(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Result<Vec<(Event, Option<Raw>)>, StoreError> {
        let (id, device, command) = (connection.clone(), device.clone(), command.clone());
        self.readers.read(move |connection| events::with_requests(connection, &id, &device, &command)).await
    }

    /// The answers of a device that belong to no command and arrived during that period, oldest first.
    pub async fn unmatched_between(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<Event>, StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.readers.read(move |connection| events::unmatched_between(connection, &id, &device, (from, to))).await
    }
}
