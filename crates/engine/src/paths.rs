//! Where things lie: the data directory, the local socket in it, the name of its part of the keyring, and what a path that
//! somebody typed means.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::api::{Failure, FailureCode, invalid};

/// Bytes that fit into a socket's address everywhere (macOS has 104 with the closing NUL, Linux 108).
#[cfg(unix)]
const SOCKET_PATH: usize = 100;

/// The environment variable that keeps a run apart.
pub const DATA_DIR_VARIABLE: &str = "WILCO_DATA_DIR";

/// A data directory that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    path: PathBuf,
    namespace: String,
}

/// Why there is no data directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDataDir {
    /// The system does not say where the person's data belongs.
    #[error("there is no home directory to keep data in")]
    Homeless,
    /// It cannot be made or entered.
    #[error("the data directory {} cannot be used: {what}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
}

impl DataDir {
    /// The data directory of this run: the one given, else the one that `WILCO_DATA_DIR` names, else the person's own.
    /// Made where there is none, for its owner only.
    ///
    /// # Errors
    /// See [`NoDataDir`].
    pub fn open(given: Option<&Path>) -> Result<DataDir, NoDataDir> {
        DataDir::choose(given, &|name| std::env::var_os(name))
    }

    fn choose(given: Option<&Path>, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<DataDir, NoDataDir> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let default = default_dir(&set);
        let chosen = given.map(Path::to_owned).or_else(|| set(DATA_DIR_VARIABLE).map(PathBuf::from));
        let path = chosen.or_else(|| default.clone()).ok_or(NoDataDir::Homeless)?;
        let path = make(&path)?;
        let is_default = default.and_then(|default| canonical(&default).ok()).is_some_and(|default| default == path);
        let namespace = if is_default { "wilco".to_owned() } else { format!("wilco-{}", fingerprint(&path, 4)) };
        Ok(DataDir { path, namespace })
    }

    /// The directory, absolute and without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of its part of the keyring, for [`crate::vault::Vault::open`].
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Where the running engine listens for the command line: a socket in the directory, or, where its path would be
    /// too long for an address, in the system's directory for such things.
    #[cfg(unix)]
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| Path::new(dir).is_absolute());
        socket_in(&self.path, runtime.map(PathBuf::from))
    }

    /// The name of the pipe on which the running engine listens for the command line.
    #[cfg(windows)]
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        PathBuf::from(format!(r"\\.\pipe\wilco-{}", fingerprint(&self.path, 16)))
    }
}

#[cfg(unix)]
fn socket_in(dir: &Path, runtime: Option<PathBuf>) -> PathBuf {
    let fits = |path: &Path| path.as_os_str().len() <= SOCKET_PATH;
    let inside = dir.join("engine.sock");
    if fits(&inside) {
        return inside;
    }
    let name = format!("wilco-{}.sock", fingerprint(dir, 16));
    // In a directory that others may write to, the listener must refuse what it did not make itself.
    let candidates = runtime.into_iter().chain([std::env::temp_dir(), PathBuf::from("/tmp")]);
    candidates.map(|dir| dir.join(&name)).find(|path| fits(path)).unwrap_or(inside)
}

#[cfg(target_os = "macos")]
fn default_dir(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    Some(PathBuf::from(variable("HOME")?).join("Library/Application Support/wilco"))
}

#[cfg(windows)]
fn default_dir(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    Some(PathBuf::from(variable("APPDATA")?).join("wilco"))
}

/// As the XDG Base Directory Specification has it: a relative path there is to be ignored.
#[cfg(not(any(target_os = "macos", windows)))]
fn default_dir(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let data = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    Some(data.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".local/share")))?.join("wilco"))
}

/// A path as somebody typed it, from the root of the disk on; `~/` is the person's own directory. One that does not say in
/// which folder is refused: it would mean whichever the app was started in.
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
        format!("'{}' does not say in which folder.", path.display()),
        &format!("Give the whole path, such as {}", example.display()),
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
        let hint = "Choose a folder that you may write to with --data-dir or WILCO_DATA_DIR.";
        Failure::of(FailureCode::Store, &error, Some(hint.to_owned()))
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::{
        ffi::OsString,
        fs,
        os::unix::fs::{PermissionsExt, symlink},
        path::{Path, PathBuf},
    };

    use super::{DataDir, NoDataDir, SOCKET_PATH, socket_in, whole_from};

    /// With these variables, and nothing else.
    fn choose(given: Option<&Path>, variables: &[(&str, &Path)]) -> Result<DataDir, NoDataDir> {
        let find = |name: &str| -> Option<OsString> {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_os_str().to_owned())
        };
        DataDir::choose(given, &find)
    }

    #[test]
    fn the_argument_goes_before_the_variable_and_both_before_the_default() {
        let home = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(home.path()).unwrap();
        let (xdg, own, given) = (home.join("xdg"), home.join("own"), home.join("given"));
        let check = |given: Option<&Path>, variables: &[(&str, &Path)], expected: PathBuf, default: bool| {
            let dir = choose(given, variables).unwrap();
            assert_eq!(dir.path(), expected);
            assert_eq!(dir.namespace() == "wilco", default, "{}", dir.namespace());
            assert_eq!(dir.namespace().len(), if default { 5 } else { 5 + 1 + 8 });
        };
        let variables = [("HOME", &*home), ("XDG_DATA_HOME", &*xdg), ("WILCO_DATA_DIR", &*own)];
        check(None, &variables[..1], home.join(".local/share/wilco"), true);
        check(None, &variables[..2], xdg.join("wilco"), true);
        check(None, &variables, own.clone(), false);
        check(Some(&given), &variables, given.clone(), false);
        let relative =
            [("HOME", &*home), ("XDG_DATA_HOME", Path::new("not/absolute")), ("WILCO_DATA_DIR", Path::new(""))];
        check(None, &relative, home.join(".local/share/wilco"), true);
        assert_eq!(choose(None, &[]), Err(NoDataDir::Homeless));
    }

    #[test]
    fn the_same_directory_by_another_way_is_the_same() {
        let home = tempfile::tempdir().unwrap();
        let direct = choose(Some(&home.path().join("data")), &[]).unwrap();
        symlink(home.path().join("data"), home.path().join("link")).unwrap();
        assert_eq!(choose(Some(&home.path().join("link/../data/.")), &[]).unwrap(), direct);
        assert_eq!(choose(Some(&home.path().join("link")), &[]).unwrap(), direct);
        assert_ne!(choose(Some(&home.path().join("data2")), &[]).unwrap().namespace(), direct.namespace());
        // The person's own by its path is still the person's own.
        let own = home.path().join(".local/share/wilco");
        assert_eq!(choose(Some(&own), &[("HOME", home.path())]).unwrap().namespace(), "wilco");
    }

    #[test]
    fn it_is_made_for_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let dir = choose(Some(&home.path().join("a/b")), &[]).unwrap();
        assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(choose(Some(&file), &[]), Err(NoDataDir::Unusable { .. })));
    }

    #[test]
    fn a_socket_always_fits_its_address() {
        let short = Path::new("/home/me/.local/share/wilco");
        assert_eq!(socket_in(short, None), short.join("engine.sock"));
        let long = PathBuf::from(format!("/{}", "deep/".repeat(30)));
        let runtime = PathBuf::from("/run/user/1000");
        let socket = socket_in(&long, Some(runtime.clone()));
        assert!(socket.starts_with(&runtime) && socket.as_os_str().len() <= SOCKET_PATH, "{}", socket.display());
        assert_ne!(socket, socket_in(&long.join("er"), Some(runtime)));
        assert!(socket_in(&long, None).as_os_str().len() <= SOCKET_PATH);
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
        check("a.csv", Err("Give the whole path, such as /home/me/a.csv"));
        check("../a.csv", Err("Give the whole path, such as /home/me/a.csv"));
        check("~you/a.csv", Err("Give the whole path, such as /home/me/a.csv"));
    }
}
