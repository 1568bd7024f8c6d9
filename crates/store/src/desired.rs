//! The desired configurations of devices.

use super::{ConnectionId, Store, StoreError, table::desired};

/// The devices of a desired configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DesiredTarget {
    /// Devices with a tag.
    Tag(String),
    /// Devices that match the search of the view with this ID.
    View(String),
}

/// The wanted values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDesired {
    /// The devices.
    pub target: DesiredTarget,
    /// The wanted values: a JSON object with its original text.
    pub values: String,
}

impl Store {
    /// The desired configurations of a connection, in the order in which they apply.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn desired(&self, connection: &ConnectionId) -> Result<Vec<StoredDesired>, StoreError> {
        let id = connection.clone();
        self.readers.read(move |connection| desired::all(connection, &id)).await
    }

    /// Whether a view has a desired configuration.
    pub async fn has_desired_view(&self, view: &str) -> Result<bool, StoreError> {
        let view = view.to_owned();
        self.readers.read(move |connection| desired::has_view(connection, &view)).await
    }

    /// Changes the desired configurations of a connection, or nothing if the change refuses.
    pub async fn change_desired<T: Send + 'static, E: Send + 'static>(
        &self,
        connection: &ConnectionId,
        change: impl FnOnce(&mut Vec<StoredDesired>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, StoreError> {
        let id = connection.clone();
        self.write(move |transaction| {
            let mut all = desired::all(transaction, &id)?;
            let changed = change(&mut all);
            if changed.is_ok() {
                desired::replace(transaction, &id, &all)?;
            }
            Ok(changed)
        })
        .await
    }
}
