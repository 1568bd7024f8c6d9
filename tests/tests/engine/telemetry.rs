//! Measurements: stored, shown as they arrive, and never delaying a command.

use anyhow::{Result, ensure};
use serde_json::json;
use wilco_engine::api::{CommandState, DeviceQuery, TelemetryQuery, TelemetryView};
use wilco_tests::{Broker, Device, soon_async};

use crate::desk::{Desk, PATIENCE, ask, led, plain};

fn query(connection: &str, device: &str) -> TelemetryQuery {
    TelemetryQuery { connection: connection.to_owned(), device: device.to_owned(), from: None, to: None, points: 2_000 }
}

/// Waits for measurements of which that is true.
async fn until(desk: &Desk, query: &TelemetryQuery, look: impl Fn(&TelemetryView) -> bool) -> Result<TelemetryView> {
    soon_async("measurements", PATIENCE, async || {
        let view = desk.console().telemetry(query.clone()).await?;
        Ok(look(&view).then_some(view))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn measurements_are_shown_as_they_come_and_are_there_after_a_restart() -> Result<()> {
    let broker = Broker::plain()?;
    let device = Device::start_with(&broker, "pump-7", None, &["--telemetry-ms", "100"])?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    let query = query(&connection, "pump-7");
    let live = until(&desk, &query, |view| view.times.len() > 5).await?;
    let names: Vec<_> = live.series.iter().map(|series| series.name.as_str()).collect();
    for name in ["temperature", "humidity"] {
        ensure!(names.contains(&name), "{names:?}");
    }
    ensure!(live.series.iter().all(|series| series.latest.is_some() && series.count > 5), "{live:?}");
    ensure!(live.remarks.is_empty(), "{:?}", live.remarks);
    drop(device);
    desk.reopen().await?;
    let kept = desk.console().telemetry(query.clone()).await?;
    ensure!(kept.times.len() >= live.times.len(), "{} of {} are kept", kept.times.len(), live.times.len());
    ensure!(kept.times.windows(2).all(|pair| pair[0] < pair[1]), "they are in no order");
    let few = desk.console().telemetry(TelemetryQuery { points: 3, ..query }).await?;
    ensure!(few.times.len() <= 3 && few.series[0].count == kept.series[0].count, "{few:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interval_is_changed_at_once_and_reported() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start_with(&broker, "pump-7", None, &["--telemetry-ms", "3600000"])?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    desk.sees_online(&connection, 1).await?;
    let set = desk.carry_out(ask(&connection, "pump-7", "telemetry.set", json!({"interval_ms": 200}))).await?;
    assert_eq!(set.state, CommandState::Succeeded);
    until(&desk, &query(&connection, "pump-7"), |view| view.times.len() >= 3).await?;
    let reported = soon_async("report of the interval", PATIENCE, async || {
        let detail = desk.console().device(&connection, "pump-7").await?;
        Ok(detail.telemetry_interval_ms.filter(|interval| *interval == 200))
    });
    reported.await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_telemetry_is_said_and_stops_no_command() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start_with(&broker, "pump-7", None, &["--telemetry-ms", "0"])?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    desk.sees_online(&connection, 1).await?;
    let many: Vec<_> = (0..10_000).map(|number| format!("\"s{number}\":{number}")).collect();
    let many = format!("{{\"at\":5000,\"quoted\":\"21.5\",\"none\":NaN,{}}}", many.join(","));
    broker.publish("pump-7/telemetry", many.as_bytes(), false)?;
    let query = query(&connection, "pump-7");
    let odd = until(&desk, &query, |view| view.remarks.len() == 4).await?;
    for (remark, part) in
        odd.remarks.iter().zip(["years behind", "9936 in its last", "“quoted” is text", "“none” had no"])
    {
        ensure!(remark.contains(part), "no '{part}' in {:?}", odd.remarks);
    }
    assert_eq!(odd.series.len(), 64);
    broker.publish("pump-7/telemetry", b"21.5 degrees", false)?;
    until(&desk, &query, |view| view.remarks[0].starts_with("This telemetry is not a JSON object")).await?;
    assert_eq!(desk.carry_out(led(&connection, "pump-7")).await?.state, CommandState::Succeeded);
    Ok(())
}

/// A device of other firmware says in which unit it measures, and its name does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_series_has_the_unit_that_its_device_announces() -> Result<()> {
    let broker = Broker::plain()?;
    let config = json!({
        "unique_id": "boiler_flow", "name": "Flow", "state_topic": "boiler/flow", "unit_of_measurement": "m³/h",
        "device": {"identifiers": ["boiler"], "name": "Boiler"},
    });
    broker.publish("homeassistant/sensor/boiler/flow/config", config.to_string().as_bytes(), true)?;
    let desk = Desk::new().await?;
    let entry = plain("plant", &broker).with(|entry| entry.settings.dialects = vec!["homeassistant".into()]);
    let connection = desk.connect(entry).await?;
    let device = soon_async("device", PATIENCE, async || {
        let devices = DeviceQuery { connection: connection.clone(), ..DeviceQuery::default() };
        let rows = desk.console().devices(devices, 0, 10).await?.rows;
        Ok(rows.into_iter().next().map(|row| row.device))
    })
    .await?;
    let series = soon_async("measurement", PATIENCE, async || {
        broker.publish("boiler/flow", b"1.5", false)?;
        let view = desk.console().telemetry(query(&connection, &device)).await?;
        Ok(view.series.into_iter().next())
    })
    .await?;
    ensure!((series.latest, series.unit.as_deref()) == (Some(1.5), Some("m³/h")), "{series:?}");
    Ok(())
}
