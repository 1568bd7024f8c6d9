//! `cargo xtask fuzz [target] [executions | --seconds N | --keep | --report]`: fuzzes every decoder of external data.
//!
//! It is not part of `test`, because it takes long and finds more only with more time; tests mutate a few thousand
//! inputs of the same kinds. `check` makes sure that the targets build, and CI runs each for a limited time.
//!
//! What led to new places is kept in `fuzz/corpus`, which is not in the repository: every run begins with it, and CI hands
//! it on from run to run. `--keep` adds to `fuzz/seeds`, which is, those inputs that reach what no seed reaches. `--report`
//! runs each target until its code was executed ten million times, also by earlier runs, and writes a section of
//! `docs/reliability.md`. It can be interrupted at any time.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::executions::{Executions, code};
use crate::packages::Purpose;
use crate::{packages, process, reliability, target, tools};

/// What each target reads is said in `fuzz/fuzz_targets`. With each the directories and files of its decoders: executions of an
/// earlier version of these do not count.
const TARGETS: [(&str, &[&str]); 18] = [
    ("files", &CERTIFICATES),
    ("pkcs12", &CERTIFICATES),
    ("locked_keys", &CERTIFICATES),
    ("archives", &CERTIFICATES),
    ("dialects", &DIALECTS),
    ("dialect_files", &DIALECTS),
    ("discovery", &DIALECTS),
    ("forms", &DIALECTS),
    ("schemas", &["crates/engine/src/catalogue", "crates/dialect/src/json.rs", "crates/dialect/src/template.rs"]),
    ("device_files", &["crates/engine/src/device_file"]),
    (
        "exports",
        &["crates/engine/src/import_export.rs", "crates/engine/src/catalogue/file.rs", "crates/connection/src"],
    ),
    (
        "signed_files",
        &["crates/engine/src/evidence_file", "crates/engine/src/approval", "crates/engine/src/signed_lines.rs"],
    ),
    ("local_socket", &["crates/engine/src/ipc.rs", "crates/api/src"]),
    ("typed", &["crates/connection/src", "crates/engine/src/fleet/search", "crates/engine/src/traffic/filter.rs"]),
    ("learned", &DIALECTS),
    ("exchanges", &DIALECTS),
    ("network", &["crates/mqtt/src", "fuzz/Cargo.toml"]),
    ("stored", &["crates/store/src"]),
];
const CERTIFICATES: [&str; 1] = ["crates/credentials/src/tls"];
const DIALECTS: [&str; 1] = ["crates/dialect/src"];

/// How long each target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Executions(u64),
    Seconds(u64),
    /// Until so many executions or seconds, whichever comes first.
    Until(u64, u64),
    /// Not at all: the corpus is added to the seeds.
    Keep,
}

const EXECUTIONS: Length = Length::Executions(1_000_000);
/// Of the code of each target, for the report.
const REPORTED: u64 = 10_000_000;
/// What libFuzzer can count to (`-runs` is a 32-bit number).
const MOST_RUNS: u64 = i32::MAX as u64;
/// The targets take turns of so many seconds, so that a report that is interrupted has some of each.
const TURN: u64 = 300;
/// What the fuzzer says at its end.
const EXECUTED: &str = "stat::number_of_executed_units:";
/// The memory limit of the process for one input, in megabytes, including the fuzzer's own memory.
const MEMORY: u32 = 1_024;
/// The maximum length of an input, in bytes. Every seed is smaller; longer inputs find nothing more, and take longer.
const LONGEST: u32 = 16_384;
/// The time limit for one input, in seconds.
const TIMEOUT: u32 = 10;

/// Runs `fuzz` with the given arguments.
pub(crate) fn fuzz(words: &[&str]) -> Result<ExitCode> {
    let (words, is_report) = match words {
        [words @ .., "--report"] => (words, true),
        words => (words, false),
    };
    let (targets, length) = asked(words)?;
    packages::install(&[Purpose::Build])?;
    tools::install(&[tools::FUZZ])?;
    let mut executions = Executions::read();
    match (is_report, length) {
        (true, Length::Keep) => bail!("--keep adds to the seeds, and --report counts executions: choose one."),
        (true, EXECUTIONS) => {
            // In turns, and in none is one left out that has something to do.
            while turn(&targets, REPORTED, Length::Seconds(TURN), &mut executions)? {}
        }
        (true, length) => {
            turn(&targets, u64::MAX, length, &mut executions)?;
        }
        (false, length) => {
            for (target, directories) in targets {
                let executed = run(target, length)?;
                if let Some(code) = code(target, directories).filter(|_| length != Length::Keep) {
                    executions.add(target, &code, executed)?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs each of these targets for a while whose code was executed less often than that, and writes the report after each. Says
/// whether there was one.
fn turn(targets: &[Target], wanted: u64, length: Length, executions: &mut Executions) -> Result<bool> {
    let mut has_run = false;
    for (target, directories) in targets {
        let Some(code) = code(target, directories) else {
            bail!("The report counts executions of committed code. Commit the changes to {target} first.");
        };
        let missing = wanted.saturating_sub(executions.of(target, &code));
        if missing == 0 {
            continue;
        }
        has_run = true;
        let length = match length {
            Length::Seconds(seconds) => Length::Until(missing.min(MOST_RUNS), seconds),
            length => length,
        };
        let executed = run(target, length)?;
        executions.add(target, &code, executed)?;
        if executed == 0 {
            bail!("{target} did not say how often it was executed.");
        }
        reliability::write("Fuzzing", &section(executions))?;
    }
    if !has_run {
        reliability::write("Fuzzing", &section(executions))?;
    }
    Ok(has_run)
}

/// A target: its name, and the directories and files of its decoders.
type Target = (&'static str, &'static [&'static str]);

/// That all targets can be built, and that they are the ones that are run. Nothing of them is run.
pub(crate) fn check(name: &str) -> Result<()> {
    let directory = crate::top().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("reading {}", directory.display()))?.path();
        let target = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if !TARGETS.iter().any(|(name, _)| *name == target) {
            bail!("`cargo xtask fuzz` does not run {target}: add it to its list.");
        }
    }
    let mut check = process::cargo();
    check
        // As in cargo-fuzz. Everything else is checked as in the program.
        .env("RUSTFLAGS", "--cfg fuzzing")
        .args(["check", "--quiet", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target-dir"])
        .arg(target().join("fuzz"));
    process::run(name, &mut check)
}

fn section(executions: &Executions) -> String {
    let row = |(target, directories): &Target| {
        let of_this = code(target, directories).map_or(0, |code| executions.of(target, &code));
        format!("| {target} | {} | {} |", grouped(of_this), grouped(executions.of_any(target)))
    };
    let rows: Vec<_> = TARGETS.iter().map(row).collect();
    format!(
        "Coverage-guided mutation of every decoder of bytes from the network or from files: no crash, no failed assertion, no input
that took {TIMEOUT} s, and none that took {MEMORY} MB. What each target reads is said in `fuzz/fuzz_targets`. Executions of several
runs add up. *This code*: the decoders of the target are as in this commit, which `xtask/src/fuzz.rs` lists. *All*: those of
earlier versions too; the inputs that they found to lead to new places are kept, and every run begins with them.

| target | executions of this code | all |
| --- | --: | --: |
{}

Measured on {}. The fuzzer's build has optimisation, debug assertions and checks for overflow.

```sh
cargo xtask fuzz --report             # each target, until its code was executed 10 million times; can be interrupted
cargo xtask fuzz --seconds 60 --report  # each target for a minute
cargo xtask fuzz pkcs12 1000000       # one of them
```",
        rows.join("\n"),
        reliability::measured(),
    )
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}

fn asked(words: &[&str]) -> Result<(Vec<Target>, Length)> {
    let named = words.first().and_then(|first| TARGETS.iter().find(|(name, _)| name == first));
    let (targets, rest) = match (named, words) {
        (Some(target), [_, rest @ ..]) => (vec![*target], rest),
        (_, rest) => (TARGETS.to_vec(), rest),
    };
    let number = |text: &str| {
        let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        text.parse()
            .with_context(|| format!("`{text}` is neither a target nor a number. The targets: {}.", names.join(", ")))
    };
    let length = match rest {
        [] => EXECUTIONS,
        ["--keep"] => Length::Keep,
        ["--seconds", seconds] => Length::Seconds(number(seconds)?),
        [executions] => Length::Executions(number(executions)?),
        _ => bail!("fuzz accepts at most a target, and a number of executions, --seconds N or --keep."),
    };
    Ok((targets, length))
}

/// Returns the number of executions.
fn run(name: &str, length: Length) -> Result<u64> {
    // The corpus, which grows, and the seeds.
    let corpus = crate::top().join("fuzz/corpus").join(name);
    let seeds = crate::top().join("fuzz/seeds").join(name);
    std::fs::create_dir_all(&corpus).with_context(|| format!("creating {}", corpus.display()))?;
    // The fuzzer adds to the first directory.
    let (directories, limits, what) = match length {
        Length::Executions(count) => {
            ([corpus, seeds], vec![format!("-runs={count}")], format!("{count} executions of {name}"))
        }
        Length::Seconds(count) => {
            ([corpus, seeds], vec![format!("-max_total_time={count}")], format!("{name}, {count} s"))
        }
        Length::Until(count, seconds) => {
            let limits = vec![format!("-runs={count}"), format!("-max_total_time={seconds}")];
            ([corpus, seeds], limits, format!("{name}, {count} executions or {seconds} s"))
        }
        Length::Keep => ([seeds, corpus], vec!["-merge=1".to_owned()], format!("Keeping what reaches more of {name}")),
    };
    let mut fuzz = Command::new(tools::FUZZ.path());
    fuzz.current_dir(crate::top())
        // Coverage needs an unstable compiler option; the toolchain is the stable one.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["run", "--sanitizer", "none", "--target-dir"])
        .arg(target().join("fuzz"))
        .arg(name)
        .args(directories)
        .arg("--")
        .args(limits)
        .args([format!("-rss_limit_mb={MEMORY}"), format!("-max_len={LONGEST}")])
        .args([format!("-timeout={TIMEOUT}"), "-print_final_stats=1".to_owned()]);
    let (ended_well, lines) = process::run_and_read_errors(&what, &mut fuzz)?;
    if !ended_well {
        bail!("{name} found a fault or could not be run; see above.");
    }
    let executed = lines.iter().find_map(|line| line.strip_prefix(EXECUTED)?.trim().parse().ok());
    Ok(executed.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{EXECUTIONS, Length, TARGETS, asked, grouped, section};
    use crate::executions::Executions;

    #[test]
    fn a_target_and_how_long_it_runs_can_be_named() {
        let check = |words: &[&str], targets: usize, length: Length| {
            let (found, asked) = asked(words).expect("understood");
            assert_eq!((found.len(), asked), (targets, length), "{words:?}");
        };
        check(&[], TARGETS.len(), EXECUTIONS);
        check(&["pkcs12"], 1, EXECUTIONS);
        check(&["pkcs12", "5000"], 1, Length::Executions(5_000));
        check(&["--seconds", "30"], TARGETS.len(), Length::Seconds(30));
        check(&["pkcs12", "--keep"], 1, Length::Keep);
        for wrong in [&["pkcs13"][..], &["--seconds"], &["--seconds", "x"], &["pkcs12", "1", "2"]] {
            assert!(asked(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(7, "7"), (1_000, "1,000"), (10_000_000, "10,000,000")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn the_report_has_a_row_for_each_target() {
        let section = section(&Executions::default());
        for (name, _) in TARGETS {
            assert!(section.contains(&format!("\n| {name} | 0 | 0 |")), "{section}");
        }
    }

    #[test]
    fn the_decoders_of_every_target_are_where_they_are_said_to_be() {
        for (name, places) in TARGETS {
            for place in places {
                assert!(crate::top().join(place).exists(), "{name}: {place}");
            }
        }
    }

    #[test]
    fn every_target_has_seeds() {
        for (name, _) in TARGETS {
            let seeds = crate::top().join("fuzz/seeds").join(name);
            assert!(std::fs::read_dir(&seeds).is_ok_and(|mut seeds| seeds.next().is_some()), "{}", seeds.display());
        }
    }
}
