//! Presence: since when, and from AWS IoT Core's lifecycle events, played by mosquitto.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use wilco_engine::api::{CommandState, Delivery, DeviceQuery, NewCommand, Presence, Preset};
use wilco_tests::{Broker, soon_async};

use crate::desk::{Desk, PATIENCE, ask, led, plain};

/// How long a device that is said to be gone is still taken for online.
const DOUBTED: Duration = Duration::from_secs(5);

struct Bench {
    desk: Desk,
    connection: String,
    broker: Broker,
}

impl Bench {
    async fn new() -> Result<Bench> {
        let broker = Broker::plain()?;
        let desk = Desk::new().await?;
        let connection = desk.connect(plain("aws", &broker).with(|entry| entry.settings.preset = Preset::Aws)).await?;
        Ok(Bench { desk, connection, broker })
    }

    fn tell(&self, client: &str, event: &str, version: u64) -> Result<()> {
        let payload = json!({"clientId": client, "eventType": event, "versionNumber": version}).to_string();
        self.broker.publish(&format!("$aws/events/presence/{event}/{client}"), payload.as_bytes(), false)
    }

    async fn online(&self, count: u32) -> Result<()> {
        let of_ours = |seen: &crate::desk::Seen| {
            seen.connections.iter().any(|known| known.id == self.connection && known.online == count).then_some(())
        };
        self.desk.until(&format!("count of {count} online"), of_ours).await
    }

    async fn ids(&self) -> Result<Vec<String>> {
        let query = DeviceQuery { connection: self.connection.clone(), ..DeviceQuery::default() };
        let page = self.desk.console().devices(query, 0, 100).await?;
        Ok(page.rows.into_iter().map(|row| row.device).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_online_since_its_last_return_or_start_and_not_since_an_earlier_one() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let publish = |device: &str, boot: &str, online: bool| {
        broker.publish(
            &format!("{device}/status"),
            json!({"online": online, "boot": boot}).to_string().as_bytes(),
            false,
        )
    };
    let since = async |device: &str, presence: Presence, later_than: i64| {
        soon_async("status", PATIENCE, async || {
            let Ok(detail) = desk.console().device(&connection, device).await else { return Ok(None) };
            let since = detail.row.presence_since.filter(|_| detail.row.presence == presence);
            Ok(since.filter(|since| *since > later_than))
        })
        .await
    };
    let mut latest = 0;
    // It starts, ends, returns, and starts again without having been away.
    for (boot, online) in [("a", true), ("a", false), ("a", true), ("b", true)] {
        publish("pump", boot, online)?;
        let presence = if online { Presence::Online } else { Presence::Offline };
        latest = since("pump", presence, latest).await?;
    }
    // What it says again is no news.
    publish("pump", "b", true)?;
    publish("next", "a", true)?;
    since("next", Presence::Online, latest).await?;
    assert_eq!(desk.console().device(&connection, "pump").await?.row.presence_since, Some(latest));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_online_at_once_and_offline_when_nothing_contradicts_it_for_five_seconds() -> Result<()> {
    let bench = Bench::new().await?;
    bench.tell("dock-1", "connected", 0)?;
    bench.online(1).await?;
    bench.tell("dock-1", "disconnected", 0)?;
    let since = Instant::now();
    bench.online(0).await?;
    let took = since.elapsed();
    ensure!(took > DOUBTED - Duration::from_millis(500), "it was believed after {took:?}");
    ensure!(took < DOUBTED + Duration::from_secs(3), "it was believed only after {took:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_comes_back_was_never_away_and_an_old_end_is_no_news() -> Result<()> {
    let bench = Bench::new().await?;
    bench.tell("dock-1", "connected", 3)?;
    bench.online(1).await?;
    bench.tell("dock-1", "disconnected", 3)?;
    bench.tell("dock-1", "connected", 4)?;
    // Doubled, and in the wrong order.
    bench.tell("dock-1", "disconnected", 3)?;
    // By then that end would have been believed, as this one's is.
    bench.tell("dock-2", "connected", 0)?;
    bench.online(2).await?;
    bench.tell("dock-2", "disconnected", 0)?;
    bench.online(1).await?;
    let row = bench.desk.console().device(&bench.connection, "dock-1").await?.row;
    assert_eq!(row.presence, Presence::Online);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn consoles_make_no_devices() -> Result<()> {
    let bench = Bench::new().await?;
    let own = bench.desk.view(&bench.connection).await?.client_id;
    for console in [own.as_str(), "wilco-0a1b2c3d-4e5f6071", "wilco-0a1b2c3d-4e5f6071-test", "dock-1"] {
        bench.tell(console, "connected", 0)?;
    }
    bench.online(1).await?;
    assert_eq!(bench.ids().await?, ["dock-1"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_speaks_is_not_taken_for_offline_whatever_was_said_of_it() -> Result<()> {
    let bench = Bench::new().await?;
    let (desk, connection) = (&bench.desk, bench.connection.as_str());
    bench.tell("dock-1", "connected", 0)?;
    bench.online(1).await?;
    bench.tell("dock-1", "disconnected", 0)?;
    bench.online(0).await?;
    let restart = || NewCommand { delivery: None, ..ask(connection, "dock-1", "restart", json!({})) };
    assert_eq!(desk.carry_out(restart()).await?.state, CommandState::Undeliverable);
    let held = NewCommand { delivery: Some(Delivery::HoldHere), ..led(connection, "dock-1") };
    let held = desk.send(held).await?;
    desk.reaches("dock-1", &held, CommandState::Held).await?;
    // It has come back, and nobody said so: such events are lost while nobody listens.
    bench.broker.publish("dock-1/telemetry", br#"{"temperature":21.5}"#, false)?;
    desk.reaches("dock-1", &held, CommandState::AtBroker).await?;
    let row = desk.console().device(connection, "dock-1").await?.row;
    assert_eq!(row.presence, Presence::Unknown);
    let restart = desk.send(restart()).await?;
    desk.reaches("dock-1", &restart, CommandState::AtBroker).await?;
    Ok(())
}
