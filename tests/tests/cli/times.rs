//! Answer times of a real fleet, as the real program prints them.

use anyhow::Result;
use serde_json::Value;
use wilco_tests::{Broker, Fleet};

use crate::bench::Bench;

#[test]
fn answer_times_are_listed_by_command_device_and_firmware_and_suggest_a_timeout() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    assert!(bench.run(&["times", "-c", "bench"])?.ended(0)?.out.contains("No device of bench has answered a command"));
    let _fast = Fleet::start(&broker, "fast", 20, &["--firmware", "2.0"])?;
    let _slow = Fleet::start(&broker, "slow", 5, &["--firmware", "1.9", "--work-ms", "800"])?;
    let start = ["rollout", "start", "-c", "bench", "--search", "fast or slow", "--output", "json", "led", "on=true"];
    let said = bench.run(&start)?.ended(0)?;
    let number = said.lines()?[0]["rollout"].to_string();

    let times = |arguments: &[&str]| -> Result<Vec<Value>> {
        bench.run(&[&["times", "-c", "bench", "--output", "json"], arguments].concat())?.ended(0)?.lines()
    };
    let by_command = times(&[])?;
    let [led] = by_command.as_slice() else { panic!("{by_command:?}") };
    assert_eq!((&led["name"], &led["count"]), (&Value::from("led"), &Value::from(25)));
    let ms = |of: &Value, name: &str| of[name].as_f64().unwrap_or_else(|| panic!("no {name}: {of}"));
    assert!(ms(led, "p50_ms") < 800.0 && ms(led, "p95_ms") >= 800.0 && ms(led, "max_ms") >= ms(led, "p99_ms"), "{led}");
    assert!(ms(led, "suggested_timeout_ms") >= ms(led, "p99_ms") * 3.0, "{led}");
    let table = bench.run(&["times", "-c", "bench"])?.ended(0)?.out;
    assert!(table.contains("SUGGESTED TIMEOUT"), "{table}");

    let by_firmware = times(&["--by", "firmware"])?;
    let firmware: Vec<_> = by_firmware.iter().map(|line| (line["name"].as_str(), line["count"].as_u64())).collect();
    assert_eq!(firmware, [(Some("1.9"), Some(5)), (Some("2.0"), Some(20))]);
    let by_device = times(&["--by", "device", "--limit", "5"])?;
    let slowest: Vec<_> = by_device.iter().filter_map(|line| line["name"].as_str()).collect();
    assert!(slowest.len() == 5 && slowest.iter().all(|device| device.starts_with("slow-")), "{slowest:?}");
    let one = times(&["--device", "slow-0001"])?;
    assert!(one.len() == 1 && one[0]["count"] == 1 && one[0]["suggested_timeout_ms"].is_null(), "{one:?}");

    let number = number.trim_matches('"');
    let detail = bench.run(&["rollout", "show", number, "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let slow = &detail["slow"];
    assert_eq!((&slow["count"], &slow["shared"][0]["search"]), (&5.into(), &"firmware:=1.9".into()), "{detail}");
    assert_eq!((&slow["shared"][0]["slow_with"], &slow["shared"][0]["quick_with"]), (&5.into(), &0.into()), "{slow}");
    let shown = bench.run(&["rollout", "show", number])?.ended(0)?.out;
    assert!(shown.contains("Firmware 1.9: 5 of 5 devices that took longer than "), "{shown}");
    assert!(shown.contains("Firmware 1.9: 5 answers, p50 ") && shown.contains("Firmware 2.0: 20 answers"), "{shown}");
    Ok(())
}
