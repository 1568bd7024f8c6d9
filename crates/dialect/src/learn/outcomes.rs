//! Finds the messages and values that contain the outcome of a command.

use wilco_ledger::Outcome;

use super::{Observed, fields::Fields, object};
use crate::{json::ExactValue, words};

/// Words for outcomes that Wilco's own dialects do not have, but other firmware does.
const FURTHER_WORDS: [(&str, Outcome); 10] = [
    ("complete", Outcome::Succeeded),
    ("completed", Outcome::Succeeded),
    ("err", Outcome::Failed),
    ("fail", Outcome::Failed),
    ("nok", Outcome::Failed),
    ("ko", Outcome::Failed),
    ("timeout", Outcome::Failed),
    ("nack", Outcome::Rejected),
    ("nak", Outcome::Rejected),
    ("unsupported", Outcome::Rejected),
];

pub(super) fn outcome(word: &str) -> Option<Outcome> {
    let further = || FURTHER_WORDS.iter().find(|(known, _)| word.trim().eq_ignore_ascii_case(known));
    words::outcome(word).or_else(|| further().map(|(_, outcome)| *outcome))
}

/// The outcome that a plain text begins with, and how such texts begin: `OK`, `SUCCESS*` or `ERR *`.
pub(super) fn leading_outcome(text: &str) -> Option<(String, Outcome)> {
    let text = text.trim();
    let before_colon = text.split(':').next().unwrap_or_default().trim_end();
    if let Some(outcome) = outcome(before_colon) {
        // What follows the word differs each time.
        let is = if before_colon.len() < text.len() { format!("{before_colon}*") } else { before_colon.to_owned() };
        return Some((is, outcome));
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let (word, rest) = text.split_at(end);
    // In small letters, a word and a space begin a sentence, which may mean the opposite.
    let separator = rest.chars().next().filter(|c| !matches!(c, '-' | '\''))?;
    if separator.is_whitespace() && word.contains(char::is_lowercase) {
        return None;
    }
    // In a form, a comma separates words.
    let begins = if separator == ',' { format!("{word}*") } else { format!("{word}{separator}*") };
    outcome(word).map(|outcome| (begins, outcome))
}

/// Members whose number or truth value is the outcome.
const CODES: [&str; 12] = [
    "rc",
    "code",
    "resultCode",
    "result_code",
    "errorCode",
    "error_code",
    "errno",
    "err",
    "error",
    "result",
    "success",
    "ok",
];

/// The member that has the outcome as a number or a truth value, and the value that stands for success.
pub(super) fn outcome_code(answers: &[&Observed]) -> Option<(String, &'static str)> {
    let said: Vec<ExactValue> = answers.iter().filter_map(|one| object(&one.payload)).collect();
    CODES.iter().find_map(|code| {
        let values: Vec<&ExactValue> = said.iter().filter_map(|said| said.get(code)).collect();
        let is = |wanted: &str| values.iter().any(|value| value.plain() == wanted);
        let is_code = |value: &&ExactValue| matches!(value, ExactValue::Number(_) | ExactValue::Bool(_));
        if values.is_empty() || !values.iter().all(is_code) {
            return None;
        }
        let done = match *code {
            "err" | "error" if is("true") || is("false") => "false",
            _ if is("true") || is("false") => "true",
            _ if values.iter().any(|value| value.as_f64().is_some_and(|code| (200.0..600.0).contains(&code))) => "200",
            // `{"ok":1}` and `{"success":0}`.
            "success" | "ok" => "1",
            _ => "0",
        };
        Some(((*code).to_owned(), done))
    })
}

/// Whether a message has a word for an outcome.
pub(super) fn says_outcome(message: &Observed) -> bool {
    match object(&message.payload) {
        Some(said) => {
            let mut texts = said.members().iter().filter_map(|(_, value)| value.as_str());
            texts.any(|text| outcome(text).is_some())
        }
        None => {
            let in_field = || Fields::of(&message.payload).is_some_and(|fields| fields.outcome().is_some());
            leading_outcome(&message.payload).is_some() || in_field()
        }
    }
}
