//! Power cuts: of the app, of the broker, of both.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::json;
use wilco_engine::api::{CommandState, ConnectionEntry, LinkState, MqttVersion, NewCommand};
use wilco_engine::store::FILE_NAME;
use wilco_tests::{Broker, Device, Settings, soon, soon_async};

use crate::app::App;
use crate::desk::{Desk, PATIENCE, answer, ask, led, plain, to};
use crate::fleet;
use crate::network::Network;
use crate::wire::{EVERY_PACKET, published};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_app_finds_every_command_again_and_what_was_answered_meanwhile_on_mqtt_5() -> Result<()> {
    kill(MqttVersion::V5).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_app_finds_every_command_again_and_what_was_answered_meanwhile_on_mqtt_3_1_1() -> Result<()> {
    kill(MqttVersion::V311).await
}

async fn kill(mqtt: MqttVersion) -> Result<()> {
    let broker = Broker::start(&EVERY_PACKET)?;
    let mut desk = Desk::closed()?;
    let app = App::start(desk.path()).await?;
    let connection = app.watch.connect(plain("bench", &broker).over(mqtt)).await?;
    let short =
        NewCommand { timeout_ms: Some(1_500), ttl_ms: Some(1_500), ..ask(&connection, "a", "restart", json!({})) };
    let answered = app.watch.send(short.clone()).await?;
    let silent = app.watch.send(NewCommand { devices: vec!["b".into()], ..short }).await?;
    let patient = app.watch.send(ask(&connection, "c", "restart", json!({}))).await?;
    for (device, id) in [("a", &answered), ("b", &silent), ("c", &patient)] {
        app.watch.reaches(device, id, CommandState::AtBroker).await?;
    }
    app.kill();
    broker.publish("a/resp", &answer(&answered, "succeeded"), false)?;
    // Its time runs out while nobody is there.
    let sent_at = Instant::now();
    soon("end of the commands' time", PATIENCE, || (sent_at.elapsed().as_millis() > 1_600).then_some(()))?;

    desk.open().await?;
    desk.online(&connection).await?;
    let settled = desk.ended("a", &answered).await?;
    assert_eq!((settled.state, settled.late), (CommandState::Succeeded, false), "{settled:#?}");
    let detail = desk.evidence(&connection, "a", &answered).await?;
    assert!(detail.events.iter().all(|event| event.kind.as_str() != "timed_out"), "{:#?}", detail.events);
    // What nobody has answered may time out only now.
    assert_eq!(desk.ended("b", &silent).await?.state, CommandState::TimedOut);
    assert_eq!(desk.evidence(&connection, "c", &patient).await?.command.state, CommandState::AtBroker);
    broker.publish("c/resp", &answer(&patient, "succeeded"), false)?;
    assert_eq!(desk.ended("c", &patient).await?.state, CommandState::Succeeded);
    for device in ["a", "b", "c"] {
        assert_eq!(published(&broker, &format!("{device}/req")), 1, "not to be repeated, and was: {device}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn queued_commands_are_sent_once_after_a_kill_and_possibly_sent_ones_are_not() -> Result<()> {
    let mut broker = Broker::start(&Settings { persistent: true, ..EVERY_PACKET })?;
    let mut desk = Desk::closed()?;
    let app = App::start(desk.path()).await?;
    let connection = app.watch.connect(plain("bench", &broker)).await?;
    let out = app.watch.send(ask(&connection, "out", "restart", json!({}))).await?;
    app.watch.reaches("out", &out, CommandState::AtBroker).await?;
    broker.stop()?;
    app.watch.trouble(&connection).await?;
    let queued = app.watch.send(ask(&connection, "queued", "restart", json!({}))).await?;
    app.kill();
    broker.resume()?;

    desk.open().await?;
    desk.reaches("queued", &queued, CommandState::AtBroker).await?;
    for (device, id) in [("out", &out), ("queued", &queued)] {
        broker.publish(&format!("{device}/resp"), &answer(id, "succeeded"), false)?;
        let ended = desk.ended(device, id).await?;
        assert_eq!((ended.state, ended.attempts), (CommandState::Succeeded, 1), "{ended:#?}");
        assert_eq!(published(&broker, &format!("{device}/req")), 1, "{device}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_history_sends_nothing_again_that_must_not_be_repeated() -> Result<()> {
    let mut broker = Broker::start(&Settings { persistent: true, ..EVERY_PACKET })?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    broker.stop()?;
    desk.trouble(&connection).await?;
    let restart = ask(&connection, "pump", "restart", json!({}));
    let id = desk.send(NewCommand { timeout_ms: Some(2_000), ttl_ms: Some(20_000), ..restart }).await?;
    desk.close().await;
    let database = desk.path().join(FILE_NAME);
    let older = std::fs::read(&database)?;
    broker.resume()?;
    desk.open().await?;
    desk.reaches("pump", &id, CommandState::AtBroker).await?;
    desk.close().await;
    for beside in ["-wal", "-shm"] {
        // It is there only while somebody still reads.
        let _ = std::fs::remove_file(desk.path().join(format!("{FILE_NAME}{beside}")));
    }
    std::fs::write(&database, older)?;

    desk.open().await?;
    desk.online(&connection).await?;
    let ended = desk.ended("pump", &id).await?;
    assert_eq!((ended.state, ended.attempts), (CommandState::TimedOut, 1), "{ended:#?}");
    ensure!(
        ended.message.is_some_and(|said| said.contains("Wilco does not know whether it was sent, so it may have run"))
    );
    assert_eq!(published(&broker, "pump/req"), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_killed_in_the_middle_of_a_fan_out_publishes_no_command_twice_and_knows_the_end_of_each() -> Result<()> {
    let broker = Broker::start(&EVERY_PACKET)?;
    let mut desk = Desk::closed()?;
    let _devices = fleet::devices(&broker, &desk.path().join("devices.log"), &[])?;
    let app = App::start(desk.path()).await?;
    let connection = app.watch.connect(plain("fleet", &broker)).await?;
    app.watch.sees_online(&connection, fleet::COUNT).await?;
    let devices = fleet::ids();
    let once =
        NewCommand { devices: devices.clone(), timeout_ms: Some(1_000), ttl_ms: Some(6_000), ..led(&connection, "") };
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(app.watch.console().send(once.clone()).await?.ids);
    }
    app.kill();

    desk.open().await?;
    let (mut succeeded, mut others, mut unknown) = (0, 0, 0);
    for (number, device) in devices.iter().enumerate() {
        let mut carried_out = 0;
        for id in ids.iter().map(|ids| &ids[number]) {
            let ended = soon_async("end of a command", PATIENCE, async || {
                Ok(Some(desk.evidence(&connection, device, id).await?.command).filter(|command| command.is_final))
            })
            .await?;
            match ended.state {
                CommandState::Succeeded => carried_out += 1,
                // Handed over in the instant of the kill, so it may have run; here it is known that it has not.
                CommandState::TimedOut => (others, unknown) = (others + 1, unknown + 1),
                CommandState::Expired => others += 1,
                _ => bail!("{ended:#?}"),
            }
        }
        assert_eq!(published(&broker, &format!("{device}/req")), carried_out, "{device}");
        succeeded += carried_out;
    }
    assert_eq!(succeeded + others, ids.len() * devices.len());
    assert!(succeeded > 0, "the app was killed before it had sent anything");
    // Five times the Receive Maximum of mosquitto: decision 89.
    assert!(unknown <= 100, "of {unknown} commands nobody knows whether they were sent");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_loses_everything_in_mid_flight_gets_again_only_what_may_be_repeated() -> Result<()> {
    let mut broker = Broker::start(&EVERY_PACKET)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let _device = Device::start(&broker, "kitchen", None)?;
    desk.sees_online(&connection, 1).await?;
    let once = desk.send(ask(&connection, "mute", "restart", json!({}))).await?;
    let again = desk.send(NewCommand { retries: Some(5), ..led(&connection, "lost") }).await?;
    desk.reaches("mute", &once, CommandState::AtBroker).await?;
    desk.reaches("lost", &again, CommandState::AtBroker).await?;

    broker.kill();
    desk.trouble(&connection).await?;
    broker.resume()?;
    desk.online(&connection).await?;
    let repeated = desk.command(("lost", &again), "second send", |command| command.attempts == 2).await?;
    assert_eq!(repeated.id, again);
    soon("second publish", PATIENCE, || (published(&broker, "lost/req") == 2).then_some(()))?;
    broker.publish("lost/resp", &answer(&again, "succeeded"), false)?;
    assert_eq!(desk.ended("lost", &again).await?.state, CommandState::Succeeded);
    // The real device comes back by itself as well.
    desk.sees_online(&connection, 1).await?;
    assert_eq!(desk.carry_out(led(&connection, "kitchen")).await?.state, CommandState::Succeeded);
    assert_eq!(published(&broker, "mute/req"), 1, "not to be repeated, and was");
    broker.publish("mute/resp", &answer(&once, "succeeded"), false)?;
    assert_eq!(desk.ended("mute", &once).await?.state, CommandState::Succeeded);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_sent_while_the_broker_is_gone_wait_or_fail_as_they_were_told_to() -> Result<()> {
    let mut broker = Broker::start(&EVERY_PACKET)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    broker.stop()?;
    desk.trouble(&connection).await?;
    let with = |device: &str, delivery| NewCommand { delivery: Some(delivery), ..led(&connection, device) };
    use wilco_engine::api::Delivery::{BrokerHolds, HoldHere, Now};
    let now = desk.carry_out(with("now", Now)).await?;
    assert_eq!(now.state, CommandState::Undeliverable);
    assert!(now.message.as_deref().is_some_and(|message| message.contains("Not connected")), "{now:#?}");
    let short = NewCommand { ttl_ms: Some(300), ..with("short", BrokerHolds) };
    assert_eq!(desk.carry_out(short).await?.state, CommandState::Expired);
    let withdrawn = desk.send(with("withdrawn", BrokerHolds)).await?;
    desk.console().cancel(&connection, "withdrawn", &withdrawn).await?;
    assert_eq!(desk.ended("withdrawn", &withdrawn).await?.state, CommandState::Cancelled);
    let waits = desk.send(with("waits", HoldHere)).await?;

    broker.resume()?;
    desk.reaches("waits", &waits, CommandState::AtBroker).await?;
    for (device, times) in [("now", 0), ("short", 0), ("withdrawn", 0), ("waits", 1)] {
        assert_eq!(published(&broker, &format!("{device}/req")), times, "{device}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dangerous_command_for_a_device_that_is_offline_fails_at_once_and_a_held_one_waits_for_it() -> Result<()> {
    let broker = Broker::start(&EVERY_PACKET)?;
    let desk = Desk::new().await?;
    broker.publish("away/status", br#"{"online":false}"#, true)?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    desk.until("device", |seen| seen.connections.iter().find(|known| known.devices == 1).map(drop)).await?;

    let restart = NewCommand { delivery: None, ..ask(&connection, "away", "restart", json!({})) };
    assert_eq!(desk.carry_out(restart).await?.state, CommandState::Undeliverable);
    let held = NewCommand { delivery: Some(wilco_engine::api::Delivery::HoldHere), ..led(&connection, "away") };
    let held = desk.send(held).await?;
    desk.reaches("away", &held, CommandState::Held).await?;
    assert_eq!(published(&broker, "away/req"), 0);
    broker.publish("away/status", br#"{"online":true}"#, true)?;
    desk.reaches("away", &held, CommandState::AtBroker).await?;
    assert_eq!(published(&broker, "away/req"), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_for_an_offline_device_are_held_unless_dangerous_or_chosen_otherwise() -> Result<()> {
    let broker = Broker::start(&EVERY_PACKET)?;
    let desk = Desk::new().await?;
    broker.publish("away/status", br#"{"online":false}"#, true)?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    desk.until("device", |seen| seen.connections.iter().find(|known| known.devices == 1).map(drop)).await?;
    let unsaid = |command: &str| NewCommand { delivery: None, ..ask(&connection, "away", command, json!({})) };

    let held = desk.send(unsaid("log.get")).await?;
    desk.reaches("away", &held, CommandState::Held).await?;
    assert_eq!(desk.carry_out(unsaid("restart")).await?.state, CommandState::Undeliverable);
    // A device of which nobody knows is asked at once.
    let elsewhere = NewCommand { devices: vec!["unknown".into()], ..unsaid("log.get") };
    let asked = desk.send(elsewhere).await?;
    desk.reaches("unknown", &asked, CommandState::AtBroker).await?;
    let line = desk.evidence(&connection, "away", &held).await?.shell_line.unwrap_or_default();
    ensure!(!line.contains("--delivery"), "{line}");
    let said = NewCommand { delivery: Some(wilco_engine::api::Delivery::BrokerHolds), ..unsaid("log.get") };
    let kept = desk.send(said).await?;
    desk.reaches("away", &kept, CommandState::AtBroker).await?;
    let line = desk.evidence(&connection, "away", &kept).await?.shell_line.unwrap_or_default();
    ensure!(line.contains("--delivery broker"), "{line}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_is_shown_as_it_was_published_whatever_has_become_of_the_connection() -> Result<()> {
    use wilco_engine::api::RequestOrigin;
    let mut broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let requests = broker.listen("#")?;
    let sent = desk.send(led(&connection, "kitchen")).await?;
    desk.reaches("kitchen", &sent, CommandState::AtBroker).await?;
    let published = soon("request", PATIENCE, || {
        requests.log().lines().find_map(|line| line.strip_prefix("kitchen/req ").map(str::to_owned))
    })?;
    desk.edit(&connection, |entry| entry.settings.prefix = "plant".into()).await?;
    let detail = desk.evidence(&connection, "kitchen", &sent).await?;
    let request = detail.request.unwrap_or_else(|| panic!("no request"));
    assert_eq!((&*request.topic, &*request.payload, request.qos), ("kitchen/req", &*published, 1));
    assert_eq!(detail.request_is, RequestOrigin::Sent);

    // Another console's, with a member that Wilco would not write.
    desk.online(&connection).await?;
    let heard = r#"{ "id":"0199f0a0-0000-7000-8000-000000000001", "command":"led","args":{"on":true}, "by":"me" }"#;
    broker.publish("plant/hall/req", heard.as_bytes(), false)?;
    let id = "0199f0a0-0000-7000-8000-000000000001";
    desk.command(("hall", id), "request of another console", |_| true).await?;
    let detail = desk.evidence(&connection, "hall", id).await?;
    let request = detail.request.unwrap_or_else(|| panic!("no request"));
    assert_eq!((&*request.topic, &*request.payload), ("plant/hall/req", heard));
    assert_eq!(detail.request_is, RequestOrigin::Observed);

    broker.stop()?;
    desk.trouble(&connection).await?;
    let queued = desk.send(led(&connection, "attic")).await?;
    let detail = desk.evidence(&connection, "attic", &queued).await?;
    assert_eq!(detail.request_is, RequestOrigin::Planned);
    assert_eq!(detail.request.map(|request| request.topic).as_deref(), Some("plant/attic/req"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_the_broker_commands_wait_for_the_device_or_a_few_seconds() -> Result<()> {
    restarted(&Settings::default(), "lost session", |_| {}).await
}

/// The broker resumes every session and still has the retained status, and the devices are not there. Without a session of
/// Wilco's none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_keeps_sessions_is_not_taken_for_one_that_kept_its_devices() -> Result<()> {
    let persistent = Settings { persistent: true, ..Settings::default() };
    restarted(&persistent, "kept session", |_| {}).await?;
    restarted(&persistent, "kept session of MQTT 3.1.1", |entry| entry.settings.mqtt = MqttVersion::V311).await?;
    restarted(&persistent, "no session", |entry| entry.settings.session_expiry_s = 0).await
}

async fn restarted(settings: &Settings<'_>, name: &str, change: fn(&mut ConnectionEntry)) -> Result<()> {
    let mut broker = Broker::start(settings)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain(name, &broker).with(change)).await?;
    for device in ["pump", "lamp"] {
        broker.publish(&format!("{device}/status"), br#"{"online":true}"#, settings.persistent)?;
    }
    desk.sees_online(&connection, 2).await?;
    let before = desk.link(&connection, "connection", since).await?;
    broker.restart()?;
    desk.link(&connection, "next connection", |link| since(link).filter(|since| *since != before)).await?;

    let (pump, lamp) = (desk.send(led(&connection, "pump")).await?, desk.send(led(&connection, "lamp")).await?);
    let sent = Instant::now();
    let waits = desk.reaches("pump", &pump, CommandState::Queued).await?;
    ensure!(
        waits.message.as_deref().is_some_and(|message| message.contains("device to reconnect")),
        "{name}: {waits:#?}"
    );
    broker.publish("pump/status", br#"{"online":true}"#, false)?;
    desk.reaches("pump", &pump, CommandState::AtBroker).await?;
    ensure!(sent.elapsed() < Duration::from_secs(4), "{name}: it went out only after {:?}", sent.elapsed());
    let went_out = desk.reaches("lamp", &lamp, CommandState::AtBroker).await?;
    assert_eq!(went_out.message, None, "{name}");
    ensure!(sent.elapsed() > Duration::from_secs(3), "{name}: it went out after {:?}", sent.elapsed());
    Ok(())
}

fn since(link: &LinkState) -> Option<i64> {
    match link {
        LinkState::Online { since } => Some(*since),
        _ => None,
    }
}

/// The network fails for a moment, and the broker has still all its clients.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_short_network_failure_a_command_is_sent_at_once() -> Result<()> {
    for expiry in [3_600, 0] {
        let broker = Broker::plain()?;
        let network = Network::to(broker.port()).await?;
        let desk = Desk::new().await?;
        let entry = to("bench", &network.url()).with(|entry| entry.settings.session_expiry_s = expiry);
        let connection = desk.connect(entry).await?;
        let _pump = Device::start(&broker, "pump", None)?;
        desk.sees_online(&connection, 1).await?;
        let before = desk.link(&connection, "connection", since).await?;
        network.fail();
        desk.link(&connection, "next connection", |link| since(link).filter(|since| *since != before)).await?;

        let id = desk.send(led(&connection, "pump")).await?;
        assert_eq!(desk.ended("pump", &id).await?.state, CommandState::Succeeded);
        let events = desk.evidence(&connection, "pump", &id).await?.events;
        ensure!(events.iter().all(|event| event.kind.as_str() != "awaits_return"), "{expiry}: {events:#?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_a_short_timeout_is_kept_as_soon_as_what_the_broker_kept_has_been_read() -> Result<()> {
    for mqtt in [MqttVersion::V5, MqttVersion::V311] {
        let broker = Broker::plain()?;
        let mut desk = Desk::new().await?;
        let connection = desk.connect(plain("bench", &broker).over(mqtt)).await?;
        let asked = desk.send(led(&connection, "mute")).await?;
        desk.reaches("mute", &asked, CommandState::AtBroker).await?;
        desk.close().await;
        // It is answered while nobody is there.
        broker.publish("mute/resp", &answer(&asked, "succeeded"), false)?;
        desk.open().await?;
        desk.online(&connection).await?;
        let since = Instant::now();
        let hasty = NewCommand { timeout_ms: Some(500), ttl_ms: Some(500), ..led(&connection, "deaf") };
        let ended = desk.carry_out(hasty).await?;
        let took = since.elapsed();
        assert_eq!(ended.state, CommandState::TimedOut);
        ensure!(took < Duration::from_secs(3), "{mqtt:?}: it took {took:?}");
        let settled = desk.ended("mute", &asked).await?;
        assert_eq!((settled.state, settled.late), (CommandState::Succeeded, false));
    }
    Ok(())
}
