//! Cargo's tools, each in one known version, installed in `target/tools` so that the machine does not change.

use std::path::PathBuf;

use anyhow::Result;

use crate::process;

/// A tool from crates.io.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Drives the app's window for the tests. 3.0 is alpha.
pub(crate) const TAURI_DRIVER: Tool = Tool { name: "tauri-driver", version: "^2" };
/// Licences, advisories, bans and sources.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "^0.20" };
/// Unused dependencies. Builds in a fraction of the time of those that parse every file.
pub(crate) const MACHETE: Tool = Tool { name: "cargo-machete", version: "^0.9" };
/// Builds and runs the fuzz targets.
pub(crate) const FUZZ: Tool = Tool { name: "cargo-fuzz", version: "^0.13" };

impl Tool {
    /// Where it is, once installed.
    pub(crate) fn path(self) -> PathBuf {
        directory().join("bin").join(self.name)
    }
}

/// Installs those that are missing.
pub(crate) fn install(tools: &[Tool]) -> Result<()> {
    for tool in tools {
        if tool.path().with_extension(std::env::consts::EXE_EXTENSION).is_file() {
            continue;
        }
        // Built to be built quickly: without optimisation it takes a third of the time and works no slower to notice.
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
