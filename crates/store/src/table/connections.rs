//! `connections`: the profiles, without secrets.

use std::error::Error;

use rusqlite::{
    Connection, OptionalExtension, Row, params, params_from_iter,
    types::{FromSql, Value},
};
use wilco_connection::{
    ConnectionMode, ConnectionSettings, EnabledDialect, MqttVersion, Preset, ProxySettings, Secrets, Trust,
};
use wilco_failure::Failure;
use wilco_ledger::Timestamp;

use super::{SqlEnum, read_word, senseless};
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

/// The settings and their columns. A new setting is a line here and a column of the table.
macro_rules! settings {
    ($($field:ident = $column:literal,)+) => {
        /// The columns of the settings with their values.
        fn of_settings(settings: &ConnectionSettings) -> Vec<(&'static str, Value)> {
            let proxy = settings.proxy.as_ref();
            let mut columns: Vec<(&str, Value)> = vec![$(($column, settings.$field.to_column().into()),)+];
            columns.push(("proxy_url", proxy.map(|proxy| proxy.url.clone()).into()));
            columns.push(("proxy_username", proxy.and_then(|proxy| proxy.username.clone()).into()));
            columns
        }

        fn read_settings(row: &Row<'_>) -> rusqlite::Result<ConnectionSettings> {
            let username = row.get("proxy_username")?;
            let proxy = row.get::<_, Option<String>>("proxy_url")?.map(|url| ProxySettings { url, username });
            Ok(ConnectionSettings { $($field: column(row, $column)?,)+ proxy })
        }
    };
}

settings! {
    mode = "mode",
    send_operator = "send_operator",
    needs_approval = "needs_approval",
    preset = "preset",
    mqtt = "mqtt",
    username = "username",
    dialects = "dialects",
    dialect_files = "dialect_files",
    prefix = "prefix",
    devices_named = "devices",
    keep_alive_s = "keep_alive",
    session_expiry_s = "session_expiry",
    trust = "trust",
    server_name = "server_name",
    alpn = "alpn",
    denied = "denied",
}

/// Adds a profile, or replaces the one of the same id.
pub(crate) fn put(connection: &Connection, profile: &Profile) -> rusqlite::Result<()> {
    remove(connection, &profile.id)?;
    let mut columns: Vec<(&str, Value)> = vec![
        ("id", profile.id.as_str().to_owned().into()),
        ("name", profile.name.clone().into()),
        ("url", profile.url.clone().into()),
        ("client_id", profile.client_id.clone().into()),
        ("declined", profile.declined.to_column().into()),
        ("demo", profile.demo.into()),
        ("certificate_subject", profile.certificate_subject.clone().into()),
        ("certificate_expires_at", profile.certificate_expires_at.map(|at| at.0).into()),
        ("has_password", profile.has.password.into()),
        ("has_certificate", profile.has.certificate.into()),
        ("has_authorities", profile.has.authorities.into()),
        ("has_server", profile.has.server.into()),
        ("has_proxy_password", profile.has.proxy_password.into()),
        ("has_device_passwords", profile.has.device_passwords.into()),
        ("in_memory_secrets", profile.in_memory_secrets.into()),
        ("position", profile.position.into()),
    ];
    columns.extend(of_settings(&profile.settings));
    let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let places = vec!["?"; names.len()].join(", ");
    connection
        .prepare_cached(&format!("INSERT INTO connections ({}) VALUES ({places})", names.join(", ")))?
        .execute(params_from_iter(values))?;
    Ok(())
}

/// Every profile, in the order that the person has given them.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Profile>> {
    connection.prepare_cached("SELECT * FROM connections ORDER BY position, name")?.query_map([], read)?.collect()
}

/// One profile.
pub(crate) fn one(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Option<Profile>> {
    connection.prepare_cached("SELECT * FROM connections WHERE id = ?1")?.query_row([id.as_str()], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Profile> {
    Ok(Profile {
        id: ConnectionId::from(row.get::<_, String>("id")?),
        name: row.get("name")?,
        url: row.get("url")?,
        client_id: row.get("client_id")?,
        settings: read_settings(row)?,
        declined: column(row, "declined")?,
        demo: row.get("demo")?,
        certificate_subject: row.get("certificate_subject")?,
        certificate_expires_at: row.get::<_, Option<i64>>("certificate_expires_at")?.map(Timestamp),
        has: Secrets {
            password: row.get("has_password")?,
            certificate: row.get("has_certificate")?,
            authorities: row.get("has_authorities")?,
            server: row.get("has_server")?,
            proxy_password: row.get("has_proxy_password")?,
            device_passwords: row.get("has_device_passwords")?,
        },
        in_memory_secrets: row.get("in_memory_secrets")?,
        position: row.get("position")?,
    })
}

type BoxedError = Box<dyn Error + Send + Sync>;

/// A value that one column holds.
trait Column: Sized {
    type Stored: FromSql + Into<Value>;

    fn to_column(&self) -> Self::Stored;

    fn from_column(stored: Self::Stored) -> Result<Self, BoxedError>;
}

fn column<T: Column>(row: &Row<'_>, name: &str) -> rusqlite::Result<T> {
    let index = row.as_ref().column_index(name)?;
    T::from_column(row.get(index)?).map_err(|error| senseless(index, error))
}

macro_rules! as_it_is {
    ($($type:ty),+) => {
        $(impl Column for $type {
            type Stored = $type;

            fn to_column(&self) -> $type {
                Self::clone(self)
            }

            fn from_column(stored: $type) -> Result<$type, BoxedError> {
                Ok(stored)
            }
        })+
    };
}

as_it_is!(bool, u16, u32, String, Option<String>);

macro_rules! as_word {
    ($($type:ty),+) => {
        $(impl Column for $type {
            type Stored = String;

            fn to_column(&self) -> String {
                self.word().to_owned()
            }

            fn from_column(stored: String) -> Result<$type, BoxedError> {
                Ok(read_word(stored)?)
            }
        })+
    };
}

as_word!(ConnectionMode, MqttVersion, Preset, Trust);

/// A JSON array.
impl Column for Vec<String> {
    type Stored = String;

    fn to_column(&self) -> String {
        serde_json::Value::from(self.as_slice()).to_string()
    }

    fn from_column(stored: String) -> Result<Vec<String>, BoxedError> {
        Ok(serde_json::from_str(&stored)?)
    }
}

/// A JSON array of dialects as text.
impl Column for Vec<EnabledDialect> {
    type Stored = String;

    fn to_column(&self) -> String {
        self.iter().map(ToString::to_string).collect::<Vec<_>>().to_column()
    }

    fn from_column(stored: String) -> Result<Vec<EnabledDialect>, BoxedError> {
        let texts = Vec::<String>::from_column(stored)?;
        texts.iter().map(|text| text.parse().map_err(|failure: Failure| failure.message.into())).collect()
    }
}

/// Gives the profiles their places, in this order.
pub(crate) fn order(connection: &Connection, ids: &[ConnectionId]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("UPDATE connections SET position = ?2 WHERE id = ?1")?;
    for (position, id) in ids.iter().enumerate() {
        statement.execute(params![id.as_str(), u32::try_from(position).unwrap_or(u32::MAX)])?;
    }
    Ok(())
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
