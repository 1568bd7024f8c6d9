use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use wilco_credentials::FileRole;

/// Certificate files for a connection. They are read once, kept in memory, and not needed afterwards.
#[derive(Clone, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FilesToRead {
    /// A kit to which the files are added; a new one if not given.
    #[serde(default)]
    pub kit: Option<String>,
    /// Files to read now. They are identified by their content, unless a role is given.
    #[serde(default)]
    pub files: Vec<FileToRead>,
    /// Tried on every locked file in the kit. Write-only, and not stored.
    #[serde(default)]
    pub passphrase: Option<String>,
    /// The SHA-256 of the certificate that the broker sent in the last preflight ([`super::PreflightFinding::pin`]): it
    /// is added as the only trusted one.
    #[serde(default)]
    pub shown: Option<String>,
}

/// Where a file is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FileToWrite {
    /// The full path, or one that begins with `~/`.
    pub path: PathBuf,
    /// Replace an existing file, once the whole new one is on the disk. Otherwise an existing file is an error.
    pub replace: bool,
}

impl From<PathBuf> for FileToWrite {
    fn from(path: PathBuf) -> FileToWrite {
        FileToWrite { path, replace: false }
    }
}

/// One file to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FileToRead {
    /// Its path.
    pub path: PathBuf,
    /// The role of the file.
    #[serde(default)]
    pub role: FileRole,
}
