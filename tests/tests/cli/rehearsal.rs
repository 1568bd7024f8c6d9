//! Rehearsals: the same rollout on virtual devices inside the program; the real broker and its devices receive nothing.

use anyhow::{Context, Result};
use serde_json::Value;
use wilco_tests::{Broker, Fleet};

use crate::bench::Bench;

/// Everything that a device could be asked by.
const REQUESTS: [&str; 3] = ["+/req", "all/req", "groups/+/req"];

fn count(line: &Value, state: &str) -> u64 {
    line["counts"][state].as_u64().unwrap_or_else(|| panic!("no count of {state}: {line}"))
}

#[test]
fn a_rehearsal_runs_on_virtual_devices_and_sends_nothing_to_real_ones() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 12, &[])?;
    let heard = REQUESTS.map(|filter| broker.listen(filter));
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--stages", "3,100%", "--rehearse"];
    let json = bench.run(&[&start[..], &["--output", "json", "led", "on=true"]].concat())?.ended(0)?.lines()?;
    assert!(json.iter().all(|line| line["rehearsal"] == true), "{json:?}");
    let last = json.last().context("nothing was told")?;
    assert_eq!((last["state"].as_str(), count(last, "succeeded")), (Some("finished"), 12), "{last}");
    assert_eq!((&last["ended"], &last["stages"]), (&Value::from(true), &Value::from(2)));

    let text = bench.run(&[&start[..], &["--pause-between", "10m", "led", "on=false"]].concat())?.ended(0)?.out;
    assert!(text.starts_with("Rehearsal on 12 virtual devices."), "{text}");
    assert!(text.contains("12 succeeded") && text.contains("pauses between stages: about 10 min"), "{text}");
    assert!(text.ends_with("Nothing was sent to real devices.\n"), "{text}");
    assert!(text.lines().skip(1).all(|line| !line.contains("  stage ") || line.contains("rehearsal")), "{text}");

    for heard in heard {
        assert_eq!(heard?.log(), "", "a real device was asked");
    }
    assert!(bench.run(&["rollout", "list", "--output", "json"])?.ended(0)?.out.is_empty());
    assert!(bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.out.is_empty());
    Ok(())
}

#[test]
fn a_rehearsal_with_failing_devices_halts_as_the_real_rollout_does() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _fleet = Fleet::start(&broker, "pump", 20, &["--fail", "1"])?;
    let heard = broker.listen("+/req")?;
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--stages", "4,100%", "--in-flight", "1"];
    let halt = ["--halt-above", "5%", "--halt-after", "2", "--output", "json", "led", "on=true"];
    let rehearse = ["--rehearse", "--faults", "fail=1", "--seed", "7"];
    let outcome = |lines: Vec<Value>| -> Result<_> {
        let last = lines.last().context("nothing was told")?.clone();
        let why = last["why"].as_str().unwrap_or_default().to_owned();
        Ok((last["state"].clone(), count(&last, "failed"), count(&last, "pending"), last["stage"].clone(), why))
    };
    let rehearsed = bench.run(&[&start[..], &rehearse[..], &halt[..]].concat())?.ended(1)?.lines()?;
    assert_eq!(heard.log(), "", "a real device was asked");
    let rehearsed = outcome(rehearsed)?;
    assert_eq!((&rehearsed.0, rehearsed.1, rehearsed.2), (&Value::from("halted"), 2, 18), "{rehearsed:?}");
    let real = bench.run(&[&start[..], &halt[..]].concat())?.ended(1)?.lines()?;
    assert_eq!(rehearsed, outcome(real)?);
    Ok(())
}

#[test]
fn rehearsed_devices_take_as_long_as_the_real_ones_and_know_their_commands() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let fleet = Fleet::start(&broker, "pump", 5, &["--work-ms", "400"])?;
    let start = ["rollout", "start", "-c", "bench", "--search", "pump", "--output", "json"];
    let led = ["led", "on=true"];
    bench.run(&[&start[..], &led[..]].concat())?.ended(0)?;
    drop(fleet);
    // They are away now, and their commands would be held.
    let rehearsed = bench.run(&[&start[..], &["--rehearse"], &led[..]].concat())?.ended(1)?.lines()?;
    let last = rehearsed.last().context("nothing was told")?;
    assert_eq!((&last["waiting_for_offline"], count(last, "held")), (&Value::from(5), 5), "{last}");

    let _fleet = Fleet::start(&broker, "pump", 5, &[])?;
    let rehearsed = bench.run(&[&start[..], &["--rehearse"], &led[..]].concat())?.ended(0)?.lines()?;
    let p50 = rehearsed.last().and_then(|last| last["answer_times"]["p50_ms"].as_f64()).context("no times")?;
    assert!((400.0..1_500.0).contains(&p50), "{p50} ms");
    // The reference device does not know it, so only a rehearsal succeeds.
    let rehearsed = bench.run(&[&start[..], &["--rehearse", "flush", "valve=2"]].concat())?.ended(0)?.lines()?;
    assert_eq!(rehearsed.last().map(|last| count(last, "succeeded")), Some(5));
    bench.run(&[&start[..], &["--faults", "fail=1", "flush"]].concat())?.ended(2)?;
    bench.run(&[&start[..], &["--rehearse", "--faults", "fire=1", "flush"]].concat())?.ended(2)?;
    Ok(())
}
