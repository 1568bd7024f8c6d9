//! What devices announce by mistake or to do harm, through a real broker: each costs little, is said in a sentence, and nothing
//! is sent because of it where it should not be.

use std::{
    io::{BufRead, BufReader},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use wilco_tests::{Broker, Replay, soon};

use crate::bench::Bench;

/// Far more than any of this takes on a busy machine, and far less than standing still.
const PATIENCE: Duration = Duration::from_secs(40);

fn bench(broker: &Broker, dialects: &[&str]) -> Result<Bench> {
    let bench = Bench::new()?;
    let url = broker.url();
    let mut arguments = vec!["connections", "add", "bench", "--url", &url];
    dialects.iter().for_each(|dialect| arguments.extend(["--dialect", dialect]));
    bench.run(&arguments)?.ended(0)?;
    Ok(bench)
}

fn announce(broker: &Broker, topic: &str, config: &Value) -> Result<()> {
    broker.publish(topic, config.to_string().as_bytes(), true)
}

/// The device that must be usable whatever else is announced, and what answers for it.
fn door(broker: &Broker) -> Result<Replay> {
    let door = json!({"name": "Door", "unique_id": "door", "command_topic": "pi/door/set", "state_topic": "pi/door",
        "device": {"identifiers": ["pi"], "name": "Small"}});
    announce(broker, "homeassistant/switch/pi/door/config", &door)?;
    let exchange = json!({"request": {"topic": "pi/door/set", "payload": "ON"},
        "answers": [{"topic": "pi/door", "payload": "ON"}]});
    Replay::start(broker, &exchange)
}

/// Listens until a sentence with this part is said, and answers with it and its hint.
fn told(bench: &Bench, part: &str) -> Result<(String, String)> {
    let mut watching = bench.start(&["watch", "-c", "bench", "--output", "json"])?;
    let printed = BufReader::new(watching.take_output().context("no output")?);
    let (lines, read) = mpsc::channel();
    thread::spawn(move || printed.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
    let until = Instant::now() + PATIENCE;
    while let Ok(line) = read.recv_timeout(until.saturating_duration_since(Instant::now())) {
        let line: Value = serde_json::from_str(&line)?;
        let text = |member: &str| line[member].as_str().unwrap_or_default().to_owned();
        if text("message").contains(part) {
            return Ok((text("message"), text("hint")));
        }
    }
    anyhow::bail!("nothing was said of '{part}'")
}

fn names(bench: &Bench) -> Result<Vec<String>> {
    let rows = bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
    // A name that is the ID is not said twice.
    Ok(rows
        .iter()
        .filter_map(|row| row["name"].as_str().or_else(|| row["device"].as_str()).map(str::to_owned))
        .collect())
}

/// The small device is found and commanded beside whatever else there is.
fn is_usable(bench: &Bench) -> Result<()> {
    soon("the small device", PATIENCE, || names(bench).ok()?.iter().any(|name| name == "Small").then_some(()))?;
    bench.run(&["send", "-c", "bench", "-d", "Small", "led", "on=true", "--timeout", "20s"])?.ended(0)?;
    Ok(())
}

#[test]
fn an_announcement_of_5_mb_is_read_and_one_of_8_mib_is_refused_with_its_size() -> Result<()> {
    let broker = Broker::plain()?;
    let _door = door(&broker)?;
    let padded = |bytes: usize| {
        let device = json!({"identifiers": ["huge"], "name": "Huge"});
        json!({"name": "Huge", "unique_id": "huge", "command_topic": "huge/set", "x": "a".repeat(bytes), "device": device})
    };
    announce(&broker, "homeassistant/switch/huge/config", &padded(5_000_000))?;
    let bench = bench(&broker, &["homeassistant"])?;
    is_usable(&bench)?;
    ensure!(names(&bench)?.iter().any(|name| name == "Huge"), "{:?}", names(&bench)?);
    announce(&broker, "homeassistant/switch/huge/config", &padded(8 * 1024 * 1024))?;
    let (message, hint) = told(&bench, "homeassistant/switch/huge/config")?;
    ensure!(message.contains("bytes; the limit is 8,388,608"), "{message}");
    ensure!(hint.contains("Wilco uses all other announcements"), "{hint}");
    is_usable(&bench)
}

#[test]
fn ten_thousand_entities_of_one_device_are_cut_off_in_a_sentence() -> Result<()> {
    let broker = Broker::plain()?;
    let _door = door(&broker)?;
    let entity = |number: usize| {
        let name = format!("s{number}");
        (name.clone(), json!({"p": "switch", "name": name, "command_topic": format!("many/{number}/set")}))
    };
    let components: Map<String, Value> = (0..10_000).map(entity).collect();
    let many = json!({"dev": {"ids": ["many"], "name": "Many"}, "cmps": components});
    announce(&broker, "homeassistant/device/many/config", &many)?;
    let bench = bench(&broker, &["homeassistant"])?;
    let (message, _) = told(&bench, "homeassistant/device/many/config")?;
    ensure!(message.contains("more than 500 entities for one device"), "{message}");
    ensure!(names(&bench)?.iter().any(|name| name == "Many"), "{:?}", names(&bench)?);
    is_usable(&bench)
}

#[test]
fn a_template_bomb_is_named_and_its_value_is_compared_with_nothing() -> Result<()> {
    let broker = Broker::plain()?;
    let _door = door(&broker)?;
    let bomb = json!({"name": "Bomb", "unique_id": "bomb", "command_topic": "bomb/set", "state_topic": "bomb",
        "value_template": "{% for i in range(1000000000) %}{{ i }}{% endfor %}",
        "device": {"identifiers": ["bomb"], "name": "Bomb"}});
    announce(&broker, "homeassistant/switch/bomb/config", &bomb)?;
    let bench = bench(&broker, &["homeassistant"])?;
    let (message, _) = told(&bench, "Bomb")?;
    ensure!(message.contains("'for' is not supported"), "{message}");
    let said = bench.run(&["send", "-c", "bench", "-d", "Bomb", "Bomb", "on=true", "--timeout", "5s"])?;
    ensure!(said.out.contains("nconfirmed"), "{said:?}");
    is_usable(&bench)
}
