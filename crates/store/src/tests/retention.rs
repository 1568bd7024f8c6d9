//! Old finished commands are deleted as a whole, and nothing else is.

use std::sync::Arc;

use wilco_ledger::{Command, Disagreement, Fact, Origin, Outcome, Raw, Reading, State, Timestamp};

use super::{answer, change, connection, device, event, id, life, logs::chunk, queued, store, submission, submit};
use crate::{
    BROADCASTS_KEPT, Change, ConnectionId, FILE_NAME, HistoryFilter, Measured, Sample, Store, StoredBroadcast, open,
};

/// Everything that is listed: commands, what is counted of them, and each device's last.
async fn seen(store: &Store) -> (Vec<Command>, u32, Vec<Command>, Vec<u32>) {
    let page = store.history(HistoryFilter { limit: 100_000, ..HistoryFilter::default() }).await.unwrap();
    let mut counts = Vec::new();
    for name in ["pump-0", "pump-1", "pump-2", "quiet"] {
        counts.push(store.last_commands(&connection(), &device(name), 1).await.unwrap().1);
    }
    let commands = page.rows.into_iter().map(|(_, command)| command).collect();
    (commands, page.total, store.latest_per_device(&connection()).await.unwrap(), counts)
}

fn ids(commands: &[Command]) -> Vec<&str> {
    commands.iter().map(|command| command.submission.id.as_str()).collect()
}

async fn forget_all(store: &Store, before: i64, at_once: usize) -> usize {
    let mut count = 0;
    loop {
        let some = store.forget_ended(Timestamp(before), at_once).await.unwrap().len();
        count += some;
        if some < at_once {
            return count;
        }
    }
}

fn rows(store_dir: &std::path::Path, table: &str) -> i64 {
    let sqlite = open::reader(&store_dir.join(FILE_NAME)).unwrap();
    sqlite.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

pub(super) fn unmatched(name: &str, at: i64) -> Change {
    let answer = Box::new(answer(name, "nobody", Outcome::Succeeded));
    let fact = Fact::Unsolicited { answer, unmatched: wilco_ledger::Unmatched::UnknownId };
    let event = wilco_ledger::Event { device: device(name), command: None, at: Timestamp(at), fact };
    Change::Event { connection: connection(), event, command: None }
}

fn elsewhere(changes: Vec<Change>) -> Vec<Change> {
    let other = ConnectionId::from("elsewhere");
    let moved = |change| match change {
        Change::Event { event, command, .. } => Change::Event { connection: other.clone(), event, command },
        other => other,
    };
    changes.into_iter().map(moved).collect()
}

#[tokio::test]
async fn old_commands_are_deleted_with_all_events_and_others_are_unchanged() {
    let (dir, store) = store();
    let name = |n: i64| format!("pump-{}", n % 3);
    let lives = (0..2_000).flat_map(|n| life(&name(n), &format!("c{n}"), n * 100, Outcome::Succeeded));
    store.commit(lives.collect()).await.unwrap();
    // As old as any, but unfinished; and one that finished only just now.
    store.commit(vec![submit("pump-0", "waiting", 5)]).await.unwrap();
    let mut late = life("quiet", "late", 7, Outcome::Failed);
    late.pop();
    let Some(Change::Event { command: Some(mut command), .. }) = late.last().cloned() else { unreachable!() };
    let fact =
        Fact::Answered { answer: Box::new(answer("quiet", "late", Outcome::Failed)), reading: Reading::Duplicate };
    let event = event("quiet", "late", 199_000, fact);
    Arc::make_mut(&mut command).apply(&event);
    late.push(change(event, Command::clone(&command)));
    store.commit(late).await.unwrap();
    store.commit(elsewhere(life("pump-0", "far", 3, Outcome::Rejected))).await.unwrap();

    let before = 150_000;
    let old = store.count_older(Timestamp(before)).await.unwrap().commands;
    // c1499 continued until 149,906; and the one of the other connection.
    assert_eq!(old, 1_501);
    assert_eq!(forget_all(&store, before, 64).await, 1_501);
    assert_eq!(store.count_older(Timestamp(before)).await.unwrap().commands, 0);

    let after = seen(&store).await;
    assert_eq!((after.0.len(), after.1), (502, 502));
    assert!(ids(&after.0).contains(&"waiting") && ids(&after.0).contains(&"late"));
    assert_eq!(after.0.iter().filter(|command| command.submitted_at.0 < 150_000).count(), 2);
    assert_eq!(after.3, [168, 167, 166, 1]);
    // Of the lives that are kept 7 events each, and the one of what waits.
    assert_eq!(rows(dir.path(), "events"), 501 * 7 + 1);
    store.rebuild_projection().await.unwrap();
    assert!(seen(&store).await == after, "the projection is another one than before");
}

#[tokio::test]
async fn a_contradicting_report_is_kept_as_long_as_its_command() {
    let (dir, store) = store();
    let disagreement = |command: &str| Disagreement {
        command: id(command),
        key: "led".into(),
        said: "true".into(),
        reported: "false".into(),
    };
    let disagreed = |name: &str, command: &str| Change::Disagreed {
        connection: connection(),
        device: device(name),
        disagreement: Box::new(disagreement(command)),
        at: Timestamp(9),
    };
    for (name, command, at) in [("pump-0", "old", 1), ("pump-0", "new", 90), ("pump-1", "other", 90)] {
        let ended = [life(name, command, at, Outcome::Succeeded), vec![disagreed(name, command)]].concat();
        store.commit(ended).await.unwrap();
    }
    let of = async |command: &str| store.disagreement(&connection(), &device("pump-0"), &id(command)).await.unwrap();
    assert_eq!(of("old").await, Some(disagreement("old")));
    assert_eq!(of("none").await, None);
    assert_eq!(forget_all(&store, 50, 10).await, 1);
    assert_eq!((of("old").await, of("new").await), (None, Some(disagreement("new"))));
    let all = store.disagreements(&connection()).await.unwrap();
    assert_eq!(all, [(device("pump-0"), disagreement("new")), (device("pump-1"), disagreement("other"))]);
    while store.forget_device(&connection(), &device("pump-0"), 10).await.unwrap().1 {}
    assert_eq!(rows(dir.path(), "disagreements"), 1);
}

#[tokio::test]
async fn a_devices_last_command_is_the_last_that_is_kept() {
    let (_dir, store) = store();
    store.commit(vec![submit("pump-0", "waiting", 1)]).await.unwrap();
    store.commit(life("pump-0", "done", 2, Outcome::Succeeded)).await.unwrap();
    store.commit(life("pump-1", "alone", 3, Outcome::Succeeded)).await.unwrap();
    let check = async |before: i64, expected: &[&str], counts: [u32; 4]| {
        forget_all(&store, before, 10).await;
        let (_, _, latest, counted) = seen(&store).await;
        assert_eq!((ids(&latest), counted), (expected.to_vec(), counts.to_vec()), "before {before}");
    };
    check(2, &["done", "alone"], [2, 1, 0, 0]).await;
    check(9, &["waiting", "alone"], [1, 1, 0, 0]).await;
    check(99, &["waiting"], [1, 0, 0, 0]).await;
}

#[tokio::test]
async fn messages_about_a_deleted_command_do_not_restore_it() {
    let (_dir, store) = store();
    let mut life = life("pump-0", "c1", 1, Outcome::Succeeded);
    let duplicate = life.pop().unwrap();
    store.commit(life).await.unwrap();
    assert_eq!(forget_all(&store, 100, 10).await, 1);
    store.commit(vec![duplicate]).await.unwrap();
    assert_eq!(seen(&store).await.1, 0);
    assert_eq!(store.command(&connection(), &device("pump-0"), &id("c1")).await.unwrap(), None);
    store.rebuild_projection().await.unwrap();
    assert_eq!(seen(&store).await.1, 0);
}

#[tokio::test]
async fn a_device_is_forgotten_with_all_there_is_of_it_and_no_other() {
    let (dir, store) = store();
    for number in 0..40 {
        let (name, at) = (if number % 2 == 0 { "pump-0" } else { "pump-1" }, number * 100);
        store.commit(life(name, &format!("c{number}"), at, Outcome::Succeeded)).await.unwrap();
    }
    for name in ["pump-0", "pump-1"] {
        let sample = Sample { at: Timestamp(5), values: vec![(0, 1.0)] };
        let measured = Measured { device: device(name), series: vec!["t".into()], samples: vec![sample] };
        store.keep_telemetry(&connection(), vec![measured]).await.unwrap();
        let log = Change::LogChunk {
            connection: connection(),
            device: device(name),
            at: Timestamp(5),
            chunk: chunk("l", 1, "x"),
        };
        let known = Change::Device { connection: connection(), device: super::device_without_messages(name) };
        store.commit(vec![unmatched(name, 7), log, known]).await.unwrap();
    }
    store.commit(elsewhere(life("pump-0", "far", 3, Outcome::Rejected))).await.unwrap();

    let tables = ["commands", "events", "tallies", "devices", "log_chunks", "logs", "telemetry_sources", "telemetry"];
    let count = || tables.map(|table| rows(dir.path(), table));
    assert_eq!(count(), [41, 41 * 7 + 2, 3, 2, 2, 2, 2, 2]);
    let mut commands = Vec::new();
    loop {
        let (some, more) = store.forget_device(&connection(), &device("pump-0"), 15).await.unwrap();
        commands.push(some);
        if !more {
            break;
        }
    }
    assert_eq!(commands[..2], [15, 5]);
    assert_eq!(commands.iter().sum::<usize>(), 20);
    assert_eq!(count(), [21, 21 * 7 + 1, 2, 1, 1, 1, 1, 1]);
    let after = seen(&store).await;
    assert_eq!((after.1, after.3.clone()), (21, vec![0, 20, 0, 0]));
    store.rebuild_projection().await.unwrap();
    assert!(seen(&store).await == after, "the projection is another one than before");
}

#[tokio::test]
async fn stray_answers_are_forgotten_by_their_age() {
    let (_dir, store) = store();
    store.commit((0..100).map(|at| unmatched("pump-0", at)).collect()).await.unwrap();
    store.commit(life("pump-0", "c1", 1, Outcome::Succeeded)).await.unwrap();
    let mut forgotten = Vec::new();
    while forgotten.last() != Some(&0) {
        forgotten.push(store.forget_unmatched(Timestamp(70), 30).await.unwrap());
    }
    assert_eq!(forgotten, [30, 30, 10, 0]);
    assert_eq!(store.unmatched(&connection(), &device("pump-0"), 1_000).await.unwrap().len(), 30);
    assert_eq!(seen(&store).await.1, 1);
}

#[tokio::test]
async fn others_write_while_a_long_history_is_removed() {
    let (dir, store) = store();
    let old = ConnectionId::from("elsewhere");
    for part in 0..20 {
        let lives = (0..500).flat_map(|n| life(&format!("d{n}"), &format!("c{part}-{n}"), n, Outcome::Succeeded));
        store.commit(elsewhere(lives.collect())).await.unwrap();
    }
    let removal = tokio::spawn({
        let (store, old) = (store.clone(), old.clone());
        async move {
            store.remove_connection(&old).await?;
            store.sweep().await
        }
    });
    let mut written = 0;
    while !removal.is_finished() {
        store.commit(vec![submit("pump-0", &format!("new-{written}"), written)]).await.unwrap();
        written += 1;
    }
    removal.await.unwrap().unwrap();
    // 10,000 commands and 70,000 events went in forty transactions or more, and one of these between any two.
    assert!(written >= 20, "{written} only");
    assert_eq!(i64::from(seen(&store).await.1), written);
    assert_eq!(rows(dir.path(), "events"), written);
}

#[tokio::test]
async fn a_removal_that_was_cut_short_is_seen_by_nobody_and_done_at_the_next_start() {
    let (dir, store) = store();
    let changes = (0..3_000).map(|n| submit(&format!("d{n}"), &format!("c{n}"), n)).collect();
    store.commit(elsewhere(changes)).await.unwrap();
    store.commit(vec![submit("pump-0", "kept", 1)]).await.unwrap();
    let old = ConnectionId::from("elsewhere");
    store.remove_connection(&old).await.unwrap();
    store.close().await.unwrap();

    let store = Store::open(dir.path()).unwrap();
    assert_eq!(ids(&seen(&store).await.0), ["kept"]);
    store.rebuild_projection().await.unwrap();
    assert_eq!(ids(&seen(&store).await.0), ["kept"]);
    store.sweep().await.unwrap();
    for (table, left) in [("events", 1), ("commands", 1), ("tallies", 1), ("counters", 1), ("removed", 0)] {
        assert_eq!(rows(dir.path(), table), left, "{table}");
    }
}

#[tokio::test]
async fn only_what_is_at_its_end_is_ever_forgotten() {
    let (_dir, store) = store();
    let of = |state: State| {
        let mut snapshot = queued("pump-0", state.as_str(), 1);
        snapshot.state = state;
        snapshot.rungs.finished = state.is_final().then_some(Timestamp(1));
        change(super::submitted("pump-0", state.as_str(), 1), snapshot)
    };
    store.commit(State::ALL.map(of).to_vec()).await.unwrap();
    forget_all(&store, i64::MAX, 3).await;
    let mut left: Vec<_> = seen(&store).await.0.into_iter().map(|command| command.state).collect();
    left.sort_unstable();
    let open: Vec<_> = State::ALL.into_iter().filter(|state| !state.is_final()).collect();
    assert_eq!(left, open);
}

#[tokio::test]
async fn the_latest_broadcasts_of_others_are_kept_until_their_age_or_their_connection_ends() {
    let (dir, store) = store();
    let stored = |number: i64| StoredBroadcast {
        id: id(&format!("c{number}")),
        at: Timestamp(number),
        raw: Raw { topic: "all/req".into(), payload: number.to_string().into_bytes().into(), qos: 1, cut: None },
    };
    let change =
        |of: &str, number: i64| Change::Broadcast { connection: of.into(), broadcast: Box::new(stored(number)) };
    let most = i64::try_from(BROADCASTS_KEPT).unwrap();
    // One that comes twice is one.
    store.commit((0..most + 20).chain([most]).map(|number| change("bench", number)).collect()).await.unwrap();
    store.commit(vec![change("another", 1)]).await.unwrap();
    let all: Vec<_> = (20..most + 20).map(stored).collect();
    assert_eq!(store.broadcasts(&connection()).await.unwrap(), all);
    store.forget_unmatched(Timestamp(30), 10).await.unwrap();
    assert_eq!(store.broadcasts(&connection()).await.unwrap(), all[10..]);
    assert_eq!(store.broadcasts(&"another".into()).await.unwrap(), []);
    store.remove_connection(&connection()).await.unwrap();
    // What was on its way when the connection was removed goes too.
    store.commit(vec![change("bench", 500)]).await.unwrap();
    store.sweep().await.unwrap();
    assert_eq!(rows(dir.path(), "broadcasts"), 0);
}

#[tokio::test]
async fn a_large_request_of_another_console_counts_until_its_command_is_forgotten() {
    let (_dir, store) = store();
    let theirs = |command: &str, at: i64, bytes: usize| {
        let fact = Fact::Submitted { submission: submission("pump-0", command).into(), origin: Origin::Observed };
        let asked = event("pump-0", command, at, fact);
        let request = Raw { topic: "pump-0/req".into(), payload: vec![b'x'; bytes].into(), qos: 1, cut: None };
        let mut ended = Command::begin(&asked).unwrap();
        let answer = Box::new(answer("pump-0", command, Outcome::Succeeded));
        ended.apply(&event("pump-0", command, at + 1, Fact::Answered { answer, reading: Reading::Moved }));
        let snapshot = Change::CommandSnapshot { connection: connection(), command: ended.into() };
        vec![Change::Request { connection: connection(), event: asked, request }, snapshot]
    };
    store.commit([theirs("small", 1, 1_000), theirs("large", 2, 100_000)].concat()).await.unwrap();
    let used = async || store.evidence_use().await.unwrap().into_iter().map(|(.., bytes)| bytes).collect::<Vec<_>>();
    assert!(matches!(used().await[..], [100_000..102_000]), "{:?}", used().await);
    assert_eq!(forget_all(&store, 50, 10).await, 2);
    assert!(used().await.is_empty());
}
