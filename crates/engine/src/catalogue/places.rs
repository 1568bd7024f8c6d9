//! Checks that the placeholders of a request template exist in the command's schema.

use std::collections::BTreeSet;

use wilco_dialect::{Dialect, json::ExactValue};
use wilco_ledger::WireForm;

use super::schema::{Schema, resolved};

/// The maximum number of listed names.
const MOST_NAMES: usize = 8;
/// The maximum number of remarks about unknown arguments.
const MOST_REMARKS: usize = 4;
/// The longest listed name, characters.
const LONGEST_NAME: usize = 40;

/// An argument in a topic or payload that the schema rules out, as a sentence: it would be sent as `null`, always.
pub(super) fn impossible(schema: &Schema, form: &WireForm) -> Option<String> {
    Dialect::form_arguments(form).into_iter().find_map(|path| ruled_out(schema.written(), path))
}

/// Remarks about the arguments in a topic or payload, which can be sent anyway: sentences.
pub(crate) fn remarks(schema: &Schema, form: &WireForm) -> Vec<String> {
    remarks_on(schema.written(), form)
}

fn remarks_on(schema: &ExactValue, form: &WireForm) -> Vec<String> {
    let named = distinct(Dialect::form_arguments(form)).filter_map(|path| match found(schema, path) {
        Found::Unnamed(has) => {
            let path = shortened(path);
            Some(format!("The schema has no argument '{path}', so the form has no field for it. Available: {has}."))
        }
        _ => None,
    });
    let mut remarks: Vec<_> = named.take(MOST_REMARKS).collect();
    let optional = distinct(Dialect::form_values(form))
        .filter(|path| matches!(found(schema, path), Found::Named { required: false }));
    let optional: Vec<_> = optional.take(MOST_NAMES).map(shortened).collect();
    if !optional.is_empty() {
        remarks.push(format!("Sent as null if left empty: {}.", optional.join(", ")));
    }
    remarks
}

fn distinct(paths: Vec<&str>) -> impl Iterator<Item = &str> {
    let mut seen = BTreeSet::new();
    paths.into_iter().filter(move |path| seen.insert(*path))
}

fn ruled_out(root: &ExactValue, path: &str) -> Option<String> {
    match found(root, path) {
        Found::RuledOut(has) => Some(format!("The schema has no argument '{}'. Available: {has}.", shortened(path))),
        _ => None,
    }
}

/// The schema of an argument.
enum Found {
    /// The schema defines it.
    Named { required: bool },
    /// The schema defines these others, and allows any more.
    Unnamed(String),
    /// The schema defines these others, or none, and allows no more.
    RuledOut(String),
    /// Any argument is possible.
    Open,
}

fn found(root: &ExactValue, path: &str) -> Found {
    let mut schema = root;
    let mut required = true;
    for key in path.split('.') {
        schema = resolved(root, schema);
        let properties = schema.get("properties").filter(|properties| properties.as_object().is_some());
        if let Some(property) = properties.and_then(|properties| properties.get(key)) {
            required &= is_required(schema, key);
            schema = property;
            continue;
        }
        let has = properties.map_or_else(|| "none".to_owned(), names);
        return match properties {
            _ if is_closed(schema) => Found::RuledOut(has),
            // Another part of it may well name it.
            Some(_) if !is_put_together(schema) => Found::Unnamed(has),
            _ => Found::Open,
        };
    }
    Found::Named { required }
}

fn is_required(schema: &ExactValue, key: &str) -> bool {
    let required = schema.get("required").and_then(ExactValue::as_array).unwrap_or_default();
    required.iter().any(|required| required.as_str() == Some(key))
}

/// It has the properties that it names and no others.
fn is_closed(schema: &ExactValue) -> bool {
    matches!(schema.get("additionalProperties"), Some(ExactValue::Bool(false)))
        && schema.get("patternProperties").is_none()
}

/// The schema is combined from more than its properties.
fn is_put_together(schema: &ExactValue) -> bool {
    const PARTS: [&str; 8] =
        ["allOf", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies", "patternProperties", "$ref"];
    PARTS.iter().any(|part| schema.get(part).is_some())
        || schema.get("additionalProperties").is_some_and(|other| other.as_object().is_some())
}

fn names(properties: &ExactValue) -> String {
    let members = properties.as_object().unwrap_or_default();
    let more = members.len().saturating_sub(MOST_NAMES);
    let mut told: Vec<_> = members.iter().take(MOST_NAMES).map(|(name, _)| shortened(name)).collect();
    match (told.is_empty(), more) {
        (true, _) => return "none".to_owned(),
        (false, 0) => {}
        (false, more) => told.push(format!("{more} more")),
    }
    told.join(", ")
}

fn shortened(name: &str) -> String {
    let mut letters = name.chars();
    let short: String = letters.by_ref().take(LONGEST_NAME).collect();
    if letters.next().is_some() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wilco_ledger::WireForm;

    use super::{ExactValue, remarks_on, ruled_out};

    #[test]
    fn an_argument_that_the_schema_rules_out_is_told() {
        let closed = ExactValue::from(&json!({
            "properties": {
                "percent": {"type": "number"},
                "who": {"$ref": "#/$defs/who"},
                "list": {"type": "array"}
            },
            "additionalProperties": false,
            "$defs": {"who": {"properties": {"name": {}}, "additionalProperties": false}}
        }));
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(ruled_out(&closed, path).as_deref(), expected, "{path}");
        };
        check("percent", None);
        check("who.name", None);
        check("list.0", None);
        check("percant", Some("The schema has no argument 'percant'. Available: percent, who, list."));
        check("who.nick", Some("The schema has no argument 'who.nick'. Available: name."));
    }

    #[test]
    fn an_open_schema_allows_anything() {
        let check = |schema: Value, told: bool| {
            assert_eq!(ruled_out(&ExactValue::from(&schema), "a").is_some(), told, "{schema}");
        };
        check(json!({}), false);
        check(json!({"properties": {"b": {}}}), false);
        check(json!({"patternProperties": {"^a": {}}, "additionalProperties": false}), false);
        check(json!({"additionalProperties": false}), true);
        // A schema that refers to itself is refused elsewhere, and is no reason to continue forever.
        check(json!({"$ref": "#"}), false);
    }

    #[test]
    fn values_sent_as_null_are_announced_beforehand() {
        let check = |schema: Value, payload: &str, expected: &[&str]| {
            let form = WireForm { payload: Some(payload.into()), ..WireForm::default() };
            assert_eq!(remarks_on(&ExactValue::from(&schema), &form), expected, "{schema} {payload}");
        };
        let open = json!({"properties": {"percent": {}, "who": {}}, "required": ["percent"]});
        let twice = r#"{"open":{args.percant},"again":{args.percant}}"#;
        check(
            open.clone(),
            twice,
            &["The schema has no argument 'percant', so the form has no field for it. Available: percent, who."],
        );
        check(open.clone(), r#"{"open":{args.percent},"by":"{args.who}"}"#, &[]);
        check(open, r#"{"by":{args.who},"and":{args.who}}"#, &["Sent as null if left empty: who."]);
        // A required member of an optional object may be missing with the object.
        let within = json!({"properties": {"who": {"properties": {"name": {}}, "required": ["name"]}}});
        check(within, "{args.who.name}", &["Sent as null if left empty: who.name."]);
        let elsewhere = json!({"properties": {"b": {}}, "allOf": [{"properties": {"a": {}}}]});
        check(elsewhere, "{args.a}", &[]);
        check(json!({}), "{args.a}", &[]);
    }
}
