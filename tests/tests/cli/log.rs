use std::{
    io::{BufRead, BufReader},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_dialect::device_side::{cut_log, write_log_chunk};
use wilco_ledger::CommandId;
use wilco_tests::{Broker, Child, Device, soon};

use crate::bench::Bench;

/// Longest wait for something that ought to happen at once. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(40);

#[test]
fn a_log_is_printed_or_written_and_its_end_is_judged_by_the_checksum() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=true"])?.ended(0)?;
    let whole = bench.run(&["log", "-c", "bench", "-d", "lamp-1"])?.ended(0)?;
    assert!(whole.out.contains("led"), "{whole:?}");
    let last = bench.run(&["log", "-c", "bench", "-d", "lamp-1", "-n", "1"])?.ended(0)?;
    assert_eq!(last.out.lines().count(), 1, "{last:?}");

    let file = bench.data.path().join("lamp-1.log");
    let path = file.display().to_string();
    let written = bench.run(&["log", "-c", "bench", "-d", "lamp-1", "-o", &path])?.ended(0)?;
    assert_eq!(written.out, "");
    assert!(std::fs::read_to_string(&file)?.starts_with(&whole.out), "it is another log");
    let again = ["log", "-c", "bench", "-d", "lamp-1", "-o", &path];
    bench.run(&again)?.complained("already exists")?;
    bench.run(&[&again[..], &["--force"]].concat())?.ended(0)?;
    bench.run(&["log", "-c", "bench", "-d", "lamp-1", "-o", "/nowhere/at/all.log"])?.complained("does not exist")?;
    Ok(())
}

#[test]
fn a_device_that_does_not_answer_has_not_sent_its_log() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::on(&broker)?;
    let said = bench.run(&["log", "-c", "bench", "-d", "nosuch"])?.ended(1)?;
    assert!(said.err.starts_with("warning: nosuch is not known to be online."), "{said:?}");
    // There is no such option here.
    assert!(!said.err.contains("--ttl"), "{said:?}");
    assert!(said.err.contains("error: nosuch did not send its log: the command timed out"), "{said:?}");
    Ok(())
}

#[test]
fn a_log_with_gaps_is_printed_and_ends_with_1() -> Result<()> {
    let broker = Broker::plain()?;
    // Only the one piece of the log is lost, or its answer: whichever comes first by this seed.
    let faults = ["--drop", "0.5", "--seed", "3"];
    let (bench, _device) = (Bench::on(&broker)?, Device::start_with(&broker, "lamp-1", None, &faults)?);
    let mut ends = Vec::new();
    for _ in 0..12 {
        let said = bench.run(&["log", "-c", "bench", "-d", "lamp-1"])?;
        let lost =
            said.err.contains("not received") || said.err.contains("None of its") || said.err.contains("Nothing");
        assert!(said.code != 1 || lost, "{said:?}");
        ends.push(said.code);
        if ends.contains(&1) {
            break;
        }
    }
    assert!(ends.contains(&1), "no piece was lost: {ends:?}");
    Ok(())
}

/// A lamp that does as the test says.
struct Lamp<'a> {
    broker: &'a Broker,
    requests: Child,
    answered: Vec<String>,
}

impl Lamp<'_> {
    fn on(broker: &Broker) -> Result<Lamp<'_>> {
        Ok(Lamp { broker, requests: broker.listen("lamp-1/req")?, answered: Vec::new() })
    }

    /// Answers every request that has come since the last time, with this.
    fn answer(&mut self, mut with: impl FnMut(&Broker, &str) -> Result<()>) -> Result<()> {
        for line in self.requests.log().lines() {
            let Some(request) = line.strip_prefix("lamp-1/req ") else { continue };
            let request: Value = serde_json::from_str(request)?;
            let id = request["id"].as_str().context("no ID")?;
            if !self.answered.iter().any(|answered| answered == id) {
                with(self.broker, id)?;
                self.answered.push(id.to_owned());
            }
        }
        Ok(())
    }
}

fn reject(broker: &Broker, id: &str) -> Result<()> {
    let rejected = json!({"id": id, "status": "rejected", "message": "Not now."}).to_string();
    broker.publish("lamp-1/resp", rejected.as_bytes(), false)
}

fn send_log(broker: &Broker, id: &str, text: &str) -> Result<()> {
    let (chunks, receipt) = cut_log(&CommandId::new(id)?, text);
    for chunk in &chunks {
        broker.publish("lamp-1/log", &write_log_chunk(chunk), false)?;
    }
    let done = json!({"id": id, "status": "succeeded", "result": receipt.to_result()}).to_string();
    broker.publish("lamp-1/resp", done.as_bytes(), false)
}

#[test]
fn a_follow_goes_on_after_a_refusal_and_without_the_app_that_it_has_asked() -> Result<()> {
    let broker = Broker::plain()?;
    let (bench, mut lamp) = (Bench::on(&broker)?, Lamp::on(&broker)?);
    let mut watch = bench.start(&["watch", "-c", "bench"])?;
    soon("session", PATIENCE, || bench.data.path().join("data/run/engine.sock").exists().then_some(()))?;
    let mut follow = bench.start(&["log", "-c", "bench", "-d", "lamp-1", "--follow", "--every", "100ms"])?;
    let lines = BufReader::new(follow.take_output().context("no output")?).lines();
    let (line, printed) = mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|text| line.send(text)));

    let said = "warning: lamp-1 did not send its log: the command was rejected: Not now.";
    soon("warning", PATIENCE, || {
        lamp.answer(reject).ok()?;
        follow.log().contains(said).then_some(())
    })?;
    let mut prints = |text: &str, expected: &str| {
        let line = soon(expected, PATIENCE, || {
            lamp.answer(|broker, id| send_log(broker, id, text)).ok()?;
            printed.try_recv().ok()
        });
        line.map(|line| assert_eq!(line, expected)).with_context(|| follow.log())
    };
    prints("one\n", "one")?;
    watch.stop()?;
    prints("one\ntwo\n", "two")?;
    assert_eq!(follow.stop()?.code(), Some(130));
    ensure!(!follow.log().contains("error"), "{}", follow.log());
    Ok(())
}

#[test]
fn a_follow_leaves_the_logs_that_were_fetched_before_it_and_its_last() -> Result<()> {
    let (kept, asked) = followed_after(2)?;
    ensure!(kept.ends_with(&[asked[1].clone(), asked[0].clone()]), "{kept:?} of {asked:?}");
    // One more may have been in progress.
    ensure!((3..=4).contains(&kept.len()) && kept[0] >= asked[asked.len() - 2], "{kept:?} of {asked:?}");
    Ok(())
}

#[test]
fn a_follow_pushes_out_one_log_and_then_only_its_own() -> Result<()> {
    let (kept, asked) = followed_after(5)?;
    ensure!(kept.len() == 5 && kept[0] >= asked[asked.len() - 2], "{kept:?} of {asked:?}");
    let before: Vec<_> = asked[1..5].iter().rev().collect();
    ensure!(kept[1..].iter().eq(before), "{kept:?} of {asked:?}");
    Ok(())
}

/// What is kept when a log was fetched so many times and then followed for eight rounds, the newest first, and what was
/// asked for, the oldest first.
fn followed_after(fetched: usize) -> Result<(Vec<String>, Vec<String>)> {
    let broker = Broker::plain()?;
    let (bench, _device) = (Bench::on(&broker)?, Device::start(&broker, "lamp-1", None)?);
    for _ in 0..fetched {
        bench.run(&["log", "-c", "bench", "-d", "lamp-1"])?.ended(0)?;
    }
    let requests = broker.listen("lamp-1/req")?;
    let mut follow = bench.start(&["log", "-c", "bench", "-d", "lamp-1", "--follow", "--every", "50ms"])?;
    soon("eighth round", PATIENCE, || (requests.log().lines().count() >= 8).then_some(()))?;
    follow.stop()?;

    let history = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.lines()?;
    let asked = history.iter().rev().map(|command| command["id"].as_str().unwrap_or_default().to_owned()).collect();
    Ok((bench.kept_logs("lamp-1")?, asked))
}
