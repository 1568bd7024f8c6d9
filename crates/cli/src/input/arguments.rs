//! The arguments of a command: `KEY=VALUE` and a JSON object.

use serde_json::{Value, value::RawValue};
use wilco_dialect::json;

use crate::problem::Problem;

/// The JSON object of both as text, each value as it was typed; a pair takes the place of a member of the same name.
pub(crate) fn arguments(object: Option<&str>, pairs: &[String]) -> Result<String, Problem> {
    let object = json::object(object.unwrap_or("{}")).map_err(|why| {
        Problem::new(
            format!("--args is not valid. {why}"),
            "Write it like --args '{\"on\":true}', in quotes so that the shell does not change it.",
        )
    })?;
    let mut members = json::members(&object).unwrap_or_default();
    let mut given = Vec::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
            Problem::new(
                format!("'{pair}' is not an argument."),
                "Write each argument as KEY=VALUE, for example \
                                                                   on=true.",
            )
        })?;
        if given.contains(&key) {
            return Err(Problem::new(format!("'{key}' occurs twice."), "Give each argument once."));
        }
        given.push(key);
        let value = value_of(value);
        match members.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value,
            None => members.push((key.to_owned(), value)),
        }
    }
    let members = members.into_iter().map(|(key, value)| format!("{}:{value}", Value::from(key)));
    Ok(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}

/// JSON where it is JSON, otherwise the text itself, with the spaces around it.
fn value_of(text: &str) -> String {
    let is_spaced = text.trim() != text && !text.trim_start().starts_with(['{', '[']);
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) if !is_spaced => value.get().to_owned(),
        _ => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::arguments;

    #[test]
    fn pairs_are_json_or_text() {
        let check = |object: Option<&str>, pairs: &[&str], expected: Option<Value>| {
            let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            let expected = expected.map(|value| value.to_string());
            assert_eq!(arguments(object, &pairs).ok(), expected, "{object:?} {pairs:?}");
        };
        check(None, &[], Some(json!({})));
        check(None, &["on=true"], Some(json!({"on": true})));
        check(None, &["apply=restart", "n=12", "x=1.5"], Some(json!({"apply": "restart", "n": 12, "x": 1.5})));
        check(None, &["changes={\"a\":1}"], Some(json!({"changes": {"a": 1}})));
        check(None, &["version=\"2.10\""], Some(json!({"version": "2.10"})));
        check(None, &["text=a=b", "empty="], Some(json!({"text": "a=b", "empty": ""})));
        check(Some("{\"on\":false,\"n\":1}"), &["on=true"], Some(json!({"on": true, "n": 1})));
        check(Some("[1]"), &[], None);
        check(Some("{on:true}"), &[], None);
        check(None, &["on"], None);
        check(None, &["=true"], None);
        check(None, &["on=true", "on=false"], None);
        check(Some(r#"{"on":1,"on":2}"#), &[], None);
        check(None, &["name= 7 "], Some(json!({"name": " 7 "})));
    }

    #[test]
    fn values_keep_their_digits() {
        let check = |object: Option<&str>, pairs: &[&str], expected: &str| {
            let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            assert_eq!(arguments(object, &pairs).ok().as_deref(), Some(expected), "{object:?} {pairs:?}");
        };
        check(
            None,
            &["a=1e10", "b=1.50", "c=123456789012345678901"],
            r#"{"a":1e10,"b":1.50,"c":123456789012345678901}"#,
        );
        check(Some(r#"{"z": 1E+400, "a": [0.10]}"#), &["z=-0.0"], r#"{"z":-0.0,"a":[0.10]}"#);
    }
}
