//! `cargo xtask build-times`: how long a clean debug build of the command line takes, and how long one after an edit of a line
//! in TLS code, in the store, in the controller, and in a view type.
//!
//! It builds in a directory of its own, and undoes each edit.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{process, target};

/// What is edited, and the file.
const EDITS: [(&str, &str); 4] = [
    ("TLS code", "crates/mqtt/src/transport/mod.rs"),
    ("the store", "crates/store/src/history.rs"),
    ("the controller", "crates/engine/src/controller/mod.rs"),
    ("a view type", "crates/api/src/command.rs"),
];

/// How often each edit is measured. The median is printed.
const ROUNDS: usize = 3;

/// Measures, and prints a table.
pub(crate) fn build_times() -> Result<ExitCode> {
    let directory = target().join("build-times");
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    let clean = build("A clean build", &directory)?;
    let mut rows = vec![("nothing: a clean build", clean)];
    for (what, file) in EDITS {
        let mut times = Vec::new();
        for round in 0..ROUNDS {
            let edited = Edited::with_line(file, &format!("const _: usize = {round};"))?;
            times.push(build(&format!("After an edit in {what}"), &directory)?);
            drop(edited);
        }
        times.sort_unstable();
        rows.push((what, times[ROUNDS / 2]));
    }
    println!("\n| a line is edited in | debug build of the command line |\n| --- | --: |");
    for (what, time) in rows {
        println!("| {what} | {:.1} s |", time.as_secs_f64());
    }
    Ok(ExitCode::SUCCESS)
}

fn build(what: &str, directory: &PathBuf) -> Result<Duration> {
    let mut build = process::cargo();
    build.args(["build", "--locked", "--package", "wilco-cli"]).env("CARGO_TARGET_DIR", directory);
    let started = Instant::now();
    process::run(what, &mut build)?;
    Ok(started.elapsed())
}

/// A file with one more line, which is removed when this is dropped.
struct Edited {
    path: PathBuf,
    before: String,
}

impl Edited {
    fn with_line(file: &str, line: &str) -> Result<Edited> {
        let path = crate::top().join(file);
        let before = fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
        fs::write(&path, format!("{before}{line}\n")).with_context(|| format!("cannot write {file}"))?;
        Ok(Edited { path, before })
    }
}

impl Drop for Edited {
    fn drop(&mut self) {
        if let Err(error) = fs::write(&self.path, &self.before) {
            eprintln!("    {} still has the line of the measurement at its end: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_edited_files_exist() {
        for (what, file) in super::EDITS {
            assert!(crate::top().join(file).is_file(), "{what}: {file}");
        }
    }
}
