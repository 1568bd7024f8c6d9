//! Names that look alike are different names, in every place.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, soon};

use crate::bench::Bench;

/// Longest wait for something that ought to happen at once. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each is another device: with a space at either end, with a character of no width, and in two forms of one letter.
const ALIKE: [&str; 6] = ["pump", "pump ", " pump", "pu\u{200b}mp", "caf\u{e9}", "cafe\u{301}"];

#[test]
fn devices_whose_ids_look_alike_are_never_taken_for_each_other() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    for device in ALIKE {
        broker.publish(&format!("{device}/status"), br#"{"online":true}"#, true)?;
    }
    let listed = |bench: &Bench| -> Result<Vec<String>> {
        let lines = bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
        let mut ids: Vec<String> = lines.iter().filter_map(|line| line["device"].as_str()).map(str::to_owned).collect();
        ids.sort();
        Ok(ids)
    };
    let mut expected = ALIKE.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(listed(&bench)?, expected);
    let table = bench.run(&["devices", "-c", "bench"])?.ended(0)?.out;
    for shown in ["pump ", "pump␣", "␣pump", "pu\\u{200b}mp", "caf\u{e9}", "cafe\\u{301}"] {
        ensure!(table.lines().any(|line| line.starts_with(shown)), "{shown:?}: {table}");
    }

    let requests = broker.listen("+/req")?;
    for (number, device) in (1..).zip(ALIKE) {
        let mut send = bench.start(&["send", "-c", "bench", "-d", device, "--timeout", "60s", "led", "on=true"])?;
        let (topic, id) = soon("request", PATIENCE, || {
            let log = requests.log();
            let (topic, payload) = log.lines().nth(number - 1)?.split_once("/req ")?;
            let request: Value = serde_json::from_str(payload).ok()?;
            Some((topic.to_owned(), request["id"].as_str()?.to_owned()))
        })?;
        assert_eq!(topic, device);
        let answer = json!({"id": id, "status": "succeeded"}).to_string();
        // From one that looks alike it is no answer.
        for other in ALIKE.into_iter().filter(|other| *other != device) {
            broker.publish(&format!("{other}/resp"), answer.replace("succeeded", "failed").as_bytes(), false)?;
        }
        broker.publish(&format!("{device}/resp"), answer.as_bytes(), false)?;
        ensure!(soon("end", PATIENCE, || send.ended())?.code() == Some(0), "{device:?}: {}", send.log());
    }
    for device in ALIKE {
        let lines =
            bench.run(&["history", "-c", "bench", "--device", device, "--format", "json"])?.ended(0)?.lines()?;
        let own = lines.iter().filter(|line| line["device"] == device && line["state"] == "succeeded").count();
        assert_eq!((lines.len(), own), (1, 1), "{device:?}: {lines:?}");
    }

    // What the broker has kept would bring it back.
    broker.clear("pump /status")?;
    bench.run(&["devices", "forget", "-c", "bench", "-d", "pump ", "--yes"])?.ended(0)?;
    expected.retain(|device| device != "pump ");
    assert_eq!(listed(&bench)?, expected);
    Ok(())
}
