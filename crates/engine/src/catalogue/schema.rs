//! JSON Schemas of commands' arguments.
//!
//! Users and their files provide them, so they are bounded: in size, in depth, in references (only to themselves, without
//! cycles), and in the work of a pattern. Numbers are compared to the last digit, those of the schema and those of the
//! arguments.

mod exact_keywords;
mod example;
mod instance;

use jsonschema::{PatternOptions, ValidationError, Validator};
use wilco_dialect::json::{self, ExactValue};
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

/// A schema that has been read, and compiled.
pub(crate) struct Schema {
    written: ExactValue,
    validator: Validator<instance::Exact>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// A sentence for what is none, is not of an object, has a key twice, is beyond the bounds or refers to something
    /// outside itself.
    pub(crate) fn read(text: &str) -> Result<Schema, String> {
        let no_object = || "The schema is not a JSON object. An empty object, {}, allows any arguments.".to_owned();
        if !text.trim_start().starts_with('{') {
            return Err(no_object());
        }
        let text = json::schema(text)?;
        let written = ExactValue::parse(&text).map_err(|_| no_object())?;
        if written.get("type").is_some_and(|kind| kind.as_str() != Some("object")) {
            return Err("The schema does not describe an object, but arguments are always an object. Write \"type\": \
                        \"object\"."
                .to_owned());
        }
        if text.len() > LONGEST {
            return Err(format!("The schema has {} bytes; the limit is {}.", grouped(text.len()), grouped(LONGEST)));
        }
        walk(&written, &written, 0, &mut 0)?;
        let patterns = PatternOptions::regex().size_limit(LARGEST_PATTERN);
        let options = exact_keywords::options().offline().with_pattern_options(patterns).should_validate_formats(true);
        match options.build(&exact_keywords::readable(&written)) {
            Ok(validator) => Ok(Schema { written, validator }),
            Err(error) => Err(format!("This is not a valid JSON Schema: {}.", told(&error, &written))),
        }
    }

    /// The problem of the arguments, which are a JSON text: `level: 7 is greater than …`, the place first. Empty if they
    /// are valid.
    pub(crate) fn complaints(&self, args: &str) -> Vec<String> {
        let args = ExactValue::parse(args).unwrap_or_default();
        self.validator.iter_errors(&args).take(MOST_COMPLAINTS).map(|error| told(&error, &args)).collect()
    }

    /// What was written.
    pub(crate) fn written(&self) -> &ExactValue {
        &self.written
    }

    /// Arguments as they could be, as JSON text.
    pub(crate) fn example(&self) -> String {
        example::example(&self.written).to_string()
    }
}

/// Goes through all of a schema as a reader of it would, references followed.
fn walk(root: &ExactValue, part: &ExactValue, depth: usize, parts: &mut usize) -> Result<(), String> {
    *parts += 1;
    if depth > DEEPEST {
        return Err(format!("The schema is nested deeper than {DEEPEST} levels, or part of it refers to itself."));
    }
    if *parts > MOST_PARTS {
        return Err(format!("The schema has more than {} parts, counting each reference.", grouped(MOST_PARTS)));
    }
    match part {
        ExactValue::Object(members) => members.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
            ("$ref", ExactValue::String(place)) => {
                let target = target(root, place).ok_or_else(|| outside(place))?;
                walk(root, target, depth + 1, parts)
            }
            ("$dynamicRef" | "$recursiveRef", ExactValue::String(place)) => Err(outside(place)),
            ("$id", ExactValue::String(_)) if depth > 0 => {
                Err("Part of the schema has its own $id. Move it to $defs and refer to it there.".to_owned())
            }
            (name, _) if DATA.contains(&name) => Ok(()),
            (name, ExactValue::Object(named)) if NAMED.contains(&name) => {
                named.iter().try_for_each(|(_, value)| walk(root, value, depth + 2, parts))
            }
            (_, value) => walk(root, value, depth + 1, parts),
        }),
        ExactValue::Array(items) => items.iter().try_for_each(|item| walk(root, item, depth + 1, parts)),
        _ => Ok(()),
    }
}

/// A schema, or what it refers to.
pub(super) fn resolved<'a>(root: &'a ExactValue, schema: &'a ExactValue) -> &'a ExactValue {
    let follow = |schema: &&'a ExactValue| target(root, schema.get("$ref")?.as_str()?);
    std::iter::successors(Some(schema), follow).take(DEEPEST).last().unwrap_or(schema)
}

/// The target of `#/$defs/level`.
fn target<'a>(root: &'a ExactValue, place: &str) -> Option<&'a ExactValue> {
    root.pointer(place.strip_prefix('#')?)
}

fn outside(place: &str) -> String {
    let place: String = place.chars().take(80).collect();
    format!(
        "The schema refers to '{place}', which it does not contain. Wilco does not fetch schemas: add it under $defs \
         and write #/$defs/…"
    )
}

/// `place: what is wrong`, without a full stop. What it quotes of a value has the digits that were written.
fn told(error: &ValidationError<'_>, value: &ExactValue) -> String {
    let pointer = error.instance_path().as_str();
    let quoted = value.pointer(pointer).map(ToString::to_string).unwrap_or_default();
    let place = pointer.trim_start_matches('/').replace('/', ".");
    let mut what = error.masked_with(quoted).to_string();
    if what.chars().count() > LONGEST_COMPLAINT {
        what = format!("{}…", what.chars().take(LONGEST_COMPLAINT).collect::<String>());
    }
    let what = what.trim_end_matches('.');
    if place.is_empty() { what.to_owned() } else { format!("{place}: {what}") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Schema;

    #[test]
    fn a_schema_that_is_none_is_refused_with_a_sentence() {
        let check = |schema: Value, part: Option<&str>| {
            let why = Schema::read(&schema.to_string()).err();
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
        let twice = Schema::read(r#"{"properties":{"n":{"minimum":1,"minimum":2}}}"#).err();
        assert_eq!(twice.as_deref(), Some("The key \"minimum\" occurs twice in 'properties.n'. Give it once."));
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
        let schema = Schema::read(&schema.to_string()).expect("a schema");
        let check =
            |args: Value, expected: &[&str]| assert_eq!(schema.complaints(&args.to_string()), expected, "{args}");
        check(json!({"level": 3, "steps": [{"at": 1}], "mode": "slow"}), &[]);
        check(json!({"level": 11}), &["level: 11 is greater than the maximum of 10"]);
        check(json!({"steps": [{"at": 1}, {}]}), &["steps.1: \"at\" is a required property"]);
        check(json!({"mode": "odd"}), &["mode: \"odd\" is not one of \"fast\" or \"slow\""]);
        check(json!({"x": 1}), &["Additional properties are not allowed ('x' was unexpected)"]);
        let long = schema.complaints(&json!({"level": "x".repeat(5_000)}).to_string());
        assert!(long[0].len() < 300, "{}", long[0]);
    }

    /// A number that no double can represent, in the schema or in the arguments.
    #[test]
    fn every_digit_counts() {
        let check = |property: &str, value: &str, expected: Option<&str>| {
            let schema = format!(r#"{{"properties":{{"n":{property}}}}}"#);
            let complaints = Schema::read(&schema).expect("a schema").complaints(&format!(r#"{{"n":{value}}}"#));
            let expected: Vec<_> = expected.map(|why| format!("n: {why}")).into_iter().collect();
            assert_eq!(complaints, expected, "{property} {value}");
        };
        let least = r#"{"minimum":10000000000000000000001}"#;
        check(least, "10000000000000000000001.0", None);
        let below = "10000000000000000000000 is less than the minimum of 10000000000000000000001";
        check(least, "10000000000000000000000", Some(below));
        check(least, "1e400", None);
        check(r#"{"maximum":10}"#, "1.0e1", None);
        let above = "10.00000000000000000001 is greater than the maximum of 10";
        check(r#"{"maximum":10}"#, "10.00000000000000000001", Some(above));
        let low = "9007199254740993 is less than or equal to the minimum of 9007199254740993.0";
        check(r#"{"exclusiveMinimum":9007199254740993.0}"#, "9007199254740993", Some(low));
        check(r#"{"exclusiveMinimum":9007199254740993.0}"#, "9007199254740994", None);
        let high = "0.1 is greater than or equal to the maximum of 1e-1";
        check(r#"{"exclusiveMaximum":1e-1}"#, "0.1", Some(high));
        check(r#"{"exclusiveMaximum":1e-1}"#, "0.09999999999999999999", None);
        check(r#"{"multipleOf":0.01}"#, "19.99", None);
        let odd = "19.99000000000000000001 is not a multiple of 0.01";
        check(r#"{"multipleOf":0.01}"#, "19.99000000000000000001", Some(odd));
        let constant = r#"{"const":{"k":[0.1000000000000000000001]}}"#;
        check(constant, r#"{"k":[1000000000000000000001e-22]}"#, None);
        check(constant, r#"{"k":[0.1]}"#, Some(r#"{"k":[0.1000000000000000000001]} was expected"#));
        check(r#"{"enum":[1e10,null]}"#, "10000000000.0", None);
        check(r#"{"enum":[1e10,null]}"#, "10000000001", Some("10000000001 is not one of 1e10 or null"));
        check(r#"{"enum":[1,2,3,4]}"#, "5", Some("5 is not one of 1, 2 or 2 other candidates"));
        check(r#"{"uniqueItems":true}"#, "[9007199254740992,9007199254740993]", None);
        check(r#"{"type":"integer"}"#, "10000000000000000000001e2", None);
        let fraction = r#"1.00000000000000000000001 is not of type "integer""#;
        check(r#"{"type":"integer"}"#, "1.00000000000000000000001", Some(fraction));
        check(r#"{"type":"string"}"#, "1e999", Some(r#"1e999 is not of type "string""#));
        let either = r#"{"anyOf":[{"maximum":9007199254740992},{"const":9007199254740994}]}"#;
        let neither = "9007199254740993 is not valid under any of the schemas listed in the 'anyOf' keyword";
        check(either, "9007199254740993", Some(neither));
        check(either, "9007199254740994", None);
    }

    #[test]
    fn a_keyword_is_one_only_where_a_schema_is() {
        let check = |schema: &str, args: &str, fits: bool| {
            let complaints = Schema::read(schema).expect("a schema").complaints(args);
            assert_eq!(complaints.is_empty(), fits, "{schema} {args}: {complaints:?}");
        };
        check(
            r#"{"properties":{"minimum":{"type":"string"},"enum":{"maximum":1}}}"#,
            r#"{"minimum":"x","enum":1}"#,
            true,
        );
        check(r#"{"properties":{"enum":{"maximum":1}}}"#, r#"{"enum":2}"#, false);
        let refers =
            r##"{"default":{"maximum":1},"properties":{"n":{"$ref":"#/$defs/n"}},"$defs":{"n":{"minimum":5}}}"##;
        check(refers, r#"{"n":4}"#, false);
        check(refers, r#"{"n":5}"#, true);
        let draft_4 = r#"{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"n":{"minimum":1,"exclusiveMinimum":true,"const":7}}}"#;
        check(draft_4, r#"{"n":1.0}"#, false);
        check(draft_4, r#"{"n":1.00000000000000000000001}"#, true);
        let draft_7 = r##"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"n":{"$ref":"#/definitions/n","maximum":0}},"definitions":{"n":{"minimum":5}}}"##;
        check(draft_7, r#"{"n":5}"#, true);
        check(draft_7, r#"{"n":4}"#, false);
    }
}
