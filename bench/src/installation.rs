//! The size of the installed programs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wilco_tests::program;

/// A file, by its kind or its name, and its size in MB.
pub(crate) type Sized = (String, f64);

/// The programs beside this one, and the packages that `cargo xtask bundle` has made of them.
pub(crate) fn sizes() -> Result<Vec<Sized>> {
    let app = program("wilco-desktop")?;
    let bundle = app.parent().context("no directory")?.join("bundle");
    let mut files = vec![("app".to_owned(), app), ("command line".to_owned(), program("wilco")?)];
    for format in ["deb", "rpm"] {
        files.extend(package(&bundle.join(format), format).map(|path| (format!(".{format} with both"), path)));
    }
    files.into_iter().map(|(name, path)| Ok((name, path.metadata()?.len() as f64 / 1e6))).collect()
}

fn package(directory: &Path, extension: &str) -> Option<PathBuf> {
    let paths = std::fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path());
    paths.filter(|path| path.is_file()).find(|path| path.extension().is_some_and(|found| found == extension))
}
