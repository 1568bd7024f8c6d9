//! Copies everything readable of a damaged database into a new one. The damaged file does not change.

use std::path::Path;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params_from_iter, types::Value};

use super::{FILE_NAME, StoreError, check, open, possibly_sent, salvage, table};

/// The tables that are not made of others, in the order in which they are copied.
const TABLES: [&str; 27] = [
    "meta",
    "settings",
    "connections",
    "devices",
    "annotations",
    "views",
    "desired",
    "catalogue",
    "buttons",
    "events",
    "discarded",
    "disagreements",
    "evidence_use",
    "dismissed",
    "removed",
    "broadcasts",
    "logs",
    "log_chunks",
    "rollouts",
    "rollout_members",
    "rollout_unexpected_devices",
    "telemetry_sources",
    "telemetry",
    "audit",
    "audit_checkpoint",
    "audit_seals",
    "trusted_installations",
];

/// The place of an event's checksum among its columns.
const SUM: usize = 8;

/// The number of copied rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// Events.
    pub events: u64,
    /// Commands that these events are of.
    pub commands: u64,
    /// Everything could be read.
    pub complete: bool,
}

/// Copies the database of one directory into a new one in another, which must not have any. Blocks. No engine may run on
/// either.
///
/// # Errors
/// [`StoreError::Damaged`] when nothing can be read, [`StoreError::Other`] when the other directory has a database already;
/// those of writing.
pub fn recover(from: &Path, to: &Path) -> Result<Recovered, StoreError> {
    let (from, to) = (from.join(FILE_NAME), to.join(FILE_NAME));
    if to.exists() {
        return Err(StoreError::Other { path: to, what: "it already contains a database".to_owned() });
    }
    let unreadable = || StoreError::Damaged { path: from.clone(), what: "none of it can be read".to_owned() };
    let (source, _copy) = salvage::reader(&from).ok_or_else(unreadable)?;
    let mut target = open::writer(&to)?;
    let copied = copy_all(&source, &mut target).map_err(|error| StoreError::read(&to, &error))?;
    target.close().map_err(|(_, error)| StoreError::read(&to, &error))?;
    if copied.events == 0 && !copied.complete {
        return Err(unreadable());
    }
    Ok(copied)
}

fn copy_all(source: &Connection, target: &mut Connection) -> rusqlite::Result<Recovered> {
    let transaction = target.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut complete = true;
    for name in TABLES {
        complete &= copy(source, &transaction, name)?;
    }
    // The tables of commands are made of the events.
    table::rebuild(&transaction)?;
    table::meta::show_all(&transaction)?;
    let count =
        |table: &str| transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    let (events, commands) = (count("events")?, count("commands")?);
    // What is damaged may have lost later events of any command, whether or not rows are missing.
    possibly_sent::mark(&transaction)?;
    transaction.commit()?;
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(Recovered { events: number(events), commands: number(commands), complete })
}

/// Copies a table's rows from both of its ends, and returns whether all were readable.
fn copy(source: &Connection, transaction: &Transaction<'_>, table: &str) -> rusqlite::Result<bool> {
    let mut columns = transaction.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
    let columns: Vec<String> = columns.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if columns.is_empty() {
        return Ok(true);
    }
    let places = vec!["?"; columns.len()].join(", ");
    let names = columns.join(", ");
    let mut insert = transaction.prepare(&format!("INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})"))?;
    let is_event = table == "events";
    let mut whole = true;
    let mut put = |row: &Row<'_>| {
        let values: rusqlite::Result<Vec<Value>> = (0..columns.len()).map(|column| row.get(column)).collect();
        let as_written = !is_event || check::is_as_written(row, SUM);
        // A row that is not text, has another checksum, or is refused by the table was not written by Wilco.
        let copied = as_written && values.is_ok_and(|values| insert.execute(params_from_iter(values)).is_ok());
        whole &= copied;
    };
    // By the first column, which is the key, or the beginning of it.
    let key = &columns[0];
    for order in ["ASC", "DESC"] {
        let query = format!("SELECT {names} FROM {table} ORDER BY {key} {order}");
        if each(source, &query, &mut put).is_ok() {
            return Ok(whole);
        }
    }
    Ok(false)
}

fn each(source: &Connection, query: &str, put: &mut impl FnMut(&Row<'_>)) -> rusqlite::Result<()> {
    let mut statement = source.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        put(row);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::collections::BTreeSet;

    use super::{FILE_NAME, TABLES, open};

    #[test]
    fn every_table_is_copied_or_made_of_others() {
        let directory = tempfile::tempdir().unwrap();
        let database = open::writer(&directory.path().join(FILE_NAME)).unwrap();
        let mut names = database
            .prepare(
                "SELECT name FROM sqlite_schema
                 WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'command_search%'",
            )
            .unwrap();
        let names: BTreeSet<String> = names.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let known = TABLES.iter().chain(&["commands", "tallies", "counters"]);
        assert_eq!(names, known.map(|name| (*name).to_owned()).collect());
    }
}
