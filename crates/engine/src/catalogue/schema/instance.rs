//! Adapts arguments for the JSON Schema library, with every digit of their numbers.

use std::{borrow::Cow, collections::HashSet, ptr, slice};

use jsonschema::{
    JsonType,
    json::{Array, Json, JsonNumber, Node, NodeIdentity, Object},
};
use serde_json::Value;
use wilco_dialect::json::{self, ExactValue};
use wilco_ledger::Decimal;

/// The representation of values that keep their digits.
pub(super) struct Exact;

impl Json for Exact {
    type Node<'a> = &'a ExactValue;
    type PreparedKey = String;
    type StringBuffer = ExactValue;

    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut ExactValue, string: &str, f: impl FnOnce(&ExactValue) -> T) -> T {
        *buffer = ExactValue::String(string.to_owned());
        f(buffer)
    }
}

impl<'a> Node<'a, Exact> for &'a ExactValue {
    type Object = &'a [(String, ExactValue)];
    type Array = &'a [ExactValue];
    type Number = Digits<'a>;

    fn as_object(&self) -> Option<&'a [(String, ExactValue)]> {
        ExactValue::as_object(self)
    }

    fn as_array(&self) -> Option<&'a [ExactValue]> {
        ExactValue::as_array(self)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        ExactValue::as_str(self).map(Cow::Borrowed)
    }

    fn as_number(&self) -> Option<Digits<'a>> {
        match self {
            ExactValue::Number(text) => Some(Digits(text)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self {
            ExactValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, ExactValue::Null)
    }

    fn json_type(&self) -> JsonType {
        match self {
            ExactValue::Null => JsonType::Null,
            ExactValue::Bool(_) => JsonType::Boolean,
            ExactValue::Number(_) => JsonType::Number,
            ExactValue::String(_) => JsonType::String,
            ExactValue::Array(_) => JsonType::Array,
            ExactValue::Object(_) => JsonType::Object,
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(self.approximate())
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(ptr::from_ref::<ExactValue>(self).addr()))
    }
}

impl<'a> Object<'a, Exact> for &'a [(String, ExactValue)] {
    type Node = &'a ExactValue;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        <[(String, ExactValue)]>::len(self)
    }

    fn get(&self, key: &String) -> Option<&'a ExactValue> {
        self.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn members(&self) -> Members<'a> {
        Members(self.iter())
    }
}

/// The members of an object.
pub(super) struct Members<'a>(slice::Iter<'a, (String, ExactValue)>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a ExactValue);

    fn next(&mut self) -> Option<(&'a str, &'a ExactValue)> {
        self.0.next().map(|(name, value)| (name.as_str(), value))
    }
}

impl<'a> Array<'a, Exact> for &'a [ExactValue] {
    type Node = &'a ExactValue;
    type ElementsIter = slice::Iter<'a, ExactValue>;

    fn len(&self) -> usize {
        <[ExactValue]>::len(self)
    }

    fn elements(&self) -> slice::Iter<'a, ExactValue> {
        self.iter()
    }

    fn is_unique(&self) -> bool {
        let mut keys = HashSet::new();
        self.iter().all(|item| keys.insert(item.key()))
    }
}

/// A number as it was written.
pub(super) struct Digits<'a>(&'a str);

impl Digits<'_> {
    fn nearest(&self) -> serde_json::Number {
        match json::approximate(self.0) {
            Value::Number(number) => number,
            _ => 0.into(),
        }
    }
}

impl JsonNumber for Digits<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.nearest().as_f64()
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(self.nearest())
    }

    fn is_integer(&self) -> bool {
        Decimal::parse(self.0).is_some_and(|number| number.is_whole())
    }
}
