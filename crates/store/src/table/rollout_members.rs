//! `rollout_members`: the devices of each rollout, in the order of release. The progress of a member is that of its
//! command, which names the rollout; once the command is deleted, its last state is kept here.

use rusqlite::{Connection, Row, ToSql, params, params_from_iter};
use wilco_ledger::{CommandId, DeviceId, State, Timestamp};

use super::{Columns, SqlEnum};
use crate::rollouts::{MemberFilter, NewMember, StoredMember};

pub(super) const CREATE: &str = "
    CREATE TABLE rollout_members (
        rollout     INTEGER NOT NULL,
        member      INTEGER NOT NULL,
        device      TEXT NOT NULL,
        args        TEXT,    -- its own arguments, where they are not everybody's
        state       TEXT,    -- of a command that is forgotten, and all that follows
        message     TEXT,
        attempt     INTEGER,
        released_at INTEGER,
        sent_at     INTEGER,
        finished_at INTEGER,
        earlier     TEXT,    -- JSON: the values before its command changed them, digit for digit
        PRIMARY KEY (rollout, member)
    ) STRICT, WITHOUT ROWID;";

const COLUMNS: &str = "m.member, m.device, m.args, m.earlier, coalesce(c.state, m.state), c.id, coalesce(c.message, m.message), \
     coalesce(c.attempt, m.attempt, 0), coalesce(c.submitted_at, m.released_at), coalesce(c.sent_at, m.sent_at), \
     coalesce(c.finished_at, m.finished_at)";
const WITH_COMMANDS: &str =
    "rollout_members m LEFT JOIN commands c ON c.rollout = m.rollout AND c.member = m.member AND c.rollout IS NOT NULL";

/// Adds the members of a rollout that has just been started.
pub(crate) fn insert(connection: &Connection, rollout: u32, members: &[NewMember]) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare_cached("INSERT INTO rollout_members (rollout, member, device, args) VALUES (?1, ?2, ?3, ?4)")?;
    for (place, member) in (0_u32..).zip(members) {
        statement.execute(params![rollout, place, member.device.as_str(), member.args.as_deref()])?;
    }
    Ok(())
}

/// All members of a rollout, in the order of release.
pub(crate) fn all(connection: &Connection, rollout: u32) -> rusqlite::Result<Vec<StoredMember>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM {WITH_COMMANDS} WHERE m.rollout = ?1 ORDER BY m.member"))?
        .query_map([rollout], read)?
        .collect()
}

/// Hands over each member of a rollout as it was started, in the order of release, with its place.
pub(crate) fn each(
    connection: &Connection,
    rollout: u32,
    mut take: impl FnMut(u32, NewMember),
) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare_cached("SELECT member, device, args FROM rollout_members WHERE rollout = ?1 ORDER BY member")?;
    let mut rows = statement.query([rollout])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::from(row, 0);
        let place = columns.get()?;
        let device = columns.checked(|device: String| DeviceId::new(device))?;
        take(place, NewMember { device, args: columns.get()? });
    }
    Ok(())
}

/// Some of a rollout's members, and how many match.
pub(crate) fn page(
    connection: &Connection,
    filter: &MemberFilter,
    from: u32,
    count: u32,
) -> rusqlite::Result<(Vec<StoredMember>, u32)> {
    let mut wanted = vec!["m.rollout = ?".to_owned()];
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(filter.rollout)];
    if let Some(range) = &filter.members {
        wanted.push("m.member >= ? AND m.member < ?".to_owned());
        values.extend([Box::new(range.start) as Box<dyn ToSql>, Box::new(range.end)]);
    }
    if !filter.states.is_empty() {
        let marks = vec!["?"; filter.states.len()].join(", ");
        wanted.push(format!("coalesce(c.state, m.state, '') IN ({marks})"));
        let word = |state: &Option<State>| Box::new(state.map_or("", SqlEnum::word)) as Box<dyn ToSql>;
        values.extend(filter.states.iter().map(word));
    }
    if let Some(message) = &filter.message {
        wanted.push("coalesce(c.message, m.message) = ?".to_owned());
        values.push(Box::new(message.clone()));
    }
    let wanted = wanted.join(" AND ");
    let matching = connection
        .prepare_cached(&format!("SELECT count(*) FROM {WITH_COMMANDS} WHERE {wanted}"))?
        .query_row(params_from_iter(&values), |row| row.get(0))?;
    let took = "coalesce(c.finished_at, m.finished_at) - coalesce(c.sent_at, m.sent_at)";
    let order = if filter.slowest_first { format!("{took} DESC NULLS LAST, m.member") } else { "m.member".to_owned() };
    values.extend([Box::new(count) as Box<dyn ToSql>, Box::new(from)]);
    let rows = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM {WITH_COMMANDS} WHERE {wanted} ORDER BY {order} LIMIT ? OFFSET ?"
        ))?
        .query_map(params_from_iter(&values), read)?
        .collect::<rusqlite::Result<_>>()?;
    Ok((rows, matching))
}

/// Notes what a member's device had before its command changes it.
pub(crate) fn note_earlier(connection: &Connection, rollout: u32, member: u32, values: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE rollout_members SET earlier = ?3 WHERE rollout = ?1 AND member = ?2")?
        .execute(params![rollout, member, values])?;
    Ok(())
}

/// Keeps of a command that is about to be forgotten what its rollout shows of it.
pub(crate) fn keep_outcome(connection: &Connection, command_row: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE rollout_members AS m SET state = c.state, message = c.message, attempt = c.attempt,
                 released_at = c.submitted_at, sent_at = c.sent_at, finished_at = c.finished_at
             FROM commands c WHERE c.row = ?1 AND m.rollout = c.rollout AND m.member = c.member",
        )?
        .execute([command_row])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredMember> {
    let mut columns = Columns::from(row, 0);
    Ok(StoredMember {
        member: columns.get()?,
        device: columns.checked(|device: String| DeviceId::new(device))?,
        args: columns.get()?,
        earlier: columns.get()?,
        state: columns.optional_word()?,
        command: columns.checked(|id: Option<String>| id.map(CommandId::new).transpose())?,
        message: columns.get()?,
        attempts: columns.get()?,
        released_at: columns.get::<Option<i64>>()?.map(Timestamp),
        sent_at: columns.get::<Option<i64>>()?.map(Timestamp),
        finished_at: columns.get::<Option<i64>>()?.map(Timestamp),
    })
}
