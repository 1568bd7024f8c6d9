//! Payload templates, as JSON or as text with placeholders: `{"id":{id},{args...}}`.
//!
//! Each placeholder stays one value. Arguments keep their digits: they are sent as they were written.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize as _;
use serde_json::{Value, value::RawValue};
use wilco_ledger::grouped;

use crate::{
    json::ExactValue,
    pattern::{Kind, Known, Pattern, is_name},
};

/// The longest template, bytes.
const LONGEST: usize = 16 * 1024;
/// Marks a place in a template while it is read as JSON; JSON texts cannot have it unescaped.
const MARK: char = '\u{1}';

/// The arguments of a command, in their order and to the last digit.
#[derive(Debug, Default)]
pub(crate) struct Args<'a> {
    /// The whole object as it was written.
    pub(crate) written: &'a str,
    members: Vec<(String, &'a RawValue)>,
}

/// The values of the placeholders.
pub(crate) struct Values<'a, 's> {
    /// A value as text: the id, the device, the command, what was captured, a setting.
    pub(crate) text: &'a dyn Fn(&str) -> Option<Cow<'s, str>>,
    /// The id is a number.
    pub(crate) numeric_id: bool,
    pub(crate) args: &'a Args<'a>,
}

/// A payload to be filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Payload {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Node),
    /// Plain text, and the text to send instead of an empty one.
    Text(Pattern, Box<str>),
}

/// A piece of a JSON template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Literal JSON text.
    Plain(Box<str>),
    /// A value; an optional one is omitted together with its name.
    Place(Box<str>, bool),
    /// A value as text, whatever it looks like; omitted together with its name if it is missing.
    Word(Box<str>),
    /// A text with placeholders.
    Text(Pattern),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Member {
    Named(Box<str>, Node),
    /// All arguments: `{args...}`.
    Args,
}

impl<'a> Args<'a> {
    /// # Errors
    /// When it is no JSON object.
    pub(crate) fn parse(written: &'a str) -> Result<Args<'a>, serde_json::Error> {
        let written = if written.trim().is_empty() { "{}" } else { written };
        let mut members = Vec::new();
        let mut reader = serde_json::Deserializer::from_str(written);
        let Pairs(pairs) = Pairs::deserialize(&mut reader)?;
        reader.end()?;
        for (name, value) in pairs {
            members.push((name, value));
        }
        Ok(Args { written, members })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// The members, each with its JSON text.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value.get()))
    }

    /// The JSON text at `a.b`.
    pub(crate) fn raw(&self, path: &str) -> Option<Cow<'a, str>> {
        if let Some((_, value)) = self.members.iter().rev().find(|(name, _)| name == path) {
            return Some(Cow::Borrowed(value.get()));
        }
        let (first, rest) = path.split_once('.')?;
        let (_, value) = self.members.iter().rev().find(|(name, _)| name == first)?;
        let value = ExactValue::parse(value.get()).ok()?;
        let found = rest.split('.').try_fold(&value, ExactValue::part)?;
        Some(Cow::Owned(found.to_string()))
    }

    /// The argument of that name.
    pub(crate) fn value(&self, name: &str) -> Option<ExactValue> {
        let (_, value) = self.members.iter().rev().find(|(known, _)| known == name)?;
        ExactValue::parse(value.get()).ok()
    }

    /// The value at `a.b` as plain text; `None` where there is none, or `null`.
    pub(crate) fn text(&self, path: &str) -> Option<Cow<'a, str>> {
        self.raw(path).and_then(plain)
    }
}

/// A JSON value as plain text: a text without its quotes. `None` for `null`.
pub(crate) fn plain(json: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(&json).ok().map(Cow::Owned),
        _ if json == "null" => None,
        _ => Some(json),
    }
}

/// The members of an object, borrowed.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Pairs<'de>, D::Error> {
        struct InOrder;

        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Payload {
    /// # Errors
    /// A part of a sentence: what is wrong with it.
    pub(crate) fn json(template: &str) -> Result<Payload, String> {
        if template.len() > LONGEST {
            return Err(format!("it has {} bytes; the limit is {}", grouped(template.len()), grouped(LONGEST)));
        }
        let marked = marked(template);
        let value = ExactValue::parse(&marked).map_err(|error| {
            format!(
                "it does not produce JSON ({error}). Put names and strings in double quotes, but not placeholders \
                     for values"
            )
        })?;
        Ok(Payload::Json(Node::of(&value)?))
    }

    /// The names of its places.
    pub(crate) fn places(&self) -> Vec<&str> {
        let mut places = Vec::new();
        match self {
            Payload::Empty => {}
            Payload::Json(node) => node.places(&mut places),
            Payload::Text(pattern, _) => places.extend(pattern.places()),
        }
        places
    }

    pub(crate) fn fill(&self, values: &Values<'_, '_>) -> String {
        match self {
            Payload::Empty => String::new(),
            Payload::Json(node) => {
                let mut written = String::new();
                node.write(values, &mut written);
                written
            }
            Payload::Text(pattern, empty) => {
                let value = |name: &str| Some(values.plain(name).unwrap_or_default());
                let text = pattern.fill(&value).unwrap_or_default();
                if text.is_empty() { empty.to_string() } else { text }
            }
        }
    }

    /// The values of the placeholders in a payload from somebody else.
    pub(crate) fn read(&self, payload: &str, known: &Known<'_, '_>) -> BTreeMap<String, String> {
        let mut read = BTreeMap::new();
        match self {
            Payload::Empty => {}
            Payload::Json(node) => {
                if let Ok(value) = ExactValue::parse(payload) {
                    node.read(&value, known, &mut read);
                }
            }
            Payload::Text(pattern, _) => take(pattern, payload, known, &mut read),
        }
        read
    }
}

fn take(pattern: &Pattern, text: &str, known: &Known<'_, '_>, read: &mut BTreeMap<String, String>) {
    if let Some(captures) = pattern.read(text, Kind::Text, known) {
        read.extend(captures.iter().map(|(name, text)| (name.to_owned(), text.to_owned())));
    }
}

impl Values<'_, '_> {
    fn plain(&self, name: &str) -> Option<Cow<'_, str>> {
        match name.strip_prefix("args.") {
            Some(path) => self.args.text(path),
            None if name == "args" => Some(Cow::Borrowed(self.args.written)),
            None => (self.text)(name),
        }
    }

    fn json(&self, name: &str) -> Option<String> {
        match name.strip_prefix("args.") {
            Some(path) => self.args.raw(path).map(Cow::into_owned),
            None if name == "args" => Some(self.args.written.to_owned()),
            None => {
                let text = (self.text)(name)?;
                let numeric = match name {
                    // Another console's id may be a text anyway.
                    "id" => self.numeric_id && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
                    "device" | "command" => false,
                    _ => !text.is_empty() && serde_json::from_str::<serde_json::Number>(&text).is_ok(),
                };
                Some(if numeric { text.into_owned() } else { Value::from(&*text).to_string() })
            }
        }
    }
}

impl Node {
    fn of(value: &ExactValue) -> Result<Node, String> {
        Ok(match value {
            ExactValue::String(text) => match text.strip_prefix(MARK) {
                Some(name) => {
                    let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
                    Node::Place(name.into(), optional)
                }
                None => {
                    match text.strip_prefix('{').and_then(|text| text.strip_suffix("?}")).filter(|name| is_name(name)) {
                        Some(name) => Node::Word(name.into()),
                        None => Node::Text(Pattern::parse(text)?),
                    }
                }
            },
            ExactValue::Array(items) => Node::Array(items.iter().map(Node::of).collect::<Result<_, _>>()?),
            ExactValue::Object(members) => {
                let member = |(name, value): &(String, ExactValue)| {
                    Ok::<Member, String>(match name.strip_prefix(MARK) {
                        Some(_) => Member::Args,
                        None => Member::Named(name.as_str().into(), Node::of(value)?),
                    })
                };
                Node::Object(members.iter().map(member).collect::<Result<_, _>>()?)
            }
            plain => Node::Plain(plain.to_string().into()),
        })
    }

    fn places<'n>(&'n self, places: &mut Vec<&'n str>) {
        match self {
            Node::Plain(_) => {}
            Node::Place(name, _) | Node::Word(name) => places.push(name),
            Node::Text(pattern) => places.extend(pattern.places()),
            Node::Array(items) => items.iter().for_each(|item| item.places(places)),
            Node::Object(members) => members.iter().for_each(|member| match member {
                Member::Named(_, node) => node.places(places),
                Member::Args => places.push("args"),
            }),
        }
    }

    fn write(&self, values: &Values<'_, '_>, written: &mut String) {
        match self {
            Node::Plain(text) => written.push_str(text),
            Node::Place(name, _) => written.push_str(values.json(name).as_deref().unwrap_or("null")),
            Node::Word(name) => {
                written.push_str(&Value::from(&*values.plain(name).unwrap_or_default()).to_string());
            }
            Node::Text(pattern) => {
                let value = |name: &str| Some(values.plain(name).unwrap_or_default());
                written.push_str(&Value::from(pattern.fill(&value).unwrap_or_default()).to_string());
            }
            Node::Array(items) => {
                written.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        written.push(',');
                    }
                    item.write(values, written);
                }
                written.push(']');
            }
            Node::Object(members) => write_object(members, values, written),
        }
    }

    fn read(&self, value: &ExactValue, known: &Known<'_, '_>, read: &mut BTreeMap<String, String>) {
        match (self, value) {
            (Node::Place(name, _) | Node::Word(name), value) => {
                read.insert(name.to_string(), value.plain());
            }
            (Node::Text(pattern), ExactValue::String(text)) => take(pattern, text, known, read),
            (Node::Array(items), ExactValue::Array(values)) => {
                items.iter().zip(values).for_each(|(item, value)| item.read(value, known, read));
            }
            (Node::Object(members), ExactValue::Object(_)) => {
                for member in members {
                    if let Member::Named(name, node) = member
                        && let Some(value) = value.get(name)
                    {
                        node.read(value, known, read);
                    }
                }
            }
            _ => {}
        }
    }
}

fn write_object(members: &[Member], values: &Values<'_, '_>, written: &mut String) {
    let start = written.len();
    written.push('{');
    let name_of = |written: &mut String, name: &str| {
        if written.len() > start + 1 {
            written.push(',');
        }
        written.push_str(&Value::from(name).to_string());
        written.push(':');
    };
    for member in members {
        match member {
            Member::Named(_, Node::Place(place, true)) if values.json(place).is_none() => {}
            Member::Named(_, Node::Word(word)) if values.plain(word).is_none() => {}
            Member::Named(name, node) => {
                name_of(written, name);
                node.write(values, written);
            }
            Member::Args => {
                // A member of the template is not overwritten by an argument of that name.
                let own = |name: &str| members.iter().any(|one| matches!(one, Member::Named(own, _) if **own == *name));
                for (name, value) in values.args.members().filter(|(name, _)| !own(name)) {
                    name_of(written, name);
                    written.push_str(value);
                }
            }
        }
    }
    written.push('}');
}

/// The template with each place outside quotes as a JSON text that begins with [`MARK`].
fn marked(template: &str) -> String {
    let mut marked = String::with_capacity(template.len() + 16);
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        } else if c == '{'
            && !quoted
            && let Some((inside, _)) = rest[1..].split_once('}')
        {
            let name = inside.trim_end_matches('?').trim_end_matches("...");
            if inside == "args..." {
                marked.push_str("\"\\u0001args\":null");
                rest = &rest[inside.len() + 2..];
                continue;
            }
            if is_name(name) {
                marked.push_str("\"\\u0001");
                marked.push_str(inside);
                marked.push('"');
                rest = &rest[inside.len() + 2..];
                continue;
            }
        }
        marked.push_str(&rest[..length]);
        length = length.min(rest.len());
        rest = &rest[length..];
    }
    marked
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Args, Payload, Values};

    fn fill(template: &str, args: &str) -> String {
        let args = Args::parse(args).expect("an object");
        let text = |name: &str| match name {
            "id" => Some(Cow::Borrowed("7")),
            "command" => Some(Cow::Borrowed("Switch.\"Set\"")),
            crate::file::CONSOLE => Some(Cow::Borrowed("wilco")),
            _ => None,
        };
        Payload::json(template).expect("a template").fill(&Values { text: &text, numeric_id: true, args: &args })
    }

    #[test]
    fn a_json_payload_is_filled_in() {
        let check =
            |template: &str, args: &str, expected: &str| assert_eq!(fill(template, args), expected, "{template}");
        check(
            r#"{"id":{id},"m":{command},"p":{args}}"#,
            r#"{"b":1.50}"#,
            r#"{"id":7,"m":"Switch.\"Set\"","p":{"b":1.50}}"#,
        );
        check(
            r#"{"t":"{console}-{id}",{args...}}"#,
            r#"{"z":1,"a":12345678901234567890}"#,
            r#"{"t":"wilco-7","z":1,"a":12345678901234567890}"#,
        );
        check(
            r#"{"x":{args.b.c},"y":{args.l.0.d}}"#,
            r#"{"b":{"c":1.50},"l":[{"d":1e400}]}"#,
            r#"{"x":1.50,"y":1e400}"#,
        );
        check(r#"{"limit":1e10,"p":[1.50,{args.a}]}"#, r#"{"a":-0.0}"#, r#"{"limit":1e10,"p":[1.50,-0.0]}"#);
        check(r"{{args...}}", "{}", "{}");
        check(r#"{"id":{id},{args...}}"#, r#"{"id":9,"x":2}"#, r#"{"id":7,"x":2}"#);
        check(r#"{"v":{version?},"x":[{args.a},{args.b.c}]}"#, r#"{"b":{"c":true}}"#, r#"{"x":[null,true]}"#);
        check(r#"{"v":"{version?}","i":"{id?}"}"#, "{}", r#"{"i":"7"}"#);
        check(r#""{console}""#, "", "\"wilco\"");
        check("{args}", r#"{"a":1}"#, r#"{"a":1}"#);
    }

    #[test]
    fn invalid_json_is_refused() {
        let check = |template: &str| assert!(Payload::json(template).is_err(), "{template}");
        check("{id");
        check(r#"{"a":}"#);
        check("");
        check(r#"{"a":"{b}{c}"}"#);
    }
}
