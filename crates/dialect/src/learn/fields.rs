//! Texts with fields, such as `17,OK,valve is open`: where in two of them the same ID is.

use std::collections::BTreeSet;

use super::{Observed, fits, object, outcomes::outcome, template};
use crate::{
    file::{Field, SEPARATORS, unquoted},
    ids::uuids_in,
};

/// The most fields of a text that are looked at, the longest ID, and the longest text, bytes.
const MOST: usize = 32;
const LONGEST: usize = 128;
const LONGEST_TEXT: usize = 1_024;

/// A text that is split into its fields.
pub(super) struct Fields<'t> {
    pub(super) separator: char,
    pub(super) fields: Vec<&'t str>,
}

impl<'t> Fields<'t> {
    /// The fields of a text; `None` for JSON, and for a text without a separator.
    pub(super) fn of(payload: &'t str) -> Option<Fields<'t>> {
        let text = payload.trim();
        if text.len() > LONGEST_TEXT || text.starts_with(['{', '[']) || text.contains('\n') {
            return None;
        }
        let separator = SEPARATORS.into_iter().max_by_key(|separator| text.matches(*separator).count())?;
        let fields: Vec<&str> = text.split(separator).map(unquoted).take(MOST).collect();
        (fields.len() > 1 && !fields[0].is_empty()).then_some(Fields { separator, fields })
    }

    /// How a dialect file names a field, by its place from 0.
    pub(super) fn named(&self, place: usize) -> String {
        Field { separator: self.separator, number: place + 1, and_all_after: false }.to_string()
    }

    /// How a dialect file names a field and all that follows.
    pub(super) fn named_from(&self, place: usize) -> String {
        Field { separator: self.separator, number: place + 1, and_all_after: true }.to_string()
    }

    /// The first field that is a word for an outcome.
    pub(super) fn outcome(&self) -> Option<usize> {
        self.fields.iter().position(|field| outcome(field).is_some())
    }
}

/// An ID that a request and its answer have as a field.
pub(super) struct SharedField {
    /// How a dialect file names the answer's field.
    pub(super) answer: String,
    pub(super) id: String,
}

/// The field whose value two texts share: a number or a UUID that is likely to be there only once, or one whose value is
/// another in another exchange.
pub(super) fn shared(request: &Observed, answer: &Observed, device: &str, usable: &[&Observed]) -> Option<SharedField> {
    let (asked, said) = (Fields::of(&request.payload)?, Fields::of(&answer.payload)?);
    let pairs = asked.fields.iter().enumerate().filter_map(|(from, id)| {
        let is_one = !id.is_empty() && id.len() <= LONGEST && outcome(id).is_none() && *id != device;
        let to = said.fields.iter().position(|field| field == id).filter(|_| is_one)?;
        Some((from, to, *id))
    });
    let pairs: Vec<(usize, usize, &str)> = pairs.collect();
    let (asking, telling) = (template(&request.topic, device), template(&answer.topic, device));
    let values = |topic: &str, place: usize| -> BTreeSet<String> {
        let alike = usable.iter().filter(|one| fits(&one.topic, topic));
        alike.filter_map(|one| Some((*Fields::of(&one.payload)?.fields.get(place)?).to_owned())).collect()
    };
    let is_unique = |id: &str| {
        let is_long = id.len() >= 4 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        !uuids_in(id).is_empty() || (is_long && id.bytes().any(|byte| byte.is_ascii_digit()))
    };
    // Commands are counted; values that are only repeated are not.
    let is_next = |one: &str, other: &str| {
        one.parse::<u32>().ok().zip(other.parse::<u32>().ok()).is_some_and(|(one, other)| one.abs_diff(other) == 1)
    };
    let differs = |(from, to, id): &&(usize, usize, &str)| {
        let answered = values(&telling, *to);
        let mut others = values(&asking, *from).into_iter().filter(|other| other != id && answered.contains(other));
        others.any(|other| is_next(&other, id) || (is_unique(&other) && is_unique(id)))
    };
    let (_, to, id) = pairs.iter().find(differs).or_else(|| pairs.iter().find(|(_, _, id)| is_unique(id)))?;
    Some(SharedField { answer: said.named(*to), id: (*id).to_owned() })
}

/// Whether a name is that of a field and not of a member.
pub(super) fn is_field(name: &str) -> bool {
    let digits = name.strip_prefix(SEPARATORS).unwrap_or_default().trim_end_matches("...");
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The payload of a request with an ID in one of its fields, as a template.
pub(super) fn request_template(payload: &str, id: &str) -> Option<String> {
    if object(payload).is_some() {
        return None;
    }
    let Fields { separator, fields } = Fields::of(payload)?;
    let at = fields.iter().position(|field| *field == id)?;
    let is_name = |field: &str| field.starts_with(|c: char| c.is_alphabetic());
    let command = fields.iter().enumerate().position(|(place, field)| place != at && is_name(field));
    let others = (0..fields.len()).filter(|place| *place != at && Some(*place) != command).count();
    let mut number = 0;
    let parts = (0..fields.len()).map(|place| match place {
        place if place == at => "{id}".to_owned(),
        place if Some(place) == command => "{command}".to_owned(),
        _ if others == 1 => "{args.value}".to_owned(),
        _ => {
            number += 1;
            format!("{{args.value{number}}}")
        }
    });
    Some(parts.collect::<Vec<_>>().join(&separator.to_string()))
}
