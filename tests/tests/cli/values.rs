//! Values keep their digits, from the command line to the broker and from a device's answer to every output.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, soon};

use crate::bench::Bench;

/// Longest wait for something that ought to happen at once. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Numbers that a double would alter, or write otherwise.
const NUMBERS: [&str; 6] = [
    "1e10",
    "1.50",
    "-0.0",
    "9007199254740993",
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
];

#[test]
fn every_digit_reaches_the_device_and_comes_back() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let requests = broker.listen("press/req")?;
    let list = format!("[{}]", NUMBERS.join(","));
    let pairs: Vec<String> = (0..).zip(NUMBERS).map(|(place, number)| format!("n{place}={number}")).collect();
    let args = format!("{{\"list\":{list}}}");
    let mut order = vec!["send", "-c", "bench", "-d", "press", "--timeout", "60s", "tune", "--args", &args];
    order.extend(pairs.iter().map(String::as_str));
    let mut send = bench.start(&order)?;
    let request = soon("request", PATIENCE, || Some(requests.log().lines().next()?.split_once(' ')?.1.to_owned()))?;
    for (place, number) in (0..).zip(NUMBERS) {
        ensure!(request.contains(&format!("\"n{place}\":{number}")), "{number}: {request}");
    }
    ensure!(request.contains(&format!("\"list\":{list}")), "{request}");

    let read: Value = serde_json::from_str(&request)?;
    let answer = format!("{{\"id\":{},\"status\":\"succeeded\",\"result\":{{\"was\":{list}}}}}", read["id"]);
    broker.publish("press/resp", answer.as_bytes(), false)?;
    ensure!(soon("end", PATIENCE, || send.ended())?.code() == Some(0), "{}", send.log());
    for format in ["table", "json", "csv"] {
        let said = bench.run(&["history", "-c", "bench", "--format", format])?.ended(0)?.out;
        // CSV doubles the quotes within a cell.
        let said = said.replace("\"\"", "\"");
        ensure!(said.contains(&format!("\"was\":{list}")), "{format}: {said}");
        ensure!(format == "table" || said.contains(&format!("\"list\":{list}")), "{format}: {said}");
    }
    Ok(())
}

/// A connection with devices of other firmware: a number of Home Assistant, and a lamp behind a Zigbee2MQTT bridge.
fn other_firmware(broker: &Broker) -> Result<Bench> {
    let level = json!({"name": "Level", "unique_id": "level", "command_topic": "tank/level/set", "state_topic": "tank/level",
        "min": -1e31, "max": 1e31, "step": 0, "device": {"identifiers": ["tank"]}});
    broker.publish("homeassistant/number/tank/level/config", level.to_string().as_bytes(), true)?;
    // The coordinator is the bridge.
    let devices = json!([
        {"ieee_address": "0x00", "friendly_name": "Coordinator", "type": "Coordinator"},
        {"ieee_address": "0x01", "friendly_name": "lamp", "type": "Router", "definition": {"exposes": []}},
    ]);
    broker.publish("zigbee2mqtt/bridge/devices", devices.to_string().as_bytes(), true)?;
    let bench = Bench::new()?;
    let url = broker.url();
    let add = ["connections", "add", "bench", "--url", &url, "--dialect", "homeassistant", "--dialect", "zigbee2mqtt"];
    bench.run(&add)?.ended(0)?;
    Ok(bench)
}

#[test]
fn every_digit_reaches_other_firmware_and_comes_back() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = other_firmware(&broker)?;
    let requests = broker.listen("+/+/set")?;
    let bridge = broker.listen("zigbee2mqtt/bridge/request/#")?;
    let sends = |order: &[&str]| {
        let order: Vec<&str> = ["send", "-c", "bench", "--timeout", "60s", "-d"].iter().chain(order).copied().collect();
        bench.start(&order)
    };
    let received = |log: &dyn Fn() -> String, number: usize| {
        soon("request", PATIENCE, || Some(log().lines().nth(number)?.split_once(' ')?.1.to_owned()))
    };
    let list = format!("[{}]", NUMBERS.join(","));

    // The number alone is the payload, and the report.
    for (place, number) in NUMBERS.into_iter().take(4).enumerate() {
        let mut send = sends(&["tank", "Level", &format!("value={number}")])?;
        let request = received(&|| requests.log(), place)?;
        ensure!(request == number, "{number}: {request}");
        broker.publish("tank/level", number.as_bytes(), false)?;
        ensure!(soon("end", PATIENCE, || send.ended())?.code() == Some(0), "{number}: {}", send.log());
    }

    // All of it is the payload, and each of it must be reported.
    let args = format!("{{\"list\":{list},\"level\":{}}}", NUMBERS[4]);
    let mut send = sends(&["lamp", "set", "--args", &args])?;
    let request = received(&|| requests.log(), 4)?;
    ensure!(request == args, "{request}");
    broker.publish("zigbee2mqtt/lamp", args.as_bytes(), false)?;
    ensure!(soon("end", PATIENCE, || send.ended())?.code() == Some(0), "{}", send.log());

    // An answer with a result.
    let mut send = sends(&["bridge", "bridge/options", "--args", &format!("{{\"options\":{list}}}")])?;
    let request = received(&|| bridge.log(), 0)?;
    ensure!(request.contains(&format!("\"options\":{list}")), "{request}");
    let read: Value = serde_json::from_str(&request)?;
    let answer = format!("{{\"data\":{{\"was\":{list}}},\"status\":\"ok\",\"transaction\":{}}}", read["transaction"]);
    broker.publish("zigbee2mqtt/bridge/response/options", answer.as_bytes(), false)?;
    ensure!(soon("end", PATIENCE, || send.ended())?.code() == Some(0), "{}", send.log());
    let history = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.out;
    for part in [format!("\"was\":{list}"), format!("\"options\":{list}"), format!("\"list\":{list}")] {
        ensure!(history.contains(&part), "{part}: {history}");
    }
    Ok(())
}

#[test]
fn a_whole_number_that_is_one_off_is_not_the_one_that_was_requested() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = other_firmware(&broker)?;
    let requests = broker.listen("tank/level/set")?;
    for (reported, is_it) in [("1795438801", false), ("1795438800.0", true)] {
        let before = requests.log().len();
        let order = ["send", "-c", "bench", "-d", "tank", "--timeout", "5s", "Level", "value=1795438800"];
        let mut send = bench.start(&order)?;
        soon("request", PATIENCE, || (requests.log().len() > before).then_some(()))?;
        broker.publish("tank/level", reported.as_bytes(), false)?;
        let ended = soon("end", PATIENCE, || send.ended())?;
        ensure!((ended.code() == Some(0)) == is_it, "{reported}: {}", send.log());
    }
    Ok(())
}

#[test]
fn a_report_that_cannot_be_read_is_told_when_the_command_times_out() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = other_firmware(&broker)?;
    let requests = broker.listen("zigbee2mqtt/lamp/set")?;
    let order = ["send", "-c", "bench", "-d", "lamp", "--timeout", "5s", "--output", "json", "set", "--args"];
    let order: Vec<&str> = order.into_iter().chain([r#"{"level":7}"#]).collect();
    let mut send = bench.start(&order)?;
    soon("request", PATIENCE, || requests.log().contains("level").then_some(()))?;
    broker.publish("zigbee2mqtt/lamp", br#"{"level":7,"state":"O"#, false)?;
    ensure!(soon("end", PATIENCE, || send.ended())?.code() != Some(0), "{}", send.log());
    let history = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.lines()?;
    let [command] = history.as_slice() else { anyhow::bail!("{history:?}") };
    let message = command["message"].as_str().unwrap_or_default();
    ensure!(message.contains("The device did not report level = 7 within"), "{command}");
    ensure!(message.contains("a report could not be read. It is not valid JSON"), "{command}");
    ensure!(command["unreadable"]["count"] == 1, "{command}");
    Ok(())
}

#[test]
fn a_key_that_is_there_twice_is_refused_and_nothing_is_sent() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let requests = broker.listen("press/req")?;
    for wrong in [r#"{"a":1,"a":2}"#, r#"{"x":{"a":1,"b":[{"c":1,"c":1}]}}"#] {
        bench.run(&["send", "-c", "bench", "-d", "press", "tune", "--args", wrong])?.ended(2)?;
        bench.run(&["rollout", "start", "-c", "bench", "-d", "press", "tune", "--args", wrong])?.ended(2)?;
        bench.run(&["send", "-c", "bench", "-d", "press", "tune", &format!("v={wrong}")])?.ended(2)?;
    }
    ensure!(requests.log().is_empty(), "{}", requests.log());
    Ok(())
}
