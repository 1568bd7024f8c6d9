//! Devices on a real broker, with a plain MQTT client.

mod console;
mod dials;
mod log;

use std::time::Duration;

use console::Console;
use serde_json::json;
use tempfile::TempDir;
use wilco_device::{
    broker::Broker,
    demo::DemoFleet,
    device_settings::{Absence, DeviceSettings},
    dials::Dials,
    endpoint::{Endpoint, TlsFiles},
    faults::{Faults, Pace},
    fleet::Fleet,
    payload_format::PayloadFormat,
    store::Store,
};
use wilco_dialect::Topics;
use wilco_ledger::DeviceId;

fn endpoint(broker: &Broker, prefix: &str) -> Endpoint {
    let topics = Topics::new(prefix).expect("a prefix");
    Endpoint::new(&broker.url(), &TlsFiles::default(), topics).expect("an endpoint")
}

fn dock() -> DeviceSettings {
    DeviceSettings { telemetry: None, ..DeviceSettings::new(DeviceId::new("dock-1").expect("a device ID")) }
}

/// Switches one device on, with its memory in a directory.
fn switch_on(broker: &Broker, device_settings: DeviceSettings, directory: &TempDir) -> Fleet {
    let store = Store::in_directory(directory.path(), device_settings.id.as_str()).expect("a store");
    Fleet::start(endpoint(broker, ""), [(device_settings, store)]).expect("a device")
}

/// A broker, a console and a device that is online.
async fn bench(device_settings: DeviceSettings) -> (Broker, Console, Fleet, TempDir) {
    let broker = Broker::start(16).await.expect("a broker");
    let mut console = Console::connect(&broker.url(), "").await;
    let directory = tempfile::tempdir().expect("a directory");
    let fleet = switch_on(&broker, device_settings, &directory);
    console.expect("dock-1/status", |status| status["online"] == json!(true)).await;
    console.expect("dock-1/state", |_| true).await;
    (broker, console, fleet, directory)
}

#[tokio::test]
async fn the_led_is_accepted_then_done_and_reported() {
    let (broker, mut console, fleet, _directory) = bench(dock()).await;
    console.ask("dock-1", "a", "led", json!({"on": true})).await;
    let accepted = console.expect("dock-1/resp", |_| true).await;
    assert_eq!((&accepted["id"], &accepted["status"]), (&json!("a"), &json!("accepted")));
    console.expect("dock-1/state", |state| state["led"] == json!(true)).await;
    let done = console.expect("dock-1/resp", |_| true).await;
    assert_eq!((&done["status"], &done["result"]), (&json!("succeeded"), &json!({"on": true})));
    assert_eq!(console.correlation.as_deref(), Some("a"));
    fleet.stop().await;
    console.expect("dock-1/status", |status| status["online"] == json!(false)).await;
    broker.stop().await;
}

#[tokio::test]
async fn a_device_that_speaks_text_is_asked_and_answers_in_text() {
    let (broker, mut console, fleet, _directory) =
        bench(DeviceSettings { payload_format: PayloadFormat::Text, ..dock() }).await;
    console.publish("dock-1/req", b"light: on", false).await;
    console.expect("dock-1/state", |state| state["led"] == json!(true)).await;
    let done = console.expect("dock-1/resp", |_| true).await;
    assert_eq!(done, json!("SUCCESS: command ran successfully from payload: light: on"));
    assert_eq!(console.correlation, None);
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_repeated_id_is_answered_from_memory_after_the_program_restarted() {
    let (broker, mut console, fleet, directory) = bench(dock()).await;
    console.ask("dock-1", "a", "led", json!({"on": true})).await;
    let done = console.expect("dock-1/resp", |answer| answer["status"] == json!("succeeded")).await;
    fleet.stop().await;

    let fleet = switch_on(&broker, dock(), &directory);
    console.expect("dock-1/status", |status| status["online"] == json!(true)).await;
    console.ask("dock-1", "a", "led", json!({"on": true})).await;
    let again = console.expect("dock-1/resp", |_| true).await;
    assert_eq!(again, done, "the stored outcome, and no second 'accepted'");
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_restart_drops_the_connection_and_is_answered_after_coming_back() {
    let device_settings = DeviceSettings { pace: Pace { reboot: 50..=50, ..Pace::default() }, ..dock() };
    let (broker, mut console, fleet, _directory) = bench(device_settings).await;
    let changes = json!({"changes": {"buzzer": false}, "apply": "restart"});
    console.ask("dock-1", "c", "config.set", changes).await;
    console.expect("dock-1/state", |state| state["saved"]["buzzer"] == json!(false)).await;
    console.expect("dock-1/resp", |answer| answer["status"] == json!("succeeded")).await;

    console.ask("dock-1", "a", "restart", json!({"delay_ms": 20})).await;
    assert_eq!(console.expect("dock-1/resp", |_| true).await["status"], json!("accepted"));
    // In the order in which they come: the last will, the return, the new state, and only then the answer.
    let gone = console.next().await;
    assert_eq!((gone.0.as_str(), &gone.1["online"]), ("dock-1/status", &json!(false)));
    let back = console.next().await;
    assert_eq!((back.0.as_str(), &back.1["online"]), ("dock-1/status", &json!(true)));
    let state = console.next().await;
    assert_eq!(state.0, "dock-1/state");
    assert_eq!(state.1["running"]["buzzer"], json!(false), "what was saved is running now");
    let done = console.next().await;
    assert_eq!(done.1["status"], json!("succeeded"));
    assert_eq!(done.1["result"]["boot"], back.1["boot"]);
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn configuration_changes_now_or_at_the_next_restart() {
    let (broker, mut console, fleet, _directory) = bench(dock()).await;
    let check = async |console: &mut Console, id: &str, apply: &str, running: f64, saved: f64, value: f64| {
        let args = json!({"changes": {"temp_high_c": value}, "apply": apply});
        console.ask("dock-1", id, "config.set", args).await;
        let done = console.expect("dock-1/resp", |answer| answer["status"] == json!("succeeded")).await;
        assert_eq!(done["result"]["running"]["temp_high_c"], json!(running));
        assert_eq!(done["result"]["saved"]["temp_high_c"], json!(saved));
    };
    check(&mut console, "a", "restart", 8.0, 5.0, 5.0).await;
    check(&mut console, "b", "now", 6.0, 6.0, 6.0).await;
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn telemetry_comes_at_the_interval_that_was_set_and_at_once() {
    // It would measure the first time within the hour.
    let device_settings = DeviceSettings { telemetry: Some(Duration::from_secs(3_600)), ..dock() };
    let (broker, mut console, fleet, _directory) = bench(device_settings).await;
    console.ask("dock-1", "a", "telemetry.set", json!({"interval_ms": 100})).await;
    console.expect("dock-1/state", |state| state["telemetry_interval_ms"] == json!(100)).await;
    let done = console.expect("dock-1/resp", |answer| answer["status"] == json!("succeeded")).await;
    assert_eq!(done["result"], json!({"interval_ms": 100}));
    let mut at = Vec::new();
    for _ in 0..4 {
        at.push(console.expect("dock-1/telemetry", |_| true).await["at"].as_i64().expect("a time"));
    }
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 95), "no more often than asked: {at:?}");

    // The next one is due in an hour, but the first comes at once.
    console.ask("dock-1", "b", "telemetry.set", json!({"interval_ms": 3_600_000})).await;
    let set = console.expect("dock-1/resp", |answer| answer["status"] == json!("succeeded")).await;
    let set = set["at"].as_i64().expect("a time");
    console.expect("dock-1/telemetry", |measured| measured["at"].as_i64().is_some_and(|at| at >= set)).await;
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_device_that_identifies_itself_blinks_reports_it_and_says_how_far_it_is() {
    let (broker, mut console, fleet, _directory) = bench(dock()).await;
    console.ask("dock-1", "a", "identify", json!({"seconds": 2})).await;
    assert_eq!(console.expect("dock-1/resp", |_| true).await["status"], json!("accepted"));
    let blinking = console.expect("dock-1/state", |_| true).await;
    assert_eq!((&blinking["identifying"], &blinking["led"]), (&json!(true), &json!(false)));
    let heartbeat = console.expect("dock-1/resp", |_| true).await;
    assert_eq!((&heartbeat["status"], &heartbeat["progress"]), (&json!("running"), &json!(50)));
    let done = console.expect("dock-1/resp", |_| true).await;
    assert_eq!((&done["status"], &done["result"]), (&json!("succeeded"), &json!({"seconds": 2})));
    assert_eq!(console.expect("dock-1/state", |_| true).await["identifying"], json!(false));
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn expired_unknown_and_malformed_requests_are_rejected_with_a_reason() {
    let (broker, mut console, fleet, _directory) = bench(dock()).await;
    let check = async |console: &mut Console, payload: &str, id: serde_json::Value, part: &str| {
        console.publish("dock-1/req", payload.as_bytes(), false).await;
        let refused = console.expect("dock-1/resp", |_| true).await;
        assert_eq!((&refused["status"], &refused["id"]), (&json!("rejected"), &id), "{payload}");
        assert!(refused["message"].as_str().is_some_and(|why| why.contains(part)), "{refused}");
    };
    let expired = r#"{"id":"a","command":"led","args":{"on":true},"expires_at":1600000000000}"#;
    check(&mut console, expired, json!("a"), "expired").await;
    check(&mut console, r#"{"id":"b","command":"fly"}"#, json!("b"), "does not support the command 'fly'").await;
    check(&mut console, r#"{"id":"c"}"#, json!("c"), "malformed").await;
    check(&mut console, "light: on", json!(null), "malformed").await;
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_retained_request_is_not_carried_out() {
    let broker = Broker::start(16).await.expect("a broker");
    let mut console = Console::connect(&broker.url(), "").await;
    console.publish("dock-1/req", br#"{"id":"a","command":"led","args":{"on":true}}"#, true).await;
    let directory = tempfile::tempdir().expect("a directory");
    let fleet = switch_on(&broker, dock(), &directory);
    console.expect("dock-1/status", |status| status["online"] == json!(true)).await;
    console.ask("dock-1", "b", "state.get", json!({})).await;
    let first = console.expect("dock-1/resp", |_| true).await;
    assert_eq!(first["id"], json!("b"), "the retained one was not answered");
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn an_interrupted_command_is_reported_as_unknown() {
    let device_settings = DeviceSettings { pace: Pace { work: 60_000..=60_000, ..Pace::default() }, ..dock() };
    let (broker, mut console, fleet, directory) = bench(device_settings).await;
    console.ask("dock-1", "a", "led", json!({"on": true})).await;
    assert_eq!(console.expect("dock-1/resp", |_| true).await["status"], json!("accepted"));
    // No good-bye: as if the power had gone.
    drop(fleet);
    console.expect("dock-1/status", |status| status["online"] == json!(false)).await;
    let fleet = switch_on(&broker, dock(), &directory);
    let failed = console.expect("dock-1/resp", |answer| answer["status"] != json!("running")).await;
    assert_eq!((&failed["id"], &failed["status"]), (&json!("a"), &json!("failed")));
    assert!(failed["message"].as_str().is_some_and(|why| why.contains("outcome is unknown")), "{failed}");
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn commands_held_by_the_broker_are_run_after_the_device_reconnects() {
    let (broker, mut console, fleet, directory) = bench(dock()).await;
    fleet.stop().await;
    console.expect("dock-1/status", |status| status["online"] == json!(false)).await;
    console.ask("dock-1", "a", "led", json!({"on": true})).await;
    let fleet = switch_on(&broker, dock(), &directory);
    let done = console.expect("dock-1/resp", |answer| answer["status"] == json!("succeeded")).await;
    assert_eq!(done["id"], json!("a"));
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn faults_are_seen_on_the_wire() {
    let faults = Faults { duplicate: 1.0, fail: 1.0, ..Faults::default() };
    let (broker, mut console, fleet, _directory) = bench(DeviceSettings { faults, ..dock() }).await;
    console.ask("dock-1", "a", "led", json!({"on": true})).await;
    for expected in ["accepted", "accepted", "failed", "failed"] {
        assert_eq!(console.expect("dock-1/resp", |_| true).await["status"], json!(expected));
    }
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_device_that_comes_and_goes_does_so() {
    let absence = Absence { stay: 100..=100, away: 50..=50, away_first: false };
    let (broker, mut console, fleet, _directory) = bench(DeviceSettings { absence: Some(absence), ..dock() }).await;
    for online in [false, true, false, true] {
        console.expect("dock-1/status", |status| status["online"] == json!(online)).await;
    }
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_fleet_under_a_prefix_reports_and_measures() {
    let broker = Broker::start(64).await.expect("a broker");
    let mut console = Console::connect(&broker.url(), "cmd/site-7/").await;
    let devices = (1..=20).map(|number| {
        let id = DeviceId::new(format!("probe-{number:04}")).expect("a device ID");
        (DeviceSettings { telemetry: Some(Duration::from_millis(50)), ..DeviceSettings::new(id) }, Store::None)
    });
    let fleet = Fleet::start(endpoint(&broker, "cmd/site-7"), devices).expect("a fleet");
    fleet.connected(20).await;
    console.ask("probe-0020", "a", "led", json!({"on": true})).await;
    console.expect("probe-0020/resp", |answer| answer["status"] == json!("succeeded")).await;
    let measured = console.expect("probe-0007/telemetry", |_| true).await;
    for series in ["at", "temperature", "humidity", "heap", "signal"] {
        assert!(measured[series].is_number(), "{measured}");
    }
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn the_demo_fleet_lives() {
    let demo = DemoFleet::start(100, &Dials::default()).await.expect("a demo fleet");
    assert!(demo.url().starts_with("mqtt://127.0.0.1:"), "{}", demo.url());
    demo.complete().await;
    let mut console = Console::connect(&demo.url(), "").await;
    // Everything that a console which comes later learns of a fleet is retained.
    let mut known = std::collections::BTreeSet::new();
    while known.len() < demo.devices() {
        let (topic, status) = console.next().await;
        if let Some(device) = topic.strip_suffix("/status") {
            assert!(status["firmware"].is_string() && status["tags"].is_array(), "{status}");
            known.insert(device.to_owned());
        }
    }
    let first = known.first().expect("a device").clone();
    console.ask(&first, "a", "led", json!({"on": true})).await;
    console.expect(&format!("{first}/resp"), |answer| answer["status"] == json!("accepted")).await;
    console.expect(&format!("{first}/resp"), |answer| answer["status"] == json!("succeeded")).await;
    let log = log::ask(&mut console, &first, "b", json!({})).await;
    let times = log.lines().map(|line| line.split(' ').next());
    assert!(log.len() > 3_000 && times.is_sorted(), "some kilobytes, in the order of time: {log}");
    assert!(log.contains("asked {\"id\":\"a\",\"command\":\"led\",\"args\":{\"on\":true}"), "{log}");
    demo.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_says_good_bye_when_it_is_told_to_stop() {
    let broker = Broker::start(16).await.expect("a broker");
    let mut console = Console::connect(&broker.url(), "").await;
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_wilco-device"))
        .args(["--url", &broker.url(), "--id", "bench", "--count", "2", "--tag", "lab", "--telemetry-ms", "0"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    for device in ["bench-0001/status", "bench-0002/status"] {
        let status = console.expect(device, |status| status["online"] == json!(true)).await;
        assert_eq!(status["tags"], json!(["lab"]));
    }
    let told = std::process::Command::new("kill").args(["-TERM", &program.id().to_string()]).status();
    assert!(told.is_ok_and(|status| status.success()));
    for device in ["bench-0001/status", "bench-0002/status"] {
        console.expect(device, |status| status["online"] == json!(false)).await;
    }
    let ended = tokio::task::spawn_blocking(move || program.wait()).await.expect("waited");
    assert!(ended.is_ok_and(|status| status.success()));
    broker.stop().await;
}
