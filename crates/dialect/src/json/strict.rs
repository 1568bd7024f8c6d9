//! JSON objects written by users: stored digit for digit, and refused if they are ambiguous.

use serde_json::value::RawValue;

use super::{DEEPEST, Members, compact, depth};
use crate::words::shortened;

/// The stored form of arguments: the user's text without white space between its parts. Digits, escapes and the order
/// of keys are kept.
///
/// # Errors
/// What is wrong, as a sentence: it is no JSON object, it is deeper than 100 levels, or a key is there twice.
pub fn object(text: &str) -> Result<String, String> {
    let text = text.trim();
    kept(if text.is_empty() || text == "null" { "{}" } else { text }, "The arguments are")
}

/// The stored form of a JSON Schema, like that of arguments.
///
/// # Errors
/// As for [`object`].
pub fn schema(text: &str) -> Result<String, String> {
    kept(text.trim(), "The schema is")
}

/// The sentence about what is wrong begins with `it_is`.
fn kept(text: &str, it_is: &str) -> Result<String, String> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| format!("{it_is} not a JSON object ({error})."))?;
    if !text.starts_with('{') {
        return Err(format!("{it_is} {}, not a JSON object.", shortened(text, 60)));
    }
    if depth(text) > DEEPEST {
        return Err(format!("{it_is} nested deeper than {DEEPEST} levels."));
    }
    no_key_twice(raw, &mut Vec::new())?;
    Ok(compact(text))
}

fn no_key_twice(value: &RawValue, path: &mut Vec<String>) -> Result<(), String> {
    match value.get().as_bytes().first() {
        Some(b'{') => {
            let Ok(Members(members)) = serde_json::from_str(value.get()) else {
                return Err(format!("This is not a JSON object{}.", place(path)));
            };
            let mut seen = std::collections::HashSet::new();
            for (key, member) in &members {
                if !seen.insert(key) {
                    let key = shortened(key, 40);
                    return Err(format!("The key {key:?} occurs twice{}. Give it once.", place(path)));
                }
                path.push(key.clone());
                no_key_twice(member, path)?;
                path.pop();
            }
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
            for (index, item) in items.into_iter().enumerate() {
                path.push(index.to_string());
                no_key_twice(item, path)?;
                path.pop();
            }
        }
        _ => {}
    }
    Ok(())
}

/// ` in 'steps.1'`; nothing for the outermost.
fn place(path: &[String]) -> String {
    if path.is_empty() { String::new() } else { format!(" in '{}'", shortened(&path.join("."), 80)) }
}

#[cfg(test)]
mod tests {
    use super::{object, schema};

    #[test]
    fn arguments_are_kept_as_they_were_typed_or_refused_with_the_place() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let read = object(text);
            assert_eq!(read.as_ref().map(String::as_str).map_err(String::as_str), expected, "{text:?}");
        };
        check("", Ok("{}"));
        check(" {\n  \"b\": 1.50,\n  \"a\": [ 1e10, \" x \" ]\n} ", Ok(r#"{"b":1.50,"a":[1e10," x "]}"#));
        check(r#"{"a":1,"a":1}"#, Err("The key \"a\" occurs twice. Give it once."));
        check(r#"{"a":1,"\u0061":2}"#, Err("The key \"a\" occurs twice. Give it once."));
        check(r#"{"s":[{},{"at":1,"at":2}]}"#, Err("The key \"at\" occurs twice in 's.1'. Give it once."));
        check(r#"{"a":{"b":1},"b":1}"#, Ok(r#"{"a":{"b":1},"b":1}"#));
        check("[1]", Err("The arguments are [1], not a JSON object."));
        assert!(object("{on:true}").is_err_and(|why| why.starts_with("The arguments are not a JSON object (")));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        check(&deep, Err("The arguments are nested deeper than 100 levels."));
    }

    #[test]
    fn a_schema_is_kept_and_refused_in_the_same_way() {
        let limits = r#"{"properties":{"n":{"minimum":10000000000000000000001,"default":1e10,"const":1.0}}}"#;
        assert_eq!(schema(&format!(" {} ", limits.replace(':', " : "))).as_deref(), Ok(limits));
        let twice = r#"{"properties":{"n":{"minimum":1,"minimum":2}}}"#;
        assert_eq!(schema(twice), Err("The key \"minimum\" occurs twice in 'properties.n'. Give it once.".to_owned()));
        assert_eq!(schema("null"), Err("The schema is null, not a JSON object.".to_owned()));
        assert!(schema("").is_err_and(|why| why.starts_with("The schema is not a JSON object (")));
    }
}
