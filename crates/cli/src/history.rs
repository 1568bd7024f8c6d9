//! `wilco history`: what was asked and what became of it, newest first.

use std::{path::Path, process::ExitCode};

use jiff::Timestamp;
use serde::Serialize;
use wilco_engine::api::{CommandView, HistoryQuery};

use crate::{
    base::Base,
    options::{Format, HistoryOptions},
    output::{CommandLine, Output, Table, clean, local_time, state_name, state_style},
    problem::Problem,
};

/// Rows of one page.
const PAGE: u32 = 1_000;

/// Does it.
pub(crate) async fn run(options: HistoryOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let base = Base::open(data_dir).await?;
    let outcome = print(&base, options).await;
    base.close().await;
    outcome
}

async fn print(base: &Base, options: HistoryOptions) -> Result<ExitCode, Problem> {
    let HistoryOptions { connection, device, state, since, limit, format } = options;
    let connection = base.connection(&connection).await?;
    let query = HistoryQuery { connection: Some(connection.id), device, states: state, since, cursor: None, limit: 0 };
    let mut sheet = Sheet::new(format)?;
    let mut left = limit;
    let mut cursor = None;
    while left > 0 {
        let query = HistoryQuery { cursor, limit: left.min(PAGE), ..query.clone() };
        let page = base.console().history(query).await?;
        page.commands.iter().try_for_each(|command| sheet.add(command))?;
        left = left.saturating_sub(u32::try_from(page.commands.len()).unwrap_or(u32::MAX));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    sheet.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// What the rows are written to. A table is held back until its columns' widths are known.
enum Sheet {
    Table(Table),
    Json(Output),
    Csv(Box<csv::Writer<Output>>),
}

impl Sheet {
    fn new(format: Format) -> Result<Sheet, Problem> {
        Ok(match format {
            Format::Table => Sheet::Table(Table::new(["TIME", "DEVICE", "COMMAND", "STATE", "TOOK", "BY", "MESSAGE"])),
            Format::Json => Sheet::Json(Output::data()),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(Output::data());
                writer.write_record(COLUMNS)?;
                Sheet::Csv(Box::new(writer))
            }
        })
    }

    fn add(&mut self, command: &CommandView) -> Result<(), Problem> {
        match self {
            Sheet::Table(table) => table.row([
                local_time(command.queued_at).into(),
                clean(&command.device).into_owned().into(),
                clean(&format!("{}{}", command.command, arguments(command))).into_owned().into(),
                (state_name(&command.state), state_style(&command.state)).into(),
                command.finished_at.map(|at| took(at - command.queued_at)).unwrap_or_default().into(),
                clean(&command.by).into_owned().into(),
                remark(command).into(),
            ]),
            Sheet::Json(output) => output.json(&Row { at: command.changed_at, command })?,
            Sheet::Csv(writer) => writer.write_record(record(command))?,
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Problem> {
        match self {
            Sheet::Table(table) => table.print(&mut Output::text()),
            Sheet::Json(mut output) => output.flush(),
            Sheet::Csv(mut writer) => Ok(writer.flush()?),
        }
    }
}

/// The members of `wilco send`'s lines, and all the others.
#[derive(Serialize)]
struct Row<'a> {
    at: i64,
    #[serde(flatten)]
    command: &'a CommandView,
}

const COLUMNS: [&str; 20] = [
    "id",
    "device",
    "command",
    "args",
    "by",
    "state",
    "queued_at",
    "sent_at",
    "at_broker_at",
    "accepted_at",
    "finished_at",
    "attempts",
    "match",
    "late",
    "duplicates",
    "conflict",
    "contradicted",
    "again_of",
    "message",
    "result",
];

fn record(command: &CommandView) -> [String; COLUMNS.len()] {
    let time = |at: Option<i64>| at.map(exact_time).unwrap_or_default();
    [
        command.id.clone(),
        command.device.clone(),
        command.command.clone(),
        command.args.to_string(),
        command.by.clone(),
        command.state.clone(),
        exact_time(command.queued_at),
        time(command.sent_at),
        time(command.at_broker_at),
        time(command.accepted_at),
        time(command.finished_at),
        command.attempts.to_string(),
        command.matched.clone().unwrap_or_default(),
        command.late.to_string(),
        command.duplicates.to_string(),
        command.conflict.to_string(),
        command.contradicted.clone().unwrap_or_default(),
        command.again_of.clone().unwrap_or_default(),
        command.message.clone().unwrap_or_default(),
        command.result.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}

/// RFC 3339, in UTC, to the millisecond.
fn exact_time(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |time| format!("{time:.3}"))
}

fn arguments(command: &CommandView) -> String {
    match command.args.as_object() {
        Some(members) if members.is_empty() => String::new(),
        _ => format!(" {}", command.args),
    }
}

fn remark(command: &CommandView) -> String {
    let line = CommandLine::of(command);
    let said = line.message.clone().or_else(|| line.result.as_ref().map(ToString::to_string));
    let said = said.map(|said| clean(&said).into_owned());
    let remarks = line.remarks().into_iter().map(|remark| format!("[{remark}]"));
    said.into_iter().chain(remarks).collect::<Vec<_>>().join("  ")
}

fn took(milliseconds: i64) -> String {
    match milliseconds.max(0) {
        short @ 0..10_000 => format!("{short} ms"),
        long => format!("{}.{} s", long / 1_000, long % 1_000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::{exact_time, took};

    #[test]
    fn times_are_exact_for_programs_and_short_for_people() {
        assert_eq!(exact_time(1_795_438_800_120), "2026-11-23T10:20:00.120Z".replace("10:20", &hour_and_minute()));
        assert_eq!(took(9), "9 ms");
        assert_eq!(took(12_340), "12.3 s");
    }

    fn hour_and_minute() -> String {
        let seconds = 1_795_438_800 % 86_400;
        format!("{:02}:{:02}", seconds / 3_600, seconds % 3_600 / 60)
    }
}
