//! Words, numbers and times for people.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use jiff::{Timestamp, tz::TimeZone};

/// Text of a device or broker made harmless for a terminal: control characters and those that turn the direction of
/// writing stand as escapes.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let harmful = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if harmful(letter) {
            clean.extend(letter.escape_default());
        } else {
            clean.push(letter);
        }
    }
    Cow::Owned(clean)
}

/// Text as lines of at most that many letters, broken between words. A word that is longer has a line of its own.
pub(crate) fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A state as it is read: `timed out`.
pub(crate) fn state_name(state: &str) -> String {
    state.replace('_', " ")
}

/// A state's colour: green for done, red for the bad ends, yellow where nobody knows.
pub(crate) fn state_style(state: &str) -> Style {
    let colour = match state {
        "succeeded" => AnsiColor::Green,
        "failed" | "rejected" | "undeliverable" => AnsiColor::Red,
        "timed_out" | "expired" | "unconfirmed" => AnsiColor::Yellow,
        "accepted" | "running" => AnsiColor::Cyan,
        _ => return Style::new().dimmed(),
    };
    colour.on_default()
}

/// Text in a style.
pub(crate) fn paint(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// A number with its thousands set apart: 9,998.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Unix milliseconds as a date and time of this computer's zone.
pub(crate) fn local_time(at: i64) -> String {
    format(at, "%Y-%m-%d %H:%M:%S")
}

/// Unix milliseconds as a time of day of this computer's zone.
pub(crate) fn time_of_day(at: i64) -> String {
    format(at, "%H:%M:%S%.3f")
}

fn format(at: i64, pattern: &str) -> String {
    match Timestamp::from_millisecond(at) {
        Ok(time) => time.to_zoned_datetime(TimeZone::system()).strftime(pattern).to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{clean, count, folded};

    #[test]
    fn nothing_reaches_a_terminal_as_a_command() {
        let check = |text: &str, expected: &str| assert_eq!(clean(text), expected);
        check("plain ä 漢", "plain ä 漢");
        check("\u{1b}[2Jgone", "\\u{1b}[2Jgone");
        check("two\nlines\r", "two\\nlines\\r");
        check("evil\u{202e}txt", "evil\\u{202e}txt");
    }

    #[test]
    fn lines_are_broken_between_words() {
        let check = |text: &str, expected: &[&str]| assert_eq!(folded(text, 10), expected, "{text:?}");
        check("", &[]);
        check("one two three", &["one two", "three"]);
        check("exactly 10", &["exactly 10"]);
        check("a much-too-long-word b", &["a", "much-too-long-word", "b"]);
        check("für größer", &["für größer"]);
    }

    #[test]
    fn thousands_are_set_apart() {
        let check = |number: usize, expected: &str| assert_eq!(count(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(9_998, "9,998");
        check(1_234_567, "1,234,567");
    }
}
