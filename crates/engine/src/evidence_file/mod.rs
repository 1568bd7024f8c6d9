//! Evidence files: what is known of a command, a device or a rollout, for somebody who has neither this computer nor a
//! reason to believe it. The format is described in `docs/evidence-file.md`.
//!
//! A file is lines of JSON. Its last line lists the SHA-256 of every line before it, and signs that list. So it can be read
//! with any tool, and what was altered in it can be named.

mod read;
mod write;

pub use read::read;
pub(crate) use write::{Header, Writer};

/// The first line says so.
const FORMAT: &str = "wilco evidence";
/// The version of the format that is written, and the newest that is read.
const VERSION: u32 = 1;

/// What is signed: the list of the lines' hashes.
fn message(hashes: &[[u8; 32]]) -> Vec<u8> {
    let mut message = b"wilco evidence 1\n".to_vec();
    hashes.iter().for_each(|hash| message.extend_from_slice(hash));
    message
}

#[cfg(test)]
mod tests;
