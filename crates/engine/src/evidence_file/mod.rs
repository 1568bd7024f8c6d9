//! Evidence files: what is known of a command, a device or a rollout, for somebody who has neither this computer nor a
//! reason to believe it. The format is described in `docs/evidence-file.md`.
//!
//! A file is lines of JSON in the envelope of [`signed_lines`](crate::signed_lines).

mod read;
mod write;

pub use read::read;
pub(crate) use write::{Header, Writer};

use crate::signed_lines::Format;

/// The first line says so.
const FORMAT: Format = Format { name: "wilco evidence", version: 1 };

#[cfg(test)]
mod tests;
