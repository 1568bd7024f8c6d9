//! Whether devices report what they answered. The test itself is the device.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::time::{Instant, timeout};
use wilco_engine::api::{CommandState, DeviceQuery, DisagreementView};
use wilco_tests::{Broker, soon_async};

use crate::desk::{Desk, PATIENCE, answer, ask, led, plain};

/// A device has 10 seconds to report what it said.
const DECIDED_WITHIN: Duration = Duration::from_secs(30);

/// What the row of a device says that it disagrees about, once that is there, or gone.
async fn disagrees(desk: &Desk, connection: &str, device: &str, does: bool) -> Result<Option<DisagreementView>> {
    soon_async(&format!("disagreement of {device}: {does}"), DECIDED_WITHIN, async || {
        let row = desk.console().device(connection, device).await?.row;
        Ok((row.disagrees.is_some() == does).then_some(row.disagrees))
    })
    .await
}

async fn found(desk: &Desk, connection: &str) -> Result<Vec<String>> {
    let query =
        DeviceQuery { connection: connection.to_owned(), search: "is:disagrees".to_owned(), ..DeviceQuery::default() };
    Ok(desk.console().devices(query, 0, 10).await?.rows.into_iter().map(|row| row.device).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_said_yes_and_did_not_is_marked_until_it_reports_what_it_said() -> Result<()> {
    let broker = Broker::plain()?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let report = |device: &str, state: serde_json::Value| {
        broker.publish(&format!("{device}/state"), state.to_string().as_bytes(), true)
    };
    for device in ["liar", "honest", "interval"] {
        broker.publish(&format!("{device}/status"), br#"{"online":true}"#, true)?;
        report(device, json!({"led": false, "telemetry_interval_ms": 1_000}))?;
    }
    desk.sees_online(&connection, 3).await?;
    let commands = [
        led(&connection, "liar"),
        led(&connection, "honest"),
        ask(&connection, "interval", "telemetry.set", json!({"interval_ms": 500})),
    ];
    let mut ids = Vec::new();
    for command in commands {
        let device = command.devices[0].clone();
        let id = desk.send(command).await?;
        desk.reaches(&device, &id, CommandState::AtBroker).await?;
        broker.publish(&format!("{device}/resp"), &answer(&id, "succeeded"), false)?;
        assert_eq!(desk.ended(&device, &id).await?.state, CommandState::Succeeded);
        ids.push(id);
    }
    report("honest", json!({"led": true, "telemetry_interval_ms": 1_000}))?;

    let liar = disagrees(&desk, &connection, "liar", true).await?.context("no mark")?;
    assert_eq!((liar.text.as_str(), liar.command.as_str()), ("Answered ON, reports OFF", ids[0].as_str()));
    let interval = disagrees(&desk, &connection, "interval", true).await?.context("no mark")?;
    assert_eq!(interval.text, "Answered telemetry every 500 ms, reports 1,000 ms");
    assert_eq!(desk.evidence(&connection, "liar", &ids[0]).await?.disagrees, Some(liar.clone()));
    assert_eq!(found(&desk, &connection).await?, ["interval", "liar"]);
    assert!(desk.console().device(&connection, "honest").await?.row.disagrees.is_none());

    // It is known after a restart, and a late report ends it.
    desk.reopen().await?;
    desk.online(&connection).await?;
    assert_eq!(disagrees(&desk, &connection, "liar", true).await?, Some(liar));
    report("liar", json!({"led": true, "telemetry_interval_ms": 1_000}))?;
    disagrees(&desk, &connection, "liar", false).await?;
    // The command itself stays marked.
    let was = desk.evidence(&connection, "liar", &ids[0]).await?.disagrees.context("the mark is lost")?;
    assert_eq!((was.text.as_str(), was.past), ("Answered ON, reported OFF", true));
    // Somebody presses the button later: that is no lie.
    report("honest", json!({"led": false, "telemetry_interval_ms": 1_000}))?;
    // And so does another command for the same value.
    let id = desk.send(ask(&connection, "interval", "telemetry.set", json!({"interval_ms": 1_000}))).await?;
    desk.reaches("interval", &id, CommandState::AtBroker).await?;
    disagrees(&desk, &connection, "interval", false).await?;
    assert!(found(&desk, &connection).await?.is_empty());
    Ok(())
}

/// A person has switched the LED and looks at it.
#[tokio::test(flavor = "multi_thread")]
async fn an_led_that_is_reported_without_anything_else_is_handed_out_at_once() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    broker.publish("lamp/status", br#"{"online":true}"#, true)?;
    desk.sees_online(&connection, 1).await?;
    let mut batches = desk.console().listen().await?;
    let mut waits = Vec::new();
    for round in 0..9 {
        let on = round % 2 == 0;
        let begun = Instant::now();
        broker.publish("lamp/state", json!({"led": on}).to_string().as_bytes(), false)?;
        loop {
            let batch = timeout(PATIENCE, batches.recv()).await?.context("the feed has ended")?;
            let is_named = batch.changed_devices.iter().any(|(_, device)| device == "lamp");
            if is_named && desk.console().device(&connection, "lamp").await?.row.led == Some(on) {
                break;
            }
        }
        waits.push(begun.elapsed());
    }
    waits.sort_unstable();
    // What nobody waits for is handed out once a second, so only the first could be fast by chance. A busy computer is not
    // busy each time.
    assert!(waits[2] < Duration::from_millis(500), "{waits:?}");
    Ok(())
}
