//! Approvals by a second installation, as files: the identity of an installation, its requests, and the answers of
//! another one. The formats are described in `docs/approvals.md`.
//!
//! Each file is signed lines (`signed_lines`). An answer names the SHA-256 of what the request signs,
//! so it is for exactly one rollout of one installation. Whose keys count, and what follows from an answer, is not decided
//! here.

mod answer;
mod identity;
mod request;

use std::{io::ErrorKind, path::Path};

use serde::Serialize;
use wilco_credentials::signing::PublicKey;

use crate::{
    api::{Failure, FailureCode},
    input_file,
    signed_lines::{Format, Recognised},
};

pub(crate) use answer::Answer;
pub(crate) use identity::Identity;
pub(crate) use request::{Connection, Request, Sample, asks_for, connection_of, digest, stored, text};

/// A file of these is not longer, bytes: a request for 100,000 devices takes about 10 MB.
const LONGEST: u64 = 64 * 1024 * 1024;

/// A kind of file, and what it is called.
struct Kind {
    format: Format,
    /// `an approval request`.
    name: &'static str,
    /// How one comes to be.
    made_by: &'static str,
}

/// The lines of a file that are signed, and by whom.
struct Opened {
    text: String,
    lines: Vec<String>,
    key: PublicKey,
}

impl Kind {
    /// Reads a whole file, and checks that it was not altered after it was signed. Blocks.
    ///
    /// # Errors
    /// [`FailureCode::File`]: it cannot be read, is of another kind or a newer version, or was altered.
    fn open(&self, path: &Path) -> Result<Opened, Failure> {
        let text = read(path)?;
        let name = path.display();
        let first = text.lines().next().unwrap_or_default();
        match self.format.recognises(first.as_bytes()) {
            Recognised::Yes => {}
            Recognised::No => {
                return Err(failure(format!("{name} is not {}.", self.name), self.made_by));
            }
            Recognised::Newer(version) => {
                return Err(failure(
                    format!(
                        "{name} has format {version}, but this version of Wilco reads format {}.",
                        self.format.version
                    ),
                    "Install a newer version of Wilco.",
                ));
            }
        }
        let Some((lines, key)) = self.format.verified(&text) else { return Err(altered(path)) };
        let lines = lines.into_iter().map(str::to_owned).collect();
        Ok(Opened { text, lines, key })
    }
}

/// The whole of a file that is not too large.
fn read(path: &Path) -> Result<String, Failure> {
    let cannot = |why: String| {
        failure(format!("Could not read {}: {why}.", path.display()), "Choose a file that was saved by Wilco.")
    };
    input_file::text(path, LONGEST).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => cannot("it is larger than 64 MiB".to_owned()),
        _ => cannot(error.to_string()),
    })
}

/// A file is not as it was signed.
fn altered(path: &Path) -> Failure {
    failure(
        format!("{} was altered after it was signed, or part of it is missing.", path.display()),
        "Ask your colleague to send the file again, as an attachment and not as text.",
    )
}

fn failure(message: String, hint: &str) -> Failure {
    Failure { code: FailureCode::File, message, hint: Some(hint.to_owned()) }
}

/// Reads a file as each of these.
#[cfg(fuzzing)]
pub(crate) fn read_any(path: &Path) {
    let read = [Identity::read(path).map(drop), Request::read(path).map(drop), Answer::read(path).map(drop)];
    for refused in read.into_iter().filter_map(Result::err) {
        assert!(refused.message.ends_with('.') && refused.hint.is_some(), "{refused:?}");
    }
}

/// A line.
fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::of(FailureCode::Internal, &error, None))
}
