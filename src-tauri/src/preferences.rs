//! The preferences of the page, such as its theme: the one file that the page can change. What is in it is the page's own
//! affair; where it is and how large it becomes is not.

use std::{fs, path::Path};

use parking_lot::Mutex;
use serde_json::{Map, Value};
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
pub(crate) fn read(data_dir: &Path) -> Preferences {
    fs::read(data_dir.join(FILE)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Keeps it for the next start.
pub(crate) fn write(data_dir: &Path, preferences: &Preferences) -> Result<(), Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure {
        code: FailureCode::File,
        message: format!("Could not write {FILE} in the data folder: {why}."),
        hint: Some("Check the disk and the permissions of the data folder.".into()),
    };
    let text = serde_json::to_vec(preferences).map_err(|error| failed(&error))?;
    if text.len() > LARGEST {
        return Err(failed(&"it would be larger than 256 KiB"));
    }
    let _one = ONE_AT_A_TIME.lock();
    wilco_atomic_file::replace(&data_dir.join(FILE), &text).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FILE, LARGEST, Preferences, read, write};

    fn preferences(theme: &str) -> Preferences {
        json!({ "theme": theme, "zoom": 1.25, "view": null }).as_object().expect("an object").clone()
    }

    #[test]
    fn preferences_are_kept_and_what_is_damaged_or_too_large_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()), Preferences::default());
        write(folder.path(), &preferences("dark")).expect("kept");
        assert_eq!(read(folder.path()), preferences("dark"));
        let refused = write(folder.path(), &preferences(&"x".repeat(LARGEST))).expect_err("too large");
        assert!(refused.message.ends_with("larger than 256 KiB."), "{refused:?}");
        assert_eq!(read(folder.path()), preferences("dark"));
        for text in ["", "{", "[]", "7"] {
            std::fs::write(folder.path().join(FILE), text).expect("written");
            assert_eq!(read(folder.path()), Preferences::default(), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_them_and_a_symbolic_link_in_their_place_is_replaced() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (file, elsewhere) = (folder.path().join(FILE), folder.path().join("elsewhere"));
        std::fs::write(&elsewhere, "somebody's").expect("written");
        symlink(&elsewhere, &file).expect("a link");
        write(folder.path(), &preferences("dark")).expect("kept");
        let kept = file.symlink_metadata().expect("a file");
        assert!(kept.is_file() && kept.permissions().mode() & 0o777 == 0o600, "{kept:?}");
        assert_eq!(std::fs::read_to_string(&elsewhere).expect("read"), "somebody's");
    }
}
