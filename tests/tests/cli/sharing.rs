//! Runs of `wilco` that share one engine, and their exit codes when one of them fails.

use std::{collections::BTreeSet, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::{Value, json};
use wilco_engine::store::FILE_NAME;
use wilco_tests::{Broker, Child, Device, soon};

use crate::bench::Bench;

/// Longest wait for something that ought to happen at once. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// The id of the first request that was heard.
fn first_id(requests: &Child) -> Result<String> {
    soon("request", PATIENCE, || {
        let log = requests.log();
        let request: Value = serde_json::from_str(log.lines().next()?.split_once(' ')?.1).ok()?;
        request["id"].as_str().map(str::to_owned)
    })
}

#[test]
fn runs_at_the_same_time_on_one_connection_each_end_with_what_their_device_said() -> Result<()> {
    const RUNS: usize = 16;
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    let requests = broker.listen("lamp-1/req")?;
    let send = || bench.run(&["send", "-c", "bench", "-d", "lamp-1", "--timeout", "40s", "led", "on=true"]);
    let said: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..RUNS).map(|_| scope.spawn(send)).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect::<Result<_>>()
    })?;
    for said in said {
        said.ended(0)?;
    }
    assert_eq!(requests.log().lines().count(), RUNS, "{}", requests.log());
    Ok(())
}

#[test]
fn a_run_goes_on_when_the_one_whose_engine_it_shares_is_stopped() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let send = |device: &str| bench.start(&["send", "-c", "bench", "-d", device, "--timeout", "60s", "led", "on=true"]);
    let requests = (broker.listen("host/req")?, broker.listen("guest/req")?);
    let mut host = send("host")?;
    first_id(&requests.0)?;
    let mut guest = send("guest")?;
    let asked = first_id(&requests.1)?;
    host.signal(Signal::INT)?;
    assert_eq!(soon("end of the host", PATIENCE, || host.ended())?.code(), Some(130), "{}", host.log());
    assert!(guest.is_running(), "{}", guest.log());
    broker.publish("guest/resp", json!({"id": asked, "status": "succeeded"}).to_string().as_bytes(), false)?;
    assert_eq!(soon("end of the guest", PATIENCE, || guest.ended())?.code(), Some(0), "{}", guest.log());
    assert_eq!(requests.1.log().lines().count(), 1, "it was sent twice");
    Ok(())
}

#[test]
fn a_fan_out_waits_while_the_disk_is_full_and_asks_each_device_once() -> Result<()> {
    const DEVICES: usize = 400;
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let devices = bench.data.path().join("devices.txt");
    std::fs::write(&devices, (0..DEVICES).map(|number| format!("pump-{number}\n")).collect::<String>())?;
    let requests = broker.listen("+/req")?;
    let devices = devices.to_str().context("a path")?;
    let order = ["send", "-c", "bench", "--devices-from", devices, "--timeout", "5s", "led", "on=true"];
    let mut send = bench.start_deaf_to_limits(&order)?;
    soon("first requests", PATIENCE, || (requests.log().lines().count() >= 100).then_some(()))?;

    let program = i32::try_from(send.id()).ok().and_then(Pid::from_raw);
    let log = std::fs::metadata(bench.data.path().join("data").join(format!("{FILE_NAME}-wal")))?.len();
    let before = prlimit(program, Resource::Fsize, Rlimit { current: Some(log), maximum: None })?;
    soon("word of the disk", PATIENCE, || {
        let said = bench.run(&["connections", "list", "--output", "json"]).ok()?;
        said.out.contains("cannot be written to").then_some(())
    })?;
    ensure!(send.is_running(), "{}", send.log());
    prlimit(program, Resource::Fsize, before)?;

    let ended = soon("end of the fan-out", PATIENCE, || send.ended())?;
    assert_eq!(ended.code(), Some(1), "{}", send.log());
    let asked: BTreeSet<String> =
        requests.log().lines().filter_map(|line| line.split_once(' ')).map(|(topic, _)| topic.to_owned()).collect();
    assert_eq!((asked.len(), requests.log().lines().count()), (DEVICES, DEVICES));
    Ok(())
}

#[test]
fn the_operator_of_another_console_is_named_and_warned_of() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let mut watch = bench.start(&["watch", "-c", "bench", "--output", "json"])?;
    soon("session", PATIENCE, || broker.publish("away/status", br#"{"online":true}"#, false).ok())?;
    let request = json!({"id": "theirs", "command": "restart", "args": {}, "by": "Ana\u{1b}"}).to_string();
    soon("sighting", PATIENCE, || {
        broker.publish("lamp-1/req", request.as_bytes(), false).ok()?;
        let listed = bench.run(&["history", "-c", "bench", "--format", "json"]).ok()?;
        listed.out.contains("theirs").then_some(())
    })?;
    let start = ["rollout", "start", "-c", "bench", "-d", "lamp-1", "--timeout", "1s", "--ttl", "1s", "led", "on=true"];
    let said = bench.run(&start)?.ended(1)?;
    ensure!(said.err.contains("1 device is busy with a command from another console."), "{said:?}");
    let send = ["send", "-c", "bench", "-d", "lamp-1", "--timeout", "1s", "--ttl", "1s", "led", "on=true"];
    let said = bench.run(&send)?.ended(1)?;
    ensure!(said.err.contains("warning: lamp-1 is busy. Another console (Ana\\u{1b}) sent restart "), "{said:?}");
    let table = bench.run(&["history", "-c", "bench"])?.ended(0)?.out;
    ensure!(table.contains("another console, by Ana\\u{1b}"), "{table}");
    let lines = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.lines()?;
    let theirs = lines.iter().find(|line| line["id"] == "theirs").context("it is not listed")?;
    ensure!(theirs["operator"] == "Ana\u{1b}" && theirs["by"] == "another console", "{theirs}");
    watch.stop()?;
    Ok(())
}
