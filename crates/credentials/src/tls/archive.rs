//! Zip archives, such as the connection kit of AWS IoT: unpacked in memory, never to disk.
//!
//! The sizes that an archive declares are not trusted: the unpacked bytes are counted.

use std::io::{Cursor, Read};

use zeroize::Zeroizing;
use zip::{ZipArchive, read::ZipFile};

use super::{
    CertificateError,
    content::{Found, FoundItem, MOST_THINGS, broken, damaged, one, read_entry},
    facts::shown,
    file::LIMIT,
};

/// Files in an archive. A device's kit has five.
const MOST_ENTRIES: usize = 200;
/// The maximum size of all files together, bytes.
const LIMIT_TOGETHER: u64 = 2 * LIMIT;

/// Whether it is a zip archive, perhaps an empty one.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Reads every file in an archive. Of one that is made to do harm nothing is taken.
pub(super) fn read(name: &str, bytes: &[u8]) -> Vec<Found> {
    match entries(name, bytes) {
        Ok(found) if found.len() > MOST_THINGS => {
            vec![broken(name, "zip", CertificateError::TooMany { path: name.into(), limit: MOST_THINGS })]
        }
        Ok(found) if found.is_empty() => one(name, "zip", FoundItem::Aside("Empty archive")),
        Ok(found) => found,
        Err(Refusal::Damaged) => vec![damaged(name, "zip", "it is not a complete zip archive")],
        Err(Refusal::Harmful(what)) => {
            vec![broken(name, "zip", CertificateError::Archive { path: name.into(), what: what.to_owned() })]
        }
    }
}

enum Refusal {
    Damaged,
    Harmful(&'static str),
}

fn entries(name: &str, bytes: &[u8]) -> Result<Vec<Found>, Refusal> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refusal::Damaged)?;
    if archive.len() > MOST_ENTRIES {
        return Err(Refusal::Harmful("it contains more than 200 files"));
    }
    // All are looked at before any is unpacked.
    for at in 0..archive.len() {
        check(&archive.by_index_raw(at).map_err(|_| Refusal::Damaged)?)?;
    }
    let mut found = Vec::new();
    let mut left = LIMIT_TOGETHER;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|_| Refusal::Damaged)?;
        if entry.is_dir() {
            continue;
        }
        let shown = shown(&format!("{name} › {}", entry.name().map_err(|_| Refusal::Damaged)?));
        let content = unpack(&mut entry, left)?;
        left -= content.len() as u64;
        found.extend(read_entry(&shown, &content));
    }
    Ok(found)
}

fn check(entry: &ZipFile<'_, Cursor<&[u8]>>) -> Result<(), Refusal> {
    let name = entry.name().map_err(|_| Refusal::Damaged)?;
    if leads_out(&name) {
        return Err(Refusal::Harmful("the path of a file in it points outside the archive"));
    }
    if entry.encrypted() {
        return Err(Refusal::Harmful("it is encrypted; unpack it and choose its files"));
    }
    Ok(())
}

/// On any system: an archive is not made for one.
fn leads_out(name: &str) -> bool {
    let has_drive = || name.as_bytes().get(1) == Some(&b':');
    name.starts_with(['/', '\\'])
        || has_drive()
        || name.split(['/', '\\']).any(|part| part == "..")
        || name.contains('\0')
}

fn unpack(entry: &mut impl Read, left: u64) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let bound = LIMIT.min(left);
    let mut content = Zeroizing::new(Vec::with_capacity(64 * 1024));
    loop {
        let free = content.capacity() - content.len();
        let read = entry.take(free as u64).read_to_end(&mut content).map_err(|_| Refusal::Damaged)?;
        if content.len() as u64 > bound {
            return Err(Refusal::Harmful(if bound == LIMIT {
                "a file in it unpacks to more than 10 MB"
            } else {
                "the files in it unpack to more than 20 MB together"
            }));
        }
        if read < free {
            return Ok(content);
        }
        // Grown by hand: a vector that reallocates leaves copies of a key behind.
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * content.capacity()));
        larger.extend_from_slice(&content);
        content = larger;
    }
}
