//! Output for programs that goes to a terminal: control characters are escaped, so that nothing in it can control the
//! terminal.

use std::io::{self, Write};

use wilco_engine::api::is_unseen;

/// Writes text with everything in it that a terminal would obey, or not show, as `\u001b`: in JSON that means the same, and
/// in CSV it is plain to see. Line ends stay.
pub(super) struct Escaping<W> {
    to: W,
    /// The beginning of a letter of which the rest is still to come.
    begun: Vec<u8>,
}

impl<W: Write> Escaping<W> {
    pub(super) fn new(to: W) -> Escaping<W> {
        Escaping { to, begun: Vec::new() }
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let mut escaped = String::with_capacity(self.begun.len());
        let mut left = 0;
        for chunk in self.begun.utf8_chunks() {
            for letter in chunk.valid().chars() {
                if letter == '\n' || !is_unseen(letter) {
                    escaped.push(letter);
                } else {
                    escaped.push_str(&format!("\\u{:04x}", u32::from(letter)));
                }
            }
            left = chunk.invalid().len();
            if left > 0 && left < 4 && chunk.invalid().as_ptr_range().end == self.begun.as_ptr_range().end {
                break;
            }
            if left > 0 {
                escaped.push(char::REPLACEMENT_CHARACTER);
                left = 0;
            }
        }
        self.begun.drain(..self.begun.len() - left);
        self.to.write_all(escaped.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::Escaping;

    #[test]
    fn nothing_that_a_terminal_obeys_reaches_it_however_it_is_cut() {
        let text = "{\"a\":\"\u{9b}2J ä漢\u{202e}\"}\nid,\u{1b}[31m\u{7f}\r\n";
        let expected = "{\"a\":\"\\u009b2J ä漢\\u202e\"}\nid,\\u001b[31m\\u007f\\u000d\n";
        for size in 1..text.len() {
            let mut to = Vec::new();
            let mut escaping = Escaping::new(&mut to);
            text.as_bytes().chunks(size).for_each(|piece| escaping.write_all(piece).expect("memory"));
            assert_eq!(String::from_utf8_lossy(&to), expected, "in pieces of {size}");
        }
    }
}
