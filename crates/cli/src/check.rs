//! `wilco check`: whether the stored history is as it was written.

use std::{path::Path, process::ExitCode};

use wilco_engine::api::{Client, HistoryCheck};

use crate::{
    base::Base,
    options::{CheckOptions, Listing},
    output::{Output, clean, several},
    problem::{self, NOT_DONE, Problem},
};

/// Does it. Ends with 1 where something is missing or damaged.
pub(crate) async fn run(options: CheckOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let base = Base::open(data_dir).await?;
    let found = base.console().check_history(true).await;
    base.close().await;
    print(&found?, options.output)
}

fn print(found: &HistoryCheck, listing: Listing) -> Result<ExitCode, Problem> {
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            output.json(found)?;
            output.flush()?;
        }
        Listing::Text => {
            let checked = several(usize::try_from(found.checked).unwrap_or(usize::MAX), "event");
            let mut output = Output::text();
            output.line(&match found.is_sound() {
                true => format!("The history is complete and undamaged: {checked} checked."),
                false => format!("{checked} checked."),
            })?;
            for (message, hint) in found.sentences() {
                output.line(&clean(&message))?;
                output.line(&format!("  {}", clean(&hint)))?;
            }
            output.flush()?;
        }
    }
    Ok(if found.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
}

/// Says on standard error what is missing or damaged, before something of the history is printed.
pub(crate) async fn warn(console: &Client) -> Result<(), Problem> {
    for (message, hint) in console.check_history(false).await?.sentences() {
        problem::warn(&message, Some(&hint));
    }
    Ok(())
}
