//! Tests of deadlines while the computer's clocks change.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::fixture::{engine_at, plant};
use crate::{
    Handle,
    api::{CommandState, CommandView, NewCommand},
    clock::tests::Played,
    paths::DataDir,
};

const NOON: i64 = 1_795_438_800_000;
const DAY: i64 = 86_400_000;

/// A command that waits in the outbox for four seconds: nothing listens at that address.
async fn wait_four_seconds(handle: &Handle, connection: &str) -> String {
    let new = NewCommand {
        connection: connection.into(),
        devices: vec!["pump-7".into()],
        command: "led".into(),
        args: serde_json::json!({"on": true}).into(),
        timeout_ms: Some(4_000),
        ttl_ms: Some(4_000),
        delivery: Some(crate::api::Delivery::HoldHere),
        ..NewCommand::default()
    };
    handle.send(new).await.unwrap().ids.remove(0)
}

async fn command(handle: &Handle, connection: &str, id: &str) -> CommandView {
    handle.command(connection, "pump-7", id).await.unwrap().command
}

/// The engine looks at its clocks every second.
async fn ended(handle: &Handle, connection: &str, id: &str) -> CommandView {
    let by = Instant::now() + Duration::from_secs(20);
    loop {
        let command = command(handle, connection, id).await;
        if command.is_final {
            return command;
        }
        assert!(Instant::now() < by, "it has not ended: {command:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_survives_a_clock_that_is_put_back_between_two_runs() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let first = Played::at("a", 1_000_000, NOON);
    let engine = engine_at(&data_dir, &first).await;
    let connection = plant(&engine.handle()).await;
    let id = wait_four_seconds(&engine.handle(), &connection).await;
    engine.stop().await;

    let second = Played::at("a", 1_001_000, NOON + 1_000 - DAY);
    let engine = engine_at(&data_dir, &second).await;
    let handle = engine.handle();
    assert!(!command(&handle, &connection, &id).await.is_final);
    second.pass(3_500);
    let expired = ended(&handle, &connection, &id).await;
    assert_eq!(
        (expired.state, expired.finished_at.map(|at| at - expired.queued_at)),
        (CommandState::Expired, Some(4_500))
    );
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_forward_times_nothing_out_and_lengthens_nothing() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let played = Played::at("a", 1_000_000, NOON);
    let engine = engine_at(&data_dir, &played).await;
    let handle = engine.handle();
    let connection = plant(&handle).await;
    let id = wait_four_seconds(&handle, &connection).await;
    played.wall.fetch_add(DAY, std::sync::atomic::Ordering::Relaxed);
    // Long enough for the engine to look at its clocks twice.
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(command(&handle, &connection, &id).await.state, CommandState::Queued);
    played.pass(4_500);
    let expired = ended(&handle, &connection, &id).await;
    assert_eq!(expired.finished_at.map(|at| at - expired.queued_at), Some(4_500));
    // Once the broker is no longer waited for either, the time is the wall clock's again.
    played.pass(40_000);
    let by = Instant::now() + Duration::from_secs(20);
    while Arc::clone(&played).wall.load(std::sync::atomic::Ordering::Relaxed) - handle.clock.now().0 > 2_000 {
        assert!(Instant::now() < by, "the time stays apart from the wall clock's");
        sleep(Duration::from_millis(20)).await;
    }
    engine.stop().await;
}
