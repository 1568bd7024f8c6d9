//! Names, numbers and times as text.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use icu_normalizer::ComposingNormalizerBorrowed;
use jiff::{Timestamp, tz::TimeZone};
use wilco_engine::api::{CommandState, MemberState, grouped, is_unseen};

/// So many letters of a name are looked at together: no letter is made of more.
const COMPOSED: usize = 32;

/// Text of a device or broker made harmless for a terminal: control characters, bidirectional controls and zero-width
/// characters are escaped.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    escaped(text, is_unseen)
}

/// A name with all of it visible, so that no two that differ in what Unicode calls equivalent look the same. The page
/// writes them alike (`visibleName`), and both are tested with `names.json`. Besides what [`clean`] escapes: each space at
/// an end or beside another one, spaces that are no plain space, marks that stand at any letter, what Unicode's composed
/// form (NFC) writes otherwise (an `é` or a `각` of several characters, the sign of the ångström), and the signs by which
/// all this is written.
pub(crate) fn visible_name(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Cow::Borrowed(name);
    }
    let composed = ComposingNormalizerBorrowed::new_nfc();
    let is_composed = composed.is_normalized(name);
    let is_spaced = name.starts_with(' ') || name.ends_with(' ') || name.contains("  ");
    let mut shown = String::with_capacity(name.len() + 8);
    let mut before = String::new();
    for letter in name.chars() {
        before.push(letter);
        if is_unseen(letter) || is_confusable(letter) || (!is_composed && !composed.is_normalized(&before)) {
            escape(letter, &mut shown);
            before.clear();
        } else {
            shown.push(if is_spaced && letter == ' ' { '␣' } else { letter });
        }
        if before.chars().count() > COMPOSED {
            before.remove(0);
        }
    }
    Cow::Owned(shown)
}

/// An entered text as it is quoted in an error: a name with all of it visible. Of an address with
/// more than a host only the scheme is shown: a password may be in it, wherever it was entered.
pub(crate) fn entered(text: &str) -> Cow<'_, str> {
    match text.split_once("://") {
        Some((scheme, rest)) if rest.contains(['@', '?', '#']) => Cow::Owned(format!("{}://…", visible_name(scheme))),
        _ => visible_name(text),
    }
}

/// Whether a letter is hardly seen beside another one, or is used to write what cannot be seen.
fn is_confusable(letter: char) -> bool {
    (letter.is_whitespace() && letter != ' ')
        || matches!(
            letter,
            '\\' | '␣'
                // Marks above, below and around any letter.
                | '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
                | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
                // Variation selectors.
                | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
        )
}

fn escaped(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_hidden(letter) { escape(letter, &mut escaped) } else { escaped.push(letter) }
    }
    Cow::Owned(escaped)
}

fn escape(letter: char, to: &mut String) {
    if letter.is_ascii() { to.extend(letter.escape_default()) } else { to.extend(letter.escape_unicode()) }
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
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::{fs, path::PathBuf};

    use super::{clean, entered, folded, visible_name};

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
        // The page's names are tested with the same ones.
        let names = include_str!("../../../../ui/src/format/names.json");
        let names: Vec<(String, String)> = serde_json::from_str(names).unwrap();
        assert!(names.len() > 40, "{}", names.len());
        for (given, expected) in names {
            assert_eq!(visible_name(&given), expected, "{given:?}");
        }
    }

    #[test]
    fn no_name_is_only_cleaned() {
        let mut files = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut read = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            read += 1;
            let text = fs::read_to_string(&path).unwrap();
            for argument in text.split("clean(").skip(1).filter_map(|rest| rest.split([',', ')', '(']).next()) {
                let named = argument.trim_start_matches('&').trim_end_matches(".as_deref");
                // Steps of a preflight and files of a kit are no names by which anybody decides.
                let is_name = !matches!(named, "step.name" | "item.name")
                    && matches!(
                        named.rsplit('.').next(),
                        Some("device" | "name" | "connection" | "connection_name" | "tag")
                    );
                assert!(!is_name, "{}: use visible_name for {named}", path.display());
            }
        }
        assert!(read > 50, "{read}");
    }

    #[test]
    fn no_password_in_an_address_is_quoted() {
        let check = |text: &str, expected: &str| assert_eq!(entered(text), expected);
        check("plant ", "plant␣");
        check("mqtt://broker.local:1883", "mqtt://broker.local:1883");
        check("mqtt://ops:secret@broker.local", "mqtt://…");
        check("wss://broker.local/mqtt?token=secret", "wss://…");
        check("mqtts://ops:se#cret/x", "mqtts://…");
    }

    #[test]
    fn a_long_name_is_shown_as_a_short_one_is() {
        let name = "か\u{3099}".repeat(20_000);
        assert_eq!(visible_name(&name), "か\\u{3099}".repeat(20_000));
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
