//! The store: connection profiles, devices, commands with all their events, logs and measurements, in one SQLite file.
//!
//! One thread writes, many read. [`Store::commit`] returns when its changes are on the disk, and not before, so
//! anything published or acknowledged afterwards can rely on it. The state of a command is derived from its events
//! alone; the table of commands is their projection, which may be slightly behind them, but never for its readers.
//!
//! It knows no secrets (see the vault), makes no decisions about commands (see the ledger), and has no clock.

mod anchor;
mod annotations;
mod audit;
mod bounds;
mod changes;
mod check;
mod checksum;
mod definitions;
mod desired;
mod error;
mod evidence;
mod evidence_file;
mod fact;
#[cfg(fuzzing)]
pub mod fuzzing;
mod history;
mod interference;
mod logs;
mod look_up;
mod mark;
mod open;
mod opening;
mod possibly_sent;
mod projection_queue;
mod reader;
mod record;
mod recover;
mod retention;
mod rollouts;
mod salvage;
mod samples;
mod sql_enum;
mod table;
mod telemetry;
#[cfg(test)]
mod tests;
mod trusted;
mod writer;

use std::{
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    task::{Context, Poll},
    thread::JoinHandle,
};

use parking_lot::Mutex;
use rusqlite::{Transaction, TransactionBehavior};
use tokio::sync::{Notify, oneshot, watch};
use wilco_ledger::{Command, CommandId, DeviceId, Event, Timestamp};

use wilco_definitions::Settings;

pub use anchor::Anchor;
pub use annotations::{Annotation, StoredAnnotation};
pub use audit::{
    AuditCheckpoint, AuditFilter, AuditHead, Hash, NewAuditEntry, StoredAudit, StoredAuditEntry, StoredSeal,
    audit_genesis,
};
pub use bounds::{Discarded, DiscardedOf};
pub use bounds::{
    counted, counted_request, reduce, shorten_answer, shorten_fact, shorten_sentence, size_of_answer, size_of_raw,
    size_of_request,
};
pub use check::{Checked, DamagedEvent};
pub use definitions::{Definition, StoredButton};
pub use desired::{DesiredTarget, StoredDesired};
pub use error::StoreError;
pub use evidence::{Evidence, StoredRequest};
pub use history::{StoredCause, StoredCauses};
pub use interference::Interference;
pub use look_up::{FoundCommands, NamedCommands};
pub use mark::{Gap, MARK_FILE_NAME};
pub use record::{
    BROADCASTS_KEPT, Change, Cursor, HistoryFilter, HistoryRows, Restart, StoredBroadcast, StoredDescription,
    StoredDevice, StoredLog,
};
pub use recover::{Recovered, recover};
pub use retention::{Forgotten, Older, Remains};
pub use rollouts::{
    CommandTemplate, MemberFilter, NewMember, RolloutSnapshot, StoredApproval, StoredMember, StoredRollout,
    StoredUnexpectedDevice,
};
pub use samples::{Measured, Sample};
pub use table::commands::Answered;
pub use trusted::TrustedInstallation;
pub use wilco_connection::{ConnectionId, Profile};

use mark::HighWaterMark;
use reader::Readers;
use table::{broadcasts, commands, connections, counters, devices, events, meta, settings, tallies};
use writer::{Behind, Job};

/// The database's name in the data directory.
pub const FILE_NAME: &str = "wilco.sqlite3";

/// A handle to the store. Cheap to clone; the database is closed with the last handle, or by [`Store::close`].
#[derive(Clone)]
pub struct Store {
    path: PathBuf,
    jobs: Sender<Job>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    readers: Readers,
    behind: Arc<Behind>,
    /// The audit entry of the next change.
    entry: Option<Arc<NewAuditEntry>>,
    /// Something was written to the audit.
    audit_grew: Arc<Notify>,
    /// What other programs last did to the database.
    interference: watch::Receiver<Option<Interference>>,
    /// The disk has had no room so far: see [`Store::open_until_there_is_room`].
    only_reads: Arc<AtomicBool>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Actions of other programs on the open database and its files, detected at the next transaction, or within a few
    /// seconds at rest. While a file is missing or replaced, every change is refused with [`StoreError::Replaced`].
    #[must_use]
    pub fn interference(&self) -> watch::Receiver<Option<Interference>> {
        self.interference.clone()
    }

    /// Stores changes in order: all of them, or none. Returns when they are on the disk. Changes that wait at the same
    /// time are committed together.
    ///
    /// # Errors
    /// [`StoreError::Full`] and others: then nothing of it is stored, and the next commit may work again.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.begin_commit(changes).await
    }

    /// Like [`Store::commit`], but started immediately, for callers that continue in the meantime.
    #[must_use = "only its end says whether anything is stored"]
    pub fn begin_commit(&self, changes: Vec<Change>) -> Committing {
        let (done, answer) = oneshot::channel();
        if changes.is_empty() {
            let _ = done.send(Ok(()));
        } else {
            // A thread that has ended drops `done`, which is reported as `Closed`.
            let _ = self.jobs.send(Job::Commit { changes, done });
        }
        Committing(answer)
    }

    /// The unfinished commands of a connection, from their events, in the order of submission.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn unsettled(&self, connection: &ConnectionId) -> Result<Vec<Command>, StoreError> {
        let id = connection.clone();
        self.read(move |connection| events::unsettled(connection, &id)).await
    }

    /// A command, from its events.
    pub async fn command(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        command: &CommandId,
    ) -> Result<Option<Command>, StoreError> {
        let (id, device, command) = (connection.clone(), device.clone(), command.clone());
        self.readers.read(move |connection| look_up::command_at(connection, &id, &device, &command)).await
    }

    /// The latest answers of a device that belong to no command, newest first.
    pub async fn unmatched(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.readers.read(move |connection| events::unmatched(connection, &id, &device, limit)).await
    }

    /// The failed commands of a connection since that time, and whether they were dismissed.
    pub async fn ended_badly_since(
        &self,
        connection: &ConnectionId,
        since: Timestamp,
    ) -> Result<Vec<(Command, bool)>, StoreError> {
        let id = connection.clone();
        self.read(move |connection| commands::ended_badly_since(connection, &id, since)).await
    }

    /// The last commands of a device, newest first, and the number of all its commands.
    pub async fn last_commands(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        limit: u32,
    ) -> Result<(Vec<Command>, u32), StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.read(move |connection| {
            let count = tallies::count(connection, &id, &device)?;
            let filter =
                HistoryFilter { connection: Some(id), device: Some(device), limit, ..HistoryFilter::default() };
            let page = history::page(connection, &filter)?;
            Ok((page.rows.into_iter().map(|(_, command)| command).collect(), count))
        })
        .await
    }

    /// The latest commands of a connection, or of one of its devices, that were sent from here and answered, newest
    /// first.
    pub async fn answered(
        &self,
        connection: &ConnectionId,
        device: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Answered>, StoreError> {
        let (id, device) = (connection.clone(), device.cloned());
        self.read(move |connection| commands::answered(connection, &id, device.as_ref(), limit)).await
    }

    /// The last command of every device of a connection, by device.
    pub async fn latest_per_device(&self, connection: &ConnectionId) -> Result<Vec<Command>, StoreError> {
        let id = connection.clone();
        self.read(move |connection| commands::latest_per_device(connection, &id)).await
    }

    /// The devices of a connection, by id.
    pub async fn devices(&self, connection: &ConnectionId) -> Result<Vec<StoredDevice>, StoreError> {
        let id = connection.clone();
        self.readers.read(move |connection| devices::all(connection, &id)).await
    }

    /// The latest requests of other consoles to many devices at once, the last one last.
    pub async fn broadcasts(&self, connection: &ConnectionId) -> Result<Vec<StoredBroadcast>, StoreError> {
        let id = connection.clone();
        self.readers.read(move |connection| broadcasts::of(connection, &id)).await
    }

    /// The number of commands kept, of one connection or of all, without those that Wilco sent by itself.
    pub async fn command_count(&self, connection: Option<&ConnectionId>) -> Result<u32, StoreError> {
        let id = connection.cloned();
        self.read(move |connection| counters::commands(connection, id.as_ref(), false)).await
    }

    /// All connection profiles, in the user's order.
    pub async fn connections(&self) -> Result<Vec<Profile>, StoreError> {
        self.readers.read(connections::all).await
    }

    /// The profile of a connection.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Profile>, StoreError> {
        let id = id.clone();
        self.readers.read(move |connection| connections::one(connection, &id)).await
    }

    /// Adds a profile, or replaces the one with the same ID.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] if another one has this name.
    pub async fn save_connection(&self, profile: &Profile) -> Result<(), StoreError> {
        let profile = profile.clone();
        let name = profile.name.clone();
        let saved = self
            .write(move |transaction| {
                if connections::name_taken(transaction, &profile)? {
                    return Ok(false);
                }
                connections::put(transaction, &profile)?;
                Ok(true)
            })
            .await?;
        if saved { Ok(()) } else { Err(StoreError::NameTaken(name)) }
    }

    /// Sets the order of the profiles.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn order_connections(&self, ids: Vec<ConnectionId>) -> Result<(), StoreError> {
        self.write(move |transaction| connections::order(transaction, &ids)).await
    }

    /// The settings.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        self.readers.read(settings::all).await
    }

    /// Stores the settings.
    pub async fn save_settings(&self, settings: Settings) -> Result<(), StoreError> {
        self.write(move |transaction| settings::put(transaction, &settings)).await
    }

    /// This installation's ID, generated randomly with the database.
    pub async fn identity(&self) -> Result<String, StoreError> {
        self.readers.read(|connection| meta::installation(connection).map(Option::unwrap_or_default)).await
    }

    /// The last used number for command IDs of a connection in messages; `None` if none was used.
    pub async fn last_wire_id(&self, connection: &ConnectionId) -> Result<Option<u32>, StoreError> {
        let connection = connection.clone();
        self.readers.read(move |sqlite| meta::last_wire_id(sqlite, &connection)).await
    }

    /// The stored position of the clock relative to the computer's steady clock.
    pub async fn anchor(&self) -> Result<Option<Anchor>, StoreError> {
        self.readers.read(meta::anchor).await
    }

    /// Stores the position of the clock relative to the computer's steady clock.
    pub async fn keep_anchor(&self, anchor: Anchor) -> Result<(), StoreError> {
        self.write(move |transaction| meta::keep_anchor(transaction, &anchor)).await
    }

    /// Rebuilds the table of commands from the events.
    pub async fn rebuild_projection(&self) -> Result<(), StoreError> {
        self.write_tables(table::rebuild).await
    }

    /// Completes all requests, checkpoints the database and closes it. Other handles then get [`StoreError::Closed`].
    pub async fn close(self) -> Result<(), StoreError> {
        self.readers.close().await;
        let result = self.ask(Job::Close).await;
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // It has nothing left to do but to return.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        match result {
            Err(StoreError::Closed) => Ok(()),
            other => other,
        }
    }

    /// Keeps everything from being written until what this returns is dropped.
    #[cfg(any(test, feature = "testing"))]
    pub fn pause_writer(&self) -> Sender<()> {
        let (go_on, wait) = std::sync::mpsc::channel();
        let wait = Job::Meddle(Box::new(move |_| {
            let _ = wait.recv();
        }));
        let _ = self.jobs.send(wait);
        go_on
    }

    /// Prevents the database from growing, after earlier requests are done; or allows it again.
    #[cfg(any(test, feature = "testing"))]
    pub fn fill_disk(&self, full: bool) {
        let fill = move |connection: &mut rusqlite::Connection| {
            let pages = connection.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0));
            let pages = if full { pages.unwrap_or(1) } else { u32::MAX - 1 };
            let _ = connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()));
        };
        let _ = self.jobs.send(Job::Meddle(Box::new(fill)));
    }

    /// Whether the tables of commands and the search index show everything that has been committed: not while many commands
    /// are written.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        !self.behind.tables.load(Ordering::Acquire) && !self.behind.index.load(Ordering::Acquire)
    }

    /// Reads the tables of commands, which show everything that has been committed by now.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.behind.tables.load(Ordering::Acquire) {
            match self.ask(Job::CatchUp).await {
                Err(StoreError::Full { .. } | StoreError::NotWritable { .. }) => {
                    return self.read_up_to_date(query).await;
                }
                caught_up => caught_up?,
            }
        }
        self.readers.read(query).await
    }

    /// The same on a disk without room.
    async fn read_up_to_date<T: Send + 'static>(
        &self,
        query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, answer) = oneshot::channel();
        let path = self.path.clone();
        let task = move |connection: Result<&rusqlite::Connection, StoreError>| {
            let read = |connection| query(connection).map_err(|error| StoreError::read(&path, &error));
            // The caller may have gone.
            let _ = done.send(connection.and_then(read));
        };
        // A thread that has ended drops `done`.
        let _ = self.jobs.send(Job::ReadUpToDate(Box::new(task)));
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Lets the search index show everything that has been committed by now.
    async fn index(&self) -> Result<(), StoreError> {
        if self.behind.index.load(Ordering::Acquire) {
            self.ask(Job::Index).await?;
        }
        Ok(())
    }

    /// A transaction of its own for something rare that has nothing to do with the tables of commands, which may be
    /// behind.
    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(false, change).await
    }

    /// The same for something that needs the tables of commands, which show everything committed by then.
    async fn write_tables<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(true, change).await
    }

    async fn run<T: Send + 'static>(
        &self,
        needs_tables: bool,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let path = self.path.clone();
        let (entry, grew) = (self.entry.clone(), Arc::clone(&self.audit_grew));
        self.ask(move |done| {
            let task: writer::Task = Box::new(move |connection| {
                let result = connection.and_then(|connection| {
                    connection
                        .transaction_with_behavior(TransactionBehavior::Immediate)
                        .and_then(|transaction| {
                            let value = audit::change(&transaction, entry.as_deref(), change)?;
                            transaction.commit()?;
                            Ok(value)
                        })
                        .map_err(|error| {
                            writer::repair_search(connection, &error);
                            StoreError::read(&path, &error)
                        })
                });
                if entry.is_some() {
                    grew.notify_one();
                }
                let _ = done.send(result);
            });
            Job::Run { needs_tables, task }
        })
        .await
    }

    async fn ask<T>(&self, job: impl FnOnce(writer::Done<T>) -> Job) -> Result<T, StoreError> {
        let (done, answer) = oneshot::channel();
        self.jobs.send(job(done)).map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// A commit in progress. It continues when this is dropped.
pub struct Committing(oneshot::Receiver<Result<(), StoreError>>);

impl Future for Committing {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}
