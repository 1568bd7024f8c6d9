//! `cargo xtask run`: from a bare checkout to Wilco's window.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::Purpose;
use crate::{npm, packages, process, target, tools};

/// Includes the page in the program: without this, a debug build loads the page from Vite's development server.
pub(crate) const EMBEDDED_PAGE: &str = "wilco-desktop/custom-protocol";

/// Sets up, builds, and opens the app. Without a display, demonstrates the main job on a virtual one.
pub(crate) fn run() -> Result<ExitCode> {
    if display() { open() } else { play() }
}

fn display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn open() -> Result<ExitCode> {
    packages::install(&[Purpose::Build])?;
    npm::install()?;
    npm::build()?;
    let mut build = process::cargo();
    build.args(["build", "--package", "wilco-desktop", "--features", EMBEDDED_PAGE]);
    process::run("Building the app (the first time takes some minutes)", &mut build)?;
    process::run("Running Wilco until its window is closed", &mut process::program(built("wilco-desktop")))?;
    Ok(ExitCode::SUCCESS)
}

fn play() -> Result<ExitCode> {
    println!("This machine has no display, so Wilco opens on a virtual one and switches an LED of the demo fleet.");
    packages::install(&[Purpose::Build, Purpose::Window])?;
    npm::install()?;
    tools::install(&[tools::TAURI_DRIVER])?;
    npm::build()?;
    let mut build = process::cargo();
    build.args(["build", "--package", "wilco-desktop", "--package", "wilco-tests", "--features", EMBEDDED_PAGE]);
    process::run("Building the app (the first time takes some minutes)", &mut build)?;
    let screenshot = target().join("wilco-run.png");
    process::run("Switching an LED in the window", with_driver(&mut process::program(built("play"))).arg(screenshot))?;
    Ok(ExitCode::SUCCESS)
}

/// Passes the path of the driver to the program that drives the window.
pub(crate) fn with_driver(command: &mut Command) -> &mut Command {
    command.env("TAURI_DRIVER", tools::TAURI_DRIVER.path())
}

fn built(name: &str) -> std::path::PathBuf {
    target().join("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}
