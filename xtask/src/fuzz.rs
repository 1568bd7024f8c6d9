//! `cargo xtask fuzz [target] [executions]`: mutated input for every decoder of foreign data.
//!
//! It is not part of `test`, because it takes long and finds something new only with more time; tests mutate a few
//! thousand inputs of the same kinds. `check` makes sure that the targets build.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::packages::Purpose;
use crate::{packages, process, target, tools};

/// What each target reads is said in `fuzz/fuzz_targets`.
const TARGETS: [&str; 16] = [
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
];

const EXECUTIONS: u64 = 1_000_000;
/// Megabytes that one input may make the process take, the fuzzer's own included.
const MEMORY: u32 = 1_024;
/// Bytes of an input. Every seed is smaller; larger ones find nothing that these do not, and slower.
const LONGEST: u32 = 16_384;
/// Seconds that one input may take.
const TIMEOUT: u32 = 10;

/// Runs what the words after `fuzz` ask for.
pub(crate) fn fuzz(words: &[&str]) -> Result<ExitCode> {
    let (targets, executions) = asked(words)?;
    packages::install(&[Purpose::Build])?;
    tools::install(&[tools::FUZZ])?;
    for target in targets {
        run(target, executions)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// That all targets can be built, and that they are the ones that are run. Nothing of them is run.
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
        // As cargo-fuzz does it. Everything else is checked as in the program.
        .env("RUSTFLAGS", "--cfg fuzzing")
        .args(["check", "--quiet", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target-dir"])
        .arg(target().join("fuzz"));
    process::run(name, &mut check)
}

fn asked<'a>(words: &[&'a str]) -> Result<(Vec<&'a str>, u64)> {
    let (targets, rest) = match words {
        [first, rest @ ..] if TARGETS.contains(first) => (vec![*first], rest),
        rest => (TARGETS.to_vec(), rest),
    };
    let executions = match rest {
        [] => EXECUTIONS,
        [number] => number.parse().with_context(|| {
            format!("`{number}` is neither a target nor a number of executions. The targets: {}.", TARGETS.join(", "))
        })?,
        _ => bail!("fuzz accepts at most a target and a number of executions."),
    };
    Ok((targets, executions))
}

fn run(name: &str, executions: u64) -> Result<()> {
    // What was found to lead to new places before, and grows; and what there is to begin with.
    let corpus = crate::top().join("fuzz/corpus").join(name);
    let seeds = crate::top().join("fuzz/seeds").join(name);
    std::fs::create_dir_all(&corpus).with_context(|| format!("creating {}", corpus.display()))?;
    let mut fuzz = Command::new(tools::FUZZ.path());
    fuzz.current_dir(crate::top())
        // Coverage is counted by an unstable option of the compiler; the toolchain itself is the stable one.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["run", "--sanitizer", "none", "--target-dir"])
        .arg(target().join("fuzz"))
        .arg(name)
        .args([corpus, seeds])
        .arg("--")
        .args([format!("-runs={executions}"), format!("-rss_limit_mb={MEMORY}"), format!("-max_len={LONGEST}")])
        .args([format!("-timeout={TIMEOUT}"), "-print_final_stats=1".to_owned()]);
    process::run(&format!("{executions} executions of {name}"), &mut fuzz)
}
