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
    /// Files to read now. Known by what is in them, unless a role is given.
    #[serde(default)]
    pub files: Vec<FileToRead>,
    /// Tried on everything in the collection that is still locked. Goes one way and is not kept.
    #[serde(default)]
    pub passphrase: Option<String>,
    /// The SHA-256 of the certificate that the broker showed in the last preflight ([`super::PreflightFinding::pin`]): it is added
    /// as the only one to trust.
    #[serde(default)]
    pub shown: Option<String>,
}

/// Where a file is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FileToWrite {
    /// The whole path, or one that begins with `~/`.
    pub path: PathBuf,
    /// A file that is there gives way, once all of the new one is on the disk. Otherwise it is a refusal.
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
    /// Where it is.
    pub path: PathBuf,
    /// The role of the file.
    #[serde(default)]
    pub role: FileRole,
}
