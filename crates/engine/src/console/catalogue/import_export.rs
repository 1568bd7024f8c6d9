//! Imports and exports commands and buttons.

use std::{path::PathBuf, sync::Arc};

use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::{
    api::{
        CommandButton, CommandDefinition, ConnectionView, Failure, FileToWrite, ImportChange, ImportKind, ImportLine,
        invalid,
    },
    catalogue::{Own, definition, file},
    console::{Handle, buttons, defect, not_found},
    store::{ConnectionId, Definition, StoredButton},
};

impl Handle {
    /// Exports user-defined commands to a file, with the buttons that send them. Without names, exports all of them and
    /// all buttons. Returns the file's path.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode), `File` if it cannot be written, `Exists` if the file exists
    /// and must not be replaced.
    pub async fn export_catalogue(&self, ids: &[String], to: FileToWrite) -> Result<PathBuf, Failure> {
        let own = self.catalogue.own();
        if let Some(unknown) = ids.iter().find(|id| !own.iter().any(|own| own.definition.id == **id)) {
            return Err(not_found("command of your own", unknown));
        }
        let profiles = self.store.connections().await?;
        let named = |id: Option<&ConnectionId>| {
            let profile = id.and_then(|id| profiles.iter().find(|profile| profile.id == *id));
            profile.map(|profile| profile.name.clone())
        };
        let chosen = own.iter().map(|own| &own.definition).filter(|own| ids.is_empty() || ids.contains(&own.id));
        let commands: Vec<_> = chosen
            .map(|own| CommandDefinition {
                connection: named(own.connection.as_ref()),
                ..definition::described(&own.kind)
            })
            .collect();
        let mut pressed = self.store.buttons().await?;
        pressed.retain(|button| ids.is_empty() || commands.iter().any(|command| command.name == button.command));
        let buttons: Vec<_> = pressed
            .into_iter()
            .map(|button| CommandButton { connection: named(button.connection.as_ref()), ..buttons::view(button) })
            .collect();
        if commands.is_empty() && buttons.is_empty() {
            return Err(invalid(
                "There are no commands or buttons to export.".into(),
                "Add a command first. Built-in commands are not exported.",
            ));
        }
        let content = file::Content { commands, buttons };
        spawn_blocking(move || file::write(&to, content)).await.map_err(defect)?
    }

    /// The contents of a command file, and the changes that importing it would make. Nothing is changed.
    ///
    /// # Errors
    /// [`FailureCode::File`](crate::api::FailureCode) for an invalid file.
    pub async fn read_catalogue(&self, path: PathBuf) -> Result<Vec<ImportLine>, Failure> {
        Ok(self.found(path).await?.into_iter().map(|found| found.line).collect())
    }

    /// Imports the new items of a command file, and the given changed ones; all of them or none.
    ///
    /// # Errors
    /// As [`Handle::read_catalogue`]; `Store`.
    pub async fn import_catalogue(&self, path: PathBuf, replace: &[String]) -> Result<Vec<ImportLine>, Failure> {
        let is_wanted = |line: &ImportLine| match line.change {
            ImportChange::New => true,
            ImportChange::Changed => replace.contains(&line.name),
            ImportChange::Same | ImportChange::Refused => false,
        };
        let (mut lines, mut definitions, mut buttons) = (Vec::new(), Vec::new(), Vec::new());
        for Found { line, made } in self.found(path).await?.into_iter().filter(|found| is_wanted(&found.line)) {
            match made {
                Some(Made::Command(definition)) => definitions.push(definition),
                Some(Made::Button(button)) => buttons.push(button),
                None => continue,
            }
            lines.push(line);
        }
        self.keep_catalogue(definitions, buttons).await?;
        Ok(lines)
    }

    async fn found(&self, path: PathBuf) -> Result<Vec<Found>, Failure> {
        let file::Content { commands, buttons } = spawn_blocking(move || file::read(&path)).await.map_err(defect)??;
        let here = Existing {
            connections: self.connections().await?,
            own: self.catalogue.own(),
            buttons: self.store.buttons().await?,
        };
        let mut found: Vec<Found> = Vec::new();
        for command in commands {
            let one = here.judge_command(command, &found);
            found.push(one);
        }
        for button in buttons {
            let one = here.judge_button(button, &found);
            found.push(one);
        }
        Ok(found)
    }
}

/// The existing entry.
struct Existing {
    connections: Vec<ConnectionView>,
    own: Arc<[Arc<Own>]>,
    buttons: Vec<StoredButton>,
}

/// A command or a button in a file.
struct Found {
    line: ImportLine,
    /// The entry that would be imported; none if it is refused.
    made: Option<Made>,
}

enum Made {
    Command(Definition),
    Button(StoredButton),
}

impl Existing {
    fn judge_command(&self, command: CommandDefinition, before: &[Found]) -> Found {
        let line = ImportLine {
            kind: ImportKind::Command,
            name: command.name.clone(),
            title: command.title.clone(),
            connection: command.connection.clone(),
            change: ImportChange::Refused,
            why: None,
        };
        match self.command(command) {
            Err(why) => Found::refused(line, why),
            Ok((definition, _)) if before.iter().any(|other| other.is_command(&definition)) => {
                Found::refused(line, twice())
            }
            Ok((definition, change)) => {
                let title = definition.kind.title.clone();
                Found { line: ImportLine { title, change, ..line }, made: Some(Made::Command(definition)) }
            }
        }
    }

    fn judge_button(&self, button: CommandButton, before: &[Found]) -> Found {
        let line = ImportLine {
            kind: ImportKind::Button,
            name: button.label.clone(),
            title: button.command.clone(),
            connection: button.connection.clone(),
            change: ImportChange::Refused,
            why: None,
        };
        match self.button(button) {
            Err(why) => Found::refused(line, why),
            Ok((button, _)) if before.iter().any(|other| other.is_button(&button)) => Found::refused(line, twice()),
            Ok((button, change)) => Found {
                line: ImportLine { name: button.label.clone(), change, ..line },
                made: Some(Made::Button(button)),
            },
        }
    }

    /// The definition of a command in a file and its difference from the existing one, or the reason why it is refused.
    fn command(&self, command: CommandDefinition) -> Result<(Definition, ImportChange), String> {
        let connection = self.connection(command.connection.as_deref())?;
        let described = CommandDefinition { connection, ..command };
        let mut definition = definition::read(new_id(), described).map_err(|failure| failure.message)?;
        let here = self.own.iter().map(|own| &own.definition).find(|here| is_same_command(here, &definition));
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

    /// The same for a button.
    fn button(&self, button: CommandButton) -> Result<(StoredButton, ImportChange), String> {
        let connection = self.connection(button.connection.as_deref())?;
        let filled_in = CommandButton { id: new_id(), connection, ..button };
        let mut button = buttons::checked(filled_in).map_err(|failure| failure.message)?;
        let here = self.buttons.iter().find(|here| is_same_button(here, &button));
        if let Some(here) = here {
            button.id.clone_from(&here.id);
        }
        let change = match here {
            None => ImportChange::New,
            Some(here) if *here == button => ImportChange::Same,
            Some(_) => ImportChange::Changed,
        };
        Ok((button, change))
    }

    /// The ID of the connection with this name.
    fn connection(&self, name: Option<&str>) -> Result<Option<String>, String> {
        let Some(name) = name else { return Ok(None) };
        let named = self.connections.iter().find(|connection| connection.name == name);
        match named {
            Some(connection) => Ok(Some(connection.id.clone())),
            None => Err(format!("It belongs to the connection '{name}', which does not exist here.")),
        }
    }
}

impl Found {
    fn refused(line: ImportLine, why: String) -> Found {
        Found { line: ImportLine { change: ImportChange::Refused, why: Some(why), ..line }, made: None }
    }

    fn is_command(&self, other: &Definition) -> bool {
        matches!(&self.made, Some(Made::Command(own)) if is_same_command(own, other))
    }

    fn is_button(&self, other: &StoredButton) -> bool {
        matches!(&self.made, Some(Made::Button(own)) if is_same_button(own, other))
    }
}

/// They have the same name for the same connections.
fn is_same_command(one: &Definition, other: &Definition) -> bool {
    one.kind.name == other.kind.name && one.connection == other.connection
}

/// They are the same button for the same connections.
fn is_same_button(one: &StoredButton, other: &StoredButton) -> bool {
    one.label == other.label && one.connection == other.connection
}

fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

fn twice() -> String {
    "The file contains it twice; the first is used.".to_owned()
}
