//! The one thread that writes. It takes everything that waits into one transaction (group commit), so that the disk is
//! asked once for many commands.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use foldhash::fast::RandomState;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;
use wilco_ledger::{Command, CommandId, DeviceId, Fact};

use super::{
    Change, ConnectionId, StoreError, StoredDevice,
    table::{counters, devices, events, logs, put_command},
};

/// A transaction takes no further batch once it holds so many changes.
const GROUP: usize = 4_096;
/// After so many changes the log beside the database is merged into it, once nothing is asked for a moment. While there is
/// always something, SQLite does so by itself when the log has grown large: see [`super::open`].
const MERGE_AFTER: usize = 1_000;
/// How long that moment is.
const REST: Duration = Duration::from_millis(50);

pub(super) type Done<T> = oneshot::Sender<Result<T, StoreError>>;
type Task = Box<dyn FnOnce(&mut Connection) + Send>;

/// What the thread is asked to do.
pub(super) enum Job {
    Commit {
        changes: Vec<Change>,
        done: Done<()>,
    },
    /// Something rare, by itself.
    Run(Task),
    /// Make the database one whole file and end. What was asked before has been done by then.
    Close(Done<()>),
}

pub(super) fn spawn(connection: Connection, path: PathBuf) -> std::io::Result<(Sender<Job>, JoinHandle<()>)> {
    let (sender, jobs) = channel();
    let thread =
        std::thread::Builder::new().name("wilco-store".to_owned()).spawn(move || run(connection, &path, &jobs))?;
    Ok((sender, thread))
}

fn run(mut connection: Connection, path: &Path, jobs: &Receiver<Job>) {
    let mut next = None;
    let mut unmerged = 0;
    loop {
        let job = match next.take() {
            Some(job) => job,
            None if unmerged < MERGE_AFTER => match jobs.recv() {
                Ok(job) => job,
                Err(_) => return,
            },
            None => match jobs.recv_timeout(REST) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    merge(&connection);
                    unmerged = 0;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            },
        };
        match job {
            Job::Commit { changes, done } => {
                let mut group = vec![(changes, done)];
                next = gather(&mut group, jobs);
                unmerged += group.iter().map(|(changes, _)| changes.len()).sum::<usize>();
                let result = commit(&mut connection, group.iter().flat_map(|(changes, _)| changes))
                    .map_err(|error| StoreError::read(path, &error));
                if let Err(error) = &result {
                    tracing::error!(%error, batches = group.len(), "nothing of these batches was stored");
                }
                for (_, done) in group {
                    // Whoever asked may have gone; the changes are stored all the same.
                    let _ = done.send(result.clone());
                }
            }
            Job::Run(task) => task(&mut connection),
            Job::Close(done) => {
                let result = close(connection).map_err(|error| StoreError::read(path, &error));
                let _ = done.send(result);
                return;
            }
        }
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

/// All of the changes, or none.
fn commit<'a>(connection: &mut Connection, changes: impl Iterator<Item = &'a Change>) -> rusqlite::Result<()> {
    // Rolled back when dropped, also when COMMIT itself finds no room.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    write(&transaction, changes)?;
    transaction.commit()
}

/// Appends the events; of commands and devices that change more than once only the last standing is written.
fn write<'a>(transaction: &Transaction<'_>, changes: impl Iterator<Item = &'a Change>) -> rusqlite::Result<()> {
    let mut commands = LastOf::<(&ConnectionId, &DeviceId, &CommandId), Standing<'_>>::default();
    let key = |connection, command: &'a Command| (connection, &command.asked.device, &command.asked.id);
    let mut seen = LastOf::<(&ConnectionId, &DeviceId), &StoredDevice>::default();
    for change in changes {
        match change {
            Change::Event { connection, event, command } => {
                let row = events::append(transaction, connection, event)?;
                let begun_at = matches!(event.fact, Fact::Submitted { .. }).then_some(row);
                let command = command.as_deref();
                if let (Some(id), true) = (&event.command, begun_at.is_some() || command.is_some()) {
                    commands.put((connection, &event.device, id), |before| Standing {
                        command,
                        begun_at: before.and_then(|before| before.begun_at).or(begun_at),
                    });
                }
            }
            Change::Standing { connection, command } => {
                commands.put(key(connection, command), |before| Standing {
                    command: Some(command),
                    begun_at: before.and_then(|before| before.begun_at),
                });
            }
            Change::Device { connection, device } => seen.put((connection, &device.device), |_| device),
            Change::LogChunk { connection, device, at, chunk } => {
                logs::add(transaction, connection, device, *at, chunk)?;
            }
            Change::LogRuined { connection, device, command, at, why } => {
                logs::ruin(transaction, connection, device, command, (*at, why))?;
            }
        }
    }
    let mut new = LastOf::<&ConnectionId, u32>::default();
    for ((connection, ..), Standing { command, begun_at }) in commands.entries {
        if let Some(command) = command
            && put_command(transaction, connection, command, begun_at)?
        {
            new.put(connection, |count| count.map_or(1, |count| count + 1));
        }
    }
    for (connection, count) in new.entries {
        counters::add(transaction, connection, count)?;
    }
    for ((connection, _), device) in seen.entries {
        devices::put(transaction, connection, device)?;
    }
    Ok(())
}

/// A command after a group of changes.
struct Standing<'a> {
    command: Option<&'a Command>,
    /// The row of its submission, where that is in the group.
    begun_at: Option<i64>,
}

/// Writes what is in the log into the database, as far as no reader still needs it there. It is on the disk either way, so
/// a failure is left to the next time.
fn merge(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!(%error, "the log beside the database could not be merged into it");
    }
}

fn close(connection: Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

/// The last value for each key, in the order in which the keys first came.
struct LastOf<K, V> {
    entries: Vec<(K, V)>,
    places: HashMap<K, usize, RandomState>,
}

impl<K, V> Default for LastOf<K, V> {
    fn default() -> Self {
        LastOf { entries: Vec::new(), places: HashMap::default() }
    }
}

impl<K: std::hash::Hash + Eq + Clone, V> LastOf<K, V> {
    fn put(&mut self, key: K, value: impl FnOnce(Option<&V>) -> V) {
        if let Some(&place) = self.places.get(&key) {
            self.entries[place].1 = value(Some(&self.entries[place].1));
        } else {
            self.places.insert(key.clone(), self.entries.len());
            self.entries.push((key, value(None)));
        }
    }
}
