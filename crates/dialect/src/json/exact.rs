//! A JSON value that can be inspected and assembled without changing its numbers.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use serde::de::{Error as _, IgnoredAny};
use serde_json::{Error, Value};
use wilco_ledger::Decimal;

use super::{DEEPEST, no_number, tokens, with_numbers};

/// Up to this many members are compared one by one.
const FEW: usize = 16;

/// A JSON value. Numbers are kept as their original text; the last of several equal keys counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ExactValue {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, with its original digits.
    Number(Box<str>),
    /// A text.
    String(String),
    /// An array.
    Array(Vec<ExactValue>),
    /// An object: its members in order, each name once.
    Object(Vec<(String, ExactValue)>),
}

impl ExactValue {
    /// Parses a JSON text.
    ///
    /// # Errors
    /// If it is not JSON, or deeper than 100 levels.
    pub fn parse(text: &str) -> Result<ExactValue, Error> {
        serde_json::from_str::<IgnoredAny>(text)?;
        read(text)
    }

    /// Reads what a device wrote: in an object or an array, what JSON has no number for (`NaN`, `Infinity`) is `null`.
    ///
    /// # Errors
    /// As [`ExactValue::parse`].
    pub(crate) fn of_device(text: &str) -> Result<ExactValue, Error> {
        let Err(error) = serde_json::from_str::<IgnoredAny>(text) else { return read(text) };
        let mended = text.trim_start().starts_with(['{', '[']).then(|| with_numbers(text, no_number)).flatten();
        match mended {
            Some(mended) if serde_json::from_str::<IgnoredAny>(&mended).is_ok() => read(&mended),
            _ => Err(error),
        }
    }

    /// A member of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ExactValue> {
        let ExactValue::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The members of an object; none of other values.
    pub(crate) fn members(&self) -> &[(String, ExactValue)] {
        if let ExactValue::Object(members) = self { members } else { &[] }
    }

    /// An object with these members. Of equal names, the last one counts.
    pub(crate) fn object(members: Vec<(String, ExactValue)>) -> ExactValue {
        ExactValue::Object(each_once(members))
    }

    /// An item of an array by its number, or a member of an object by its name.
    pub(crate) fn part(&self, key: &str) -> Option<&ExactValue> {
        match self {
            ExactValue::Array(items) => {
                let is_number = key == "0" || key.starts_with(|first: char| matches!(first, '1'..='9'));
                items.get(key.parse::<usize>().ok().filter(|_| is_number)?)
            }
            other => other.get(key),
        }
    }

    /// The value at a JSON pointer (RFC 6901).
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&ExactValue> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut keys = pointer.strip_prefix('/')?.split('/');
        keys.try_fold(self, |value, key| match key.contains('~') {
            true => value.part(&key.replace("~1", "/").replace("~0", "~")),
            false => value.part(key),
        })
    }

    /// A text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let ExactValue::String(text) = self { Some(text) } else { None }
    }

    /// `true` or `false`.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let ExactValue::Bool(value) = self { Some(*value) } else { None }
    }

    /// A number, as it was written.
    pub(crate) fn as_number(&self) -> Option<&str> {
        if let ExactValue::Number(text) = self { Some(text) } else { None }
    }

    /// The nearest double to a number; `None` for other values, and for numbers beyond a double.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        let ExactValue::Number(text) = self else { return None };
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The items of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[ExactValue]> {
        if let ExactValue::Array(items) = self { Some(items) } else { None }
    }

    /// The members of an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(String, ExactValue)]> {
        if let ExactValue::Object(members) = self { Some(members) } else { None }
    }

    /// The value with numbers rounded to a double or 64 bits.
    #[must_use]
    pub fn approximate(&self) -> Value {
        match self {
            ExactValue::Null => Value::Null,
            ExactValue::Bool(value) => Value::Bool(*value),
            ExactValue::Number(text) => super::approximate(text),
            ExactValue::String(text) => Value::String(text.clone()),
            ExactValue::Array(items) => items.iter().map(ExactValue::approximate).collect(),
            ExactValue::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.approximate())).collect()
            }
        }
    }

    /// A canonical text, the same for equal values such as `1e1` and `10.0`, and independent of the order of keys.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            ExactValue::Number(text) => {
                Decimal::parse(text).map_or_else(|| text.to_string(), |number| number.to_string())
            }
            ExactValue::Array(items) => {
                let items: Vec<_> = items.iter().map(ExactValue::key).collect();
                format!("[{}]", items.join(","))
            }
            ExactValue::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{}:{}", Value::from(&**name), value.key())).collect();
                members.sort_unstable();
                format!("{{{}}}", members.join(","))
            }
            ExactValue::Null | ExactValue::Bool(_) | ExactValue::String(_) => self.to_string(),
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self, ExactValue::Object(_))
    }

    /// As plain text: a text without its quotes, anything else as JSON.
    pub(crate) fn plain(&self) -> String {
        self.as_str().map_or_else(|| self.to_string(), str::to_owned)
    }

    /// Sets a member of an object. Nothing happens to other values.
    pub(crate) fn set(&mut self, name: &str, value: ExactValue) {
        let ExactValue::Object(members) = self else { return };
        match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, member)) => *member = value,
            None => members.push((name.to_owned(), value)),
        }
    }

    /// Takes a member out of an object.
    pub(crate) fn remove(&mut self, name: &str) -> Option<ExactValue> {
        let ExactValue::Object(members) = self else { return None };
        let place = members.iter().position(|(known, _)| known == name)?;
        Some(members.remove(place).1)
    }

    /// A member of an object, which is an empty object if it was missing.
    pub(crate) fn object_at(&mut self, name: &str) -> Option<&mut ExactValue> {
        if self.get(name).is_none() {
            self.set(name, ExactValue::Object(Vec::new()));
        }
        let ExactValue::Object(members) = self else { return None };
        members.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl From<&str> for ExactValue {
    fn from(text: &str) -> ExactValue {
        ExactValue::String(text.to_owned())
    }
}

impl From<bool> for ExactValue {
    fn from(value: bool) -> ExactValue {
        ExactValue::Bool(value)
    }
}

impl From<i64> for ExactValue {
    fn from(number: i64) -> ExactValue {
        ExactValue::Number(number.to_string().into())
    }
}

/// With the numbers that the other value has: digits that it has lost do not come back.
impl From<&Value> for ExactValue {
    fn from(value: &Value) -> ExactValue {
        match value {
            Value::Null => ExactValue::Null,
            Value::Bool(value) => ExactValue::Bool(*value),
            Value::Number(number) => ExactValue::Number(number.to_string().into()),
            Value::String(text) => ExactValue::String(text.clone()),
            Value::Array(items) => ExactValue::Array(items.iter().map(ExactValue::from).collect()),
            Value::Object(members) => {
                ExactValue::Object(members.iter().map(|(name, value)| (name.clone(), value.into())).collect())
            }
        }
    }
}

/// As JSON text without white space.
impl fmt::Display for ExactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExactValue::Null => f.write_str("null"),
            ExactValue::Bool(value) => write!(f, "{value}"),
            ExactValue::Number(text) => f.write_str(text),
            ExactValue::String(text) => f.write_str(&quoted(text)?),
            ExactValue::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            ExactValue::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{}:{value}", if index > 0 { "," } else { "" }, quoted(name)?)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quoted(text: &str) -> Result<String, fmt::Error> {
    serde_json::to_string(text).map_err(|_| fmt::Error)
}

/// Reads a text that is known to be JSON.
fn read(text: &str) -> Result<ExactValue, Error> {
    let mut parts = tokens(text).filter(|token| !token.starts_with([' ', '\t', '\r', '\n']));
    let first = parts.next().ok_or_else(ends_early)?;
    value(first, &mut parts, 0)
}

fn value<'t>(first: &'t str, parts: &mut impl Iterator<Item = &'t str>, level: usize) -> Result<ExactValue, Error> {
    if level > DEEPEST {
        return Err(Error::custom(format!("it is nested deeper than {DEEPEST} levels")));
    }
    Ok(match first.as_bytes().first() {
        Some(b'{') => {
            let mut members = Vec::new();
            loop {
                match parts.next().ok_or_else(ends_early)? {
                    "}" => break ExactValue::Object(each_once(members)),
                    "," => {}
                    name => {
                        let name = string(name)?;
                        // The colon.
                        parts.next();
                        let first = parts.next().ok_or_else(ends_early)?;
                        members.push((name, value(first, parts, level + 1)?));
                    }
                }
            }
        }
        Some(b'[') => {
            let mut items = Vec::new();
            loop {
                match parts.next().ok_or_else(ends_early)? {
                    "]" => break ExactValue::Array(items),
                    "," => {}
                    first => items.push(value(first, parts, level + 1)?),
                }
            }
        }
        Some(b'"') => ExactValue::String(string(first)?),
        Some(b't') => ExactValue::Bool(true),
        Some(b'f') => ExactValue::Bool(false),
        Some(b'n') => ExactValue::Null,
        _ => ExactValue::Number(first.into()),
    })
}

fn string(token: &str) -> Result<String, Error> {
    match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|text| !text.contains('\\')) {
        Some(text) => Ok(text.to_owned()),
        None => serde_json::from_str(token),
    }
}

fn ends_early() -> Error {
    Error::custom("it ends too early")
}

/// Of members with the same name the last one, in the place of the first.
fn each_once(members: Vec<(String, ExactValue)>) -> Vec<(String, ExactValue)> {
    if !has_twice(&members) {
        return members;
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<(String, ExactValue)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        match places.get(&name) {
            Some(place) => kept[*place].1 = value,
            None => {
                places.insert(name.clone(), kept.len());
                kept.push((name, value));
            }
        }
    }
    kept
}

fn has_twice(members: &[(String, ExactValue)]) -> bool {
    if members.len() <= FEW {
        let is_before = |place: usize| members[..place].iter().any(|(name, _)| *name == members[place].0);
        return (1..members.len()).any(is_before);
    }
    let mut seen = HashSet::with_capacity(members.len());
    !members.iter().all(|(name, _)| seen.insert(name.as_str()))
}

#[cfg(test)]
mod tests;
