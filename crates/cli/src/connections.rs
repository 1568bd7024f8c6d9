//! `wilco connections`: manages connections.

mod changes;
mod connection_input;
mod exchange;
mod files;
mod list;
mod trial;

use std::{path::Path, process::ExitCode};

use wilco_engine::api::{ConnectionEntry, ConnectionSettings};

use crate::{
    base::Base,
    options::{AddOptions, ConnectionTask, Switch},
    problem::Problem,
};

pub(crate) use connection_input::ConnectionInput;

/// Does it.
pub(crate) async fn run(task: ConnectionTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    // Whatever is read from standard input is read before an engine is begun for it.
    match task {
        ConnectionTask::Add(options) => {
            let AddOptions { name, url, mode, send_operator, approval, broker } = *options;
            let entry = ConnectionEntry {
                name,
                url,
                settings: ConnectionSettings {
                    mode: mode.unwrap_or_default(),
                    send_operator: send_operator == Some(Switch::On),
                    needs_approval: approval == Some(Switch::On),
                    ..ConnectionSettings::default()
                },
                ..ConnectionEntry::default()
            };
            let described = ConnectionInput::read(broker)?;
            with_base(data_dir, async |base| changes::add(base, entry, described).await).await
        }
        ConnectionTask::List { output } => with_base(data_dir, async |base| list::run(base, output).await).await,
        ConnectionTask::Edit(options) => {
            let edit = changes::Edit::read(*options)?;
            with_base(data_dir, async |base| edit.make(base).await).await
        }
        ConnectionTask::Duplicate { name } => {
            with_base(data_dir, async |base| changes::duplicate(base, &name).await).await
        }
        ConnectionTask::Move { name, to } => {
            with_base(data_dir, async |base| changes::relocate(base, &name, to).await).await
        }
        ConnectionTask::Test(options) => trial::run(*options, data_dir).await,
        ConnectionTask::Renew { name, identity } => {
            let renewal = changes::Renewal::read(identity)?;
            with_base(data_dir, async |base| renewal.make(base, &name).await).await
        }
        ConnectionTask::Export(options) => {
            let export = exchange::Export::read(options)?;
            with_base(data_dir, async |base| export.make(base).await).await
        }
        ConnectionTask::Import { file, passphrase_stdin } => {
            let import = exchange::Import::read(&file, passphrase_stdin)?;
            with_base(data_dir, async |base| import.make(base).await).await
        }
        ConnectionTask::Remove { name, yes } => {
            with_base(data_dir, async |base| changes::remove(base, &name, yes).await).await
        }
    }
}

async fn with_base<T>(
    data_dir: Option<&Path>,
    task: impl AsyncFnOnce(&Base) -> Result<T, Problem>,
) -> Result<T, Problem> {
    within(Base::open(data_dir).await?, task).await
}

async fn within<T>(base: Base, task: impl AsyncFnOnce(&Base) -> Result<T, Problem>) -> Result<T, Problem> {
    let outcome = task(&base).await;
    base.close().await;
    outcome
}
