//! A high-water mark beside the database: the minimum number of events it had, in a file of its own. A database with
//! fewer events has lost some: its log was deleted, or an older copy was restored.
//!
//! The mark is never ahead of the disk: it is written after a commit has returned, so after power loss it may be too
//! low, but never too high. It is written when the store is idle for a moment, after a number of events while it is
//! busy, and at the end.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};
use wilco_ledger::Timestamp;

use super::{
    possibly_sent,
    table::{events, meta},
};

/// Its name in the data directory.
pub const MARK_FILE_NAME: &str = "wilco.mark";
/// While there is always something to store it is written after so many events.
const AT_MOST_BEHIND: u64 = 4_096;
/// Gaps that are remembered, at most: the latest.
const REMEMBERED: usize = 20;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    /// The database's installation.
    installation: String,
    /// Events that were ever stored in it, at least. Deleting events does not lower it.
    events: u64,
    /// When the last of them happened, Unix milliseconds.
    at: Option<i64>,
}

/// Events that were stored and have gone, without having been deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// How many, at least.
    pub events: u64,
    /// When the last event before them happened, Unix milliseconds, where there is one.
    pub after: Option<i64>,
    /// When the last of them happened, Unix milliseconds.
    pub until: Option<i64>,
    /// Another database lies where they were stored.
    pub replaced: bool,
}

/// The mark of an open database.
pub(super) struct HighWaterMark {
    path: PathBuf,
    installation: String,
    /// Events stored since it was written.
    behind: u64,
}

impl HighWaterMark {
    /// Compares a newly opened database with its mark, records in it what is missing and what may have been sent
    /// therefore, and sets the mark to the database's current state. An unreadable mark is ignored.
    pub(super) fn open(dir: &Path, connection: &mut Connection) -> rusqlite::Result<HighWaterMark> {
        let path = dir.join(MARK_FILE_NAME);
        let installation = meta::installation(connection)?.unwrap_or_default();
        let mark = HighWaterMark { path, installation, behind: 0 };
        let mut now = mark.of(connection)?;
        let written = read(&mark.path);
        if let Some(gap) = written.as_ref().and_then(|written| gap(written, &now)) {
            tracing::error!(events = gap.events, "events that were stored are missing");
            let transaction = connection.transaction()?;
            let mut gaps = gaps(&transaction)?;
            gaps.push(gap);
            let first = gaps.len().saturating_sub(REMEMBERED);
            keep_gaps(&transaction, &gaps[first..])?;
            possibly_sent::mark(&transaction)?;
            transaction.commit()?;
            now = mark.of(connection)?;
        }
        if written.as_ref() != Some(&now) {
            mark.put(&now);
        }
        Ok(mark)
    }

    /// Whether a database lacks events by its mark. Writes nothing.
    pub(super) fn has_gap(dir: &Path, connection: &Connection) -> rusqlite::Result<bool> {
        let path = dir.join(MARK_FILE_NAME);
        let mark = HighWaterMark { path, installation: meta::installation(connection)?.unwrap_or_default(), behind: 0 };
        let now = mark.of(connection)?;
        Ok(read(&mark.path).is_some_and(|written| gap(&written, &now).is_some()))
    }

    /// So many more events are on the disk.
    pub(super) fn committed(&mut self, events: u64, connection: &Connection) {
        self.behind += events;
        if self.behind >= AT_MOST_BEHIND {
            self.write(connection);
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind > 0
    }

    /// Writes it as the database is. What cannot be written is written another time.
    pub(super) fn write(&mut self, connection: &Connection) {
        self.behind = 0;
        match self.of(connection) {
            Ok(now) => self.put(&now),
            Err(error) => tracing::warn!(%error, "the mark beside the database was not changed"),
        }
    }

    fn of(&self, connection: &Connection) -> rusqlite::Result<Written> {
        let at = events::newest(connection)?.map(|Timestamp(at)| at);
        Ok(Written { installation: self.installation.clone(), events: meta::events_written(connection)?, at })
    }

    fn put(&self, written: &Written) {
        let replaced = serde_json::to_vec(written).map_err(io::Error::from);
        if let Err(error) = replaced.and_then(|content| wilco_atomic_file::replace(&self.path, &content)) {
            tracing::warn!(%error, "the mark beside the database could not be written");
        }
    }
}

/// The gaps that are remembered, oldest first.
pub(super) fn gaps(connection: &Connection) -> rusqlite::Result<Vec<Gap>> {
    Ok(meta::gaps(connection)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

fn keep_gaps(transaction: &Transaction<'_>, gaps: &[Gap]) -> rusqlite::Result<()> {
    let text = serde_json::to_string(gaps).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    meta::keep_gaps(transaction, &text)
}

/// The events that a database lacks by its mark.
fn gap(written: &Written, now: &Written) -> Option<Gap> {
    if written.installation != now.installation {
        let Written { events, at: until, .. } = *written;
        return (events > 0).then_some(Gap { events, after: None, until, replaced: true });
    }
    let events = written.events.checked_sub(now.events).filter(|events| *events > 0)?;
    Some(Gap { events, after: now.at, until: written.at, replaced: false })
}

/// Reads the content of the file.
#[cfg(fuzzing)]
pub(super) fn read_bytes(content: &[u8]) {
    let _ = serde_json::from_slice::<Written>(content);
}

fn read(path: &Path) -> Option<Written> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .inspect_err(|error| tracing::warn!(%error, "the mark beside the database cannot be read"))
            .ok(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(%error, "the mark beside the database cannot be read");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gap, Written, gap};

    #[test]
    fn a_gap_is_what_a_database_has_less_than_its_mark() {
        let at = |installation: &str, events, at| Written { installation: installation.into(), events, at };
        let mark = at("one", 10, Some(500));
        assert_eq!(gap(&mark, &mark), None);
        assert_eq!(gap(&mark, &at("one", 12, Some(900))), None, "a mark may be too low");
        let missing = Gap { events: 3, after: Some(300), until: Some(500), replaced: false };
        assert_eq!(gap(&mark, &at("one", 7, Some(300))), Some(missing));
        let replaced = Gap { events: 10, after: None, until: Some(500), replaced: true };
        assert_eq!(gap(&mark, &at("two", 40, Some(900))), Some(replaced));
        assert_eq!(gap(&at("one", 0, None), &at("two", 0, None)), None, "nothing was lost");
    }
}
