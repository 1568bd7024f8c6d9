//! Tracks which chunks of logs were received, and whether each new one fits those before, without keeping their text.
//!
//! Its memory is bounded, whatever devices send.

use std::collections::HashMap;

use wilco_ledger::{CommandId, DeviceId};

use super::{LogChunk, gathered::Gathered};

/// How many logs are remembered.
const MOST_LOGS: usize = 10_000;
/// How many pieces of all logs are remembered. One takes some 50 bytes.
const MOST_PIECES: usize = 500_000;

/// The received chunks of logs, each by its position, length and hash.
///
/// At most 10,000 logs and 500,000 pieces are remembered. What goes beyond that takes the place of the log that was
/// longest without news: it is forgotten, and should more of it come, it is a new one.
#[derive(Debug, Default)]
pub struct LogPieces {
    logs: HashMap<(DeviceId, CommandId), Remembered>,
    /// Counts up with each piece.
    news: u64,
    /// The pieces of all logs.
    pieces: usize,
}

/// The result of adding a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkResult {
    /// The chunk is new.
    New,
    /// The chunk is a duplicate.
    Doubled,
    /// The chunk contradicts the log: the problem and the hint, as sentences.
    Ruinous(String),
    /// The log was already inconsistent.
    Useless,
}

#[derive(Debug, Default)]
struct Remembered {
    log: Gathered,
    last_news: u64,
}

impl LogPieces {
    /// Records a chunk.
    pub fn add(&mut self, device: &DeviceId, chunk: &LogChunk) -> ChunkResult {
        self.change(device, &chunk.id, |log| log.add(chunk))
    }

    /// Records that a log was inconsistent earlier, so that further chunks are ignored.
    pub fn give_up(&mut self, device: &DeviceId, id: &CommandId, why: String) {
        self.change(device, id, |log| log.give_up(why));
    }

    /// Whether any chunk of a log is recorded.
    #[must_use]
    pub fn knows(&self, device: &DeviceId, id: &CommandId) -> bool {
        self.logs.contains_key(&(device.clone(), id.clone()))
    }

    fn change<T>(&mut self, device: &DeviceId, id: &CommandId, change: impl FnOnce(&mut Gathered) -> T) -> T {
        self.news += 1;
        let known = self.logs.entry((device.clone(), id.clone())).or_default();
        known.last_news = self.news;
        self.pieces -= known.log.pieces();
        let changed = change(&mut known.log);
        self.pieces += known.log.pieces();
        self.make_room();
        changed
    }

    /// A single log always fits.
    fn make_room(&mut self) {
        while self.logs.len() > MOST_LOGS || self.pieces > MOST_PIECES {
            let oldest = self.logs.iter().min_by_key(|(_, known)| known.last_news).map(|(key, _)| key.clone());
            let Some(known) = oldest.and_then(|key| self.logs.remove(&key)) else { return };
            self.pieces -= known.log.pieces();
        }
    }
}
