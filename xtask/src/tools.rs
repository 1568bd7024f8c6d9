//! Cargo's tools in fixed versions, installed in `target/tools` so that the machine does not change.

use std::path::PathBuf;

use anyhow::Result;

use crate::process;

/// A tool from crates.io.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Drives the app's window in the tests. 3.0 is alpha.
pub(crate) const TAURI_DRIVER: Tool = Tool { name: "tauri-driver", version: "^2" };
/// Checks licences, advisories, bans and sources.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "^0.20" };
/// Finds unused dependencies. Builds in a fraction of the time of alternatives that parse every file.
pub(crate) const MACHETE: Tool = Tool { name: "cargo-machete", version: "^0.9" };
/// Builds and runs the fuzz targets.
pub(crate) const FUZZ: Tool = Tool { name: "cargo-fuzz", version: "^0.13" };

impl Tool {
    /// The path of the installed program.
    pub(crate) fn path(self) -> PathBuf {
        directory().join("bin").join(self.name)
    }
}

/// Installs the missing tools.
pub(crate) fn install(tools: &[Tool]) -> Result<()> {
    for tool in tools {
        if tool.path().with_extension(std::env::consts::EXE_EXTENSION).is_file() {
            continue;
        }
        // Without optimisation it builds in a third of the time, and runs fast enough.
        let mut cargo = process::cargo();
        cargo
            .args(["install", tool.name, "--version", tool.version, "--locked", "--debug", "--root"])
            .arg(directory())
            .env("CARGO_TARGET_DIR", directory().join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        process::run(&format!("Installing {} (once)", tool.name), &mut cargo)?;
    }
    Ok(())
}

fn directory() -> PathBuf {
    crate::target().join("tools")
}
