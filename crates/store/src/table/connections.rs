//! `connections`: the profiles, without secrets.

use rusqlite::{Connection, params};
use wilco_connection::{EnabledDialect, Secrets};
use wilco_failure::Failure;
use wilco_ledger::Timestamp;

use super::{Columns, SqlEnum};
use crate::{ConnectionId, Profile};

pub(super) const CREATE: &str = "
    CREATE TABLE connections (
        id                     TEXT PRIMARY KEY,
        name                   TEXT NOT NULL UNIQUE,
        url                    TEXT NOT NULL,
        mode                   TEXT NOT NULL,
        preset                 TEXT NOT NULL,
        mqtt                   TEXT NOT NULL,
        client_id              TEXT NOT NULL,
        username               TEXT,
        dialects               TEXT NOT NULL, -- a JSON array of names, each with the settings that are not the defaults
        dialect_files          TEXT NOT NULL, -- a JSON array
        prefix                 TEXT NOT NULL,
        devices                TEXT NOT NULL, -- a JSON array of IDs
        keep_alive             INTEGER NOT NULL,
        session_expiry         INTEGER NOT NULL,
        trust                  TEXT NOT NULL,
        server_name            TEXT,
        alpn                   TEXT NOT NULL, -- a JSON array
        proxy_url              TEXT,
        proxy_username         TEXT,
        denied                 TEXT NOT NULL, -- a JSON array of topic filters
        demo                   INTEGER NOT NULL,
        certificate_subject    TEXT,
        certificate_expires_at INTEGER,
        has_password           INTEGER NOT NULL,
        has_certificate        INTEGER NOT NULL,
        has_authorities        INTEGER NOT NULL,
        has_server             INTEGER NOT NULL,
        has_proxy_password     INTEGER NOT NULL,
        has_device_passwords   INTEGER NOT NULL,
        in_memory_secrets      INTEGER NOT NULL,
        position               INTEGER NOT NULL,
        declined               TEXT NOT NULL,
        send_operator          INTEGER NOT NULL,
        needs_approval         INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// In the order in which [`put`] writes and [`all`] reads.
const COLUMNS: &str =
    "id, name, url, mode, preset, mqtt, client_id, username, dialects, dialect_files, prefix, devices, keep_alive,
    session_expiry, trust, server_name, alpn, proxy_url, proxy_username, denied, demo, certificate_subject,
    certificate_expires_at, has_password, has_certificate, has_authorities, has_server, has_proxy_password, has_device_passwords,
    in_memory_secrets, position, declined, send_operator, needs_approval";

/// Adds a profile, or replaces the one of the same id.
pub(crate) fn put(connection: &Connection, profile: &Profile) -> rusqlite::Result<()> {
    remove(connection, &profile.id)?;
    connection
        .prepare_cached(&format!(
            "INSERT INTO connections ({COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                     ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34)"
        ))?
        .execute(params![
            profile.id.as_str(),
            profile.name,
            profile.url,
            profile.mode.word(),
            profile.preset.word(),
            profile.mqtt.word(),
            profile.client_id,
            profile.username,
            list(&profile.dialects.iter().map(ToString::to_string).collect::<Vec<_>>()),
            list(&profile.dialect_files),
            profile.prefix,
            list(&profile.devices),
            profile.keep_alive,
            profile.session_expiry,
            profile.trust.word(),
            profile.server_name,
            list(&profile.alpn),
            profile.proxy_url,
            profile.proxy_username,
            list(&profile.denied),
            profile.demo,
            profile.certificate_subject,
            profile.certificate_expires_at.map(|at| at.0),
            profile.has.password,
            profile.has.certificate,
            profile.has.authorities,
            profile.has.server,
            profile.has.proxy_password,
            profile.has.device_passwords,
            profile.in_memory_secrets,
            profile.position,
            list(&profile.declined),
            profile.send_operator,
            profile.needs_approval,
        ])?;
    Ok(())
}

/// Every profile, in the order that the person has given them.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Profile>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM connections ORDER BY position, name"))?
        .query_map([], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(Profile {
                id: ConnectionId::from(columns.get::<String>()?),
                name: columns.get()?,
                url: columns.get()?,
                mode: columns.word()?,
                preset: columns.word()?,
                mqtt: columns.word()?,
                client_id: columns.get()?,
                username: columns.get()?,
                dialects: columns.checked(read_dialects)?,
                dialect_files: columns.checked(read_list)?,
                prefix: columns.get()?,
                devices: columns.checked(read_list)?,
                keep_alive: columns.get()?,
                session_expiry: columns.get()?,
                trust: columns.word()?,
                server_name: columns.get()?,
                alpn: columns.checked(read_list)?,
                proxy_url: columns.get()?,
                proxy_username: columns.get()?,
                denied: columns.checked(read_list)?,
                demo: columns.get()?,
                certificate_subject: columns.get()?,
                certificate_expires_at: columns.get::<Option<i64>>()?.map(Timestamp),
                has: Secrets {
                    password: columns.get()?,
                    certificate: columns.get()?,
                    authorities: columns.get()?,
                    server: columns.get()?,
                    proxy_password: columns.get()?,
                    device_passwords: columns.get()?,
                },
                in_memory_secrets: columns.get()?,
                position: columns.get()?,
                declined: columns.checked(read_list)?,
                send_operator: columns.get()?,
                needs_approval: columns.get()?,
            })
        })?
        .collect()
}

/// Gives the profiles their places, in this order.
pub(crate) fn order(connection: &Connection, ids: &[ConnectionId]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("UPDATE connections SET position = ?2 WHERE id = ?1")?;
    for (position, id) in ids.iter().enumerate() {
        statement.execute(params![id.as_str(), u32::try_from(position).unwrap_or(u32::MAX)])?;
    }
    Ok(())
}

fn list(texts: &[String]) -> String {
    serde_json::Value::from(texts.to_vec()).to_string()
}

fn read_list(text: String) -> serde_json::Result<Vec<String>> {
    serde_json::from_str(&text)
}

fn read_dialects(text: String) -> Result<Vec<EnabledDialect>, Box<dyn std::error::Error + Send + Sync>> {
    read_list(text)?.iter().map(|dialect| dialect.parse().map_err(|failure: Failure| failure.message.into())).collect()
}

/// Whether another profile has that name.
pub(crate) fn name_taken(connection: &Connection, profile: &Profile) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM connections WHERE name = ?1 AND id <> ?2)")?
        .query_row([&profile.name, profile.id.as_str()], |row| row.get(0))
}

/// Removes a profile.
pub(super) fn remove(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM connections WHERE id = ?1", [id.as_str()])?;
    Ok(())
}
