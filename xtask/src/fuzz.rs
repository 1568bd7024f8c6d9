//! `cargo xtask fuzz [target] [executions | --seconds N | --keep | --report]`: fuzzes every decoder of external data.
//!
//! It is not part of `test`, because it takes long and finds more only with more time; tests mutate a few thousand
//! inputs of the same kinds. `check` makes sure that the targets build, and CI runs each for a limited time.
//!
//! Inputs that reached new code are kept in `fuzz/corpus`, which is not in the repository: every run starts with it,
//! and CI caches it between runs. `--keep` adds the inputs that reach more than the seeds do to `fuzz/seeds`, which is
//! in the repository. `--report` runs each target ten million times and writes a section of `docs/reliability.md`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::packages::Purpose;
use crate::{packages, process, reliability, target, tools};

/// `fuzz/fuzz_targets` documents what each target reads.
const TARGETS: [&str; 18] = [
    "files",
    "pkcs12",
    "locked_keys",
    "archives",
    "dialects",
    "dialect_files",
    "discovery",
    "forms",
    "schemas",
    "device_files",
    "exports",
    "signed_files",
    "local_socket",
    "typed",
    "learned",
    "exchanges",
    "network",
    "stored",
];

/// How long each target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Executions(u64),
    Seconds(u64),
    /// Not at all: only adds the corpus to the seeds.
    Keep,
}

const EXECUTIONS: Length = Length::Executions(1_000_000);
/// The executions of each target for the report.
const REPORTED: u64 = 10_000_000;
/// The fuzzer's last line.
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
    let length = if is_report && length == EXECUTIONS { Length::Executions(REPORTED) } else { length };
    packages::install(&[Purpose::Build])?;
    tools::install(&[tools::FUZZ])?;
    let mut rows = Vec::new();
    for target in targets {
        let executions = run(target, length)?;
        rows.push(format!("| {target} | {} |", grouped(executions)));
    }
    if is_report {
        reliability::write("Fuzzing", &section(&rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks that all targets build, and that the list contains all of them. Runs none.
pub(crate) fn check(name: &str) -> Result<()> {
    let directory = crate::top().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("reading {}", directory.display()))?.path();
        let target = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if !TARGETS.contains(&target) {
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

fn section(rows: &[String]) -> String {
    format!(
        "Coverage-guided mutation of every decoder of bytes from the network or from files ({}): no crash, no failed assertion, no
input that took {TIMEOUT} s, and none that took {MEMORY} MB. What each target reads is said in `fuzz/fuzz_targets`.

| target | executions |
| --- | --: |
{}

```sh
cargo xtask fuzz --report             # each target, 10 million executions
cargo xtask fuzz pkcs12 1000000       # one of them
```",
        reliability::measured(),
        rows.join("\n")
    )
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}

fn asked<'a>(words: &[&'a str]) -> Result<(Vec<&'a str>, Length)> {
    let (targets, rest) = match words {
        [first, rest @ ..] if TARGETS.contains(first) => (vec![*first], rest),
        rest => (TARGETS.to_vec(), rest),
    };
    let number = |text: &str| {
        text.parse()
            .with_context(|| format!("`{text}` is neither a target nor a number. The targets: {}.", TARGETS.join(", ")))
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
    let (directories, length, what) = match length {
        Length::Executions(count) => {
            ([corpus, seeds], format!("-runs={count}"), format!("{count} executions of {name}"))
        }
        Length::Seconds(count) => ([corpus, seeds], format!("-max_total_time={count}"), format!("{name}, {count} s")),
        Length::Keep => ([seeds, corpus], "-merge=1".to_owned(), format!("Keeping what reaches more of {name}")),
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
        .args([length, format!("-rss_limit_mb={MEMORY}"), format!("-max_len={LONGEST}")])
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
    use super::{EXECUTIONS, Length, TARGETS, asked, grouped};

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
    fn every_target_has_seeds() {
        for name in TARGETS {
            let seeds = crate::top().join("fuzz/seeds").join(name);
            assert!(std::fs::read_dir(&seeds).is_ok_and(|mut seeds| seeds.next().is_some()), "{}", seeds.display());
        }
    }
}
