//! `wilco check`: checks that the stored history is complete and undamaged.

use std::{path::Path, process::ExitCode};

use serde_json::json;
use wilco_engine::{
    api::{Client, Failure, HistoryCheck},
    lock::DataLock,
    paths::DataDir,
    store::{self, Recovered},
};

use crate::{
    base::Base,
    options::{CheckOptions, Listing},
    output::{Output, clean, several},
    problem::{self, NOT_DONE, Problem},
};

/// Does it. Ends with 1 where something is missing or damaged.
pub(crate) async fn run(options: CheckOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    if let Some(to) = options.recover {
        return recover(data_dir, &to, options.output).await;
    }
    let base = Base::open(data_dir).await?;
    let found = base.console().check_history(true).await;
    base.close().await;
    print(&found?, options.output)
}

/// Copies what can be read into a new data directory. Ends with 1 where that is not everything.
async fn recover(data_dir: Option<&Path>, to: &Path, listing: Listing) -> Result<ExitCode, Problem> {
    let from = DataDir::open(data_dir).map_err(Failure::from)?;
    let to = DataDir::open(Some(to)).map_err(Failure::from)?;
    let shown = to.path().display().to_string();
    let copied = tokio::task::spawn_blocking(move || {
        let _locks = (DataLock::acquire(from.path())?, DataLock::acquire(to.path())?);
        Ok::<_, Failure>(store::recover(from.path(), to.path())?)
    });
    let Recovered { events, commands, complete } =
        copied.await.map_err(|error| Problem::new(format!("Internal error: {error}."), "Try again."))??;
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            output.json(&json!({ "events": events, "commands": commands, "complete": complete }))?;
            output.flush()?;
        }
        Listing::Text => {
            let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let (events, commands) = (several(number(events), "event"), several(number(commands), "command"));
            let mut output = Output::text();
            output.line(&format!("Copied {events} of {commands} to {}.", clean(&shown)))?;
            if !complete {
                output.line("Some of the history could not be read.")?;
            }
            output.line("Passwords and keys stay in the keyring of the old data directory: enter them again.")?;
            output.flush()?;
        }
    }
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
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
