//! The keywords of JSON Schema that compare values. The library compares doubles; here they compare every digit.
//!
//! The library reads a schema as a value with rounded numbers. The text of what a keyword demands is therefore beside it,
//! in a member that no person writes, and the library hands both to the keyword.

use std::{cmp::Ordering, sync::Arc};

use jsonschema::{Keyword, Retrieve, ValidationError, ValidationOptions};
use serde_json::{Map, Value};
use wilco_dialect::json::ExactValue;
use wilco_ledger::Decimal;

use super::{DATA, NAMED, instance::Exact};

/// From the private use area: no keyword begins with it.
const MARK: char = '\u{f8ff}';

const KEYWORDS: [&str; 7] =
    ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "enum"];

/// So many of the values of an `enum` are listed, or one fewer and how many there are besides.
const MOST_LISTED: usize = 3;

/// The library, with these keywords.
pub(super) fn options() -> ValidationOptions<'static, Arc<dyn Retrieve>, Exact> {
    KEYWORDS.into_iter().fold(jsonschema::options_for::<Exact>(), |options, keyword| {
        options.with_keyword(keyword, move |parent, _, _| Ok(Box::new(Demand::of(keyword, parent))))
    })
}

/// A schema for the library: with rounded numbers, and beside each of these keywords the text of what it demands.
pub(super) fn readable(schema: &ExactValue) -> Value {
    // In draft 4 `const` is no keyword.
    let is_draft_4 = schema.get("$schema").and_then(ExactValue::as_str).is_some_and(|name| name.contains("draft-04"));
    part(schema, is_draft_4)
}

fn part(schema: &ExactValue, is_draft_4: bool) -> Value {
    let ExactValue::Object(members) = schema else {
        return match schema {
            ExactValue::Array(items) => items.iter().map(|item| part(item, is_draft_4)).collect(),
            other => other.approximate(),
        };
    };
    let mut read = Map::new();
    for (name, value) in members {
        let name = name.as_str();
        if KEYWORDS.contains(&name) && !(is_draft_4 && name == "const") {
            read.insert(format!("{MARK}{name}"), value.to_string().into());
        }
        let value = match value {
            value if DATA.contains(&name) => value.approximate(),
            ExactValue::Object(named) if NAMED.contains(&name) => {
                named.iter().map(|(name, value)| (name.clone(), part(value, is_draft_4))).collect()
            }
            value => part(value, is_draft_4),
        };
        read.insert(name.to_owned(), value);
    }
    Value::Object(read)
}

/// What a keyword demands of a value.
enum Demand {
    Nothing,
    /// Compares a number with the limit of a keyword.
    Bound {
        limit: Box<str>,
        allowed: [Option<Ordering>; 2],
        otherwise: &'static str,
    },
    Multiple {
        of: Box<str>,
    },
    /// Checks that the value is one of the given ones, which are given as texts and as keys.
    OneOf {
        values: Vec<ExactValue>,
        keys: Vec<String>,
        is_const: bool,
    },
}

impl Demand {
    fn of(keyword: &str, parent: &Map<String, Value>) -> Demand {
        let text = parent.get(&format!("{MARK}{keyword}")).and_then(Value::as_str);
        let Some(value) = text.and_then(|text| ExactValue::parse(text).ok()) else { return Demand::Nothing };
        // In draft 4 these say of `minimum` and `maximum` whether they exclude the limit itself.
        let excludes = |other: &str| parent.get(other) == Some(&Value::Bool(true));
        let keyword = match keyword {
            "minimum" if excludes("exclusiveMinimum") => "exclusiveMinimum",
            "maximum" if excludes("exclusiveMaximum") => "exclusiveMaximum",
            other => other,
        };
        match (keyword, value) {
            ("const", value) => Demand::OneOf { keys: vec![value.key()], values: vec![value], is_const: true },
            ("enum", ExactValue::Array(values)) => {
                Demand::OneOf { keys: values.iter().map(ExactValue::key).collect(), values, is_const: false }
            }
            ("multipleOf", ExactValue::Number(of)) => Demand::Multiple { of },
            (keyword, ExactValue::Number(limit)) => {
                let (allowed, otherwise) = match keyword {
                    "minimum" => ([Some(Ordering::Greater), Some(Ordering::Equal)], "less than the minimum"),
                    "maximum" => ([Some(Ordering::Less), Some(Ordering::Equal)], "greater than the maximum"),
                    "exclusiveMinimum" => ([Some(Ordering::Greater), None], "less than or equal to the minimum"),
                    _ => ([Some(Ordering::Less), None], "greater than or equal to the maximum"),
                };
                Demand::Bound { limit, allowed, otherwise }
            }
            _ => Demand::Nothing,
        }
    }

    /// The reason why a value does not satisfy the keyword.
    fn complaint(&self, value: &ExactValue) -> Option<String> {
        match (self, value) {
            (Demand::Bound { limit, allowed, otherwise }, ExactValue::Number(number)) => {
                let order = compared(number, limit);
                let meets = order.is_some() && allowed.contains(&order);
                (!meets).then(|| format!("{number} is {otherwise} of {limit}"))
            }
            (Demand::Multiple { of }, ExactValue::Number(number)) => {
                (!is_multiple(number, of)).then(|| format!("{number} is not a multiple of {of}"))
            }
            (Demand::OneOf { values, keys, is_const }, value) => {
                let key = value.key();
                let meets = keys.contains(&key);
                (!meets).then(|| if *is_const { format!("{} was expected", values[0]) } else { listed(value, values) })
            }
            _ => None,
        }
    }
}

impl<'i> Keyword<'i, Exact> for Demand {
    fn validate(&self, instance: &'i ExactValue) -> Result<(), ValidationError<'i>> {
        self.complaint(instance).map_or(Ok(()), |why| Err(ValidationError::custom(why)))
    }

    fn is_valid(&self, instance: &'i ExactValue) -> bool {
        self.complaint(instance).is_none()
    }
}

/// Where an exponent is out of all bounds, by the nearest doubles.
fn compared(one: &str, other: &str) -> Option<Ordering> {
    match (Decimal::parse(one), Decimal::parse(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => nearest(one).partial_cmp(&nearest(other)),
    }
}

/// Of a divisor that is out of all bounds, by the nearest doubles.
fn is_multiple(number: &str, of: &str) -> bool {
    let exactly = Decimal::parse(number).zip(Decimal::parse(of)).and_then(|(number, of)| number.is_multiple_of(&of));
    exactly.unwrap_or_else(|| nearest(number) % nearest(of) == 0.0)
}

fn nearest(number: &str) -> f64 {
    number.parse().unwrap_or(f64::NAN)
}

/// `"odd" is not one of "fast" or "slow"`, as the library says it.
fn listed(value: &ExactValue, values: &[ExactValue]) -> String {
    let all: Vec<_> = values.iter().map(ToString::to_string).collect();
    let (first, last) = match all.as_slice() {
        [first @ .., last] if all.len() <= MOST_LISTED => (first, last.clone()),
        _ => {
            let first = &all[..all.len().min(MOST_LISTED - 1)];
            (first, format!("{} other candidates", all.len() - first.len()))
        }
    };
    let or = if first.is_empty() { "" } else { " or " };
    format!("{value} is not one of {}{or}{last}", first.join(", "))
}
