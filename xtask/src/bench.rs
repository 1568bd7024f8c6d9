//! `cargo xtask bench [growth | history | window] [--quick]`: measures the cost of the promise, its growth with the
//! fleet, the cost of a long history, and the cost and the speed of the window, and writes a report under `docs`.
//!
//! It is not part of `check` or `test`, because figures mean something only on an idle machine.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::packages::Purpose;
use crate::{bundle, npm, packages, process, target, tools};

/// Sets up, builds the release programs, and runs the bench.
pub(crate) fn bench(words: &[&str]) -> Result<ExitCode> {
    // A quick run only tests the bench; its figures are not written to a report.
    let (directory, option) = match words {
        [] => (crate::top().join("docs"), None),
        ["--quick"] => (target().join("bench"), Some("--quick")),
        ["growth"] => return growth(&crate::top().join("docs"), None),
        ["growth", "--quick"] => return growth(&target().join("bench"), Some("--quick")),
        ["window"] => return window(&crate::top().join("docs"), None),
        ["window", "--quick"] => return window(&target().join("bench"), Some("--quick")),
        ["history"] => return engine_alone("history", &crate::top().join("docs"), &[]),
        ["history", options @ ..] => return engine_alone("history", &target().join("bench"), options),
        _ => bail!("bench accepts growth, history, window and --quick; history also accepts --commands N."),
    };
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Test])?;
    npm::install_in("bench/mqttjs", "Installing MQTT.js for the bench")?;
    bundle::make(bundle::USUAL)?;
    let mut build = process::cargo();
    // Built separately; otherwise the app would get features that only the bench needs.
    build.args(["build", "--release", "--package", "wilco-bench"]);
    process::run("Building the bench", &mut build)?;
    let mut bench = process::program(target().join("release/wilco-bench"));
    process::run("Measuring", bench.arg("run").arg(&directory).args(option))?;
    println!("    The report: {}", directory.join("bench.md").display());
    Ok(ExitCode::SUCCESS)
}

/// The window bench needs the release build of the app, but no package.
fn window(directory: &Path, option: Option<&str>) -> Result<ExitCode> {
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Test])?;
    tools::install(&[tools::TAURI_DRIVER])?;
    bundle::build()?;
    let mut build = process::cargo();
    build.args(["build", "--release", "--package", "wilco-bench"]);
    process::run("Building the bench", &mut build)?;
    let mut bench = process::program(target().join("release/wilco-bench"));
    process::run("Measuring", bench.arg("window").arg(directory).args(option))?;
    println!("    The report: {}", directory.join("bench-window.md").display());
    Ok(ExitCode::SUCCESS)
}

fn growth(directory: &Path, option: Option<&str>) -> Result<ExitCode> {
    engine_alone("growth", directory, option.as_slice())
}

/// The benches of the engine need no app.
fn engine_alone(what: &str, directory: &Path, options: &[&str]) -> Result<ExitCode> {
    packages::install(&[Purpose::Build, Purpose::Test])?;
    npm::install_in("bench/mqttjs", "Installing MQTT.js for the bench")?;
    let mut build = process::cargo();
    build.args(["build", "--release", "--package", "wilco-bench"]);
    process::run("Building the bench", &mut build)?;
    let mut bench = process::program(target().join("release/wilco-bench"));
    process::run("Measuring", bench.arg(what).arg(directory).args(options))?;
    println!("    The report: {}", directory.join(format!("bench-{what}.md")).display());
    Ok(ExitCode::SUCCESS)
}
