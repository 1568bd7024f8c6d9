//! A certificate kit, of which nothing stays on the disk.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wilco_tests::{Certificates, Connection, Identity};

/// A certificate kit as it is downloaded: files in a directory, to be deleted afterwards.
pub(crate) struct Kit {
    directory: tempfile::TempDir,
    pub(crate) ca: PathBuf,
    pub(crate) identity: Identity,
}

impl Kit {
    pub(crate) fn copy(certificates: &Certificates) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("wilco-kit-").tempdir()?;
        let copy = |from: &Path| -> Result<PathBuf> {
            let to = directory.path().join(from.file_name().context("a name")?);
            std::fs::copy(from, &to)?;
            Ok(to)
        };
        let ca = copy(&certificates.ca)?;
        let identity =
            Identity { certificate: copy(&certificates.client.certificate)?, key: copy(&certificates.client.key)? };
        Ok(Self { directory, ca, identity })
    }

    pub(crate) fn connection<'a>(&'a self, name: &'a str, url: &'a str) -> Connection<'a> {
        Connection { name, url, ca: Some(&self.ca), identity: Some(&self.identity) }
    }

    pub(crate) fn delete(self) -> Result<()> {
        Ok(self.directory.close()?)
    }
}

/// A line of the key itself.
pub(crate) fn body(key: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(key)?.lines().nth(1).context("no line in the key")?.to_owned())
}

/// Whether `needle` stands in any file below `directory`.
pub(crate) fn holds(directory: &Path, needle: &str) -> Result<bool> {
    for entry in std::fs::read_dir(directory)? {
        let (path, kind) = {
            let entry = entry?;
            (entry.path(), entry.file_type()?)
        };
        if kind.is_dir() && holds(&path, needle)? {
            return Ok(true);
        }
        if kind.is_file() && String::from_utf8_lossy(&std::fs::read(&path)?).contains(needle) {
            return Ok(true);
        }
    }
    Ok(false)
}
