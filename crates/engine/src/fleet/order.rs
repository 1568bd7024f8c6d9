//! The order of a list of devices.

use std::{cmp::Ordering, collections::HashMap};

use foldhash::fast::RandomState;
use wilco_ledger::{Command, Decimal, State};

use super::{
    Device,
    search::{Facts, Search},
    shown, version,
};
use crate::api::{DesiredState, DeviceGroup, GroupBy, GroupKey, Presence, SortBy};

/// The sort key of a device, as a number: the smallest first; none where it has no value. `ranks`: of the texts by which it
/// is sorted.
pub(super) fn key(device: &Device, by: &SortBy, ranks: &Ranks, facts: &Facts) -> Option<i64> {
    match by {
        SortBy::Device => Some(0),
        SortBy::Name => ranks.get(device.shown_name()?),
        SortBy::Presence => Some(rank(device.presence)),
        SortBy::Led => device.led.map(|on| i64::from(!on)),
        SortBy::LastCommand => command(device).map(|last| last.submitted_at.0),
        SortBy::State => command(device).map(|last| trouble(Some(last.state))),
        SortBy::Took => took(command(device)?),
        SortBy::Seen => device.seen_at.map(|at| at.0),
        SortBy::Firmware => ranks.get(device.firmware.as_deref()?),
        SortBy::Tags => ranks.get(&tag_list(device)?),
        SortBy::Desired => facts.desired.state(device, facts).map(|state| match state {
            DesiredState::Differs => 0,
            DesiredState::Unknown => 1,
            DesiredState::AsWanted => 2,
        }),
        // Microseconds, so that no two that differ are taken for the same.
        SortBy::Trip => device.trip_ms.map(|ms| (ms * 1_000.0) as i64),
        SortBy::Config(key) => ranks.get(device.running(key)?),
        SortBy::Telemetry(series) => facts.measured.get(series)?.get(&device.id).copied().map(in_order),
    }
}

/// How long a command took, milliseconds.
fn took(command: &Command) -> Option<i64> {
    let finished = command.rungs.finished.filter(|_| command.state != State::Cancelled)?;
    Some(finished.0 - command.submitted_at.0)
}

/// A device's tags as one text that stands among those of others as the first tags do, then the second ones.
pub(super) fn tag_list(device: &Device) -> Option<String> {
    let tags: Vec<_> = device.all_tags().collect();
    // It stands before every character that a tag can have, so that fewer tags come before more.
    (!tags.is_empty()).then(|| tags.join("\u{0}"))
}

/// A number in the order of others, as [`f64::total_cmp`] has it.
fn in_order(value: f64) -> i64 {
    // There is one zero.
    let bits = (value + 0.0).to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// A value as a number and as a text, and as it is written.
type Value<'a> = (Option<Decimal>, String, &'a str);

/// The places of texts among each other.
#[derive(Default)]
pub(super) struct Ranks(HashMap<String, i64, RandomState>);

impl Ranks {
    /// Of tags, as people count.
    pub(super) fn of_tags<'a>(tags: impl Iterator<Item = &'a str>) -> Ranks {
        Ranks::by(tags.collect(), |a: &&str, b| natural(a, b).then_with(|| a.cmp(b)), |tag| (*tag).to_owned())
    }

    /// Of lists of tags, as [`tag_list`] has them.
    pub(super) fn of_tag_lists(lists: impl Iterator<Item = String>) -> Ranks {
        Ranks::by(distinct(lists), |a, b| natural(a, b).then_with(|| a.cmp(b)), String::clone)
    }

    /// Of names, as people count. Upper and lower case are the same.
    pub(super) fn of_names<'a>(names: impl Iterator<Item = &'a str>) -> Ranks {
        let keyed: Vec<_> = distinct(names).into_iter().map(|name| (name.to_lowercase(), name)).collect();
        Ranks::by(keyed, |(a, _), (b, _)| natural(a, b), |(_, name)| (*name).to_owned())
    }

    /// Of firmware versions. `apart`: versions that differ only in how they are written have places of their own.
    pub(super) fn of_versions<'a>(versions: impl Iterator<Item = &'a str>, apart: bool) -> Ranks {
        let compare =
            |a: &&str, b: &&str| version::compare(a, b).then_with(|| if apart { a.cmp(b) } else { Ordering::Equal });
        Ranks::by(versions.collect(), compare, |version| (*version).to_owned())
    }

    /// Of values as JSON: numbers first, by their value, then all else as people count. `null` is no value.
    pub(super) fn of_values<'a>(values: impl Iterator<Item = &'a str>) -> Ranks {
        let mut distinct: Vec<_> = values.filter(|value| *value != "null").collect();
        distinct.sort_unstable();
        distinct.dedup();
        let keyed: Vec<_> = distinct.into_iter().map(|value| (Decimal::parse(value), shown(value), value)).collect();
        let ordering = |a: &Value<'_>, b: &Value<'_>| match (&a.0, &b.0) {
            (Some(a), Some(b)) => a.cmp(b),
            (None, None) => natural(&a.1, &b.1),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        Ranks::by(keyed, ordering, |(.., value)| (*value).to_owned())
    }

    /// Equal for devices that compare equal.
    fn by<T>(mut all: Vec<T>, compare: impl Fn(&T, &T) -> Ordering, text: impl Fn(&T) -> String) -> Ranks {
        all.sort_by(&compare);
        let mut places = HashMap::with_capacity_and_hasher(all.len(), RandomState::default());
        let mut place = 0;
        for (at, one) in all.iter().enumerate() {
            let is_another = at.checked_sub(1).is_some_and(|before| compare(&all[before], one) != Ordering::Equal);
            place += i64::from(is_another);
            places.insert(text(one), place);
        }
        Ranks(places)
    }

    fn get(&self, text: &str) -> Option<i64> {
        self.0.get(text).copied()
    }

    fn of(&self, text: &str) -> i64 {
        self.get(text).unwrap_or(i64::MAX)
    }
}

fn distinct<T: Ord>(texts: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct: Vec<_> = texts.collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// The sort key of a device's group. Devices without a group come last.
pub(super) fn group_rank(device: &Device, by: GroupBy, texts: &Ranks) -> i64 {
    let text = |text: Option<&str>| text.map_or(i64::MAX, |text| texts.of(text));
    match by {
        GroupBy::Tag => text(device.all_tags().next()),
        GroupBy::Firmware => text(device.firmware.as_deref()),
        GroupBy::State => trouble(command(device).map(|last| last.state)),
        GroupBy::Presence => rank(device.presence),
    }
}

/// The group that begins with a device.
pub(super) fn group(device: &Device, by: GroupBy, from: u32) -> DeviceGroup {
    let (key, search) = match by {
        GroupBy::Tag => {
            let tag = device.all_tags().next().map(str::to_owned);
            let search = tag.as_deref().map_or_else(|| "-tag:*".to_owned(), Search::of_tag);
            (GroupKey::Tag { tag }, search)
        }
        GroupBy::Firmware => {
            let version = device.firmware.clone();
            let search = version.as_deref().map_or_else(|| "-firmware:*".to_owned(), Search::of_exact_firmware);
            (GroupKey::Firmware { version }, search)
        }
        GroupBy::State => {
            let search =
                command(device).map_or_else(|| "-state:*".to_owned(), |last| format!("state:{}", last.state.as_str()));
            (GroupKey::State { state: command(device).map(|last| last.state).into() }, search)
        }
        GroupBy::Presence => {
            let search = match device.presence {
                Presence::Online => "is:online",
                Presence::Offline => "is:offline",
                Presence::Unknown => "is:unknown",
            };
            (GroupKey::Presence { presence: device.presence }, search.to_owned())
        }
    };
    DeviceGroup { key, search, from, count: 0, elsewhere: 0 }
}

/// Failed states first, then unfinished ones, then succeeded ones.
fn trouble(state: Option<State>) -> i64 {
    match state {
        Some(State::Failed) => 0,
        Some(State::Rejected) => 1,
        Some(State::Undeliverable) => 2,
        Some(State::TimedOut) => 3,
        Some(State::Expired) => 4,
        Some(State::Cancelled) => 5,
        Some(State::Held) => 6,
        Some(State::Queued) => 7,
        Some(State::Sent) => 8,
        Some(State::AtBroker) => 9,
        Some(State::Accepted) => 10,
        Some(State::Running) => 11,
        Some(State::Unconfirmed) => 12,
        Some(State::Succeeded) => 13,
        None => 14,
    }
}

/// Compares texts with their numbers, so that `kitchen-9` comes before `kitchen-10`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (split(a), split(b)) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some((left, rest_a)), Some((right, rest_b))) => {
                let ordering = match (number(left), number(right)) {
                    (Some(left), Some(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
                    _ => left.cmp(right),
                };
                if ordering != Ordering::Equal {
                    return ordering;
                }
                (a, b) = (rest_a, rest_b);
            }
        }
    }
}

/// The longest beginning that is all digits, or has none.
fn split(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().next()?.is_ascii_digit();
    let end = text.bytes().position(|byte| byte.is_ascii_digit() != digits).unwrap_or(text.len());
    Some(text.split_at(end))
}

fn number(part: &str) -> Option<&str> {
    part.starts_with(|first: char| first.is_ascii_digit()).then(|| part.trim_start_matches('0'))
}

fn command(device: &Device) -> Option<&Command> {
    device.last_command.as_ref().map(|last| &*last.command)
}

fn rank(presence: Presence) -> i64 {
    match presence {
        Presence::Online => 0,
        Presence::Unknown => 1,
        Presence::Offline => 2,
    }
}

#[cfg(test)]
mod tests;
