//! Reads and edits the catalogue of commands.

mod import_export;

use serde_json::{Serializer, json};
use uuid::Uuid;
use wilco_dialect::{Dialect, Request as Encoding, Topics, json as arguments};
use wilco_ledger::DeviceId;

use super::{Handle, command_id, not_found};
use crate::{
    api::{AuditKind, CatalogueEntry, CommandDefinition, CommandPreview, CommandToPreview, Failure, invalid},
    audit::plain,
    catalogue::{Schema, definition, places},
    store::{ConnectionId, Definition, NewAuditEntry, StoredButton},
    views,
};

/// A device to show how a command would look; any real one is as good.
const SAMPLE_DEVICE: &str = "device-1";
/// An id, as one may look.
const SAMPLE_ID: &str = "0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a";

impl Handle {
    /// The catalogue: the built-in commands, then the user's own by name.
    ///
    /// # Errors
    /// None.
    pub async fn catalogue(&self) -> Result<Vec<CatalogueEntry>, Failure> {
        let built_in = wilco_dialect::commands().iter().map(|kind| CatalogueEntry {
            id: kind.name.clone(),
            built_in: true,
            definition: definition::described(kind),
        });
        Ok(built_in.chain(self.catalogue.own().iter().map(|own| definition::entry(&own.definition))).collect())
    }

    /// Adds a command, or changes the one with the given ID.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for a name that is in use or a built-in command's, an invalid
    /// schema, and a request that cannot work; `NotFound`; `Store`.
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
        self.keep_catalogue(vec![definition], Vec::new()).await?;
        Ok(entry)
    }

    /// Removes a user-defined command. Commands sent with it stay in the history.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode), also for a built-in one; `Store`.
    pub async fn remove_definition(&self, id: &str) -> Result<(), Failure> {
        let own = self.catalogue.own();
        let name = own.iter().find(|own| own.definition.id == id).map(|own| own.definition.kind.name.clone());
        let what = format!("Removed command {} from the catalogue", name.unwrap_or_default());
        let entry = self.audit.entry(AuditKind::Catalogue, what).with(&json!({ "id": id }));
        if !self.store.audited(entry).remove_definition(id).await? {
            return Err(not_found("command of your own", id));
        }
        self.reread_catalogue().await
    }

    /// Previews the request of a command, and lists its problems. Missing arguments are replaced by examples.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection.
    pub async fn preview_command(&self, command: CommandToPreview) -> Result<CommandPreview, Failure> {
        let CommandToPreview { definition: described, connection, device, args } = command;
        let dialect = match connection.as_ref().or(described.connection.as_ref()) {
            Some(connection) => self.shared(connection).await?.dialect,
            None => Dialect::Wilco(Topics::default()),
        };
        let kind = definition::kind(described);
        let schema = Schema::read(&kind.schema);
        let mut problems = definition::problems(&kind, &schema);
        let args = args.and_then(|args| arguments::object(args.as_str()).map_err(|why| problems.push(why)).ok());
        if let (Some(args), Ok(schema)) = (&args, &schema) {
            let complaints = schema.complaints(args);
            problems.extend(complaints.into_iter().map(|why| format!("The arguments do not match the schema: {why}.")));
        }
        // Of a schema that is beyond the bounds nothing is made up: it may continue forever.
        let made_up = || schema.as_ref().map_or_else(|_| "{}".to_owned(), Schema::example);
        let args = args.unwrap_or_else(made_up);
        if let Some(why) = kind
            .form
            .as_ref()
            .filter(|_| problems.is_empty())
            .and_then(|form| dialect.refuses_form(form, &kind.name, &args))
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
            by: None,
        };
        let outbound = dialect.encode(&device, &request, now);
        let wire = views::wire(&outbound.topic, &outbound.payload, 1);
        let carries_id =
            kind.form.as_ref().is_none_or(Dialect::form_carries_id) && dialect.answers_carry_ids(&kind.name);
        let drawable = schema.is_ok();
        let read = schema.as_ref().ok().zip(kind.form.as_ref()).filter(|_| problems.is_empty());
        let remarks = read.map(|(schema, form)| places::remarks(schema, form)).unwrap_or_default();
        Ok(CommandPreview { topic: wire.topic, payload: wire.payload, carries_id, drawable, problems, remarks })
    }

    /// Has the catalogue know what the store knows.
    pub(super) async fn reread_catalogue(&self) -> Result<(), Failure> {
        self.catalogue.replace(self.store.definitions().await?);
        Ok(())
    }

    /// The stored form of the definitions and buttons.
    fn audit_catalogue(&self, definitions: &[Definition], buttons: &[StoredButton]) -> NewAuditEntry {
        let what = match (definitions, buttons) {
            ([one], []) => format!("Saved command {} in the catalogue", one.kind.name),
            (commands, buttons) => {
                format!("Imported commands into the catalogue: {}, buttons: {}", commands.len(), buttons.len())
            }
        };
        let commands: Vec<_> = definitions
            .iter()
            .map(|own| {
                // The schema itself is in it, so that `plain` looks into it.
                let mut described = Vec::new();
                let written = definition::described(&own.kind).embedded(&mut Serializer::new(&mut described));
                let described = written.map(|()| String::from_utf8_lossy(&described)).unwrap_or_default();
                json!({ "id": own.id, "name": own.kind.name, "definition": plain(&described) })
            })
            .collect();
        let buttons: Vec<_> = buttons.iter().map(|button| json!({ "id": button.id, "label": button.label })).collect();
        let connection = definitions.first().filter(|_| definitions.len() == 1).and_then(|own| own.connection.as_ref());
        let entry = self.entry_on_any(connection.map(ConnectionId::as_str), AuditKind::Catalogue, what);
        entry.with(&json!({ "commands": commands, "buttons": buttons }))
    }

    /// Stores definitions and buttons, all or none of them.
    async fn keep_catalogue(&self, definitions: Vec<Definition>, buttons: Vec<StoredButton>) -> Result<(), Failure> {
        let entry = self.audit_catalogue(&definitions, &buttons);
        if let Some(name) = self.store.audited(entry).save_catalogue(definitions, buttons).await? {
            return Err(invalid(
                format!("A command '{name}' already exists for the same connections."),
                "Choose another name, or edit the existing command.",
            ));
        }
        self.reread_catalogue().await
    }
}

#[cfg(test)]
mod tests;
