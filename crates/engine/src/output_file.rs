//! Output files that users choose: checks whether one may be written, and explains why not.
//!
//! The caller writes the content, and [`AtomicFile`] replaces an earlier file.

use std::{
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use wilco_atomic_file::{AtomicFile, Existing, Readers};

use crate::{
    api::{Failure, FailureCode, FileToWrite},
    paths,
};

/// A file that is being written. Dropped before [`OutputFile::finish`], nothing is left of it.
pub(crate) struct OutputFile {
    file: AtomicFile,
    existing: Existing,
}

impl OutputFile {
    /// Creates its temporary file. Blocks, as all of it does.
    ///
    /// # Errors
    /// [`FailureCode::Exists`] where a file is in the way that is not to be replaced; [`FailureCode::File`] where the
    /// folder cannot be written to.
    pub(crate) fn begin(to: &FileToWrite, readers: Readers) -> Result<OutputFile, Failure> {
        let path = paths::whole(&to.path)?;
        if path.is_dir() {
            return Err(refused(&path, &ErrorKind::IsADirectory.into()));
        }
        if !to.replace && path.symlink_metadata().is_ok() {
            return Err(refused(&path, &ErrorKind::AlreadyExists.into()));
        }
        let file = AtomicFile::create(path.clone(), readers).map_err(|error| refused(&path, &error))?;
        Ok(OutputFile { file, existing: if to.replace { Existing::Replaced } else { Existing::Kept } })
    }

    /// The absolute path that the file will have.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Moves it to its place, and returns its path.
    ///
    /// # Errors
    /// As for [`OutputFile::begin`]: somebody may have created a file there meanwhile.
    pub(crate) fn finish(self) -> Result<PathBuf, Failure> {
        let path = self.path().to_owned();
        self.file.finish(self.existing).map_err(|error| refused(&path, &error))
    }
}

/// Writes a small file at once.
pub(crate) fn write(to: &FileToWrite, readers: Readers, content: &[u8]) -> Result<PathBuf, Failure> {
    let mut file = OutputFile::begin(to, readers)?;
    file.write_all(content).map_err(|error| refused(file.path(), &error))?;
    file.finish()
}

impl Write for OutputFile {
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
            hint: Some("Choose another name, or confirm replacing the file.".into()),
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::{fs, io::ErrorKind, path::Path};

    use super::{OutputFile, Readers, refused, write};
    use crate::api::{FailureCode, FileToWrite};

    fn replacing(path: &Path) -> FileToWrite {
        FileToWrite { path: path.to_owned(), replace: true }
    }

    #[test]
    fn an_earlier_file_gives_way_only_where_that_was_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        fs::write(&path, "somebody's").unwrap();
        let kept = FileToWrite::from(path.clone());
        let failure = OutputFile::begin(&kept, Readers::Owner).err().unwrap();
        assert_eq!(failure.code, FailureCode::Exists);
        assert_eq!(failure.message, format!("{} already exists.", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's");
        assert_eq!(write(&replacing(&path), Readers::Owner, b"new").unwrap(), path);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");

        let later = FileToWrite::from(dir.path().join("later.txt"));
        let begun = OutputFile::begin(&later, Readers::Owner).unwrap();
        fs::write(&later.path, "came meanwhile").unwrap();
        assert_eq!(begun.finish().err().map(|failure| failure.code), Some(FailureCode::Exists));
        assert_eq!(fs::read_to_string(&later.path).unwrap(), "came meanwhile");
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_said_at_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let check = |path: &Path, expected: &str| {
            let failure = OutputFile::begin(&replacing(path), Readers::Owner).err().unwrap();
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
