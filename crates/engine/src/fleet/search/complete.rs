//! Errors and completions of a search while it is typed.

use std::collections::BTreeSet;

use wilco_ledger::{State, grouped};

use super::{Search, bare, parse};
use crate::{
    api::{Counted, SearchCompletion, SearchError, SearchPart, SearchReading},
    fleet::Fleet,
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
    let before = &text[..caret];
    let start = before
        .rfind(|char: char| char.is_whitespace() || char == '(')
        .map_or(0, |last| last + before[last..].chars().next().map_or(1, char::len_utf8));
    let from = start + usize::from(before[start..].starts_with('-'));
    let end =
        caret + text[caret..].find(|char: char| char.is_whitespace() || char == ')').unwrap_or(text.len() - caret);
    let word = &before[from..];
    let lower = word.to_lowercase();
    let (from, to) = (units(&text[..from]), units(&text[..end]));
    let offer = |(text, note): (String, String)| {
        let open = text.ends_with([':', '.']);
        SearchCompletion { from, to, text, note, open }
    };
    let fits = |(text, _): &(String, String)| text.to_lowercase().starts_with(&lower) && *text != word;
    let offered = match lower.split_once(':') {
        Some((field, _)) => values(fleet, field, word),
        None => fields(fleet, &lower, series),
    };
    offered.into_iter().filter(fits).take(OFFERED).map(offer).collect()
}

/// The fields that there are; of the configuration and of measurements each by its name, once that begins.
fn fields(fleet: &Fleet, typed: &str, series: &BTreeSet<String>) -> Vec<(String, String)> {
    let mut all: Vec<_> = parse::FIELDS.iter().map(|(name, means)| (format!("{name}:"), (*means).to_owned())).collect();
    if typed.starts_with("config.") {
        all.extend(
            keys(fleet).iter().map(|key| (format!("config.{}:", bare(key)), "Running configuration".to_owned())),
        );
    } else {
        all.push(("config.".to_owned(), "A value of the running configuration".to_owned()));
    }
    if typed.starts_with("telemetry.") {
        all.extend(series.iter().map(|name| (format!("telemetry.{}:", bare(name)), "Last measured".to_owned())));
    } else {
        all.push(("telemetry.".to_owned(), "A measurement".to_owned()));
    }
    all
}

/// The values of a field that devices have now.
fn values(fleet: &Fleet, field: &str, word: &str) -> Vec<(String, String)> {
    let counts = fleet.counts();
    let devices = |count: u32| if count == 1 { "1 device".to_owned() } else { format!("{} devices", grouped(count)) };
    let counted = |all: Vec<Counted>| all.into_iter().map(|one| (one.search, devices(one.count))).collect();
    let named = |values: &[&str]| values.iter().map(|value| (format!("{field}:{value}"), String::new())).collect();
    match field {
        "tag" => counted(counts.tags),
        "firmware" => counted(counts.firmware),
        "is" => {
            let disagree = u32::try_from(fleet.disagreeing().count()).unwrap_or(u32::MAX);
            let counts = [counts.online, counts.offline, counts.unknown, disagree];
            parse::IS.into_iter().zip(counts).map(|(value, count)| (format!("is:{value}"), devices(count))).collect()
        }
        "led" => named(&parse::LEDS),
        "desired" => named(&parse::DESIRED),
        "state" => named(&State::ALL.map(State::as_str)),
        "seen" => named(&["<1m", "<10m", "<1h", ">1h", ">1d", ">7d"]),
        "restarted" => named(&["<10m", "<1h", "<1d", ">1d", ">7d"]),
        _ => match word.split_once(':').and_then(|(name, _)| name.strip_prefix("config.")) {
            Some(key) => config_values(fleet, key),
            None => Vec::new(),
        },
    }
}

fn keys(fleet: &Fleet) -> BTreeSet<String> {
    let reports = fleet.devices().filter(|device| device.state.is_some()).take(LOOKED_THROUGH);
    reports.flat_map(|device| device.running_leaves().map(|(key, _)| key.to_owned())).collect()
}

fn config_values(fleet: &Fleet, key: &str) -> Vec<(String, String)> {
    let reports = fleet.devices().filter(|device| device.state.is_some()).take(LOOKED_THROUGH);
    let values: BTreeSet<_> = reports.filter_map(|device| device.running(key)).map(super::shown).collect();
    values.into_iter().map(|value| (Search::of_config(key, &value), String::new())).collect()
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
