//! Names, numbers and times as text.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use jiff::{Timestamp, tz::TimeZone};
use wilco_engine::api::{CommandState, MemberState, grouped};

/// Text of a device or broker made harmless for a terminal: control characters, bidirectional controls and zero-width
/// characters are escaped.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    escaped(text, is_unseen)
}

/// A name with all of it visible, so that no two that differ look the same: besides what [`clean`] escapes, each space at
/// an end or beside another one, spaces that are no plain space, and marks that belong to the letter before them (an `é`
/// of two characters).
pub(crate) fn name(name: &str) -> Cow<'_, str> {
    let is_mark = |letter: char| matches!(letter, '\u{300}'..='\u{36f}') || (letter.is_whitespace() && letter != ' ');
    let spaced = name.starts_with(' ') || name.ends_with(' ') || name.contains("  ");
    escaped(name, |letter| is_unseen(letter) || is_mark(letter) || (spaced && letter == ' '))
}

/// Whether a letter takes no room, turns the direction of writing, or is a command to a terminal.
pub(super) fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

fn escaped(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            ' ' if is_hidden(' ') => escaped.push('␣'),
            letter if is_hidden(letter) && letter.is_ascii() => escaped.extend(letter.escape_default()),
            letter if is_hidden(letter) => escaped.extend(letter.escape_unicode()),
            letter => escaped.push(letter),
        }
    }
    Cow::Owned(escaped)
}

/// Text as lines of at most this many characters, broken between words. A longer word has a line of its own.
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
pub(crate) fn state_name(state: impl Into<MemberState>) -> String {
    state.into().words()
}

/// A state's colour: green for done, red for the bad ends, yellow where nobody knows.
pub(crate) fn state_style(state: impl Into<MemberState>) -> Style {
    let MemberState::Released(state) = state.into() else { return Style::new().dimmed() };
    let colour = match state {
        CommandState::Succeeded => AnsiColor::Green,
        CommandState::Failed | CommandState::Rejected | CommandState::Undeliverable => AnsiColor::Red,
        CommandState::TimedOut | CommandState::Expired | CommandState::Unconfirmed => AnsiColor::Yellow,
        CommandState::Accepted | CommandState::Running => AnsiColor::Cyan,
        CommandState::Queued
        | CommandState::Held
        | CommandState::Sent
        | CommandState::AtBroker
        | CommandState::Cancelled => return Style::new().dimmed(),
    };
    colour.on_default()
}

/// Text in a style.
pub(crate) fn paint(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// A number with its thousands set apart: 9,998.
pub(crate) fn count(number: usize) -> String {
    grouped(u64::try_from(number).unwrap_or(u64::MAX))
}

/// `1 device`, `2,000 devices`.
pub(crate) fn several(number: usize, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A size in bytes: `186 B`, `12.4 kB`, `1.0 GB`.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
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
    use super::{clean, folded, name};

    #[test]
    fn nothing_reaches_a_terminal_as_a_command() {
        let check = |text: &str, expected: &str| assert_eq!(clean(text), expected);
        check("plain ä 漢", "plain ä 漢");
        check("\u{1b}[2Jgone", "\\u{1b}[2Jgone");
        check("two\nlines\r", "two\\nlines\\r");
        check("evil\u{202e}txt", "evil\\u{202e}txt");
        check("zero\u{200b}width", "zero\\u{200b}width");
    }

    #[test]
    fn no_two_names_look_the_same() {
        let check = |given: &str, expected: &str| assert_eq!(name(given), expected);
        check("pump 7", "pump 7");
        check("pump ", "pump␣");
        check(" pump 7", "␣pump␣7");
        check("pump  7", "pump␣␣7");
        check("pump\u{a0}7", "pump\\u{a0}7");
        check("caf\u{e9}", "café");
        check("cafe\u{301}", "cafe\\u{301}");
        check("\u{1b}[2J", "\\u{1b}[2J");
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
}
