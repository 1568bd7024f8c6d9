//! JSON that keeps its digits: parsed leniently from devices, strictly from users.
//!
//! A value stays the text that it was written as, because no number type holds every JSON number: a double alters
//! 9007199254740993, 0.30000000000000000001 and `1e10`. `serde_json`'s `arbitrary_precision` would keep the digits too, but
//! it is one switch for the whole program (the window's shell included), breaks `#[serde(flatten)]` and untagged enums
//! that hold numbers, and drops the first of two equal keys anyway. So values are passed as text, [`RawValue`] finds the
//! parts of one, [`ExactValue`] is one whose parts are rearranged (the messages of other firmware), a [`Decimal`](wilco_ledger::Decimal) compares
//! its numbers, and a [`Value`] is created only where rounded numbers do no harm.

mod damaged;
mod exact;
mod layout;
mod same;
mod strict;

use std::fmt;

pub(crate) use damaged::whole_members;
pub use exact::ExactValue;
use layout::compact;
pub use layout::indented;
pub use same::same;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
pub use strict::{object, schema};

/// How many levels a value may have.
const DEEPEST: usize = 100;

/// The stored form of a JSON value: its text without white space between its parts. Text that is not JSON becomes a
/// JSON string.
#[must_use]
pub fn value_of(text: &str) -> String {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) if depth(text) <= DEEPEST => compact(text),
        _ => Value::from(text).to_string(),
    }
}

/// The members of a JSON object in order, with their original text; `None` for anything else.
#[must_use]
pub fn members(text: &str) -> Option<Vec<(String, String)>> {
    let members: Members = serde_json::from_str(text).ok()?;
    Some(members.0.into_iter().map(|(key, value)| (key, value.get().to_owned())).collect())
}

/// A JSON text as a value for comparison and validation. Numbers are rounded to a double or 64 bits, the last of
/// several equal keys counts, and invalid JSON is `null`. Never send or show it.
#[must_use]
pub fn approximate(text: &str) -> Value {
    serde_json::from_str(text)
        .ok()
        .or_else(|| serde_json::from_str(&with_numbers(text, nearest)?).ok())
        .unwrap_or_default()
}

fn nearest(number: &str) -> Option<&'static str> {
    let is_beyond = number.parse::<f64>().is_ok_and(f64::is_infinite);
    is_beyond.then_some(if number.starts_with('-') { "-1.7976931348623157e308" } else { "1.7976931348623157e308" })
}

/// The members of an object in the payload's order, each as it was written.
#[derive(Debug)]
pub(crate) struct Members(pub(crate) Vec<(String, Box<RawValue>)>);

impl Members {
    /// The members of a text. What JSON has no number for (`NaN`, `Infinity`), which several languages write anyway,
    /// is read as `null`.
    pub(crate) fn parse(text: &str) -> Result<Members, serde_json::Error> {
        if depth(text) > DEEPEST {
            return Err(serde_json::Error::custom(format!("it is nested deeper than {DEEPEST} levels")));
        }
        serde_json::from_str(text).or_else(|error| match with_numbers(text, no_number) {
            Some(mended) => serde_json::from_str(&mended).map_err(|_| error),
            None => Err(error),
        })
    }

    /// The member of that name as it was written, the last one if there are several; `null` counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rev().find(|(key, _)| key == name)?;
        (value.get() != "null").then(|| value.get())
    }

    /// The member of that name as an [`approximate`] value.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        self.text(name).map(approximate).filter(|value| !value.is_null())
    }

    /// All of it as JSON text without white space.
    pub(crate) fn to_text(&self) -> String {
        let members =
            self.0.iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), compact(value.get())));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
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

/// A part of a JSON text as it was written, by its path: `a.b.0`. `null` counts as absent.
pub(crate) fn part(text: &str, path: &str) -> Option<String> {
    path.split('.').try_fold(text.to_owned(), |value, key| match value.trim_start().as_bytes().first()? {
        b'{' => serde_json::from_str::<Members>(&value).ok()?.text(key).map(str::to_owned),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(&value).ok()?;
            items.get(key.parse::<usize>().ok()?).map(|item| item.get().to_owned()).filter(|item| item != "null")
        }
        _ => None,
    })
}

/// JSON text without spaces and with sorted keys, so that equal values written with the same digits are equal texts.
pub(crate) fn canonical(text: &str) -> String {
    let mut sorted = String::with_capacity(text.len());
    write_canonical(text, &mut sorted);
    sorted
}

// The recursion is bounded: what comes here has been read, and is at most 100 levels deep.
fn write_canonical(text: &str, to: &mut String) {
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            to.push('[');
            for (index, item) in items.into_iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                write_canonical(item.get(), to);
            }
            to.push(']');
        }
        Some(b'{') => {
            let Ok(Members(mut members)) = serde_json::from_str(text) else { return to.push_str("null") };
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            to.push('{');
            for (index, (key, item)) in members.iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                to.push_str(&Value::from(key.as_str()).to_string());
                to.push(':');
                write_canonical(item.get(), to);
            }
            to.push('}');
        }
        // Escapes are read, so that `"\u00e4"` equals `"ä"`.
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(string) => to.push_str(&Value::from(string).to_string()),
            Err(_) => to.push_str(text),
        },
        _ => to.push_str(text),
    }
}

/// How many levels a JSON text has.
fn depth(text: &str) -> usize {
    let mut level = 0_usize;
    let mut deepest = 0;
    for token in tokens(text) {
        match token {
            "{" | "[" => {
                level += 1;
                deepest = deepest.max(level);
            }
            "}" | "]" => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The text with every number that has a substitute replaced by it; `None` if there is none.
fn with_numbers(text: &str, substitute: impl Fn(&str) -> Option<&'static str>) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    let mut replaced = false;
    for token in tokens(text) {
        let other = Some(token).filter(|token| token.starts_with(is_of_number)).and_then(&substitute);
        replaced |= other.is_some();
        mended.push_str(other.unwrap_or(token));
    }
    replaced.then_some(mended)
}

/// `null` for what is written as a number and is none in JSON.
fn no_number(token: &str) -> Option<&'static str> {
    let is_word = token.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_alphabetic());
    (is_word && token.parse::<f64>().is_ok_and(|number| !number.is_finite())).then_some("null")
}

/// The pieces of a JSON text, whole strings and numbers among them. Never fails: what is no JSON comes in some pieces.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let length = match rest.chars().next()? {
            '"' => string_length(rest),
            c if is_of_number(c) => rest.find(|c| !is_of_number(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
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
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Members, approximate, canonical, object, part, value_of, whole};

    #[test]
    fn equal_values_are_equal_texts() {
        let check = |text: &str, expected: &str| assert_eq!(canonical(text), expected);
        check(r#"{ "b": 1, "a": [ true, null ] }"#, r#"{"a":[true,null],"b":1}"#);
        check(r#"{"a":{"d":"\u00e4\"","c":{}}}"#, r#"{"a":{"c":{},"d":"ä\""}}"#);
        check("[]", "[]");
        check("1.50", "1.50");
        check(r#"{"n":1e10,"m":123456789012345678901234567890}"#, r#"{"m":123456789012345678901234567890,"n":1e10}"#);
    }

    #[test]
    fn members_keep_their_order_and_the_last_of_a_name_counts() {
        let members = Members::parse(r#"{"z":1,"a":2,"z":3,"n":null}"#).expect("an object");
        assert_eq!(members.0.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["z", "a", "z", "n"]);
        assert_eq!(members.get("z"), Some(json!(3)));
        assert_eq!(members.get("n"), None);
        assert_eq!(members.get("x"), None);
        assert_eq!(members.to_text(), r#"{"z":1,"a":2,"z":3,"n":null}"#);
    }

    #[test]
    fn words_that_stand_for_numbers_are_null() {
        let check = |text: &str, expected: Option<&str>| {
            let read = Members::parse(text).ok().map(|members| members.to_text());
            assert_eq!(read.as_deref(), expected, "{text:?}");
        };
        check(r#"{"a":NaN,"b":-Infinity,"c":1e999,"d":"NaN"}"#, Some(r#"{"a":null,"b":null,"c":1e999,"d":"NaN"}"#));
        check(r#"{"a":"\"NaN","b":NaN}"#, Some(r#"{"a":"\"NaN","b":null}"#));
        check(r#"{"a":nonsense,"b":NaN}"#, None);
        check(r#"{"a":NaN,"b"#, None);
        check("[1]", None);
    }

    #[test]
    fn a_part_is_what_was_written() {
        let text = r#"{"a":{"b":[1.50,{"c":12345678901234567890}],"n":null},"s":"x"}"#;
        let check = |path: &str, expected: Option<&str>| assert_eq!(part(text, path).as_deref(), expected, "{path}");
        check("a.b.0", Some("1.50"));
        check("a.b.1.c", Some("12345678901234567890"));
        check("s", Some("\"x\""));
        check("a.n", None);
        check("a.b.7", None);
        check("s.x", None);
    }

    #[test]
    fn validation_may_use_the_nearest_number() {
        assert_eq!(approximate("9007199254740993"), json!(9_007_199_254_740_993_u64));
        assert_eq!(approximate("[1e999,-1e999]"), json!([f64::MAX, f64::MIN]));
        assert_eq!(approximate("nonsense"), json!(null));
        assert_eq!(
            (value_of("{ \"a\" : 1 }").as_str(), value_of("no \"JSON").as_str()),
            ("{\"a\":1}", "\"no \\\"JSON\"")
        );
    }

    proptest! {
        #[test]
        fn a_number_keeps_its_digits(number in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?") {
            let text = format!("{{\"a\":[{number}],\"n\": {number}}}");
            prop_assert_eq!(object(&text), Ok(text.replace(' ', "")));
            prop_assert_eq!(part(&text, "a.0"), Some(number.clone()));
            prop_assert_eq!(canonical(&number), number.clone());
            prop_assert!(!approximate(&number).is_null());
        }

        #[test]
        fn any_text_is_kept_as_one(text in ".{0,40}") {
            let string = serde_json::Value::from(text.as_str()).to_string();
            prop_assert_eq!(object(&format!("{{\"t\": {string}}}")), Ok(format!("{{\"t\":{string}}}")));
        }
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
