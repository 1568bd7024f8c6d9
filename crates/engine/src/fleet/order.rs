//! The order of a list of devices.

use std::{cmp::Ordering, collections::HashMap};

use foldhash::fast::RandomState;
use wilco_ledger::{Command, State};

use super::{Device, search::Search};
use crate::api::{DeviceGroup, GroupBy, GroupKey, Presence, SortBy};

/// The sort key of a device, as a number: the smallest first. Devices without a value have the smallest.
pub(super) fn key(device: &Device, by: SortBy, versions: &Ranks) -> i64 {
    match by {
        SortBy::Device => 0,
        SortBy::Presence => rank(device.presence),
        SortBy::Led => match device.led {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        },
        SortBy::LastCommand => command(device).map_or(i64::MIN, |last| last.submitted_at.0),
        SortBy::State => trouble(command(device).map(|last| last.state)),
        SortBy::Seen => device.seen_at.map_or(i64::MIN, |at| at.0),
        SortBy::Firmware => device.firmware.as_deref().map_or(i64::MIN, |version| versions.of(version)),
        // Microseconds, so that no two that differ are taken for the same.
        SortBy::Trip => device.trip_ms.map_or(i64::MIN, |ms| (ms * 1_000.0) as i64),
    }
}

/// The places of texts among each other, as people count.
#[derive(Default)]
pub(super) struct Ranks(HashMap<String, i64, RandomState>);

impl Ranks {
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Ranks {
        let mut texts: Vec<_> = texts.collect();
        texts.sort_unstable_by(|a, b| natural(a, b).then_with(|| a.cmp(b)));
        texts.dedup();
        Ranks(texts.into_iter().map(str::to_owned).zip(0..).collect())
    }

    fn of(&self, text: &str) -> i64 {
        self.0.get(text).copied().unwrap_or(i64::MAX)
    }
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
