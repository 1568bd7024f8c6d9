//! The words in which devices say how a command went.

use wilco_ledger::Outcome;

/// The outcome a word stands for, in any case.
pub(crate) fn outcome(word: &str) -> Option<Outcome> {
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
    let word = word.trim();
    WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, outcome)| *outcome)
}

/// The word that is written for an outcome.
pub(crate) fn word(outcome: Outcome) -> &'static str {
    outcome.state().as_str()
}

/// The outcome that a plain text begins with, as in `SUCCESS: …`: a known word, then a colon or the end.
pub(crate) fn leading_outcome(text: &str) -> Option<Outcome> {
    let word = text.split(':').next()?;
    outcome(word)
}

/// The first `limit` bytes of a text at the most, cut between characters and marked as cut.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(limit)])
}

#[cfg(test)]
mod tests {
    use wilco_ledger::Outcome;

    use super::{leading_outcome, outcome, shortened, word};

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
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("äöü", 6), "äöü");
        assert_eq!(shortened("äöü", 3), "ä…");
    }
}
