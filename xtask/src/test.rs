//! `cargo xtask test`: runs every test, and sums up the results in one line.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::packages::Purpose;
use crate::run::{EMBEDDED_PAGE, with_driver};
use crate::tally::Tally;
use crate::{faults, npm, packages, process, tools};

/// Sets up, builds, and runs the page's unit tests, the crates' tests and the tests in a real window.
pub(crate) fn test() -> Result<ExitCode> {
    let started = Instant::now();
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Test])?;
    npm::install()?;
    tools::install(&[tools::TAURI_DRIVER])?;
    npm::build()?;
    let mut results = vec![("Page", suite("Testing the page", &mut npm::script("test"))?)];
    // All targets at once, with the same selection as `cargo test` below: a different selection of packages would enable
    // different features, and everything would be compiled twice.
    let everything = ["--workspace", "--features", EMBEDDED_PAGE];
    let mut build = process::cargo();
    build.arg("build").args(everything).arg("--all-targets");
    process::run("Building the app, the device, the command line and the tests", &mut build)?;
    let mut cargo = process::cargo();
    with_driver(&mut cargo).arg("test").args(everything).args(["--no-fail-fast"]);
    results.push(("Crates, brokers, devices and the window", suite("Testing the crates and the window", &mut cargo)?));
    results.push(("Fault campaign", faults::in_test()?));

    println!("\n==> Summary, after {}", process::elapsed(started));
    let mut total = Tally::default();
    for (name, tally) in results {
        println!("    {name}: {tally}");
        total += tally;
    }
    println!("{total}");
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn suite(what: &str, command: &mut Command) -> Result<Tally> {
    let (ended_well, lines) = process::run_and_read(what, command)?;
    Ok(Tally::read(&lines, ended_well))
}
