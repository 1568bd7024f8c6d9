//! `cargo xtask floods [engine | window]`: the tests in which a device sends too much, with a release build, and their figures as
//! sections of `docs/reliability.md`. In the window it takes ten minutes.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::packages::Purpose;
use crate::run::with_driver;
use crate::{bundle, packages, process, reliability, tools};

/// Where a flood is measured.
struct Place {
    /// The test of `wilco-tests`, and the section's title.
    test: &'static str,
    title: &'static str,
    /// What a test prints before its figures: see `tests/tests/engine/floods.rs` and `tests/tests/window/floods.rs`.
    mark: &'static str,
    /// The section before its table, and after it.
    text: (&'static str, &'static str),
}

const ENGINE: Place = Place {
    test: "engine",
    title: "Floods",
    mark: "flood | ",
    text: (
        "One device sends too much while another is commanded, one command after the other. Everything is real: mosquitto, the
engine, and a publisher that sends at QoS 1. Each run also checks that nothing is lost: every message is kept or counted, and an
answer to an old command among 100,000 with unknown IDs counts. The memory is that of the engine and the test together.",
        "Of 100,000 invented devices, between 20,001 and 22,000 are listed and the rest is counted; the database grows by less than
20 MB.",
    ),
};

const WINDOW: Place = Place {
    test: "window",
    title: "Floods in the window",
    mark: "window | ",
    text: (
        "The same in the app's window, for ten minutes: from the moment at which the other device sends its answer until the page shows
the end of its command. The memory is that of the app, without the processes of its web view. The row of the device that floods
says so, and when it ends, its newest report is shown.",
        "",
    ),
};

/// Measures, and writes each section if everything stayed within its limits.
pub(crate) fn floods(words: &[&str]) -> Result<ExitCode> {
    let places = match words {
        [] => vec![ENGINE, WINDOW],
        ["engine"] => vec![ENGINE],
        ["window"] => vec![WINDOW],
        _ => bail!("floods accepts engine or window."),
    };
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Test])?;
    tools::install(&[tools::TAURI_DRIVER])?;
    bundle::build()?;
    let mut is_within = true;
    for place in places {
        let mut test = process::cargo();
        with_driver(&mut test).args(["test", "--release", "--package", "wilco-tests", "--test", place.test, "floods"]);
        test.args(["--", "--nocapture", "--test-threads", "1"]);
        is_within &= measured(&place, &mut test)?;
    }
    Ok(if is_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measured(place: &Place, test: &mut Command) -> Result<bool> {
    let (ended_well, lines) = process::run_and_read(place.title, test)?;
    let rows: Vec<_> = lines.iter().filter_map(|line| place.row(line)).collect();
    if !ended_well || rows.is_empty() {
        println!("    A flood exceeded its limits or could not be measured, so the page was not changed.");
        return Ok(false);
    }
    reliability::write(place.title, &place.section(&rows))?;
    Ok(true)
}

impl Place {
    /// The row of the table that a line has in it.
    fn row(&self, line: &str) -> Option<String> {
        let (_, figures) = line.split_once(self.mark)?;
        Some(format!("| {} |", figures.trim()))
    }

    fn section(&self, rows: &[String]) -> String {
        let (before, after) = self.text;
        format!(
            "{before}

| flood | commands | median | p95 | longest | memory |
| --- | --: | --: | --: | --: | --: |
{}

Release build on {}. The tests fail where the p95 is above 250 ms or the memory above 300 MB. {after}

```sh
cargo xtask floods {}
```",
            rows.join("\n"),
            reliability::measured(),
            self.test,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{ENGINE, WINDOW};

    #[test]
    fn a_row_is_found_behind_the_name_of_its_test() {
        let line = "test floods::requests ... flood | 5,000 requests | 40 | 12 ms | 30 ms | 41 ms | 75 MB";
        let row = ENGINE.row(line).expect("a row");
        assert_eq!(row, "| 5,000 requests | 40 | 12 ms | 30 ms | 41 ms | 75 MB |");
        assert!(ENGINE.section(&[row]).contains("| --: |\n| 5,000 requests | 40 |"));
        assert_eq!(ENGINE.row("test floods::requests ... ok"), None);
        assert_eq!(WINDOW.row(line), None);
    }
}
