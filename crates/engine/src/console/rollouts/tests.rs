//! Rollouts with maintenance hours, while the computer's clock is set.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};
use wilco_ledger::Timestamp;

use crate::{
    Handle,
    api::{
        CommandState, JsonText, MaintenanceHours, NewCommand, NewRollout, RolloutCommand, RolloutTarget, RolloutView,
        WaitsFor,
    },
    clock::tests::Played,
    console::fixture::{engine_at, plant},
    paths::DataDir,
};

const HOUR: i64 = 3_600_000;
/// 13:00 UTC.
const ONE_O_CLOCK: i64 = 1_795_438_800_000;

/// Waits until a rollout is so; the controller looks at the clock every second.
async fn until(handle: &Handle, what: &str, is_it: impl Fn(&RolloutView) -> bool) -> RolloutView {
    let found = async {
        loop {
            if let Some(view) = handle.rollouts().await.unwrap().into_iter().find(|view| is_it(view)) {
                return view;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    match timeout(Duration::from_secs(20), found).await {
        Ok(view) => view,
        Err(_) => panic!("no {what}: {:#?}", handle.rollouts().await.unwrap()),
    }
}

fn waits_until(view: &RolloutView) -> Option<i64> {
    match view.waits_for {
        Some(WaitsFor::Hours { until }) => Some(until),
        _ => None,
    }
}

fn at_night(connection: &str) -> NewRollout {
    NewRollout {
        connection: connection.into(),
        target: RolloutTarget::Devices { devices: vec!["pump-7".into()] },
        command: RolloutCommand {
            name: "led".into(),
            args: JsonText::of(r#"{"on":true}"#),
            ..RolloutCommand::default()
        },
        hours: Some(MaintenanceHours { from_minute: 22 * 60, until_minute: 5 * 60, time_zone: "UTC".into() }),
        ..NewRollout::default()
    }
}

async fn start(handle: &Handle, connection: &str) -> RolloutView {
    handle.start_rollout(at_night(connection)).await.unwrap()
}

/// Whether a plan says that it is outside the maintenance hours.
async fn is_planned_outside(handle: &Handle, connection: &str) -> bool {
    let plan = handle.plan_rollout(at_night(connection)).await.unwrap();
    plan.remarks.iter().any(|remark| remark.contains("outside the maintenance hours"))
}

async fn begin(played: &Arc<Played>) -> (tempfile::TempDir, crate::Engine, String) {
    let data = tempfile::tempdir().unwrap();
    let engine = engine_at(&DataDir::open(Some(data.path())).unwrap(), played).await;
    let plant = plant(&engine.handle()).await;
    (data, engine, plant)
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_hours_follow_the_computers_clock_when_it_is_set() {
    let played = Played::at("a", HOUR, ONE_O_CLOCK);
    let (_data, engine, plant) = begin(&played).await;
    let handle = engine.handle();
    start(&handle, &plant).await;
    until(&handle, "rollout that waits for 22:00", |view| waits_until(view) == Some(ONE_O_CLOCK + 9 * HOUR)).await;
    // What a broker may have kept for us is no longer waited for.
    played.pass(60_000);
    // Somebody sets the clock forward to 15:01: nothing else waits for a time, so all of Wilco goes by that.
    played.step(2 * HOUR);
    let set = Timestamp(ONE_O_CLOCK + 60_000 + 2 * HOUR);
    until(&handle, "engine that follows the clock", |_| handle.clock.now() == set).await;
    until(&handle, "rollout that waits for 22:00", |view| waits_until(view) == Some(ONE_O_CLOCK + 9 * HOUR)).await;
    // To 23:01, which is within them.
    played.step(8 * HOUR);
    until(&handle, "rollout within its hours", |view| view.waits_for == Some(WaitsFor::Connection)).await;
    // And back to 13:01, which is not.
    played.step(-10 * HOUR);
    until(&handle, "rollout that waits for 22:00", |view| waits_until(view) == Some(ONE_O_CLOCK + 9 * HOUR)).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_command_waits_for_a_time_the_hours_follow_the_clock_and_its_time_to_live_does_not() {
    let played = Played::at("a", HOUR, ONE_O_CLOCK);
    let (_data, engine, plant) = begin(&played).await;
    let handle = engine.handle();
    // It waits in the outbox, and has a time to live.
    let held = NewCommand {
        connection: plant.clone(),
        devices: vec!["pump-8".into()],
        command: "led".into(),
        args: serde_json::json!({"on": true}).into(),
        ..NewCommand::default()
    };
    let id = handle.send(held).await.unwrap().ids.remove(0);
    assert!(is_planned_outside(&handle, &plant).await);
    start(&handle, &plant).await;
    until(&handle, "rollout that waits for 22:00", |view| waits_until(view) == Some(ONE_O_CLOCK + 9 * HOUR)).await;
    played.step(10 * HOUR);
    until(&handle, "rollout within its hours", |view| view.waits_for == Some(WaitsFor::Connection)).await;
    assert_eq!(handle.clock.now(), Timestamp(ONE_O_CLOCK));
    assert!(!is_planned_outside(&handle, &plant).await, "a plan follows the clock, too");
    let state = handle.command(&plant, "pump-8", &id).await.unwrap().command.state;
    assert_eq!(state, CommandState::Queued, "hours on the clock are no hours of its time to live");
    played.step(-10 * HOUR);
    until(&handle, "rollout that waits for 22:00", |view| waits_until(view) == Some(ONE_O_CLOCK + 9 * HOUR)).await;
    engine.stop().await;
}
