//! The writer against a naive model, over random histories: batches of every size, events of no command, reads, pauses,
//! a full disk, programs that end or are killed, and deletion.
//!
//! After each step the files are copied, as a program that is killed at that moment would leave them. The copy is
//! opened, and its tables are compared with the model and with a rebuild from the events.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, atomic::Ordering, mpsc::Sender},
};

use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;
use wilco_ledger::{Command, CommandId, DeviceId, Event, Outcome, Timestamp};

use super::{change, device, indexed, life, projection, retention::unmatched};
use crate::{Change, ConnectionId, FILE_NAME, Forgotten, HistoryFilter, Job, Store, StoreError};

/// What is done with the store, in numbers that shrink.
#[derive(Debug, Clone)]
enum Step {
    /// Several that wait together share a transaction.
    Commit(Vec<Batch>),
    /// The same on a disk that has no room for it.
    CommitInVain(Vec<Batch>),
    Read,
    /// Nothing is asked for until nothing is left for later.
    Rest,
    Close,
    Kill,
    Forget {
        limit: usize,
    },
}

/// One call of [`Store::commit`].
#[derive(Debug, Clone)]
struct Batch {
    /// So many commands begin.
    new: usize,
    /// To so many that have begun, more happens.
    further: usize,
    /// So many events of each.
    events: usize,
    /// So many events belong to no command.
    unmatched: usize,
    /// So many devices are seen.
    seen: usize,
    /// How a command stands is said once, after all of its events, as the controller does it.
    standing_last: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        14 => vec(batch(), 1..3).prop_map(Step::Commit),
        2 => vec(batch(), 1..3).prop_map(Step::CommitInVain),
        2 => Just(Step::Read),
        1 => Just(Step::Rest),
        1 => Just(Step::Close),
        1 => Just(Step::Kill),
        1 => (1_usize..400).prop_map(|limit| Step::Forget { limit }),
    ];
    vec(step, 1..14)
}

/// Sizes on both sides of each of the writer's bounds, and often nothing at all.
fn batch() -> impl Strategy<Value = Batch> {
    let size = || prop_oneof![4 => Just(0_usize), 3 => 1_usize..5, 3 => 60_usize..70, 3 => 100_usize..260, 1 => 300_usize..600];
    let few = || prop_oneof![2 => Just(0_usize), 1 => 1_usize..4];
    (size(), size(), 1_usize..4, few(), few(), any::<bool>()).prop_map(
        |(new, further, events, unmatched, seen, standing_last)| Batch {
            new,
            further,
            events,
            unmatched,
            seen,
            standing_last,
        },
    )
}

type Key = (ConnectionId, DeviceId, CommandId);

/// A command, and what is still to happen to it.
#[derive(Clone)]
struct Known {
    snapshot: Command,
    to_come: Vec<Event>,
}

struct World {
    dir: TempDir,
    store: Store,
    /// While this is there the writer stands still: it has no time in which it could do what was left for later.
    still: Option<Sender<()>>,
    commands: BTreeMap<Key, Known>,
    /// Events of no command.
    unmatched: usize,
    begun: i64,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        World { dir, store, still: None, commands: BTreeMap::new(), unmatched: 0, begun: 0 }
    }

    async fn play(&mut self, step: &Step) {
        match step {
            Step::Commit(batches) => {
                let before = self.commands.clone();
                assert_eq!(self.commit(batches, &before).await, Ok(()));
            }
            Step::CommitInVain(batches) => {
                let before = self.commands.clone();
                self.store.fill_disk(true);
                // There may be room for a little in pages that are there already.
                match self.commit(batches, &before).await {
                    Ok(()) => {}
                    Err(StoreError::Full { .. }) => {}
                    Err(other) => panic!("{other:?}"),
                }
                self.store.fill_disk(false);
            }
            Step::Read => {
                self.still = None;
                check_listed(&self.store, &self.commands).await;
                self.check().await;
            }
            Step::Rest => {
                self.still = None;
                while self.store.behind.index.load(Ordering::Acquire) {
                    tokio::task::yield_now().await;
                }
                self.check().await;
            }
            Step::Close => {
                self.still = None;
                self.store.clone().close().await.unwrap();
                self.store = Store::open(self.dir.path()).unwrap();
                self.check().await;
            }
            Step::Kill => {
                let left = self.check().await;
                self.store = Store::open(left.path()).unwrap();
                self.still = None;
                self.dir = left;
            }
            Step::Forget { limit } => {
                self.still = None;
                let forgotten = self.store.forget_ended(Timestamp(i64::MAX), *limit).await.unwrap();
                assert!(forgotten.len() <= *limit);
                for Forgotten { connection, device, id, .. } in forgotten {
                    let known = self.commands.remove(&(connection, device, id)).expect("a command that is known");
                    assert!(known.snapshot.is_settled(), "an open command was forgotten");
                }
                self.check().await;
            }
        }
    }

    /// Commits these at once, and looks at what there is right after it.
    async fn commit(&mut self, batches: &[Batch], before: &BTreeMap<Key, Known>) -> Result<(), StoreError> {
        let mut stored = vec![(before.clone(), self.unmatched)];
        let mut committing = Vec::new();
        for batch in batches {
            let (changes, after) = self.changes(batch);
            committing.push(self.store.begin_commit(changes));
            self.commands = after;
            self.unmatched += batch.unmatched;
            stored.push((self.commands.clone(), self.unmatched));
        }
        let left = self.pause_writer();
        let mut results = Vec::new();
        for commit in committing {
            results.push(commit.await);
        }
        // An empty one asks nothing of the disk.
        let failed = results.iter().find(|result| result.is_err()).cloned();
        // The first of them may have had a transaction of its own, and room.
        let stored = stored.swap_remove(results.iter().take_while(|result| result.is_ok()).count());
        (self.commands, self.unmatched) = stored;
        self.check_left(left.await.unwrap()).await;
        failed.unwrap_or(Ok(()))
    }

    /// What a batch says, and how the commands stand after it.
    fn changes(&mut self, batch: &Batch) -> (Vec<Change>, BTreeMap<Key, Known>) {
        let mut after = self.commands.clone();
        let mut touched: Vec<Key> =
            after.iter().filter(|(_, known)| !known.to_come.is_empty()).map(|(key, _)| key.clone()).collect();
        touched.truncate(batch.further);
        let mut changes = Vec::new();
        for _ in 0..batch.new {
            self.begun += 1;
            let (key, known, first) = begun(self.begun);
            changes.push(first);
            touched.push(key.clone());
            after.insert(key, known);
        }
        changes.extend((0..batch.unmatched).map(|n| unmatched("nobody", i64::try_from(n).unwrap_or(0))));
        for _ in 0..batch.events {
            for key in &touched {
                let known = after.get_mut(key).expect("it was just there");
                let Some(event) = known.to_come.pop() else { continue };
                known.snapshot.apply(&event);
                let command = (!batch.standing_last).then(|| Arc::new(known.snapshot.clone()));
                changes.push(Change::Event { connection: key.0.clone(), event, command });
            }
        }
        if batch.standing_last {
            changes.extend(touched.iter().map(|key| Change::CommandSnapshot {
                connection: key.0.clone(),
                command: Arc::new(after[key].snapshot.clone()),
            }));
        }
        changes.extend((0..batch.seen).map(|n| Change::Device {
            connection: super::connection(),
            device: super::device_without_messages(&format!("seen-{n}")),
        }));
        (changes, after)
    }

    /// Lets the writer do what it has been asked so far, and then stand still. What it hands out are the files as they lie
    /// there then, and whether anything is left for later.
    fn pause_writer(&mut self) -> tokio::sync::oneshot::Receiver<TempDir> {
        let copy = tempfile::tempdir().unwrap();
        let from = self.dir.path().to_owned();
        let (done, copied) = tokio::sync::oneshot::channel();
        let (go_on, wait) = std::sync::mpsc::channel();
        let behind = Arc::clone(&self.store.behind);
        let look = Job::Meddle(Box::new(move |connection| {
            let marked = "SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'shown up to')";
            let marked: bool = connection.query_row(marked, [], |row| row.get(0)).unwrap();
            assert_eq!(marked, behind.index.load(Ordering::Acquire), "the mark in `meta`, and what is left for later");
            copy_files(&from, copy.path());
            let _ = done.send(copy);
            let _ = wait.recv();
        }));
        self.store.jobs.send(look).unwrap();
        self.still = Some(go_on);
        copied
    }

    async fn check(&mut self) -> TempDir {
        let left = self.pause_writer().await.unwrap();
        self.check_left(left).await
    }

    async fn check_left(&self, left: TempDir) -> TempDir {
        let untouched = tempfile::tempdir().unwrap();
        copy_files(left.path(), untouched.path());
        let store = Store::open(left.path()).unwrap();
        check_listed(&store, &self.commands).await;
        let unmatched = store.unmatched(&super::connection(), &device("nobody"), u32::MAX).await.unwrap().len();
        assert_eq!(unmatched, self.unmatched, "events of no command");
        let shown = projection(&left);
        let found = indexed(&left);
        store.rebuild_projection().await.unwrap();
        assert!(projection(&left) == shown, "made anew, the tables are different");
        assert!(indexed(&left) == found, "made anew, the search index is different");
        untouched
    }
}

fn copy_files(from: &Path, to: &Path) {
    for name in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")] {
        if from.join(&name).exists() {
            fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

/// A command with everything that will happen to it, the last first, and the change that begins it. A few devices have
/// many commands, and there are two connections.
fn begun(number: i64) -> (Key, Known, Change) {
    let connection = ConnectionId::from(if number % 5 == 0 { "elsewhere" } else { "bench" });
    let (name, id) = (format!("d{}", number % 37), format!("c{number:06}"));
    let outcome = if number % 3 == 0 { Outcome::Failed } else { Outcome::Succeeded };
    let mut events: Vec<Event> = life(&name, &id, 1_000 + number / 10, outcome)
        .into_iter()
        .filter_map(|change| match change {
            Change::Event { event, .. } => Some(event),
            _ => None,
        })
        .collect();
    let first = events.remove(0);
    events.reverse();
    let snapshot = Command::begin(&first).unwrap();
    let key = (connection.clone(), snapshot.device().clone(), snapshot.id().clone());
    let mut first = change(first, snapshot.clone());
    if let Change::Event { connection: of, .. } = &mut first {
        *of = connection;
    }
    (key, Known { snapshot, to_come: events }, first)
}

/// What is listed, counted and open is what the model says.
async fn check_listed(store: &Store, commands: &BTreeMap<Key, Known>) {
    let filter = HistoryFilter { limit: u32::MAX, ..HistoryFilter::default() };
    let rows = store.history(filter).await.unwrap().rows;
    let listed: BTreeMap<Key, Command> = rows
        .into_iter()
        .map(|(connection, command)| ((connection, command.device().clone(), command.id().clone()), command))
        .collect();
    assert!(listed.keys().eq(commands.keys()), "which commands are listed");
    for (key, known) in commands {
        assert_eq!(listed[key], known.snapshot, "how {key:?} stands");
    }
    let mut per_device: BTreeMap<(&ConnectionId, &DeviceId), u32> = BTreeMap::new();
    for (connection, device, _) in commands.keys() {
        *per_device.entry((connection, device)).or_default() += 1;
    }
    for ((connection, device), count) in &per_device {
        assert_eq!(store.last_commands(connection, device, 1).await.unwrap().1, *count, "commands of {device:?}");
    }
    for connection in [ConnectionId::from("bench"), ConnectionId::from("elsewhere")] {
        let of_it = |key: &Key| key.0 == connection;
        let count = u32::try_from(commands.keys().filter(|key| of_it(key)).count()).unwrap();
        assert_eq!(store.command_count(Some(&connection)).await.unwrap(), count, "commands of {connection:?}");
        let open = commands.iter().filter(|(key, known)| of_it(key) && !known.snapshot.is_settled()).count();
        assert_eq!(store.unsettled(&connection).await.unwrap().len(), open, "open commands of {connection:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tables_say_what_the_events_say_after_every_step(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in &steps {
                world.play(step).await;
            }
        });
    }
}
