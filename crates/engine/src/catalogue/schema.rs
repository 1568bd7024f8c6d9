//! JSON Schemas of commands' arguments.
//!
//! Users and their files provide them, so they are bounded: in size, in depth, in references (only to themselves, without
//! cycles), and in the work of a pattern.

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value, json};
use wilco_ledger::grouped;

/// The longest schema as text, bytes.
const LONGEST: usize = 64 * 1024;
/// Levels, with what is referred to put in.
const DEEPEST: usize = 40;
/// Parts, with what is referred to put in.
const MOST_PARTS: usize = 20_000;
/// The largest compiled pattern, bytes.
const LARGEST_PATTERN: usize = 1024 * 1024;
/// So many complaints are enough at once.
const MOST_COMPLAINTS: usize = 10;
/// The longest complaint, letters: it may quote what it complains of.
const LONGEST_COMPLAINT: usize = 200;

/// Members whose values are no schemas.
const DATA: [&str; 4] = ["enum", "const", "default", "examples"];

/// Members whose values are schemas by name, whatever the name: a property may be called `default`.
const NAMED: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// A compiled schema.
pub(crate) struct Schema(Validator);

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// A sentence for what is none, is not of an object, is beyond the bounds or refers to something outside itself.
    pub(crate) fn read(schema: &Value) -> Result<Schema, String> {
        let Value::Object(members) = schema else {
            return Err("The schema is not a JSON object. An empty object, {}, allows any arguments.".to_owned());
        };
        if members.get("type").is_some_and(|kind| kind != "object") {
            return Err(
                "The schema does not describe an object, but arguments are an object. Write \"type\": \"object\"."
                    .to_owned(),
            );
        }
        let length = schema.to_string().len();
        if length > LONGEST {
            return Err(format!("The schema has {} bytes; the limit is {}.", grouped(length), grouped(LONGEST)));
        }
        walk(schema, schema, 0, &mut 0)?;
        let patterns = PatternOptions::regex().size_limit(LARGEST_PATTERN);
        let options = jsonschema::options().offline().with_pattern_options(patterns).should_validate_formats(true);
        options.build(schema).map(Schema).map_err(|error| format!("This is not a valid JSON Schema: {}.", told(&error)))
    }

    /// The problem of the arguments: `level: 7 is greater than …`, the place first. Empty if they are valid.
    pub(crate) fn complaints(&self, args: &Value) -> Vec<String> {
        self.0.iter_errors(args).take(MOST_COMPLAINTS).map(|error| told(&error)).collect()
    }
}

/// Arguments as they could be: what the schema gives as default or example, or the plainest value of each type. Of a
/// schema that would make them longer than a schema may be, the rest is null.
pub(crate) fn example(schema: &Value) -> Value {
    example_at(schema, schema, 0, &mut LONGEST.clone())
}

fn example_at(root: &Value, schema: &Value, depth: usize, bytes: &mut usize) -> Value {
    if depth > DEEPEST || *bytes == 0 {
        return Value::Null;
    }
    *bytes -= 1;
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|place| target(root, place)) {
        return example_at(root, target, depth + 1, bytes);
    }
    let first = |name: &str| schema.get(name).and_then(Value::as_array).and_then(|values| values.first());
    let given = schema.get("default").or_else(|| schema.get("const")).or_else(|| first("examples"));
    if let Some(given) = given.or_else(|| first("enum")) {
        *bytes = bytes.saturating_sub(given.to_string().len());
        return if *bytes > 0 { given.clone() } else { Value::Null };
    }
    let kind = schema.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str()));
    match (kind, schema.get("properties").and_then(Value::as_object)) {
        (Some("object") | None, Some(properties)) => {
            let member = |(name, of): (&String, &Value)| {
                *bytes = bytes.saturating_sub(name.len());
                (name.clone(), example_at(root, of, depth + 1, bytes))
            };
            Value::Object(properties.iter().map(member).collect())
        }
        (Some("object"), None) => Value::Object(Map::new()),
        (Some("array"), _) => json!([]),
        (Some("boolean"), _) => json!(true),
        (Some("integer" | "number"), _) => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        (Some("string"), _) => json!("text"),
        (_, _) if depth == 0 => Value::Object(Map::new()),
        (_, _) => Value::Null,
    }
}

/// Goes through all of a schema as a reader of it would, references followed.
fn walk(root: &Value, part: &Value, depth: usize, parts: &mut usize) -> Result<(), String> {
    *parts += 1;
    if depth > DEEPEST {
        return Err(format!("The schema is nested deeper than {DEEPEST} levels, or a part of it refers to itself."));
    }
    if *parts > MOST_PARTS {
        return Err(format!("The schema has more than {} parts, counting each reference.", grouped(MOST_PARTS)));
    }
    match part {
        Value::Object(members) => members.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
            ("$ref", Value::String(place)) => {
                let target = target(root, place).ok_or_else(|| outside(place))?;
                walk(root, target, depth + 1, parts)
            }
            ("$dynamicRef" | "$recursiveRef", Value::String(place)) => Err(outside(place)),
            ("$id", Value::String(_)) if depth > 0 => {
                Err("A part of the schema has its own $id. Move it to $defs and refer to it there.".to_owned())
            }
            (name, _) if DATA.contains(&name) => Ok(()),
            (name, Value::Object(named)) if NAMED.contains(&name) => {
                named.values().try_for_each(|value| walk(root, value, depth + 2, parts))
            }
            (_, value) => walk(root, value, depth + 1, parts),
        }),
        Value::Array(items) => items.iter().try_for_each(|item| walk(root, item, depth + 1, parts)),
        _ => Ok(()),
    }
}

/// A schema, or what it refers to.
pub(super) fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let follow = |schema: &&'a Value| target(root, schema.get("$ref")?.as_str()?);
    std::iter::successors(Some(schema), follow).take(DEEPEST).last().unwrap_or(schema)
}

/// The target of `#/$defs/level`.
fn target<'a>(root: &'a Value, place: &str) -> Option<&'a Value> {
    root.pointer(place.strip_prefix('#')?)
}

fn outside(place: &str) -> String {
    let place: String = place.chars().take(80).collect();
    format!(
        "The schema refers to '{place}', which it does not contain. Wilco fetches nothing: add it under $defs and \
         write #/$defs/…"
    )
}

/// `place: what is wrong`, without a full stop.
fn told(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().as_str().trim_start_matches('/').replace('/', ".");
    let mut what = error.to_string();
    if what.chars().count() > LONGEST_COMPLAINT {
        what = format!("{}…", what.chars().take(LONGEST_COMPLAINT).collect::<String>());
    }
    let what = what.trim_end_matches('.');
    if place.is_empty() { what.to_owned() } else { format!("{place}: {what}") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{LONGEST, Schema, example};

    #[test]
    fn a_schema_that_is_none_is_refused_with_a_sentence() {
        let check = |schema: Value, part: Option<&str>| {
            let why = Schema::read(&schema).err();
            match part {
                Some(part) => assert!(why.as_ref().is_some_and(|why| why.contains(part)), "{schema}: {why:?}"),
                None => assert_eq!(why, None, "{schema}"),
            }
        };
        check(json!({}), None);
        check(
            json!({"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}),
            None,
        );
        check(json!(true), Some("not a JSON object"));
        check(json!("object"), Some("not a JSON object"));
        check(json!({"type": "array"}), Some("does not describe an object"));
        check(
            json!({"properties": {"n": {"type": "nonsense"}}}),
            Some("This is not a valid JSON Schema: properties.n.type"),
        );
        check(json!({"required": "level"}), Some("This is not a valid JSON Schema: required"));
        check(json!({"properties": {"n": {"pattern": "("}}}), Some("This is not a valid JSON Schema"));
        check(json!({"properties": {"n": {"pattern": "(a{1000}){1000}"}}}), Some("This is not a valid JSON Schema"));
        check(json!({"$ref": "https://example.com/a.json"}), Some("refers to 'https://example.com/a.json'"));
        check(json!({"properties": {"n": {"$ref": "file:///etc/passwd"}}}), Some("refers to 'file:///etc/passwd'"));
        check(json!({"properties": {"n": {"$ref": "#/$defs/none"}}}), Some("refers to '#/$defs/none'"));
        check(json!({"$ref": "#"}), Some("refers to itself"));
        check(json!({"properties": {"child": {"$ref": "#"}}}), Some("refers to itself"));
        // A property may be called like a keyword whose value is no schema.
        check(json!({"properties": {"default": {"properties": {"a": {"$ref": "#"}}}}}), Some("refers to itself"));
        check(json!({"$defs": {"enum": {"$ref": "https://example.com"}}}), Some("refers to 'https://example.com'"));
        check(json!({"properties": {"properties": {"default": {"$ref": "#"}}}}), None);
        check(json!({"properties": {"n": {"$id": "b", "type": "object"}}}), Some("its own $id"));
        check(json!({"$dynamicRef": "#a"}), Some("refers to '#a'"));
        check(json!({"description": "x".repeat(70_000)}), Some("the limit is 65,536"));
        let mut doubling = json!({"l0": {"type": "integer"}});
        for level in 1..30 {
            let below = json!({"$ref": format!("#/$defs/l{}", level - 1)});
            doubling[format!("l{level}")] = json!({"allOf": [below, below]});
        }
        check(json!({"$defs": doubling, "$ref": "#/$defs/l29"}), Some("more than 20,000 parts"));
    }

    #[test]
    fn a_complaint_names_the_place() {
        let schema = json!({
            "type": "object",
            "properties": {
                "level": {"type": "number", "maximum": 10},
                "steps": {"type": "array", "items": {"type": "object", "required": ["at"]}},
                "mode": {"enum": ["fast", "slow"]},
            },
            "additionalProperties": false,
        });
        let schema = Schema::read(&schema).expect("a schema");
        let check = |args: Value, expected: &[&str]| assert_eq!(schema.complaints(&args), expected, "{args}");
        check(json!({"level": 3, "steps": [{"at": 1}], "mode": "slow"}), &[]);
        check(json!({"level": 11}), &["level: 11 is greater than the maximum of 10"]);
        check(json!({"steps": [{"at": 1}, {}]}), &["steps.1: \"at\" is a required property"]);
        check(json!({"mode": "odd"}), &["mode: \"odd\" is not one of \"fast\" or \"slow\""]);
        check(json!({"x": 1}), &["Additional properties are not allowed ('x' was unexpected)"]);
        let long = schema.complaints(&json!({"level": "x".repeat(5_000)}));
        assert!(long[0].len() < 300, "{}", long[0]);
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
        assert_eq!(example(&schema), expected);
        assert_eq!(example(&json!({})), json!({}));
    }

    #[test]
    fn an_example_stays_short() {
        let names = (0..1_000).map(|n| (n.to_string(), json!({"$ref": "#/$defs/text"}))).collect::<Map<_, _>>();
        let schema = json!({"properties": names, "$defs": {"text": {"default": "x".repeat(10_000)}}});
        assert_eq!(Schema::read(&schema).err(), None);
        let made = example(&schema);
        assert_eq!(made["0"], "x".repeat(10_000));
        assert!(made.to_string().len() < 2 * LONGEST, "{}", made.to_string().len());
    }
}
