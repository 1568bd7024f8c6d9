//! Names, tags and notes that users set on devices; and devices that are about to be forgotten.

use wilco_ledger::{DeviceId, Timestamp};

use super::{ConnectionId, Store, StoreError, table::annotations};

/// The annotation of a device by users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    /// Its name here.
    pub name: Option<String>,
    /// Its tags here, beside those that it reports; each once.
    pub tags: Vec<String>,
    /// A note.
    pub note: Option<String>,
}

/// The stored values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnnotation {
    /// The device.
    pub device: DeviceId,
    /// The change.
    pub annotation: Annotation,
    /// When a person had it forgotten, while that can still be undone.
    pub forgotten_at: Option<Timestamp>,
}

impl Store {
    /// Everything that is set of a connection's devices, by id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn annotations(&self, connection: &ConnectionId) -> Result<Vec<StoredAnnotation>, StoreError> {
        let id = connection.clone();
        self.readers.read(move |connection| annotations::all(connection, &id)).await
    }
}
