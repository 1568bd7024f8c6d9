//! A file that takes the place of an earlier one once all of it is on the disk, or not at all.
//!
//! What is in it is somebody else's business.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::{
    api::{Failure, FailureCode, FileToWrite},
    paths,
};

/// How many names are tried for the file beside its place, until one is nobody's.
const NAMES: u32 = 100;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner.
    Owner,
    /// Whoever may read what its owner writes elsewhere.
    Usual,
}

/// A file on its way. It is written beside its place first, so that a full disk does not cost the earlier one; dropped
/// before [`Replacement::finish`], nothing is left of it.
pub(crate) struct Replacement {
    file: File,
    path: PathBuf,
    beside: PathBuf,
    /// An earlier file gives way.
    replace: bool,
    finished: bool,
}

impl Replacement {
    /// Begins one. Blocks, as the rest does.
    pub(crate) fn begin(to: &FileToWrite, readers: Readers) -> Result<Replacement, Failure> {
        let path = paths::whole(&to.path)?;
        if path.is_dir() {
            return Err(refused(&path, &ErrorKind::IsADirectory.into()));
        }
        vacant(&path, to.replace)?;
        let (file, beside) = beside(&path, readers).map_err(|error| refused(&path, &error))?;
        Ok(Replacement { file, path, beside, replace: to.replace, finished: false })
    }

    /// Where it will lie: the whole path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, and says where that is.
    pub(crate) fn finish(mut self) -> Result<PathBuf, Failure> {
        // Writing it may have taken a while.
        vacant(&self.path, self.replace)?;
        let placed = self.file.sync_all().and_then(|()| fs::rename(&self.beside, &self.path));
        self.finished = placed.is_ok();
        placed.map_err(|error| refused(&self.path, &error))?;
        Ok(self.path.clone())
    }
}

/// Writes a small file at once.
pub(crate) fn write(to: &FileToWrite, readers: Readers, content: &[u8]) -> Result<PathBuf, Failure> {
    let mut file = Replacement::begin(to, readers)?;
    file.write_all(content).map_err(|error| refused(file.path(), &error))?;
    file.finish()
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

/// Refuses a place where something lies that nobody has given up.
fn vacant(path: &Path, replace: bool) -> Result<(), Failure> {
    if replace || path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure {
        code: FailureCode::Exists,
        message: format!("There is already a file {}.", path.display()),
        hint: Some("Give another name, or say that it is to be replaced.".into()),
    })
}

/// A new file beside that path, under a name that nobody has.
fn beside(path: &Path, readers: Readers) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let names = (1..=NAMES).map(|number| match number {
        1 => path.with_added_extension("part"),
        number => path.with_added_extension(format!("part{number}")),
    });
    let mut taken = io::Error::from(ErrorKind::AlreadyExists);
    for name in names {
        match options.open(&name) {
            Ok(file) => return Ok((file, name)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => taken = error,
            Err(error) => return Err(error),
        }
    }
    Err(taken)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::{
        fs,
        io::{ErrorKind, Write},
        path::Path,
    };

    use super::{Readers, Replacement, refused, write};
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

        let mut half = Replacement::begin(&replacing(&path), Readers::Owner).unwrap();
        half.write_all(b"half").unwrap();
        drop(half);
        assert_eq!(fs::read_to_string(&path).unwrap(), "earlier");
        assert!(alone(), "the half one was left");

        let mut whole = Replacement::begin(&replacing(&path), Readers::Owner).unwrap();
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
        let failure = Replacement::begin(&kept, Readers::Owner).err().unwrap();
        assert_eq!(failure.code, FailureCode::Exists);
        assert_eq!(failure.message, format!("There is already a file {}.", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's");
        assert_eq!(write(&replacing(&path), Readers::Owner, b"new").unwrap(), path);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");

        let later = FileToWrite::from(dir.path().join("later.txt"));
        let begun = Replacement::begin(&later, Readers::Owner).unwrap();
        fs::write(&later.path, "came meanwhile").unwrap();
        assert_eq!(begun.finish().err().map(|failure| failure.code), Some(FailureCode::Exists));
        assert_eq!(fs::read_to_string(&later.path).unwrap(), "came meanwhile");
    }

    #[test]
    fn somebody_s_file_with_the_name_of_a_half_one_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (path, theirs) = (dir.path().join("a.csv"), dir.path().join("a.csv.part"));
        fs::write(&theirs, "a download").unwrap();
        write(&replacing(&path), Readers::Owner, b"rows").unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "a download");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "something was left beside them");
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
        assert_eq!(mode("commands", Readers::Usual), usual.metadata().unwrap().permissions().mode() & 0o777);
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_said_at_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let check = |path: &Path, expected: &str| {
            let failure = Replacement::begin(&replacing(path), Readers::Owner).err().unwrap();
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
