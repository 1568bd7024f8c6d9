//! `telemetry` and `telemetry_sources`: what devices have measured, in blocks of a few seconds.

use rusqlite::{Connection, OptionalExtension, params};
use wilco_ledger::{DeviceId, Timestamp};

use super::senseless;
use crate::store::{
    ConnectionId,
    samples::{self, Block, LONGEST_BLOCK, Measured},
};

pub(super) const CREATE: &str = "
    CREATE TABLE telemetry_sources (
        key        INTEGER PRIMARY KEY,
        connection TEXT NOT NULL,
        device     TEXT NOT NULL,
        series     TEXT NOT NULL, -- a JSON array of names; blocks name them by their places
        UNIQUE (connection, device)
    ) STRICT;
    CREATE TABLE telemetry (
        source INTEGER NOT NULL, -- telemetry_sources.key
        at     INTEGER NOT NULL,
        block  BLOB NOT NULL,
        PRIMARY KEY (source, at)
    ) STRICT, WITHOUT ROWID;";

/// Series of a device that are kept. Another name is left out.
const MOST_SERIES: usize = 64;

/// A device whose measurements are kept.
struct Source {
    key: i64,
    series: Vec<String>,
}

/// Adds what a device has measured. Says of how many series nothing is kept, because the device has had too many.
pub(in crate::store) fn add(
    connection: &Connection,
    id: &ConnectionId,
    measured: &Measured,
) -> rusqlite::Result<usize> {
    let (key, places) = source_for(connection, id, measured)?;
    let mut samples = measured.samples.clone();
    for sample in &mut samples {
        sample.values.retain_mut(|(place, _)| match places.get(usize::from(*place)).copied().flatten() {
            Some(stored) => {
                *place = stored;
                true
            }
            None => false,
        });
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO telemetry (source, at, block) VALUES (?1, ?2, ?3)
         ON CONFLICT (source, at) DO UPDATE SET block = CAST(block || excluded.block AS BLOB)",
    )?;
    for Block { at, bytes } in samples::blocks(&samples) {
        insert.execute(params![key, at.0, bytes])?;
    }
    Ok(places.iter().filter(|place| place.is_none()).count())
}

/// Goes through what a device has measured from then to then, both included.
pub(in crate::store) fn each(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    (from, to): (Timestamp, Timestamp),
    mut each: impl FnMut(Timestamp, &str, f64),
) -> rusqlite::Result<()> {
    let Some(source) = source(connection, id, device)? else { return Ok(()) };
    let mut statement = connection
        .prepare_cached("SELECT at, block FROM telemetry WHERE source = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at")?;
    let mut rows = statement.query(params![source.key, from.0.saturating_sub(LONGEST_BLOCK), to.0])?;
    while let Some(row) = rows.next()? {
        let block = row.get_ref(1)?.as_blob().map_err(|error| senseless(1, error))?;
        samples::read(row.get(0)?, block, |at, place, value| {
            if let Some(name) = source.series.get(usize::from(place)).filter(|_| from <= at && at <= to) {
                each(at, name, value);
            }
        });
    }
    Ok(())
}

/// When the first of a device's measurements that are kept was made.
pub(in crate::store) fn first(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
) -> rusqlite::Result<Option<Timestamp>> {
    let Some(source) = source(connection, id, device)? else { return Ok(None) };
    let first: Option<i64> = connection
        .prepare_cached("SELECT min(at) FROM telemetry WHERE source = ?1")?
        .query_row([source.key], |row| row.get(0))?;
    Ok(first.map(Timestamp))
}

/// The keys of the devices after that one whose measurements are kept, of one connection or of all.
pub(in crate::store) fn sources(
    connection: &Connection,
    id: Option<&ConnectionId>,
    after: i64,
    limit: u32,
) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached(
            "SELECT key FROM telemetry_sources WHERE key > ?1 AND (?2 IS NULL OR connection = ?2) ORDER BY key LIMIT ?3",
        )?
        .query_map(params![after, id.map(ConnectionId::as_str), limit], |row| row.get(0))?
        .collect()
}

/// Forgets up to `limit` blocks of a device that ended before that. Says how many.
pub(in crate::store) fn prune(
    connection: &Connection,
    source: i64,
    before: Timestamp,
    limit: u32,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM telemetry WHERE source = ?1 AND at IN
                 (SELECT at FROM telemetry WHERE source = ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
        )?
        .execute(params![source, before.0.saturating_sub(LONGEST_BLOCK), limit])
}

/// Forgets up to `limit` blocks of a connection, or of one of its devices. Says whether there were any.
pub(super) fn sweep(
    connection: &Connection,
    id: &str,
    device: Option<&DeviceId>,
    limit: u32,
) -> rusqlite::Result<bool> {
    let source = connection
        .prepare_cached(
            "SELECT key FROM telemetry_sources WHERE connection = ?1 AND (?2 IS NULL OR device = ?2)
             AND EXISTS (SELECT 1 FROM telemetry WHERE source = key) LIMIT 1",
        )?
        .query_row(params![id, device.map(DeviceId::as_str)], |row| row.get::<_, i64>(0))
        .optional()?;
    let Some(source) = source else { return Ok(false) };
    connection
        .prepare_cached(
            "DELETE FROM telemetry WHERE source = ?1 AND at IN (SELECT at FROM telemetry WHERE source = ?1 LIMIT ?2)",
        )?
        .execute(params![source, limit])?;
    Ok(true)
}

fn source(connection: &Connection, id: &ConnectionId, device: &DeviceId) -> rusqlite::Result<Option<Source>> {
    let found = connection
        .prepare_cached("SELECT key, series FROM telemetry_sources WHERE connection = ?1 AND device = ?2")?
        .query_row([id.as_str(), device.as_str()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let read = |(key, series): (i64, String)| {
        let series = serde_json::from_str(&series).map_err(|error| senseless(1, error))?;
        Ok(Source { key, series })
    };
    found.map(read).transpose()
}

/// The key of a device, and where each of its series lies in the blocks; nothing for one that is left out.
fn source_for(
    connection: &Connection,
    id: &ConnectionId,
    measured: &Measured,
) -> rusqlite::Result<(i64, Vec<Option<u8>>)> {
    let known = source(connection, id, &measured.device)?;
    let (key, mut series) = known.map_or((None, Vec::new()), |source| (Some(source.key), source.series));
    let before = series.len();
    let mut places = Vec::with_capacity(measured.series.len());
    for name in &measured.series {
        let place = series.iter().position(|known| **known == **name).or_else(|| {
            (series.len() < MOST_SERIES).then(|| {
                series.push(name.to_string());
                series.len() - 1
            })
        });
        places.push(place.and_then(|place| u8::try_from(place).ok()));
    }
    let names = || serde_json::Value::from(series.clone()).to_string();
    let key = match key {
        Some(key) if series.len() == before => key,
        Some(key) => {
            connection.execute("UPDATE telemetry_sources SET series = ?2 WHERE key = ?1", params![key, names()])?;
            key
        }
        None => {
            connection.execute(
                "INSERT INTO telemetry_sources (connection, device, series) VALUES (?1, ?2, ?3)",
                params![id.as_str(), measured.device.as_str(), names()],
            )?;
            connection.last_insert_rowid()
        }
    };
    Ok((key, places))
}
