//! Imports and exports devices as CSV.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use wilco_engine::api::{DeviceImport, DeviceQuery};

use crate::{
    base::Base,
    options::{DeviceExportOptions, DeviceImportOptions},
    output::{Output, clean, count, file_to_write, several, visible_name},
    problem::{self, NOT_DONE, Problem},
};

/// The advice after an import that was stopped.
const AGAIN: &str = "Run it again to import the rest. Imported lines are kept.";

/// Imports a file, or lists what would change.
pub(super) async fn import(base: &Base, options: DeviceImportOptions) -> Result<ExitCode, Problem> {
    let DeviceImportOptions { connection, file, dry_run } = options;
    let connection = base.connection(&connection).await?;
    let path = std::path::absolute(file)?;
    let (sender, received) = unbounded_channel();
    let console = base.console();
    let ask = async {
        if dry_run {
            console.read_device_file(&connection.id, path, sender).await
        } else {
            console.import_devices(&connection.id, path, sender).await
        }
    };
    let (import, ()) = tokio::join!(ask, follow(received));
    let import = import?;
    let mut output = Output::text();
    let unused: Vec<_> = import.columns.iter().filter(|column| column.kind.is_none()).collect();
    if !unused.is_empty() {
        let names: Vec<_> = unused.iter().map(|column| visible_name(&column.name)).collect();
        output.line(&format!("Not used: {}.", names.join(", ")))?;
    }
    output.line(&said(&import, dry_run))?;
    output.flush()?;
    for error in &import.errors {
        problem::warn(&format!("Line {}: {}", count(error.line as usize), clean(&error.message)), None);
    }
    if import.stopped {
        problem::warn("The import was stopped.", Some(AGAIN));
    }
    if import.refused == 0 {
        return Ok(if import.stopped { ExitCode::from(NOT_DONE) } else { ExitCode::SUCCESS });
    }
    let unnamed = import.refused as usize - import.errors.len();
    let more = if unnamed > 0 { format!(", {} of them not named here", count(unnamed)) } else { String::new() };
    let (refused, lines) = (count(import.refused as usize), several(import.lines as usize, "line"));
    problem::warn(&format!("{refused} of {lines} cannot be imported{more}."), None);
    Ok(ExitCode::from(NOT_DONE))
}

/// Says what becomes of an import that is no longer waited for.
pub(super) fn print_interrupted(base: &Base) {
    if base.is_own() {
        problem::warn("Interrupted; the import is incomplete.", Some(AGAIN));
    } else {
        problem::warn("Interrupted; the import continues in the running Wilco.", None);
    }
}

/// Writes devices to a file.
pub(super) async fn export(base: &Base, options: DeviceExportOptions) -> Result<ExitCode, Problem> {
    let DeviceExportOptions { connection, search, to, force } = options;
    let to = file_to_write(&to, force)?;
    let connection = base.connection(&connection).await?;
    let query = DeviceQuery { connection: connection.id, search, ..DeviceQuery::default() };
    let export = base.console().export_devices(query, to).await?;
    let mut output = Output::text();
    let devices = devices(export.devices);
    output.line(&format!("Wrote {devices} to {}.", export.path.display()))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// How far it is, for people who look.
async fn follow(mut received: UnboundedReceiver<DeviceImport>) {
    let mut err = std::io::stderr();
    let shown = err.is_terminal();
    let mut percent = None;
    while let Some(import) = received.recv().await {
        let now = import.bytes.saturating_mul(100) / import.total_bytes.max(1);
        if shown && percent.replace(now) != Some(now) {
            let _ = write!(err, "\r{now} %, {} lines", count(import.lines as usize));
        }
    }
    if percent.is_some() && shown {
        let _ = write!(err, "\r\x1b[K");
    }
}

fn said(import: &DeviceImport, dry_run: bool) -> String {
    let DeviceImport { new, changed, same, .. } = *import;
    if dry_run {
        return format!("New: {}. Changed: {}. Unchanged: {}.", devices(new), devices(changed), devices(same));
    }
    format!("Added {}, changed {}; {} unchanged.", devices(new), devices(changed), devices(same))
}

fn devices(number: u32) -> String {
    several(number as usize, "device")
}
