use wilco_dialect::{Checksum, LogChunk};
use wilco_ledger::{Command, CommandId, Fact, Origin, Timestamp};

use super::{change, connection, device, event, id, store, submission};
use crate::{Change, ConnectionId, Store};

pub(super) fn chunk(command: &str, number: u32, text: &str) -> LogChunk {
    LogChunk {
        id: id(command),
        number,
        of: Some(3),
        offset: Some(u64::from(number) * 10),
        text: text.into(),
        sha256: Some(Checksum::of(text)),
    }
}

fn came(command: &str, number: u32, at: i64) -> Change {
    let chunk = chunk(command, number, &format!("{command} {number}\n"));
    Change::LogChunk { connection: connection(), device: device("lamp"), at: Timestamp(at), chunk }
}

async fn kept(store: &Store) -> Vec<CommandId> {
    let logs = store.logs(&connection(), &device("lamp")).await.unwrap();
    logs.into_iter().map(|log| log.command).collect()
}

#[tokio::test]
async fn pieces_come_back_as_they_came_in_order_and_once() {
    let (_dir, store) = store();
    store.commit(vec![came("c", 3, 5), came("c", 1, 6)]).await.unwrap();
    let other = Change::LogChunk {
        connection: connection(),
        device: device("lamp"),
        at: Timestamp(7),
        chunk: chunk("c", 1, "another"),
    };
    store.commit(vec![other]).await.unwrap();
    let (log, chunks) = store.log(&connection(), &device("lamp"), &id("c")).await.unwrap().unwrap();
    assert_eq!((log.begun_at, log.wrong), (Timestamp(5), None));
    assert_eq!(chunks, [chunk("c", 1, "c 1\n"), chunk("c", 3, "c 3\n")]);
    assert_eq!(store.log(&connection(), &device("dock"), &id("c")).await.unwrap(), None);
}

#[tokio::test]
async fn why_a_log_is_wrong_is_kept_with_it() {
    let (_dir, store) = store();
    let ruined = Change::LogRuined {
        connection: connection(),
        device: device("lamp"),
        command: id("c"),
        at: Timestamp(9),
        why: "It does not end.".into(),
    };
    store.commit(vec![came("c", 1, 5), ruined]).await.unwrap();
    let (log, chunks) = store.log(&connection(), &device("lamp"), &id("c")).await.unwrap().unwrap();
    assert_eq!((log.wrong.as_deref(), log.begun_at, chunks.len()), (Some("It does not end."), Timestamp(5), 1));
}

#[tokio::test]
async fn the_last_five_logs_of_a_device_are_kept() {
    let (_dir, store) = store();
    for (at, command) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
        store.commit(vec![came(command, 1, i64::try_from(at).unwrap())]).await.unwrap();
    }
    assert_eq!(kept(&store).await, ["f", "e", "d", "c", "b"].map(id));
    assert_eq!(store.log(&connection(), &device("lamp"), &id("a")).await.unwrap(), None);
}

/// A command that asks for the log again, and its log.
async fn follow(store: &Store, command: &str, again_of: Option<&str>, at: i64) {
    let mut submission = submission("lamp", command);
    submission.again_of = again_of.map(id);
    let submitted = event("lamp", command, at, Fact::Submitted { submission: submission.into(), origin: Origin::Here });
    let snapshot = Command::begin(&submitted).unwrap();
    store.commit(vec![change(submitted, snapshot)]).await.unwrap();
    store.commit(vec![came(command, 1, at), came(command, 2, at)]).await.unwrap();
}

#[tokio::test]
async fn following_a_log_replaces_one_log_and_then_only_its_own() {
    let (_dir, store) = store();
    for (at, command) in (0..).zip(["a", "b", "c", "d", "e"]) {
        store.commit(vec![came(command, 1, at)]).await.unwrap();
    }
    follow(&store, "f1", None, 10).await;
    assert_eq!(kept(&store).await, ["f1", "e", "d", "c", "b"].map(id));
    follow(&store, "f2", Some("f1"), 11).await;
    assert_eq!(kept(&store).await, ["f2", "e", "d", "c", "b"].map(id));
    // What somebody fetches meanwhile takes the place of the oldest.
    follow(&store, "g", None, 12).await;
    assert_eq!(kept(&store).await, ["g", "f2", "e", "d", "c"].map(id));
    follow(&store, "f3", Some("f2"), 13).await;
    assert_eq!(kept(&store).await, ["f3", "g", "e", "d", "c"].map(id));
    // The one before it did not come.
    follow(&store, "f5", Some("f4"), 14).await;
    assert_eq!(kept(&store).await, ["f5", "f3", "g", "e", "d"].map(id));
    // While there is room both stay.
    store.forget_log(&connection(), &device("lamp"), &id("d")).await.unwrap();
    follow(&store, "f6", Some("f5"), 15).await;
    assert_eq!(kept(&store).await, ["f6", "f5", "f3", "g", "e"].map(id));
}

#[tokio::test]
async fn a_new_log_is_kept_after_the_clock_was_put_back() {
    let (_dir, store) = store();
    for (at, command) in (100..).zip(["a", "b", "c", "d", "e"]) {
        store.commit(vec![came(command, 1, at)]).await.unwrap();
    }
    store.commit(vec![came("f", 1, 7)]).await.unwrap();
    store.commit(vec![came("f", 2, 8)]).await.unwrap();
    assert_eq!(kept(&store).await, ["e", "d", "c", "b", "f"].map(id));
    let (log, chunks) = store.log(&connection(), &device("lamp"), &id("f")).await.unwrap().unwrap();
    assert_eq!((log.begun_at, chunks.len()), (Timestamp(7), 2));
}

#[tokio::test]
async fn a_log_is_forgotten_alone_by_age_or_with_its_connection() {
    let (_dir, store) = store();
    store.commit(vec![came("a", 1, 10), came("b", 1, 20), came("c", 1, 30)]).await.unwrap();
    assert!(store.forget_log(&connection(), &device("lamp"), &id("b")).await.unwrap());
    assert!(!store.forget_log(&connection(), &device("lamp"), &id("b")).await.unwrap());
    assert_eq!(kept(&store).await, [id("c"), id("a")]);
    store.prune_logs(Timestamp(30)).await.unwrap();
    assert_eq!(kept(&store).await, [id("c")]);
    store.remove_connection(&ConnectionId::from("another")).await.unwrap();
    assert_eq!(kept(&store).await, [id("c")]);
    store.remove_connection(&connection()).await.unwrap();
    store.sweep().await.unwrap();
    assert!(kept(&store).await.is_empty());
}
