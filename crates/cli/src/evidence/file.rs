//! `wilco evidence export`, `verify` and `show`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use wilco_engine::{
    api::{EvidenceExport, EvidenceFileView, EvidenceOf, EvidenceSignature, HistoryQuery},
    evidence_file,
};

use crate::{
    base::Base,
    options::{EvidenceExportOptions, EvidenceTask, Listing},
    output::{Output, clean, file_to_write, local_time, several},
    problem::{NOT_DONE, Problem},
};

/// Commands of a connection among which one is looked for, in one page.
const PAGE: u32 = 1_000;

/// Does it.
pub(super) async fn run(task: EvidenceTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    match task {
        EvidenceTask::Export(options) => {
            let base = Base::open(data_dir).await?;
            let outcome = export(&base, options).await;
            base.close().await;
            outcome
        }
        EvidenceTask::Verify { file, output } => {
            let found = read(file).await?;
            match output {
                Listing::Json => {
                    let mut output = Output::data();
                    output.json(&EvidenceFileView { records: Vec::new(), ..found.clone() })?;
                    output.flush()?;
                }
                Listing::Text => {
                    let mut output = Output::text();
                    head(&found).iter().chain(&verdict(&found)).try_for_each(|line| output.line(&clean(line)))?;
                    output.flush()?;
                }
            }
            Ok(exit(&found))
        }
        EvidenceTask::Show { file, output } => {
            let found = read(file).await?;
            show(&found, output)?;
            Ok(exit(&found))
        }
    }
}

/// Reads a file where that may take its time.
async fn read(file: PathBuf) -> Result<EvidenceFileView, Problem> {
    let read = tokio::task::spawn_blocking(move || evidence_file::read(&file)).await;
    Ok(read.map_err(|error| Problem::from(std::io::Error::other(error)))??)
}

async fn export(base: &Base, options: EvidenceExportOptions) -> Result<ExitCode, Problem> {
    let EvidenceExportOptions { connection, command, device, rollout, audit: _, since, until, to, force } = options;
    let to = file_to_write(&to, force)?;
    let connection = match connection {
        Some(name) => base.connection(&name).await?.id,
        None => String::new(),
    };
    let of = match (command, device, rollout) {
        (Some(id), _, _) => EvidenceOf::Command { device: device_of(base, &connection, &id).await?, connection, id },
        (_, Some(device), _) => EvidenceOf::Device { connection, device, since, until },
        (_, _, Some(rollout)) => EvidenceOf::Rollout { rollout: rollout.trim().to_owned() },
        (None, None, None) => EvidenceOf::Audit { since },
    };
    let EvidenceExport { path, records, signature } = base.console().save_evidence(of, to).await?;
    let mut output = Output::text();
    output.line(&format!("Wrote {} to {}.", several(records as usize, "record"), path.display()))?;
    output.line(&clean(&signed(&signature)))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The device of a command, which the history knows.
async fn device_of(base: &Base, connection: &str, id: &str) -> Result<String, Problem> {
    for automatic in [false, true] {
        let mut cursor = None;
        loop {
            let query = HistoryQuery {
                connection: Some(connection.to_owned()),
                automatic,
                cursor,
                limit: PAGE,
                ..HistoryQuery::default()
            };
            let page = base.console().history(query).await?;
            if let Some(command) = page.commands.into_iter().find(|command| command.id == id) {
                return Ok(command.device);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    let hint = "List the commands with their IDs: wilco history --format json.";
    Err(Problem::new(format!("There is no command '{id}' on this connection."), hint))
}

fn show(found: &EvidenceFileView, listing: Listing) -> Result<(), Problem> {
    if listing == Listing::Json {
        let mut output = Output::data();
        found.records.iter().try_for_each(|record| output.json(record))?;
        return output.flush();
    }
    let mut output = Output::text();
    head(found).iter().try_for_each(|line| output.line(&clean(line)))?;
    for record in &found.records {
        let at = record.at.map(local_time).unwrap_or_default();
        let altered = if record.altered { "ALTERED  " } else { "" };
        output.line(&clean(&format!("{altered}{at:<19}  {:<12}  {}", record.kind.as_str(), record.text)))?;
    }
    let left_out = (found.record_count as usize).saturating_sub(found.records.len());
    if left_out > 0 {
        output.line(&format!("{} not shown.", several(left_out, "record")))?;
    }
    verdict(found).iter().try_for_each(|line| output.line(&clean(line)))?;
    output.flush()
}

fn head(found: &EvidenceFileView) -> Vec<String> {
    let by = match &found.operator {
        Some(operator) => format!("{operator} ({} on {})", found.os_user, found.machine),
        None => format!("{} on {}", found.os_user, found.machine),
    };
    vec![found.title.clone(), format!("Saved at {} by {by}, with Wilco {}", local_time(found.written_at), found.wilco)]
}

fn verdict(found: &EvidenceFileView) -> Vec<String> {
    let mut lines: Vec<_> = found.problems.iter().map(|problem| format!("Problem: {}", problem.text)).collect();
    if lines.is_empty() {
        lines.push(match found.record_count {
            1 => "The record is unaltered.".to_owned(),
            more => format!("All {} are unaltered.", several(more as usize, "record")),
        });
    }
    lines.push(signed(&found.signature));
    lines
}

fn signed(signature: &EvidenceSignature) -> String {
    match signature {
        EvidenceSignature::Signed { fingerprint } => format!("Signed by the key {fingerprint}"),
        EvidenceSignature::Unsigned { why } => format!("Not signed: {why}. Anyone may have written this file."),
        EvidenceSignature::Invalid => "The signature is not valid.".to_owned(),
    }
}

fn exit(found: &EvidenceFileView) -> ExitCode {
    if found.holds() { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) }
}
