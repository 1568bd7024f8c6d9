//! Each fault of a fleet as a console sees it; and the same seed repeats a run.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use wilco_device::{
    broker::Broker,
    device_settings::DeviceSettings,
    dials::Dials,
    faults::{Faults, Pace},
    fleet::Fleet,
    store::Store,
};
use wilco_ledger::DeviceId;

use super::{console::Console, endpoint};

/// Nothing more is to come after this.
const QUIET: Duration = Duration::from_millis(1_500);

fn pumps(count: usize) -> Vec<DeviceSettings> {
    let pump = |n| DeviceSettings {
        telemetry: None,
        pace: Pace { work: 20..=20, reboot: 50..=50, ..Pace::default() },
        ..DeviceSettings::new(DeviceId::new(format!("pump-{n:02}")).expect("a device ID"))
    };
    (0..count).map(pump).collect()
}

/// A broker, a console and devices that are online, with these faults.
async fn fleet(count: usize, dials: &Dials) -> (Broker, Console, Fleet) {
    let broker = Broker::start(64).await.expect("a broker");
    let mut console = Console::connect(&broker.url(), "").await;
    let devices = dials.turn(pumps(count)).into_iter().map(|device_settings| (device_settings, Store::None));
    let fleet = Fleet::start(endpoint(&broker, ""), devices).expect("a fleet");
    for n in 0..count {
        console.expect(&format!("pump-{n:02}/status"), |status| status["online"] == json!(true)).await;
    }
    (broker, console, fleet)
}

/// The answers of one device with one fault to one command.
async fn answers(faults: Faults) -> Vec<Value> {
    let (broker, mut console, fleet) = fleet(1, &Dials { faults, ..Dials::default() }).await;
    console.ask("pump-00", "a", "led", json!({"on": true})).await;
    let heard = console.rest(QUIET).await;
    fleet.stop().await;
    broker.stop().await;
    heard.into_iter().filter(|(topic, _)| topic == "pump-00/resp").map(|(_, answer)| answer).collect()
}

fn statuses(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|answer| answer["status"].as_str().unwrap_or("unreadable")).collect()
}

#[tokio::test]
async fn each_dial_does_what_it_says() {
    let none = Faults::default();
    assert_eq!(statuses(&answers(none.clone()).await), ["accepted", "succeeded"]);
    assert!(answers(Faults { drop: 1.0, ..none.clone() }).await.is_empty());
    let twice = answers(Faults { duplicate: 1.0, ..none.clone() }).await;
    assert_eq!(statuses(&twice), ["accepted", "accepted", "succeeded", "succeeded"]);
    let unmatched = answers(Faults { wrong_id: 1.0, ..none.clone() }).await;
    assert!(unmatched.len() == 2 && unmatched.iter().all(|answer| answer["id"] != json!("a")), "{unmatched:?}");
    let cut = answers(Faults { malformed: 1.0, ..none.clone() }).await;
    assert_eq!(statuses(&cut), ["unreadable", "unreadable"]);
    assert_eq!(statuses(&answers(Faults { fail: 1.0, ..none.clone() }).await), ["accepted", "failed"]);
    let restarted = answers(Faults { restart: 1.0, ..none.clone() }).await;
    assert_eq!(statuses(&restarted), ["accepted", "failed"]);
    assert!(restarted[1]["message"].as_str().is_some_and(|why| why.contains("outcome is unknown")), "{restarted:?}");
    // Twenty times as long, so it says how far it is.
    let slow = answers(Faults { slow: 1.0, ..none }).await;
    assert_eq!(statuses(&slow), ["accepted", "running", "running", "running", "succeeded"]);
}

#[tokio::test]
async fn the_network_delays_answers_and_devices_come_and_go() {
    let dials = Dials { delay: 600..=600, offline: 0.5, seed: 3, ..Dials::default() };
    let all: Vec<_> = dials.turn(pumps(40));
    let away = all.iter().filter(|device_settings| device_settings.absence.is_some()).count();
    assert!((30..=40).contains(&away), "each that comes and goes is away half of the time: {away}");
    let (broker, mut console, fleet) = fleet(1, &Dials { offline: 0.0, ..dials }).await;
    let asked = tokio::time::Instant::now();
    console.ask("pump-00", "a", "led", json!({"on": true})).await;
    console.expect("pump-00/resp", |answer| answer["status"] == json!("succeeded")).await;
    assert!(asked.elapsed() >= Duration::from_millis(600), "{:?}", asked.elapsed());
    fleet.stop().await;
    broker.stop().await;
}

/// The answers of each device, in order: how many, and what they said.
async fn run(seed: u64) -> BTreeMap<String, Vec<String>> {
    let faults = Faults {
        fail: 0.3,
        drop: 0.2,
        duplicate: 0.2,
        wrong_id: 0.1,
        malformed: 0.1,
        restart: 0.1,
        ..Faults::default()
    };
    let (broker, mut console, fleet) = fleet(30, &Dials { faults, seed, ..Dials::default() }).await;
    for n in 0..30 {
        console.ask(&format!("pump-{n:02}"), "a", "led", json!({"on": true})).await;
    }
    let mut said = BTreeMap::<_, Vec<_>>::new();
    for (topic, answer) in console.rest(QUIET).await {
        if let Some(device) = topic.strip_suffix("/resp") {
            let word = answer["status"].as_str().unwrap_or("unreadable");
            let unmatched = if answer["id"] == json!("a") { "" } else { " of another" };
            said.entry(device.to_owned()).or_default().push(format!("{word}{unmatched}"));
        }
    }
    fleet.stop().await;
    broker.stop().await;
    said
}

#[tokio::test]
async fn the_same_seed_causes_the_same_faults() {
    let first = run(7).await;
    assert!(first.len() > 20, "{first:?}");
    assert!(first.values().flatten().any(|said| said == "failed") && first.values().any(|said| said.len() > 2));
    assert_eq!(first, run(7).await);
    assert_ne!(first, run(8).await);
}
