//! Generates example arguments for a schema.

use wilco_dialect::json::ExactValue;

use super::{DEEPEST, LONGEST, target};

/// Arguments as they could be: what the schema gives as default or example, or the plainest value of each type. Of a
/// schema that would make them longer than a schema may be, the rest is null.
pub(super) fn example(schema: &ExactValue) -> ExactValue {
    example_at(schema, schema, 0, &mut LONGEST.clone())
}

fn example_at(root: &ExactValue, schema: &ExactValue, depth: usize, bytes: &mut usize) -> ExactValue {
    if depth > DEEPEST || *bytes == 0 {
        return ExactValue::Null;
    }
    *bytes -= 1;
    if let Some(target) = schema.get("$ref").and_then(ExactValue::as_str).and_then(|place| target(root, place)) {
        return example_at(root, target, depth + 1, bytes);
    }
    let first = |name: &str| schema.get(name).and_then(ExactValue::as_array).and_then(|values| values.first());
    let given = schema.get("default").or_else(|| schema.get("const")).or_else(|| first("examples"));
    if let Some(given) = given.or_else(|| first("enum")) {
        *bytes = bytes.saturating_sub(given.to_string().len());
        return if *bytes > 0 { given.clone() } else { ExactValue::Null };
    }
    let kind = schema.get("type").and_then(|kind| kind.as_str().or_else(|| kind.as_array()?.first()?.as_str()));
    match (kind, schema.get("properties").and_then(ExactValue::as_object)) {
        (Some("object") | None, Some(properties)) => {
            let member = |(name, of): &(String, ExactValue)| {
                *bytes = bytes.saturating_sub(name.len());
                (name.clone(), example_at(root, of, depth + 1, bytes))
            };
            ExactValue::Object(properties.iter().map(member).collect())
        }
        (Some("object"), None) => ExactValue::Object(Vec::new()),
        (Some("array"), _) => ExactValue::Array(Vec::new()),
        (Some("boolean"), _) => ExactValue::Bool(true),
        (Some("integer" | "number"), _) => {
            schema.get("minimum").cloned().unwrap_or_else(|| ExactValue::Number("1".into()))
        }
        (Some("string"), _) => ExactValue::String("text".to_owned()),
        (_, _) if depth == 0 => ExactValue::Object(Vec::new()),
        (_, _) => ExactValue::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};
    use wilco_dialect::json::ExactValue;

    use super::example;
    use crate::catalogue::schema::{LONGEST, Schema};

    fn made_up(schema: Value) -> String {
        example(&ExactValue::from(&schema)).to_string()
    }

    #[test]
    fn an_example_is_made_of_what_the_schema_gives() {
        let schema = json!({
            "type": "object",
            "properties": {
                "on": {"type": "boolean"},
                "mode": {"enum": ["fast", "slow"]},
                "level": {"type": "integer", "minimum": 5},
                "name": {"type": "string", "default": "pump"},
                "inner": {"$ref": "#/$defs/inner"},
            },
            "$defs": {"inner": {"type": "object", "properties": {"list": {"type": "array"}}}},
        });
        let expected = json!({"on": true, "mode": "fast", "level": 5, "name": "pump", "inner": {"list": []}});
        assert_eq!(made_up(schema), expected.to_string());
        assert_eq!(made_up(json!({})), "{}");
    }

    #[test]
    fn an_example_has_the_digits_of_the_schema() {
        let schema = r#"{"properties":{"a":{"default":1.0},"b":{"enum":[1e10]},"c":{"type":"integer","minimum":10000000000000000000001}}}"#;
        let made_up = ExactValue::parse(schema).ok().map(|schema| example(&schema).to_string());
        assert_eq!(made_up.as_deref(), Some(r#"{"a":1.0,"b":1e10,"c":10000000000000000000001}"#));
    }

    #[test]
    fn an_example_stays_short() {
        let names = (0..1_000).map(|n| (n.to_string(), json!({"$ref": "#/$defs/text"}))).collect::<Map<_, _>>();
        let schema = json!({"properties": names, "$defs": {"text": {"default": "x".repeat(10_000)}}});
        assert_eq!(Schema::read(&schema.to_string()).err(), None);
        let made = made_up(schema);
        assert!(made.contains(&"x".repeat(10_000)));
        assert!(made.len() < 2 * LONGEST, "{}", made.len());
    }
}
