//! Names, tags and notes that users set on devices; and devices that will be forgotten.

use wilco_ledger::{DeviceId, Timestamp};

use super::{ConnectionId, Store, StoreError, table::annotations};

/// The annotation of a device by users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    /// Its name here.
    pub name: Option<String>,
    /// Its tags set here, without duplicates.
    pub tags: Vec<String>,
    /// The note.
    pub note: Option<String>,
}

/// The stored values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnnotation {
    /// The device.
    pub device: DeviceId,
    /// The change.
    pub annotation: Annotation,
    /// When a user forgot it, while this can still be undone.
    pub forgotten_at: Option<Timestamp>,
}

impl Store {
    /// All annotations of a connection's devices, by ID.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn annotations(&self, connection: &ConnectionId) -> Result<Vec<StoredAnnotation>, StoreError> {
        let id = connection.clone();
        self.readers.read(move |connection| annotations::all(connection, &id)).await
    }
}
