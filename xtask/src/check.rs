//! `cargo xtask check`: everything that can be checked without running the code. The tests are in `cargo xtask test`.
//!
//! All checks run, even after one has failed, so that one run shows all problems.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::packages::Purpose;
use crate::{bindings, fuzz, npm, packages, process, tools};

/// The crates without I/O, with all dependencies that they may have.
const PURE: [(&str, &[&str]); 2] = [
    ("wilco-ledger", &["foldhash", "thiserror"]),
    // toml: dialect files are TOML. It parses text in memory, and opens nothing.
    ("wilco-dialect", &["serde", "serde_json", "sha2", "thiserror", "toml", "wilco-ledger"]),
];

/// The other layers, with the crates of this repository that each may depend on. Dependencies go one way: `store`,
/// `credentials` and `mqtt` know nothing of the window's types.
const LAYERS: [(&str, &[&str]); 12] = [
    ("wilco-atomic-file", &[]),
    ("wilco-failure", &[]),
    ("wilco-connection", &["wilco-dialect", "wilco-failure", "wilco-ledger"]),
    ("wilco-definitions", &["wilco-connection", "wilco-dialect", "wilco-failure", "wilco-ledger"]),
    ("wilco-credentials", &["wilco-connection", "wilco-failure", "wilco-ledger"]),
    (
        "wilco-store",
        &[
            "wilco-atomic-file",
            "wilco-connection",
            "wilco-definitions",
            "wilco-dialect",
            "wilco-failure",
            "wilco-ledger",
        ],
    ),
    ("wilco-mqtt", &["wilco-connection", "wilco-credentials", "wilco-dialect", "wilco-failure", "wilco-ledger"]),
    ("wilco-api", &["wilco-connection", "wilco-credentials", "wilco-definitions", "wilco-failure", "wilco-ledger"]),
    (
        "wilco-engine",
        &[
            "wilco-api",
            "wilco-atomic-file",
            "wilco-connection",
            "wilco-credentials",
            "wilco-definitions",
            "wilco-dialect",
            "wilco-ledger",
            "wilco-mqtt",
            "wilco-store",
        ],
    ),
    ("wilco-device", &["wilco-atomic-file", "wilco-dialect", "wilco-ledger"]),
    ("wilco-rehearsal", &["wilco-device", "wilco-dialect", "wilco-engine", "wilco-ledger"]),
    ("wilco-cli", &["wilco-dialect", "wilco-engine", "wilco-ledger", "wilco-rehearsal"]),
];

/// Receives its own name, and returns the reason for a failure as a sentence.
type Check = fn(&str) -> Result<()>;

/// Runs all checks and prints which failed.
pub(crate) fn check() -> Result<ExitCode> {
    let started = Instant::now();
    packages::install(&[Purpose::Build])?;
    components()?;
    npm::install()?;
    tools::install(&[tools::DENY, tools::MACHETE])?;

    let checks: [(&str, Check); 13] = [
        ("Formatting", |name| process::run(name, process::cargo().args(["fmt", "--all", "--check"]))),
        ("Formatting of the page", |name| process::run(name, &mut npm::script("format:check"))),
        ("Lints", |name| process::run(name, &mut clippy())),
        ("Documentation", |name| process::run(name, &mut documentation())),
        ("Fuzz targets", fuzz::check),
        ("Lints of the page", |name| process::run(name, &mut npm::script("lint"))),
        ("Types of the page", |name| process::run(name, &mut npm::script("check"))),
        ("Dependencies of the crates", |_| dependencies()),
        ("Bindings of the page", bindings::check),
        ("Licences, bans and sources", |name| process::run(name, deny().args(["licenses", "bans", "sources"]))),
        ("Advisories", advisories),
        ("Unused dependencies", |name| process::run(name, process::program(tools::MACHETE.path()).arg("."))),
        ("Unused dependencies and code of the page", |name| process::run(name, &mut npm::script("unused"))),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        if let Err(error) = check(name) {
            println!("    {name}: {error:#}");
            failed.push(name);
        }
    }

    println!("\n==> {} checks, {} failed, after {}", checks.len(), failed.len(), process::elapsed(started));
    for name in &failed {
        println!("    failed: {name}");
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn clippy() -> Command {
    let mut clippy = process::cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    clippy
}

/// Broken links in comments are errors. Libraries only: the comments of `wilco-cli` are its help.
fn documentation() -> Command {
    let mut doc = process::cargo();
    doc.args(["doc", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "--deny warnings");
    let libraries = [
        "failure",
        "atomic-file",
        "ledger",
        "dialect",
        "connection",
        "definitions",
        "credentials",
        "store",
        "mqtt",
        "api",
        "engine",
        "device",
        "rehearsal",
    ];
    for library in libraries {
        doc.args(["--package", &format!("wilco-{library}")]);
    }
    doc
}

fn deny() -> Command {
    let mut deny = process::program(tools::DENY.path());
    deny.args(["--all-features", "check"]);
    deny
}

/// Known vulnerabilities, if the database can be fetched. A failed download is not a fault of the code.
fn advisories(name: &str) -> Result<()> {
    println!("\n==> {name}\n    cargo-deny check advisories");
    let output = deny().arg("advisories").output().context("cargo-deny could not be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("    {name}: none");
        return Ok(());
    }
    if said.contains("failed to fetch advisory database") || said.contains("failed to load advisory database") {
        println!("    {name}: skipped, because the advisory database could not be fetched");
        return Ok(());
    }
    println!("{said}");
    bail!("cargo-deny found known vulnerabilities; see above.")
}

/// Checks that the crates without I/O have no dependency that could introduce I/O, a clock or randomness, and that
/// every other crate depends only on those below it.
fn dependencies() -> Result<()> {
    for (name, allowed) in PURE {
        println!("\n==> {name} depends on nothing but {}", allowed.join(", "));
        refuse_others(name, allowed, |_| true)?;
    }
    for (name, allowed) in LAYERS {
        let but = if allowed.is_empty() { String::new() } else { format!(" but {}", allowed.join(", ")) };
        println!("\n==> {name} depends on no crate of Wilco{but}");
        refuse_others(name, allowed, |dependency| dependency.starts_with("wilco_"))?;
    }
    Ok(())
}

/// Fails if a crate has a direct dependency that is not allowed.
fn refuse_others(name: &str, allowed: &[&str], counts: impl Fn(&str) -> bool) -> Result<()> {
    let mut tree = process::cargo();
    tree.args([
        "tree",
        "--package",
        name,
        "--edges",
        "normal",
        "--depth",
        "1",
        "--prefix",
        "none",
        "--format",
        "{lib}",
    ]);
    let printed = process::quietly(&mut tree).context("`cargo tree` failed")?;
    let own = name.replace('-', "_");
    let allowed: Vec<String> = allowed.iter().map(|name| name.replace('-', "_")).collect();
    let is_refused = |found: &&str| *found != own && counts(found) && !allowed.iter().any(|name| name == found);
    let others: Vec<&str> = printed.lines().filter(is_refused).collect();
    if !others.is_empty() {
        bail!("{name} must not depend on {}: see the map in ARCHITECTURE.md.", others.join(", "));
    }
    Ok(())
}

/// rustfmt and clippy, which a minimal toolchain does not include.
fn components() -> Result<()> {
    let there = |name| process::quietly(process::cargo().args([name, "--version"])).is_some();
    if there("fmt") && there("clippy") {
        return Ok(());
    }
    let mut rustup = process::program("rustup");
    process::run("Adding rustfmt and clippy to the toolchain", rustup.args(["component", "add", "rustfmt", "clippy"]))
}
