//! A device that reports progress for a long time.

use std::{
    io::{BufRead, BufReader},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wilco_tests::{Broker, Settings, soon};

use crate::bench::Bench;

/// Longest wait for something that ought to happen at once. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often it says so, and how many times without a pause.
const TIMES: u32 = 20_000;
const AT_ONCE: u32 = 500;

/// What is printed of an answer, or that so many were left out.
#[derive(Debug, PartialEq)]
enum PrintedLine {
    Step(u32),
    LeftOut(u32),
}

fn told(line: &str) -> Option<PrintedLine> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok();
    match line.split_once("step ") {
        Some((_, step)) => digits(step).map(PrintedLine::Step),
        None => line.split_once("… ").and_then(|(_, count)| digits(count)).map(PrintedLine::LeftOut),
    }
}

#[test]
fn each_of_twenty_thousand_answers_is_told_once_or_counted_and_then_the_end() -> Result<()> {
    // On a busy machine the broker would drop what is beyond 1,000 for a reader that is slow.
    let broker = Broker::start(&Settings { more: "max_queued_messages 0", ..Settings::default() })?;
    let (bench, requests) = (Bench::on(&broker)?, broker.listen("press/req")?);
    let mut send = bench.start(&["send", "-c", "bench", "-d", "press", "--timeout", "60s", "led", "on=true"])?;
    let lines = BufReader::new(send.take_output().context("no output")?).lines();
    let (line, printed) = mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|text| line.send(text)));
    let id = soon("request", PATIENCE, || {
        let log = requests.log();
        let request: Value = serde_json::from_str(log.strip_prefix("press/req ")?.lines().next()?).ok()?;
        request["id"].as_str().map(str::to_owned)
    })?;

    let step = |step: u32| {
        let message = format!("step {step}");
        json!({"id": id, "status": "running", "progress": step % 100, "message": message}).to_string()
    };
    let mut course = Vec::new();
    for first in (0..TIMES).step_by(AT_ONCE as usize) {
        let next = first + AT_ONCE;
        broker.publish_lines("press/resp", &(first..next).map(step).collect::<Vec<_>>())?;
        // However much is left out, the last is told.
        soon("last step", PATIENCE, || {
            course.extend(printed.try_iter().filter_map(|line| told(&line)));
            (course.last() == Some(&PrintedLine::Step(next - 1))).then_some(())
        })?;
    }
    let mut expected = 0;
    for told in course {
        match told {
            PrintedLine::LeftOut(count) => expected += count,
            PrintedLine::Step(step) => {
                assert_eq!(step, expected, "told again, or not at all");
                expected += 1;
            }
        }
    }

    broker.publish("press/resp", json!({"id": id, "status": "succeeded"}).to_string().as_bytes(), false)?;
    let end = printed.recv_timeout(PATIENCE)?;
    assert!(end.contains("succeeded"), "{end}");
    assert_eq!(soon("exit", PATIENCE, || send.ended())?.code(), Some(0));
    assert!(printed.iter().next().is_none(), "something was told after the end");
    Ok(())
}
