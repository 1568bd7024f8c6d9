//! `telemetry` and `telemetry_sources`: measurements of devices, in blocks of a few seconds.

use rusqlite::{Connection, OptionalExtension, params};
use wilco_ledger::{DeviceId, Timestamp};

use super::senseless;
use crate::{
    ConnectionId,
    samples::{self, Block, LONGEST_BLOCK, Measured},
};

pub(super) const CREATE: &str = "
    CREATE TABLE telemetry_sources (
        key        INTEGER PRIMARY KEY,
        connection TEXT NOT NULL,
        device     TEXT NOT NULL,
        series     TEXT NOT NULL, -- a JSON array of names; blocks name them by their places
        newest     TEXT NOT NULL, -- a JSON array: until when each series has come, Unix milliseconds
        UNIQUE (connection, device)
    ) STRICT;
    CREATE TABLE telemetry (
        source INTEGER NOT NULL, -- telemetry_sources.key
        at     INTEGER NOT NULL,
        block  BLOB NOT NULL,
        PRIMARY KEY (source, at)
    ) STRICT, WITHOUT ROWID;";

/// Series of a device that are kept. Another name is left out, until nothing is left of one that had come before.
const MOST_SERIES: usize = 64;
/// To this the time of a series' last sample is rounded up, milliseconds: the less often it is written.
const ROUNDED: i64 = 3_600_000;

/// A device whose measurements are kept.
struct Source {
    key: i64,
    series: Vec<String>,
    /// No sample of a series that is kept is later than this.
    newest: Vec<i64>,
}

/// Adds what a device has measured. Says of how many series nothing is kept, because the device has had too many.
pub(crate) fn add(connection: &Connection, id: &ConnectionId, measured: &Measured) -> rusqlite::Result<usize> {
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
pub(crate) fn each(
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
pub(crate) fn first(
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
pub(crate) fn sources(
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
pub(crate) fn prune(connection: &Connection, source: i64, before: Timestamp, limit: u32) -> rusqlite::Result<usize> {
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
        .prepare_cached("SELECT key, series, newest FROM telemetry_sources WHERE connection = ?1 AND device = ?2")?
        .query_row([id.as_str(), device.as_str()], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    let read = |(key, series, newest): (i64, String, String)| {
        let series = serde_json::from_str(&series).map_err(|error| senseless(1, error))?;
        let newest = serde_json::from_str(&newest).map_err(|error| senseless(2, error))?;
        Ok(Source { key, series, newest })
    };
    found.map(read).transpose()
}

/// The key of a device, and where each of its series lies in the blocks; nothing for one that is left out.
fn source_for(
    connection: &Connection,
    id: &ConnectionId,
    measured: &Measured,
) -> rusqlite::Result<(i64, Vec<Option<u8>>)> {
    let mut source = match source(connection, id, &measured.device)? {
        Some(source) => source,
        None => begin(connection, id, &measured.device)?,
    };
    let before = (source.series.clone(), source.newest.clone());
    let places = source.take(connection, measured)?;
    if (&source.series, &source.newest) != (&before.0, &before.1) {
        let names = serde_json::Value::from(source.series).to_string();
        let newest = serde_json::Value::from(source.newest).to_string();
        connection
            .prepare_cached("UPDATE telemetry_sources SET series = ?2, newest = ?3 WHERE key = ?1")?
            .execute(params![source.key, names, newest])?;
    }
    Ok((source.key, places))
}

fn begin(connection: &Connection, id: &ConnectionId, device: &DeviceId) -> rusqlite::Result<Source> {
    let insert = "INSERT INTO telemetry_sources (connection, device, series, newest) VALUES (?1, ?2, '[]', '[]')";
    connection.execute(insert, params![id.as_str(), device.as_str()])?;
    Ok(Source { key: connection.last_insert_rowid(), series: Vec::new(), newest: Vec::new() })
}

/// When the first and the last block of a device begin.
fn span(connection: &Connection, source: i64) -> rusqlite::Result<Option<(i64, i64)>> {
    connection
        .prepare_cached("SELECT min(at), max(at) FROM telemetry WHERE source = ?1")?
        .query_row([source], |row| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get(1)?)))
}

impl Source {
    /// The place of each series, of which there are samples to come.
    fn take(&mut self, connection: &Connection, measured: &Measured) -> rusqlite::Result<Vec<Option<u8>>> {
        let times = || measured.samples.iter().map(|sample| sample.at.0);
        let (Some(first), Some(last)) = (times().min(), times().max()) else {
            return Ok(vec![None; measured.series.len()]);
        };
        let until = last.div_euclid(ROUNDED).saturating_add(1).saturating_mul(ROUNDED);
        let mut comes = vec![false; measured.series.len()];
        for (place, _) in measured.samples.iter().flat_map(|sample| &sample.values) {
            comes.get_mut(usize::from(*place)).into_iter().for_each(|comes| *comes = true);
        }
        let mut places: Vec<Option<usize>> =
            measured.series.iter().map(|name| self.series.iter().position(|known| **known == **name)).collect();
        // Those that have their places keep them before others look for one.
        for place in places.iter().zip(&comes).filter(|(_, comes)| **comes).filter_map(|(place, _)| *place) {
            self.newest[place] = self.newest[place].max(until);
        }
        for ((name, place), comes) in measured.series.iter().zip(&mut places).zip(comes) {
            if place.is_none() {
                *place = self.free(connection, comes, first)?;
                let Some(place) = *place else { continue };
                (self.series[place], self.newest[place]) = (name.to_string(), until);
            }
        }
        Ok(places.into_iter().map(|place| place.and_then(|place| u8::try_from(place).ok())).collect())
    }

    /// A place for a series: a new one, or if there is something of it to keep that of one of which nothing is left, where
    /// `first` is the time of the first sample to come.
    fn free(&mut self, connection: &Connection, comes: bool, first: i64) -> rusqlite::Result<Option<usize>> {
        if self.series.len() < MOST_SERIES {
            self.series.push(String::new());
            self.newest.push(i64::MIN);
            return Ok(Some(self.series.len() - 1));
        }
        if !comes {
            return Ok(None);
        }
        let kept_from = span(connection, self.key)?.map_or(first, |(kept, _)| kept.min(first));
        Ok(self.newest.iter().position(|newest| *newest < kept_from))
    }
}
