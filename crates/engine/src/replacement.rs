//! A file that takes the place of an earlier one once all of it is on the disk, or not at all.
//!
//! What is in it is somebody else's business.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::api::{Failure, FailureCode};

/// A file on its way. It is written beside its place first, so that a full disk does not cost the earlier one; dropped
/// before [`Replacement::finish`], nothing is left of it.
pub(crate) struct Replacement {
    file: File,
    path: PathBuf,
    beside: PathBuf,
    finished: bool,
}

impl Replacement {
    /// Begins one, which only its owner reads. Blocks, as the rest does.
    pub(crate) fn begin(path: &Path) -> Result<Replacement, Failure> {
        if path.is_dir() {
            return Err(refused(path, &ErrorKind::IsADirectory.into()));
        }
        let beside = path.with_added_extension("part");
        let file = private(&beside).map_err(|error| refused(path, &error))?;
        Ok(Replacement { file, path: path.to_owned(), beside, finished: false })
    }

    /// Puts it in its place.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let placed = self.file.sync_all().and_then(|()| fs::rename(&self.beside, &self.path));
        self.finished = placed.is_ok();
        placed.map_err(|error| refused(&self.path, &error))
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.finished {
            // A half one is of no use to anybody.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Why a file could not be written.
pub(crate) fn refused(path: &Path, error: &io::Error) -> Failure {
    let name = path.display();
    let elsewhere = "Choose another place, in a folder that you may write to.";
    let (message, hint) = match error.kind() {
        ErrorKind::NotFound => (format!("There is no folder for {name}."), elsewhere),
        ErrorKind::NotADirectory => (format!("What {name} should lie in is a file, not a folder."), elsewhere),
        ErrorKind::PermissionDenied => (format!("You have no permission to write {name}."), elsewhere),
        ErrorKind::ReadOnlyFilesystem => (format!("{name} would lie on a disk that can only be read."), elsewhere),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (
            format!("The disk is full, so {name} was not written."),
            "Make room, or choose a place on another disk. What was there before is still there.",
        ),
        ErrorKind::IsADirectory => (format!("{name} is a folder."), "Give the file a name of its own in it."),
        _ => (format!("{name} cannot be written: {error}."), elsewhere),
    };
    Failure { code: FailureCode::File, message, hint: Some(hint.into()) }
}

/// A new file that only its owner reads.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::{
        fs,
        io::{ErrorKind, Write},
        path::Path,
    };

    use super::{Replacement, refused};

    #[test]
    fn an_earlier_file_stays_until_the_new_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.csv");
        fs::write(&path, "earlier").unwrap();
        let alone = || fs::read_dir(dir.path()).unwrap().count() == 1;

        let mut half = Replacement::begin(&path).unwrap();
        half.write_all(b"half").unwrap();
        drop(half);
        assert_eq!(fs::read_to_string(&path).unwrap(), "earlier");
        assert!(alone(), "the half one was left");

        let mut whole = Replacement::begin(&path).unwrap();
        whole.write_all(b"whole").unwrap();
        whole.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert!(alone(), "something was left beside it");
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_said_at_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let check = |path: &Path, expected: &str| {
            let failure = Replacement::begin(path).err().unwrap();
            assert_eq!(failure.message, expected.replace("{}", &path.display().to_string()));
        };
        check(dir.path(), "{} is a folder.");
        check(&dir.path().join("no/such/folder.csv"), "There is no folder for {}.");
        check(&dir.path().join("file/in-it.csv"), "What {} should lie in is a file, not a folder.");
    }

    #[test]
    fn each_refusal_is_a_sentence() {
        let check = |kind: ErrorKind, expected: &str| {
            let failure = refused(Path::new("/out/a.csv"), &kind.into());
            assert_eq!(failure.message, expected);
            assert!(failure.hint.is_some_and(|hint| hint.ends_with('.')));
        };
        check(ErrorKind::PermissionDenied, "You have no permission to write /out/a.csv.");
        check(ErrorKind::ReadOnlyFilesystem, "/out/a.csv would lie on a disk that can only be read.");
        check(ErrorKind::StorageFull, "The disk is full, so /out/a.csv was not written.");
        check(ErrorKind::QuotaExceeded, "The disk is full, so /out/a.csv was not written.");
        check(ErrorKind::TimedOut, "/out/a.csv cannot be written: timed out.");
    }
}
