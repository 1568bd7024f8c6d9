//! Assembles the chunks of a log: its progress as a sentence, and its text with its gaps.
//!
//! It keeps nothing; the store has the chunks, and the history has the command that requested them.

use wilco_dialect::{LogChunk, LogProgress, LogReceipt, json};
use wilco_ledger::{Command, CommandId, DeviceId, Timestamp};

use crate::{
    api::{LogPart, LogState, LogView},
    store::{ConnectionId, StoredLog},
};

/// A log to be shown.
pub(crate) struct Log {
    pub(crate) connection: ConnectionId,
    pub(crate) device: DeviceId,
    pub(crate) id: CommandId,
    /// The stored part, if anything has arrived.
    pub(crate) stored: Option<StoredLog>,
    pub(crate) chunks: Vec<LogChunk>,
    /// The command that requested it, if it is still in the history.
    pub(crate) command: Option<Command>,
}

impl Log {
    /// Its view; without its text if only the progress is needed. Takes time proportional to its size.
    pub(crate) fn view(&self, with_text: bool) -> LogView {
        let standing = self.standing();
        // The history may have forgotten the command, and then nothing more is waited for either.
        let ended = self.command.as_ref().is_none_or(|command| command.state.is_final());
        let (stand, sentence) = match &standing {
            LogProgress::Gathering { .. } if ended => (LogState::Gaps, standing.at_end()),
            LogProgress::Gathering { .. } => (LogState::Coming, standing.to_string()),
            LogProgress::Unchecked { .. } if !ended => (LogState::Coming, standing.to_string()),
            LogProgress::Unchecked { .. } => (LogState::Unchecked, standing.to_string()),
            LogProgress::Complete { .. } => (LogState::Whole, standing.to_string()),
            LogProgress::Wrong { .. } => (LogState::Wrong, standing.to_string()),
        };
        let of = self.of();
        let asked_at = self.command.as_ref().map(|command| command.submitted_at);
        let begun_at = self.stored.as_ref().map(|stored| stored.begun_at);
        LogView {
            connection: self.connection.as_str().to_owned(),
            device: self.device.as_str().to_owned(),
            id: self.id.as_str().to_owned(),
            asked_at: asked_at.or(begun_at).unwrap_or(Timestamp(0)).0,
            standing: stand,
            sentence,
            have: u32::try_from(self.chunks.len()).unwrap_or(u32::MAX),
            of,
            bytes: self.chunks.iter().map(|chunk| chunk.text.len() as u64).sum(),
            parts: if with_text { parts(&self.chunks, of) } else { Vec::new() },
        }
    }

    fn standing(&self) -> LogProgress {
        if let Some(why) = self.stored.as_ref().and_then(|stored| stored.wrong.clone()) {
            return LogProgress::Wrong { why };
        }
        LogProgress::of(&self.chunks, self.receipt().as_ref())
    }

    /// The announced properties, from the result of its command.
    fn receipt(&self) -> Option<LogReceipt> {
        let result = self.command.as_ref()?.result.as_deref()?;
        Some(LogReceipt::of(&json::approximate(result)))
    }

    fn of(&self) -> Option<u32> {
        self.chunks.iter().find_map(|chunk| chunk.of).or_else(|| self.receipt()?.chunks)
    }
}

/// The text for a file: each gap is a separate line.
#[must_use]
pub fn plain(parts: &[LogPart]) -> String {
    let mut text = String::new();
    for part in parts {
        match &part.text {
            Some(piece) => text.push_str(piece),
            None => {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                let which = match part.last - part.first {
                    0 => format!("chunk {}", part.first),
                    _ => format!("chunks {}–{}", part.first, part.last),
                };
                text.push_str(&format!("[{which} missing]\n"));
            }
        }
    }
    text
}

/// Joins adjacent chunks. Without the total number, missing chunks at the end are unknown.
fn parts(chunks: &[LogChunk], of: Option<u32>) -> Vec<LogPart> {
    let mut parts: Vec<LogPart> = Vec::new();
    let mut next = 1;
    for chunk in chunks {
        if chunk.number > next {
            parts.push(LogPart { first: next, last: chunk.number - 1, text: None });
        }
        match parts.last_mut() {
            Some(LogPart { last, text: Some(text), .. }) => {
                *last = chunk.number;
                text.push_str(&chunk.text);
            }
            _ => {
                parts.push(LogPart { first: chunk.number, last: chunk.number, text: Some(chunk.text.clone()) });
            }
        }
        next = chunk.number.saturating_add(1);
    }
    if let Some(last) = of.filter(|of| *of >= next) {
        parts.push(LogPart { first: next, last, text: None });
    }
    parts
}

#[cfg(test)]
mod tests {
    use wilco_dialect::LogChunk;
    use wilco_ledger::{CommandId, DeviceId, Timestamp};

    use super::{Log, plain};
    use crate::{
        api::{LogPart, LogState},
        store::StoredLog,
    };

    /// A log with these chunks, after the command has been deleted.
    fn log(pieces: &[(u32, &str)], of: Option<u32>, wrong: Option<&str>) -> Log {
        let id = CommandId::new("7").expect("an id");
        let chunk = |(number, text): &(u32, &str)| LogChunk {
            id: id.clone(),
            number: *number,
            of,
            offset: None,
            text: (*text).to_owned(),
            sha256: None,
        };
        Log {
            connection: "bench".into(),
            device: DeviceId::new("lamp").expect("a device"),
            stored: Some(StoredLog { command: id.clone(), begun_at: Timestamp(5), wrong: wrong.map(str::to_owned) }),
            chunks: pieces.iter().map(chunk).collect(),
            command: None,
            id,
        }
    }

    #[test]
    fn gaps_are_named_and_shown_where_they_are() {
        let check = |pieces: &[(u32, &str)], of: Option<u32>, sentence: &str, text: &str| {
            let view = log(pieces, of, None).view(true);
            assert_eq!((view.standing, view.sentence.as_str()), (LogState::Gaps, sentence));
            assert_eq!(plain(&view.parts), text);
            assert_eq!((view.asked_at, view.have as usize, view.of), (5, pieces.len(), of));
        };
        check(&[(1, "a\n"), (3, "c\n")], Some(3), "Chunk 2 of 3 was not received.", "a\n[chunk 2 missing]\nc\n");
        let text = "[chunk 1 missing]\nb\n[chunks 3–5 missing]\n";
        check(&[(2, "b")], Some(5), "Chunks 1 and 3–5 of 5 were not received.", text);
        check(&[], None, "Nothing was received.", "");
    }

    #[test]
    fn neighbours_are_one_part() {
        let view = log(&[(1, "a"), (2, "b")], Some(2), None).view(true);
        assert_eq!(view.parts, [LogPart { first: 1, last: 2, text: Some("ab".into()) }]);
        assert_eq!((view.standing, view.bytes), (LogState::Unchecked, 2));
        assert!(log(&[(1, "a")], Some(1), None).view(false).parts.is_empty());
    }

    #[test]
    fn a_wrong_log_stays_wrong_and_is_still_shown() {
        let view = log(&[(1, "a")], Some(1), Some("The log is too long. Fetch fewer lines.")).view(true);
        assert_eq!(view.standing, LogState::Wrong);
        assert_eq!(view.sentence, "The log is too long. Fetch fewer lines.");
        assert_eq!(plain(&view.parts), "a");
    }
}
