//! Reads with a few read-only connections, in turns, on the runtime's blocking threads.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{
    StoreError,
    interference::{FileId, file_id},
    open,
};

/// Reads continuing at once, at most.
const READERS: usize = 4;

#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
    /// Limits searches, so that other readers do not wait for them.
    first: Arc<Semaphore>,
    /// The database, which may not be at its path any more.
    database: Option<FileId>,
    /// The connection to a database whose disk has no room: there can be no other meanwhile, and whoever reads locks it.
    only: Arc<Mutex<Option<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Readers {
        Readers {
            database: file_id(&path),
            path,
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(READERS)),
            first: Arc::new(Semaphore::new(1)),
            only: Arc::default(),
        }
    }

    /// This connection alone: see [`open::without_room`].
    pub(super) fn only(path: PathBuf, connection: Connection) -> Readers {
        Readers { only: Arc::new(Mutex::new(Some(connection))), ..Readers::new(path) }
    }

    /// Closes the only connection and begins to write. Reads wait meanwhile. If it fails, nothing has changed.
    pub(super) fn instead_of_only<T>(&self, begin: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut only = self.only.lock();
        *only = None;
        begin().inspect_err(|_| match open::without_room(&self.path) {
            Ok(connection) => *only = Some(connection),
            Err(error) => tracing::error!(%error, "the database could not be opened again"),
        })
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
        let readers = self.clone();
        // In the others' turn, so that no more is read at once.
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let read = |error| StoreError::read(&readers.path, &error);
            if let Some(only) = &*readers.only.lock() {
                return query(only).map_err(read);
            }
            let connection = readers.open()?;
            query(&connection).map_err(read)
        });
        read.await.unwrap_or(Err(StoreError::Closed))
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
            readers.read_now(query)
        });
        read.await.unwrap_or(Err(StoreError::Closed))
    }

    /// A further connection. What is at the path may be another database by now.
    fn open(&self) -> Result<Connection, StoreError> {
        let opened = open::reader(&self.path);
        if self.database.is_some() && file_id(&self.path) != self.database {
            return Err(StoreError::Replaced { path: self.path.clone() });
        }
        opened.map_err(|error| StoreError::read(&self.path, &error))
    }

    fn read_now<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let read = |error| StoreError::read(&self.path, &error);
        if let Some(only) = &*self.only.lock() {
            return query(only).map_err(read);
        }
        let idle = self.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        let transaction = connection.transaction().map_err(read)?;
        let found = query(&transaction).map_err(read)?;
        transaction.finish().map_err(read)?;
        self.lock().push(connection);
        Ok(found)
    }

    /// Lets what is continuing end, allows nothing more, and closes the connections.
    pub(super) async fn close(&self) {
        if let Ok(_all) = self.turns.acquire_many(u32::try_from(READERS).unwrap_or(u32::MAX)).await {
            self.turns.close();
        }
        if let Ok(_all) = self.first.acquire().await {
            self.first.close();
        }
        self.lock().clear();
        self.only.lock().take();
    }

    fn lock(&self) -> parking_lot::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock()
    }
}
