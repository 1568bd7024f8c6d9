//! Checks of entered names, which are used exactly as they are: no character of them may be invisible.

use crate::{Failure, excerpt, invalid};

/// Letters that Unicode does not draw by themselves (`Default_Ignorable_Code_Point`) and that do not change how the letter
/// before them looks, and other controls of direction and layout.
const UNDRAWN: [(char, char); 17] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e00ff}'),
    ('\u{e01f0}', '\u{e0fff}'),
];

/// Whether a character is invisible, changes the direction of writing, or controls a terminal. Variation selectors,
/// which select the form of the preceding character, are not included.
#[must_use]
pub fn is_unseen(letter: char) -> bool {
    letter.is_control() || UNDRAWN.iter().any(|(first, last)| (*first..=*last).contains(&letter))
}

/// Validates an entered text that is used exactly as it is: it must not begin or end with an invisible space.
///
/// # Errors
/// [`FailureCode::Invalid`](crate::FailureCode).
pub fn exact<'a>(text: &'a str, what: &str) -> Result<&'a str, Failure> {
    if text.trim() == text {
        return Ok(text);
    }
    Err(invalid(
        format!("The {what} “{text}” begins or ends with a space."),
        "Remove the space. Names are used exactly as they are entered.",
    ))
}

/// Validates an entered name that identifies something: [`exact`], and without invisible characters.
///
/// # Errors
/// [`FailureCode::Invalid`](crate::FailureCode).
pub fn legible<'a>(text: &'a str, what: &str) -> Result<&'a str, Failure> {
    let text = exact(text, what)?;
    if text.chars().any(char::is_control) {
        return Err(invalid(
            format!("The {what} {:?} contains a line break or another control character.", excerpt(text)),
            "Write it on one line.",
        ));
    }
    match text.chars().find(|letter| is_unseen(*letter)) {
        None => Ok(text),
        Some(unseen) => Err(invalid(
            format!("The {what} “{}” contains the invisible character U+{:04X}.", excerpt(text), u32::from(unseen)),
            "Remove it, for example by retyping the name.",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use super::{exact, is_unseen, legible};

    #[test]
    fn a_name_that_people_cannot_tell_from_another_is_refused() {
        for fine in ["", "Plant 2", "café", "漢字", "\u{2764}\u{fe0f} pumps"] {
            assert_eq!(legible(fine, "name").unwrap(), fine);
        }
        let check = |text: &str, expected: &str| assert_eq!(legible(text, "name").unwrap_err().message, expected);
        check("Plant ", "The name “Plant ” begins or ends with a space.");
        check("Pl\u{1b}ant", "The name \"Pl\\u{1b}ant\" contains a line break or another control character.");
        check("Plant\u{200b}", "The name “Plant\u{200b}” contains the invisible character U+200B.");
        check("\u{202e}Plant", "The name “\u{202e}Plant” contains the invisible character U+202E.");
        check("Plant\u{e0041}", "The name “Plant\u{e0041}” contains the invisible character U+E0041.");
        // What exists outside of Wilco is used as it is, even so.
        assert_eq!(exact("Plant\u{200b}", "topic prefix").unwrap(), "Plant\u{200b}");
    }

    #[test]
    fn unseen_letters_end_where_seen_ones_begin() {
        for seen in
            ['\u{20}', '\u{ac}', '\u{ae}', '\u{200a}', '\u{2010}', '\u{3163}', '\u{fe0f}', '\u{fffc}', '\u{e0100}']
        {
            assert!(!is_unseen(seen), "{seen:?}");
        }
        for unseen in
            ['\0', '\u{7f}', '\u{9f}', '\u{115f}', '\u{1160}', '\u{200d}', '\u{3164}', '\u{e007f}', '\u{e0fff}']
        {
            assert!(is_unseen(unseen), "{unseen:?}");
        }
    }
}
