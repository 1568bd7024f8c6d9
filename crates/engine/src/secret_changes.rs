//! Tracks connections whose secrets are being replaced.
//!
//! The keyring is changed before the profile. Somebody who reads the secrets for the profile in between would find some
//! missing, and would report a problem that does not exist.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::store::ConnectionId;

/// Keeps fetching and replacing a connection's secrets apart. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SecretChanges(Arc<Mutex<HashMap<ConnectionId, Arc<RwLock<()>>>>>);

impl SecretChanges {
    /// Waits until nobody replaces the secrets of a connection. Nobody does until the returned guard is dropped.
    pub(crate) async fn fetching(&self, connection: &ConnectionId) -> OwnedRwLockReadGuard<()> {
        self.of(connection).read_owned().await
    }

    /// Waits until nobody reads or replaces the secrets of a connection. Nobody does until the returned guard is
    /// dropped, which must be after the controller received the new profile.
    pub(crate) async fn replacing(&self, connection: &ConnectionId) -> OwnedRwLockWriteGuard<()> {
        self.of(connection).write_owned().await
    }

    fn of(&self, connection: &ConnectionId) -> Arc<RwLock<()>> {
        let mut locks = self.0.lock();
        Arc::clone(locks.entry(connection.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, timeout};

    use super::SecretChanges;
    use crate::store::ConnectionId;

    #[tokio::test(start_paused = true)]
    async fn secrets_are_not_fetched_while_they_are_replaced_and_others_are() {
        let changes = SecretChanges::default();
        let (plant, bench) = (ConnectionId::from("plant"), ConnectionId::from("bench"));
        let replacing = changes.replacing(&plant).await;
        let soon = Duration::from_secs(1);
        assert!(timeout(soon, changes.fetching(&plant)).await.is_err());
        assert!(timeout(soon, changes.fetching(&bench)).await.is_ok());
        drop(replacing);
        let fetching = timeout(soon, changes.fetching(&plant)).await;
        assert!(fetching.is_ok());
        assert!(timeout(soon, changes.replacing(&plant)).await.is_err());
    }
}
