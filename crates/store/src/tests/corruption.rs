//! Databases that lost something, on real files: a log deleted after a kill, an older copy restored, a flipped bit, a
//! truncated file. The loss is reported, and the rest is readable.

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;
use wilco_ledger::Outcome;

use super::{connection, device, id, life, store, submit};
use crate::{Change, Checked, DamagedEvent, FILE_NAME, Gap, HistoryFilter, MARK_FILE_NAME, Store, StoreError, recover};

const LOG: &str = "wilco.sqlite3-wal";

/// So many commands, one event each.
fn batch(name: &str, size: i64, at: i64) -> Vec<Change> {
    (0..size).map(|n| submit("kitchen", &format!("{name}-{n}"), at + n)).collect()
}

/// What a kill at this moment would leave behind.
fn killed(dir: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in [FILE_NAME, LOG, MARK_FILE_NAME] {
        if dir.path().join(name).exists() {
            fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
        }
    }
    copy
}

/// Waits until the mark says that so many events are stored; the writer does so once nothing is asked for a moment.
fn await_mark(dir: &TempDir, events: u64) {
    let expected = format!("\"events\":{events},");
    let says = || fs::read_to_string(dir.path().join(MARK_FILE_NAME)).unwrap_or_default().contains(&expected);
    // 20 seconds.
    for _ in 0..4_000 {
        if says() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(says(), "the mark never says {events}");
}

async fn listed(store: &Store) -> usize {
    store.history(HistoryFilter { limit: 1_000, ..HistoryFilter::default() }).await.unwrap().rows.len()
}

fn sound(events: u64) -> Checked {
    Checked { sound: events, ..Checked::default() }
}

#[tokio::test]
async fn a_whole_database_is_sound_however_it_ended() {
    let (dir, store) = store();
    store.commit(batch("one", 30, 1_000)).await.unwrap();
    await_mark(&dir, 30);
    let copy = killed(&dir);
    store.close().await.unwrap();
    for dir in [&dir, &copy] {
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.gaps().await.unwrap(), []);
        assert_eq!(store.check(None, true).await.unwrap(), sound(30));
        assert_eq!(store.check(Some(10), false).await.unwrap(), sound(10));
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_deleted_on_purpose_is_not_missing() {
    let (dir, store) = store();
    store.commit(batch("one", 30, 1_000)).await.unwrap();
    store.write(|transaction| transaction.execute("DELETE FROM events", []).map(drop)).await.unwrap();
    await_mark(&dir, 30);
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.gaps().await.unwrap(), []);
}

#[tokio::test]
async fn a_log_that_was_deleted_after_a_kill_is_noticed_once_and_remembered() {
    let (dir, store) = store();
    store.commit(batch("one", 20, 1_000)).await.unwrap();
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.commit(batch("two", 12, 5_000)).await.unwrap();
    await_mark(&dir, 32);
    let copy = killed(&dir);
    assert!(fs::metadata(copy.path().join(LOG)).unwrap().len() > 0, "there is no log to delete");
    fs::remove_file(copy.path().join(LOG)).unwrap();

    let missing = Gap { events: 12, after: Some(1_019), until: Some(5_011), replaced: false };
    for _ in 0..2 {
        let store = Store::open(copy.path()).unwrap();
        assert_eq!(store.gaps().await.unwrap(), std::slice::from_ref(&missing));
        assert_eq!(listed(&store).await, 20, "the rest is readable");
        store.close().await.unwrap();
    }
    // It continues from there.
    let store = Store::open(copy.path()).unwrap();
    store.commit(batch("three", 3, 9_000)).await.unwrap();
    store.close().await.unwrap();
    let store = Store::open(copy.path()).unwrap();
    assert_eq!((store.gaps().await.unwrap(), listed(&store).await), (vec![missing], 23));
}

#[tokio::test]
async fn an_older_copy_that_was_put_back_is_noticed() {
    let (dir, store) = store();
    store.commit(batch("one", 20, 1_000)).await.unwrap();
    store.close().await.unwrap();
    let older = fs::read(dir.path().join(FILE_NAME)).unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.commit(batch("two", 7, 5_000)).await.unwrap();
    store.close().await.unwrap();
    fs::write(dir.path().join(FILE_NAME), older).unwrap();

    let store = Store::open(dir.path()).unwrap();
    let missing = Gap { events: 7, after: Some(1_019), until: Some(5_006), replaced: false };
    assert_eq!((store.gaps().await.unwrap(), listed(&store).await), (vec![missing], 20));
}

#[tokio::test]
async fn another_database_in_its_place_is_noticed() {
    let (dir, store) = store();
    store.commit(batch("one", 20, 1_000)).await.unwrap();
    store.close().await.unwrap();
    fs::remove_file(dir.path().join(FILE_NAME)).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let missing = Gap { events: 20, after: None, until: Some(1_019), replaced: true };
    assert_eq!(store.gaps().await.unwrap(), [missing]);
}

#[tokio::test]
async fn a_mark_that_cannot_be_read_says_nothing_and_is_written_again() {
    let (dir, store) = store();
    store.commit(batch("one", 20, 1_000)).await.unwrap();
    store.close().await.unwrap();
    for content in ["", "{", "{\"installation\":1}"] {
        fs::write(dir.path().join(MARK_FILE_NAME), content).unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.gaps().await.unwrap(), []);
        store.close().await.unwrap();
        await_mark(&dir, 20);
    }
}

/// Flips a bit of a text that stands in the file once.
fn flip(dir: &Path, text: &str) {
    let path = dir.join(FILE_NAME);
    let mut bytes = fs::read(&path).unwrap();
    let places: Vec<_> = bytes.windows(text.len()).enumerate().filter(|(_, part)| *part == text.as_bytes()).collect();
    let place = places.first().unwrap().0;
    bytes[place + text.len() - 1] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_flipped_bit_in_an_event_is_found_by_its_checksum() {
    let (dir, store) = store();
    store.commit(life("kitchen", "right", 1_000, Outcome::Succeeded)).await.unwrap();
    store.commit(life("dock", "wrong", 2_000, Outcome::Succeeded)).await.unwrap();
    store.close().await.unwrap();
    // The topic of an answer: SQLite itself sees nothing amiss.
    flip(dir.path(), "dock/resp");

    let store = Store::open(dir.path()).unwrap();
    let found = store.check(None, true).await.unwrap();
    assert_eq!((found.damaged, found.sound, found.faults.as_slice(), &found.unreadable), (1, 13, &[][..], &None));
    let [DamagedEvent { connection: of, device: damaged, command, at }] = found.named.as_slice() else {
        panic!("{:?}", found.named)
    };
    assert_eq!((of.as_str(), damaged.as_str(), command.as_deref()), (connection().as_str(), "dock", Some("wrong")));
    assert!((2_000..2_010).contains(at), "{at}");
    assert_eq!(listed(&store).await, 2);
    assert!(store.evidence(&connection(), &device("kitchen"), &id("right")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_page_that_cannot_be_read_costs_what_is_on_it() {
    let (dir, store) = store();
    store.commit(batch("one", 3_000, 1_000)).await.unwrap();
    store.close().await.unwrap();
    let path = dir.path().join(FILE_NAME);
    let mut bytes = fs::read(&path).unwrap();
    // A page in the middle of the table of events: its header is overwritten.
    let pages: Vec<u32> = {
        let sqlite = rusqlite::Connection::open(&path).unwrap();
        let pages = "SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY path";
        let mut pages = sqlite.prepare(pages).unwrap();
        pages.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let place = (pages[pages.len() / 2] as usize - 1) * 4_096;
    bytes[place..place + 8].fill(0xff);
    fs::write(&path, bytes).unwrap();

    let store = Store::open(dir.path()).unwrap();
    let found = store.check(None, true).await.unwrap();
    assert!(!found.is_sound() && !found.faults.is_empty(), "{found:?}");
    assert!(found.sound + found.damaged < 3_000 && found.sound > 2_500, "{found:?}");
    let page = store.history(HistoryFilter { limit: 100, ..HistoryFilter::default() }).await.unwrap();
    assert_eq!(page.rows.len(), 100, "what is listed comes from other pages");
}

#[tokio::test]
async fn of_a_file_that_was_cut_the_rest_is_recovered() {
    let (dir, store) = store();
    store.commit(batch("one", 3_000, 1_000)).await.unwrap();
    store.close().await.unwrap();
    let path = dir.path().join(FILE_NAME);
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length / 2 / 4_096 * 4_096).unwrap();
    let before = fs::read(&path).unwrap();
    let Err(StoreError::Damaged { what, .. }) = Store::open(dir.path()) else { panic!("it was opened") };
    assert!(what.contains("can still be read"), "{what}");

    let other = tempfile::tempdir().unwrap();
    let recovered = recover(dir.path(), other.path()).unwrap();
    assert!(!recovered.complete && (100..3_000).contains(&recovered.events), "{recovered:?}");
    assert_eq!(recovered.commands, recovered.events, "each has one event");
    assert!(recover(dir.path(), other.path()).is_err(), "there is one already");
    assert_eq!(fs::read(&path).unwrap(), before, "it is left as it is");
    let store = Store::open(other.path()).unwrap();
    assert_eq!(u64::from(store.command_count(None).await.unwrap()), recovered.commands);
    assert!(store.check(None, true).await.unwrap().is_sound());
    store.commit(batch("later", 2, 9_000)).await.unwrap();
    assert_eq!(u64::from(store.command_count(None).await.unwrap()), recovered.commands + 2);
}
