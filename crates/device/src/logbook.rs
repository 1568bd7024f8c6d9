//! The log of a device: a file of limited size, or the latest lines in memory.
//!
//! Each event is exactly one line: a received text cannot start a second one.

mod file;
mod past;

use std::{collections::VecDeque, fmt, io};

use tracing::Level;
use wilco_ledger::Timestamp;

use crate::store::Store;
use file::LogFile;

/// The maximum length of a line, in bytes.
const LONGEST_LINE: usize = 500;
/// The maximum size in memory, in bytes. Thousands of devices share one process.
const REMEMBERED: usize = 8 * 1024;

/// The log of a device.
#[derive(Debug)]
pub struct Logbook(Kept);

#[derive(Debug)]
enum Kept {
    File(LogFile),
    Memory {
        lines: VecDeque<String>,
        bytes: usize,
        /// The log lines that a long-running device would have written before, by its seed and its start time.
        past: Option<(u64, Timestamp)>,
    },
}

impl Logbook {
    /// The log of a device with this memory: a file beside it, or nothing persistent.
    #[must_use]
    pub fn beside(store: &Store) -> Logbook {
        Logbook(match store {
            Store::File(path) => Kept::File(LogFile::new(path.with_extension("log"))),
            Store::None => Kept::Memory { lines: VecDeque::new(), bytes: 0, past: None },
        })
    }

    /// The same log with invented earlier lines, unless it is a file, because a virtual device has just started.
    #[must_use]
    pub fn with_past(self, seed: u64, now: Timestamp) -> Logbook {
        match self.0 {
            Kept::Memory { lines, bytes, .. } => Logbook(Kept::Memory { lines, bytes, past: Some((seed, now)) }),
            file @ Kept::File(_) => Logbook(file),
        }
    }

    /// Logs an event.
    ///
    /// # Errors
    /// Errors of the file system. The device continues without its log.
    pub fn note(&mut self, now: Timestamp, level: Level, what: &str) -> io::Result<()> {
        let line = line(now, level, what);
        match &mut self.0 {
            Kept::File(file) => file.append(&line),
            Kept::Memory { lines, bytes, .. } => {
                *bytes += line.len();
                lines.push_back(line);
                while *bytes > REMEMBERED {
                    *bytes -= lines.pop_front().map_or(*bytes, |oldest| oldest.len());
                }
                Ok(())
            }
        }
    }

    /// The log lines, or only the last of them.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn read(&self, lines: Option<usize>) -> io::Result<String> {
        let mut text = match &self.0 {
            Kept::File(file) => file.read()?,
            Kept::Memory { lines, past, .. } => {
                let before = past.map(|(seed, began)| past::invented(seed, began)).unwrap_or_default();
                lines.iter().fold(before, |text, line| text + line)
            }
        };
        if let Some(lines) = lines {
            text.drain(..beginning_of_last(&text, lines));
        }
        Ok(text)
    }
}

/// The byte at which the last lines of a text start.
fn beginning_of_last(text: &str, lines: usize) -> usize {
    let whole = text.strip_suffix('\n').unwrap_or(text);
    match lines.checked_sub(1) {
        None => text.len(),
        Some(before) => whole.rmatch_indices('\n').nth(before).map_or(0, |(at, _)| at + 1),
    }
}

/// A log line, including its line break.
fn line(now: Timestamp, level: Level, what: &str) -> String {
    let mut line = format!("{} {:<5} ", Time(now), level.as_str());
    for c in what.chars() {
        if line.len() >= LONGEST_LINE {
            line.push('…');
            break;
        }
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

/// A time in the format of RFC 3339, in UTC.
struct Time(Timestamp);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0.0) {
            Ok(time) => write!(f, "{time:.3}"),
            // Further from 1970 than calendars go.
            Err(_) => write!(f, "{} ms", self.0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;
    use wilco_ledger::Timestamp;

    use super::{Logbook, beginning_of_last, line};
    use crate::store::Store;

    const NOW: Timestamp = Timestamp(1_795_438_800_007);

    #[test]
    fn an_event_is_one_line_whatever_its_content() {
        let check = |what: &str, expected: &str| {
            assert_eq!(line(NOW, Level::INFO, what), format!("2026-11-23T13:00:00.007Z INFO  {expected}\n"));
        };
        check("connected", "connected");
        check("asked {\n\r\u{1b}[31m}", "asked {\\n\\r\\u{1b}[31m}");
        check("", "");
        assert!(line(NOW, Level::WARN, &"é".repeat(1_000)).len() < 520);
        assert!(line(Timestamp(i64::MAX), Level::WARN, "far").starts_with("9223372036854775807 ms WARN  far"));
    }

    #[test]
    fn the_last_lines_are_the_last_lines() {
        let check = |text: &str, lines: usize, expected: &str| {
            assert_eq!(&text[beginning_of_last(text, lines)..], expected, "{text:?}");
        };
        check("a\nb\nc\n", 0, "");
        check("a\nb\nc\n", 1, "c\n");
        check("a\nb\nc\n", 2, "b\nc\n");
        check("a\nb\nc\n", 3, "a\nb\nc\n");
        check("a\nb\nc\n", 100, "a\nb\nc\n");
        check("a\nb", 1, "b");
        check("\n\n", 1, "\n");
        check("", 5, "");
    }

    #[test]
    fn memory_keeps_the_last_lines_only() {
        let mut log = Logbook::beside(&Store::None);
        for number in 0..1_000 {
            log.note(NOW, Level::INFO, &format!("number {number}")).expect("noted");
        }
        let text = log.read(None).expect("a log");
        assert!(text.len() <= 8 * 1024 && text.ends_with("number 999\n") && text.lines().count() > 100);
        assert_eq!(log.read(Some(2)).expect("a log").lines().count(), 2);
    }

    #[test]
    fn an_invented_past_comes_before_what_happened() {
        let with_past = |seed| Logbook::beside(&Store::None).with_past(seed, NOW);
        let mut log = with_past(1);
        let past = log.read(None).expect("a log");
        assert!((3_000..16_000).contains(&past.len()), "{} bytes", past.len());
        assert!(past.lines().is_sorted(), "in the order of time");
        assert!(past.lines().all(|line| line < "2026-11-23T13:00:00.007Z"));
        assert_eq!(with_past(1).read(None).expect("a log"), past);
        assert_ne!(with_past(2).read(None).expect("a log"), past);
        log.note(NOW, Level::INFO, "connected").expect("noted");
        assert_eq!(log.read(None).expect("a log"), format!("{past}2026-11-23T13:00:00.007Z INFO  connected\n"));
    }
}
