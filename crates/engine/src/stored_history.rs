//! The history in a data directory whose disk has no room. No engine can begin there, because nothing can be written; this
//! reads what is stored, and writes nothing.

use tokio::task::spawn_blocking;
use wilco_ledger::Timestamp;

use crate::{
    api::{Failure, HistoryCauses, HistoryPage, HistoryQuery},
    console::history,
    lock::DataLock,
    paths::DataDir,
    store::Store,
    unanswered::defect,
};

/// Read access to the history.
pub struct StoredHistory {
    store: Store,
    /// When the last thing happened in it.
    newest: Timestamp,
    _lock: DataLock,
}

impl StoredHistory {
    /// Opens the history after [`crate::Engine::start`] has failed.
    ///
    /// # Errors
    /// [`FailureCode::InUse`](crate::api::FailureCode) when an engine has this data directory,
    /// [`FailureCode::Store`](crate::api::FailureCode) when it cannot be read either.
    pub async fn open(data_dir: &DataDir) -> Result<StoredHistory, Failure> {
        let path = data_dir.path().to_owned();
        let opened = spawn_blocking(move || {
            let lock = DataLock::acquire(&path)?;
            let store = Store::open_without_room(&path)?;
            Ok::<_, Failure>((lock, store))
        });
        let (lock, store) = opened.await.map_err(defect)??;
        let newest = store.newest().await?.unwrap_or(Timestamp(0));
        Ok(StoredHistory { store, newest, _lock: lock })
    }

    /// The IDs and names of the connections.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode); the same applies to the methods below.
    pub async fn connections(&self) -> Result<Vec<(String, String)>, Failure> {
        let profiles = self.store.connections().await?;
        Ok(profiles.into_iter().map(|profile| (profile.id.as_str().to_owned(), profile.name)).collect())
    }

    /// A page of the history, newest first: see [`crate::Handle::history`].
    ///
    /// # Errors
    /// As those of [`crate::Handle::history`].
    pub async fn history(&self, query: HistoryQuery) -> Result<HistoryPage, Failure> {
        history::page(&self.store, query, self.newest).await
    }

    /// The causes of failed commands: see [`crate::Handle::history_causes`].
    ///
    /// # Errors
    /// As those of [`crate::Handle::history`].
    pub async fn history_causes(&self, query: HistoryQuery) -> Result<HistoryCauses, Failure> {
        history::causes(&self.store, query, self.newest).await
    }
}
