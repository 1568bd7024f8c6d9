//! `wilco forget`: a device that is no longer to be listed.

use std::{path::Path, process::ExitCode};

use wilco_engine::api::ConnectionView;

use crate::{
    base::Base,
    input::confirmed,
    interrupt::Interrupt,
    options::ForgetOptions,
    output::{Output, clean, count},
    problem::Problem,
};

/// Does it.
pub(crate) async fn run(options: ForgetOptions, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let mut interrupt = Interrupt::hear()?;
    let base = Base::open(data_dir).await?;
    let outcome = tokio::select! {
        outcome = forget(&base, options) => outcome,
        () = interrupt.heard() => Err(Problem::Interrupted),
    };
    base.close().await;
    outcome
}

async fn forget(base: &Base, options: ForgetOptions) -> Result<ExitCode, Problem> {
    let ForgetOptions { connection, device, yes } = options;
    let ConnectionView { id, .. } = base.connection(&connection).await?;
    let commands = base.console().device(&id, &device).await?.command_count;
    let shown = clean(&device).into_owned();
    let question = format!(
        "Forget {shown} with its state, measurements, logs and {} commands of its history?",
        count(commands as usize)
    );
    if !yes && !confirmed(&question, &format!("Forgetting {shown} also removes its history"))? {
        return Err(Problem::new(format!("{shown} was not forgotten."), "Answer y, or give --yes."));
    }
    base.console().forget_device(&id, &device).await?;
    let mut output = Output::text();
    output.line(&format!("Forgot {shown}."))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}
