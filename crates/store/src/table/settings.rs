//! `settings`: changed settings by name. All others have their defaults.

use rusqlite::{Connection, params};

use super::Columns;
use wilco_definitions::Settings;

pub(super) const CREATE: &str = "
    CREATE TABLE settings (
        name  TEXT PRIMARY KEY,
        value INTEGER,          -- a number, 0 or 1 for no or yes; NULL: without bound
        text  TEXT              -- of those that are a text; NULL: none
    ) STRICT, WITHOUT ROWID;";

/// Writes every one of them.
pub(crate) fn put(connection: &Connection, settings: &Settings) -> rusqlite::Result<()> {
    let Settings {
        history_days,
        audit_days,
        telemetry_days,
        evidence_bytes,
        device_evidence_bytes,
        timeout_s,
        time_to_live_s,
        notify_failed,
        notify_long,
        long_after_s,
        ref operator_name,
    } = *settings;
    let bytes = |bytes: u64| Some(i64::try_from(bytes).unwrap_or(i64::MAX));
    let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)")?;
    for (name, value) in [
        ("history_days", history_days.map(i64::from)),
        ("audit_days", audit_days.map(i64::from)),
        ("telemetry_days", Some(telemetry_days.into())),
        ("evidence_bytes", bytes(evidence_bytes)),
        ("device_evidence_bytes", bytes(device_evidence_bytes)),
        ("timeout_s", Some(timeout_s.into())),
        ("time_to_live_s", Some(time_to_live_s.into())),
        ("notify_failed", Some(notify_failed.into())),
        ("notify_long", Some(notify_long.into())),
        ("long_after_s", Some(long_after_s.into())),
    ] {
        statement.execute(params![name, value])?;
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO settings (name, text) VALUES ('operator_name', ?1)")?
        .execute([operator_name])?;
    Ok(())
}

/// The settings; those never changed as they are by default.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Settings> {
    let mut settings = Settings::default();
    let mut statement = connection.prepare_cached("SELECT name, text, value FROM settings")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::from(row, 0);
        let name: String = columns.get()?;
        let text: Option<String> = columns.get()?;
        match name.as_str() {
            "history_days" => settings.history_days = columns.get()?,
            "audit_days" => settings.audit_days = columns.get()?,
            "telemetry_days" => settings.telemetry_days = columns.get()?,
            "evidence_bytes" => settings.evidence_bytes = columns.checked(|bytes: i64| u64::try_from(bytes))?,
            "device_evidence_bytes" => {
                settings.device_evidence_bytes = columns.checked(|bytes: i64| u64::try_from(bytes))?
            }
            "timeout_s" => settings.timeout_s = columns.get()?,
            "time_to_live_s" => settings.time_to_live_s = columns.get()?,
            "notify_failed" => settings.notify_failed = columns.get()?,
            "notify_long" => settings.notify_long = columns.get()?,
            "long_after_s" => settings.long_after_s = columns.get()?,
            "operator_name" => settings.operator_name = text,
            _ => {}
        }
    }
    Ok(settings)
}
