//! Reads one file of limited size.

use std::{fs::File, io::Read, path::Path};

use zeroize::Zeroizing;

use super::CertificateError;

/// The largest file that is read, in bytes. The bundle of all public authorities has a quarter of a megabyte.
pub(super) const LIMIT: u64 = 10 * 1024 * 1024;

pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let unreadable = |what: &str| CertificateError::Unreadable { path: path.to_owned(), what: what.to_owned() };
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => unreadable("it does not exist"),
        std::io::ErrorKind::PermissionDenied => unreadable("you have no permission to read it"),
        _ => unreadable(&error.to_string()),
    };
    let metadata = std::fs::metadata(path).map_err(told)?;
    if !metadata.is_file() {
        return Err(unreadable(if metadata.is_dir() { "it is a folder" } else { "it is not a file" }));
    }
    let too_big = |bytes| CertificateError::TooBig { path: path.to_owned(), bytes, limit: LIMIT };
    if metadata.len() > LIMIT {
        return Err(too_big(metadata.len()));
    }
    // Large enough from the start: a vector that grows leaves copies of a key behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1));
    File::open(path).map_err(told)?.take(LIMIT + 1).read_to_end(&mut content).map_err(told)?;
    if content.len() as u64 > LIMIT { Err(too_big(content.len() as u64)) } else { Ok(content) }
}
