//! Log files in chunks: decodes a chunk, checks the promised size and checksum, and assembles the log.
//!
//! A log counts as complete only if the checksum of the device matches.

mod gathered;
mod pieces;
mod progress;

use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wilco_ledger::CommandId;

use crate::json::whole;

pub use pieces::{ChunkResult, LogPieces};
pub use progress::LogProgress;

/// How many pieces a log may have.
pub(crate) const MOST_CHUNKS: u32 = 4_096;

/// A numbered chunk of a device's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// The command that requested the log.
    pub id: CommandId,
    /// The number of the chunk, from 1.
    pub number: u32,
    /// The total number of chunks. Firmware that reads its flash while sending may know it only at the end.
    pub of: Option<u32>,
    /// The number of bytes of the log before this chunk.
    pub offset: Option<u64>,
    /// The text of the chunk.
    pub text: String,
    /// The SHA-256 of the whole log, if the chunk contains it.
    pub sha256: Option<Checksum>,
}

/// The properties of a published log, from the result of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogReceipt {
    /// The number of chunks.
    pub chunks: Option<u32>,
    /// The size in bytes.
    pub bytes: Option<u64>,
    /// Its SHA-256.
    pub sha256: Option<Checksum>,
}

/// The SHA-256 of a log (FIPS 180-4), over its bytes in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

impl LogReceipt {
    /// Parses the result of a command; missing and invalid members are omitted.
    #[must_use]
    pub fn of(result: &Value) -> LogReceipt {
        let number = |name: &str| result.get(name).and_then(whole);
        LogReceipt {
            chunks: number("chunks").and_then(|chunks| u32::try_from(chunks).ok()),
            bytes: number("bytes").and_then(|bytes| u64::try_from(bytes).ok()),
            sha256: result.get("sha256").and_then(Value::as_str).and_then(Checksum::read),
        }
    }

    /// The properties as the result of a command.
    #[must_use]
    pub fn to_result(&self) -> Value {
        json!({ "chunks": self.chunks, "bytes": self.bytes, "sha256": self.sha256.map(|sum| sum.to_string()) })
    }
}

impl Checksum {
    /// The SHA-256 of a text.
    #[must_use]
    pub fn of(text: &str) -> Checksum {
        Checksum(Sha256::digest(text).into())
    }

    /// Parses 64 hexadecimal digits, in upper or lower case.
    #[must_use]
    pub fn read(digits: &str) -> Option<Checksum> {
        let digits = digits.trim().as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Checksum(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Checksum, LogReceipt};

    /// From FIPS 180-4's examples.
    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_checksum_is_written_as_digits_and_read_from_them() {
        assert_eq!(Checksum::of("abc").to_string(), OF_ABC);
        let check = |digits: &str, readable: bool| {
            assert_eq!(Checksum::read(digits), readable.then(|| Checksum::of("abc")), "{digits:?}");
        };
        check(OF_ABC, true);
        check(&format!(" {}\n", OF_ABC.to_uppercase()), true);
        check(&OF_ABC[1..], false);
        check(&OF_ABC.replace('b', "x"), false);
        check(&"é".repeat(32), false);
        check("", false);
    }

    #[test]
    fn a_receipt_is_read_leniently() {
        let check = |result: Value, expected: LogReceipt| assert_eq!(LogReceipt::of(&result), expected, "{result}");
        let full = LogReceipt { chunks: Some(3), bytes: Some(70_000), sha256: Some(Checksum::of("abc")) };
        check(full.to_result(), full);
        check(json!({"chunks": "3", "bytes": 7e4, "sha256": OF_ABC, "more": 1}), full);
        check(json!({"chunks": -3, "bytes": "long", "sha256": 7}), LogReceipt::default());
        check(json!({"chunks": 1e300}), LogReceipt::default());
        check(json!("done"), LogReceipt::default());
        check(Value::Null, LogReceipt::default());
    }
}
