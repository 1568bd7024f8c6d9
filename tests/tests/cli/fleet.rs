//! A fleet of 2,000 devices from the command line: a search, a rollout in stages that halts by itself, common traits of its
//! failed devices, the retry, and what was changed is put back.

use anyhow::{Context, Result};
use serde_json::Value;
use wilco_tests::{Broker, Fleet};

use crate::{
    bench::{Bench, ProgramOutput},
    rollouts::{count, requests},
};

/// The last line of a rollout that was followed to its end.
fn last_line(said: &ProgramOutput) -> Result<Value> {
    said.lines()?.pop().context("nothing was printed")
}

#[test]
fn a_fleet_of_thousands_is_steered_from_the_command_line() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _pumps = Fleet::start(&broker, "pump", 1_940, &["--firmware", "2.2.0"])?;
    let _lab = Fleet::start(&broker, "spare", 20, &["--firmware", "2.2.0", "--tag", "lab"])?;
    let broken = Fleet::start(&broker, "hall", 40, &["--firmware", "2.3.0", "--fail", "1"])?;
    let heard = broker.listen("+/req")?;
    let requested = |stem: &str| requests(&heard).iter().filter(|(device, _)| device.starts_with(stem)).count();

    // Everything but the laboratory, which is 1,980 devices.
    let start = ["rollout", "start", "-c", "bench", "--search=-tag:lab", "--expect", "1980", "--output", "json"];
    let stages = ["--stages", "100,100%", "--halt-above", "5%", "--halt-after", "20", "led", "on=true"];
    let halted = last_line(&bench.run(&[&start[..], &stages[..]].concat())?.ended(1)?)?;
    assert_eq!((halted["state"].as_str(), &halted["stage"]), (Some("halted"), &Value::from(1)), "{halted}");
    let failed = count(&halted, "failed");
    assert!(failed >= 2 && count(&halted, "pending") >= 1_880, "{halted}");
    let released = requested("pump");
    assert!(released <= 60 && requested("spare") == 0, "{}", heard.log());

    let shown = bench.run(&["rollout", "show", "1", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let shared = &shown["shared"][0];
    assert_eq!((&shared["search"], &shared["succeeded_with"]), (&"firmware:=2.3.0".into(), &0.into()), "{shared}");
    assert_eq!((shared["failed_with"].as_u64(), shared["failed"].as_u64()), (Some(failed), Some(failed)), "{shared}");

    // The cause is fixed; the failed ones alone are sent it again.
    drop(broken);
    let _fixed = Fleet::start(&broker, "hall", 40, &["--firmware", "2.3.1"])?;
    let retried = last_line(&bench.run(&["rollout", "retry", "1", "--output", "json"])?.ended(0)?)?;
    assert_eq!((&retried["follows"], count(&retried, "succeeded")), (&"1".into(), failed), "{retried}");
    assert_eq!(requested("pump"), released, "{}", heard.log());

    let all = ["rollout", "start", "-c", "bench", "--search", "", "--expect", "2000", "--output", "json"];
    let change = ["config.set", "apply=now", "changes={\"temp_high_c\":9.5}"];
    let changed = last_line(&bench.run(&[&all[..], &change[..]].concat())?.ended(0)?)?;
    assert_eq!(count(&changed, "succeeded"), 2_000, "{changed}");
    assert!(broker.first("pump-1940/state", 5)?.contains("\"temp_high_c\":9.5"));
    let put_back = last_line(&bench.run(&["rollout", "put-back", "3", "--output", "json"])?.ended(0)?)?;
    assert_eq!((&put_back["follows"], count(&put_back, "succeeded")), (&"3".into(), 2_000), "{put_back}");
    for device in ["pump-1940", "hall-0001", "spare-0020"] {
        let state = broker.first(&format!("{device}/state"), 5)?;
        assert!(state.contains("\"temp_high_c\":8.0"), "{device}: {state}");
    }
    Ok(())
}
