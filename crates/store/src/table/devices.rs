//! `devices`: the last known state of each device.

use std::{borrow::Cow, sync::Arc};

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use wilco_ledger::{CommandId, DeviceId, Disagreement, Timestamp};

use super::Columns;
use crate::{ConnectionId, Restart, StoredDevice};

pub(super) const CREATE: &str = "
    CREATE TABLE devices (
        connection     TEXT NOT NULL,
        device         TEXT NOT NULL,
        online         INTEGER,
        presence_since INTEGER,
        led            INTEGER,
        seen_at        INTEGER,
        firmware       TEXT,
        boot           TEXT,
        restarted_at   INTEGER,
        restart_told   INTEGER,       -- by the device itself
        tags           TEXT NOT NULL, -- a JSON array of texts
        state          TEXT,          -- as reported, JSON
        reported_at    INTEGER,
        trip_ms        REAL,
        description    TEXT,          -- by a dialect of other firmware, JSON
        disagreement   TEXT,          -- what it said that it did and reports otherwise, JSON
        PRIMARY KEY (connection, device)
    ) STRICT, WITHOUT ROWID;";

/// The disagreement of a device.
#[derive(Serialize, Deserialize)]
struct StoredDisagreement<'a> {
    command: Cow<'a, str>,
    key: Cow<'a, str>,
    said: Cow<'a, str>,
    reported: Cow<'a, str>,
}

impl StoredDisagreement<'_> {
    fn text(of: &Disagreement) -> String {
        let Disagreement { command, key, said, reported } = of;
        serde_json::json!(StoredDisagreement {
            command: command.as_str().into(),
            key: (&**key).into(),
            said: (&**said).into(),
            reported: (&**reported).into(),
        })
        .to_string()
    }

    fn read(text: &str) -> Result<Box<Disagreement>, Box<dyn std::error::Error + Send + Sync>> {
        let StoredDisagreement { command, key, said, reported } = serde_json::from_str(text)?;
        let command = CommandId::new(command)?;
        Ok(Box::new(Disagreement { command, key: key.into(), said: said.into(), reported: reported.into() }))
    }
}

/// Writes what is known of a device now.
pub(crate) fn put(connection: &Connection, id: &ConnectionId, device: &StoredDevice) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO devices (connection, device, online, presence_since, led, seen_at, firmware, boot,
                                             tags, state, reported_at, trip_ms, description, restarted_at, restart_told,
                                             disagreement)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            id.as_str(),
            device.device.as_str(),
            device.online,
            device.presence_since.map(|at| at.0),
            device.led,
            device.seen_at.map(|at| at.0),
            device.firmware,
            device.boot,
            serde_json::Value::from(device.tags.as_slice()).to_string(),
            device.state,
            device.reported_at.map(|at| at.0),
            device.trip_ms,
            device.description.as_deref().and_then(|description| serde_json::to_string(description).ok()),
            device.restart.map(|restart| restart.at.0),
            device.restart.map(|restart| restart.reported),
            device.disagreement.as_deref().map(StoredDisagreement::text),
        ])?;
    Ok(())
}

/// The devices of a connection, by id.
pub(crate) fn all(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Vec<StoredDevice>> {
    connection
        .prepare_cached(
            "SELECT device, online, presence_since, led, seen_at, firmware, boot, tags, state, reported_at, trip_ms,
                    description, restarted_at, restart_told, disagreement
             FROM devices WHERE connection = ?1 ORDER BY device",
        )?
        .query_map([id.as_str()], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(StoredDevice {
                device: columns.checked(|device: String| DeviceId::new(device))?,
                online: columns.get()?,
                presence_since: columns.get::<Option<i64>>()?.map(Timestamp),
                led: columns.get()?,
                seen_at: columns.get::<Option<i64>>()?.map(Timestamp),
                firmware: columns.get()?,
                boot: columns.get()?,
                tags: columns.checked(|tags: String| serde_json::from_str(&tags))?,
                state: columns.get()?,
                reported_at: columns.get::<Option<i64>>()?.map(Timestamp),
                trip_ms: columns.get()?,
                description: columns.checked(|text: Option<String>| {
                    text.map(|text| serde_json::from_str(&text).map(Arc::new)).transpose()
                })?,
                restart: columns
                    .get::<Option<i64>>()?
                    .zip(columns.get()?)
                    .map(|(at, reported)| Restart { at: Timestamp(at), reported }),
                disagreement: columns
                    .checked(|text: Option<String>| text.map(|text| StoredDisagreement::read(&text)).transpose())?,
            })
        })?
        .collect()
}

/// Forgets a device.
pub(crate) fn remove(connection: &Connection, id: &ConnectionId, device: &DeviceId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM devices WHERE connection = ?1 AND device = ?2")?
        .execute([id.as_str(), device.as_str()])?;
    Ok(())
}
