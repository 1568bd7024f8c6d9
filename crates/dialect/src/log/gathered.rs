//! The received chunks of a log without their text, tolerating duplicates and any order.
//!
//! It never guesses: two chunks that contradict each other make the log wrong.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use wilco_ledger::grouped;

use super::{Checksum, ChunkResult, LogChunk, LogProgress, LogReceipt, MOST_CHUNKS};

/// The longest log in bytes.
const LONGEST: usize = 8 * 1024 * 1024;
/// The hint about a log that was damaged in transit.
const AGAIN: &str = "Fetch the log again.";
/// The hint about a log that is too long.
const FEWER: &str = "Fetch fewer lines.";

/// The received part of a log.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pieces: BTreeMap<u32, Piece>,
    of: Option<u32>,
    sha256: Option<Checksum>,
    /// As the device reported it.
    promised_bytes: Option<u64>,
    /// Those of all pieces.
    bytes: usize,
    wrong: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    offset: Option<u64>,
    bytes: usize,
    /// Tells one text from another of the same length. Should it ever fail to, the log's checksum does not.
    hash: u64,
}

impl Gathered {
    pub(super) fn add(&mut self, chunk: &LogChunk) -> ChunkResult {
        if self.wrong.is_some() {
            return ChunkResult::Useless;
        }
        let LogChunk { number, of, sha256, .. } = *chunk;
        let piece = Piece::of(chunk);
        let known = self.pieces.get(&number).copied();
        let problem = match known {
            Some(known) if known != piece => {
                Some(format!("Received two different versions of chunk {number}. {AGAIN}"))
            }
            None if self.bytes + piece.bytes > LONGEST => {
                Some(format!("The log is too long: the limit is {} bytes. {FEWER}", grouped(LONGEST)))
            }
            _ => None,
        };
        if known.is_none() {
            self.bytes += piece.bytes;
            self.pieces.insert(number, piece);
        }
        match problem.or_else(|| self.learn(of, sha256)) {
            Some(why) => {
                self.give_up(why.clone());
                ChunkResult::Ruinous(why)
            }
            None if known.is_some() => ChunkResult::Doubled,
            None => ChunkResult::New,
        }
    }

    /// Adds the device's answer to the requesting command, before or after the chunks.
    pub(super) fn promise(&mut self, receipt: &LogReceipt) {
        if self.wrong.is_some() {
            return;
        }
        self.promised_bytes = receipt.bytes.or(self.promised_bytes);
        let too_long = self.promised_bytes.filter(|bytes| *bytes > LONGEST as u64);
        let problem = too_long
            .map(|bytes| format!("The log has {} bytes; the limit is {}. {FEWER}", grouped(bytes), grouped(LONGEST)));
        if let Some(why) = problem.or_else(|| self.learn(receipt.chunks, receipt.sha256)) {
            self.give_up(why);
        }
    }

    /// It can no longer become complete, and its chunks are useless.
    pub(super) fn give_up(&mut self, why: String) {
        self.pieces.clear();
        self.bytes = 0;
        self.wrong = Some(why);
    }

    /// How many pieces have come; none of a log that is wrong.
    pub(super) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Adds a fact about the whole log; returns any contradiction.
    fn learn(&mut self, of: Option<u32>, sha256: Option<Checksum>) -> Option<String> {
        if let (Some(before), Some(now)) = (self.of, of)
            && before != now
        {
            return Some(format!("The device first announced {before} chunks, then {now}. {AGAIN}"));
        }
        if let (Some(before), Some(now)) = (self.sha256, sha256)
            && before != now
        {
            return Some(format!("The device sent two different checksums for one log. {AGAIN}"));
        }
        self.of = self.of.or(of);
        self.sha256 = self.sha256.or(sha256);
        let highest = self.highest();
        let most = self.of.unwrap_or(highest);
        if most.max(highest) > MOST_CHUNKS {
            return Some(format!("The log has too many chunks: the limit is {}. {FEWER}", grouped(MOST_CHUNKS)));
        }
        (highest > most).then(|| format!("Received chunk {highest} of a log with {most} chunks. {AGAIN}"))
    }

    /// How far it has come; once all pieces are there, by the text of these.
    pub(super) fn standing(&self, chunks: &[LogChunk]) -> LogProgress {
        if let Some(why) = &self.wrong {
            return LogProgress::Wrong { why: why.clone() };
        }
        let of = self.of.unwrap_or_else(|| self.highest());
        let missing: Vec<u32> = (1..=of).filter(|number| !self.pieces.contains_key(number)).collect();
        let Some(of) = self.of.filter(|_| missing.is_empty()) else {
            let have = u32::try_from(self.pieces.len()).unwrap_or(u32::MAX);
            return LogProgress::Gathering { have, of: self.of, missing };
        };
        if let Some(why) = self.misfit() {
            return LogProgress::Wrong { why };
        }
        let texts: BTreeMap<u32, &str> = chunks.iter().map(|chunk| (chunk.number, chunk.text.as_str())).collect();
        let text: String = texts.into_values().collect();
        match self.sha256 {
            None => LogProgress::Unchecked { text, chunks: of },
            Some(sha256) if Checksum::of(&text) == sha256 => LogProgress::Complete { text, chunks: of, sha256 },
            Some(_) => LogProgress::Wrong {
                why: format!(
                    "Received all chunks, but the checksum does not match, so this is not the log on the device. \
                     {AGAIN}"
                ),
            },
        }
    }

    /// The contradiction between the chunks, once all have been received.
    fn misfit(&self) -> Option<String> {
        let mut before = 0_u64;
        for (number, piece) in &self.pieces {
            if let Some(offset) = piece.offset.filter(|offset| *offset != before) {
                return Some(format!(
                    "Chunk {number} claims to begin at byte {offset}, but the chunks before it contain {before} \
                     bytes. {AGAIN}"
                ));
            }
            before += piece.bytes as u64;
        }
        let promised = self.promised_bytes.filter(|promised| *promised != before)?;
        Some(format!("Received all chunks, but they have {before} bytes and the device announced {promised}. {AGAIN}"))
    }

    fn highest(&self) -> u32 {
        self.pieces.last_key_value().map_or(0, |(number, _)| *number)
    }
}

impl Piece {
    fn of(chunk: &LogChunk) -> Piece {
        let mut hash = DefaultHasher::new();
        chunk.text.hash(&mut hash);
        Piece { offset: chunk.offset, bytes: chunk.text.len(), hash: hash.finish() }
    }
}
