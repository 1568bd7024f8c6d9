//! Definitions of commands, between the wire types and the stored form.

use wilco_dialect::CommandKind;
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
    match problems(&definition.kind).into_iter().next() {
        None => Ok(definition),
        Some(problem) => Err(invalid(problem, "Correct it and save it again.")),
    }
}

/// All that is wrong with a description: sentences.
pub(crate) fn problems(kind: &CommandKind) -> Vec<String> {
    let described = kind.check().err().map(|error| sentence(&error.to_string()));
    let schema = Schema::read(&kind.schema);
    // An invalid schema is not searched.
    let impossible = if schema.is_ok() { places::impossible(kind) } else { None };
    described.into_iter().chain(impossible).chain(schema.err()).collect()
}

/// The definition: title, name and request exactly as they were entered.
pub(crate) fn kind(described: CommandDefinition) -> CommandKind {
    let given = |template: Option<String>| template.filter(|text| !text.trim().is_empty()).map(String::into_boxed_str);
    let topic = given(described.topic);
    let payload = given(described.payload);
    let own = topic.is_some() || payload.is_some();
    let plain = described.plain && payload.is_some();
    let name = described.name;
    let title = described.title;
    CommandKind {
        title: if title.is_empty() { name.clone() } else { title },
        name,
        schema: described.schema,
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
        schema: kind.schema.clone(),
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
