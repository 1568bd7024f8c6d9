//! Databases that lost something, on real files: a log deleted after a kill, an older copy restored, a flipped bit, a
//! truncated file. The loss is reported, and the rest is readable.

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;
use wilco_definitions::NewRollout;
use wilco_ledger::{
    Command, Fact, Membership, Origin, Outcome, Timestamp,
    rollout::{HaltReason, Progress, Suspension},
};

use super::{connection, device, event, id, indexed, life, policy, projection, queued, store, submission, submit};
use crate::{
    Change, Checked, CommandTemplate, DamagedEvent, FILE_NAME, Gap, HistoryFilter, MARK_FILE_NAME, NewMember,
    RolloutSnapshot, Store, StoreError, StoredRollout, recover,
};

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
async fn intentionally_deleted_events_are_not_missing() {
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
async fn commands_that_seem_unsent_count_as_possibly_sent_once_events_are_missing() {
    let (dir, store) = store();
    store.commit(batch("one", 3, 1_000)).await.unwrap();
    store.commit(life("dock", "done", 1_100, Outcome::Succeeded)).await.unwrap();
    store.close().await.unwrap();
    let older = fs::read(dir.path().join(FILE_NAME)).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let handed = |name: &str| Change::Event {
        connection: connection(),
        event: event("kitchen", name, 2_000, Fact::Handed { attempt: 1 }),
        command: None,
    };
    store.commit(vec![handed("one-0"), handed("one-1")]).await.unwrap();
    store.close().await.unwrap();
    fs::write(dir.path().join(FILE_NAME), older).unwrap();

    for _ in 0..2 {
        let store = Store::open(dir.path()).unwrap();
        let open = store.unsettled(&connection()).await.unwrap();
        assert_eq!(open.len(), 3);
        assert!(open.iter().all(|command| command.is_outstanding() && command.attempt == 1), "{open:#?}");
        let marked = store.evidence(&connection(), &device("kitchen"), &id("one-2")).await.unwrap().unwrap();
        let facts: Vec<_> = marked.events.iter().map(|(_, event)| &event.fact).collect();
        assert!(matches!(facts[..], [Fact::Submitted { .. }, Fact::EventsMissing]), "once: {facts:?}");
        // The tables show it, as a rebuild would.
        assert_eq!(marked.command, open[2]);
        let (shown, found) = (projection(&dir), indexed(&dir));
        store.rebuild_projection().await.unwrap();
        assert!(projection(&dir) == shown && indexed(&dir) == found, "made anew, the tables are different");
        assert!(store.check(None, true).await.unwrap().is_sound());
        store.close().await.unwrap();
    }
}

/// A rollout of these members, of which the first has its command.
fn rollout(number: u32, members: u32, suspension: Option<Suspension>) -> Vec<Change> {
    let template = CommandTemplate { name: "led".into(), args: "{}".into(), form: None, policy: policy() };
    let progress = Progress { suspension, ..Progress::new(1, Timestamp(1_000)) };
    let rollout = StoredRollout {
        number,
        connection: connection(),
        spec: NewRollout::default(),
        template,
        stages: vec![members],
        snapshot: RolloutSnapshot { progress, counts: Vec::new() },
        approval: None,
    };
    let members = (0..members).map(|member| NewMember { device: device(&format!("d{member}")), args: None });
    let mut submission = submission("d0", &format!("first-of-{number}"));
    submission.rollout = Some(Membership { rollout: number, member: 0 });
    let name = submission.id.as_str().to_owned();
    let command = Command { submission: submission.clone().into(), ..queued("d0", &name, 1_000) };
    let released = Change::Event {
        connection: connection(),
        event: event("d0", &name, 1_000, Fact::Submitted { submission: submission.into(), origin: Origin::Here }),
        command: Some(command.into()),
    };
    vec![Change::Rollout { rollout: Box::new(rollout), members: members.collect() }, released]
}

#[tokio::test]
async fn a_rollout_releases_no_member_automatically_once_events_are_missing() {
    let (dir, store) = store();
    let gate = Suspension::Halted(HaltReason::Gate("It is too hot.".into()));
    let suspensions =
        [None, Some(Suspension::Paused), Some(gate), Some(Suspension::Stopped), Some(Suspension::Unapproved)];
    for (number, suspension) in (1..).zip(&suspensions) {
        store.commit(rollout(number, 2, suspension.clone())).await.unwrap();
    }
    // Nothing is left to release of this one.
    store.commit(rollout(6, 1, None)).await.unwrap();
    store.close().await.unwrap();
    let older = fs::read(dir.path().join(FILE_NAME)).unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.commit(batch("lost", 1, 2_000)).await.unwrap();
    store.close().await.unwrap();
    fs::write(dir.path().join(FILE_NAME), older).unwrap();

    let store = Store::open(dir.path()).unwrap();
    let halted = || Some(Suspension::Halted(HaltReason::EventsMissing));
    let found: Vec<_> = store.rollouts(&connection()).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|rollout| rollout.snapshot.progress.suspension).collect();
    assert_eq!(found, [halted(), halted(), halted(), Some(Suspension::Stopped), Some(Suspension::Unapproved), None]);
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
async fn a_command_that_is_not_listed_as_its_events_say_is_found() {
    let (dir, store) = store();
    store.commit(life("kitchen", "right", 1_000, Outcome::Succeeded)).await.unwrap();
    store.commit(life("dock", "wrong", 2_000, Outcome::Succeeded)).await.unwrap();
    store.close().await.unwrap();
    // A word that is none, and values that could be right.
    for change in ["state = 'fine'", "late = 1 - late", "message = 'it is off'", "finished_at = finished_at + 1"] {
        let sqlite = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
        sqlite.execute(&format!("UPDATE commands SET {change} WHERE id = 'wrong'"), []).unwrap();
        sqlite.close().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let found = store.check(None, true).await.unwrap();
        assert_eq!((found.damaged, found.wrongly_listed, found.is_sound()), (0, 1, false), "{change}");
        let [DamagedEvent { device: listed, command, .. }] = found.wrongly_listed_commands.as_slice() else {
            panic!("{:?}", found.wrongly_listed_commands)
        };
        assert_eq!((listed.as_str(), command.as_deref()), ("dock", Some("wrong")), "{change}");
        store.rebuild_projection().await.unwrap();
        assert!(store.check(None, true).await.unwrap().is_sound(), "{change}");
        store.close().await.unwrap();
    }
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
    let open = store.unsettled(&connection()).await.unwrap();
    assert!(open.len() > 100 && open.iter().all(Command::is_outstanding), "a command would be sent again");
    store.commit(batch("later", 2, 9_000)).await.unwrap();
    assert_eq!(u64::from(store.command_count(None).await.unwrap()), recovered.commands + 2);
}

#[tokio::test]
async fn a_check_finds_no_fault_in_a_search_index_that_has_grown_since_the_last_one() {
    let (_dir, store) = store();
    for round in 0..40 {
        let of_round = |n: i64| life("kitchen", &format!("c{round}-{n}"), round * 1_000 + n, Outcome::Succeeded);
        store.commit((0..20).flat_map(of_round).collect()).await.unwrap();
        let found = store.check(None, true).await.unwrap();
        assert!(found.is_sound(), "round {round}: {found:?}");
        store.history(HistoryFilter { search: "kit".into(), ..HistoryFilter::default() }).await.unwrap();
    }
}
