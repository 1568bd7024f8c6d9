//! Whether what a form names is anything that its command's arguments can have.

use serde_json::Value;
use wilco_dialect::{CommandKind, Dialect};

use super::schema::resolved;

/// So many names are told of what there is.
const MOST_NAMES: usize = 8;
/// The longest name that is told, letters.
const LONGEST_NAME: usize = 40;

/// An argument in a topic or payload that the schema rules out, as a sentence: it would be sent as `null`, always.
pub(super) fn impossible(kind: &CommandKind) -> Option<String> {
    let form = kind.form.as_ref()?;
    Dialect::form_arguments(form).into_iter().find_map(|path| ruled_out(&kind.schema, path))
}

fn ruled_out(root: &Value, path: &str) -> Option<String> {
    let mut schema = root;
    for key in path.split('.') {
        schema = resolved(root, schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        match properties.and_then(|properties| properties.get(key)) {
            Some(property) => schema = property,
            None if is_closed(schema) => {
                let (path, has) = (shortened(path), properties.map(|properties| names(properties.keys())));
                let has = has.unwrap_or_else(|| "none".to_owned());
                return Some(format!("The schema knows no argument '{path}': it has {has}."));
            }
            // Whatever comes here may have it.
            None => return None,
        }
    }
    None
}

/// It has the properties that it names and no others.
fn is_closed(schema: &Value) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false)) && schema.get("patternProperties").is_none()
}

fn names<'a>(keys: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = keys.len().saturating_sub(MOST_NAMES);
    let mut told: Vec<_> = keys.take(MOST_NAMES).map(|key| shortened(key)).collect();
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
    use serde_json::json;

    use super::ruled_out;

    #[test]
    fn an_argument_that_the_schema_rules_out_is_told() {
        let closed = json!({
            "properties": {
                "percent": {"type": "number"},
                "who": {"$ref": "#/$defs/who"},
                "list": {"type": "array"}
            },
            "additionalProperties": false,
            "$defs": {"who": {"properties": {"name": {}}, "additionalProperties": false}}
        });
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(ruled_out(&closed, path).as_deref(), expected, "{path}");
        };
        check("percent", None);
        check("who.name", None);
        check("list.0", None);
        check("percant", Some("The schema knows no argument 'percant': it has percent, who, list."));
        check("who.nick", Some("The schema knows no argument 'who.nick': it has name."));
    }

    #[test]
    fn what_is_left_open_may_have_anything() {
        let check = |schema, told: bool| assert_eq!(ruled_out(&schema, "a").is_some(), told, "{schema}");
        check(json!({}), false);
        check(json!({"properties": {"b": {}}}), false);
        check(json!({"patternProperties": {"^a": {}}, "additionalProperties": false}), false);
        check(json!({"additionalProperties": false}), true);
        // A schema that refers to itself is refused elsewhere, and is no reason to go on for ever.
        check(json!({"$ref": "#"}), false);
    }
}
