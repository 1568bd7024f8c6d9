//! The only thread that writes. It puts everything that waits into one transaction (group commit), so that one sync
//! serves many commands.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{Notify, oneshot, watch};

use super::{
    Change, StoreError,
    changes::write,
    interference::{Files, Interference},
    mark::HighWaterMark,
    projection_queue::ProjectionQueue,
    reader::Readers,
    table::{self, events, meta, put_commands, search},
};

/// A transaction takes no further batch once it holds so many changes.
const GROUP: usize = 4_096;

/// Beyond this number of commands in one transaction, only their events are written immediately, and their rows later.
const SHOWN_AT_ONCE: usize = 64;
/// Of what was left for later, so many commands are caught up with in one transaction.
const CAUGHT_UP_AT_ONCE: usize = 1_000;
/// No more than this is left for later: a fan-out to 100,000 devices.
const LEFT_AT_MOST: usize = 120_000;
/// While more commands than this wait to be entered into the search index, every commit enters some.
const UNINDEXED_AT_MOST: usize = 120_000;

/// After this number of changes the write-ahead log is merged into the database, once the store is idle for a moment.
/// Under constant load SQLite does so by itself when the log has grown large: see [`super::open`].
const MERGED_AFTER: usize = 1_000;
/// How long that moment is.
const REST: Duration = Duration::from_millis(50);
/// A disk has room again when there is so much, bytes.
const ROOM: usize = 1024 * 1024;
/// How often it is looked at, at rest, what other programs do to the database.
const LOOK: Duration = Duration::from_secs(5);
/// The pause before a failed background task is repeated.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) type Done<T> = oneshot::Sender<Result<T, StoreError>>;
/// A rare task; it gets the error where the tables of commands could not be brought up to date for it.
pub(super) type Task = Box<dyn FnOnce(Result<&mut Connection, StoreError>) + Send>;
/// A read of the tables of commands; gets the error where they cannot be read.
pub(super) type UpToDateRead = Box<dyn FnOnce(Result<&Connection, StoreError>) + Send>;

/// The jobs of the thread.
pub(super) enum Job {
    Commit {
        changes: Vec<Change>,
        done: Done<()>,
    },
    /// Let the tables of commands show everything that is committed.
    CatchUp(Done<()>),
    /// And the search index too.
    Index(Done<()>),
    /// Something rare, by itself. The tables of commands show everything by then where it needs them.
    Run {
        needs_tables: bool,
        task: Task,
    },
    /// Read the tables of commands as if they were up to date, where the disk has no room to bring them there.
    ReadUpToDate(UpToDateRead),
    /// Something that a test does behind everybody's back.
    #[cfg(any(test, feature = "testing"))]
    Meddle(Box<dyn FnOnce(&mut Connection) + Send>),
    /// Merge the write-ahead log and end. Earlier requests have been carried out by then.
    Close(Done<()>),
}

/// The writer thread: how to send it jobs, and what a reader has to know first.
pub(super) struct Started {
    pub(super) jobs: Sender<Job>,
    pub(super) thread: JoinHandle<()>,
    pub(super) behind: Arc<Behind>,
}

/// The tables that do not contain everything that is committed.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// The tables of commands.
    pub(super) tables: AtomicBool,
    /// The search index.
    pub(super) index: AtomicBool,
}

pub(super) fn spawn(
    connection: Connection,
    path: PathBuf,
    mark: HighWaterMark,
    reports: Reports,
) -> std::io::Result<Started> {
    let (sender, jobs) = channel();
    let behind = Arc::new(Behind::default());
    let writer = Writer::new(connection, path, mark, (Arc::clone(&behind), reports));
    let thread = std::thread::Builder::new().name("wilco-store".to_owned()).spawn(move || writer.run(None, &jobs))?;
    Ok(Started { jobs: sender, thread, behind })
}

/// Where the writer reports that the audit has grown, and what other programs do to the database.
pub(super) type Reports = (Arc<Notify>, watch::Sender<Option<Interference>>);

/// What the writer of a database needs whose disk will have room later.
pub(super) struct WritesLater {
    pub(super) readers: Readers,
    pub(super) behind: Arc<Behind>,
    pub(super) reports: Reports,
    /// Until then.
    pub(super) only_reads: Arc<AtomicBool>,
}

impl WritesLater {
    /// Begins to write, if there is room.
    fn begin(&self, path: &Path) -> Result<Writer, StoreError> {
        has_room(path)?;
        let begun = self.readers.instead_of_only(|| super::opening::begin_writing(path));
        let (connection, mark) = begun.inspect_err(|error| tracing::warn!(%error, "the history is still only read"))?;
        self.only_reads.store(false, Ordering::Release);
        tracing::info!("the disk has room again");
        Ok(Writer::new(connection, path.to_owned(), mark, (Arc::clone(&self.behind), self.reports.clone())))
    }
}

/// Whether a file of 1 MiB can be written beside the database.
fn has_room(path: &Path) -> Result<(), StoreError> {
    let probe = path.with_extension("room");
    let written = wilco_atomic_file::replace(&probe, &vec![0; ROOM]);
    let _ = std::fs::remove_file(&probe);
    written.map_err(|_| StoreError::Full { path: path.to_owned() })
}

/// In place of the writer of a database whose disk has no room: everything that would be written is refused, until there is
/// room where it is to be written `later`.
pub(super) fn spawn_without_room(path: PathBuf, later: Option<WritesLater>) -> std::io::Result<Started> {
    let (sender, jobs) = channel();
    let behind = later.as_ref().map(|later| Arc::clone(&later.behind)).unwrap_or_default();
    let refuse = move || {
        let full = || StoreError::Full { path: path.clone() };
        while let Ok(job) = jobs.recv() {
            if matches!(job, Job::Commit { .. } | Job::Run { .. })
                && let Some(Ok(writer)) = later.as_ref().map(|later| later.begin(&path))
            {
                return writer.run(Some(job), &jobs);
            }
            match job {
                Job::Commit { done, .. } => drop(done.send(Err(full()))),
                // What is read shows everything already.
                Job::CatchUp(done) | Job::Index(done) => drop(done.send(Ok(()))),
                Job::Run { task, .. } => task(Err(full())),
                Job::ReadUpToDate(read) => read(Err(full())),
                #[cfg(any(test, feature = "testing"))]
                Job::Meddle(_) => {}
                Job::Close(done) => {
                    let _ = done.send(Ok(()));
                    return;
                }
            }
        }
    };
    let thread = std::thread::Builder::new().name("wilco-store".to_owned()).spawn(refuse)?;
    Ok(Started { jobs: sender, thread, behind })
}

struct Writer {
    connection: Connection,
    files: Files,
    /// Reports what other programs do to the database.
    interference: watch::Sender<Option<Interference>>,
    path: PathBuf,
    mark: HighWaterMark,
    queue: ProjectionQueue,
    /// The rows of commands that are in their table, and still to be entered into the search index.
    unindexed: BTreeSet<i64>,
    behind: Arc<Behind>,
    /// Changes since the log was last merged.
    unmerged: usize,
    /// Reports when something was written to the audit.
    audit_grew: Arc<Notify>,
}

impl Writer {
    fn new(
        connection: Connection,
        path: PathBuf,
        mark: HighWaterMark,
        (behind, (audit_grew, interference)): (Arc<Behind>, Reports),
    ) -> Writer {
        Writer {
            files: Files::of(&path, &connection),
            interference,
            connection,
            path,
            mark,
            queue: ProjectionQueue::default(),
            unindexed: BTreeSet::new(),
            behind,
            unmerged: 0,
            audit_grew,
        }
    }

    /// `next`: the first job.
    fn run(mut self, mut next: Option<Job>, jobs: &Receiver<Job>) {
        while let Some(job) = next.take().or_else(|| self.wait(jobs)) {
            match job {
                Job::Commit { changes, done } => {
                    let mut group = vec![(changes, done)];
                    next = gather(&mut group, jobs);
                    let result = self.commit(group.iter().flat_map(|(changes, _)| changes));
                    if let Err(error) = &result {
                        tracing::error!(%error, batches = group.len(), "these batches were not stored");
                        self.files.note_own(&self.connection);
                    }
                    if group.iter().flat_map(|(changes, _)| changes).any(|change| matches!(change, Change::Audit(_))) {
                        self.audit_grew.notify_one();
                    }
                    for (changes, done) in group {
                        self.unmerged += changes.len();
                        // The caller may have gone; the changes are stored anyway.
                        let _ = done.send(result.clone());
                    }
                }
                Job::CatchUp(done) => {
                    let _ = done.send(self.catch_up(usize::MAX));
                    self.files.note_own(&self.connection);
                }
                Job::Index(done) => {
                    let _ = done.send(self.catch_up(usize::MAX).and_then(|()| self.index(usize::MAX)));
                    self.files.note_own(&self.connection);
                }
                Job::Run { needs_tables, task } => {
                    let in_place = self.in_place();
                    let caught_up = in_place.and_then(|()| self.catch_up(if needs_tables { usize::MAX } else { 0 }));
                    task(caught_up.map(|()| &mut self.connection));
                    self.files.note_own(&self.connection);
                }
                Job::ReadUpToDate(read) => {
                    self.read_up_to_date(read);
                    self.files.note_own(&self.connection);
                }
                #[cfg(any(test, feature = "testing"))]
                Job::Meddle(meddle) => meddle(&mut self.connection),
                Job::Close(done) => {
                    let _ = done.send(self.close());
                    return;
                }
            }
        }
    }

    /// The next job. Until there is one, background work is done.
    fn wait(&mut self, jobs: &Receiver<Job>) -> Option<Job> {
        let mut pause = REST;
        loop {
            if !self.is_behind() && self.unmerged < MERGED_AFTER && !self.mark.is_behind() {
                match jobs.recv_timeout(LOOK) {
                    Ok(job) => return Some(job),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) => {
                        // What is to be written is refused then, and there is nothing.
                        let _ = self.in_place();
                    }
                }
                continue;
            }
            match jobs.recv_timeout(pause) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => pause = Duration::ZERO,
            }
            if self.mark.is_behind() {
                self.mark.write(&self.connection);
                continue;
            }
            let caught_up = match (self.queue.is_empty(), self.unindexed.is_empty()) {
                (true, true) => {
                    self.merge();
                    continue;
                }
                (false, _) => self.catch_up(CAUGHT_UP_AT_ONCE),
                (true, false) => self.index(CAUGHT_UP_AT_ONCE),
            };
            if let Err(error) = caught_up {
                tracing::warn!(%error, "the tables of commands and the search index are behind");
                self.files.note_own(&self.connection);
                pause = PAUSE;
            }
        }
    }

    /// The tables of commands or the search index do not show everything that is committed.
    fn is_behind(&self) -> bool {
        !self.queue.is_empty() || !self.unindexed.is_empty()
    }

    fn tell_what_is_behind(&self) {
        self.behind.tables.store(!self.queue.is_empty(), Ordering::Release);
        self.behind.index.store(self.is_behind(), Ordering::Release);
    }

    /// Looks at what other programs do to the database. Nothing may be written to it where a file is not in its place.
    fn in_place(&mut self) -> Result<(), StoreError> {
        if let Some(interference) = self.files.look(&self.connection) {
            tracing::error!(?interference, "another program interferes with the database");
            self.interference.send_replace(Some(interference));
        }
        self.files.in_place()
    }

    /// All of the changes, or none.
    fn commit<'a>(&mut self, changes: impl Iterator<Item = &'a Change> + Clone) -> Result<(), StoreError> {
        self.in_place()?;
        let again = changes.clone();
        let committed = match self.try_commit(changes) {
            Err(error) if repair_search(&mut self.connection, &error) => self.try_commit(again),
            committed => committed,
        };
        committed.map_err(|error| StoreError::read(&self.path, &error))
    }

    fn try_commit<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> rusqlite::Result<()> {
        // Rolled back when dropped, also when COMMIT itself finds no room.
        let was_behind = self.is_behind();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last_shown = events::last_row(&transaction)?;
        let (changed, appended) = write(&transaction, changes)?;
        let few = changed.len() <= SHOWN_AT_ONCE;
        let too_many = self.queue.len() + changed.len() > LEFT_AT_MOST;
        let all = too_many || (few && self.queue.is_empty());
        // A small write lets the tables catch up.
        let caught_up = match (all, few) {
            (true, _) => usize::MAX,
            (false, true) => CAUGHT_UP_AT_ONCE / 4,
            (false, false) => 0,
        };
        let (at_once, later) = if all { (changed, Vec::new()) } else { (Vec::new(), changed) };
        let mut written = put_commands(&transaction, self.queue.oldest(caught_up).chain(&at_once))?;
        if few && !was_behind {
            table::index(&transaction, std::mem::take(&mut written))?;
        }
        let indexed: Vec<i64> = match self.unindexed.len() > UNINDEXED_AT_MOST {
            true => self.unindexed.iter().copied().take(CAUGHT_UP_AT_ONCE / 4).collect(),
            false => Vec::new(),
        };
        table::index_rows(&transaction, indexed.iter().copied())?;
        let nothing_left = later.is_empty()
            && caught_up >= self.queue.len()
            && written.is_empty()
            && indexed.len() >= self.unindexed.len();
        mark(&transaction, was_behind, nothing_left, last_shown)?;
        transaction.commit()?;
        self.mark.committed(appended, &self.connection);
        self.queue.forget_oldest(caught_up);
        self.queue.put(later);
        for row in indexed {
            self.unindexed.remove(&row);
        }
        self.unindexed.extend(written.into_iter().map(|written| written.row));
        self.tell_what_is_behind();
        Ok(())
    }

    /// Lets the tables of commands show the oldest of what they do not show yet.
    fn catch_up(&mut self, commands: usize) -> Result<(), StoreError> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let caught_up = match self.try_catch_up(commands) {
            Err(error) if repair_search(&mut self.connection, &error) => self.try_catch_up(commands),
            caught_up => caught_up,
        };
        caught_up.map_err(|error| StoreError::read(&self.path, &error))
    }

    fn try_catch_up(&mut self, commands: usize) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = put_commands(&transaction, self.queue.oldest(commands))?;
        if commands >= self.queue.len() && written.is_empty() && self.unindexed.is_empty() {
            meta::show_all(&transaction)?;
        }
        transaction.commit()?;
        self.queue.forget_oldest(commands);
        self.unindexed.extend(written.into_iter().map(|written| written.row));
        self.tell_what_is_behind();
        Ok(())
    }

    /// Nothing is written: what is changed stays in memory, and is taken back.
    fn read_up_to_date(&mut self, read: UpToDateRead) {
        match caught_up_in_memory(&mut self.connection, &self.queue) {
            Ok(transaction) => read(Ok(&transaction)),
            Err(error) => read(Err(StoreError::read(&self.path, &error))),
        }
        if let Err(error) = self.connection.pragma_update(None, "cache_spill", true) {
            tracing::warn!(%error, "the memory of a long transaction has no limit");
        }
    }

    /// Adds this number of commands to the search index whose entries are outdated.
    fn index(&mut self, commands: usize) -> Result<(), StoreError> {
        if self.unindexed.is_empty() {
            return Ok(());
        }
        let indexed = match self.try_index(commands) {
            Err(error) if repair_search(&mut self.connection, &error) => self.try_index(commands),
            indexed => indexed,
        };
        indexed.map_err(|error| StoreError::read(&self.path, &error))
    }

    fn try_index(&mut self, commands: usize) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        table::index_rows(&transaction, self.unindexed.iter().copied().take(commands))?;
        if self.queue.is_empty() && commands >= self.unindexed.len() {
            meta::show_all(&transaction)?;
        }
        transaction.commit()?;
        self.unindexed = self.unindexed.iter().copied().skip(commands).collect();
        self.tell_what_is_behind();
        Ok(())
    }

    /// Writes what is in the log into the database, as far as no reader still needs it there. It is on the disk either way,
    /// so a failure is left to the next time.
    fn merge(&mut self) {
        self.unmerged = 0;
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the log beside the database could not be merged into it");
        }
    }

    fn close(mut self) -> Result<(), StoreError> {
        self.catch_up(usize::MAX)?;
        self.index(usize::MAX)?;
        self.mark.write(&self.connection);
        let Writer { connection, path, .. } = self;
        close(connection).map_err(|error| StoreError::read(&path, &error))
    }
}

/// A transaction in which the tables show everything. Without a limit on changed pages in memory nothing of it is written before
/// it is committed.
fn caught_up_in_memory<'a>(
    connection: &'a mut Connection,
    queue: &ProjectionQueue,
) -> rusqlite::Result<Transaction<'a>> {
    connection.pragma_update(None, "cache_spill", false)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    put_commands(&transaction, queue.oldest(usize::MAX))?;
    Ok(transaction)
}

/// Rebuilds the search index if it is damaged, and returns whether it did.
pub(super) fn repair_search(connection: &mut Connection, error: &rusqlite::Error) -> bool {
    if !search::is_damage(error) {
        return false;
    }
    tracing::warn!(%error, "the search index is rebuilt");
    let rebuilt = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
        search::rebuild(&transaction)?;
        transaction.commit()
    });
    if let Err(error) = &rebuilt {
        tracing::error!(%error, "the search index could not be rebuilt");
    }
    rebuilt.is_ok()
}

/// Updates the mark in `meta` for the state after this transaction: it exists only while some rows are behind.
fn mark(transaction: &Transaction<'_>, was_behind: bool, nothing_left: bool, last_shown: i64) -> rusqlite::Result<()> {
    match (was_behind, nothing_left) {
        (false, false) => meta::show_up_to(transaction, last_shown),
        (true, true) => meta::show_all(transaction),
        (false, true) | (true, false) => Ok(()),
    }
}

/// Takes what waits already, up to the first thing that is not a batch; that is handed back.
fn gather(group: &mut Vec<(Vec<Change>, Done<()>)>, jobs: &Receiver<Job>) -> Option<Job> {
    let mut size = group.iter().map(|(changes, _)| changes.len()).sum::<usize>();
    while size < GROUP {
        match jobs.try_recv().ok()? {
            Job::Commit { changes, done } => {
                size += changes.len();
                group.push((changes, done));
            }
            other => return Some(other),
        }
    }
    None
}

fn close(connection: Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}
