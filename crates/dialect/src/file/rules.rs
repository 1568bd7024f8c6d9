//! The rules for reading a message: values at a pointer or in the topic, tests on them, and outcomes.

use std::{borrow::Cow, fmt};

use serde_json::Value;
use wilco_ledger::{Outcome, is_same_value};

use crate::{
    json::{ExactValue, canonical},
    pattern::{Captures, Kind, Pattern},
    words,
};

/// The key under which a device reports that it has started.
pub const STARTED: &str = "$started";
/// How many strings are parsed as JSON along one pointer.
const DEEPEST: usize = 4;

/// Where a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum At {
    /// A JSON pointer (RFC 6901) into the payload. Text that is itself JSON is parsed.
    Pointer(Box<str>),
    /// A place of the topic or of a text, or text around places.
    Place(Pattern),
    /// A field of a text that has several.
    Field(Field),
}

/// A field of a text such as `17,OK,valve is open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    /// The character between the fields.
    pub(crate) separator: char,
    /// Its number, from 1.
    pub(crate) number: usize,
    /// All that follows belongs to it.
    pub(crate) and_all_after: bool,
}

/// The separators of fields in a text.
pub(crate) const SEPARATORS: [char; 4] = [',', ';', '|', '\t'];
/// The number of the last field that a file can name.
const LAST_FIELD: usize = 99;

impl Field {
    /// Reads `,2` or `,3...`; `None` for anything else.
    fn parse(text: &str) -> Option<Field> {
        let separator = text.chars().next().filter(|first| SEPARATORS.contains(first))?;
        let number = &text[separator.len_utf8()..];
        let (number, and_all_after) = number.strip_suffix("...").map_or((number, false), |number| (number, true));
        let is_number = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| is_number && (1..=LAST_FIELD).contains(number))?;
        Some(Field { separator, number, and_all_after })
    }

    /// The field of a text, without the space and the quotation marks around it.
    fn of<'t>(&self, text: &'t str) -> Option<&'t str> {
        let text = text.trim();
        let found = match self.and_all_after {
            true => text.splitn(self.number, self.separator).nth(self.number - 1),
            false => text.split(self.separator).nth(self.number - 1),
        };
        found.map(unquoted)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}{}", self.separator, self.number, if self.and_all_after { "..." } else { "" })
    }
}

/// A text without the space and the quotation marks around it.
pub(crate) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

impl At {
    pub(super) fn parse(text: &str) -> Result<At, String> {
        if text.is_empty() || text.starts_with('/') {
            return Ok(At::Pointer(text.into()));
        }
        if let Some(field) = Field::parse(text) {
            return Ok(At::Field(field));
        }
        Ok(At::Place(Pattern::parse(text)?))
    }
}

/// A message as it is being looked at.
pub(crate) struct MessageContext<'a, 's> {
    pub(crate) text: &'a str,
    pub(crate) json: Option<&'a ExactValue>,
    pub(crate) captures: &'a Captures<'a>,
    pub(crate) setting: &'a dyn Fn(&str) -> Option<Cow<'s, str>>,
}

impl MessageContext<'_, '_> {
    /// The value at a place as text; `null` counts as there, as the text `null`.
    pub(crate) fn text_at(&self, at: &At) -> Option<String> {
        match at {
            At::Pointer(pointer) => match self.value_at(pointer) {
                Some(value) => Some(value.plain()),
                None if pointer.is_empty() => Some(self.text.to_owned()),
                None => None,
            },
            At::Place(pattern) => pattern.fill(&|name| self.place(name)).ok(),
            // A text that is JSON has members.
            At::Field(field) if self.json.is_none_or(|json| !json.is_object()) => {
                field.of(self.text).map(ToOwned::to_owned)
            }
            At::Field(_) => None,
        }
    }

    /// Why the payload cannot be read: it begins as JSON and is none.
    pub(crate) fn is_damaged(&self) -> bool {
        self.json.is_none() && self.text.trim_start().starts_with(['{', '['])
    }

    fn place(&self, name: &str) -> Option<Cow<'_, str>> {
        let captured = self.captures.get(name).map(Cow::Borrowed);
        captured.or_else(|| (self.setting)(name))
    }

    pub(crate) fn value_at(&self, pointer: &str) -> Option<Cow<'_, ExactValue>> {
        looked_up(self.json?, pointer, DEEPEST)
    }
}

/// The value at a pointer. A text along it that contains a JSON object is parsed, the whole payload too.
fn looked_up<'v>(value: &'v ExactValue, pointer: &str, deepest: usize) -> Option<Cow<'v, ExactValue>> {
    if let Some(found) = value.pointer(pointer) {
        return Some(Cow::Borrowed(found));
    }
    let ends = pointer.match_indices('/').map(|(at, _)| at);
    for end in ends.collect::<Vec<usize>>().into_iter().rev() {
        let Some(ExactValue::String(text)) = value.pointer(&pointer[..end]) else { continue };
        if !text.trim_start().starts_with('{') || deepest == 0 {
            return None;
        }
        let inner = ExactValue::parse(text).ok()?;
        return looked_up(&inner, &pointer[end..], deepest - 1).map(|found| Cow::Owned(found.into_owned()));
    }
    None
}

/// A value as text, a text without its quotes.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A test on a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Test {
    pub(super) at: Option<At>,
    pub(super) is: Vec<Box<str>>,
    pub(super) begins: Vec<Box<str>>,
    /// The words of which the text begins with one.
    pub(super) words: Vec<Box<str>>,
    pub(super) from: Option<f64>,
    pub(super) to: Option<f64>,
    pub(super) exists: bool,
}

impl Test {
    pub(crate) fn holds(&self, looked: &MessageContext<'_, '_>) -> bool {
        let Some(at) = &self.at else { return self.exists };
        let Some(found) = looked.text_at(at) else { return !self.exists };
        if !self.exists {
            return false;
        }
        let begins_with = |begins: &str| {
            let start = found.trim_start().get(..begins.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(begins))
        };
        let begins = self.begins.is_empty() || self.begins.iter().any(|begins| begins_with(begins));
        let first_word = self.words.is_empty() || self.words.iter().any(|word| words::is_first(word, found.trim()));
        let number = || found.trim().parse::<f64>().ok();
        let within = (self.from.is_none() && self.to.is_none())
            || number().is_some_and(|number| {
                self.from.is_none_or(|from| number >= from) && self.to.is_none_or(|to| number <= to)
            });
        let is = self.is.is_empty() || self.is.iter().any(|word| is_same_value(word, &found));
        is && begins && first_word && within
    }

    /// Whether it may hold for a message of which only a part can be read.
    pub(crate) fn may_hold(&self, looked: &MessageContext<'_, '_>) -> bool {
        let is_there = self.at.as_ref().is_none_or(|at| looked.text_at(at).is_some());
        !is_there || self.holds(looked)
    }
}

/// The outcome of an answer that passes a test.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutcomeRule {
    pub(super) test: Test,
    /// `None`: it has no meaning for the command.
    pub(crate) means: Option<Outcome>,
    /// Where its sentence is: the first of these that is there.
    pub(crate) message: Vec<At>,
}

impl OutcomeRule {
    /// It is meant by every answer that no other outcome is for.
    pub(crate) fn is_for_all(&self) -> bool {
        self.test.at.is_none()
    }

    /// It looks into the payload.
    pub(crate) fn looks_into(&self) -> bool {
        matches!(&self.test.at, Some(At::Pointer(pointer)) if !pointer.is_empty())
    }

    pub(crate) fn fits(&self, looked: &MessageContext<'_, '_>) -> bool {
        self.test.holds(looked)
    }
}

/// A word that devices send in place of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    pub(super) word: Box<str>,
    pub(super) begins: bool,
    pub(super) means: Option<Outcome>,
}

impl Word {
    pub(crate) fn outcome(words: &[Word], value: &str) -> Option<Outcome> {
        let fits = |word: &&Word| match word.begins {
            true => value.get(..word.word.len()).is_some_and(|start| start.eq_ignore_ascii_case(&word.word)),
            false => value.eq_ignore_ascii_case(&word.word),
        };
        words.iter().find(fits).and_then(|word| word.means)
    }
}

/// How requested values are compared with reported ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Compare {
    pub(super) any: Vec<String>,
    pub(super) same: Vec<Vec<String>>,
    pub(super) unreported: Vec<String>,
    pub(super) reshaped: Vec<String>,
    pub(super) value_ends_at: Option<char>,
    pub(super) keys_ignore_case: bool,
    pub(super) first_index_optional: bool,
    pub(crate) words_without_index: bool,
    pub(crate) arrays_are_numbered: bool,
    pub(crate) objects_answer: bool,
}

impl Compare {
    /// How the names of commands are read.
    pub(crate) fn command_kind(&self) -> Kind {
        if self.keys_ignore_case { Kind::AnyCase } else { Kind::Topic }
    }

    /// A name as it is compared.
    pub(crate) fn key(&self, key: &str) -> Box<str> {
        if key == STARTED {
            return STARTED.into();
        }
        let mut key = if self.keys_ignore_case { key.to_uppercase() } else { key.to_owned() };
        let first_of_several = key.strip_suffix('1').is_some_and(|name| name.ends_with(|c: char| c.is_alphabetic()));
        if self.first_index_optional && first_of_several {
            key.pop();
        }
        key.into()
    }

    /// A value in the form used for comparison: of equivalent words, the first.
    pub(crate) fn value(&self, value: &str) -> Box<str> {
        let same = self.same.iter().find(|same| same.iter().any(|word| word.eq_ignore_ascii_case(value)));
        let first = same.and_then(|same| same.first()).filter(|first| !first.eq_ignore_ascii_case(value));
        // The device's own capitals stay, because they are shown.
        first.map_or_else(|| value.into(), |first| first.as_str().into())
    }

    /// A requested value as it must be reported; `None` if any state meets it.
    pub(crate) fn asked(&self, value: &str) -> Option<Box<str>> {
        let value = self.value_ends_at.and_then(|end| value.split_once(end)).map_or(value, |(value, _)| value);
        (!self.is_any(value)).then(|| self.value(value))
    }

    /// Whether any state meets this value.
    pub(crate) fn is_any(&self, value: &str) -> bool {
        self.any.iter().any(|any| any.eq_ignore_ascii_case(value))
    }

    pub(crate) fn is_unreported(&self, key: &str) -> bool {
        listed(&self.unreported, key)
    }

    pub(crate) fn is_reshaped(&self, key: &str) -> bool {
        listed(&self.reshaped, key)
    }
}

/// Whether a name is in a list, where `x*` stands for all that begin with `x`, `*x` for all that end with it, and `*x*` for
/// all that contain it.
pub(crate) fn listed(list: &[String], name: &str) -> bool {
    list.iter().any(|one| match (one.strip_suffix('*'), one.strip_prefix('*')) {
        (Some(start), Some(_)) if start.len() > 1 => name.contains(&start[1..]),
        (Some(start), _) => name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)),
        (None, Some(end)) => name.ends_with(end),
        (None, None) => one.eq_ignore_ascii_case(name),
    })
}

/// The scalars of a value, each with the path to it; 256 at most.
pub(crate) fn flattened(prefix: &str, value: &ExactValue, into: &mut Vec<(String, String)>) {
    const MOST: usize = 256;
    match value {
        _ if into.len() >= MOST => {}
        ExactValue::Object(members) => {
            for (name, value) in members {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
                flattened(&path, value, into);
            }
        }
        ExactValue::Array(_) => into.push((prefix.to_owned(), canonical(&value.to_string()))),
        plain => into.push((prefix.to_owned(), plain.plain())),
    }
}
