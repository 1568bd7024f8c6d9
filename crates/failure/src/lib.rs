//! The only error type that crosses a seam: a code for programs, a message for users about what failed and why, and a
//! hint about what to do.
//!
//! It is the lowest crate of all, so that each layer can return its own failures without depending on a higher one.

mod name;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use name::{exact, is_unseen, legible};

/// A failed request to the engine: what failed and why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[ts(export)]
#[error("{message}")]
pub struct Failure {
    /// The code for programs.
    pub code: FailureCode,
    /// What failed and why, for users. Contains no secrets.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure whose message is the text of an error, as a sentence.
    pub fn of(code: FailureCode, error: &impl std::fmt::Display, hint: Option<String>) -> Failure {
        Failure { code, message: sentence(&error.to_string()), hint }
    }
}

/// A failure because of an invalid request.
#[must_use]
pub fn invalid(message: String, hint: &str) -> Failure {
    Failure { code: FailureCode::Invalid, message, hint: Some(hint.to_owned()) }
}

/// The quoted part of a user's text: at most 60 characters.
#[must_use]
pub fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(60) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// Capitalises the first letter of a text and ends it with a full stop. File names stay unchanged.
#[must_use]
pub fn sentence(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    let first_word = text.split(' ').next().unwrap_or_default().trim_end_matches(['.', ',', ':']);
    if first_word.contains(['.', '/', '\\']) {
        return format!("{text}{end}");
    }
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}{end}", letters.as_str())
}

/// Codes of failures that callers distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum FailureCode {
    /// The request is not valid.
    Invalid,
    /// The connection, device or command does not exist.
    NotFound,
    /// A file cannot be read, or has unexpected content.
    File,
    /// The output file already exists.
    Exists,
    /// The keyring is missing or locked.
    Keyring,
    /// The broker is unreachable, or refused the connection.
    Connection,
    /// The store failed: full disk, damaged, or written by a newer version.
    Store,
    /// The connection is read-only.
    ReadOnly,
    /// The connection is protected, and the required confirmation is missing.
    Unconfirmed,
    /// The action differs from what was confirmed.
    Changed,
    /// Another Wilco uses the same data.
    InUse,
    /// The engine in the other process ended before it accepted the call: nothing was done, and the call can be
    /// repeated with the next engine.
    Ended,
    /// The engine in the other process ended during the call: it is unknown whether it was carried out.
    Unanswered,
    /// An internal error of Wilco.
    Internal,
}

#[cfg(test)]
mod tests {
    use super::{excerpt, sentence};

    #[test]
    fn an_excerpt_is_the_beginning_of_a_long_text() {
        assert_eq!(excerpt("pump-7"), "pump-7");
        assert_eq!(excerpt(&"ü".repeat(60)), "ü".repeat(60));
        assert_eq!(excerpt(&"ü".repeat(10_000)), format!("{}…", "ü".repeat(60)));
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_a_name_with_what_it_begins_with() {
        let check = |text: &str, expected: &str| assert_eq!(sentence(text), expected);
        check("the broker is gone", "The broker is gone.");
        check("äh?", "Äh?");
        check("me.p12 is locked", "me.p12 is locked.");
        check("/tmp/key is locked", "/tmp/key is locked.");
        check("it is.", "It is.");
        check("", ".");
    }
}
