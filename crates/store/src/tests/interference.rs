//! Other programs at the files of the open database.

use std::{fs, time::Duration};

use wilco_ledger::Outcome;

use super::{life, store};
use crate::{Change, FILE_NAME, Interference, StoreError};

/// The beginning of a command.
fn asked(number: usize) -> Vec<Change> {
    life(&format!("d{number}"), &format!("c{number}"), 100, Outcome::Succeeded)[..1].to_vec()
}

#[tokio::test]
async fn writes_of_another_program_are_detected_and_own_writes_are_not() {
    let (dir, store) = store();
    let mut interference = store.interference();
    store.commit(asked(1)).await.unwrap();
    assert!(store.check(None, true).await.is_ok());
    // So much that the log is merged, and a disk that is full for a while.
    store.commit((100..1_400).flat_map(asked).collect()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    store.fill_disk(true);
    assert!(store.commit((2_000..3_000).flat_map(asked).collect()).await.is_err());
    store.command_count(None).await.unwrap();
    store.fill_disk(false);
    store.commit(asked(2)).await.unwrap();
    assert!(!interference.has_changed().unwrap());
    let other = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
    other.execute_batch("CREATE TABLE theirs (number INTEGER)").unwrap();
    // It is noticed, and no reason to refuse what is to be stored.
    store.commit(asked(3)).await.unwrap();
    assert_eq!(*interference.borrow_and_update(), Some(Interference::Changed));
    store.commit(asked(4)).await.unwrap();
    assert!(!interference.has_changed().unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_stored_while_a_file_of_the_database_is_not_in_its_place() {
    let (dir, store) = store();
    let mut interference = store.interference();
    store.commit(asked(1)).await.unwrap();
    let aside = dir.path().join("aside");
    for (round, name) in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")].into_iter().enumerate() {
        let path = dir.path().join(&name);
        fs::rename(&path, &aside).unwrap();
        for with in [None, Some("another file")] {
            if let Some(content) = with {
                fs::write(&path, content).unwrap();
            }
            let replaced = StoreError::Replaced { path: path.clone() };
            assert_eq!(store.commit(asked(20 + round)).await, Err(replaced.clone()), "{name}");
            assert_eq!(store.save_settings(<_>::default()).await, Err(replaced.clone()));
            assert_eq!(*interference.borrow_and_update(), Some(Interference::Replaced(replaced)));
        }
        fs::rename(&aside, &path).unwrap();
        store.commit(asked(10 + round)).await.unwrap();
        assert!(!interference.has_changed().unwrap());
    }
    assert_eq!(store.command_count(None).await.unwrap(), 3);
}
