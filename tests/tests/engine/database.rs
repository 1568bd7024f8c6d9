//! A database of another version, and one that another program writes to or moves while it is open.

use std::time::Duration;

use anyhow::{Context, Result};
use wilco_engine::api::{CommandState, Failure, FailureCode, LinkState};
use wilco_engine::store::FILE_NAME;
use wilco_engine::vault::Vault;
use wilco_tests::Broker;

use crate::desk::{Desk, answer, led, plain, start};
use crate::wire::{EVERY_PACKET, published};

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

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_another_program_alters_while_wilco_runs_is_told_with_what_to_do() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let id = desk.send(led(&connection, "mute")).await?;
    desk.reaches("mute", &id, CommandState::AtBroker).await?;
    broker.publish("mute/resp", &answer(&id, "failed"), false)?;
    desk.ended("mute", &id).await?;

    let other = rusqlite::Connection::open(desk.path().join(FILE_NAME))?;
    other.busy_timeout(Duration::from_secs(5))?;
    other.execute_batch(
        "BEGIN IMMEDIATE; DROP TRIGGER events_stay_as_they_are;
         UPDATE events SET at = at + 1 WHERE row = (SELECT max(row) FROM events); COMMIT",
    )?;
    let notice = desk.notice("Another program has changed the history").await?;
    assert!(notice.hint.is_some_and(|hint| hint.contains("Close that program")), "{:?}", notice.message);
    // What was altered is named.
    desk.notice("1 event in the history is not as Wilco stored it: mute").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_while_another_file_is_in_the_place_of_the_database() -> Result<()> {
    let broker = Broker::start(&EVERY_PACKET)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let before = desk.send(led(&connection, "before")).await?;
    desk.reaches("before", &before, CommandState::AtBroker).await?;

    let (path, aside) = (desk.path().join(FILE_NAME), desk.path().join("aside"));
    for with in [None, Some("another file")] {
        std::fs::rename(&path, &aside)?;
        if let Some(content) = with {
            std::fs::write(&path, content)?;
        }
        let refused = desk.console().send(led(&connection, "refused")).await.err().context("it was sent")?;
        assert_eq!(refused.code, FailureCode::Store);
        assert!(refused.message.contains("has moved, deleted or replaced"), "{refused:?}");
        assert!(refused.hint.is_some_and(|hint| hint.contains("put the file back")));
        // An answer that cannot be stored is not acknowledged, so the broker keeps it.
        desk.link(&connection, "sentence about the file", |link| match link {
            LinkState::Waiting { message, .. } => message.contains("moved, deleted or replaced").then_some(()),
            _ => None,
        })
        .await?;
        std::fs::rename(&aside, &path)?;
        desk.online(&connection).await?;
    }
    broker.publish("before/resp", &answer(&before, "succeeded"), false)?;
    assert_eq!(desk.ended("before", &before).await?.state, CommandState::Succeeded);
    assert_eq!((published(&broker, "before/req"), published(&broker, "refused/req")), (1, 0));

    // The log beside it belongs to it.
    let log = desk.path().join(format!("{FILE_NAME}-wal"));
    std::fs::rename(&log, &aside)?;
    let refused = desk.console().send(led(&connection, "refused")).await.err().context("it was sent")?;
    assert!(refused.message.contains("-wal"), "{refused:?}");
    std::fs::rename(&aside, &log)?;
    desk.online(&connection).await?;
    Ok(())
}
