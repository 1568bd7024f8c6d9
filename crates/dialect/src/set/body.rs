//! The payload of a message, read on demand.

use std::cell::OnceCell;

use serde_json::Error;
use wilco_ledger::{DeviceId, grouped};

use crate::{
    devices::{KnownDevice, Use},
    jinja,
    json::{ExactValue, whole_members},
    wilco::LARGEST,
};

/// A payload, parsed on demand.
pub(super) struct Body<'a> {
    payload: &'a [u8],
    text: OnceCell<Result<&'a str, String>>,
    json: OnceCell<Option<Result<ExactValue, Error>>>,
}

impl<'a> Body<'a> {
    pub(super) fn of(payload: &'a [u8]) -> Body<'a> {
        Body { payload, text: OnceCell::new(), json: OnceCell::new() }
    }

    pub(super) fn text(&self) -> Result<&'a str, &String> {
        let read = || {
            if self.payload.len() > LARGEST {
                return Err(too_long(self.payload.len(), LARGEST));
            }
            let text = std::str::from_utf8(self.payload)
                .map_err(|error| format!("It is not UTF-8 text: {}.", invalid(self.payload, error.valid_up_to())))?;
            Ok(text.trim_start_matches('\u{feff}').trim_end_matches('\0'))
        };
        self.text.get_or_init(read).as_ref().copied()
    }

    pub(super) fn json(&self) -> Option<&ExactValue> {
        self.parsed()?.as_ref().ok()
    }

    fn parsed(&self) -> Option<&Result<ExactValue, Error>> {
        self.json.get_or_init(|| self.text().ok().map(ExactValue::of_device)).as_ref()
    }

    /// Why the message cannot be read, as a sentence: it is no text, or it begins as JSON and is none.
    pub(super) fn damage(&self) -> Option<String> {
        match self.text() {
            Err(why) => Some(why.clone()),
            Ok(text) if text.trim_start().starts_with(['{', '[']) => {
                let error = self.parsed()?.as_ref().err()?;
                Some(format!("It is not valid JSON: {error}."))
            }
            Ok(_) => None,
        }
    }

    /// Why the values cannot be read that a device reports on this topic.
    pub(super) fn damage_to(&self, device: &KnownDevice, uses: &[(DeviceId, Use)]) -> Option<String> {
        let mut variables = uses.iter().filter_map(|(_, topic_use)| match topic_use {
            Use::Variable(index) => device.variables.get(*index),
            Use::Availability(_) => None,
        });
        let Ok(text) = self.text() else { return variables.next().and_then(|_| self.damage()) };
        let mut templates = variables.filter_map(|variable| variable.template.as_ref());
        if text.len() > jinja::LONGEST_PAYLOAD {
            return templates.next().map(|_| too_long(text.len(), jinja::LONGEST_PAYLOAD));
        }
        templates.any(jinja::Template::reads_json).then(|| self.damage()).flatten()
    }

    /// The members of a damaged JSON object that are whole.
    pub(super) fn salvaged(&self) -> ExactValue {
        let text = String::from_utf8_lossy(&self.payload[..self.payload.len().min(LARGEST)]);
        let members = whole_members(text.trim_start_matches('\u{feff}'));
        let is_whole = |text: &str| !text.contains(char::REPLACEMENT_CHARACTER);
        let whole = members.into_iter().filter(|(name, value)| is_whole(name) && is_whole(value.get()));
        ExactValue::Object(
            whole.filter_map(|(name, value)| Some((name, ExactValue::parse(value.get()).ok()?))).collect(),
        )
    }
}

/// The first byte that cannot be part of a text. A map in CBOR (RFC 8949 section 3) begins with such a byte.
fn invalid(payload: &[u8], place: usize) -> String {
    match payload {
        [0xa0..=0xbf, ..] | [0xd9, 0xd9, 0xf7, ..] => {
            "it begins as CBOR, which Wilco does not read. Let the device answer in JSON".to_owned()
        }
        _ => format!("invalid byte at position {place}"),
    }
}

fn too_long(bytes: usize, limit: usize) -> String {
    format!("It has {} bytes; the limit is {}.", grouped(bytes), grouped(limit))
}
