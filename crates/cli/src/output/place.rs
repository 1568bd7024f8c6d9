//! The path of a file to write.

use std::path::Path;

use wilco_engine::api::FileToWrite;

use crate::problem::Problem;

/// A path from the command line; refused if the file exists and must not be replaced, or if its folder does not exist.
pub(crate) fn file_to_write(path: &Path, force: bool) -> Result<FileToWrite, Problem> {
    // A running Wilco that is asked to write it may have another working directory.
    let whole = std::path::absolute(path)?;
    if whole.symlink_metadata().is_ok() && !force {
        return Err(Problem::new(
            format!("{} already exists.", path.display()),
            "Choose another name, or use --force to replace it.",
        ));
    }
    if whole.parent().is_some_and(|folder| !folder.is_dir()) {
        return Err(Problem::new(
            format!("The folder of {} does not exist.", path.display()),
            "Choose a writable folder.",
        ));
    }
    Ok(FileToWrite { path: whole, replace: force })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::path::Path;

    use super::file_to_write;

    #[test]
    fn existing_files_are_replaced_only_with_force_and_names_mean_this_directory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pump-7.log");
        assert!(file_to_write(&path, false).is_ok_and(|to| !to.replace));
        std::fs::write(&path, "").unwrap();
        assert!(file_to_write(&path, false).is_err());
        assert!(file_to_write(&path, true).is_ok_and(|to| to.replace));
        assert!(file_to_write(&dir.path().join("no/such/folder.log"), true).is_err());
        let here = std::env::current_dir().unwrap().join("nobody-s.log");
        assert_eq!(file_to_write(Path::new("nobody-s.log"), false).unwrap().path, here);
    }
}
