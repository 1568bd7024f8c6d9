//! Puts logs together again, whatever the network did to their pieces.
//!
//! It never guesses: two pieces that contradict each other make the log wrong, and what nobody promised is not called
//! complete. Its memory is bounded, whatever devices send.

use std::collections::BTreeMap;

use wilco_ledger::{CommandId, DeviceId};

use super::{Checksum, LogChunk, LogReceipt, LogStanding, MOST_CHUNKS};

/// How many logs are put together at the same time.
const MOST_LOGS: usize = 32;
/// The longest log in bytes.
const LONGEST: usize = 8 * 1024 * 1024;
/// How much of all logs is held, in bytes.
const HELD: usize = 32 * 1024 * 1024;
/// What to do about a log that was spoilt on its way.
const AGAIN: &str = "Ask for the log again.";
/// What to do about a log that would be too long again.
const FEWER: &str = "Ask for fewer lines.";

/// Logs of which pieces have come.
///
/// At most 32 logs and 32 MiB are held. What goes beyond that takes the place of the log that was longest without news:
/// it is forgotten, and should more of it come, its earlier pieces are missing.
#[derive(Debug, Default)]
pub struct LogAssembly {
    /// Those without news come first.
    logs: Vec<Gathered>,
}

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogNews {
    /// It was missing.
    New,
    /// It had come before.
    Doubled,
    /// It made its log wrong: [`LogAssembly::standing`] says why.
    Ruinous,
    /// Its log was wrong already.
    Useless,
}

#[derive(Debug)]
struct Gathered {
    device: DeviceId,
    id: CommandId,
    pieces: BTreeMap<u32, Piece>,
    of: Option<u32>,
    sha256: Option<Checksum>,
    /// As the device said it.
    promised_bytes: Option<u64>,
    /// The bytes of all pieces.
    held: usize,
    wrong: Option<String>,
}

#[derive(Debug)]
struct Piece {
    offset: Option<u64>,
    text: Box<str>,
}

impl LogAssembly {
    /// Takes in a piece.
    pub fn add(&mut self, device: &DeviceId, chunk: LogChunk) -> LogNews {
        let log = self.touch(device, &chunk.id);
        let news = log.add(chunk);
        self.make_room();
        news
    }

    /// Takes in what the device answers to the command that asked, before or after the pieces.
    pub fn promise(&mut self, device: &DeviceId, id: &CommandId, receipt: &LogReceipt) {
        self.touch(device, id).promise(receipt);
        self.make_room();
    }

    /// How far a log has come; `None` if nothing of it is held. Once all pieces are there this goes through them.
    #[must_use]
    pub fn standing(&self, device: &DeviceId, id: &CommandId) -> Option<LogStanding> {
        self.logs.iter().find(|log| log.is(device, id)).map(Gathered::standing)
    }

    /// Whether anything of a log is held.
    #[must_use]
    pub fn holds(&self, device: &DeviceId, id: &CommandId) -> bool {
        self.logs.iter().any(|log| log.is(device, id))
    }

    /// Forgets a log.
    pub fn forget(&mut self, device: &DeviceId, id: &CommandId) {
        self.logs.retain(|log| !log.is(device, id));
    }

    /// How many bytes of logs are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.logs.iter().map(|log| log.held).sum()
    }

    /// The log, now the last in the order of news.
    fn touch(&mut self, device: &DeviceId, id: &CommandId) -> &mut Gathered {
        let log = match self.logs.iter().position(|log| log.is(device, id)) {
            Some(known) => self.logs.remove(known),
            None => Gathered::new(device, id),
        };
        self.logs.push(log);
        let last = self.logs.len() - 1;
        &mut self.logs[last]
    }

    /// One log alone always fits.
    fn make_room(&mut self) {
        while self.logs.len() > MOST_LOGS || (self.logs.len() > 1 && self.held() > HELD) {
            self.logs.remove(0);
        }
    }
}

impl Gathered {
    fn new(device: &DeviceId, id: &CommandId) -> Gathered {
        Gathered {
            device: device.clone(),
            id: id.clone(),
            pieces: BTreeMap::new(),
            of: None,
            sha256: None,
            promised_bytes: None,
            held: 0,
            wrong: None,
        }
    }

    fn is(&self, device: &DeviceId, id: &CommandId) -> bool {
        self.id == *id && self.device == *device
    }

    fn add(&mut self, chunk: LogChunk) -> LogNews {
        if self.wrong.is_some() {
            return LogNews::Useless;
        }
        let LogChunk { number, of, offset, text, sha256, .. } = chunk;
        let known = self.pieces.get(&number);
        let doubled = known.is_some();
        let problem = match known {
            Some(known) if *known.text != *text || known.offset != offset => {
                Some(format!("Chunk {number} came twice, and not the same. {AGAIN}"))
            }
            None if self.held + text.len() > LONGEST => {
                Some(format!("The log is too long: at most {LONGEST} bytes are put together. {FEWER}"))
            }
            _ => None,
        };
        if !doubled {
            self.held += text.len();
            self.pieces.insert(number, Piece { offset, text: text.into() });
        }
        match problem.or_else(|| self.learn(of, sha256)) {
            Some(why) => {
                self.give_up(why);
                LogNews::Ruinous
            }
            None if doubled => LogNews::Doubled,
            None => LogNews::New,
        }
    }

    fn promise(&mut self, receipt: &LogReceipt) {
        if self.wrong.is_some() {
            return;
        }
        self.promised_bytes = receipt.bytes.or(self.promised_bytes);
        let too_long = self.promised_bytes.filter(|bytes| *bytes > LONGEST as u64);
        let problem =
            too_long.map(|bytes| format!("The log has {bytes} bytes, and at most {LONGEST} are put together. {FEWER}"));
        if let Some(why) = problem.or_else(|| self.learn(receipt.chunks, receipt.sha256)) {
            self.give_up(why);
        }
    }

    /// Takes in what is said of the whole; says what contradicts it.
    fn learn(&mut self, of: Option<u32>, sha256: Option<Checksum>) -> Option<String> {
        if let (Some(before), Some(now)) = (self.of, of)
            && before != now
        {
            return Some(format!("The device spoke of {before} chunks first, and of {now} later. {AGAIN}"));
        }
        if let (Some(before), Some(now)) = (self.sha256, sha256)
            && before != now
        {
            return Some(format!("The device gave two different checksums for one log. {AGAIN}"));
        }
        self.of = self.of.or(of);
        self.sha256 = self.sha256.or(sha256);
        let highest = self.pieces.last_key_value().map_or(0, |(number, _)| *number);
        let most = self.of.unwrap_or(highest);
        if most.max(highest) > MOST_CHUNKS {
            return Some(format!("The log has too many chunks: at most {MOST_CHUNKS} are put together. {FEWER}"));
        }
        (highest > most).then(|| format!("Chunk {highest} came of a log that has {most}. {AGAIN}"))
    }

    fn give_up(&mut self, why: String) {
        self.pieces.clear();
        self.held = 0;
        self.wrong = Some(why);
    }

    fn standing(&self) -> LogStanding {
        if let Some(why) = &self.wrong {
            return LogStanding::Wrong { why: why.clone() };
        }
        let highest = self.pieces.last_key_value().map_or(0, |(number, _)| *number);
        let missing: Vec<u32> =
            (1..=self.of.unwrap_or(highest)).filter(|number| !self.pieces.contains_key(number)).collect();
        let Some(chunks) = self.of.filter(|_| missing.is_empty()) else {
            let have = u32::try_from(self.pieces.len()).unwrap_or(u32::MAX);
            return LogStanding::Gathering { have, of: self.of, missing };
        };
        if let Some(why) = self.misfit() {
            return LogStanding::Wrong { why };
        }
        let text: String = self.pieces.values().map(|piece| &*piece.text).collect();
        match self.sha256 {
            None => LogStanding::Unchecked { text, chunks },
            Some(sha256) if Checksum::of(&text) == sha256 => LogStanding::Complete { text, chunks, sha256 },
            Some(_) => LogStanding::Wrong {
                why: format!(
                    "All chunks have come, but the checksum is wrong: this is not the log that the device has. {AGAIN}"
                ),
            },
        }
    }

    /// How the pieces do not fit together, once all are there.
    fn misfit(&self) -> Option<String> {
        let mut before = 0_u64;
        for (number, piece) in &self.pieces {
            if let Some(offset) = piece.offset.filter(|offset| *offset != before) {
                return Some(format!(
                    "Chunk {number} is said to begin at byte {offset}, but {before} come before it. {AGAIN}"
                ));
            }
            before += piece.text.len() as u64;
        }
        let promised = self.promised_bytes.filter(|promised| *promised != before)?;
        Some(format!("All chunks have come, but they have {before} bytes, and the device spoke of {promised}. {AGAIN}"))
    }
}
