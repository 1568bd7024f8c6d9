//! The tables, one file each: migration, row, queries.
//!
//! `events` is the truth, append-only. `commands`, `tallies`, `counters` and the search index are derived from it and can be
//! rebuilt ([`rebuild`]). They are written in the same transaction as the event, or soon after it under load
//! (see [`super::projection_queue`]); nobody reads them in between.

pub(super) mod annotations;
pub(super) mod audit;
pub(super) mod broadcasts;
pub(super) mod buttons;
pub(super) mod catalogue;
pub(super) mod commands;
pub(super) mod connections;
pub(super) mod counters;
pub(super) mod desired;
pub(super) mod devices;
pub(super) mod disagreements;
pub(super) mod discarded;
pub(super) mod dismissed;
pub(super) mod events;
pub(super) mod evidence_use;
pub(super) mod logs;
pub(super) mod meta;
pub(super) mod removed;
pub(super) mod rollout_members;
pub(super) mod rollout_unexpected_devices;
pub(super) mod rollouts;
pub(super) mod search;
pub(super) mod settings;
pub(super) mod tallies;
pub(super) mod telemetry;
pub(super) mod trusted;
pub(super) mod views;

use std::sync::LazyLock;

use rusqlite::{Connection, DropBehavior, OptionalExtension, Row, Transaction, TransactionBehavior, types::FromSql};
use rusqlite_migration::{HookResult, M, Migrations};
use wilco_ledger::{Command, DeviceId};

use super::{
    ConnectionId,
    projection_queue::{CommandSnapshot, LastOf},
    sql_enum::SqlEnum,
};

/// The schema of the first release of Wilco.
const FIRST: &[&str] = &[
    meta::CREATE,
    connections::CREATE,
    devices::CREATE,
    events::CREATE,
    commands::CREATE,
    search::CREATE,
    tallies::CREATE,
    counters::CREATE,
    settings::CREATE,
    removed::CREATE,
    logs::CREATE,
    catalogue::CREATE,
    buttons::CREATE,
    telemetry::CREATE,
    rollouts::CREATE,
    rollout_members::CREATE,
    rollout_unexpected_devices::CREATE,
    dismissed::CREATE,
    annotations::CREATE,
    views::CREATE,
    desired::CREATE,
    evidence_use::CREATE,
    discarded::CREATE,
    disagreements::CREATE,
    broadcasts::CREATE,
    audit::CREATE,
    trusted::CREATE,
];

/// The format that this version writes (SQLite's `user_version`): the number of migrations.
pub(super) const VERSION: u32 = 1;

/// Brings a database of any earlier version to this one. After the first release, migrations are only added at the end.
pub(super) static MIGRATIONS: LazyLock<Migrations<'static>> =
    LazyLock::new(|| Migrations::new(vec![M::up_with_hook("", create)]));

fn create(transaction: &Transaction<'_>) -> HookResult {
    FIRST.iter().try_for_each(|table| transaction.execute_batch(table))?;
    Ok(())
}

/// A command that was written, and is still to be entered into the search index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Written {
    pub(super) row: i64,
    /// It was not there before.
    is_new: bool,
}

/// Writes the state of a command. A new command keeps the row of its submission as its own row number, so that rows
/// follow the order of submission and a rebuild gives them the same numbers. A command that is missing and not
/// submitted here has been deleted, and stays so.
fn put_command(
    transaction: &Transaction<'_>,
    connection: &ConnectionId,
    command: &Command,
    begun_at: Option<i64>,
) -> rusqlite::Result<Option<Written>> {
    if let Some(row) = begun_at
        && commands::insert(transaction, connection, command, row)?
    {
        if !command.submission.automatic {
            tallies::add(transaction, connection, command, row)?;
        }
        return Ok(Some(Written { row, is_new: true }));
    }
    let finished = commands::update(transaction, connection, command)?;
    Ok(finished.map(|row| Written { row, is_new: false }))
}

/// How a command counts: among those of users, or among the automatic ones.
fn counted(command: &Command) -> (u32, u32) {
    if command.submission.automatic { (0, 1) } else { (1, 0) }
}

/// Writes the states of commands, and counts new ones. Returns the rows to be added to the search index.
pub(super) fn put_commands<'a>(
    transaction: &Transaction<'_>,
    snapshots: impl Iterator<Item = &'a CommandSnapshot>,
) -> rusqlite::Result<Vec<Written>> {
    let mut new = LastOf::<&ConnectionId, (u32, u32)>::default();
    let mut written = Vec::new();
    for snapshot in snapshots {
        let CommandSnapshot { connection, command, begun_at } = snapshot;
        let Some(put) = put_command(transaction, connection, command, *begun_at)? else { continue };
        if put.is_new {
            let (one, automatic) = counted(command);
            new.put(connection, |count| count.map_or((one, automatic), |count| (count.0 + one, count.1 + automatic)));
        }
        written.push(put);
    }
    new.into_iter().try_for_each(|(connection, count)| counters::add(transaction, connection, count))?;
    Ok(written)
}

/// Enters commands into the search index that have just been written.
pub(super) fn index(transaction: &Transaction<'_>, mut written: Vec<Written>) -> rusqlite::Result<()> {
    // FTS5 begins a new segment with each row that is lower than the one before.
    written.sort_unstable();
    for Written { row, is_new } in written {
        let (connection, command) = commands::at(transaction, row)?;
        search::put(transaction, &connection, &command, row, is_new)?;
    }
    Ok(())
}

/// Adds the commands at these rows to the search index, replacing earlier entries. Deleted rows are skipped.
pub(super) fn index_rows(transaction: &Transaction<'_>, rows: impl Iterator<Item = i64>) -> rusqlite::Result<()> {
    for row in rows {
        if let Some((connection, command)) = commands::at(transaction, row).optional()? {
            search::put(transaction, &connection, &command, row, false)?;
        }
    }
    Ok(())
}

/// Makes the projection again from the events.
pub(super) fn rebuild(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    for table in ["commands", "tallies", "counters"] {
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
    }
    show_from(transaction, i64::MIN)?;
    search::rebuild(transaction)
}

/// Brings the projection up to the events, where the program was killed while it was behind them.
pub(super) fn catch_up(connection: &mut Connection) -> rusqlite::Result<()> {
    let Some(shown) = meta::shown_up_to(connection)? else { return Ok(()) };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    show_all_from(&transaction, shown)?;
    transaction.commit()
}

/// The same for this connection alone, which must have no limit on changed pages in its memory: nothing is committed, and
/// the transaction stays open.
pub(super) fn catch_up_in_memory(connection: &mut Connection) -> rusqlite::Result<()> {
    let Some(shown) = meta::shown_up_to(connection)? else { return Ok(()) };
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    show_all_from(&transaction, shown)?;
    transaction.set_drop_behavior(DropBehavior::Ignore);
    Ok(())
}

fn show_all_from(transaction: &Transaction<'_>, event: i64) -> rusqlite::Result<()> {
    let rows = show_from(transaction, event)?;
    index_rows(transaction, rows.into_iter())?;
    meta::show_all(transaction)
}

/// Lets the projection show every command to which something has happened after that event, except in the search index.
/// Returns the rows that are still to be entered there, in their order.
fn show_from(transaction: &Transaction<'_>, event: i64) -> rusqlite::Result<Vec<i64>> {
    let mut rows = Vec::new();
    events::each_command_after(transaction, event, |connection, events| match events::replay(&events) {
        Some(command) if !removed::has(transaction, connection)? => {
            let row = events[0].0;
            if put_command(transaction, connection, &command, Some(row))?.is_some_and(|put| put.is_new) {
                counters::add(transaction, connection, counted(&command))?;
            }
            // It may have been written before, but not entered.
            rows.push(row);
            Ok(())
        }
        _ => Ok(()),
    })?;
    rows.sort_unstable();
    Ok(rows)
}

/// Takes a connection away. From here on nothing of it is seen; the rest is left to [`removed::sweep`].
pub(super) fn remove_connection(transaction: &Transaction<'_>, connection: &ConnectionId) -> rusqlite::Result<()> {
    connections::remove(transaction, connection)?;
    counters::remove(transaction, connection)?;
    meta::forget_wire_id(transaction, connection)?;
    broadcasts::remove(transaction, connection)?;
    for table in ["catalogue", "buttons", "views", "desired"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE connection = ?1"), [connection.as_str()])?;
    }
    removed::add(transaction, connection)
}

/// The command that was at that row is no longer counted.
pub(super) fn count_down(
    connection: &Connection,
    of: &ConnectionId,
    device: &DeviceId,
    row: i64,
    automatic: bool,
) -> rusqlite::Result<()> {
    if !automatic {
        tallies::take(connection, of, device, row)?;
    }
    counters::take(connection, of, automatic)
}

/// Reads a row's columns one after the other.
struct Columns<'a, 'b> {
    row: &'a Row<'b>,
    next: usize,
}

impl<'a, 'b> Columns<'a, 'b> {
    fn from(row: &'a Row<'b>, first: usize) -> Columns<'a, 'b> {
        Columns { row, next: first }
    }

    fn get<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let column = self.next;
        self.next += 1;
        self.row.get(column)
    }

    /// A value that is stored as text or a number and must make sense.
    fn checked<S: FromSql, T, E>(&mut self, check: impl FnOnce(S) -> Result<T, E>) -> rusqlite::Result<T>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let column = self.next;
        let stored = self.get()?;
        check(stored).map_err(|error| senseless(column, error))
    }

    fn word<T: SqlEnum>(&mut self) -> rusqlite::Result<T> {
        self.checked(read_word)
    }

    fn optional_word<T: SqlEnum>(&mut self) -> rusqlite::Result<Option<T>> {
        self.checked(|word: Option<String>| word.map(read_word).transpose())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function value where a String comes in")]
fn read_word<T: SqlEnum>(word: String) -> Result<T, String> {
    T::read(&word).ok_or_else(|| format!("unknown word '{word}'"))
}

/// A value that cannot be written as JSON.
fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

/// A stored value that this version cannot have written.
fn senseless(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
}
