//! The progress of a log, and a sentence about it.

use std::fmt;

use super::{Checksum, LogChunk, LogReceipt, gathered::Gathered};

/// How many gaps are named in a sentence.
const NAMED: usize = 8;

/// The state of a log's transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogProgress {
    /// Chunks are missing.
    Gathering {
        /// How many pieces are there.
        have: u32,
        /// Of how many, as soon as it is known.
        of: Option<u32>,
        /// The numbers of those that are missing, in order; without [`LogProgress::Gathering::of`], of those that
        /// are missing so far.
        missing: Vec<u32>,
    },
    /// Every chunk was received, but no checksum yet.
    Unchecked {
        /// The log, which may not be what the device has.
        text: String,
        /// In how many pieces it came.
        chunks: u32,
    },
    /// Complete, and the checksum matches.
    Complete {
        /// The log.
        text: String,
        /// In how many pieces it came.
        chunks: u32,
        /// Its SHA-256, as the device reported it.
        sha256: Checksum,
    },
    /// The log is inconsistent, and will never be complete.
    Wrong {
        /// Why, as a sentence, and what to do about it in another.
        why: String,
    },
}

impl LogProgress {
    /// The state of a log with these chunks, in any order and possibly duplicated, and with this receipt in the
    /// device's answer. When all chunks are there, this hashes their text.
    #[must_use]
    pub fn of(chunks: &[LogChunk], promise: Option<&LogReceipt>) -> LogProgress {
        let mut log = Gathered::default();
        for chunk in chunks {
            log.add(chunk);
        }
        if let Some(receipt) = promise {
            log.promise(receipt);
        }
        log.standing(chunks)
    }

    /// The state once no more chunks are expected, with the missing ones.
    #[must_use]
    pub fn at_end(&self) -> String {
        match self {
            LogProgress::Gathering { have: 0, of: Some(of), .. } => format!("None of its {of} chunks was received."),
            LogProgress::Gathering { of: Some(of), missing, .. } => match missing.as_slice() {
                [only] => format!("Chunk {only} of {of} was not received."),
                _ => format!("Chunks {} of {of} were not received.", enumerated(missing)),
            },
            LogProgress::Gathering { have: 0, of: None, .. } => "Nothing was received.".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for LogProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogProgress::Gathering { have, of: Some(of), missing } => {
                write!(f, "Received {have} of {of} chunks; missing: {}.", Numbers(missing))
            }
            LogProgress::Gathering { have, of: None, missing } => {
                let unit = if *have == 1 { "chunk" } else { "chunks" };
                write!(f, "Received {have} {unit} of an unknown number")?;
                if missing.is_empty() { f.write_str(".") } else { write!(f, "; missing so far: {}.", Numbers(missing)) }
            }
            LogProgress::Unchecked { chunks, .. } => {
                write!(
                    f,
                    "Received all chunks ({chunks}), but the device sent no checksum, so the log is not verified."
                )
            }
            LogProgress::Complete { text, chunks, .. } => {
                let unit = if *chunks == 1 { "chunk" } else { "chunks" };
                write!(f, "Complete: {} in {chunks} {unit}, checksum verified.", size(text.len()))
            }
            LogProgress::Wrong { why } => f.write_str(why),
        }
    }
}

/// A number of bytes as people write it: `1 byte`, `512 bytes`, `10.5 kB`, `2.1 MB`.
fn size(bytes: usize) -> String {
    let tenths = |unit: usize| (bytes.saturating_mul(10).saturating_add(unit / 2)) / unit;
    match bytes {
        1 => "1 byte".to_owned(),
        0..=999 => format!("{bytes} bytes"),
        1_000..=999_949 => format!("{}.{} kB", tenths(1_000) / 10, tenths(1_000) % 10),
        _ => format!("{}.{} MB", tenths(1_000_000) / 10, tenths(1_000_000) % 10),
    }
}

/// Numbers in order, neighbours together: `2, 4–6`.
struct Numbers<'a>(&'a [u32]);

impl fmt::Display for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs = self.0.chunk_by(|before, after| before.checked_add(1) == Some(*after));
        for (index, run) in runs.by_ref().take(NAMED).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match run {
                [first, .., last] => write!(f, "{comma}{first}–{last}")?,
                [only] => write!(f, "{comma}{only}")?,
                [] => {}
            }
        }
        match runs.map(<[u32]>::len).sum() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The same within a sentence: `2, 4–6 and 9`.
fn enumerated(missing: &[u32]) -> String {
    let listed = Numbers(missing).to_string();
    match listed.rsplit_once(", ") {
        Some((others, last)) if !listed.ends_with("more") => format!("{others} and {last}"),
        _ => listed,
    }
}

#[cfg(test)]
mod tests {
    use super::LogProgress;

    #[test]
    fn missing_chunks_are_listed_by_number() {
        let check = |have: u32, of: Option<u32>, missing: &[u32], expected: &str| {
            let standing = LogProgress::Gathering { have, of, missing: missing.to_vec() };
            assert_eq!(standing.to_string(), expected);
        };
        check(1, Some(2), &[2], "Received 1 of 2 chunks; missing: 2.");
        check(5, Some(9), &[2, 4, 5, 6], "Received 5 of 9 chunks; missing: 2, 4–6.");
        check(2, None, &[], "Received 2 chunks of an unknown number.");
        check(2, None, &[1, 3], "Received 2 chunks of an unknown number; missing so far: 1, 3.");
        let every_second: Vec<u32> = (1..=20).map(|n| n * 2).collect();
        let named = "Received 20 of 40 chunks; missing: 2, 4, 6, 8, 10, 12, 14, 16 and 12 more.";
        check(20, Some(40), &every_second, named);
    }

    #[test]
    fn missing_chunks_are_listed_at_the_end() {
        let check = |have: u32, of: Option<u32>, missing: &[u32], expected: &str| {
            let standing = LogProgress::Gathering { have, of, missing: missing.to_vec() };
            assert_eq!(standing.at_end(), expected);
        };
        check(11, Some(12), &[3], "Chunk 3 of 12 was not received.");
        check(10, Some(12), &[3, 7], "Chunks 3 and 7 of 12 were not received.");
        check(8, Some(12), &[3, 4, 5, 7], "Chunks 3–5 and 7 of 12 were not received.");
        check(7, Some(12), &[1, 3, 4, 5, 7], "Chunks 1, 3–5 and 7 of 12 were not received.");
        let every_second: Vec<u32> = (1..=20).map(|n| n * 2).collect();
        check(20, Some(40), &every_second, "Chunks 2, 4, 6, 8, 10, 12, 14, 16 and 12 more of 40 were not received.");
        check(0, Some(12), &[], "None of its 12 chunks was received.");
        check(0, None, &[], "Nothing was received.");
        check(2, None, &[], "Received 2 chunks of an unknown number.");
    }
}
