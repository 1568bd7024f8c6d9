//! A device's log, requested and assembled.

use serde_json::{Value, json};
use wilco_device::{device_settings::DeviceSettings, faults::Faults};
use wilco_dialect::{DecodedMessage, Dialect, Inbound, LogChunk, LogProgress, LogReceipt, Topics};

use crate::{bench, console::Console, dock, switch_on};

/// What AWS, the narrowest of brokers, carries is twice as much.
const LARGEST_PAYLOAD: usize = 64_000;

/// The whole log of a device, checked.
pub(crate) async fn ask(console: &mut Console, device: &str, id: &str, args: Value) -> String {
    console.ask(device, id, "log.get", args).await;
    let done = console.expect(&format!("{device}/resp"), |answer| answer["status"] == json!("succeeded")).await;
    let receipt = LogReceipt::of(&done["result"]);
    let mut chunks = Vec::new();
    for number in 1..=receipt.chunks.expect("how many") {
        let chunk = next_chunk(console, device).await;
        assert_eq!((chunk.id.as_str(), chunk.number), (id, number));
        assert_eq!(console.correlation.as_deref(), Some(id));
        chunks.push(chunk);
    }
    match LogProgress::of(&chunks, Some(&receipt)) {
        LogProgress::Complete { text, .. } => text,
        other => panic!("no complete log: {other:?}"),
    }
}

async fn next_chunk(console: &mut Console, device: &str) -> LogChunk {
    let topic = format!("{device}/log");
    let payload = console.expect(&topic, |_| true).await.to_string();
    assert!(payload.len() < LARGEST_PAYLOAD);
    let payload = payload.as_bytes();
    let inbound = Inbound { topic: &topic, payload, qos: 1, retained: false, correlation: None };
    match Dialect::Wilco(Topics::default()).decode(&inbound) {
        Ok(Some(DecodedMessage::Log { chunk, .. })) => chunk,
        other => panic!("no piece of a log: {other:?}"),
    }
}

#[tokio::test]
async fn the_log_tells_what_the_device_did_also_before_it_was_switched_off() {
    let (broker, mut console, fleet, directory) = bench(dock()).await;
    console.ask("dock-1", "a", "led", json!({"on": true})).await;
    console.expect("dock-1/resp", |answer| answer["status"] == json!("succeeded")).await;
    fleet.stop().await;
    let fleet = switch_on(&broker, dock(), &directory);
    console.expect("dock-1/status", |status| status["online"] == json!(true)).await;
    console.publish("dock-1/req", b"two\nlines", false).await;
    console.expect("dock-1/resp", |answer| answer["status"] == json!("rejected")).await;

    let log = ask(&mut console, "dock-1", "b", json!({})).await;
    let told = [
        "INFO  switched on, firmware ",
        "INFO  connected",
        "INFO  asked {\"id\":\"a\",\"command\":\"led\",\"args\":{\"on\":true}",
        "INFO  answers a: succeeded",
        "INFO  switched off",
        "INFO  switched on, firmware ",
        "INFO  asked two\\nlines",
        "INFO  answers a request without an ID: rejected: This request is malformed",
        "\"command\":\"log.get\"",
    ];
    let mut lines = log.lines();
    for part in told {
        assert!(lines.any(|line| line.contains(part)), "{part}, and in this order: {log}");
    }
    let last = ask(&mut console, "dock-1", "c", json!({"lines": 2})).await;
    assert_eq!(last.lines().count(), 2);
    assert!(last.contains("answers c: accepted"), "{last}");
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_long_log_comes_in_pieces_and_a_lost_one_is_named() {
    let (broker, mut console, fleet, directory) = bench(dock()).await;
    let file = directory.path().join("dock-1.log");
    let line = |number: u32| format!("2026-11-23T12:00:00.000Z INFO  \"line\" {number:05} — ä\n");
    std::fs::write(&file, (0..2_000).map(line).collect::<String>()).expect("written");
    let log = ask(&mut console, "dock-1", "a", json!({})).await;
    assert!(log.starts_with(&line(0)) && log.contains(&line(1_999)), "all that was in the file");

    console.ask("dock-1", "b", "log.get", json!({})).await;
    let done = console.expect("dock-1/resp", |answer| answer["status"] == json!("succeeded")).await;
    let receipt = LogReceipt::of(&done["result"]);
    let of = receipt.chunks.expect("how many");
    assert!(of >= 3, "{of}");
    let mut chunks = Vec::new();
    for _ in 1..=of {
        chunks.push(next_chunk(&mut console, "dock-1").await);
    }
    chunks.retain(|chunk| chunk.number != 2);
    let standing = LogProgress::of(&chunks, Some(&receipt));
    assert_eq!(standing.to_string(), format!("Received {} of {of} chunks; missing: 2.", of - 1));
    fleet.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_doubled_piece_is_noticed_and_does_no_harm() {
    let faults = Faults { duplicate: 1.0, ..Faults::default() };
    let device_settings = DeviceSettings { faults, ..dock() };
    let (broker, mut console, fleet, _directory) = bench(device_settings).await;
    console.ask("dock-1", "a", "log.get", json!({})).await;
    let chunks = [next_chunk(&mut console, "dock-1").await, next_chunk(&mut console, "dock-1").await];
    assert_eq!(chunks[0], chunks[1]);
    let standing = LogProgress::of(&chunks, None);
    assert!(matches!(standing, LogProgress::Complete { .. }), "the last piece says the checksum: {standing:?}");
    fleet.stop().await;
    broker.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_log_that_cannot_be_read_is_a_failure_with_a_reason() {
    let (broker, mut console, fleet, directory) = bench(dock()).await;
    let file = directory.path().join("dock-1.log");
    std::fs::remove_file(&file).expect("removed");
    std::fs::create_dir(&file).expect("a directory in its place");
    console.ask("dock-1", "a", "log.get", json!({})).await;
    let failed = console.expect("dock-1/resp", |answer| answer["status"] != json!("accepted")).await;
    assert_eq!(failed["status"], json!("failed"), "and the device works on");
    assert!(failed["message"].as_str().is_some_and(|why| why.starts_with("The device cannot read its log (")));
    fleet.stop().await;
    broker.stop().await;
}
