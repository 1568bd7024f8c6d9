//! The order of a list of devices.

use std::cmp::Ordering;

use wilco_ledger::Command;

use super::Device;
use crate::api::{DeviceOrder, Presence, SortBy};

/// Compares two devices by a column; equal ones stand by their ids, so that the order is always the same.
pub(super) fn compare(a: &Device, b: &Device, by: SortBy, direction: DeviceOrder) -> Ordering {
    let by_id = || natural(a.id.as_str(), b.id.as_str());
    let ordering = match by {
        SortBy::Device => by_id(),
        SortBy::Presence => rank(a.presence).cmp(&rank(b.presence)),
        SortBy::Led => lamp(a).cmp(&lamp(b)),
        SortBy::LastCommand => key(a).map(|last| last.submitted_at).cmp(&key(b).map(|last| last.submitted_at)),
        SortBy::State => key(a).map(|last| last.state.as_str()).cmp(&key(b).map(|last| last.state.as_str())),
        SortBy::Seen => a.seen_at.cmp(&b.seen_at),
        SortBy::Firmware => natural(a.firmware.as_deref().unwrap_or(""), b.firmware.as_deref().unwrap_or("")),
        SortBy::Trip => a.trip_ms.partial_cmp(&b.trip_ms).unwrap_or(Ordering::Equal),
    };
    let ordering = match direction {
        DeviceOrder::Ascending => ordering,
        DeviceOrder::Descending => ordering.reverse(),
    };
    ordering.then_with(by_id)
}

/// Compares texts as people do: digits in them count as numbers, so that `kitchen-9` stands before `kitchen-10`.
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

fn key(device: &Device) -> Option<&Command> {
    device.last_command.as_ref().map(|last| &*last.command)
}

fn rank(presence: Presence) -> u8 {
    match presence {
        Presence::Online => 0,
        Presence::Unknown => 1,
        Presence::Offline => 2,
    }
}

fn lamp(device: &Device) -> u8 {
    match device.led {
        Some(true) => 0,
        Some(false) => 1,
        None => 2,
    }
}
