//! Forgets devices.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use super::chosen;
use crate::{
    base::Base,
    input::confirmed,
    options::ForgetOptions,
    output::{Output, count, several, visible_name},
    problem::{self, NOT_DONE, Problem},
};

/// Forgets them one after the other; those that cannot be forgotten are named, and the others are.
pub(super) async fn run(base: &Base, options: ForgetOptions) -> Result<ExitCode, Problem> {
    let ForgetOptions { which, yes } = options;
    let (connection, devices) = chosen(base, which).await?;
    let (shown, question, what) = match devices.as_slice() {
        [device] => {
            let commands = base.console().device(&connection.id, device).await?.command_count as usize;
            let shown = visible_name(device).into_owned();
            let question = format!(
                "Forget {shown} with its state, measurements, logs and {} of its history?",
                several(commands, "command")
            );
            let what = format!("Forgetting {shown} also removes its history");
            (shown, question, what)
        }
        some => {
            let shown = several(some.len(), "device");
            let question = format!("Forget {shown} with their state, measurements, logs and history?");
            let what = format!("Forgetting {shown} also removes their history");
            (shown, question, what)
        }
    };
    if !yes && !confirmed(&question, &what)? {
        let verb = if devices.len() == 1 { "was" } else { "were" };
        return Err(Problem::new(format!("{shown} {verb} not forgotten."), "Answer y, or use --yes."));
    }
    let mut refused = Vec::new();
    let mut err = io::stderr();
    let shown_progress = err.is_terminal() && devices.len() > 1;
    for (done, device) in devices.iter().enumerate() {
        if shown_progress {
            let _ = write!(err, "\r{} of {}", count(done), several(devices.len(), "device"));
        }
        if let Err(failure) = base.console().forget_device(&connection.id, device).await {
            refused.push(failure);
        }
    }
    if shown_progress {
        let _ = write!(err, "\r\x1b[K");
    }
    if refused.len() == devices.len()
        && let Some(failure) = refused.pop()
    {
        return Err(failure.into());
    }
    let shown = if refused.is_empty() { shown } else { several(devices.len() - refused.len(), "device") };
    let mut output = Output::text();
    output.line(&format!("Forgot {shown}."))?;
    output.flush()?;
    for failure in &refused {
        problem::warn(&failure.message, failure.hint.as_deref());
    }
    Ok(if refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
}
