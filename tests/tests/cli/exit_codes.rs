//! The exit code when something fails between sending and the end: 2 only if nothing was sent.

use std::{
    collections::HashSet,
    fs,
    io::{BufRead, BufReader},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use wilco_tests::{Broker, Child, Device, Misbehaviour, Scripted, soon};

use crate::bench::Bench;

/// Longest wait for something that ought to happen at once. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// The ids of the requests that were heard, in order.
fn ids(requests: &Child) -> Vec<String> {
    let id = |line: &str| {
        let request: Value = serde_json::from_str(line.split_once(' ')?.1).ok()?;
        request["id"].as_str().map(str::to_owned)
    };
    requests.log().lines().filter_map(id).collect()
}

/// The id of the first request that was heard.
fn first_id(requests: &Child) -> Result<String> {
    soon("request", PATIENCE, || ids(requests).into_iter().next())
}

/// Starts a run while another one has the engine, kills that one once the device was asked, and lets the device answer.
fn goes_on_without_its_host(order: &[&str], status: &str, code: i32) -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    bench.run(&["devices", "add", "-c", "bench", "-d", "lamp-1", "--tag", "north"])?.ended(0)?;
    bench.run(&["desired", "set", "-c", "bench", "--tag", "north", "report_interval_s=60"])?.ended(0)?;
    let mut host = bench.start(&["watch", "-c", "bench"])?;
    let mut heard = BufReader::new(host.take_output().context("no output")?).lines();
    // What it prints has a reader as long as it runs.
    let first = thread::spawn(move || (heard.next(), heard));
    soon("session of the host", PATIENCE, || {
        broker.publish("other/status", br#"{"online":true}"#, false).ok()?;
        first.is_finished().then_some(())
    })?;
    let requests = broker.listen("lamp-1/req")?;
    let mut guest = bench.start(order)?;
    let asked = first_id(&requests)?;
    ensure!(host.is_running() && guest.is_running(), "{} {}", host.log(), guest.log());
    host.signal(Signal::KILL)?;
    soon("end of the host", PATIENCE, || host.ended())?;
    // Until the guest has connected by itself nobody hears it. A question about the configuration may go before the change.
    let ended = soon("end of the guest", PATIENCE, || {
        for id in ids(&requests) {
            let answer = json!({"id": id, "status": status}).to_string();
            broker.publish("lamp-1/resp", answer.as_bytes(), false).ok()?;
        }
        guest.ended()
    })?;
    ensure!(ended.code() == Some(code), "{order:?}: {ended:?} {}", guest.log());
    let sent = ids(&requests);
    let once: HashSet<&String> = sent.iter().collect();
    ensure!(once.len() == sent.len() && sent.contains(&asked), "it was sent twice: {}", requests.log());
    Ok(())
}

#[test]
fn a_run_whose_engine_is_killed_follows_its_command_with_its_own_engine() -> Result<()> {
    let check = goes_on_without_its_host;
    check(&["send", "-c", "bench", "-d", "lamp-1", "--timeout", "60s", "led", "on=true"], "succeeded", 0)?;
    check(&["rollout", "start", "-c", "bench", "-d", "lamp-1", "--timeout", "60s", "led", "on=true"], "succeeded", 0)?;
    check(&["desired", "apply", "-c", "bench", "--include-unknown"], "succeeded", 0)?;
    check(&["log", "-c", "bench", "-d", "lamp-1"], "rejected", 1)
}

#[test]
fn a_log_that_came_and_cannot_be_written_does_not_end_as_if_nothing_was_sent() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    broker.publish("lamp-1/status", br#"{"online":false}"#, true)?;
    let folder = bench.data.path().join("logs");
    fs::create_dir(&folder)?;
    let file = folder.join("lamp-1.log").display().to_string();
    let mut log = bench.start(&["log", "-c", "bench", "-d", "lamp-1", "--to", &file])?;
    // It is held until the device is online.
    soon("warning", PATIENCE, || log.log().contains("lamp-1 is not known to be online").then_some(()))?;
    fs::remove_dir(&folder)?;
    let _device = Device::start(&broker, "lamp-1", None)?;
    let ended = soon("end", PATIENCE, || log.ended())?;
    ensure!(ended.code() == Some(3), "{ended:?} {}", log.log());
    ensure!(log.log().contains("The log of lamp-1 was requested"), "{}", log.log());
    Ok(())
}

#[test]
fn a_suback_and_a_connack_that_never_come_have_their_own_words() -> Result<()> {
    let bench = Bench::new()?;
    let check = |script: Scripted, more: &[&str], words: &str| -> Result<()> {
        let broker = script.start()?;
        let url = broker.url();
        let order = [&["send", "--url", &url, "-d", "lamp-1"][..], more, &["led", "on=true"]].concat();
        let said = bench.run(&order)?.complained(words)?;
        ensure!(!said.err.contains("Could not connect"), "{said:?}");
        Ok(())
    };
    let no_suback = || Scripted::new().on_subscribe("+/resp", Misbehaviour::Silence);
    check(no_suback(), &["--timeout", "1s"], "did not answer SUBSCRIBE with a SUBACK within 1 s.")?;
    check(no_suback(), &[], "with a SUBACK within 10 s.")?;
    check(Scripted::new().on_connect(Misbehaviour::Silence), &[], "sent no CONNACK within 10 s.")
}

#[test]
fn causes_of_failures_can_be_had_as_csv() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let requests = broker.listen("lamp-1/req")?;
    let mut send = bench.start(&["send", "-c", "bench", "-d", "lamp-1", "--timeout", "60s", "led", "on=true"])?;
    let answer = json!({"id": first_id(&requests)?, "status": "failed", "message": "supply voltage 3.1 V, too low"});
    broker.publish("lamp-1/resp", answer.to_string().as_bytes(), false)?;
    soon("end", PATIENCE, || send.ended())?;
    let said = bench.run(&["history", "-c", "bench", "--by-cause", "--format", "csv"])?.ended(0)?;
    let mut lines = said.out.lines();
    assert_eq!(lines.next(), Some("count,state,latest_at,message"));
    let row = lines.next().context("no row")?;
    ensure!(row.starts_with("1,failed,20") && row.ends_with("\"supply voltage 3.1 V, too low\""), "{row}");
    Ok(())
}

#[test]
fn the_operator_is_named_from_the_command_line() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    assert_eq!(bench.run(&["operator"])?.ended(0)?.out, "No operator name is set.\n");
    bench.run(&["operator", " Ana"])?.complained("begins or ends with a space")?;
    bench.run(&["operator", "Ana"])?.ended(0)?;
    assert_eq!(bench.run(&["operator"])?.ended(0)?.out, "Ana\n");
    bench.run(&["connections", "edit", "bench", "--send-operator", "on"])?.ended(0)?;
    let requests = broker.listen("lamp-1/req")?;
    let send = ["send", "-c", "bench", "-d", "lamp-1", "--timeout", "1s", "--retries", "0", "led", "on=true"];
    bench.run(&send)?.ended(1)?;
    ensure!(requests.log().contains(r#""by":"Ana""#), "{}", requests.log());
    bench.run(&["operator", "--clear"])?.ended(0)?;
    bench.run(&send)?.ended(1)?;
    ensure!(requests.log().lines().last().is_some_and(|line| !line.contains("Ana")), "{}", requests.log());
    Ok(())
}

#[test]
fn refused_input_cannot_control_the_terminal() -> Result<()> {
    let bench = Bench::new()?;
    for wrong in [&["history", "-c", "bench", "--since", "\u{1b}[31mred"][..], &["\u{9b}31mred"], &["send", "-\u{1b}c"]]
    {
        let said = bench.run(wrong)?.ended(2)?;
        ensure!(said.err.starts_with("error: ") && said.out.is_empty(), "{said:?}");
        ensure!(!said.err.contains(|letter: char| letter.is_control() && letter != '\n'), "{said:?}");
    }
    ensure!(bench.run(&["--help"])?.ended(0)?.out.contains("Usage:"));
    ensure!(bench.run(&["rollout"])?.ended(2)?.err.contains("Usage:"));
    Ok(())
}

#[test]
fn a_device_whose_clock_differs_is_named_where_it_calls_a_fresh_command_expired() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let refused = |message: &str| -> Result<String> {
        let requests = broker.listen("lamp-1/req")?;
        let mut send = bench.start(&["send", "-c", "bench", "-d", "lamp-1", "--timeout", "60s", "led", "on=true"])?;
        let output = BufReader::new(send.take_output().context("no output")?).lines();
        let answer = json!({"id": first_id(&requests)?, "status": "rejected", "message": message});
        broker.publish("lamp-1/resp", answer.to_string().as_bytes(), false)?;
        ensure!(soon("end", PATIENCE, || send.ended())?.code() == Some(1), "{}", send.log());
        Ok(output.last().context("it said nothing")??)
    };
    let clocks = "[the clocks of this computer and the device probably differ]";
    let line = refused("The command expired 7200000 ms before it arrived.")?;
    ensure!(line.contains(clocks), "{line}");
    let line = refused("The battery is empty.")?;
    ensure!(!line.contains("clocks"), "{line}");
    let table = bench.run(&["history", "-c", "bench"])?.ended(0)?.out;
    ensure!(table.matches(clocks).count() == 1, "{table}");
    Ok(())
}

#[test]
fn output_that_cannot_be_written_does_not_end_as_if_nothing_was_sent() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let _devices = [Device::start(&broker, "lamp-1", None)?, Device::start(&broker, "lamp-2", None)?];
    // What was never asked of a device may be asked again.
    bench.run_with_full_output(&["devices", "-c", "bench"])?.ended(2)?;
    for sends in [
        &["send", "-c", "bench", "-d", "lamp-1", "led", "on=true"][..],
        &["send", "-c", "bench", "-d", "lamp-1", "-d", "lamp-2", "led", "on=true"],
        &["rollout", "start", "-c", "bench", "-d", "lamp-1", "led", "on=true"],
        &["rollout", "again", "1"],
        &["log", "-c", "bench", "-d", "lamp-1"],
        &["log", "-c", "bench", "-d", "lamp-1", "--follow"],
    ] {
        let said = bench.run_with_full_output(sends)?;
        ensure!(said.code == 3, "{sends:?}: {said:?}");
    }
    // An engine that ends with the program takes along what it has not sent, or has just sent it: then that is said.
    let requests = broker.listen("lamp-3/req")?;
    let mut unclear = 0;
    for _ in 0..5 {
        let said = bench.run_with_full_output(&["send", "--url", &broker.url(), "-d", "lamp-3", "led", "on=true"])?;
        ensure!([2, 3].contains(&said.code), "{said:?}");
        unclear += usize::from(said.code == 3);
    }
    broker.publish("lamp-3/req", b"the end", false)?;
    let log = soon("the end", PATIENCE, || Some(requests.log()).filter(|log| log.contains("the end")))?;
    let sent = log.lines().count() - 1;
    ensure!(sent <= unclear, "{sent} were sent, and {unclear} said so");

    let staged = ["-d", "lamp-1", "-d", "lamp-2", "--stages", "1,100%", "--pause-between", "ask", "led", "on=false"];
    let mut start = bench.start(&[&["rollout", "start", "-c", "bench", "--name", "staged"][..], &staged].concat())?;
    let waiting = soon("wait between the stages", PATIENCE, || {
        let lines = bench.run(&["rollout", "list", "--output", "json"]).ok()?.lines().ok()?;
        let staged = lines.into_iter().find(|line| line["name"] == "staged" && line["state"] == "waiting")?;
        staged["rollout"].as_str().map(str::to_owned)
    })?;
    let said = bench.run_with_full_output(&["rollout", "next", &waiting])?.ended(3)?;
    ensure!(said.err.contains(&format!("Rollout {waiting} continues.")), "{said:?}");
    soon("end", PATIENCE, || start.ended())?;
    Ok(())
}
