//! A file that replaces an existing one only when all of it is on the disk.
//!
//! The caller writes the content.

use std::{
    fs::Permissions,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{
    api::{Failure, FailureCode, FileToWrite},
    paths,
};

/// The permissions of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Only its owner may read it.
    Owner,
    /// As the owner's other files: what the umask permits.
    ExpectedAnswer,
}

/// A file that is being written. Its content goes to a temporary file in the same folder first, so that a full disk does
/// not cost the earlier file. Dropped before [`AtomicFile::finish`], nothing is left of it.
pub(crate) struct AtomicFile {
    file: NamedTempFile,
    path: PathBuf,
    replace: bool,
}

impl AtomicFile {
    /// Creates the temporary file. Blocks, as all of it does.
    ///
    /// # Errors
    /// [`FailureCode::Exists`] where a file is in the way that is not to be replaced; [`FailureCode::File`] where the
    /// folder cannot be written to.
    pub(crate) fn begin(to: &FileToWrite, readers: Readers) -> Result<AtomicFile, Failure> {
        let path = paths::whole(&to.path)?;
        if path.is_dir() {
            return Err(refused(&path, &ErrorKind::IsADirectory.into()));
        }
        if !to.replace && path.symlink_metadata().is_ok() {
            return Err(refused(&path, &ErrorKind::AlreadyExists.into()));
        }
        let file = temporary(&path, readers).map_err(|error| refused(&path, &error))?;
        Ok(AtomicFile { file, path, replace: to.replace })
    }

    /// The absolute path that the file will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to its place, and returns its path.
    ///
    /// # Errors
    /// As for [`AtomicFile::begin`]: somebody may have created a file there meanwhile.
    pub(crate) fn finish(self) -> Result<PathBuf, Failure> {
        let AtomicFile { file, path, replace } = self;
        file.as_file().sync_all().map_err(|error| refused(&path, &error))?;
        let persisted = if replace { file.persist(&path) } else { file.persist_noclobber(&path) };
        persisted.map_err(|error| refused(&path, &error.error))?;
        Ok(path)
    }
}

/// Writes a small file at once.
pub(crate) fn write(to: &FileToWrite, readers: Readers, content: &[u8]) -> Result<PathBuf, Failure> {
    let mut file = AtomicFile::begin(to, readers)?;
    file.write_all(content).map_err(|error| refused(file.path(), &error))?;
    file.finish()
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Why a file could not be written.
pub(crate) fn refused(path: &Path, error: &io::Error) -> Failure {
    let name = path.display();
    if error.kind() == ErrorKind::AlreadyExists {
        return Failure {
            code: FailureCode::Exists,
            message: format!("{name} already exists."),
            hint: Some("Choose another name, or confirm that the file is replaced.".into()),
        };
    }
    let elsewhere = "Choose a writable folder.";
    let (message, hint) = match error.kind() {
        ErrorKind::NotFound => (format!("The folder of {name} does not exist."), elsewhere),
        ErrorKind::NotADirectory => (format!("The folder of {name} is a file."), elsewhere),
        ErrorKind::PermissionDenied => (format!("You have no permission to write {name}."), elsewhere),
        ErrorKind::ReadOnlyFilesystem => (format!("{name} is on a read-only file system."), elsewhere),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (
            format!("The disk is full, so {name} was not written."),
            "Free some space, or choose another disk. The existing file was not changed.",
        ),
        ErrorKind::IsADirectory => (format!("{name} is a folder."), "Enter a file name in this folder."),
        _ => (format!("Could not write {name}: {error}."), elsewhere),
    };
    Failure { code: FailureCode::File, message, hint: Some(hint.into()) }
}

/// A new file in the folder of that path.
fn temporary(path: &Path, readers: Readers) -> io::Result<NamedTempFile> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".part");
    if readers == Readers::ExpectedAnswer
        && let Some(permissions) = usual_permissions()
    {
        builder.permissions(permissions);
    }
    builder.tempfile_in(path.parent().unwrap_or(Path::new("/")))
}

/// The mode before the umask; the temporary file itself is readable only by its owner.
#[cfg(unix)]
fn usual_permissions() -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<Permissions> {
    None
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::{
        fs,
        io::{ErrorKind, Write},
        path::Path,
    };

    use super::{AtomicFile, Readers, refused, write};
    use crate::api::{FailureCode, FileToWrite};

    fn replacing(path: &Path) -> FileToWrite {
        FileToWrite { path: path.to_owned(), replace: true }
    }

    #[test]
    fn an_earlier_file_stays_until_the_new_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.csv");
        fs::write(&path, "earlier").unwrap();
        let alone = || fs::read_dir(dir.path()).unwrap().count() == 1;

        let mut half = AtomicFile::begin(&replacing(&path), Readers::Owner).unwrap();
        half.write_all(b"half").unwrap();
        drop(half);
        assert_eq!(fs::read_to_string(&path).unwrap(), "earlier");
        assert!(alone(), "the half one was left");

        let mut whole = AtomicFile::begin(&replacing(&path), Readers::Owner).unwrap();
        whole.write_all(b"whole").unwrap();
        whole.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert!(alone(), "something was left beside it");
    }

    #[test]
    fn an_earlier_file_gives_way_only_where_that_was_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        fs::write(&path, "somebody's").unwrap();
        let kept = FileToWrite::from(path.clone());
        let failure = AtomicFile::begin(&kept, Readers::Owner).err().unwrap();
        assert_eq!(failure.code, FailureCode::Exists);
        assert_eq!(failure.message, format!("{} already exists.", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's");
        assert_eq!(write(&replacing(&path), Readers::Owner, b"new").unwrap(), path);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");

        let later = FileToWrite::from(dir.path().join("later.txt"));
        let begun = AtomicFile::begin(&later, Readers::Owner).unwrap();
        fs::write(&later.path, "came meanwhile").unwrap();
        assert_eq!(begun.finish().err().map(|failure| failure.code), Some(FailureCode::Exists));
        assert_eq!(fs::read_to_string(&later.path).unwrap(), "came meanwhile");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_meant_to_be_shared_is_not_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = |name: &str, readers| {
            let path = write(&dir.path().join(name).into(), readers, b"").unwrap();
            path.metadata().unwrap().permissions().mode() & 0o777
        };
        let usual = dir.path().join("usual");
        fs::write(&usual, "").unwrap();
        assert_eq!(mode("secrets", Readers::Owner), 0o600);
        assert_eq!(mode("commands", Readers::ExpectedAnswer), usual.metadata().unwrap().permissions().mode() & 0o777);
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_said_at_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let check = |path: &Path, expected: &str| {
            let failure = AtomicFile::begin(&replacing(path), Readers::Owner).err().unwrap();
            assert_eq!(failure.message, expected.replace("{}", &path.display().to_string()));
        };
        check(dir.path(), "{} is a folder.");
        check(&dir.path().join("no/such/folder.csv"), "The folder of {} does not exist.");
        check(&dir.path().join("file/in-it.csv"), "The folder of {} is a file.");
    }

    #[test]
    fn each_refusal_is_a_sentence() {
        let check = |kind: ErrorKind, expected: &str| {
            let failure = refused(Path::new("/out/a.csv"), &kind.into());
            assert_eq!(failure.message, expected);
            assert!(failure.hint.is_some_and(|hint| hint.ends_with('.')));
        };
        check(ErrorKind::PermissionDenied, "You have no permission to write /out/a.csv.");
        check(ErrorKind::ReadOnlyFilesystem, "/out/a.csv is on a read-only file system.");
        check(ErrorKind::StorageFull, "The disk is full, so /out/a.csv was not written.");
        check(ErrorKind::QuotaExceeded, "The disk is full, so /out/a.csv was not written.");
        check(ErrorKind::TimedOut, "Could not write /out/a.csv: timed out.");
    }
}
