//! Splits a log file into chunks that every broker accepts.

use wilco_ledger::CommandId;

use super::in_order;
use crate::log::{Checksum, LogChunk, LogReceipt};

/// How much text goes into a piece, in bytes as JSON writes them. With an id of any length the payload stays below
/// 64,000 bytes, half of what AWS carries in one message.
const LONGEST: usize = 32 * 1024;

/// Splits a log into numbered chunks, between two lines if possible, and returns their receipt. An empty log is one
/// empty chunk, so that a message is sent.
#[must_use]
pub fn cut_log(id: &CommandId, text: &str) -> (Vec<LogChunk>, LogReceipt) {
    let pieces = cut(text, LONGEST);
    let of = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let sha256 = Checksum::of(text);
    let mut offset = 0;
    let chunks = (1..).zip(pieces).map(|(number, piece)| {
        let chunk = LogChunk {
            id: id.clone(),
            number,
            of: Some(of),
            offset: Some(offset),
            text: piece.to_owned(),
            // By then also a device that reads its flash only once knows it.
            sha256: (number == of).then_some(sha256),
        };
        offset += piece.len() as u64;
        chunk
    });
    let chunks = chunks.collect();
    (chunks, LogReceipt { chunks: Some(of), bytes: Some(text.len() as u64), sha256: Some(sha256) })
}

/// The payload of a chunk for `{device}/log`.
#[must_use]
pub fn write_log_chunk(chunk: &LogChunk) -> Vec<u8> {
    in_order([
        ("id", Some(chunk.id.as_str().into())),
        ("chunk", Some(chunk.number.into())),
        ("of", chunk.of.map(Into::into)),
        ("offset", chunk.offset.map(Into::into)),
        ("text", Some(chunk.text.as_str().into())),
        ("sha256", chunk.sha256.map(|sum| sum.to_string().into())),
    ])
}

/// The pieces of a text, none of them longer than `longest` once it is written as JSON; at least one.
fn cut(text: &str, longest: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(end) = end_of_piece(rest, longest) {
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Where the first piece of a text ends; `None` if it is the whole text.
fn end_of_piece(text: &str, longest: usize) -> Option<usize> {
    let mut written = 0;
    let mut after_line = None;
    for (at, c) in text.char_indices() {
        written += written_length(c);
        // A piece is never empty, however little fits.
        if written > longest && at > 0 {
            return Some(after_line.unwrap_or(at));
        }
        if c == '\n' {
            after_line = Some(at + 1);
        }
    }
    None
}

/// How many bytes a character of a JSON string takes (RFC 8259 section 7, as `serde_json` writes it).
fn written_length(c: char) -> usize {
    match c {
        '"' | '\\' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use wilco_ledger::CommandId;

    use super::{cut, cut_log, write_log_chunk};

    #[test]
    fn a_text_is_cut_between_lines_where_it_can_be() {
        let check =
            |text: &str, longest: usize, expected: &[&str]| assert_eq!(cut(text, longest), expected, "{text:?}");
        check("", 8, &[""]);
        check("abc", 8, &["abc"]);
        check("abc\nde\nf\n", 8, &["abc\n", "de\nf\n"]);
        check("abcdefghij", 4, &["abcd", "efgh", "ij"]);
        check("ab\ncdefgh", 5, &["ab\n", "cdefg", "h"]);
        check("ääää", 5, &["ää", "ää"]);
        check("\u{1}\u{1}", 6, &["\u{1}", "\u{1}"]);
        check("äö", 1, &["ä", "ö"]);
    }

    #[test]
    fn the_largest_piece_stays_below_what_brokers_carry() {
        let id = CommandId::new("\u{1}".repeat(128)).or_else(|_| CommandId::new("\"".repeat(128))).expect("an id");
        let check = |text: String| {
            let (chunks, _) = cut_log(&id, &text);
            assert!(chunks.len() > 1);
            for chunk in &chunks {
                assert!(write_log_chunk(chunk).len() < 64_000);
            }
        };
        check("x".repeat(100_000));
        check("\u{1}".repeat(100_000));
        check("\"\n".repeat(100_000));
        check("é".repeat(100_000));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(text in "[a-c\\n\\t\u{0}\u{1b}\"é😀]{0,60}", longest in 6..20_usize) {
            let pieces = cut(&text, longest);
            prop_assert_eq!(&pieces.concat(), &text);
            for piece in pieces {
                prop_assert!(Value::from(piece).to_string().len() - 2 <= longest, "{:?}", piece);
            }
        }
    }
}
