//! Under load, events are written first and rows a little later, which no reader can notice.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    ops::Range,
    path::Path,
    sync::{atomic::Ordering, mpsc::Sender},
    task::Poll,
};

use tempfile::TempDir;
use wilco_definitions::Settings;
use wilco_ledger::{Command, Outcome, Timestamp};

use super::{connection, device, id, life, projection, queued, recording_vfs::Record, retention::unmatched, store};
use crate::{Change, FILE_NAME, HistoryFilter, MARK_FILE_NAME, Store, StoreError, open};

/// More than is shown at once.
const CROWD: i64 = 300;

/// A part of the lives of many commands, each of a device of its own.
fn crowd(part: Range<usize>) -> Vec<Change> {
    crowd_of(CROWD, part)
}

fn crowd_of(size: i64, part: Range<usize>) -> Vec<Change> {
    (0..size)
        .flat_map(|n| life(&format!("d{n}"), &format!("c{n}"), 100 + n * 10, Outcome::Succeeded)[part.clone()].to_vec())
        .collect()
}

/// How each stands at the end of that part, the newest first.
fn crowd_after(size: i64, part: Range<usize>) -> Vec<Command> {
    let end = |n: i64| match life(&format!("d{n}"), &format!("c{n}"), 100 + n * 10, Outcome::Succeeded)
        .swap_remove(part.end - 1)
    {
        Change::Event { command: Some(command), .. } => Command::clone(&command),
        other => unreachable!("{other:?}"),
    };
    (0..size).rev().map(end).collect()
}

async fn listed(store: &Store) -> Vec<Command> {
    let filter = HistoryFilter { limit: 1_000, ..HistoryFilter::default() };
    store.history(filter).await.unwrap().rows.into_iter().map(|(_, command)| command).collect()
}

/// Whether the tables of commands lie behind the events, as the file has it.
fn is_behind(dir: &TempDir) -> bool {
    let reader = open::reader(&dir.path().join(FILE_NAME)).unwrap();
    let marked = "SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'shown up to')";
    reader.query_row(marked, [], |row| row.get(0)).unwrap()
}

/// Commits these, each in a transaction of its own and without a pause in which something else could be done. Afterwards
/// the thread that writes stands still until what this returns is dropped.
async fn commit(store: &Store, batches: impl IntoIterator<Item = Vec<Change>>) -> Sender<()> {
    let mut pauses = vec![store.pause_writer()];
    let mut committed = Vec::new();
    for changes in batches {
        committed.push(store.begin_commit(changes));
        pauses.push(store.pause_writer());
    }
    let last = pauses.pop().unwrap();
    drop(pauses);
    for commit in committed {
        commit.await.unwrap();
    }
    last
}

#[tokio::test]
async fn readers_find_everything_that_is_committed() {
    let (dir, store) = store();
    let still = commit(&store, [crowd(0..1)]).await;
    assert!(is_behind(&dir), "nothing was left for later");
    drop(still);
    assert_eq!(store.command_count(None).await.unwrap(), 300);
    let found = HistoryFilter { search: "d17".to_owned(), limit: 5, ..HistoryFilter::default() };
    assert_eq!(store.history(found).await.unwrap().rows.len(), 5, "d17 and d170 to d179");
    assert!(!is_behind(&dir));

    // They are left for later several times, with a little one in between that lets others catch up.
    let alone = life("alone", "a1", 5_000, Outcome::Failed);
    let still = commit(&store, [crowd(1..3), alone, crowd(3..5)]).await;
    assert!(is_behind(&dir));
    drop(still);
    assert_eq!(listed(&store).await.split_first().unwrap().1, crowd_after(CROWD, 0..5));
    drop(commit(&store, [crowd(5..6)]).await);
    assert_eq!(listed(&store).await.split_first().unwrap().1, crowd_after(CROWD, 0..6));
    drop(commit(&store, [crowd(6..7)]).await);
    assert_eq!(store.unsettled(&connection()).await.unwrap(), []);
    let (last, count) = store.last_commands(&connection(), &device("d7"), 9).await.unwrap();
    assert_eq!((last[0].duplicates, count), (1, 1));

    let shown = projection(&dir);
    assert_eq!(shown.each_ref().map(Vec::len), [301, 301, 1]);
    store.rebuild_projection().await.unwrap();
    assert!(projection(&dir) == shown, "made anew, the tables are different");
}

/// Has the writer finish its jobs and one more, and stand still then.
async fn then<T>(store: &Store, still: Sender<()>, asked: impl Future<Output = T>) -> (T, Sender<()>) {
    let mut asked = std::pin::pin!(asked);
    let is_asked = std::future::poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await;
    assert!(is_asked, "it did not need the thread");
    let next = store.pause_writer();
    drop(still);
    (asked.await, next)
}

#[tokio::test]
async fn reads_without_the_command_tables_do_not_wait_for_them() {
    let (dir, store) = store();
    let still = commit(&store, [crowd(0..3)]).await;
    let (saved, still) = then(&store, still, store.save_settings(Settings::default())).await;
    saved.unwrap();
    assert!(is_behind(&dir), "everything that was left for later was done first");
    let (removed, still) = then(&store, still, store.remove_connection(&"another".into())).await;
    removed.unwrap();
    assert!(!store.behind.tables.load(Ordering::Acquire), "what needs them found them behind");
    drop(still);
}

#[tokio::test]
async fn a_command_is_dismissed_before_the_tables_show_it() {
    let (_dir, store) = store();
    let failed = |n: i64| life(&format!("d{n}"), &format!("c{n}"), 100, Outcome::Failed);
    let dismissed = Change::Dismissed { connection: connection(), device: device("d7"), command: id("c7") };
    let unknown = Change::Dismissed { connection: connection(), device: device("d8"), command: id("c7") };
    let still = commit(&store, [(0..100).flat_map(failed).collect(), vec![dismissed, unknown]]).await;
    drop(still);
    let ended = store.ended_badly_since(&connection(), Timestamp(0)).await.unwrap();
    let seen: Vec<_> =
        ended.iter().filter(|(_, dismissed)| *dismissed).map(|(command, _)| command.id().as_str()).collect();
    assert_eq!((ended.len(), seen), (100, vec!["c7"]));
}

#[tokio::test]
async fn deferred_work_is_done_while_idle() {
    let (dir, store) = store();
    store.commit(crowd(0..7)).await.unwrap();
    while is_behind(&dir) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(projection(&dir).each_ref().map(Vec::len), [300, 300, 1]);
}

#[tokio::test]
async fn a_program_that_is_killed_before_that_does_it_at_its_next_start() {
    let (dir, store) = store();
    let old = life("old", "o1", 1, Outcome::Succeeded);
    let alone = life("alone", "a1", 5_000, Outcome::Failed);
    // The tables know the old one, and that it stands otherwise now is left for later too.
    let still = commit(&store, [old[..3].to_vec(), crowd(0..4), alone, old[3..].to_vec()]).await;
    let thread = store.thread.lock().take().unwrap();
    drop(store);
    drop(still);
    thread.join().unwrap();
    assert!(is_behind(&dir), "nothing was left for later");

    let store = Store::open(dir.path()).unwrap();
    assert!(!is_behind(&dir));
    let shown = projection(&dir);
    assert_eq!(shown.each_ref().map(Vec::len), [302, 302, 1]);
    assert_eq!(store.command_count(None).await.unwrap(), 302);
    let listed = listed(&store).await;
    assert_eq!(listed[1..301], crowd_after(CROWD, 0..4));
    assert_eq!((listed[0].state, listed[301].state), (wilco_ledger::State::Failed, wilco_ledger::State::Succeeded));
    store.rebuild_projection().await.unwrap();
    assert!(projection(&dir) == shown, "made anew, the tables are different");
}

#[tokio::test]
async fn an_event_of_no_command_between_two_crowds_leaves_no_mark_behind() {
    let (dir, store) = store();
    let few_enough_for_one_small_commit = 100;
    let crowd = |part| crowd_of(few_enough_for_one_small_commit, part);
    let still = commit(&store, [crowd(0..1), vec![unmatched("kitchen", 1)]]).await;
    assert!(!store.behind.tables.load(Ordering::Acquire), "they could catch up");
    drop(still);
    store.index().await.unwrap();
    assert!(!is_behind(&dir), "the mark stayed although nothing was left for later");
    drop(commit(&store, [crowd(1..3), vec![unmatched("kitchen", 2)], crowd(3..7)]).await);
    assert_eq!(listed(&store).await, crowd_after(few_enough_for_one_small_commit, 0..7));
}

/// The files of a directory.
fn files(dir: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect()
}

#[tokio::test]
async fn without_room_on_the_disk_everything_is_read_after_a_kill_and_nothing_is_written() {
    let (dir, store) = store();
    let still = commit(&store, [crowd(0..1)]).await;
    assert!(is_behind(&dir), "nothing was left for later");
    // What a kill at this moment leaves behind.
    let left = tempfile::tempdir().unwrap();
    for name in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")] {
        fs::copy(dir.path().join(&name), left.path().join(&name)).unwrap();
    }
    drop(still);
    let before = files(left.path());

    let read = Store::open_without_room(left.path()).unwrap();
    assert_eq!(listed(&read).await, crowd_after(CROWD, 0..1));
    assert_eq!(read.command_count(None).await.unwrap(), 300);
    let found = HistoryFilter { search: "d17".to_owned(), limit: 5, ..HistoryFilter::default() };
    assert_eq!(read.history(found).await.unwrap().rows.len(), 5, "d17 and d170 to d179");
    let full = StoreError::Full { path: left.path().join(FILE_NAME) };
    assert_eq!(read.commit(crowd(1..2)).await, Err(full.clone()));
    assert_eq!(read.save_settings(Settings::default()).await, Err(full));
    read.close().await.unwrap();
    assert!(files(left.path()) == before, "something was written");

    let store = Store::open(left.path()).unwrap();
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..1));
}

#[tokio::test]
async fn a_store_that_began_without_room_writes_as_soon_as_there_is_some() {
    let (dir, store) = store();
    commit(&store, [crowd(0..1)]).await;
    store.close().await.unwrap();
    let store = Store::open_until_there_is_room(dir.path()).unwrap();
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..1));
    // A directory stands in the way of what looks for room.
    let probe = dir.path().join("wilco.room");
    fs::create_dir(&probe).unwrap();
    let full = StoreError::Full { path: dir.path().join(FILE_NAME) };
    assert_eq!(store.commit(crowd(1..2)).await, Err(full.clone()));
    assert_eq!(store.save_settings(Settings::default()).await, Err(full.clone()));
    assert_eq!(store.find_room().await, Err(full));
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..1));
    fs::remove_dir(&probe).unwrap();
    store.commit(crowd(1..2)).await.unwrap();
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..2));
    assert!(!probe.exists() && store.find_room().await.is_ok());
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..2));
}

#[tokio::test]
async fn a_history_that_has_lost_events_is_not_written_before_that_is_written_down() {
    let (dir, store) = store();
    commit(&store, [crowd(0..1)]).await;
    store.close().await.unwrap();
    let path = dir.path().join(MARK_FILE_NAME);
    let mark = fs::read_to_string(&path).unwrap();
    let more = mark.replacen("\"events\":", "\"events\":1", 1);
    fs::write(&path, more).unwrap();
    assert!(matches!(Store::open_until_there_is_room(dir.path()), Err(StoreError::Full { .. })));
    assert!(Store::open_without_room(dir.path()).is_ok());
}

#[tokio::test]
async fn without_room_on_the_disk_a_newer_or_foreign_database_is_refused_as_ever() {
    let (dir, store) = store();
    store.write(|transaction| transaction.pragma_update(None, "user_version", 99)).await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(Store::open_without_room(dir.path()), Err(StoreError::Newer { found: 99, .. })));
    let other = tempfile::tempdir().unwrap();
    assert!(Store::open_without_room(other.path()).is_err(), "none is created");
    assert!(files(other.path()).is_empty());
    let theirs = rusqlite::Connection::open(other.path().join(FILE_NAME)).unwrap();
    theirs.execute_batch("CREATE TABLE theirs (number INTEGER)").unwrap();
    drop(theirs);
    assert!(matches!(Store::open_without_room(other.path()), Err(StoreError::Damaged { .. })));
}

#[tokio::test]
async fn on_a_full_disk_the_tables_are_read_as_if_they_were_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    let record = Record::of(&path);
    let store = Store::open(&path).unwrap();
    let still = commit(&store, [crowd(0..1)]).await;
    assert!(is_behind(&dir), "nothing was left for later");
    record.fill(true);
    drop(still);
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..1));
    assert_eq!(store.command_count(None).await.unwrap(), 300);
    assert!(matches!(store.commit(crowd(1..2)).await, Err(StoreError::Full { .. })));
    assert!(is_behind(&dir), "the tables were written, on a full disk");
    record.fill(false);
    store.commit(crowd(1..2)).await.unwrap();
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..2));
}

#[tokio::test]
async fn a_full_disk_says_so_to_who_reads_and_loses_nothing() {
    let (dir, store) = store();
    let still = commit(&store, [crowd(0..1)]).await;
    store.fill_disk(true);
    drop(still);
    let full = StoreError::Full { path: dir.path().join(FILE_NAME) };
    assert_eq!(store.command_count(None).await, Err(full.clone()));
    assert_eq!(store.unsettled(&connection()).await, Err(full.clone()));
    assert_eq!(store.commit(crowd(1..2)).await, Err(full));
    // What happened is read without the tables.
    let first = store.command(&connection(), &device("d0"), &id("c0")).await.unwrap();
    assert_eq!(first, Some(queued("d0", "c0", 100)));

    store.fill_disk(false);
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..1));
    store.commit(crowd(1..2)).await.unwrap();
    assert_eq!(listed(&store).await, crowd_after(CROWD, 0..2));
}
