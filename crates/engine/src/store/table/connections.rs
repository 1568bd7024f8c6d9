//! `connections`: the profiles. No secret is ever in here.

use rusqlite::{Connection, params};
use wilco_ledger::Timestamp;

use super::{Columns, Word};
use crate::store::{ConnectionId, Profile, StoredSecrets};

pub(super) const CREATE: &str = "
    CREATE TABLE connections (
        id                     TEXT PRIMARY KEY,
        name                   TEXT NOT NULL UNIQUE,
        url                    TEXT NOT NULL,
        mqtt                   TEXT NOT NULL,
        client_id              TEXT NOT NULL,
        username               TEXT,
        dialect                TEXT NOT NULL,
        prefix                 TEXT NOT NULL,
        demo                   INTEGER NOT NULL,
        certificate_subject    TEXT,
        certificate_expires_at INTEGER,
        has_password           INTEGER NOT NULL,
        has_private_key        INTEGER NOT NULL,
        has_certificate        INTEGER NOT NULL,
        has_authorities        INTEGER NOT NULL,
        in_memory_secrets      INTEGER NOT NULL,
        position               INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// Adds a profile, or replaces the one of the same id.
pub(in crate::store) fn put(connection: &Connection, profile: &Profile) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO connections (id, name, url, mqtt, client_id, username, dialect, prefix, demo,
                                      certificate_subject, certificate_expires_at, has_password, has_private_key,
                                      has_certificate, has_authorities, in_memory_secrets, position)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
             ON CONFLICT (id) DO UPDATE SET
                name = ?2, url = ?3, mqtt = ?4, client_id = ?5, username = ?6, dialect = ?7, prefix = ?8, demo = ?9,
                certificate_subject = ?10, certificate_expires_at = ?11, has_password = ?12, has_private_key = ?13,
                has_certificate = ?14, has_authorities = ?15, in_memory_secrets = ?16, position = ?17",
        )?
        .execute(params![
            profile.id.as_str(),
            profile.name,
            profile.url,
            profile.mqtt.word(),
            profile.client_id,
            profile.username,
            profile.dialect,
            profile.prefix,
            profile.demo,
            profile.certificate_subject,
            profile.certificate_expires_at.map(|at| at.0),
            profile.has.password,
            profile.has.private_key,
            profile.has.certificate,
            profile.has.authorities,
            profile.in_memory_secrets,
            profile.position,
        ])?;
    Ok(())
}

/// Every profile, in the order that the person has given them.
pub(in crate::store) fn all(connection: &Connection) -> rusqlite::Result<Vec<Profile>> {
    connection
        .prepare_cached(
            "SELECT id, name, url, mqtt, client_id, username, dialect, prefix, demo, certificate_subject,
                    certificate_expires_at, has_password, has_private_key, has_certificate, has_authorities,
                    in_memory_secrets, position
             FROM connections ORDER BY position, name",
        )?
        .query_map([], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(Profile {
                id: ConnectionId::from(columns.get::<String>()?),
                name: columns.get()?,
                url: columns.get()?,
                mqtt: columns.word()?,
                client_id: columns.get()?,
                username: columns.get()?,
                dialect: columns.get()?,
                prefix: columns.get()?,
                demo: columns.get()?,
                certificate_subject: columns.get()?,
                certificate_expires_at: columns.get::<Option<i64>>()?.map(Timestamp),
                has: StoredSecrets {
                    password: columns.get()?,
                    private_key: columns.get()?,
                    certificate: columns.get()?,
                    authorities: columns.get()?,
                },
                in_memory_secrets: columns.get()?,
                position: columns.get()?,
            })
        })?
        .collect()
}

/// Whether another profile has that name.
pub(in crate::store) fn name_taken(connection: &Connection, profile: &Profile) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM connections WHERE name = ?1 AND id <> ?2)")?
        .query_row([&profile.name, profile.id.as_str()], |row| row.get(0))
}

/// Removes a profile.
pub(super) fn remove(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM connections WHERE id = ?1", [id.as_str()])?;
    Ok(())
}
