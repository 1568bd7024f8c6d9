//! `wilco history`: lists commands and their results, newest first.

use std::{path::Path, process::ExitCode};

use wilco_engine::{
    StoredHistory,
    api::{CommandView, ExportFormat, Failure, FailureCode, HistoryCause, HistoryCauses, HistoryPage, HistoryQuery},
    history_writer::{self, HistoryWriter},
    paths::DataDir,
};

use crate::{
    base::{self, Base},
    check,
    options::{Format, HistoryOptions},
    output::{CommandLine, Output, Table, clean, count, local_time, state_name, state_style, visible_name},
    problem::{self, Problem},
};

/// Rows of one page.
const PAGE: u32 = 1_000;

/// Does it.
pub(crate) async fn run(options: HistoryOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let source = Source::open(&DataDir::open(data_dir).map_err(Failure::from)?).await?;
    if let Source::Engine(base) = &source {
        // The history is printed even if it cannot be checked now.
        let _ = check::warn(base.console()).await;
    }
    let outcome = print(&source, options).await;
    if let Source::Engine(base) = source {
        base.close().await;
    }
    outcome
}

/// Where the history comes from.
enum Source {
    Engine(Base),
    /// No engine can start, because nothing can be written.
    Stored(StoredHistory),
}

impl Source {
    async fn open(data_dir: &DataDir) -> Result<Source, Problem> {
        let failure = match Base::of(data_dir).await {
            Ok(base) => return Ok(Source::Engine(base)),
            Err(failure) => failure,
        };
        if failure.code == FailureCode::Store
            && let Ok(stored) = StoredHistory::open(data_dir).await
        {
            problem::warn(&failure.message, failure.hint.as_deref());
            return Ok(Source::Stored(stored));
        }
        Err(failure.into())
    }

    /// The id of the connection of that name.
    async fn connection(&self, name: &str) -> Result<String, Problem> {
        let stored = match self {
            Source::Engine(base) => return Ok(base.connection(name).await?.id),
            Source::Stored(stored) => stored,
        };
        let all = stored.connections().await?;
        let found = all.iter().find(|(_, known)| known == name).or_else(|| all.iter().find(|(id, _)| id == name));
        match found {
            Some((id, _)) => Ok(id.clone()),
            None => Err(base::no_connection(name, all.iter().map(|(_, known)| known.as_str()))),
        }
    }

    async fn page(&self, query: HistoryQuery) -> Result<HistoryPage, Failure> {
        match self {
            Source::Engine(base) => base.console().history(query).await,
            Source::Stored(stored) => stored.history(query).await,
        }
    }

    async fn causes(&self, query: HistoryQuery) -> Result<HistoryCauses, Failure> {
        match self {
            Source::Engine(base) => base.console().history_causes(query).await,
            Source::Stored(stored) => stored.history_causes(query).await,
        }
    }
}

async fn print(source: &Source, options: HistoryOptions) -> Result<ExitCode, Problem> {
    let HistoryOptions { connection, device, state, since, automatic, search, by_cause, limit, format } = options;
    let connection = source.connection(&connection).await?;
    let query = HistoryQuery {
        connection: Some(connection),
        device,
        states: state,
        since,
        automatic,
        search: search.unwrap_or_default(),
        ..HistoryQuery::default()
    };
    if by_cause {
        return print_causes(source, HistoryQuery { limit, ..query }, format).await;
    }
    let mut listed = HistoryOutput::new(format)?;
    let mut left = limit;
    let mut cursor = None;
    while left > 0 {
        let query = HistoryQuery { cursor, limit: left.min(PAGE), ..query.clone() };
        let page = source.page(query).await?;
        page.commands.iter().try_for_each(|command| listed.add(command))?;
        left = left.saturating_sub(u32::try_from(page.commands.len()).unwrap_or(u32::MAX));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    listed.finish()?;
    Ok(ExitCode::SUCCESS)
}

async fn print_causes(source: &Source, query: HistoryQuery, format: Format) -> Result<ExitCode, Problem> {
    let HistoryCauses { causes, commands, more } = source.causes(query).await?;
    match format {
        Format::Json => {
            let mut output = Output::data();
            causes.iter().try_for_each(|cause| output.json(cause))?;
            output.flush()?;
        }
        Format::Csv => history_writer::write_causes(&causes, Output::data())?.flush()?,
        Format::Table => print_table(&causes)?,
    }
    if more {
        problem::warn(&format!("Only the newest {} failed commands were counted.", count(commands as usize)), None);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_table(causes: &[HistoryCause]) -> Result<(), Problem> {
    let mut table = Table::new(["COUNT", "STATE", "LATEST", "MESSAGE"]);
    for cause in causes {
        table.row([
            count(cause.count as usize).into(),
            (state_name(cause.state), state_style(cause.state)).into(),
            local_time(cause.latest_at).into(),
            clean(&cause.message).into_owned().into(),
        ]);
    }
    table.print(&mut Output::text())
}

/// The output of the rows. A table is held back until the widths of its columns are known.
enum HistoryOutput {
    Table(Table),
    HistoryWriter(HistoryWriter<Output>),
}

impl HistoryOutput {
    fn new(format: Format) -> Result<HistoryOutput, Problem> {
        let history_writer = |format| Ok(HistoryOutput::HistoryWriter(HistoryWriter::begin(format, Output::data())?));
        match format {
            Format::Table => {
                Ok(HistoryOutput::Table(Table::new(["TIME", "DEVICE", "COMMAND", "STATE", "TOOK", "BY", "MESSAGE"])))
            }
            Format::Json => history_writer(ExportFormat::Json),
            Format::Csv => history_writer(ExportFormat::Csv),
        }
    }

    fn add(&mut self, command: &CommandView) -> Result<(), Problem> {
        match self {
            HistoryOutput::Table(table) => table.row([
                local_time(command.queued_at).into(),
                visible_name(&command.device).into_owned().into(),
                clean(&format!("{}{}", command.command, arguments(command))).into_owned().into(),
                (state_name(command.state), state_style(command.state)).into(),
                command.finished_at.map(|at| took(at - command.queued_at)).unwrap_or_default().into(),
                clean(&command.requested_by()).into_owned().into(),
                remark(command).into(),
            ]),
            HistoryOutput::HistoryWriter(history_writer) => history_writer.add(command)?,
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Problem> {
        match self {
            HistoryOutput::Table(table) => table.print(&mut Output::text()),
            HistoryOutput::HistoryWriter(history_writer) => {
                history_writer.finish()?;
                Ok(())
            }
        }
    }
}

fn arguments(command: &CommandView) -> String {
    if command.args.as_str() == "{}" { String::new() } else { format!(" {}", command.args) }
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
    use super::took;

    #[test]
    fn a_length_of_time_is_short() {
        let check = |milliseconds: i64, expected: &str| assert_eq!(took(milliseconds), expected);
        check(-1, "0 ms");
        check(9, "9 ms");
        check(9_999, "9999 ms");
        check(12_340, "12.3 s");
    }
}
