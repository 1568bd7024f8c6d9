//! Evidence files: the evidence about a command, a device or a rollout, for somebody without access to this computer
//! and without a reason to trust it. `docs/evidence-file.md` describes the format.
//!
//! A file is lines of JSON in the envelope of `signed_lines`.

mod read;
mod write;

pub use read::read;
pub(crate) use write::{Header, Writer};

use crate::signed_lines::Format;

/// The first line says so.
const FORMAT: Format = Format { name: "wilco evidence", version: 1 };

#[cfg(test)]
mod tests;
