//! The paths of the programs under test.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The directory that cargo builds to.
///
/// # Errors
/// When this program does not run from there.
pub fn target() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    // target/debug/deps/test-1234 or target/debug/play
    let profile = own.ancestors().skip(1).find(|directory| !directory.ends_with("deps"));
    let target = profile
        .and_then(|directory| directory.parent())
        .context("this program does not run from cargo's target directory")?;
    Ok(target.to_owned())
}

/// One of this workspace's programs, built in the profile of this one.
///
/// # Errors
/// When it has not been built.
pub fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let profile = own.ancestors().skip(1).find(|directory| !directory.ends_with("deps")).context("no directory")?;
    let path = profile.join(name);
    if !path.is_file() {
        bail!("{} has not been built; `cargo xtask test` builds all that the tests need", path.display());
    }
    Ok(path)
}
