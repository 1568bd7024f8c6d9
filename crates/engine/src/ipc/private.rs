//! The private directory of the local socket, and the check that the peer has the same owner.

use std::{
    fs::DirBuilder,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::DirBuilderExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags, fchmod, fstat, open},
    process::geteuid,
};
use tokio::net::UnixStream;

/// Bytes that fit into a socket's address everywhere (macOS has 104 with the closing NUL, Linux 108).
const LONGEST: usize = 100;

/// A socket's directory that its owner alone may enter.
pub(super) struct PrivateDirectory {
    directory: OwnedFd,
    path: PathBuf,
}

impl PrivateDirectory {
    /// The directory of the socket at `path`, made where there is none.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] when it belongs to another user; that of the system, also for a symbolic link.
    pub(super) fn make(path: &Path) -> io::Result<PrivateDirectory> {
        match DirBuilder::new().mode(0o700).create(parent(path)?) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        PrivateDirectory::find(path)
    }

    /// The directory of the socket at `path`.
    ///
    /// # Errors
    /// As [`PrivateDirectory::make`], and when there is none.
    pub(super) fn find(path: &Path) -> io::Result<PrivateDirectory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = open(parent(path)?, flags, Mode::empty())?;
        let found = fstat(&directory)?;
        if found.st_uid != geteuid().as_raw() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "its folder belongs to another user"));
        }
        if Mode::from_raw_mode(found.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
            fchmod(&directory, Mode::RWXU)?;
        }
        Ok(PrivateDirectory { directory, path: path.to_owned() })
    }

    /// The path by which the socket is bound and dialled.
    pub(super) fn address(&self) -> PathBuf {
        match self.path.file_name() {
            // A long path does not fit into an address; the open directory does.
            Some(name) if cfg!(target_os = "linux") && self.path.as_os_str().len() > LONGEST => {
                Path::new("/proc/self/fd").join(self.directory.as_raw_fd().to_string()).join(name)
            }
            _ => self.path.clone(),
        }
    }
}

/// Refuses the other end unless it is a process of this user.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] when it is not.
pub(super) fn check_peer(stream: &UnixStream) -> io::Result<()> {
    allow(stream.peer_cred()?.uid(), geteuid().as_raw())
}

fn allow(peer: u32, own: u32) -> io::Result<()> {
    if peer == own {
        return Ok(());
    }
    let why = format!("the other process belongs to another user ({peer})");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
mod tests {
    use std::{
        fs,
        io::ErrorKind,
        os::unix::fs::{PermissionsExt, chown, symlink},
        path::Path,
    };

    use super::{PrivateDirectory, allow};

    #[test]
    fn a_directory_is_made_for_its_owner_and_tightened_where_it_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("run/engine.sock");
        assert!(PrivateDirectory::find(&socket).is_err(), "there is none yet");
        let mode = || fs::metadata(dir.path().join("run")).unwrap().permissions().mode() & 0o777;
        PrivateDirectory::make(&socket).unwrap();
        assert_eq!(mode(), 0o700);
        fs::set_permissions(dir.path().join("run"), fs::Permissions::from_mode(0o777)).unwrap();
        PrivateDirectory::find(&socket).unwrap();
        assert_eq!(mode(), 0o700);
    }

    #[test]
    fn a_symbolic_link_and_a_directory_of_another_user_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("elsewhere")).unwrap();
        symlink(dir.path().join("elsewhere"), dir.path().join("run")).unwrap();
        assert!(PrivateDirectory::make(&dir.path().join("run/engine.sock")).is_err());
        fs::create_dir(dir.path().join("theirs")).unwrap();
        // Only the administrator can give a directory away.
        if chown(dir.path().join("theirs"), Some(12_345), None).is_ok() {
            let refused = PrivateDirectory::make(&dir.path().join("theirs/engine.sock")).err().unwrap();
            assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
            assert!(refused.to_string().contains("another user"), "{refused}");
        }
    }

    #[test]
    fn a_process_of_another_user_is_refused() {
        allow(1_000, 1_000).unwrap();
        for (peer, own) in [(0, 1_000), (1_001, 1_000), (1_000, 0)] {
            assert_eq!(allow(peer, own).unwrap_err().kind(), ErrorKind::PermissionDenied, "{peer} {own}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_address_fits_however_long_the_path_is() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("deep/".repeat(60));
        fs::create_dir_all(&long).unwrap();
        let address = PrivateDirectory::make(&long.join("run/engine.sock")).unwrap().address();
        assert!(address.as_os_str().len() <= super::LONGEST, "{}", address.display());
        assert!(address.starts_with(Path::new("/proc/self/fd")), "not in a shared directory: {}", address.display());
    }
}
