//! One engine per data directory: two would use the same client ID and write the same history twice.
//!
//! The lock is the operating system's, on an open file, so that it ends with its process in any case. The content of
//! the file has no meaning.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::api::{Failure, FailureCode};

const FILE_NAME: &str = "engine.lock";

/// The exclusive right to use a data directory, until it is dropped.
#[derive(Debug)]
pub struct DataLock {
    /// Closing it gives the right back.
    _file: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Held {
    /// Another process uses it.
    #[error("another Wilco is already using the data in {}", dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The lock file cannot be created or locked.
    #[error("the data in {} cannot be locked: {source}", dir.display())]
    Unlockable {
        /// The data directory.
        dir: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl DataLock {
    /// Locks a data directory, or immediately returns why this is not possible.
    ///
    /// # Errors
    /// See [`Held`].
    pub fn acquire(dir: &Path) -> Result<DataLock, Held> {
        let unlockable = |source| Held::Unlockable { dir: dir.to_owned(), source };
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        }
        let file = options.open(dir.join(FILE_NAME)).map_err(unlockable)?;
        match file.try_lock() {
            Ok(()) => Ok(DataLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Held::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unlockable(source)),
        }
    }
}

impl Held {
    /// How to fix it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Held::InUse { .. } => "Use that one, close it, or use another --data-dir.",
            Held::Unlockable { .. } => "Check the owner of the folder, or choose another --data-dir on a local disk.",
        }
        .to_owned()
    }
}

impl From<Held> for Failure {
    fn from(held: Held) -> Failure {
        let code = match held {
            Held::InUse { .. } => FailureCode::InUse,
            Held::Unlockable { .. } => FailureCode::Store,
        };
        Failure::of(code, &held, Some(held.hint()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        path::Path,
        process::{Child, Command, Stdio},
    };

    use super::{DataLock, Held};

    const HOLDER: &str = "WILCO_LOCK_HOLDER";

    #[test]
    fn a_directory_is_held_once_and_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let lock = DataLock::acquire(dir.path()).unwrap();
        assert!(matches!(DataLock::acquire(dir.path()), Err(Held::InUse { .. })));
        drop(lock);
        DataLock::acquire(dir.path()).unwrap();
        let gone = DataLock::acquire(&dir.path().join("gone")).unwrap_err();
        assert!(matches!(gone, Held::Unlockable { .. }), "{gone:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_in_its_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join(super::FILE_NAME)).unwrap();
        assert!(matches!(DataLock::acquire(dir.path()), Err(Held::Unlockable { .. })));
        assert!(!dir.path().join("elsewhere").exists());
    }

    #[test]
    fn another_process_holds_it_until_it_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let mut holder = start_holder(dir.path());
        let held = DataLock::acquire(dir.path()).unwrap_err();
        assert!(held.to_string().starts_with("another Wilco is already using"), "{held}");
        holder.kill().unwrap();
        holder.wait().unwrap();
        DataLock::acquire(dir.path()).unwrap();
    }

    fn start_holder(dir: &Path) -> Child {
        let mut holder = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lock::tests::the_other_process", "--nocapture"])
            .env(HOLDER, dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line == "held"));
        holder
    }

    /// Does nothing unless [`start_holder`] starts it.
    #[test]
    #[expect(clippy::print_stdout, reason = "the test that started it listens")]
    fn the_other_process() {
        let Some(dir) = std::env::var_os(HOLDER) else { return };
        let _lock = DataLock::acquire(dir.as_ref()).unwrap();
        println!("\nheld");
        loop {
            std::thread::park();
        }
    }
}
