//! JSON text, kept digit for digit.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use ts_rs::TS;
use wilco_dialect::json;

/// A JSON value as the text that it was written as, because no number type holds every JSON number (see
/// [`wilco_dialect::json`]). In a message it is a string that holds JSON, so that a page's own reader leaves it alone;
/// files and printed rows have the value itself in its place ([`JsonText::embedded`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct JsonText(String);

impl JsonText {
    /// A value as it is kept; what is no JSON becomes a JSON string.
    #[must_use]
    pub fn of(text: &str) -> JsonText {
        JsonText(json::value_of(text))
    }

    /// The text, which may be anything where it came from outside.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a value to compare and check with: its numbers may be rounded.
    #[must_use]
    pub fn approximate(&self) -> Value {
        json::approximate(&self.0)
    }

    /// Writes the value itself, to the last digit. For JSON alone.
    ///
    /// # Errors
    /// What the serialiser says.
    pub fn embedded<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(&self.0) {
            Ok(value) => value.serialize(serializer),
            Err(_) => self.0.serialize(serializer),
        }
    }

    /// As [`JsonText::embedded`], of what may be missing.
    ///
    /// # Errors
    /// What the serialiser says.
    pub fn embedded_if_any<S: Serializer>(text: &Option<JsonText>, serializer: S) -> Result<S::Ok, S::Error> {
        match text {
            Some(text) => text.embedded(serializer),
            None => serializer.serialize_none(),
        }
    }
}

impl Default for JsonText {
    fn default() -> JsonText {
        JsonText("{}".to_owned())
    }
}

impl From<String> for JsonText {
    fn from(text: String) -> JsonText {
        JsonText(text)
    }
}

impl From<Value> for JsonText {
    fn from(value: Value) -> JsonText {
        JsonText(value.to_string())
    }
}

impl From<&JsonText> for Box<RawValue> {
    fn from(text: &JsonText) -> Box<RawValue> {
        RawValue::from_string(text.0.clone()).or_else(|_| to_raw_value(&text.0)).unwrap_or_default()
    }
}

impl std::fmt::Display for JsonText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
