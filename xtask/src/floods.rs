//! `cargo xtask floods`: the tests in which a device sends too much, with a release build. Their figures are a section
//! of `docs/reliability.md`.

use std::process::ExitCode;

use anyhow::Result;

use crate::packages::Purpose;
use crate::{packages, process, reliability};

/// The line that a test prints before the figures of a flood: see `tests/tests/engine/floods.rs`.
const MARK: &str = "flood | ";

/// Measures, and writes the section if everything stayed within its limits.
pub(crate) fn floods() -> Result<ExitCode> {
    packages::install(&[Purpose::Build, Purpose::Test])?;
    let mut build = process::cargo();
    build.args(["build", "--release", "--package", "wilco-cli", "--package", "wilco-device"]);
    process::run("Building the command line and the device", &mut build)?;
    let mut test = process::cargo();
    test.args(["test", "--release", "--package", "wilco-tests", "--test", "engine", "floods"]);
    test.args(["--", "--nocapture", "--test-threads", "1"]);
    let (ended_well, lines) = process::run_and_read("Flooding", &mut test)?;
    let rows: Vec<_> = lines.iter().filter_map(|line| row(line)).collect();
    if !ended_well || rows.is_empty() {
        println!("    A flood exceeded its limits or could not be measured, so the page was not changed.");
        return Ok(ExitCode::FAILURE);
    }
    reliability::write("Floods", &section(&rows))?;
    Ok(ExitCode::SUCCESS)
}

/// The table row for a line.
fn row(line: &str) -> Option<String> {
    let (_, figures) = line.split_once(MARK)?;
    Some(format!("| {} |", figures.trim()))
}

fn section(rows: &[String]) -> String {
    format!(
        "One device sends too much while another is commanded, one command after the other. Everything is real: mosquitto, the
engine, and a publisher that sends at QoS 1. Each run also checks that nothing is lost: every message is kept or counted, and an
answer to an old command among 100,000 with unknown IDs counts. The memory is that of the engine and the test together.

| flood | commands | median | p95 | longest | memory |
| --- | --: | --: | --: | --: | --: |
{}

Release build, {}. The tests fail where the p95 is above 250 ms or the memory above 300 MB. Of 100,000 invented devices, between
20,001 and 22,000 are listed and the rest is counted; the database grows by less than 20 MB. To measure again:

```sh
cargo xtask floods
```",
        rows.join("\n"),
        reliability::measured()
    )
}

#[cfg(test)]
mod tests {
    use super::{row, section};

    #[test]
    fn a_row_is_found_behind_the_name_of_its_test() {
        let line = "test floods::requests ... flood | 5,000 requests | 40 | 12 ms | 30 ms | 41 ms | 75 MB";
        let row = row(line).expect("a row");
        assert_eq!(row, "| 5,000 requests | 40 | 12 ms | 30 ms | 41 ms | 75 MB |");
        assert!(section(&[row]).contains("| --: |\n| 5,000 requests | 40 |"));
        assert_eq!(super::row("test floods::requests ... ok"), None);
    }
}
