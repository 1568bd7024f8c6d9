//! Paths: the data directory, the local socket in it, the name of its part of the keyring, and paths that a user typed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::api::{Failure, FailureCode, invalid};

/// The environment variable for a separate data directory.
pub const DATA_DIR_VARIABLE: &str = "WILCO_DATA_DIR";

/// An existing data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    path: PathBuf,
    namespace: String,
}

/// Why there is no data directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDataDir {
    /// The user's data directory is unknown.
    #[error("no home directory was found for the data")]
    Homeless,
    /// It cannot be created or accessed.
    #[error("the data directory {} cannot be used: {what}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        what: String,
    },
}

impl DataDir {
    /// The data directory of this run: the given one, or else the one in `WILCO_DATA_DIR`, or else the user's. Created
    /// if it does not exist, for its owner only.
    ///
    /// # Errors
    /// See [`NoDataDir`].
    pub fn open(given: Option<&Path>) -> Result<DataDir, NoDataDir> {
        let named = std::env::var_os(DATA_DIR_VARIABLE).filter(|value| !value.is_empty());
        DataDir::choose(given.map(Path::to_owned).or(named.map(PathBuf::from)), dirs::data_dir())
    }

    /// In the given directory, or else in the user's data directory.
    fn choose(chosen: Option<PathBuf>, data: Option<PathBuf>) -> Result<DataDir, NoDataDir> {
        let default = data.map(|data| data.join("wilco"));
        let path = chosen.or_else(|| default.clone()).ok_or(NoDataDir::Homeless)?;
        let path = make(&path)?;
        let is_default = default.and_then(|default| canonical(&default).ok()).is_some_and(|default| default == path);
        let namespace = if is_default { "wilco".to_owned() } else { format!("wilco-{}", fingerprint(&path, 4)) };
        Ok(DataDir { path, namespace })
    }

    /// The directory as an absolute path without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of its entries in the keyring, for [`crate::vault::Vault::open`].
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The socket on which the running engine listens for the command line, in a separate folder of the directory that
    /// only its owner can enter.
    #[cfg(unix)]
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path.join("run/engine.sock")
    }

    /// The name of the pipe on which the running engine listens for the command line.
    #[cfg(windows)]
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        PathBuf::from(format!(r"\\.\pipe\wilco-{}", fingerprint(&self.path, 16)))
    }
}

/// A typed path as an absolute path; `~/` is the user's home directory. A path without a folder is refused: it would
/// depend on the app's working directory.
pub(crate) fn whole(path: &Path) -> Result<PathBuf, Failure> {
    whole_from(std::env::home_dir(), path)
}

fn whole_from(home: Option<PathBuf>, path: &Path) -> Result<PathBuf, Failure> {
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    if let (Ok(inside), Some(home)) = (path.strip_prefix("~"), &home) {
        return Ok(home.join(inside));
    }
    let example = home.unwrap_or_else(std::env::temp_dir).join(path.file_name().unwrap_or_default());
    Err(invalid(
        format!("'{}' has no folder.", path.display()),
        &format!("Enter the full path, such as {}", example.display()),
    ))
}

fn make(path: &Path) -> Result<PathBuf, NoDataDir> {
    let unusable = |error: std::io::Error| NoDataDir::Unusable { path: path.to_owned(), what: error.to_string() };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(unusable)?;
    canonical(path).map_err(unusable)
}

fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// So many bytes of the SHA-256 of a path, hexadecimal.
fn fingerprint(path: &Path, bytes: usize) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

impl From<NoDataDir> for Failure {
    fn from(error: NoDataDir) -> Failure {
        let hint = "Choose a writable folder with --data-dir or WILCO_DATA_DIR.";
        Failure::of(FailureCode::Store, &error, Some(hint.to_owned()))
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
        path::{Path, PathBuf},
    };

    use super::{DataDir, NoDataDir, whole_from};

    #[test]
    fn the_chosen_directory_goes_before_the_default() {
        let home = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(home.path()).unwrap();
        let (data, chosen) = (home.join("data"), home.join("chosen"));
        let dir = DataDir::choose(None, Some(data.clone())).unwrap();
        assert_eq!((dir.path(), dir.namespace()), (&*data.join("wilco"), "wilco"));
        let dir = DataDir::choose(Some(chosen.clone()), Some(data)).unwrap();
        assert_eq!(dir.path(), chosen);
        let number = dir.namespace().strip_prefix("wilco-").unwrap();
        assert!(number.len() == 8 && number.chars().all(|digit| digit.is_ascii_hexdigit()), "{number}");
        assert_eq!(DataDir::choose(None, None), Err(NoDataDir::Homeless));
    }

    #[test]
    fn two_paths_of_one_directory_are_the_same_data_directory() {
        let home = tempfile::tempdir().unwrap();
        let choose =
            |chosen: &str| DataDir::choose(Some(home.path().join(chosen)), Some(home.path().to_owned())).unwrap();
        let direct = choose("data");
        symlink(home.path().join("data"), home.path().join("link")).unwrap();
        assert_eq!(choose("link/../data/."), direct);
        assert_eq!(choose("link"), direct);
        assert_ne!(choose("data2").namespace(), direct.namespace());
        // The default directory, chosen by its path, is still the default.
        assert_eq!(choose("wilco").namespace(), "wilco");
    }

    #[test]
    fn only_its_owner_may_enter_it() {
        let home = tempfile::tempdir().unwrap();
        let dir = DataDir::choose(Some(home.path().join("a/b")), None).unwrap();
        assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(DataDir::choose(Some(file), None), Err(NoDataDir::Unusable { .. })));
    }

    #[test]
    fn a_typed_path_is_whole_or_begins_at_home() {
        let check = |typed: &str, expected: Result<&str, &str>| {
            let whole = whole_from(Some("/home/me".into()), Path::new(typed));
            let told = whole.map_err(|failure| failure.hint.unwrap_or(failure.message));
            assert_eq!(told, expected.map(PathBuf::from).map_err(str::to_owned), "{typed}");
        };
        check("/out/a.csv", Ok("/out/a.csv"));
        check("~/a.csv", Ok("/home/me/a.csv"));
        check("~", Ok("/home/me"));
        check("a.csv", Err("Enter the full path, such as /home/me/a.csv"));
        check("../a.csv", Err("Enter the full path, such as /home/me/a.csv"));
        check("~you/a.csv", Err("Enter the full path, such as /home/me/a.csv"));
    }
}
