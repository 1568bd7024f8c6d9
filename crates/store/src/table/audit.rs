//! `audit`: the entries, the last entry that the retention has deleted, and the seals.

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};
use wilco_ledger::Timestamp;

use super::{Columns, meta};
use crate::{
    AuditCheckpoint, AuditFilter, AuditHead, ConnectionId, NewAuditEntry, StoredAudit, StoredAuditEntry, StoredSeal,
    audit_genesis, sql_enum::SqlEnum,
};

pub(super) const CREATE: &str = "
    CREATE TABLE audit (
        number          INTEGER PRIMARY KEY, -- from 1, without a gap
        at              INTEGER NOT NULL,    -- Unix milliseconds
        kind            TEXT NOT NULL,
        operator        TEXT,
        os_user         TEXT NOT NULL,
        machine         TEXT NOT NULL,
        connection      TEXT,
        connection_name TEXT,
        what            TEXT NOT NULL,
        details         TEXT NOT NULL,       -- a JSON object
        note            TEXT,
        previous        BLOB NOT NULL,       -- the hash of the entry before
        hash            BLOB NOT NULL        -- SHA-256 of all of the above
    ) STRICT;
    CREATE TABLE audit_checkpoint (
        one    INTEGER PRIMARY KEY CHECK (one = 1),
        number INTEGER NOT NULL,             -- of the last entry that was deleted
        hash   BLOB NOT NULL
    ) STRICT;
    CREATE TABLE audit_seals (
        number     INTEGER PRIMARY KEY,      -- of the entry
        hash       BLOB NOT NULL,
        at         INTEGER NOT NULL,         -- Unix milliseconds
        public_key BLOB NOT NULL,
        signature  BLOB NOT NULL
    ) STRICT;";

const COLUMNS: &str = "number, at, kind, operator, os_user, machine, connection, connection_name, what, details, note, \
                       previous, hash";

/// The number of kept seals: they only narrow down from which entry on a chain was recalculated.
const SEALS: u32 = 1_000;

/// Adds an entry after the newest one.
pub(crate) fn append(connection: &Connection, entry: &NewAuditEntry) -> rusqlite::Result<()> {
    let AuditHead { number, hash: previous } = head(connection)?;
    let number = number + 1;
    let hash = entry.hash(number, &previous);
    let (id, name) = entry.connection.as_ref().map(|(id, name)| (id.as_str(), name.as_str())).unzip();
    connection
        .prepare_cached(&format!(
            "INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        ))?
        .execute(params![
            number,
            entry.at.0,
            entry.kind.word(),
            entry.operator,
            entry.os_user,
            entry.machine,
            id,
            name,
            entry.what,
            entry.details,
            entry.note,
            previous,
            hash
        ])?;
    Ok(())
}

/// The newest entry; the checkpoint where there is none.
pub(crate) fn head(connection: &Connection) -> rusqlite::Result<AuditHead> {
    let newest = connection
        .prepare_cached("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")?
        .query_row([], read_head)
        .optional()?;
    newest.map_or_else(|| checkpoint(connection), Ok)
}

/// The last entry that was deleted; where the chain begins if none was.
fn checkpoint(connection: &Connection) -> rusqlite::Result<AuditCheckpoint> {
    let kept =
        connection.prepare_cached("SELECT number, hash FROM audit_checkpoint")?.query_row([], read_head).optional()?;
    match kept {
        Some(kept) => Ok(kept),
        None => Ok(audit_genesis(&meta::installation(connection)?.unwrap_or_default())),
    }
}

/// Everything but the entries.
pub(crate) fn stored(connection: &Connection) -> rusqlite::Result<StoredAudit> {
    let seals = connection
        .prepare_cached("SELECT number, hash, at, public_key, signature FROM audit_seals ORDER BY number")?
        .query_map([], |row| {
            Ok(StoredSeal {
                head: read_head(row)?,
                at: Timestamp(row.get(2)?),
                public_key: row.get(3)?,
                signature: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(StoredAudit { checkpoint: checkpoint(connection)?, seals })
}

/// Hands over each entry after that number, the oldest first; only its number where it cannot be read.
pub(crate) fn each_after(
    connection: &Connection,
    after: u32,
    mut take: impl FnMut(u32, Option<StoredAuditEntry>),
) -> rusqlite::Result<()> {
    let query = format!("SELECT {COLUMNS} FROM audit WHERE number > ?1 ORDER BY number");
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query([after])?;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        take(u32::try_from(number).unwrap_or(u32::MAX), read(row).ok());
    }
    Ok(())
}

/// Some entries, newest first.
pub(crate) fn page(connection: &Connection, filter: &AuditFilter) -> rusqlite::Result<Vec<StoredAuditEntry>> {
    let mut conditions = vec!["number < ?1".to_owned()];
    let mut values = vec![Value::from(filter.before.map_or(i64::MAX, i64::from))];
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("?{}", values.len())));
    };
    if let Some(since) = filter.since {
        add("at >= ?", since.0.into());
    }
    if let Some(until) = filter.until {
        add("at < ?", until.0.into());
    }
    if !filter.kinds.is_empty() {
        let words: Vec<_> = filter.kinds.iter().map(|kind| format!("'{}'", kind.word())).collect();
        conditions.push(format!("kind IN ({})", words.join(", ")));
    }
    values.push(filter.limit.into());
    let query = format!(
        "SELECT {COLUMNS} FROM audit WHERE {} ORDER BY number DESC LIMIT ?{}",
        conditions.join(" AND "),
        values.len()
    );
    connection.prepare_cached(&query)?.query_map(params_from_iter(values), read)?.collect()
}

/// Keeps a seal.
pub(crate) fn keep_seal(connection: &Connection, seal: &StoredSeal) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO audit_seals (number, hash, at, public_key, signature) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![seal.head.number, seal.head.hash, seal.at.0, seal.public_key, seal.signature])?;
    connection
        .prepare_cached(
            "DELETE FROM audit_seals
             WHERE number <= (SELECT number FROM audit_seals ORDER BY number DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([SEALS])?;
    Ok(())
}

/// Deletes the entries before that time but the newest of all, with their seals. Says which was the last of them, and how
/// many they were; nothing where there is none.
pub(crate) fn forget(connection: &Connection, before: Timestamp) -> rusqlite::Result<Option<(AuditCheckpoint, u32)>> {
    // Only what is older without a newer one before it: the computer's clock may have been wrong.
    let last = connection
        .prepare_cached(
            "SELECT number, hash FROM audit
             WHERE number < coalesce((SELECT min(number) FROM audit WHERE at >= ?1), (SELECT max(number) FROM audit))
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row([before.0], read_head)
        .optional()?;
    let Some(last) = last else { return Ok(None) };
    let count = connection.prepare_cached("DELETE FROM audit WHERE number <= ?1")?.execute([last.number])?;
    connection.prepare_cached("DELETE FROM audit_seals WHERE number <= ?1")?.execute([last.number])?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO audit_checkpoint (one, number, hash) VALUES (1, ?1, ?2)")?
        .execute(params![last.number, last.hash])?;
    Ok(Some((last, u32::try_from(count).unwrap_or(u32::MAX))))
}

fn read_head(row: &Row<'_>) -> rusqlite::Result<AuditHead> {
    // No entry has this hash, so that what cannot be read matches none.
    let hash: Vec<u8> = row.get(1)?;
    Ok(AuditHead { number: row.get(0)?, hash: hash.try_into().unwrap_or_default() })
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredAuditEntry> {
    let mut columns = Columns::from(row, 0);
    let number = columns.get()?;
    let at = Timestamp(columns.get()?);
    let kind = columns.word()?;
    let (operator, os_user, machine) = (columns.get()?, columns.get()?, columns.get()?);
    let connection = match (columns.get::<Option<String>>()?, columns.get()?) {
        (Some(id), Some(name)) => Some((ConnectionId::from(id), name)),
        (None, None) => None,
        _ => return Err(super::senseless(6, "a connection has an id and a name")),
    };
    let (what, details, note) = (columns.get()?, columns.get()?, columns.get()?);
    let entry = NewAuditEntry { at, kind, operator, os_user, machine, connection, what, details, note };
    Ok(StoredAuditEntry { number, entry, previous: columns.get()?, hash: columns.get()? })
}
