//! JSON text, kept digit for digit.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use ts_rs::TS;
use wilco_dialect::json;

/// A JSON value as its original text, because no number type can represent every JSON number (see
/// [`wilco_dialect::json`]). In a message it is a string that contains JSON, so that the page's JSON parser does not
/// change it; files and printed rows contain the value itself ([`JsonText::embedded`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct JsonText(String);

impl JsonText {
    /// The text of a value. Text that is not JSON becomes a JSON string.
    #[must_use]
    pub fn of(text: &str) -> JsonText {
        JsonText(json::value_of(text))
    }

    /// The text, which may be invalid if it came from outside.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value for comparison and validation. Its numbers may be rounded.
    #[must_use]
    pub fn approximate(&self) -> Value {
        json::approximate(&self.0)
    }

    /// Serialises the value itself with all digits. Only for JSON.
    ///
    /// # Errors
    /// Errors of the serialiser.
    pub fn embedded<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(&self.0) {
            Ok(value) => value.serialize(serializer),
            Err(_) => self.0.serialize(serializer),
        }
    }

    /// Like [`JsonText::embedded`], for an optional value.
    ///
    /// # Errors
    /// Errors of the serialiser.
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
