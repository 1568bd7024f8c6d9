//! The page's tools, through npm, in `ui`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// The oldest Node that the front end's tools start on.
const NODE: (u32, u32) = (20, 19);

/// Runs `npm ci` if the lock file has changed since the last time.
pub(crate) fn install() -> Result<()> {
    install_in("ui", "Installing the window's npm packages")
}

/// The same for another directory of the checkout.
pub(crate) fn install_in(directory: &str, what: &str) -> Result<()> {
    node()?;
    let directory = crate::top().join(directory);
    let locked = directory.join("package-lock.json");
    let marker = directory.join("node_modules/.package-lock.json");
    let changed = |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    if changed(&marker).is_some() && changed(&marker) >= changed(&locked) {
        println!("\n==> npm packages\n    all installed");
        return Ok(());
    }
    process::run(what, npm().current_dir(directory).args(["ci", "--no-audit", "--no-fund"]))
}

/// Adds packages to a directory outside the checkout, unless they are installed.
pub(crate) fn add_in(directory: &std::path::Path, packages: &[&str], what: &str) -> Result<()> {
    let is_there = |package: &&str| {
        let name = package.rsplit_once('@').map_or(*package, |(name, _)| name);
        directory.join("node_modules").join(name).is_dir()
    };
    if packages.iter().all(is_there) {
        return Ok(());
    }
    node()?;
    let manifest = directory.join("package.json");
    if !manifest.is_file() {
        std::fs::write(manifest, "{}")?;
    }
    let mut install = npm();
    install.current_dir(directory).args(["install", "--omit=optional", "--no-audit", "--no-fund"]).args(packages);
    process::run(what, &mut install)
}

/// Builds the page into `ui/dist`.
pub(crate) fn build() -> Result<()> {
    process::run("Building the page", &mut script("build"))
}

/// Runs one of the scripts in `ui/package.json`.
pub(crate) fn script(name: &str) -> Command {
    let mut npm = npm();
    npm.args(["run", "--silent", name]);
    npm
}

fn npm() -> Command {
    let mut npm = process::program(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(directory());
    npm
}

fn directory() -> PathBuf {
    crate::top().join("ui")
}

fn node() -> Result<()> {
    let wanted = format!("Building the window requires Node {}.{} or newer: https://nodejs.org", NODE.0, NODE.1);
    let Some(version) = process::quietly(process::program("node").arg("--version")) else {
        bail!("`node` is not on the PATH. {wanted}");
    };
    let mut numbers = version.trim().trim_start_matches('v').split('.').map_while(|number| number.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < NODE {
        bail!("this is Node {}. {wanted}", version.trim());
    }
    Ok(())
}
