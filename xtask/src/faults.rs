//! `cargo xtask faults [options]`: kills, stops and disconnects console, broker and devices during fan-outs.
//!
//! The campaign is a program of the `wilco-tests` crate, which documents its options.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::Purpose;
use crate::tally::Tally;
use crate::{packages, process, reliability, target};

/// How many seeds of each scenario `cargo xtask test` starts, and for how many seconds.
const IN_TEST: [&str; 4] = ["--seeds", "23", "--seconds", "240"];
/// The page that a complete campaign writes.
const PAGE: &str = "docs/reliability.md";
/// Optimised, but with the checks of a debug build: several times as many runs in the same time.
const PROFILE: &str = "campaign";

/// Runs `faults` with the given arguments. `--report` without a file writes the page in the repository.
pub(crate) fn faults(words: &[&str]) -> Result<ExitCode> {
    packages::install(&[Purpose::Build, Purpose::Test])?;
    let mut build = process::cargo();
    build.args(["build", "--package", "wilco-tests", "--bin", "faults", "--profile", PROFILE]);
    process::run("Building the fault runs", &mut build)?;
    let mut campaign = campaign(PROFILE);
    campaign.env("WILCO_COMPUTER", reliability::measured());
    for (place, word) in words.iter().enumerate() {
        campaign.arg(word);
        let has_value = words.get(place + 1).is_some_and(|next| !next.starts_with("--"));
        if *word == "--report" && !has_value {
            campaign.arg(crate::top().join(PAGE));
        }
    }
    process::run("Killing, stopping and disconnecting", &mut campaign)?;
    Ok(ExitCode::SUCCESS)
}

/// The limited campaign of `cargo xtask test`, which has built it.
pub(crate) fn in_test() -> Result<Tally> {
    let (ended_well, lines) =
        process::run_and_read("Killing, stopping and disconnecting", campaign("debug").args(IN_TEST))?;
    Ok(Tally::read(&lines, ended_well))
}

fn campaign(profile: &str) -> Command {
    process::program(target().join(profile).join("faults"))
}
