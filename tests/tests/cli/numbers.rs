//! Firmware that needs a number as a command's ID, commanded by consoles that do not know of each other.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Child, soon};

use crate::bench::Bench;

const PATIENCE: Duration = Duration::from_secs(40);
const REQUESTS: &str = "v1/devices/me/rpc/request/";
const LARGEST: u64 = 0x7fff_ffff;

/// A broker with a device, and its requests.
fn device() -> Result<(Broker, Child)> {
    let broker = Broker::plain()?;
    // A device that has spoken is known.
    broker.publish("v1/devices/me/telemetry", br#"{"temperature":21.5}"#, true)?;
    let requests = broker.listen(&format!("{REQUESTS}+"))?;
    Ok((broker, requests))
}

/// The numbers of this many requests.
fn numbers(requests: &Child, count: usize) -> Result<Vec<u64>> {
    soon("the requests", PATIENCE, || {
        let log = requests.log();
        let topics = log.lines().filter_map(|line| line.strip_prefix(REQUESTS));
        let numbers: Vec<u64> = topics.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect();
        (numbers.len() >= count).then_some(numbers)
    })
}

/// What it takes to send a command.
fn send<'a>(connection: &[&'a str], timeout: &'a str) -> Vec<&'a str> {
    [&["send", "-d", "me", "getValue", "--timeout", timeout, "--output", "json"], connection].concat()
}

/// The device is late: it answers the first command when the second has arrived, and then that.
fn each_answer_settles_its_own(
    connection: &[&str],
    benches: [&Bench; 2],
    broker: &Broker,
    requests: &Child,
) -> Result<()> {
    let first = benches[0].run(&send(connection, "1s"))?.ended(1)?;
    ensure!(first.lines()?.last().is_some_and(|last| last["state"] == "timed_out"), "{first:?}");
    let mut second = benches[1].start(&send(connection, "30s"))?;
    let numbers = numbers(requests, 2)?;
    ensure!(numbers[0] != numbers[1] && numbers.iter().all(|one| (1..=LARGEST).contains(one)), "{numbers:?}");
    let answer =
        |number: u64, payload: &[u8]| broker.publish(&format!("v1/devices/me/rpc/response/{number}"), payload, false);
    answer(numbers[0], b"21.5")?;
    answer(numbers[1], br#"{"error":"no such pin"}"#)?;
    let printed = std::io::read_to_string(second.take_output().context("no output")?)?;
    let last: Value = serde_json::from_str(printed.lines().last().context("nothing was printed")?)?;
    ensure!(last["state"] == "failed" && last["message"] == "no such pin" && last["match"] == "exact", "{printed}");
    Ok(())
}

#[test]
fn a_late_answer_to_one_console_settles_no_command_of_another() -> Result<()> {
    let (broker, requests) = device()?;
    let console = || -> Result<Bench> {
        let bench = Bench::new()?;
        bench.run(&["connections", "add", "bench", "--url", &broker.url(), "--dialect", "thingsboard"])?.ended(0)?;
        Ok(bench)
    };
    each_answer_settles_its_own(&["-c", "bench"], [&console()?, &console()?], &broker, &requests)
}

#[test]
fn a_late_answer_to_one_run_without_a_connection_settles_no_command_of_the_next() -> Result<()> {
    let (broker, requests) = device()?;
    let bench = Bench::new()?;
    let url = broker.url();
    let connection = ["--url", &url, "--dialect", "thingsboard"];
    each_answer_settles_its_own(&connection, [&bench, &bench], &broker, &requests)
}

#[test]
fn the_numbers_of_a_connection_go_on_after_a_restart() -> Result<()> {
    let (broker, requests) = device()?;
    let bench = Bench::new()?;
    bench.run(&["connections", "add", "bench", "--url", &broker.url(), "--dialect", "thingsboard"])?.ended(0)?;
    // Each run of the program is another engine.
    for _ in 0..3 {
        bench.run(&send(&["-c", "bench"], "1s"))?.ended(1)?;
    }
    let numbers = numbers(&requests, 3)?;
    let go_on = numbers.windows(2).all(|pair| pair[1] == pair[0] % LARGEST + 1);
    ensure!(numbers.len() == 3 && go_on, "{numbers:?}");
    Ok(())
}
