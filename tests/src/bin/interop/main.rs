//! Commands real programs with other people's firmware in them: mqtt-io and ha-mqtt-discoverable (Home Assistant discovery),
//! Zigbee2MQTT on a radio in memory, ebus-sdk and Homie4, ThingsBoard's SDK and gateway, AWS' SDK, and a Tasmota that hatasmota
//! accepts, on mosquitto beside a device of Wilco's own. After each command the device itself is asked what it is like.
//! `cargo xtask interop` installs them and starts this. The argument is where they are installed; what was proven is written
//! there as `results.md`. What one counterpart does wrong does not keep the others from being tried.

#![expect(clippy::print_stdout, reason = "it tells the person in front of the terminal what it has seen")]

mod bench;
mod counterparts;

use std::{fmt::Write as _, fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, Device, soon};

use bench::{Bench, Proof};
use counterparts::{Counterpart, Place};

/// How long a counterpart may take to announce itself.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(60);
/// How long a device may take to be seen as gone.
const GONE_WITHIN: Duration = Duration::from_secs(30);

const HOUSE: &str = "house";
const GATEWAY: &str = "gateway";
/// No ThingsBoard is on these brokers, so Wilco says what its devices want to know of it.
const THINGSBOARD: &str = "thingsboard:session_limits=on";

fn main() -> Result<()> {
    let installed = std::env::args_os().nth(1).map(PathBuf::from).context("where are the programs installed?")?;
    let place = Place::new(installed.clone())?;
    let bench = Bench::new()?;
    let mut failures = Failures::default();
    failures.of("thingsboard-gateway", gateway(&place, &bench));
    let of_house = house(&place, &bench, &mut failures);
    failures.of("The devices on one broker", of_house);
    let table = table(&place, &bench.proofs(), &failures)?;
    fs::write(installed.join("results.md"), &table)?;
    println!("\n{table}");
    ensure!(failures.0.is_empty(), "{} failed. The table says what, and what was proven anyway.", failures.0.len());
    Ok(())
}

/// The parts that did not come to the end that they must: which, and why.
#[derive(Default)]
struct Failures(Vec<(&'static str, String)>);

impl Failures {
    fn of(&mut self, part: &'static str, result: Result<()>) {
        if let Err(error) = result {
            let why = format!("{error:#}");
            println!("    {part}: FAILED: {why}");
            self.0.push((part, why));
        }
    }
}

/// Everything that shares one broker.
fn house(place: &Place, bench: &Bench, failures: &mut Failures) -> Result<()> {
    let broker = Broker::plain()?;
    let _ours = Device::start(&broker, "lamp-1", None)?;
    let _mqtt_io = place.mqtt_io(&broker)?;
    let script = |name: &str| place.script("python", name, &broker);
    let home_assistant = script("ha_device.py")?;
    let homie5 = script("homie5_device.py")?;
    let homie4 = script("homie4_device.py")?;
    let aws = script("aws_device.py")?;
    let tasmota = script("tasmota_stand_in.py")?;
    let mut zigbee = place.zigbee2mqtt(&broker)?;
    let dialects = ["wilco", "homeassistant", "zigbee2mqtt", "homie5", "homie4", "tasmota", THINGSBOARD, "aws-shadow"];
    bench.connect(HOUSE, &broker.url(), &dialects)?;
    // The SDK asks for its limits when it connects, and takes its own answer to a command for that one unless it is answered.
    let _watching = bench.watch(HOUSE)?;
    answers_limits(&broker)?;
    let thingsboard = script("tb_device.py")?;
    find_all(bench)?;
    let ours = bench.to("Wilco’s reference device", HOUSE).ends("lamp-1", &["led", "on=true"], "succeeded", "");
    failures.of("Wilco’s reference device", ours.map(drop));
    failures.of("ha-mqtt-discoverable", command_discoverable(bench, &home_assistant));
    failures.of("mqtt-io", command_mqtt_io(bench, &broker));
    failures.of("Zigbee2MQTT", command_zigbee(bench, &mut zigbee));
    failures.of("ebus-sdk", command_homie5(bench, &homie5));
    failures.of("Homie4", command_homie4(bench, &homie4));
    failures.of("stand-in Tasmota", command_tasmota(place, bench, &broker, &tasmota));
    failures.of("tb-mqtt-client", command_thingsboard(bench, &thingsboard));
    failures.of("awsiotsdk (shadow)", command_shadow(bench, &aws));
    Ok(())
}

fn find_all(bench: &Bench) -> Result<()> {
    let names = ["Bench", "MQTT IO", "bulb", "deadbulb", "lamp-1", "Homie lamp", "Homie dimmer", "Tasmota"];
    let devices = soon("every device", ANNOUNCED_WITHIN, || {
        let devices = bench.devices(HOUSE).ok()?;
        names.iter().all(|name| devices.iter().any(|device| is_called(device, name))).then_some(devices)
    })?;
    for device in &devices {
        let text = |member: &str| device[member].as_str().unwrap_or("–");
        println!("    {}: {}, {}, {}", text("device"), text("name"), text("dialect"), text("presence"));
    }
    // Zigbee2MQTT announces its bulbs for Home Assistant too.
    let bulbs = devices.iter().filter(|device| is_called(device, "bulb")).count();
    ensure!(bulbs == 1, "{devices:#?}");
    // And the bridge, the ThingsBoard device and the thing of AWS, which are listed once they have spoken.
    let known = |device: &&Value| names.iter().any(|name| is_called(device, name));
    let unnamed: Vec<&str> =
        devices.iter().filter(|one| !known(one)).filter_map(|one| one["device"].as_str()).collect();
    ensure!(unnamed.iter().all(|id| ["bridge", "me", "dock-1"].contains(id)), "{unnamed:?}");
    Ok(())
}

fn command_discoverable(bench: &Bench, device: &Counterpart) -> Result<()> {
    let discoverable = bench.to("ha-mqtt-discoverable", HOUSE);
    discoverable.ends("Bench", &["led", "on=true"], "succeeded", "The device reported ON.")?;
    device.is("/lamp", &json!(true))?;
    discoverable.ends("Bench", &["Level", "value=42"], "succeeded", "The device reported 42.")?;
    device.is("/level", &json!(42.0))?;
    discoverable.ends("Bench", &["Restart"], "unconfirmed", "has no state topic")?;
    device.is("/restarts", &json!(1))
}

fn command_mqtt_io(bench: &Bench, broker: &Broker) -> Result<()> {
    // It has no other way to tell of its pin than this topic, which mosquitto's own client reads.
    let pin = broker.listen("pi/garage/output/door")?;
    let mqtt_io = bench.to("mqtt-io", HOUSE);
    mqtt_io.ends("MQTT IO", &["led", "on=true"], "succeeded", "The device reported OPEN.")?;
    ensure!(pin.log().contains("pi/garage/output/door OPEN"), "{}", pin.log());
    Ok(())
}

fn command_zigbee(bench: &Bench, zigbee: &mut Counterpart) -> Result<()> {
    let bulbs = bench.to("Zigbee2MQTT", HOUSE);
    bulbs.ends("bulb", &["led", "on=true"], "succeeded", "The device reported ON.")?;
    zigbee.is("/onOff", &json!(1))?;
    bulbs.ends("bulb", &["set brightness", "value=120"], "succeeded", "The device reported 120.")?;
    zigbee.is("/currentLevel", &json!(120))?;
    bulbs.ends("bulb", &["set", "nonsense=1"], "failed", "No converter available for 'nonsense'")?;
    bulbs.ends("bridge", &["bridge/health_check"], "succeeded", "")?;

    // A bulb without power: the bridge says that it is offline, so its command is held and expires unsent.
    soon("the dead bulb is offline", ANNOUNCED_WITHIN, || {
        let devices = bench.devices(HOUSE).ok()?;
        devices.iter().any(|device| is_called(device, "deadbulb") && device["presence"] == "offline").then_some(())
    })?;
    let asked = |zigbee: &Counterpart| Ok::<_, anyhow::Error>(zigbee.own_state()?["commands"]["40370"].clone());
    let before = asked(zigbee)?;
    let states = bulbs.ends("deadbulb", &["led", "on=true", "--ttl", "3s"], "expired", "")?;
    ensure!(states.iter().any(|state| state == "held"), "{states:?}");
    ensure!(!states.iter().any(|state| state == "sent"), "{states:?}");
    ensure!(asked(zigbee)? == before, "the dead bulb was asked although its command was held");
    // Sent all the same, it fails on the radio, and the bridge says so in its log only.
    let send = ["led", "on=true", "--delivery", "broker", "--timeout", "30s"];
    bulbs.ends("deadbulb", &send, "failed", "Publish 'set' 'state' to 'deadbulb' failed")?;
    ensure!(asked(zigbee)? != before, "the radio was not asked");

    // A bridge that is gone takes its devices with it.
    zigbee.kill();
    soon("end of the bulbs", GONE_WITHIN, || {
        let devices = bench.devices(HOUSE).ok()?;
        devices.iter().any(|device| is_called(device, "bulb") && device["presence"] == "offline").then_some(())
    })?;
    bench.proved("Zigbee2MQTT", "killed: its bulbs are offline.".to_owned());
    Ok(())
}

fn command_homie5(bench: &Bench, five: &Counterpart) -> Result<()> {
    let lamp = bench.to("ebus-sdk", HOUSE);
    lamp.ends("Homie lamp", &["led", "on=true"], "succeeded", "The device reported true.")?;
    five.is("/power", &json!(true))?;
    lamp.ends("Homie lamp", &["light/brightness", "value=80"], "succeeded", "The device reported 80.")?;
    five.is("/brightness", &json!(80))?;
    lamp.ends("Homie lamp", &["light/mode", "value=cold"], "succeeded", "The device reported cold.")?;
    five.is("/mode", &json!("cold"))?;
    lamp.ends("Homie lamp", &["light/watts", "value=1", "--timeout", "2s"], "timed_out", "").map(drop)
}

fn command_homie4(bench: &Bench, four: &Counterpart) -> Result<()> {
    let dimmer = bench.to("Homie4", HOUSE);
    dimmer.ends("Homie dimmer", &["dimmer/dimmer", "value=40"], "succeeded", "The device reported 40.")?;
    let percent = four.own_state()?["dimmer"].clone();
    ensure!(percent.as_f64().or_else(|| percent.as_str()?.parse().ok()) == Some(40.0), "{percent}");
    Ok(())
}

fn command_tasmota(place: &Place, bench: &Bench, broker: &Broker, device: &Counterpart) -> Result<()> {
    let tasmota = bench.to("stand-in Tasmota", HOUSE);
    tasmota.ends("Tasmota", &["led", "on=true"], "succeeded", "The device reported ON.")?;
    device.is("/power", &json!(true))?;
    tasmota.ends("Tasmota", &["NoSuch", "value=1"], "rejected", "Unknown")?;
    tasmota.ends("Tasmota", &["TelePeriod", "value=60"], "succeeded", "The device reported 60.")?;
    device.is("/tele", &json!(60))?;
    tasmota.ends("Tasmota", &["config.get"], "unconfirmed", "")?;
    tasmota.ends("Tasmota", &["Restart", "--timeout", "2s"], "timed_out", "accepted")?;
    place.judge_tasmota(broker)?;
    bench.proved("stand-in Tasmota", "hatasmota finds it, sees it online and switches it.".to_owned());
    Ok(())
}

fn command_thingsboard(bench: &Bench, thingsboard: &Counterpart) -> Result<()> {
    let sdk = bench.to("tb-mqtt-client", HOUSE);
    sdk.ends("me", &["getValue"], "succeeded", "")?;
    thingsboard.is("/asked", &json!("getValue"))?;
    sdk.ends("me", &["broken"], "failed", "no such pin")?;
    thingsboard.is("/asked", &json!("broken"))
}

fn command_shadow(bench: &Bench, aws: &Counterpart) -> Result<()> {
    let shadow = bench.to("awsiotsdk (shadow)", HOUSE);
    shadow.ends("dock-1", &["set", "led=true"], "succeeded", "The device reported true.")?;
    aws.is("/led", &json!(true))
}

/// ThingsBoard's gateway has a broker of its own, because everything on one broker is `me` to ThingsBoard's devices.
fn gateway(place: &Place, bench: &Bench) -> Result<()> {
    let broker = Broker::plain()?;
    bench.connect(GATEWAY, &broker.url(), &[THINGSBOARD])?;
    let _watching = bench.watch(GATEWAY)?;
    // The gateway accepts no commands before its question for limits is answered, which it asks when it connects.
    answers_limits(&broker)?;
    let _gateway = place.thingsboard_gateway(&broker)?;
    // It says once that a device is there, when that has spoken for the first time.
    let log = || broker.log();
    soon("the gateway and Wilco", ANNOUNCED_WITHIN, || {
        (log().contains("v1/gateway/rpc") && log().contains("sensor/+/data")).then_some(())
    })?;
    let relay = place.script("gateway", "thingsboard_gateway/inner_device.py", &broker)?;
    let devices = soon("the device behind the gateway", ANNOUNCED_WITHIN, || {
        let devices = bench.devices(GATEWAY).ok()?;
        devices.iter().any(|device| device["device"] == "SN-1").then_some(devices)
    })?;
    // And the gateway itself, as the device that has the broker.
    let others = devices.iter().filter(|device| device["device"] != "SN-1" && device["device"] != "me").count();
    ensure!(others == 0, "{devices:#?}");
    bench.proved("thingsboard-gateway", "found: `SN-1`.".to_owned());
    let behind = bench.to("thingsboard-gateway", GATEWAY);
    behind.ends("SN-1", &["setRelay", "on=true"], "succeeded", "")?;
    relay.is("/relay", &json!(true))?;
    behind.ends("SN-1", &["getRelay"], "succeeded", "")?;
    behind.ends("SN-1", &["slow"], "failed", "")?;
    behind.ends("SN-1", &["unmapped", "--timeout", "3s"], "timed_out", "")?;
    Ok(())
}

/// Waits until Wilco hears questions for the limits of a session.
fn answers_limits(broker: &Broker) -> Result<()> {
    soon("the subscription to questions", ANNOUNCED_WITHIN, || {
        broker.log().contains("v1/devices/me/rpc/request/+").then_some(())
    })
}

fn is_called(device: &Value, name: &str) -> bool {
    device["name"] == name || (device["name"].is_null() && device["device"] == name)
}

/// What was proven, as a table for the documentation.
fn table(place: &Place, proofs: &[Proof], failures: &Failures) -> Result<String> {
    let counterparts = [
        ("Zigbee2MQTT", Some(place.node_version("zigbee2mqtt")?)),
        ("mqtt-io", Some(place.version("python", "mqtt-io")?)),
        ("ha-mqtt-discoverable", Some(place.version("python", "ha-mqtt-discoverable")?)),
        ("ebus-sdk", Some(place.version("python", "ebus-sdk")?)),
        ("Homie4", Some(place.version("python", "Homie4")?)),
        ("tb-mqtt-client", Some(place.version("python", "tb-mqtt-client")?)),
        ("thingsboard-gateway", Some(place.version("gateway", "thingsboard-gateway")?)),
        ("awsiotsdk (shadow)", Some(place.version("python", "awsiotsdk")?)),
        ("stand-in Tasmota", Some(format!("judged by hatasmota {}", place.version("python", "HATasmota")?))),
        ("Wilco’s reference device", None),
    ];
    let mut table = String::from("| counterpart | version | proven |\n| --- | --- | --- |\n");
    for (of, version) in counterparts {
        let of_it: Vec<&str> = proofs.iter().filter(|proof| proof.of == of).map(|proof| proof.what.trim()).collect();
        let proven = if of_it.is_empty() { "nothing".to_owned() } else { of_it.join("<br>") };
        writeln!(table, "| {of} | {} | {proven} |", version.as_deref().unwrap_or("–"))?;
        ensure!(!of_it.is_empty() || !failures.0.is_empty(), "nothing was proven of {of}");
    }
    for (part, why) in &failures.0 {
        writeln!(table, "\n**Failed**: {part}: {why}")?;
    }
    Ok(table)
}
