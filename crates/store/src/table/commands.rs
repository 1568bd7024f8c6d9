//! `commands`: the state of each command, derived from its events, for listing and filtering.

mod answered;
mod bad;
mod ended;
mod runs;

use std::{borrow::Cow, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wilco_ledger::{
    Command, CommandId, DeviceId, LastSend, Membership, Millis, Policy, PublishResult, Retry, Rungs, State, Submission,
    Timestamp, UnreadableAnswers, WireForm,
};

use super::{Columns, SqlEnum, unwritable};
use crate::{ConnectionId, fact::StoredForm, sql_enum::Worded};

pub use answered::Answered;
pub(crate) use answered::answered;
pub(crate) use bad::{ended_badly_since, needing};
pub(crate) use ended::{Ended, count_ended, ended, ended_one, remove};
#[cfg(test)]
pub(crate) use runs::{EARLIER, REST_OF_THE_MILLISECOND, Run};
pub(crate) use runs::{Place, places, runs};

pub(super) const CREATE: &str = "
    CREATE TABLE commands (
        row              INTEGER PRIMARY KEY, -- that of its first event
        connection       TEXT NOT NULL,
        device           TEXT NOT NULL,
        id               TEXT NOT NULL,
        name             TEXT NOT NULL,
        args             TEXT NOT NULL,
        delivery         TEXT NOT NULL,
        timeout_ms       INTEGER NOT NULL,
        ttl_ms           INTEGER NOT NULL,
        retry            INTEGER NOT NULL,
        retries          INTEGER NOT NULL,
        pause_ms         INTEGER NOT NULL,
        answer_expected  INTEGER NOT NULL,
        carry_ids        INTEGER NOT NULL,
        again_of         TEXT,
        origin           TEXT NOT NULL,
        submitted_at     INTEGER NOT NULL,
        state            TEXT NOT NULL,
        changed_at       INTEGER NOT NULL,
        attempt          INTEGER NOT NULL,
        last_send        TEXT,                -- JSON
        sent_at          INTEGER,
        at_broker_at     INTEGER,
        accepted_at      INTEGER,
        finished_at      INTEGER,
        last_answer_at         INTEGER,
        progress         INTEGER,
        message          TEXT,
        result           TEXT,
        matched          TEXT,
        late             INTEGER NOT NULL,
        duplicates       INTEGER NOT NULL,
        conflict         INTEGER NOT NULL,
        contradicted     TEXT,
        ambiguous        INTEGER NOT NULL,
        nobody_listening INTEGER NOT NULL,
        abandoned        INTEGER NOT NULL,
        repeat_refused   INTEGER NOT NULL,
        form             TEXT,                -- JSON: given by a person; most have none
        unreadable       TEXT,                -- JSON: answers that could not be read; most have none
        rollout          INTEGER,             -- its number
        member           INTEGER,             -- the place in the order of release
        automatic        INTEGER NOT NULL,    -- Wilco sent it by itself; the history lists these apart
        operator         TEXT                 -- whom the request names; most name nobody
    ) STRICT;
    -- Ids grow with time, so the commands of a fan-out lie beside each other by id, and the device comes last.
    CREATE UNIQUE INDEX commands_by_id ON commands (connection, id, device);
    -- An unfinished command changes its state several times. No index changes with it, because those by state hold only
    -- finished commands.
    CREATE INDEX commands_open ON commands (connection, automatic, submitted_at) WHERE finished_at IS NULL;
    CREATE INDEX commands_open_of_device ON commands (connection, device, automatic, submitted_at)
        WHERE finished_at IS NULL;
    CREATE INDEX commands_ended ON commands (connection, automatic, state, submitted_at) WHERE finished_at IS NOT NULL;
    -- Together with the state: with an index for each, SQLite takes the wrong one.
    CREATE INDEX commands_ended_of_device ON commands (connection, device, automatic, state, submitted_at)
        WHERE finished_at IS NOT NULL;
    -- By when they ended; with their place in the history and their device, so that a page is read off the index.
    CREATE INDEX commands_ended_badly ON commands (connection, finished_at, submitted_at, device)
        WHERE automatic = 0 AND state IN ('failed', 'rejected', 'timed_out', 'undeliverable');
    CREATE INDEX commands_of_rollout ON commands (rollout, member) WHERE rollout IS NOT NULL;";

const COLUMNS: &str = "c.connection, c.device, c.id, c.name, c.args, c.delivery, c.timeout_ms, c.ttl_ms, c.retry, \
     c.retries, c.pause_ms, c.answer_expected, c.carry_ids, c.again_of, c.origin, c.submitted_at, c.state, \
     c.changed_at, c.attempt, c.last_send, c.sent_at, c.at_broker_at, c.accepted_at, c.finished_at, c.last_answer_at, \
     c.progress, c.message, c.result, c.matched, c.late, c.duplicates, c.conflict, c.contradicted, c.ambiguous, \
     c.nobody_listening, c.abandoned, c.repeat_refused, c.form, c.unreadable, c.rollout, c.member, c.automatic, \
     c.operator";

/// Writes a command's new standing, if it is there. Returns the row of one that is finished.
pub(super) fn update(connection: &Connection, id: &ConnectionId, command: &Command) -> rusqlite::Result<Option<i64>> {
    // A column that is not mentioned costs no index anything.
    let is_finished = command.rungs.finished.is_some();
    let (end, row) = if is_finished { (", finished_at = ?25", "RETURNING row") } else { ("", "") };
    let mut statement = connection.prepare_cached(&format!(
        "UPDATE commands SET
            state = ?4, changed_at = ?5, attempt = ?6, last_send = ?7, sent_at = ?8, at_broker_at = ?9,
            accepted_at = ?10, last_answer_at = ?11, progress = ?12, message = ?13, result = ?14, matched = ?15, late = ?16,
            duplicates = ?17, conflict = ?18, contradicted = ?19, ambiguous = ?20, nobody_listening = ?21,
            abandoned = ?22, repeat_refused = ?23, unreadable = ?24{end}
         WHERE connection = ?1 AND id = ?2 AND device = ?3 {row}"
    ))?;
    let last_send = command.last_send.map(send_text).transpose()?;
    let finished = command.rungs.finished.map(|at| at.0);
    let unreadable = command.unreadable.as_ref().map(unreadable_text).transpose()?;
    let values: [&dyn ToSql; 25] = [
        &id.as_str(),
        &command.submission.id.as_str(),
        &command.submission.device.as_str(),
        &command.state.word(),
        &command.changed_at.0,
        &command.attempt,
        &last_send,
        &command.rungs.sent.map(|at| at.0),
        &command.rungs.at_broker.map(|at| at.0),
        &command.rungs.accepted.map(|at| at.0),
        &command.last_answer_at.map(|at| at.0),
        &command.progress,
        &command.message.as_deref(),
        &command.result.as_deref(),
        &command.matched.map(SqlEnum::word),
        &command.late,
        &command.duplicates,
        &command.conflict,
        &command.contradicted.map(SqlEnum::word),
        &command.ambiguous,
        &command.nobody_listening,
        &command.abandoned,
        &command.repeat_refused,
        &unreadable,
        &finished,
    ];
    if is_finished {
        return statement.query_row(&values[..], |row| row.get(0)).optional();
    }
    statement.execute(&values[..values.len() - 1])?;
    Ok(None)
}

/// Writes a command at that row; `false` if it is there already.
pub(super) fn insert(
    connection: &Connection,
    id: &ConnectionId,
    command: &Command,
    row: i64,
) -> rusqlite::Result<bool> {
    let submission = &command.submission;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO commands (row, connection, device, id, name, args, delivery, timeout_ms, ttl_ms, retry,
                retries, pause_ms, answer_expected, carry_ids, again_of, origin, submitted_at, state, changed_at,
                attempt, last_send, sent_at, at_broker_at, accepted_at, finished_at, last_answer_at, progress, message,
                result, matched, late, duplicates, conflict, contradicted, ambiguous, nobody_listening, abandoned,
                repeat_refused, form, unreadable, rollout, member, automatic, operator)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43,
                ?44)
             ON CONFLICT (connection, id, device) DO NOTHING",
        )?
        .execute(params![
            row,
            id.as_str(),
            submission.device.as_str(),
            submission.id.as_str(),
            &*submission.name,
            &*submission.args,
            submission.policy.delivery.word(),
            stored(submission.policy.timeout),
            stored(submission.policy.time_to_live),
            submission.policy.retry.permitted,
            submission.policy.retry.limit,
            stored(submission.policy.retry.pause),
            submission.policy.answer_expected,
            submission.policy.answers_carry_ids,
            submission.again_of.as_ref().map(CommandId::as_str),
            command.origin.word(),
            command.submitted_at.0,
            command.state.word(),
            command.changed_at.0,
            command.attempt,
            command.last_send.map(send_text).transpose()?,
            command.rungs.sent.map(|at| at.0),
            command.rungs.at_broker.map(|at| at.0),
            command.rungs.accepted.map(|at| at.0),
            command.rungs.finished.map(|at| at.0),
            command.last_answer_at.map(|at| at.0),
            command.progress,
            command.message.as_deref(),
            command.result.as_deref(),
            command.matched.map(SqlEnum::word),
            command.late,
            command.duplicates,
            command.conflict,
            command.contradicted.map(SqlEnum::word),
            command.ambiguous,
            command.nobody_listening,
            command.abandoned,
            command.repeat_refused,
            submission.form.as_deref().map(|form| json!(StoredForm::of(form)).to_string()),
            command.unreadable.as_ref().map(unreadable_text).transpose()?,
            submission.rollout.map(|membership| membership.rollout),
            submission.rollout.map(|membership| membership.member),
            submission.automatic,
            submission.by.as_deref(),
        ])?;
    Ok(inserted > 0)
}

/// The command at a row.
pub(crate) fn at(connection: &Connection, row: i64) -> rusqlite::Result<(ConnectionId, Command)> {
    connection.prepare_cached(&format!("SELECT {COLUMNS} FROM commands c WHERE row = ?1"))?.query_row([row], read)
}

/// The state of the command at a row, and its message.
pub(crate) fn end_at(connection: &Connection, row: i64) -> rusqlite::Result<(State, String)> {
    connection.prepare_cached("SELECT state, message FROM commands WHERE row = ?1")?.query_row([row], |row| {
        let mut columns = Columns::from(row, 0);
        Ok((columns.word()?, columns.get::<Option<String>>()?.unwrap_or_default()))
    })
}

/// A command by its key.
pub(crate) fn by_id(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Option<Command>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM commands c WHERE connection = ?1 AND id = ?2 AND device = ?3"))?
        .query_row([id.as_str(), command.as_str(), device.as_str()], |row| Ok(read(row)?.1))
        .optional()
}

/// The IDs of a device's commands, `limit` of them at most.
pub(crate) fn ids(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    limit: usize,
) -> rusqlite::Result<Vec<CommandId>> {
    connection
        .prepare_cached(
            "SELECT id FROM commands WHERE connection = ?1 AND device = ?2 AND finished_at IS NULL
             UNION ALL SELECT id FROM commands WHERE connection = ?1 AND device = ?2 AND finished_at IS NOT NULL
             LIMIT ?3",
        )?
        .query_map(params![id.as_str(), device.as_str(), stored_limit(limit)], |row| {
            Columns::from(row, 0).checked(|id: String| CommandId::new(id))
        })?
        .collect()
}

/// The rows after that one, `limit` at most.
pub(crate) fn rows_after(connection: &Connection, row: i64, limit: u32) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("SELECT row FROM commands WHERE row > ?1 ORDER BY row LIMIT ?2")?
        .query_map(params![row, limit], |row| row.get(0))?
        .collect()
}

/// The connections with commands that are not finished.
pub(crate) fn connections_with_open(connection: &Connection) -> rusqlite::Result<Vec<ConnectionId>> {
    connection
        .prepare("SELECT DISTINCT connection FROM commands WHERE finished_at IS NULL")?
        .query_map([], |row| Ok(ConnectionId::from(row.get::<_, String>(0)?)))?
        .collect()
}

/// Whether a device has any command.
pub(crate) fn has_any(connection: &Connection, id: &ConnectionId, device: &DeviceId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM commands WHERE connection = ?1 AND device = ?2 AND finished_at IS NULL
             UNION ALL SELECT 1 FROM commands WHERE connection = ?1 AND device = ?2 AND finished_at IS NOT NULL
             LIMIT 1",
        )?
        .exists([id.as_str(), device.as_str()])
}

fn stored_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The last command of every device of a connection.
pub(crate) fn latest_per_device(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Vec<Command>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM tallies t CROSS JOIN commands c ON c.row = t.last_command
             WHERE t.connection = ?1 ORDER BY t.device"
        ))?
        .query_map([id.as_str()], |row| Ok(read(row)?.1))?
        .collect()
}

fn stored(length: Millis) -> i64 {
    i64::try_from(length.0).unwrap_or(i64::MAX)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(ConnectionId, Command)> {
    let mut columns = Columns::from(row, 0);
    let connection = ConnectionId::from(columns.get::<String>()?);
    let submission = Submission {
        device: columns.checked(|device: String| DeviceId::new(device))?,
        id: columns.checked(|id: String| CommandId::new(id))?,
        name: columns.get()?,
        args: columns.get()?,
        form: None,
        policy: Policy {
            delivery: columns.word()?,
            timeout: columns.checked(length)?,
            time_to_live: columns.checked(length)?,
            retry: Retry { permitted: columns.get()?, limit: columns.get()?, pause: columns.checked(length)? },
            answer_expected: columns.get()?,
            answers_carry_ids: columns.get()?,
        },
        again_of: columns.checked(|id: Option<String>| id.map(CommandId::new).transpose())?,
        rollout: None,
        automatic: false,
        by: None,
    };
    let mut command = Command {
        submission: Arc::new(submission),
        origin: columns.word()?,
        submitted_at: Timestamp(columns.get()?),
        state: columns.word()?,
        changed_at: Timestamp(columns.get()?),
        attempt: columns.get()?,
        last_send: columns.checked(|send: Option<String>| send.map(read_send).transpose())?,
        rungs: Rungs {
            sent: columns.get::<Option<i64>>()?.map(Timestamp),
            at_broker: columns.get::<Option<i64>>()?.map(Timestamp),
            accepted: columns.get::<Option<i64>>()?.map(Timestamp),
            finished: columns.get::<Option<i64>>()?.map(Timestamp),
        },
        last_answer_at: columns.get::<Option<i64>>()?.map(Timestamp),
        progress: columns.get()?,
        message: columns.get()?,
        result: columns.get()?,
        matched: columns.optional_word()?,
        late: columns.get()?,
        duplicates: columns.get()?,
        conflict: columns.get()?,
        contradicted: columns.optional_word()?,
        ambiguous: columns.get()?,
        nobody_listening: columns.get()?,
        abandoned: columns.get()?,
        repeat_refused: columns.get()?,
        unreadable: None,
    };
    // These came to the table last.
    if let Some(form) = columns.checked(|form: Option<String>| form.map(read_form).transpose())? {
        Arc::make_mut(&mut command.submission).form = Some(form);
    }
    command.unreadable = columns.checked(|answers: Option<String>| answers.map(read_unreadable).transpose())?;
    if let Some((rollout, member)) = columns.get::<Option<u32>>()?.zip(columns.get()?) {
        Arc::make_mut(&mut command.submission).rollout = Some(Membership { rollout, member });
    }
    if columns.get()? {
        Arc::make_mut(&mut command.submission).automatic = true;
    }
    if let Some(by) = columns.get::<Option<Arc<str>>>()? {
        Arc::make_mut(&mut command.submission).by = Some(by);
    }
    Ok((connection, command))
}

/// Only the ledger reads it, and nothing is ever looked for by it.
#[derive(Serialize, Deserialize)]
struct StoredSend {
    number: u32,
    at: i64,
    before: i64,
    on_wire: bool,
    publish_result: Worded<PublishResult>,
}

#[derive(Serialize, Deserialize)]
struct StoredUnreadable<'a> {
    count: u32,
    last_at: i64,
    why: Cow<'a, str>,
}

fn unreadable_text(answers: &UnreadableAnswers) -> rusqlite::Result<String> {
    let UnreadableAnswers { count, last_at, why } = answers;
    let stored = StoredUnreadable { count: *count, last_at: last_at.0, why: Cow::Borrowed(why) };
    serde_json::to_string(&stored).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function value where a String comes in")]
fn read_unreadable(text: String) -> serde_json::Result<UnreadableAnswers> {
    let StoredUnreadable { count, last_at, why } = serde_json::from_str(&text)?;
    Ok(UnreadableAnswers { count, last_at: Timestamp(last_at), why: why.into() })
}

fn send_text(send: LastSend) -> rusqlite::Result<String> {
    let LastSend { number, at, before, on_wire, publish_result } = send;
    let send = StoredSend { number, at: at.0, before: before.0, on_wire, publish_result: Worded(publish_result) };
    serde_json::to_string(&send).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function value where a String comes in")]
fn read_send(text: String) -> serde_json::Result<LastSend> {
    let StoredSend { number, at, before, on_wire, publish_result } = serde_json::from_str(&text)?;
    Ok(LastSend { number, at: Timestamp(at), before: Timestamp(before), on_wire, publish_result: publish_result.0 })
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function value where a String comes in")]
fn read_form(text: String) -> serde_json::Result<Arc<WireForm>> {
    serde_json::from_str::<StoredForm<'_>>(&text).map(|form| Arc::new(form.form()))
}

pub(super) fn length(stored: i64) -> Result<Millis, std::num::TryFromIntError> {
    u64::try_from(stored).map(Millis)
}
