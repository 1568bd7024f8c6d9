//! A file that replaces an earlier one completely or not at all: after a crash or on a full disk, it has either the old
//! or the new content. This crate decides neither the content nor the path, and formulates no error messages.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

/// Who may read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Only its owner (mode 0600).
    Owner,
    /// Everyone who may read the owner's other files, as permitted by the umask.
    Umask,
}

/// The treatment of an existing file when the new one is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is replaced. A symbolic link is replaced itself, not its target.
    Replaced,
    /// It is kept, and the new one is refused.
    Kept,
}

/// A file being written. Its content first goes to a temporary file in the same folder, which is deleted if this is
/// dropped before [`AtomicFile::finish`].
#[derive(Debug)]
pub struct AtomicFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl AtomicFile {
    /// Creates the temporary file under a unique name. Blocks, as all of this type does.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn create(path: PathBuf, readers: Readers) -> io::Result<AtomicFile> {
        let mut prefix = path.file_name().unwrap_or_default().to_owned();
        prefix.push(".");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(PART);
        if readers == Readers::Umask
            && let Some(permissions) = before_umask()
        {
            builder.permissions(permissions);
        }
        let file = builder.tempfile_in(folder(&path))?;
        Ok(AtomicFile { file, path })
    }

    /// The path that the file will have.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to its path once its content is on the disk, and returns that path.
    ///
    /// # Errors
    /// Errors of the file system; [`ErrorKind::AlreadyExists`] if the file exists and is kept.
    pub fn finish(self, existing: Existing) -> io::Result<PathBuf> {
        let AtomicFile { file, path } = self;
        file.as_file().sync_all()?;
        match existing {
            Existing::Replaced => file.persist(&path)?,
            Existing::Kept => file.persist_noclobber(&path)?,
        };
        sync_folder(&path);
        Ok(path)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Replaces a small file that only this program writes, one call at a time. Only its owner may read it. The temporary
/// file always has the same name, so that a crash leaves at most one.
///
/// # Errors
/// Errors of the file system.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(PART);
    let folder = folder(path);
    match fs::remove_file(folder.join(&name)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Nothing is there now, and the file is created only while that is so: no symbolic link is followed.
    let file = Builder::new().prefix(&name).rand_bytes(0).tempfile_in(folder)?;
    let mut file = AtomicFile { file, path: path.to_owned() };
    file.write_all(content)?;
    file.finish(Existing::Replaced).map(drop)
}

/// The end of a temporary file's name.
const PART: &str = ".part";

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Makes the new name durable. The file is whole in its place already, and not every file system can do this, so a refusal
/// is no error.
fn sync_folder(path: &Path) {
    if cfg!(unix) {
        let _ = fs::File::open(folder(path)).and_then(|folder| folder.sync_all());
    }
}

/// The mode before the umask; a temporary file itself is readable only by its owner.
#[cfg(unix)]
fn before_umask() -> Option<fs::Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

#[cfg(not(unix))]
fn before_umask() -> Option<fs::Permissions> {
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

    use super::{AtomicFile, Existing, Readers, replace};

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn an_earlier_file_stays_until_the_new_one_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.csv");
        fs::write(&path, "earlier").unwrap();

        let mut half = AtomicFile::create(path.clone(), Readers::Owner).unwrap();
        half.write_all(b"half").unwrap();
        drop(half);
        assert_eq!(fs::read_to_string(&path).unwrap(), "earlier");
        assert_eq!(names(dir.path()), ["history.csv"]);

        let mut complete = AtomicFile::create(path.clone(), Readers::Owner).unwrap();
        complete.write_all(b"complete").unwrap();
        complete.finish(Existing::Replaced).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "complete");
        assert_eq!(names(dir.path()), ["history.csv"]);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        let begun = AtomicFile::create(path.clone(), Readers::Owner).unwrap();
        fs::write(&path, "somebody's").unwrap();
        assert_eq!(begun.finish(Existing::Kept).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's");
        assert_eq!(names(dir.path()), ["notes.txt"]);
    }

    #[test]
    fn leftovers_of_an_earlier_crash_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wilco.mark");
        for content in ["one", "two"] {
            fs::write(dir.path().join("wilco.mark.part"), "a longer text that was left").unwrap();
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(names(dir.path()), ["wilco.mark"]);
        }
        assert_eq!(replace(&dir.path().join("no/such"), b"").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (elsewhere, path) = (dir.path().join("elsewhere"), dir.path().join("wilco.mark"));
        fs::write(&elsewhere, "somebody's").unwrap();
        for link in [&path, &dir.path().join("wilco.mark.part")] {
            std::os::unix::fs::symlink(&elsewhere, link).unwrap();
        }
        replace(&path, b"ours").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "somebody's");
        assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
        assert!(path.symlink_metadata().unwrap().is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_has_the_mode_that_was_chosen() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let usual = dir.path().join("usual");
        fs::write(&usual, "").unwrap();
        for (readers, expected) in [(Readers::Owner, 0o600), (Readers::Umask, mode(&usual))] {
            let file = AtomicFile::create(dir.path().join("file"), readers).unwrap();
            assert_eq!(mode(&file.finish(Existing::Replaced).unwrap()), expected);
        }
        replace(&usual, b"").unwrap();
        assert_eq!(mode(&usual), 0o600);
    }
}
