//! `wilco operator`: the operator name that other consoles see beside a command.

use std::{path::Path, process::ExitCode};

use wilco_engine::api::Settings;

use crate::{
    base::Base,
    options::OperatorOptions,
    output::{Output, visible_name},
    problem::Problem,
};

/// Does it.
pub(crate) async fn run(options: OperatorOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let base = Base::open(data_dir).await?;
    let outcome = show_or_change(&base, options).await;
    base.close().await;
    outcome
}

async fn show_or_change(base: &Base, OperatorOptions { name, clear }: OperatorOptions) -> Result<ExitCode, Problem> {
    let settings = base.console().settings().await?;
    if name.is_some() || clear {
        base.console().change_settings(Settings { operator_name: name, ..settings }).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut output = Output::text();
    match settings.operator_name {
        Some(name) => output.line(&visible_name(&name))?,
        None => output.line("No operator name is set.")?,
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}
