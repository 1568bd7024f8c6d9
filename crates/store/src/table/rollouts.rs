//! `rollouts`: the parameters of each rollout, and its progress without that of its members' commands.

use std::{borrow::Cow, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use wilco_definitions::MemberCounts;
use wilco_ledger::{
    Timestamp,
    rollout::{HaltReason, Progress, StageProgress, Suspension},
};

use super::{Columns, rollout_unexpected_devices, unwritable};
use crate::{
    ConnectionId,
    fact::{StoredForm, StoredPolicy},
    rollouts::{CommandTemplate, RolloutSnapshot, StoredApproval, StoredRollout},
};

pub(super) const CREATE: &str = "
    CREATE TABLE rollouts (
        number     INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice
        connection TEXT NOT NULL,
        spec       TEXT NOT NULL,                     -- JSON: what was asked for, without the devices
        template   TEXT NOT NULL,                     -- JSON: what each member is sent
        stages     TEXT NOT NULL,                     -- JSON: the number of members of each
        progress   TEXT NOT NULL,                     -- JSON
        counts     TEXT NOT NULL,                     -- JSON: the members of each stage by state, when it was written
        approval   TEXT                               -- JSON; NULL where it needs none
    ) STRICT;
    CREATE INDEX rollouts_of_connection ON rollouts (connection);";

const COLUMNS: &str = "number, connection, spec, template, stages, progress, counts, approval";

/// The highest number that was ever given.
pub(crate) fn last_number(connection: &Connection) -> rusqlite::Result<u32> {
    connection
        .query_row("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'rollouts'", [], |row| row.get(0))
}

/// Adds one that has just been started.
pub(crate) fn insert(connection: &Connection, rollout: &StoredRollout) -> rusqlite::Result<()> {
    let StoredRollout { number, connection: of, spec, template, stages, snapshot, approval } = rollout;
    connection
        .prepare_cached(
            "INSERT INTO rollouts (number, connection, spec, template, stages, progress, counts, approval)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            number,
            of.as_str(),
            json(spec)?,
            json(&StoredTemplate::of(template))?,
            json(stages)?,
            json(&StoredProgress::of(&snapshot.progress))?,
            json(&snapshot.counts)?,
            approval.as_ref().map(json).transpose()?,
        ])?;
    Ok(())
}

/// Notes what became of the approval that one needs.
pub(crate) fn approval(connection: &Connection, number: u32, approval: &StoredApproval) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE rollouts SET approval = ?2 WHERE number = ?1")?
        .execute(params![number, json(approval)?])?;
    Ok(())
}

/// Notes how far one is.
pub(crate) fn update(connection: &Connection, number: u32, snapshot: &RolloutSnapshot) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE rollouts SET progress = ?2, counts = ?3 WHERE number = ?1")?.execute(params![
        number,
        json(&StoredProgress::of(&snapshot.progress))?,
        json(&snapshot.counts)?
    ])?;
    Ok(())
}

/// Replaces the note of one.
pub(crate) fn note(connection: &Connection, number: u32, note: Option<&str>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE rollouts SET spec = json_set(spec, '$.note', ?2) WHERE number = ?1")?
        .execute(params![number, note])?;
    Ok(())
}

/// The approval that one needs.
pub(crate) fn approval_of(connection: &Connection, number: u32) -> rusqlite::Result<Option<StoredApproval>> {
    connection
        .prepare_cached("SELECT approval FROM rollouts WHERE number = ?1")?
        .query_row([number], |row| {
            Columns::from(row, 0).checked(|text: Option<String>| text.map(from_json).transpose())
        })
        .optional()
        .map(Option::flatten)
}

/// Halts those that may release further members, now or when a person resumes them: the history has lost events, so members
/// that seem not released may have been.
pub(crate) fn halt_where_events_are_missing(connection: &Connection) -> rusqlite::Result<()> {
    let mut all = connection.prepare(&format!("SELECT {COLUMNS} FROM rollouts ORDER BY number"))?;
    let all: Vec<StoredRollout> = all.query_map([], read)?.collect::<Result<_, _>>()?;
    for StoredRollout { number, mut snapshot, .. } in all {
        let is_pending = || {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM rollout_members m WHERE m.rollout = ?1 AND m.state IS NULL AND NOT EXISTS
                         (SELECT 1 FROM commands c WHERE c.rollout = m.rollout AND c.member = m.member))",
                )?
                .query_row([number], |row| row.get::<_, bool>(0))
        };
        let may_go_on = !matches!(snapshot.progress.suspension, Some(Suspension::Unapproved | Suspension::Stopped));
        if may_go_on && is_pending()? {
            snapshot.progress.suspension = Some(Suspension::Halted(HaltReason::EventsMissing));
            update(connection, number, &snapshot)?;
        }
    }
    Ok(())
}

/// All of a connection, oldest first.
pub(crate) fn all(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Vec<StoredRollout>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM rollouts WHERE connection = ?1 ORDER BY number"))?
        .query_map([id.as_str()], read)?
        .collect()
}

/// One of a connection that is not removed.
pub(crate) fn find(connection: &Connection, number: u32) -> rusqlite::Result<Option<StoredRollout>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM rollouts
             WHERE number = ?1 AND connection NOT IN (SELECT connection FROM removed)"
        ))?
        .query_row([number], read)
        .optional()
}

/// Forgets up to `limit` rows of the rollouts of a connection that is gone. Says whether there were any.
pub(super) fn sweep(connection: &Connection, id: &str, limit: u32) -> rusqlite::Result<bool> {
    let of_it = "rollout IN (SELECT number FROM rollouts WHERE connection = ?1)";
    let members = connection
        .prepare_cached(&format!(
            "DELETE FROM rollout_members WHERE (rollout, member) IN
                 (SELECT rollout, member FROM rollout_members WHERE {of_it} LIMIT ?2)"
        ))?
        .execute(params![id, limit])?;
    if members > 0 {
        return Ok(true);
    }
    rollout_unexpected_devices::sweep(connection, id)?;
    Ok(connection.prepare_cached("DELETE FROM rollouts WHERE connection = ?1")?.execute([id])? > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredRollout> {
    let mut columns = Columns::from(row, 0);
    Ok(StoredRollout {
        number: columns.get()?,
        connection: ConnectionId::from(columns.get::<String>()?),
        spec: columns.checked(from_json)?,
        template: columns
            .checked(|text: String| serde_json::from_str::<StoredTemplate<'_>>(&text).map(StoredTemplate::template))?,
        stages: columns.checked(from_json)?,
        snapshot: RolloutSnapshot {
            progress: columns
                .checked(|text: String| from_json::<StoredProgress>(text).map(StoredProgress::progress))?,
            counts: columns.checked(from_json::<Vec<MemberCounts>>)?,
        },
        approval: columns.checked(|text: Option<String>| text.map(from_json).transpose())?,
    })
}

/// What of a template is neither its name nor its arguments, as JSON.
pub(crate) fn form_and_policy(template: &CommandTemplate) -> serde_json::Result<String> {
    let rest = StoredTemplate { name: Cow::Borrowed(""), args: Cow::Borrowed(""), ..StoredTemplate::of(template) };
    serde_json::to_string(&rest)
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function value where a String comes in")]
fn from_json<T: serde::de::DeserializeOwned>(text: String) -> serde_json::Result<T> {
    serde_json::from_str(&text)
}

#[derive(Serialize, Deserialize)]
struct StoredTemplate<'a> {
    name: Cow<'a, str>,
    args: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<StoredForm<'a>>,
    policy: StoredPolicy,
}

impl<'a> StoredTemplate<'a> {
    fn of(template: &'a CommandTemplate) -> StoredTemplate<'a> {
        StoredTemplate {
            name: Cow::Borrowed(&template.name),
            args: Cow::Borrowed(&template.args),
            form: template.form.as_deref().map(StoredForm::of),
            policy: StoredPolicy::of(template.policy),
        }
    }

    fn template(self) -> CommandTemplate {
        CommandTemplate {
            name: self.name.into(),
            args: self.args.into(),
            form: self.form.map(|form| Arc::new(form.form())),
            policy: self.policy.policy(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredProgress {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suspension: Option<StoredSuspension>,
    stage: u32,
    stages: Vec<StoredStage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within_since: Option<i64>,
    ended_before: u32,
    failed_before: u32,
    started_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredSuspension {
    Unapproved,
    Paused,
    TooManyFailed { failed: u32, ended: u32 },
    Gate { why: String },
    EventsMissing,
    Stopped,
}

#[derive(Serialize, Deserialize)]
struct StoredStage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<i64>,
    closed: bool,
}

impl StoredProgress {
    fn of(progress: &Progress) -> StoredProgress {
        let at = |at: Option<Timestamp>| at.map(|at| at.0);
        StoredProgress {
            suspension: progress.suspension.as_ref().map(|suspension| match suspension {
                Suspension::Unapproved => StoredSuspension::Unapproved,
                Suspension::Paused => StoredSuspension::Paused,
                Suspension::Halted(HaltReason::Failures { failed, ended }) => {
                    StoredSuspension::TooManyFailed { failed: *failed, ended: *ended }
                }
                Suspension::Halted(HaltReason::Gate(why)) => StoredSuspension::Gate { why: why.to_string() },
                Suspension::Halted(HaltReason::EventsMissing) => StoredSuspension::EventsMissing,
                Suspension::Stopped => StoredSuspension::Stopped,
            }),
            stage: progress.stage,
            stages: progress
                .stages
                .iter()
                .map(|stage| StoredStage {
                    started_at: at(stage.started_at),
                    ended_at: at(stage.ended_at),
                    closed: stage.closed,
                })
                .collect(),
            within_since: at(progress.within_since),
            ended_before: progress.ended_before,
            failed_before: progress.failed_before,
            started_at: progress.started_at.0,
            ended_at: at(progress.ended_at),
        }
    }

    fn progress(self) -> Progress {
        let at = |at: Option<i64>| at.map(Timestamp);
        Progress {
            suspension: self.suspension.map(|suspension| match suspension {
                StoredSuspension::Unapproved => Suspension::Unapproved,
                StoredSuspension::Paused => Suspension::Paused,
                StoredSuspension::TooManyFailed { failed, ended } => {
                    Suspension::Halted(HaltReason::Failures { failed, ended })
                }
                StoredSuspension::Gate { why } => Suspension::Halted(HaltReason::Gate(why.into())),
                StoredSuspension::EventsMissing => Suspension::Halted(HaltReason::EventsMissing),
                StoredSuspension::Stopped => Suspension::Stopped,
            }),
            stage: self.stage,
            stages: self
                .stages
                .into_iter()
                .map(|stage| StageProgress {
                    started_at: at(stage.started_at),
                    ended_at: at(stage.ended_at),
                    closed: stage.closed,
                })
                .collect(),
            within_since: at(self.within_since),
            ended_before: self.ended_before,
            failed_before: self.failed_before,
            started_at: Timestamp(self.started_at),
            ended_at: at(self.ended_at),
        }
    }
}
