//! A database of another version.

use anyhow::{Context, Result};
use wilco_engine::api::{Failure, FailureCode};
use wilco_engine::store::FILE_NAME;
use wilco_engine::vault::Vault;

use crate::desk::{Desk, start};

/// Where SQLite keeps an application's own version of the format, big-endian.
const USER_VERSION: std::ops::Range<usize> = 60..64;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() -> Result<()> {
    let failure = refused(|database| database[USER_VERSION].copy_from_slice(&9_999_u32.to_be_bytes())).await?;
    assert!(failure.message.contains("was written by a newer version of Wilco"), "{failure:?}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("Install the newer version")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() -> Result<()> {
    let failure = refused(|database| database.iter_mut().for_each(|byte| *byte = byte.wrapping_mul(7) ^ 0x5a)).await?;
    assert!(failure.message.contains("is damaged or not a Wilco database"), "{failure:?}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("Restore a backup")));
    Ok(())
}

/// What an engine says to its own database after that change.
async fn refused(change: impl FnOnce(&mut Vec<u8>)) -> Result<Failure> {
    let mut desk = Desk::new().await?;
    desk.close().await;
    let path = desk.path().join(FILE_NAME);
    let mut database = std::fs::read(&path)?;
    change(&mut database);
    std::fs::write(&path, &database)?;
    let failure = start(desk.path(), &Vault::in_memory()).await.err().context("the engine has started")?;
    assert_eq!(failure.code, FailureCode::Store);
    assert!(std::fs::read(&path)? == database, "the file was changed");
    Ok(failure)
}
