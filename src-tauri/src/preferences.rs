//! The preferences of the page, such as its theme: the one file that the page can change. The page chooses what is in it, but
//! not where it is, nor how large it becomes. So the page may call only [`read`] and [`write`] here, and none of the plugin's own
//! commands, which read and write any JSON file of the user.

use std::{fs, io, path::Path, sync::Arc};

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tauri::{AppHandle, Wry};
use tauri_plugin_store::{Store, StoreBuilder};
use wilco_engine::api::{Failure, FailureCode};

/// What the page keeps, by name.
pub(crate) type Preferences = Map<String, Value>;

/// The file in the data directory.
const FILE: &str = "preferences.json";
/// Bytes of the file.
const LARGEST: usize = 256 * 1024;
/// The page does not wait for one change before it makes the next.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What was kept; nothing where there is no such file, or where it is damaged.
pub(crate) fn read(app: &AppHandle, data_dir: &Path) -> Preferences {
    open(app, data_dir).map(|store| store.entries().into_iter().collect()).unwrap_or_default()
}

/// Keeps it for the next start.
pub(crate) fn write(app: &AppHandle, data_dir: &Path, preferences: Preferences) -> Result<(), Failure> {
    permit(&preferences)?;
    let _one = ONE_AT_A_TIME.lock();
    let store = open(app, data_dir).map_err(|error| failed(&error))?;
    store.clear();
    for (name, value) in preferences {
        store.set(name, value);
    }
    make_private(&data_dir.join(FILE)).map_err(|error| failed(&error))?;
    store.save().map_err(|error| failed(&error))
}

fn open(app: &AppHandle, data_dir: &Path) -> tauri_plugin_store::Result<Arc<Store<Wry>>> {
    StoreBuilder::new(app, data_dir.join(FILE)).disable_auto_save().build()
}

fn permit(preferences: &Preferences) -> Result<(), Failure> {
    let text = serde_json::to_vec_pretty(preferences).map_err(|error| failed(&error))?;
    if text.len() > LARGEST { Err(failed(&"it would be larger than 256 KiB")) } else { Ok(()) }
}

/// The plugin writes to the file that is there, which keeps its permissions, and it follows links. So there must be a file that
/// only its owner can read.
fn make_private(file: &Path) -> io::Result<()> {
    if fs::symlink_metadata(file).is_ok_and(|there| there.is_file()) {
        return Ok(());
    }
    wilco_atomic_file::replace(file, b"{}")
}

fn failed(why: &dyn std::fmt::Display) -> Failure {
    Failure {
        code: FailureCode::File,
        message: format!("Could not write {FILE} in the data folder: {why}."),
        hint: Some("Check the disk and the permissions of the data folder.".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LARGEST, Preferences, permit};

    fn preferences(theme: &str) -> Preferences {
        json!({ "theme": theme, "zoom": 1.25, "view": null }).as_object().expect("an object").clone()
    }

    #[test]
    fn preferences_have_a_limit() {
        assert!(permit(&preferences("dark")).is_ok());
        let refused = permit(&preferences(&"x".repeat(LARGEST))).expect_err("too large");
        assert!(refused.message.ends_with("larger than 256 KiB."), "{refused:?}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_file_and_a_symbolic_link_in_its_place_is_replaced() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (file, elsewhere) = (folder.path().join(super::FILE), folder.path().join("elsewhere"));
        std::fs::write(&elsewhere, "somebody's").expect("written");
        symlink(&elsewhere, &file).expect("a link");
        super::make_private(&file).expect("private");
        std::fs::write(&file, "{\"theme\":1}").expect("written as the plugin does");
        let kept = file.symlink_metadata().expect("a file");
        assert!(kept.is_file() && kept.permissions().mode() & 0o777 == 0o600, "{kept:?}");
        assert_eq!(std::fs::read_to_string(&elsewhere).expect("read"), "somebody's");
        super::make_private(&file).expect("private");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "{\"theme\":1}");
    }
}
