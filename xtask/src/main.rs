//! `cargo xtask`: every task for newcomers, developers and CI, from a bare checkout.
//!
//! It has almost no dependencies, because it is built first, and it is not part of the product: everything that needs a
//! broker, a keyring or a window is in the `wilco-tests` crate and is only started from here.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task prints to the terminal")]

mod bench;
mod bindings;
mod build_times;
mod bundle;
mod check;
mod executions;
mod faults;
mod floods;
mod fuzz;
mod glibc;
mod interop;
mod npm;
mod packages;
mod process;
mod reliability;
mod run;
mod tally;
mod test;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use packages::Purpose;

const USAGE: &str = "\
cargo xtask <task>

  run     installs what is missing, builds Wilco and opens it
  test    installs what is missing and runs every test, including those in a real window
  check   checks formatting, lints, licences, unused dependencies and the rules of the architecture
  bundle  builds packages with the app and the command line; --test installs, starts and removes one; or: bundle <formats>
  bench   compares Wilco with bare MQTT clients, and measures start and memory: docs/bench.md; --quick for a short trial;
          or: bench growth, bench history [--quick] [--commands N]
  build-times  a clean debug build of the command line, and builds after one edited line
  interop sends commands to real third-party programs, which it installs under target/: docs/dialects/interop.md
  setup   only sets up: system packages, the window's npm packages, the test tools
  faults  kills, stops and cuts off console, broker and devices; --seeds N, --scenario NAME, --report: docs/reliability.md
  floods  a device that sends too much beside one that is commanded, as released: docs/reliability.md; or: floods engine,
          floods window
  fuzz    mutated input for every decoder, a million times each, or: fuzz [target] [executions | --seconds N | --keep | --report]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match task(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nStopped: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn task(arguments: &[String]) -> Result<ExitCode> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run"] => run::run(),
        ["test"] => test::test(),
        ["check"] => check::check(),
        ["setup"] => setup(),
        ["interop"] => interop::interop(),
        ["bench", ref words @ ..] => bench::bench(words),
        ["bundle", ref words @ ..] => bundle::bundle(words),
        ["faults", ref words @ ..] => faults::faults(words),
        ["fuzz", ref words @ ..] => fuzz::fuzz(words),
        ["floods", ref words @ ..] => floods::floods(words),
        ["build-times"] => build_times::build_times(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("`{}` is not a task.\n\n{USAGE}", arguments.join(" ")),
    }
}

fn setup() -> Result<ExitCode> {
    packages::install(&[Purpose::Build, Purpose::Window, Purpose::Test])?;
    npm::install()?;
    tools::install(&[tools::TAURI_DRIVER, tools::DENY, tools::MACHETE])?;
    println!("\nEverything is installed. Next: cargo xtask run");
    Ok(ExitCode::SUCCESS)
}

/// The root directory of the checkout.
fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The directory that cargo builds to.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), |directory| top().join(directory))
}
