#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use serde_json::{Value, json};

use crate::{
    Handle,
    api::{EvidenceOf, FileToWrite, NewCommand, NewDevice},
    console::fixture::{engine, plant},
};

/// The commands of a file about `pump-7`, and who sent some, each with its kind and the beginning of its text.
async fn saved(handle: &Handle, connection: &str, since: i64, until: i64) -> Vec<(String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pump-7.wilco-evidence");
    let of = EvidenceOf::Device {
        connection: connection.to_owned(),
        device: "pump-7".into(),
        since: Some(since),
        until: Some(until),
    };
    handle.save_evidence(of, FileToWrite::from(path.clone())).await.unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let records = text.lines().skip(1).filter_map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        record.get("record").map(|_| (word("record"), word("text")))
    });
    let records = records.filter(|(kind, text)| kind == "command" || kind == "audit" && text.starts_with("Sent"));
    records.map(|(kind, text)| (kind, text.split(": ").next().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn a_device_has_every_command_that_was_under_way_in_the_span_and_who_sent_it() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    let devices = ["pump-7", "pump-70"].map(|device| NewDevice { device: device.into(), ..NewDevice::default() });
    handle.add_devices(&connection, devices.to_vec()).await.unwrap();
    let before = handle.clock.now().0;
    let send = |device: &str| NewCommand {
        connection: connection.clone(),
        devices: vec![device.to_owned()],
        command: "led".into(),
        args: json!({ "on": true }).into(),
        ..NewCommand::default()
    };
    let id = handle.send(send("pump-7")).await.unwrap().ids.remove(0);
    handle.send(send("pump-70")).await.unwrap();
    let sent = ("command".to_owned(), r#"led {"on":true}"#.to_owned());
    let entry = ("audit".to_owned(), "Sent led to pump-7".to_owned());
    let after = handle.clock.now().0 + 1_000;
    assert_eq!(saved(&handle, &connection, before, after).await, [sent.clone(), entry]);
    // It was sent before the span, and has not ended.
    assert_eq!(saved(&handle, &connection, after, after + 1_000).await, [sent]);
    handle.cancel(&connection, "pump-7", &id).await.unwrap();
    assert_eq!(saved(&handle, &connection, after + 60_000, after + 61_000).await, []);
    engine.stop().await;
}
