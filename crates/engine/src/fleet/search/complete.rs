//! Errors and completions of a search while it is typed.

use std::collections::BTreeSet;

use wilco_ledger::{State, grouped};

use super::{
    Relation, Search, Term, bare, natural,
    parse::{self, SIGNS},
};
use crate::{
    api::{Counted, SearchCompletion, SearchError, SearchPart, SearchReading},
    fleet::{Fleet, tally::most},
};

/// Completions at most.
const OFFERED: usize = 12;
/// So many devices are looked through for keys of the configuration.
const LOOKED_THROUGH: usize = 2_000;

/// Reads what is typed. `caret` counts UTF-16 units; `series` are the measurements that there are.
pub(crate) fn read_search(fleet: &Fleet, text: &str, caret: u32, series: &BTreeSet<String>) -> SearchReading {
    let (search, parts) = parse::parse(text);
    let place = |byte: usize| units(&text[..byte]);
    SearchReading {
        parts: parts
            .iter()
            .map(|(kind, from, to)| SearchPart { kind: *kind, from: place(*from), to: place(*to) })
            .collect(),
        error: search.err().map(|error| SearchError {
            from: place(error.from),
            to: place(error.to),
            message: crate::api::sentence(&error.message),
            hint: error.hint,
        }),
        completions: completions(fleet, text, byte_of(text, caret), series),
    }
}

fn completions(fleet: &Fleet, text: &str, caret: usize, series: &BTreeSet<String>) -> Vec<SearchCompletion> {
    let typed = Typed::at(text, caret);
    let offered = match &typed.value {
        Some(_) => typed.fitting(values(fleet, &typed)),
        None => fields(fleet, &plain(typed.word), series),
    };
    let (from, to) = (units(&text[..typed.from]), units(&text[..typed.to]));
    let offer = |Offer { text, note, .. }| {
        let open = text.ends_with([':', '.']);
        SearchCompletion { from, to, text, note, open }
    };
    offered.into_iter().filter(|offer| offer.text != typed.word).take(OFFERED).map(offer).collect()
}

/// What can stand in the place of the typed word.
struct Offer {
    text: String,
    /// Its value without quotes, in lower case.
    value: String,
    note: String,
}

/// The word at the caret.
struct Typed<'a> {
    /// Where it begins and ends, without its `-`, in bytes.
    from: usize,
    to: usize,
    /// It up to the caret.
    word: &'a str,
    /// Its field as it was typed, without the colon.
    field: &'a str,
    /// Its sign, which may be empty, and its value, without quotes and in lower case; none before there is a colon.
    value: Option<(&'a str, String)>,
}

impl<'a> Typed<'a> {
    fn at(text: &'a str, caret: usize) -> Typed<'a> {
        let (mut start, mut colon, mut is_quoted, mut is_escaped) = (0, None, false, false);
        for (at, char) in text[..caret].char_indices() {
            let word = &text[start..at];
            if is_quoted {
                is_quoted = is_escaped || char != '"';
                is_escaped = char == '\\' && !is_escaped;
            } else if char == '"' {
                is_quoted = word.is_empty() || word == "-" || word.ends_with([':', '<', '>', '=', '.']);
            } else if char.is_whitespace() || char == '(' {
                (start, colon) = (at + char.len_utf8(), None);
            } else if char == ':' && colon.is_none() {
                colon = Some(at);
            }
        }
        let rest = &text[caret..];
        let is_closed = is_quoted && rest.matches('"').count() % 2 == 1;
        let ends = |char: char| if is_closed { char == '"' } else { char.is_whitespace() || char == ')' };
        let to = caret + rest.find(ends).map_or(rest.len(), |at| at + usize::from(is_closed));
        let from = start + usize::from(text[start..caret].starts_with('-'));
        let value = colon.map(|colon| {
            let value = &text[colon + 1..caret];
            let sign = SIGNS.into_iter().map(|(sign, _)| sign).find(|sign| value.starts_with(sign)).unwrap_or_default();
            (sign, plain(&value[sign.len()..]))
        });
        Typed { from, to, word: &text[from..caret], field: &text[from..colon.unwrap_or(caret)], value }
    }

    /// Completions that begin with the typed value, then those in which another word begins with it.
    fn fitting(&self, offered: Vec<Offer>) -> Vec<Offer> {
        let typed = self.value.as_ref().map_or("", |(_, value)| value.as_str());
        let (begin, others): (Vec<_>, Vec<_>) = offered.into_iter().partition(|one| one.value.starts_with(typed));
        let has_word = |one: &Offer| {
            let mut places = one.value.match_indices(typed).map(|(at, _)| &one.value[..at]);
            places.any(|before| !before.ends_with(char::is_alphanumeric))
        };
        begin.into_iter().chain(others.into_iter().filter(has_word)).collect()
    }
}

/// A text without its quotes, in lower case.
fn plain(text: &str) -> String {
    if !text.contains('"') {
        return text.to_lowercase();
    }
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => {}
            '\\' => plain.extend(chars.next()),
            _ => plain.push(char),
        }
    }
    plain.to_lowercase()
}

/// The fields that there are; of the configuration and of measurements each by its name, once that begins.
fn fields(fleet: &Fleet, typed: &str, series: &BTreeSet<String>) -> Vec<Offer> {
    let offer = |text: String, note: &str| Offer { value: plain(&text), text, note: note.to_owned() };
    let mut all: Vec<_> = parse::FIELDS.iter().map(|(name, means)| offer(format!("{name}:"), means)).collect();
    if typed.starts_with("config.") {
        all.extend(keys(fleet).iter().map(|key| offer(format!("config.{}:", bare(key)), "Running configuration")));
    } else {
        all.push(offer("config.".to_owned(), "A value of the running configuration"));
    }
    if typed.starts_with("telemetry.") {
        all.extend(series.iter().map(|name| offer(format!("telemetry.{}:", bare(name)), "Last measured")));
    } else {
        all.push(offer("telemetry.".to_owned(), "A measurement"));
    }
    all.retain(|one| one.value.starts_with(typed));
    all
}

/// The values of a field that devices have now.
fn values(fleet: &Fleet, typed: &Typed<'_>) -> Vec<Offer> {
    let sign = typed.value.as_ref().map_or("", |(sign, _)| *sign);
    let field = typed.field.to_lowercase();
    let devices = |count: u32| if count == 1 { "1 device".to_owned() } else { format!("{} devices", grouped(count)) };
    let counted = |all: Vec<Counted>| {
        let offer =
            |one: Counted| Offer { text: one.search, value: one.value.to_lowercase(), note: devices(one.count) };
        all.into_iter().map(offer).collect()
    };
    let named = |values: &[&str]| {
        let signed = values.iter().filter_map(|value| Some((value, value.strip_prefix(sign)?)));
        let offer = |(value, rest): (&&str, &str)| Offer {
            text: format!("{field}:{value}"),
            value: rest.to_owned(),
            note: String::new(),
        };
        signed.map(offer).collect::<Vec<_>>()
    };
    match field.as_str() {
        "tag" if sign.is_empty() => counted(most(&fleet.tally.tags, usize::MAX, Search::of_tag)),
        "firmware" => {
            let relation = SIGNS.into_iter().find(|(one, _)| *one == sign).map(|(_, relation)| relation);
            let search = |version: &str| match relation {
                None => fleet.tally.firmware_search(version),
                Some(relation) => Search::Term(Term::Firmware(Some((relation, version.to_owned())))).to_string(),
            };
            counted(most(&fleet.tally.firmware, usize::MAX, search))
        }
        "is" => {
            let counts = fleet.counts();
            let disagree = u32::try_from(fleet.disagreeing().count()).unwrap_or(u32::MAX);
            let counts = [counts.online, counts.offline, counts.unknown, disagree];
            let offers = named(&parse::IS).into_iter().zip(counts);
            offers.map(|(offer, count)| Offer { note: devices(count), ..offer }).collect()
        }
        "led" => named(&parse::LEDS),
        "desired" => named(&parse::DESIRED),
        "state" => named(&State::ALL.map(State::as_str)),
        "seen" => named(&["<1m", "<10m", "<1h", ">1h", ">1d", ">7d"]),
        "restarted" => named(&["<10m", "<1h", "<1d", ">1d", ">7d"]),
        _ if field.starts_with("config.") => {
            let relation =
                SIGNS.into_iter().find(|(one, _)| *one == sign).map_or(Relation::Is, |(_, relation)| relation);
            config_values(fleet, &parse::key(&typed.field["config.".len()..]), relation)
        }
        _ => Vec::new(),
    }
}

fn keys(fleet: &Fleet) -> BTreeSet<String> {
    let reports = fleet.devices().filter(|device| device.state.is_some()).take(LOOKED_THROUGH);
    reports.flat_map(|device| device.running_leaves().map(|(key, _)| key.to_owned())).collect()
}

fn config_values(fleet: &Fleet, key: &str, relation: Relation) -> Vec<Offer> {
    let reports = fleet.devices().filter(|device| device.state.is_some()).take(LOOKED_THROUGH);
    let mut values: Vec<_> = reports.filter_map(|device| device.running(key)).map(super::shown).collect();
    values.sort_unstable_by(|a, b| natural(a, b).then_with(|| a.cmp(b)));
    values.dedup();
    let offer = |value: String| Offer {
        text: Search::Term(Term::Config(key.to_owned(), Some((relation, value.clone())))).to_string(),
        value: value.to_lowercase(),
        note: String::new(),
    };
    values.into_iter().map(offer).collect()
}

fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The byte at which so many UTF-16 units have passed.
fn byte_of(text: &str, caret: u32) -> usize {
    let mut passed = 0;
    for (byte, char) in text.char_indices() {
        if passed >= caret as usize {
            return byte;
        }
        passed += char.len_utf16();
    }
    text.len()
}
