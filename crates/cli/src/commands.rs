//! `wilco commands`: the catalogue of commands.

mod exchange;
mod show;

use std::{path::Path, process::ExitCode};

use serde::Serialize;
use wilco_engine::api::{CatalogueEntry, CommandDefinition};

use crate::{
    base::Base,
    options::{CommandTask, Listing},
    output::{Output, Table, clean, entered, visible_name},
    problem::Problem,
};

/// An entry of the catalogue as a printed row.
#[derive(Serialize)]
struct Row {
    id: String,
    built_in: bool,
    #[serde(serialize_with = "CommandDefinition::embedded")]
    definition: CommandDefinition,
}

impl From<&CatalogueEntry> for Row {
    fn from(entry: &CatalogueEntry) -> Row {
        let CatalogueEntry { id, built_in, definition } = entry.clone();
        Row { id, built_in, definition }
    }
}

/// Does it.
pub(crate) async fn run(task: CommandTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let base = Base::open(data_dir).await?;
    let outcome = match task {
        CommandTask::List { output } => list(&base, output).await,
        CommandTask::Show { name, output } => show::run(&base, &name, output).await,
        CommandTask::Import { file, replace, dry_run } => exchange::import(&base, &file, &replace, dry_run).await,
        CommandTask::Export { names, to, force } => exchange::export(&base, &names, &to, force).await,
    };
    base.close().await;
    outcome
}

async fn list(base: &Base, listing: Listing) -> Result<ExitCode, Problem> {
    let entries = base.console().catalogue().await?;
    if listing == Listing::Json {
        let mut output = Output::data();
        entries.iter().try_for_each(|entry| output.json(&Row::from(entry)))?;
        output.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let connections = base.console().connections().await?;
    let mut table = Table::new(["NAME", "TITLE", "FOR", "CONFIRM", "SAFE TO REPEAT", "ANSWERED"]);
    for entry in &entries {
        let definition = &entry.definition;
        let yes = |is: bool| if is { "yes" } else { "" };
        let of = connections.iter().find(|connection| Some(&connection.id) == definition.connection.as_ref());
        table.row([
            visible_name(&definition.name).into_owned().into(),
            clean(&definition.title).into_owned().into(),
            match of {
                _ if entry.built_in => "built in".into(),
                Some(connection) => visible_name(&connection.name).into_owned().into(),
                None => "all".into(),
            },
            yes(definition.dangerous).into(),
            yes(definition.safe_to_repeat).into(),
            yes(definition.answer_expected).into(),
        ]);
    }
    table.print(&mut Output::text())?;
    Ok(ExitCode::SUCCESS)
}

/// The commands of that name; several where connections have their own.
async fn named(base: &Base, name: &str) -> Result<Vec<CatalogueEntry>, Problem> {
    let entries = base.console().catalogue().await?;
    let found: Vec<_> = entries.into_iter().filter(|entry| entry.definition.name == name).collect();
    if found.is_empty() {
        return Err(Problem::new(
            format!("The catalogue has no command '{}'.", entered(name)),
            "List the catalogue with wilco commands list. You can also send commands that are not in it.",
        ));
    }
    Ok(found)
}
