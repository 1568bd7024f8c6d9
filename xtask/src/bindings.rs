//! Compares the window's TypeScript bindings with the engine's wire types.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process;

/// The crates whose types cross to the page.
const PACKAGES: [&str; 5] =
    ["wilco-failure", "wilco-connection", "wilco-definitions", "wilco-credentials", "wilco-api"];

/// Exports the bindings into the build directory and compares them with those in `ui`, which it does not change.
pub(crate) fn check(what: &str) -> Result<()> {
    let fresh = crate::target().join("bindings");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).with_context(|| format!("removing {}", fresh.display()))?;
    }
    let mut export = process::cargo();
    export.args(["test", "--quiet", "--lib", "export_bindings"]);
    for package in PACKAGES {
        export.args(["--package", package]);
    }
    process::run(what, export.env("TS_RS_EXPORT_DIR", &fresh))?;

    let (fresh, kept) = (read(&fresh)?, read(&crate::top().join("ui/src/backend/bindings"))?);
    let mut names: Vec<&String> = fresh.keys().chain(kept.keys()).collect();
    names.sort();
    names.dedup();
    let stale: Vec<&str> =
        names.into_iter().filter(|name| fresh.get(*name) != kept.get(*name)).map(String::as_str).collect();
    if stale.is_empty() {
        return Ok(());
    }
    bail!(
        "ui/src/backend/bindings differs from what the engine exports: {}. Run `cargo test --package {} --lib export_bindings`, and delete the files of types that no longer exist.",
        stale.join(", "),
        PACKAGES.join(" --package ")
    )
}

fn read(directory: &Path) -> Result<BTreeMap<String, String>> {
    let entries = std::fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    entries
        .map(|entry| {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?))
        })
        .collect()
}
