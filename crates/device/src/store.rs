//! The storage of a device's state: a file that is replaced as a whole, or nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::memory::Memory;

/// Where a device's memory is stored.
#[derive(Debug, Clone)]
pub enum Store {
    /// Nowhere: it is lost when the program exits.
    None,
    /// In this file.
    File(PathBuf),
}

/// Why a memory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its directory is not accessible.
    #[error("the device's memory {path} cannot be opened: {source}")]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is not what the device wrote. It is not changed.
    #[error("the device's memory {path} is damaged ({source}): delete or move the file to start with an empty one")]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        source: serde_json::Error,
    },
}

impl Store {
    /// The file of one device in a directory, which is created if necessary.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the directory cannot be created.
    pub fn in_directory(directory: &Path, device: &str) -> Result<Store, StoreError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory).map_err(|source| StoreError::Io { path: directory.to_owned(), source })?;
        // A device id has no separator in it, so this stays inside the directory.
        Ok(Store::File(directory.join(format!("{device}.json"))))
    }

    /// The stored state; empty if nothing was stored.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn load(&self) -> Result<Memory, StoreError> {
        let Store::File(path) = self else { return Ok(Memory::default()) };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Memory::default()),
            Err(source) => return Err(StoreError::Io { path: path.clone(), source }),
        };
        serde_json::from_slice(&text).map_err(|source| StoreError::Damaged { path: path.clone(), source })
    }

    /// Writes the memory atomically: whatever happens meanwhile, the file contains either the old or the new state.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn save(&self, memory: &Memory) -> io::Result<()> {
        let Store::File(path) = self else { return Ok(()) };
        wilco_atomic_file::replace(path, &serde_json::to_vec(memory)?)
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::CommandId;

    use super::{Store, StoreError};
    use crate::memory::Memory;

    #[test]
    fn a_memory_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::in_directory(&directory.path().join("deep"), "dock-1").expect("a store");
        assert_eq!(store.load().expect("empty"), Memory::default());
        let mut memory = Memory::default();
        memory.begin(&CommandId::new("a").expect("an id"), "led", None);
        store.save(&memory).expect("written");
        assert_eq!(store.load().expect("read"), memory);
    }

    #[test]
    fn a_damaged_memory_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("dock-1.json");
        std::fs::write(&path, "{half").expect("written");
        let store = Store::File(path.clone());
        assert!(matches!(store.load(), Err(StoreError::Damaged { .. })));
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "{half");
    }
}
