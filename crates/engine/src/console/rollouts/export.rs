//! Exports rollouts: one row per member, or a report.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use serde::Serialize;

use super::{Handle, blocking};
use crate::{
    api::{
        CommandDetail, Failure, FailureCode, FileToWrite, MemberQuery, MemberState, MemberView, ReportFormat,
        RolloutView,
    },
    history_writer::{exact_time, harmless, plain},
    output_file::{OutputFile, refused},
    rollouts::{self, LISTED, Report, SLOWEST},
};
use wilco_atomic_file::Readers;

/// The columns of members. Stages count from 1.
const COLUMNS: [&str; 11] = [
    "rollout",
    "device",
    "stage",
    "state",
    "command",
    "attempts",
    "released_at",
    "finished_at",
    "took_ms",
    "firmware",
    "message",
];

/// Bytes that are written at once.
const AT_ONCE: usize = 64 << 10;

/// A member with all that went to and fro for it. Stages count from 1.
#[derive(Serialize)]
struct Row<'a> {
    rollout: &'a str,
    #[serde(flatten)]
    member: &'a MemberView,
    /// Until its command is forgotten.
    evidence: Option<CommandDetail>,
}

impl Handle {
    /// Exports the matching members, or a report of the whole rollout, to a file, and returns the file's path. An
    /// existing file is replaced completely or not at all, and only if confirmed.
    ///
    /// # Errors
    /// `NotFound`; `Store`; [`FailureCode::File`] if it cannot be written, `Exists` if the file exists and must not be
    /// replaced.
    pub async fn export_rollout(
        &self,
        query: MemberQuery,
        to: FileToWrite,
        format: ReportFormat,
    ) -> Result<PathBuf, Failure> {
        let detail = self.rollout(&query.rollout).await?;
        // A path that cannot be written is reported before the data is collected.
        let file = blocking(move || OutputFile::begin(&to, Readers::Owner)).await?;
        match format {
            ReportFormat::Html | ReportFormat::Markdown => {
                let query = MemberQuery { rollout: query.rollout, states: failed_states(), ..MemberQuery::default() };
                let rollout = query.rollout.clone();
                let failed = self.members(query, 0, LISTED).await?.rows;
                let answered = answered_states();
                let slowest = MemberQuery { rollout, states: answered, slowest_first: true, ..MemberQuery::default() };
                let slowest = self.members(slowest, 0, SLOWEST).await?.rows;
                let connection = self.connection_name(&detail.rollout.spec.connection).await?;
                let at = self.clock.now().0;
                let report =
                    Report { detail: &detail, connection: &connection, failed: &failed, slowest: &slowest, at };
                let text = rollouts::report(&report, format).unwrap_or_default();
                blocking(move || append(file, text.as_bytes())?.finish()).await
            }
            ReportFormat::Csv => {
                let members = self.members(query, 0, u32::MAX).await?.rows;
                blocking(move || {
                    let mut file = file;
                    write_csv(&mut file, &detail.rollout, &members).map_err(|error| refused(file.path(), &error))?;
                    file.finish()
                })
                .await
            }
            ReportFormat::Json => {
                let members = self.members(query, 0, u32::MAX).await?.rows;
                self.write_json(file, &detail.rollout, members).await
            }
        }
    }

    async fn connection_name(&self, id: &str) -> Result<String, Failure> {
        let connections = self.connections().await?;
        Ok(connections.into_iter().find(|known| known.id == id).map_or_else(|| id.to_owned(), |known| known.name))
    }

    /// One member at a time, because the evidence of a hundred thousand would not fit in memory.
    async fn write_json(
        &self,
        mut file: OutputFile,
        rollout: &RolloutView,
        members: Vec<MemberView>,
    ) -> Result<PathBuf, Failure> {
        let mut rows = Vec::new();
        for mut member in members {
            let evidence = match &member.command {
                None => None,
                Some(command) => match self.command(&rollout.spec.connection, &member.device, command).await {
                    Err(failure) if failure.code == FailureCode::NotFound => None,
                    evidence => Some(evidence?),
                },
            };
            member.stage += 1;
            let row = Row { rollout: &rollout.id, member: &member, evidence };
            serde_json::to_writer(&mut rows, &row).map_err(|error| refused(file.path(), &error.into()))?;
            rows.push(b'\n');
            if rows.len() >= AT_ONCE {
                let full = std::mem::take(&mut rows);
                file = blocking(move || append(file, &full)).await?;
            }
        }
        blocking(move || append(file, &rows)?.finish()).await
    }
}

/// The states of members that failed.
fn failed_states() -> Vec<MemberState> {
    MemberState::ALL.into_iter().filter(|state| state.has_failed()).collect()
}

/// The states that devices themselves have given members.
fn answered_states() -> Vec<MemberState> {
    let is_answer = |state: &MemberState| matches!(state, MemberState::Released(state) if state.is_from_device());
    MemberState::ALL.into_iter().filter(is_answer).collect()
}

fn write_csv(file: &mut OutputFile, rollout: &RolloutView, members: &[MemberView]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(file));
    writer.write_record(COLUMNS).map_err(plain)?;
    for member in members {
        let time = |at: Option<i64>| at.map(exact_time).unwrap_or_default();
        let cells: [String; COLUMNS.len()] = [
            rollout.id.clone(),
            member.device.clone(),
            (member.stage + 1).to_string(),
            member.state.as_str().to_owned(),
            member.command.clone().unwrap_or_default(),
            member.attempts.to_string(),
            time(member.released_at),
            time(member.finished_at),
            member.took_ms.map(|took| took.to_string()).unwrap_or_default(),
            member.firmware.clone().unwrap_or_default(),
            member.message.clone().unwrap_or_default(),
        ];
        writer.write_record(cells.iter().map(|cell| harmless(cell).into_owned())).map_err(plain)?;
    }
    writer.flush()
}

fn append(mut file: OutputFile, bytes: &[u8]) -> Result<OutputFile, Failure> {
    file.write_all(bytes).map_err(|error| refused(file.path(), &error))?;
    Ok(file)
}
