//! Files that are not Wilco's, are damaged, or come from a newer version are not changed.

use std::{fs, path::Path};

use tempfile::TempDir;

use super::{store, submit};
use crate::{FILE_NAME, HistoryFilter, Store, StoreError, table::VERSION};

/// Every file of a data directory that must not change.
fn bytes(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // The index of the log is shared memory, rebuilt at will.
        .filter(|path| path.extension().is_some_and(|extension| extension != "sqlite3-shm"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Opening is refused with such an error, and nothing is changed.
fn check_refused(dir: &Path, expected: impl Fn(&StoreError) -> bool) {
    let before = bytes(dir);
    let error = Store::open(dir).unwrap_err();
    assert!(expected(&error), "{error:?}");
    assert!(error.hint().is_some());
    assert_eq!(bytes(dir), before);
}

fn newer(error: &StoreError) -> bool {
    matches!(error, StoreError::Newer { found, known, .. } if *found == VERSION + 1 && *known == VERSION)
        && error.to_string().contains("newer version")
}

fn damaged(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { .. })
}

#[tokio::test]
async fn a_database_that_has_lost_the_rows_of_a_table_says_what_is_wrong_in_words() {
    let tables = {
        let (dir, store) = store();
        store.close().await.unwrap();
        let sqlite = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
        let mut names = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
        names.map(Result::unwrap).filter(|name| !name.starts_with("sqlite_")).collect::<Vec<_>>()
    };
    for table in tables {
        let (dir, store) = store();
        store.commit(vec![submit("kitchen", "c1", 1)]).await.unwrap();
        store.close().await.unwrap();
        let sqlite = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
        sqlite.pragma_update(None, "foreign_keys", false).unwrap();
        sqlite.execute(&format!("DELETE FROM {table}"), []).unwrap();
        sqlite.close().unwrap();

        let used = async {
            let store = Store::open(dir.path())?;
            store.settings().await?;
            store.connections().await?;
            store.history(HistoryFilter { limit: 10, ..HistoryFilter::default() }).await?;
            store.command_count(None).await?;
            store.commit(vec![submit("hall", "c2", 2)]).await?;
            store.close().await
        };
        if let Err(error) = used.await {
            assert!(damaged(&error) && error.hint().is_some(), "{table}: {error:?}");
            assert!(!error.to_string().contains("Query returned"), "{table}: {error}");
        }
    }
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_byte_for_byte() {
    let (dir, store) = store();
    store.commit(vec![submit("kitchen", "c1", 1)]).await.unwrap();
    store.close().await.unwrap();
    let sqlite = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
    sqlite.pragma_update(None, "user_version", VERSION + 1).unwrap();
    sqlite.close().unwrap();
    check_refused(dir.path(), newer);
}

#[tokio::test]
async fn a_newer_database_whose_program_was_killed_is_refused_too() {
    let (dir, store) = store();
    store.close().await.unwrap();
    let sqlite = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
    sqlite.pragma_update(None, "user_version", VERSION + 1).unwrap();
    // As a kill leaves them: the new number is only in the log.
    let killed = tempfile::tempdir().unwrap();
    for (name, content) in bytes(dir.path()) {
        fs::write(killed.path().join(name), content).unwrap();
    }
    assert!(fs::metadata(killed.path().join(format!("{FILE_NAME}-wal"))).unwrap().len() > 0);
    check_refused(killed.path(), newer);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    let check = |content: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE_NAME), content).unwrap();
        check_refused(dir.path(), damaged);
    };
    check(b"this is a letter to somebody, not a database");
    check(&[0xA5; 9_000]);
    check(b"short");
}

#[test]
fn another_programs_database_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
    sqlite.execute_batch("CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('one');").unwrap();
    sqlite.close().unwrap();
    check_refused(dir.path(), |error| damaged(error) && error.to_string().contains("another program"));
}

#[tokio::test]
async fn a_truncated_database_is_refused_and_kept() {
    let (dir, store) = store();
    store.commit((0..2_000).map(|n| submit("kitchen", &format!("c{n}"), n)).collect()).await.unwrap();
    store.close().await.unwrap();
    let path = dir.path().join(FILE_NAME);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    check_refused(dir.path(), damaged);
}

#[test]
fn a_place_that_cannot_be_written_to_is_told() {
    let check = |dir: &Path| {
        let error = Store::open(dir).unwrap_err();
        assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    };
    let dir: TempDir = tempfile::tempdir().unwrap();
    check(&dir.path().join("is not there"));
    fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
    check(dir.path());
}
