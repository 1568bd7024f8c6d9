//! The words with which devices report outcomes.

use wilco_ledger::Outcome;

const WORDS: &[(&str, Outcome)] = &[
    ("accepted", Outcome::Accepted),
    ("received", Outcome::Accepted),
    ("ack", Outcome::Accepted),
    ("running", Outcome::Running),
    ("in_progress", Outcome::Running),
    ("in-progress", Outcome::Running),
    ("in progress", Outcome::Running),
    ("succeeded", Outcome::Succeeded),
    ("success", Outcome::Succeeded),
    ("ok", Outcome::Succeeded),
    ("done", Outcome::Succeeded),
    ("failed", Outcome::Failed),
    ("failure", Outcome::Failed),
    ("error", Outcome::Failed),
    ("rejected", Outcome::Rejected),
    ("denied", Outcome::Rejected),
    ("invalid", Outcome::Rejected),
];

/// The outcome of a word, in any case.
pub(crate) fn outcome(word: &str) -> Option<Outcome> {
    let word = word.trim();
    WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, outcome)| *outcome)
}

/// The word for an outcome.
pub(crate) fn word(outcome: Outcome) -> &'static str {
    outcome.state().as_str()
}

/// The outcome that a plain text begins with, as in `SUCCESS: …`: a known word, then a colon or the end.
pub(crate) fn leading_outcome(text: &str) -> Option<Outcome> {
    let word = text.split(':').next()?;
    outcome(word)
}

/// The outcome at the beginning of a text of text firmware: as [`leading_outcome`], and also `OK, light on` or `ERROR
/// 17`. In lower case, a word and a space begin a sentence, which may mean the opposite.
pub(crate) fn first_outcome(text: &str) -> Option<Outcome> {
    WORDS.iter().find(|(word, _)| is_first(word, text)).map(|(_, outcome)| *outcome)
}

/// Whether a text begins with this word, in any case, as text firmware writes it: see [`first_outcome`].
pub(crate) fn is_first(word: &str, text: &str) -> bool {
    if text.split(':').next().is_some_and(|first| first.trim().eq_ignore_ascii_case(word)) {
        return true;
    }
    let Some((first, rest)) = text.split_at_checked(word.len()) else { return false };
    let ends = match rest.chars().next() {
        None => true,
        Some(next) if next.is_whitespace() => !first.contains(char::is_lowercase),
        Some(next) => !next.is_alphanumeric() && !matches!(next, '_' | '-' | '\''),
    };
    ends && first.eq_ignore_ascii_case(word)
}

/// The first `limit` bytes of a text at most, cut between characters and marked as cut.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(limit)])
}

#[cfg(test)]
mod tests {
    use wilco_ledger::Outcome;

    use super::{first_outcome, leading_outcome, outcome, shortened, word};

    #[test]
    fn a_word_in_any_case_and_its_synonyms() {
        let check = |word: &str, expected: Option<Outcome>| assert_eq!(outcome(word), expected, "{word:?}");
        check("Accepted", Some(Outcome::Accepted));
        check("ACK", Some(Outcome::Accepted));
        check("received", Some(Outcome::Accepted));
        check("In_Progress", Some(Outcome::Running));
        check("ok", Some(Outcome::Succeeded));
        check("DONE", Some(Outcome::Succeeded));
        check(" success ", Some(Outcome::Succeeded));
        check("failure", Some(Outcome::Failed));
        check("Error", Some(Outcome::Failed));
        check("denied", Some(Outcome::Rejected));
        check("INVALID", Some(Outcome::Rejected));
        check("", None);
        check("succeed", None);
        for each in [Outcome::Accepted, Outcome::Running, Outcome::Succeeded, Outcome::Failed, Outcome::Rejected] {
            check(word(each), Some(each));
        }
    }

    #[test]
    fn a_text_says_its_outcome_before_a_colon() {
        let check = |text: &str, expected: Option<Outcome>| assert_eq!(leading_outcome(text), expected, "{text:?}");
        check("SUCCESS: command ran", Some(Outcome::Succeeded));
        check("failure : it did not", Some(Outcome::Failed));
        check("Success", Some(Outcome::Succeeded));
        check("success is not guaranteed", None);
        check("the command was a SUCCESS: yes", None);
        check("", None);
    }

    #[test]
    fn text_firmware_says_its_outcome_first() {
        let check = |text: &str, expected: Option<Outcome>| assert_eq!(first_outcome(text), expected, "{text:?}");
        check("SUCCESS: command ran", Some(Outcome::Succeeded));
        check("Success", Some(Outcome::Succeeded));
        check("OK", Some(Outcome::Succeeded));
        check("OK light is on", Some(Outcome::Succeeded));
        check("ok, light is on", Some(Outcome::Succeeded));
        check("ERROR 17", Some(Outcome::Failed));
        check("error(17)", Some(Outcome::Failed));
        check("IN PROGRESS 40 %", Some(Outcome::Running));
        check("ACK\tlight: on", Some(Outcome::Accepted));
        check("INVALID", Some(Outcome::Rejected));
        check("Success is not guaranteed", None);
        check("success rate: 0 %", None);
        check("OKAY", None);
        check("ok_not", None);
        check("Ok-ish", None);
        check("done'nt", None);
        check("the command was a SUCCESS", None);
        check("äOK", None);
        check("SUCCESSä", None);
        check("", None);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("äöü", 6), "äöü");
        assert_eq!(shortened("äöü", 3), "ä…");
    }
}
