//! Irregular and malicious firmware, on a real broker.

use std::{
    fs,
    io::{BufRead, BufReader},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, Replay, soon};

use crate::bench::Bench;

fn bench(broker: &Broker, dialects: &[&str]) -> Result<Bench> {
    let bench = Bench::new()?;
    let url = broker.url();
    let mut arguments = vec!["connections", "add", "bench", "--url", &url];
    dialects.iter().for_each(|dialect| arguments.extend(["--dialect", dialect]));
    bench.run(&arguments)?.ended(0)?;
    Ok(bench)
}

fn devices(bench: &Bench) -> Result<Vec<Value>> {
    bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()
}

fn lamp(ieee: &str, name: &str) -> Value {
    let state = json!({"type": "binary", "property": "state", "name": "state", "access": 7, "value_on": "ON", "value_off": "OFF"});
    json!({"ieee_address": ieee, "friendly_name": name, "type": "Router",
        "definition": {"model": "LWA001", "vendor": "Philips", "exposes": [{"type": "light", "features": [state]}]}})
}

/// Answers a Zigbee2MQTT `/set` as a bulb does.
fn answers(broker: &Broker, base: &str, name: &str) -> Result<Replay> {
    let exchange = json!({"request": {"topic": format!("{base}/{name}/set"), "payload": ""},
        "answers": [{"topic": format!("{base}/{name}"), "payload": r#"{"state":"ON"}"#}]});
    Replay::start(broker, &exchange)
}

#[test]
fn base_topics_that_are_not_the_usual_ones_are_settings_of_the_connection() -> Result<()> {
    let broker = Broker::plain()?;
    broker.publish("house/z2m/bridge/devices", json!([lamp("0x01", "attic/lamp")]).to_string().as_bytes(), true)?;
    let door = json!({"name": "Door", "unique_id": "door", "command_topic": "pi/door/set", "state_topic": "pi/door",
        "device": {"identifiers": ["pi"], "name": "Garage"}});
    broker.publish("house/ha/switch/pi/door/config", door.to_string().as_bytes(), true)?;
    let plug = json!({"dn": "Plug", "fn": ["Plug"], "hn": "plug-4711", "mac": "A1B2C3D4E5F6", "md": "Sonoff", "ofln": "Weg",
        "onln": "Da", "state": ["AUS", "AN", "UM", "HALT"], "sw": "14.2.0", "t": "plug", "ft": "%hostname%/%topic%/%prefix%/",
        "tp": ["befehl", "antwort", "messung"], "rl": [1, 0], "ver": 1});
    broker.publish("tasmota/discovery/A1B2C3D4E5F6/config", plug.to_string().as_bytes(), true)?;
    broker.publish("plug-4711/plug/messung/LWT", b"Da", true)?;
    let bench = bench(&broker, &["zigbee2mqtt:base=house/z2m", "homeassistant:prefix=house/ha", "tasmota"])?;
    let found =
        soon("three devices", Duration::from_secs(20), || devices(&bench).ok().filter(|found| found.len() == 3))?;
    let named = |name: &str| found.iter().find(|one| one["name"] == name);
    ensure!(named("attic/lamp").is_some() && named("Garage").is_some(), "{found:?}");
    ensure!(named("Plug").is_some_and(|plug| plug["presence"] == "online"), "{found:?}");

    let _lamp = answers(&broker, "house/z2m", "attic/lamp")?;
    bench.run(&["send", "-c", "bench", "-d", "attic/lamp", "led", "on=true"])?.ended(0)?;
    let exchange = json!({"request": {"topic": "plug-4711/plug/befehl/Power", "payload": "AN"},
        "answers": [{"topic": "plug-4711/plug/antwort/RESULT", "payload": r#"{"POWER":"AN"}"#}]});
    let _plug = Replay::start(&broker, &exchange)?;
    bench.run(&["send", "-c", "bench", "-d", "Plug", "led", "on=true"])?.ended(0)?;

    let edit = |dialect: &str| bench.run(&["connections", "edit", "bench", "--dialect", dialect]);
    edit("zigbee2mqtt:base")?.complained("'base' is not a dialect setting")?;
    edit("zigbee2mqtt:base=")?.complained("The setting 'base' cannot be ''")?;
    edit("zigbee2mqtt:base=a/#")?.complained("The setting 'base' cannot be 'a/#'")?;
    edit("zigbee2mqtt:bass=x")?.complained("has no setting 'bass'")?;
    edit("shelly:console=other")?.complained("has no setting 'console'")?;
    edit("hono:variant=longer")?.complained("The setting 'variant' of the dialect 'hono' cannot be 'longer'")?;
    edit("hono:one_way=perhaps")?.complained("The setting 'one_way' of the dialect 'hono' cannot be 'perhaps'")?;
    edit("thingsboard:session_limits=yes")?.complained("cannot be 'yes'")?;
    Ok(())
}

#[test]
fn a_hub_that_renames_devices_while_a_rollout_runs_is_followed() -> Result<()> {
    let broker = Broker::plain()?;
    let list = |names: [&str; 3]| {
        let lamps: Vec<Value> =
            names.iter().enumerate().map(|(number, name)| lamp(&format!("0x0{}", number + 1), name)).collect();
        json!(lamps).to_string()
    };
    broker.publish("zigbee2mqtt/bridge/devices", list(["a", "b", "c"]).as_bytes(), true)?;
    let bench = bench(&broker, &["zigbee2mqtt"])?;
    soon("three lamps", Duration::from_secs(20), || devices(&bench).ok().filter(|found| found.len() == 3))?;
    let _first = answers(&broker, "zigbee2mqtt", "a")?;
    let (_old, _new) = (answers(&broker, "zigbee2mqtt", "b")?, answers(&broker, "zigbee2mqtt", "attic/b")?);
    let heard = broker.listen("zigbee2mqtt/+/set")?;
    let _third = answers(&broker, "zigbee2mqtt", "c")?;
    // One device, then a person decides.
    let start = ["rollout", "start", "-c", "bench", "--search", "0x", "--stages", "1,100%", "--pause-between", "ask"];
    let mut rollout = bench.start(&[&start[..], &["--output", "json", "set", "state=ON"]].concat())?;
    let printed = BufReader::new(rollout.take_output().context("no output")?);
    let mut lines = printed.lines().map_while(Result::ok);
    let waits = lines.any(|line| line.contains("\"waiting\""));
    ensure!(waits, "the first stage did not end");
    broker.publish("zigbee2mqtt/bridge/devices", list(["a", "attic/b", "c"]).as_bytes(), true)?;
    soon("the new name", Duration::from_secs(20), || {
        devices(&bench).ok().filter(|found| found.iter().any(|one| one["name"] == "attic/b"))
    })?;
    bench.run(&["rollout", "next", "1"])?.ended(0)?;
    ensure!(lines.any(|line| line.contains("\"finished\"")), "the rollout did not finish");
    let asked = heard.log();
    ensure!(!asked.contains("zigbee2mqtt/b/set"), "{asked}");
    Ok(())
}

#[test]
fn a_dialect_that_claims_every_topic_or_another_one_s_is_refused_or_named() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::new()?;
    let write = |name: &str, topic: &str| -> Result<String> {
        let path = bench.data.path().join(format!("{name}.toml"));
        let text = format!(
            "format = 1\nname = \"{name}\"\ntitle = \"{name}\"\n[[request]]\ntopic = \"x/{{device}}\"\ntext = \
             \"{{args.value}}\"\n[[receive]]\ntopic = \"{topic}\"\nas = \"answer\"\noutcome = [{{ means = \
             \"succeeded\" }}]\n"
        );
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let url = broker.url();
    let every = write("every", "{device}/{rest...}")?;
    bench
        .run(&["dialects", "check", &every])?
        .ended(1)?
        .out
        .contains("matches every message")
        .then_some(())
        .context("not said")?;
    bench
        .run(&["connections", "add", "bench", "--url", &url, "--dialect", &every])?
        .complained("matches every message")?;
    let tasmotas = write("mine", "stat/{device}/RESULT")?;
    let said = bench.run(&["dialects", "check", &tasmotas])?.ended(0)?;
    ensure!(said.err.contains("'mine' and 'tasmota' both use"), "{said:?}");
    // A connection compares what it has: also two files, and settings that are not the usual ones.
    let said = bench.run(&["connections", "add", "bench", "--url", &url, "--dialect", &tasmotas])?.ended(0)?;
    ensure!(!said.err.contains("both use"), "{said:?}");
    let twin = write("twin", "stat/{device}/RESULT")?;
    let edit = |dialects: &[&str]| {
        let mut arguments = vec!["connections", "edit", "bench"];
        dialects.iter().for_each(|dialect| arguments.extend(["--dialect", dialect]));
        bench.run(&arguments)?.ended(0)
    };
    let said = edit(&[&tasmotas, &twin])?;
    ensure!(said.err.contains("'mine' and 'twin' both use 'stat/+/RESULT'"), "{said:?}");
    ensure!(edit(&[&tasmotas, "tasmota"])?.err.contains("'mine' and 'tasmota' both use"));
    ensure!(!edit(&[&tasmotas, "tasmota:stat=antwort"])?.err.contains("both use"));
    Ok(())
}
