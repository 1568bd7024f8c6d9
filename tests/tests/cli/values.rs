//! Values keep their digits, from the command line to the broker and from a device's answer to every output.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
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
