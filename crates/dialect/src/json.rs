//! JSON as devices really write it: read leniently, within bounds, and written so that equal values are equal texts.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// The members of an object in the payload's order. (A `serde_json` map sorts them.)
#[derive(Debug, PartialEq)]
pub(crate) struct Members(pub(crate) Vec<(String, Value)>);

impl Members {
    /// The members of a text. Numbers that JSON does not have (`NaN`, `Infinity`, `1e999`), which several languages
    /// write all the same, are read as `null`.
    pub(crate) fn parse(text: &str) -> Result<Members, serde_json::Error> {
        serde_json::from_str(text).or_else(|error| match without_non_finite(text) {
            Some(mended) => serde_json::from_str(&mended).map_err(|_| error),
            None => Err(error),
        })
    }

    /// The member of that name, the last one if there are several; `null` counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let (_, value) = self.0.iter().rev().find(|(key, _)| key == name)?;
        (!value.is_null()).then_some(value)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// JSON text without spaces and with sorted keys. Sorted here, because whether `serde_json` does it depends on what
/// else is built into the program.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

// The recursion is bounded: `serde_json` reads at most 128 levels.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, item)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(item, text);
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// The text with every number that JSON does not have replaced by `null`; `None` if there is none.
fn without_non_finite(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    let mut replaced = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            c if is_of_number(c) => rest.find(|c| !is_of_number(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if is_of_number(first) && token.parse::<f64>().is_ok_and(|number| !number.is_finite()) {
            mended.push_str("null");
            replaced = true;
        } else {
            mended.push_str(token);
        }
        rest = after;
    }
    replaced.then_some(mended)
}

fn is_of_number(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// The length in bytes of the string literal that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// A whole number, also when it is written as `17.0` or `"17"`.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // `as` saturates, which is right for a clock that is far off.
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the fraction is of no interest")]
    number.is_finite().then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Members, canonical, whole};

    #[test]
    fn equal_values_are_equal_texts() {
        let check = |text: &str, expected: &str| {
            assert_eq!(canonical(&serde_json::from_str(text).expect("JSON")), expected);
        };
        check(r#"{ "b": 1, "a": [ true, null ] }"#, r#"{"a":[true,null],"b":1}"#);
        check(r#"{"a":{"d":"\u00e4\"","c":{}}}"#, r#"{"a":{"c":{},"d":"ä\""}}"#);
        check("[]", "[]");
        check("1.50", "1.5");
    }

    #[test]
    fn members_keep_their_order_and_the_last_of_a_name_counts() {
        let members = Members::parse(r#"{"z":1,"a":2,"z":3,"n":null}"#).expect("an object");
        assert_eq!(members.0.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["z", "a", "z", "n"]);
        assert_eq!(members.get("z"), Some(&json!(3)));
        assert_eq!(members.get("n"), None);
        assert_eq!(members.get("x"), None);
    }

    #[test]
    fn numbers_that_json_does_not_have_are_null() {
        let check = |text: &str, expected: Option<&str>| {
            let read = Members::parse(text)
                .ok()
                .map(|members| canonical(&serde_json::Value::Object(members.0.into_iter().collect())));
            assert_eq!(read.as_deref(), expected, "{text:?}");
        };
        check(r#"{"a":NaN,"b":-Infinity,"c":1e999,"d":"NaN"}"#, Some(r#"{"a":null,"b":null,"c":null,"d":"NaN"}"#));
        check(r#"{"a":"\"NaN","b":NaN}"#, Some(r#"{"a":"\"NaN","b":null}"#));
        check(r#"{"a":nonsense,"b":NaN}"#, None);
        check(r#"{"a":NaN,"b"#, None);
        check("[1]", None);
    }

    #[test]
    fn whole_numbers_come_in_several_shapes() {
        let check = |value: serde_json::Value, expected: Option<i64>| assert_eq!(whole(&value), expected, "{value}");
        check(json!(17), Some(17));
        check(json!(17.9), Some(17));
        check(json!("17"), Some(17));
        check(json!(-3), Some(-3));
        check(json!(1e300), Some(i64::MAX));
        check(json!("soon"), None);
        check(json!("NaN"), None);
        check(json!(true), None);
    }
}
