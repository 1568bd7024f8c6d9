//! The catalogue of commands, as people read and change it.

use std::{path::PathBuf, sync::Arc};

use serde_json::{Map, Value};
use tokio::task::spawn_blocking;
use uuid::Uuid;
use wilco_dialect::{Dialect, Request as Encoding, Topics};
use wilco_ledger::DeviceId;

use super::{Handle, command_id, defect, not_found};
use crate::{
    api::{
        CatalogueEntry, CommandDefinition, CommandPreview, CommandToPreview, ConnectionView, Failure, ImportChange,
        ImportLine, invalid,
    },
    catalogue::{Own, Schema, definition, example, file},
    store::Definition,
    views,
};

/// A device to show how a command would look; any real one is as good.
const SAMPLE_DEVICE: &str = "device-1";
/// An id, as one may look.
const SAMPLE_ID: &str = "0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a";

impl Handle {
    /// Every command that is known by name: the built-in ones, then one's own by name.
    #[must_use]
    pub fn catalogue(&self) -> Vec<CatalogueEntry> {
        let built_in = wilco_dialect::commands().iter().map(|kind| CatalogueEntry {
            id: kind.name.clone(),
            built_in: true,
            definition: definition::described(kind),
        });
        built_in.chain(self.catalogue.own().iter().map(|own| definition::entry(&own.definition))).collect()
    }

    /// Adds a command, or changes the one of that id.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for a name that is taken or is a built-in command's, a schema that
    /// is none and a form that cannot work; `NotFound`; `Store`.
    pub async fn save_definition(
        &self,
        id: Option<String>,
        described: CommandDefinition,
    ) -> Result<CatalogueEntry, Failure> {
        if let Some(connection) = &described.connection {
            self.profile(connection).await?;
        }
        let id = match id {
            Some(id) if self.catalogue.own().iter().any(|own| own.definition.id == id) => id,
            Some(id) => return Err(not_found("command of your own", &id)),
            None => Uuid::new_v4().simple().to_string(),
        };
        let definition = definition::read(id, described)?;
        let entry = definition::entry(&definition);
        self.keep_definitions(vec![definition]).await?;
        Ok(entry)
    }

    /// Removes a command of one's own. What was sent by it stays in the history as it is.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode), also for a built-in one; `Store`.
    pub async fn remove_definition(&self, id: &str) -> Result<(), Failure> {
        if !self.store.remove_definition(id).await? {
            return Err(not_found("command of your own", id));
        }
        self.reread_catalogue().await
    }

    /// How a command would look on the wire, and all that is wrong with it. Arguments that are not given are made up.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection.
    pub fn preview_command(&self, command: CommandToPreview) -> Result<CommandPreview, Failure> {
        let CommandToPreview { definition: described, connection, device, args } = command;
        let dialect = match connection.as_ref().or(described.connection.as_ref()) {
            Some(connection) => self.listed(connection)?.dialect,
            None => Dialect::Wilco(Topics::default()),
        };
        let kind = definition::kind(described);
        let mut problems = definition::problems(&kind);
        let schema = Schema::read(&kind.schema);
        if let (Some(args), Ok(schema)) = (&args, &schema) {
            problems.extend(schema.complaints(args).into_iter().map(|why| format!("The arguments do not fit: {why}.")));
        }
        // Of a schema that is beyond the bounds nothing is made up: it may go on for ever.
        let made_up = || if schema.is_ok() { example(&kind.schema) } else { Value::Object(Map::new()) };
        let args = args.unwrap_or_else(made_up).to_string();
        if let Some(why) =
            kind.form.as_ref().filter(|_| problems.is_empty()).and_then(|form| dialect.refuses_form(form, &args))
        {
            problems.push(why);
        }
        let (id, device) = (command_id(SAMPLE_ID)?, DeviceId::closest_to(device.as_deref().unwrap_or(SAMPLE_DEVICE)));
        let now = self.clock.now();
        let request = Encoding {
            id: &id,
            command: &kind.name,
            args: &args,
            form: kind.form.as_ref(),
            issued_at: now,
            expires_at: now + kind.time_to_live,
            attempt: 1,
        };
        let outbound = dialect.encode(&device, &request, now);
        let wire = views::wire(&outbound.topic, &outbound.payload, 1);
        let carries_id =
            kind.form.as_ref().is_none_or(Dialect::form_carries_id) && dialect.answers_carry_ids(&kind.name);
        let drawable = schema.is_ok();
        Ok(CommandPreview { topic: wire.topic, payload: wire.payload, carries_id, drawable, problems })
    }

    /// Writes commands of one's own (all, where none is named) to a file.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode), `File` when it cannot be written.
    pub async fn export_catalogue(&self, ids: &[String], path: PathBuf) -> Result<(), Failure> {
        let own = self.catalogue.own();
        if let Some(unknown) = ids.iter().find(|id| !own.iter().any(|own| own.definition.id == **id)) {
            return Err(not_found("command of your own", unknown));
        }
        let profiles = self.store.connections().await?;
        let chosen = own.iter().map(|own| &own.definition).filter(|own| ids.is_empty() || ids.contains(&own.id));
        let commands: Vec<_> = chosen
            .map(|own| {
                let of = own.connection.as_ref().and_then(|id| profiles.iter().find(|profile| profile.id == *id));
                CommandDefinition {
                    connection: of.map(|profile| profile.name.clone()),
                    ..definition::described(&own.kind)
                }
            })
            .collect();
        if commands.is_empty() {
            return Err(invalid(
                "There is no command of your own to be exported.".into(),
                "Describe one first. The built-in ones are everywhere.",
            ));
        }
        spawn_blocking(move || file::write(&path, commands)).await.map_err(defect)?
    }

    /// What is in a file of commands, and what taking it would do. Nothing is changed.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) for a file that is none.
    pub async fn read_catalogue(&self, path: PathBuf) -> Result<Vec<ImportLine>, Failure> {
        Ok(self.found(path).await?.into_iter().map(|found| found.line).collect())
    }

    /// Takes the new commands of a file, and those changed ones that are named; all of them or none.
    ///
    /// # Errors
    /// As [`Handle::read_catalogue`]; `Store`.
    pub async fn import_catalogue(&self, path: PathBuf, replace: &[String]) -> Result<Vec<ImportLine>, Failure> {
        let found = self.found(path).await?;
        let is_wanted = |line: &ImportLine| match line.change {
            ImportChange::New => true,
            ImportChange::Changed => replace.contains(&line.name),
            ImportChange::Same | ImportChange::Refused => false,
        };
        let (lines, definitions): (Vec<_>, Vec<_>) = found
            .into_iter()
            .filter(|found| is_wanted(&found.line))
            .filter_map(|found| Some((found.line, found.definition?)))
            .unzip();
        self.keep_definitions(definitions).await?;
        Ok(lines)
    }

    /// Has the catalogue know what the store knows.
    pub(super) async fn reread_catalogue(&self) -> Result<(), Failure> {
        self.catalogue.replace(self.store.definitions().await?);
        Ok(())
    }

    async fn keep_definitions(&self, definitions: Vec<Definition>) -> Result<(), Failure> {
        if let Some(name) = self.store.save_definitions(definitions).await? {
            return Err(invalid(
                format!("There is already a command '{name}' for the same connections."),
                "Choose another name, or change that one.",
            ));
        }
        self.reread_catalogue().await
    }

    async fn found(&self, path: PathBuf) -> Result<Vec<Found>, Failure> {
        let described = spawn_blocking(move || file::read(&path)).await.map_err(defect)??;
        let connections = self.connections().await?;
        let own = self.catalogue.own();
        let mut found: Vec<Found> = Vec::new();
        for command in described {
            let one = Found::judge(command, &connections, &own, &found);
            found.push(one);
        }
        Ok(found)
    }
}

/// A command in a file.
struct Found {
    line: ImportLine,
    definition: Option<Definition>,
}

impl Found {
    fn judge(command: CommandDefinition, connections: &[ConnectionView], own: &[Arc<Own>], before: &[Found]) -> Found {
        let (name, title) = (command.name.clone(), command.title.clone());
        let connection = command.connection.clone();
        let line = |title, change, why| ImportLine { name, title, connection, change, why };
        match understood(command, connections, own) {
            Err(why) => Found { line: line(title, ImportChange::Refused, Some(why)), definition: None },
            Ok((definition, _)) if before.iter().any(|other| other.is_called(&definition)) => {
                let why = "It is in the file twice. The first one counts.".to_owned();
                Found { line: line(title, ImportChange::Refused, Some(why)), definition: None }
            }
            Ok((definition, change)) => {
                Found { line: line(definition.kind.title.clone(), change, None), definition: Some(definition) }
            }
        }
    }

    fn is_called(&self, other: &Definition) -> bool {
        self.definition.as_ref().is_some_and(|own| is_same(own, other))
    }
}

/// A command in a file as a definition here, and how it stands to the one that is here; a sentence why it is refused.
fn understood(
    command: CommandDefinition,
    connections: &[ConnectionView],
    own: &[Arc<Own>],
) -> Result<(Definition, ImportChange), String> {
    let connection = match &command.connection {
        None => None,
        Some(name) => {
            let named = connections.iter().find(|connection| connection.name == *name);
            let unknown = || format!("It is for the connection '{name}', which is not here.");
            Some(named.ok_or_else(unknown)?.id.clone())
        }
    };
    let described = CommandDefinition { connection, ..command };
    let id = Uuid::new_v4().simple().to_string();
    let mut definition = definition::read(id, described).map_err(|failure| failure.message)?;
    let here = own.iter().map(|own| &own.definition).find(|here| is_same(here, &definition));
    let change = match here {
        None => ImportChange::New,
        Some(here) if here.kind == definition.kind => ImportChange::Same,
        Some(_) => ImportChange::Changed,
    };
    if let Some(here) = here {
        definition.id.clone_from(&here.id);
    }
    Ok((definition, change))
}

/// They have the same name for the same connections.
fn is_same(one: &Definition, other: &Definition) -> bool {
    one.kind.name == other.kind.name && one.connection == other.connection
}

#[cfg(test)]
mod tests;
