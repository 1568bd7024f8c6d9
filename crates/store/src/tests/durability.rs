//! Commits are whole, on the disk when they return, and shared.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command as Process, Stdio},
};

use super::{connection, queued, store, submit};
use crate::{Change, FILE_NAME, HistoryFilter, Store, StoreError};

impl Store {
    /// Lets the database grow to so many pages, as a full disk would; 0 for no limit.
    async fn limit_pages(&self, pages: u32) {
        let pages = if pages == 0 { u32::MAX - 1 } else { pages };
        self.write(move |transaction| {
            transaction.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        })
        .await
        .unwrap();
    }

    async fn pages(&self) -> u32 {
        self.readers.read(|connection| connection.query_row("PRAGMA page_count", [], |row| row.get(0))).await.unwrap()
    }

    async fn check_integrity(&self) {
        let check = |connection: &rusqlite::Connection| {
            connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
        };
        assert_eq!(self.readers.read(check).await.unwrap(), "ok");
    }
}

fn batch(name: &str, size: i64) -> Vec<Change> {
    (0..size).map(|n| submit("kitchen", &format!("{name}-{n}"), n)).collect()
}

#[tokio::test]
async fn a_full_disk_stores_nothing_of_a_batch_damages_nothing_and_can_get_better() {
    let (dir, store) = store();
    store.commit(batch("before", 10)).await.unwrap();
    store.limit_pages(store.pages().await + 4).await;
    let results = tokio::join!(
        store.commit(batch("one", 1_000)),
        store.commit(batch("two", 1_000)),
        store.commit(batch("three", 1)),
    );
    let full = Err(StoreError::Full { path: dir.path().join(FILE_NAME) });
    assert_eq!((&results.0, &results.1), (&full, &full));
    let kept = 10 + u32::from(results.2.is_ok());
    assert_eq!(store.command_count(None).await.unwrap(), kept);
    assert_eq!(store.unsettled(&connection()).await.unwrap().len(), kept as usize);
    store.check_integrity().await;

    store.limit_pages(0).await;
    store.commit(batch("after", 1_000)).await.unwrap();
    assert_eq!(store.command_count(None).await.unwrap(), kept + 1_000);
    store.check_integrity().await;
    store.close().await.unwrap();
    let reopened = Store::open(dir.path()).unwrap();
    assert_eq!(reopened.command_count(None).await.unwrap(), kept + 1_000);
    reopened.check_integrity().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_wait_together_share_a_transaction() {
    let (dir, store) = store();
    // The writer is held up, so that the commits pile up behind it.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let held = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .write(move |_| {
                    let _ = wait.recv();
                    Ok(())
                })
                .await
        }
    });
    let waiting: Vec<_> = (0..100)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(batch(&format!("batch-{n}"), 3)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let before = transactions(dir.path());
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    for commit in waiting {
        commit.await.unwrap().unwrap();
    }
    assert_eq!(store.command_count(None).await.unwrap(), 300);
    let transactions = transactions(dir.path()) - before;
    assert!((1..=10).contains(&transactions), "{transactions} transactions for 100 commits");
}

/// How many transactions stand in the log: <https://sqlite.org/fileformat2.html#walformat>.
fn transactions(dir: &Path) -> usize {
    let log = std::fs::read(dir.join(format!("{FILE_NAME}-wal"))).unwrap();
    if log.is_empty() {
        // It has been merged into the database.
        return 0;
    }
    let (header, frames) = log.split_at(32);
    let page_size = u32::from_be_bytes(header[8..12].try_into().unwrap()) as usize;
    // The last frame of a transaction says how many pages the database has after it.
    frames.chunks_exact(24 + page_size).filter(|frame| frame[4..8] != [0; 4]).count()
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let (dir, store) = store();
    let other = store.clone();
    let pending = {
        let store = store.clone();
        async move { store.commit(batch("last", 10)).await }
    };
    let (committed, closed) = tokio::join!(pending, store.close());
    assert_eq!((committed, closed), (Ok(()), Ok(())));
    assert_eq!(other.commit(batch("too late", 1)).await, Err(StoreError::Closed));
    assert_eq!(other.command_count(None).await, Err(StoreError::Closed));
    let log = dir.path().join(format!("{FILE_NAME}-wal"));
    assert!(!log.exists(), "the log has not been written into the database");
    assert_eq!(Store::open(dir.path()).unwrap().command_count(None).await.unwrap(), 10);
}

#[tokio::test]
async fn an_empty_commit_asks_nothing_of_the_disk() {
    let (_dir, store) = store();
    store.clone().close().await.unwrap();
    assert_eq!(store.commit(Vec::new()).await, Ok(()));
}

const VICTIM: &str = "WILCO_STORE_VICTIM";

/// What a commit returned for is there after a kill. The test starts itself as a process that commits and counts
/// aloud, and kills it in the middle.
#[tokio::test]
async fn committed_changes_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::durability::the_victim_of_a_kill", "--nocapture"])
        .env(VICTIM, dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut count = |line: String| line.strip_prefix("committed ").and_then(|count| count.parse::<u32>().ok());
    let mut committed = 0;
    while committed < 50 {
        committed = told.next().unwrap().ok().and_then(&mut count).unwrap_or(committed);
    }
    victim.kill().unwrap();
    committed = told.map_while(Result::ok).filter_map(count).last().unwrap_or(committed);
    victim.wait().unwrap();

    let store = Store::open(dir.path()).unwrap();
    let kept = store.command_count(None).await.unwrap();
    assert!(kept >= committed * 3, "{kept} of {committed} times 3 commands were kept");
    assert_eq!(kept % 3, 0, "a batch was torn apart");
    store.check_integrity().await;
    let page = store.history(HistoryFilter { limit: 1, ..HistoryFilter::default() }).await.unwrap();
    assert_eq!(page.rows[0].1.state, queued("kitchen", "any", 0).state);
}

/// Does nothing but when [`committed_changes_survive_a_kill`] starts it.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the test that started it listens")]
async fn the_victim_of_a_kill() {
    let Some(dir) = std::env::var_os(VICTIM) else { return };
    let store = Store::open(dir.as_ref()).unwrap();
    for count in 1.. {
        store.commit(batch(&format!("b{count}"), 3)).await.unwrap();
        println!("committed {count}");
    }
}
