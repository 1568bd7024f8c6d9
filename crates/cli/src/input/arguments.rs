//! A command's arguments: `KEY=VALUE` and a JSON object.

use serde_json::{Map, Value};

use crate::problem::Problem;

/// The JSON object of both; a pair takes the place of a member of the same name.
pub(crate) fn arguments(object: Option<&str>, pairs: &[String]) -> Result<Map<String, Value>, Problem> {
    let mut members = match object.map(serde_json::from_str) {
        None => Map::new(),
        Some(Ok(Value::Object(members))) => members,
        Some(Ok(other)) => {
            return Err(Problem::new(
                format!("--args is {other}, which is no JSON object."),
                "Write it like --args '{\"on\":true}'.",
            ));
        }
        Some(Err(error)) => {
            return Err(Problem::new(
                format!("--args is no JSON: {error}."),
                "Write it like --args '{\"on\":true}', in quotes so that the shell leaves it alone.",
            ));
        }
    };
    let mut given = Vec::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
            Problem::new(format!("'{pair}' is no argument."), "Arguments are written KEY=VALUE, on=true for instance.")
        })?;
        if given.contains(&key) {
            return Err(Problem::new(format!("'{key}' is given twice."), "Give each argument once."));
        }
        given.push(key);
        members.insert(key.to_owned(), value_of(value));
    }
    Ok(members)
}

/// JSON where it is JSON, otherwise the text itself.
fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::arguments;

    #[test]
    fn pairs_are_json_or_text() {
        let check = |object: Option<&str>, pairs: &[&str], expected: Option<Value>| {
            let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            assert_eq!(arguments(object, &pairs).ok().map(Value::Object), expected, "{object:?} {pairs:?}");
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
    }
}
