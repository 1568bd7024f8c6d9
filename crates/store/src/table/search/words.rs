//! The words of a command and of a search: runs of letters and digits, in lower case, without the accents of European
//! letters.

use std::collections::BTreeSet;

use wilco_ledger::Command;

/// Of each text, so many bytes are read.
const READ_OF_TEXT: usize = 1_024;
/// Characters of a word that are compared.
const LONGEST_WORD: usize = 12;

/// The words of a command: in its device, name and arguments and, once it is finished, in its message and result.
pub(super) fn of_command(command: &Command) -> BTreeSet<String> {
    let submission = &command.submission;
    let mut texts = vec![submission.device.as_str(), &*submission.name, &*submission.args];
    if command.rungs.finished.is_some() {
        texts.extend(command.message.as_deref());
        texts.extend(command.result.as_deref());
    }
    texts.into_iter().flat_map(words).collect()
}

/// Each beginning of each of these words.
pub(super) fn beginnings(command: &Command) -> BTreeSet<String> {
    let mut beginnings = BTreeSet::new();
    for word in of_command(command) {
        let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
        beginnings.extend(ends.map(|end| word[..end].to_owned()));
    }
    beginnings
}

/// The words that are searched for. Each must be the beginning of a word of a command.
pub(super) fn of_search(search: &str) -> Vec<String> {
    words(search).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether there is anything to search for.
pub(crate) fn is_search(text: &str) -> bool {
    words(text).next().is_some()
}

/// Whether a command has all of these words.
pub(super) fn matches(command: &Command, wanted: &[String]) -> bool {
    let words = of_command(command);
    wanted.iter().all(|wanted| words.range(wanted.clone()..).next().is_some_and(|word| word.starts_with(wanted)))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let read = &text[..text.floor_char_boundary(READ_OF_TEXT)];
    read.split(|c: char| !c.is_alphanumeric() && !is_accent(c)).map(plain).filter(|word| !word.is_empty())
}

fn plain(word: &str) -> String {
    let letters = word.chars().filter(|&c| !is_accent(c)).flat_map(char::to_lowercase);
    letters.filter(|&c| !is_accent(c)).map(without_accent).take(LONGEST_WORD).collect()
}

/// An accent by itself, behind its letter (NFD).
fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// The letter under an accent, for small letters of Latin-1 and Latin Extended-A.
fn without_accent(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ĥ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' => 'i',
        'ĵ' => 'j',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' => 's',
        'ţ' | 'ť' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ŵ' => 'w',
        'ý' | 'ÿ' | 'ŷ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_search, of_search};

    #[test]
    fn a_text_is_read_as_words() {
        let check = |text: &str, expected: &[&str]| assert_eq!(of_search(text), expected, "{text}");
        check(r#"pump-07 {"ON":true}"#, &["07", "on", "pump", "true"]);
        check("K\u{fc}che Ku\u{308}che kuche", &["kuche"]);
        check("Š ĹĆ İ", &["i", "lc", "s"]);
        check("a AND \"b* OR c\"", &["a", "and", "b", "c", "or"]);
        check("{} - \" *", &[]);
        check("\u{301}", &[]);
        check(&"x".repeat(13), &[&"x".repeat(12)]);
        assert!(is_search(" a") && !is_search(" -"));
    }

    #[test]
    fn no_word_has_a_character_that_fts5_splits_at() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_ascii()) {
            for word in of_search(&c.to_string()) {
                assert!(word.chars().all(|c| c.is_ascii_alphanumeric()), "{c:?}: {word:?}");
            }
        }
    }
}
