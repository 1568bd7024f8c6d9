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
    all_told(bench, part).map(|mut told| told.pop().unwrap_or_default())
}

/// As [`told`], with every sentence that was said until then.
fn all_told(bench: &Bench, part: &str) -> Result<Vec<(String, String)>> {
    let mut told = Vec::new();
    let mut watching = bench.start(&["watch", "-c", "bench", "--output", "json"])?;
    let printed = BufReader::new(watching.take_output().context("no output")?);
    let (lines, read) = mpsc::channel();
    thread::spawn(move || printed.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
    let until = Instant::now() + PATIENCE;
    while let Ok(line) = read.recv_timeout(until.saturating_duration_since(Instant::now())) {
        let line: Value = serde_json::from_str(&line)?;
        let text = |member: &str| line[member].as_str().unwrap_or_default().to_owned();
        told.push((text("message"), text("hint")));
        if told.last().is_some_and(|(message, _)| message.contains(part)) {
            return Ok(told);
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

#[test]
fn each_announcement_that_is_not_used_is_told_and_many_are_counted() -> Result<()> {
    let broker = Broker::plain()?;
    let _door = door(&broker)?;
    for number in 1..=12 {
        let config = json!({"name": format!("Bomb {number:02}"), "unique_id": format!("b{number}"), "command_topic": "bomb/set",
            "state_topic": "bomb", "value_template": "{% for i in range(9) %}{{ i }}{% endfor %}",
            "device": {"identifiers": [format!("bomb{number}")], "name": format!("Bomb {number:02}")}});
        announce(&broker, &format!("homeassistant/switch/bomb{number}/config"), &config)?;
    }
    let list =
        json!([{"ieee_address": "0x03", "friendly_name": "all/#", "type": "Router", "definition": {"exposes": []}}]);
    announce(&broker, "zigbee2mqtt/bridge/devices", &list)?;
    let bench = bench(&broker, &["homeassistant", "zigbee2mqtt"])?;
    let told = all_told(&bench, "more topics")?;
    ensure!(told.last().is_some_and(|(last, _)| last == "The announcements on 3 more topics are not used completely."));
    let is_about = |message: &&(String, String)| {
        message.0.contains("'for' is not supported") || message.0.contains("no name that is valid in a topic")
    };
    let mut each: Vec<&str> = told.iter().filter(is_about).map(|(message, _)| message.as_str()).collect();
    each.sort_unstable();
    each.dedup();
    ensure!(each.len() == 10, "{told:?}");
    ensure!(told.iter().filter(is_about).all(|(_, hint)| hint == "Wilco uses all other announcements."), "{told:?}");
    is_usable(&bench)
}

#[test]
fn names_with_slashes_and_emoji_reach_their_device_and_no_other() -> Result<()> {
    let broker = Broker::plain()?;
    let lamp = |ieee: &str, name: &str| {
        let state = json!({"type": "binary", "property": "state", "name": "state", "access": 7, "value_on": "ON",
            "value_off": "OFF"});
        json!({"ieee_address": ieee, "friendly_name": name, "type": "Router",
            "definition": {"exposes": [{"type": "light", "features": [state]}]}})
    };
    let list = json!([lamp("0x01", "küche/lampe/💡 1"), lamp("0x02", "küche/lampe"), lamp("0x03", "all/#")]);
    announce(&broker, "zigbee2mqtt/bridge/devices", &list)?;
    let bench = bench(&broker, &["zigbee2mqtt"])?;
    let (message, _) = told(&bench, "no name that is valid in a topic")?;
    ensure!(message.ends_with('.'), "{message}");
    let requests = broker.listen("zigbee2mqtt/#")?;
    let exchange = json!({"request": {"topic": "zigbee2mqtt/küche/lampe/💡 1/set", "payload": r#"{"state":"ON"}"#},
        "answers": [{"topic": "zigbee2mqtt/küche/lampe/💡 1", "payload": r#"{"state":"ON"}"#}]});
    let _lamp = Replay::start(&broker, &exchange)?;
    bench.run(&["send", "-c", "bench", "-d", "küche/lampe/💡 1", "led", "on=true", "--timeout", "20s"])?.ended(0)?;
    let log = requests.log();
    ensure!(log.contains("zigbee2mqtt/küche/lampe/💡 1/set"), "{log}");
    ensure!(!log.contains("zigbee2mqtt/küche/lampe/set"), "{log}");
    Ok(())
}

#[test]
fn an_id_beyond_31_bits_is_no_other_commands_answer() -> Result<()> {
    let broker = Broker::plain()?;
    // A device that has spoken is known.
    announce(&broker, "v1/devices/me/telemetry", &json!({"temperature": 21.5}))?;
    let bench = bench(&broker, &["thingsboard"])?;
    let requests = broker.listen("v1/devices/me/rpc/request/+")?;
    let mut sending =
        bench.start(&["send", "-c", "bench", "-d", "me", "ping", "--timeout", "30s", "--output", "json"])?;
    let number: u64 = soon("the request", PATIENCE, || {
        let log = requests.log();
        let (_, rest) = log.split_once("v1/devices/me/rpc/request/")?;
        rest.split(' ').next()?.parse().ok()
    })?;
    ensure!((1..=0x7fff_ffff).contains(&number), "{number}");
    // The same number modulo 2^31, 2^32 and 2^64.
    for beyond in [1_u128 << 31, 1 << 32, 1 << 64] {
        let topic = format!("v1/devices/me/rpc/response/{}", u128::from(number) + beyond);
        broker.publish(&topic, br#"{"error":"not yours"}"#, false)?;
    }
    broker.publish(&format!("v1/devices/me/rpc/response/{number}"), b"{}", false)?;
    let printed = std::io::read_to_string(sending.take_output().context("no output")?)?;
    let last: Value = serde_json::from_str(printed.lines().last().context("nothing was printed")?)?;
    ensure!(last["state"] == "succeeded" && last["match"] == "exact", "{printed}");
    Ok(())
}

#[test]
fn a_command_topic_of_another_device_is_refused_and_nothing_is_sent_there() -> Result<()> {
    let broker = Broker::plain()?;
    let bulb =
        json!([{"ieee_address": "0x01", "friendly_name": "bulb", "type": "Router", "definition": {"exposes": []}}]);
    announce(&broker, "zigbee2mqtt/bridge/devices", &bulb)?;
    let entity = |id: &str, topic: &str| {
        json!({"name": "Relay", "unique_id": id, "command_topic": topic, "state_topic": "x",
            "device": {"identifiers": [id], "name": id}})
    };
    let places = [
        ("good", "good/set"),
        // Two for one topic, of which the wrong one comes first.
        ("thief", "victim/set"),
        ("victim", "victim/set"),
        ("burglar", "zigbee2mqtt/bulb/set"),
        ("saboteur", "zigbee2mqtt/bridge/request/device/remove"),
        ("crowd", "cmnd/tasmotas/POWER"),
    ];
    for (name, topic) in places {
        announce(&broker, &format!("homeassistant/switch/{name}/config"), &entity(name, topic))?;
    }
    let bench = bench(&broker, &["homeassistant", "zigbee2mqtt", "tasmota"])?;
    soon("all seven devices", PATIENCE, || (names(&bench).ok()?.len() == 7).then_some(()))?;
    let good = broker.listen("good/set")?;
    let others = ["victim/set", "zigbee2mqtt/bulb/set", "zigbee2mqtt/bridge/request/#", "cmnd/#"];
    let others = others.iter().map(|filter| broker.listen(filter)).collect::<Result<Vec<_>>>()?;
    let send = |device: &str| bench.run(&["send", "-c", "bench", "-d", device, "Relay", "on=true", "--timeout", "1s"]);
    send("thief")?.complained("is also a command topic of the device 'victim'")?;
    send("victim")?.complained("is also a command topic of the device 'thief'")?;
    send("burglar")?.complained("belongs to the device 'bulb'")?;
    send("saboteur")?.complained("belongs to 'bridge'")?;
    send("crowd")?.complained("reaches several devices (All Tasmota devices)")?;
    send("good")?.ended(1)?;
    soon("the request of the right device", PATIENCE, || good.log().contains("good/set ON").then_some(()))?;
    ensure!(good.log().matches("good/set").count() == 1, "{}", good.log());
    for other in &others {
        ensure!(other.log().is_empty(), "{}", other.log());
    }
    Ok(())
}
