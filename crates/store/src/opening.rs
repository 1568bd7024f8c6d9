//! How a store is opened, with room on the disk and without.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::{
    FILE_NAME, HighWaterMark, Readers, Store, StoreError, meta, open, salvage,
    writer::{self, Started, WritesLater},
};

/// The one connection that writes, and the mark beside the database.
pub(super) fn begin_writing(path: &Path) -> Result<(rusqlite::Connection, HighWaterMark), StoreError> {
    let mut connection = open::writer(path).map_err(|error| salvage::explained(path, error))?;
    let name_installation = |connection: &mut rusqlite::Connection| {
        if meta::installation(connection)?.is_none() {
            meta::name_installation(connection, &uuid::Uuid::new_v4().to_string())?;
            // From here on the file itself says which database it is, also without its log.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    };
    name_installation(&mut connection).map_err(|error| StoreError::read(path, &error))?;
    let dir = path.parent().unwrap_or(Path::new(""));
    let mark = HighWaterMark::open(dir, &mut connection).map_err(|error| StoreError::read(path, &error))?;
    Ok((connection, mark))
}

impl Store {
    /// Opens the database in a data directory, creates it if there is none, and migrates it to the newest format.
    /// Blocks: not for a task of the runtime. Only one process may do so at a time, see the lock of the data directory.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Damaged`], [`StoreError::Full`], [`StoreError::NotWritable`]. The first
    /// leaves the file as it is, byte for byte.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        let path = dir.join(FILE_NAME);
        let (connection, mark) = begin_writing(&path)?;
        let audit_grew = Arc::new(Notify::new());
        let (reports, interference) = watch::channel(None);
        let Started { jobs, thread, behind } =
            writer::spawn(connection, path.clone(), mark, (Arc::clone(&audit_grew), reports))
                .map_err(|error| StoreError::Other { path: path.clone(), what: error.to_string() })?;
        let (readers, thread) = (Readers::new(path.clone()), Arc::new(Mutex::new(Some(thread))));
        let only_reads = Arc::default();
        Ok(Store { path, jobs, thread, readers, behind, entry: None, audit_grew, interference, only_reads })
    }

    /// Opens a database whose disk has no room, so that [`Store::open`] fails: what is committed can be read, also after a
    /// crash, and every change is refused with [`StoreError::Full`]. Nothing is written. Blocks.
    ///
    /// # Errors
    /// As [`Store::open`]; [`StoreError::Full`] for a database of an earlier version.
    pub fn open_without_room(dir: &Path) -> Result<Store, StoreError> {
        let path = dir.join(FILE_NAME);
        let connection = open::without_room(&path)?;
        Store::reading(path, connection, false)
    }

    /// The same until the disk has room: each change looks for 1 MiB of it, and with the first that finds it this is a store
    /// like any other.
    ///
    /// # Errors
    /// As [`Store::open_without_room`]; also [`StoreError::Full`] for a database that has lost events, which must be written
    /// down before anything is sent.
    pub fn open_until_there_is_room(dir: &Path) -> Result<Store, StoreError> {
        let path = dir.join(FILE_NAME);
        let connection = open::without_room(&path)?;
        if HighWaterMark::has_gap(dir, &connection).map_err(|error| StoreError::read(&path, &error))? {
            return Err(StoreError::Full { path });
        }
        Store::reading(path, connection, true)
    }

    fn reading(path: PathBuf, connection: rusqlite::Connection, writes_later: bool) -> Result<Store, StoreError> {
        let audit_grew = Arc::new(Notify::new());
        let (reports, interference) = watch::channel(None);
        let readers = Readers::only(path.clone(), connection);
        let only_reads = Arc::new(AtomicBool::new(true));
        let later = writes_later.then(|| WritesLater {
            only_reads: Arc::clone(&only_reads),
            readers: readers.clone(),
            behind: Arc::default(),
            reports: (Arc::clone(&audit_grew), reports),
        });
        let Started { jobs, thread, behind } = writer::spawn_without_room(path.clone(), later)
            .map_err(|error| StoreError::Other { path: path.clone(), what: error.to_string() })?;
        let thread = Arc::new(Mutex::new(Some(thread)));
        Ok(Store { path, jobs, thread, readers, behind, entry: None, audit_grew, interference, only_reads })
    }

    /// Looks for room where there was none when it was opened.
    ///
    /// # Errors
    /// [`StoreError::Full`] as long as there is none.
    pub async fn find_room(&self) -> Result<(), StoreError> {
        if self.only_reads.load(Ordering::Acquire) { self.write(|_| Ok(())).await } else { Ok(()) }
    }
}
