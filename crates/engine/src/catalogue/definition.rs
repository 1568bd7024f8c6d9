//! Definitions of commands, between the wire types and the stored form.

use wilco_dialect::{CommandKind, json};
use wilco_ledger::{Millis, WireForm};

use super::{Schema, places};
use crate::{
    api::{CatalogueEntry, CommandDefinition, Failure, invalid, sentence},
    store::{ConnectionId, Definition},
};

/// Checks a user's definition.
pub(crate) fn read(id: String, described: CommandDefinition) -> Result<Definition, Failure> {
    let definition =
        Definition { id, connection: described.connection.as_deref().map(ConnectionId::from), kind: kind(described) };
    let schema = Schema::read(&definition.kind.schema);
    match problems(&definition.kind, &schema).into_iter().next() {
        None => Ok(definition),
        Some(problem) => Err(invalid(problem, "Correct it and save it again.")),
    }
}

/// All that is wrong with a description and its schema: sentences.
pub(crate) fn problems(kind: &CommandKind, schema: &Result<Schema, String>) -> Vec<String> {
    let described = kind.check().err().map(|error| sentence(&error.to_string()));
    let read = schema.as_ref().ok().zip(kind.form.as_ref());
    let impossible = read.and_then(|(schema, form)| places::impossible(schema, form));
    described.into_iter().chain(impossible).chain(schema.as_ref().err().cloned()).collect()
}

/// The definition: title, name and request exactly as they were entered, the schema without white space.
pub(crate) fn kind(described: CommandDefinition) -> CommandKind {
    let given = |template: Option<String>| template.filter(|text| !text.trim().is_empty()).map(String::into_boxed_str);
    let topic = given(described.topic);
    let payload = given(described.payload);
    let own = topic.is_some() || payload.is_some();
    let plain = described.plain && payload.is_some();
    let name = described.name;
    let title = described.title;
    // What is no schema stays as it is, to be refused by `problems`.
    let schema = json::schema(described.schema.as_str()).unwrap_or_else(|_| described.schema.to_string());
    CommandKind {
        title: if title.is_empty() { name.clone() } else { title },
        name,
        schema,
        form: own.then_some(WireForm { topic, payload, plain, ..WireForm::default() }),
        timeout: Millis(described.timeout_ms),
        time_to_live: Millis(described.ttl_ms),
        safe_to_repeat: described.safe_to_repeat,
        dangerous: described.dangerous,
        answer_expected: described.answer_expected,
        icon: described.icon,
    }
}

/// The description of a command, for all connections.
pub(crate) fn described(kind: &CommandKind) -> CommandDefinition {
    let form = kind.form.clone().unwrap_or_default();
    CommandDefinition {
        name: kind.name.clone(),
        title: kind.title.clone(),
        connection: None,
        schema: kind.schema.clone().into(),
        topic: form.topic.map(Into::into),
        payload: form.payload.map(Into::into),
        plain: form.plain,
        timeout_ms: kind.timeout.0,
        ttl_ms: kind.time_to_live.0,
        safe_to_repeat: kind.safe_to_repeat,
        dangerous: kind.dangerous,
        answer_expected: kind.answer_expected,
        icon: kind.icon.clone(),
    }
}

/// A definition as an entry of the catalogue.
pub(crate) fn entry(definition: &Definition) -> CatalogueEntry {
    let connection = definition.connection.as_ref().map(|id| id.as_str().to_owned());
    let described = CommandDefinition { connection, ..described(&definition.kind) };
    CatalogueEntry { id: definition.id.clone(), built_in: false, definition: described }
}
