//! Reads with a few read-only connections, in turns, on the runtime's blocking threads.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{StoreError, open};

/// Reads continuing at once, at most.
const READERS: usize = 4;

#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
    /// Limits searches, so that other readers do not wait for them.
    first: Arc<Semaphore>,
    /// There is one connection and there can be no other. Nothing is committed, so it always reads the same state.
    is_only: bool,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Readers {
        Readers {
            path,
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(READERS)),
            first: Arc::new(Semaphore::new(1)),
            is_only: false,
        }
    }

    /// This connection alone.
    pub(super) fn only(path: PathBuf, connection: Connection) -> Readers {
        let turns = Arc::new(Semaphore::new(1));
        let idle = Arc::new(Mutex::new(vec![connection]));
        Readers { path, idle, turns: Arc::clone(&turns), first: turns, is_only: true }
    }

    /// Reads one state of the database: what is committed meanwhile is not seen.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_in_turn(&self.turns, query).await
    }

    /// The same, for something short that messages wait for: not behind searches that take long.
    pub(super) async fn read_before_others<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_in_turn(&self.first, query).await
    }

    /// The same over a connection of its own, which knows nothing of earlier reads.
    pub(super) async fn read_afresh<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.is_only {
            return self.read(query).await;
        }
        let path = self.path.clone();
        // In the others' turn, so that no more is read at once.
        self.read(move |_| query(&open::reader(&path)?)).await
    }

    async fn read_in_turn<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = Arc::clone(turns).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let readers = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            readers.read_now(query).map_err(|error| StoreError::read(&readers.path, &error))
        });
        read.await.unwrap_or(Err(StoreError::Closed))
    }

    fn read_now<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        if self.is_only {
            let found = query(&connection);
            self.lock().push(connection);
            return found;
        }
        let transaction = connection.transaction()?;
        let found = query(&transaction)?;
        transaction.finish()?;
        self.lock().push(connection);
        Ok(found)
    }

    /// Lets what is continuing end, allows nothing more, and closes the connections.
    pub(super) async fn close(&self) {
        let readers = if self.is_only { 1 } else { READERS };
        if let Ok(_all) = self.turns.acquire_many(u32::try_from(readers).unwrap_or(u32::MAX)).await {
            self.turns.close();
        }
        if let Ok(_all) = self.first.acquire().await {
            self.first.close();
        }
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
