//! The traits that the failed devices of a rollout have in common and the succeeded ones do not: firmware, tags, values
//! of the running configuration, and the time of the last restart.
//!
//! Only traits that separate the two groups count. It claims no causes: a common trait is where to look next. A device
//! with an unknown time of its last restart counts as not restarted.

use std::{cmp::Ordering, collections::HashSet};

use serde_json::Value;
use wilco_ledger::Timestamp;

use crate::{
    api::{SharedTrait, TraitKind},
    fleet::{Device, Facts, Search, shown},
};

/// Failed devices that have a trait, at the least.
const LEAST: u32 = 3;
/// The share of the failed that has it, per cent, at the least.
const SHARE: u64 = 80;
/// How many times as large that share is as the one of the succeeded, at the least.
const TIMES: u64 = 3;
/// Traits that are named, at most.
const NAMED: usize = 5;
/// Times since the last restart, milliseconds, with their wording.
const RESTARTED_WITHIN: [(u64, &str); 7] = [
    (600_000, "in the last 10 minutes"),
    (3_600_000, "in the last hour"),
    (6 * 3_600_000, "in the last 6 hours"),
    (86_400_000, "in the last day"),
    (3 * 86_400_000, "in the last 3 days"),
    (7 * 86_400_000, "in the last 7 days"),
    (30 * 86_400_000, "in the last 30 days"),
];
/// Added if a device has not reported its restart itself.
const SEEN: &str = ", as far as Wilco was connected";
/// A command that restarts the devices which carry it out.
const RESTART: &str = "restart";
/// Values of the configuration that are longer, in bytes, are not compared.
const VALUE: usize = 200;

/// Something that a device is or has.
struct Candidate {
    kind: TraitKind,
    value: String,
    search: Search,
}

/// A trait that separates the failed from the succeeded.
struct Found {
    candidate: Candidate,
    failed: Vec<bool>,
    succeeded: Vec<bool>,
}

/// The common traits of `failed` that `succeeded` do not have; `None` stands for an unknown member. The clearest first,
/// at most 5. `command` and `args` are the request: a difference that results from its success is not a trait.
pub(crate) fn shared_traits(
    failed: &[Option<&Device>],
    succeeded: &[Option<&Device>],
    (command, args): (&str, &Value),
    now: Timestamp,
) -> Vec<SharedTrait> {
    if succeeded.is_empty() || count(failed.len()) < LEAST {
        return Vec::new();
    }
    let facts = Facts { now, ..Facts::default() };
    let restarts = if command == RESTART { Vec::new() } else { restarts() };
    let mut found: Vec<_> = candidates(failed, args)
        .into_iter()
        .chain(restarts)
        .filter_map(|candidate| compare(candidate, failed, succeeded, &facts))
        .map(|found| found.limited_to_known(failed, succeeded))
        .collect();
    found.sort_by(clearest_first);
    let mut named: Vec<Found> = Vec::new();
    for found in found {
        if !named.iter().any(|clearer| clearer.implies(&found)) {
            named.push(found);
        }
    }
    named.into_iter().take(NAMED).map(Found::shared).collect()
}

/// The candidates for common traits: everything about the first failed devices, because a trait of 80 % of them occurs
/// in any fifth of them plus one.
fn candidates(failed: &[Option<&Device>], args: &Value) -> Vec<Candidate> {
    let mut set = HashSet::new();
    keys(args, &mut set);
    let mut seen = HashSet::new();
    let mut candidates = Vec::new();
    for device in failed.iter().take(failed.len() / 5 + 1).flatten() {
        for candidate in traits(device, &set) {
            if seen.insert(candidate.search.to_string().to_lowercase()) {
                candidates.push(candidate);
            }
        }
    }
    candidates
}

/// The names of everything in a command's arguments.
fn keys<'a>(args: &'a Value, set: &mut HashSet<&'a str>) {
    for (key, value) in args.as_object().into_iter().flatten() {
        set.insert(key);
        keys(value, set);
    }
}

fn traits(device: &Device, set: &HashSet<&str>) -> Vec<Candidate> {
    let mut traits = Vec::new();
    let mut add = |kind, value: String, search: String| {
        // A search that reads otherwise would find others.
        if let Ok(search) = Search::read(&search) {
            traits.push(Candidate { kind, value, search });
        }
    };
    if let Some(version) = &device.firmware {
        add(TraitKind::Firmware, version.clone(), Search::of_exact_firmware(version));
    }
    for tag in device.all_tags() {
        add(TraitKind::Tag, tag.to_owned(), Search::of_tag(tag));
    }
    for (key, written) in &device.running {
        let text = shown(written);
        if !set.contains(key.as_str()) && !written.starts_with(['{', '[']) && text.len() <= VALUE {
            add(TraitKind::Configuration, format!("{key}={text}"), Search::of_config(key, &text));
        }
    }
    traits
}

fn restarts() -> Vec<Candidate> {
    let restart = |(within, words): (u64, &str)| {
        let search = Search::read(&Search::of_restart(within)).ok()?;
        Some(Candidate { kind: TraitKind::Restart, value: words.to_owned(), search })
    };
    RESTARTED_WITHIN.into_iter().filter_map(restart).collect()
}

/// Which of them have it, where it separates them.
fn compare(
    candidate: Candidate,
    failed: &[Option<&Device>],
    succeeded: &[Option<&Device>],
    facts: &Facts,
) -> Option<Found> {
    let has = |device: &Option<&Device>| device.is_some_and(|device| candidate.search.matches(device, facts));
    let all_failed = u64::from(count(failed.len()));
    let mut of_failed = Vec::with_capacity(failed.len());
    let mut without = 0_u64;
    for device in failed {
        let has = has(device);
        of_failed.push(has);
        without += u64::from(!has);
        // Most candidates end here after a few devices; a value that each device has for itself would cost all of them.
        if without * 100 > all_failed * (100 - SHARE) {
            return None;
        }
    }
    let failed_with = all_failed - without;
    if failed_with < u64::from(LEAST) {
        return None;
    }
    let all_succeeded = u64::from(count(succeeded.len()));
    let mut of_succeeded = Vec::with_capacity(succeeded.len());
    let mut succeeded_with = 0_u64;
    for device in succeeded {
        let has = has(device);
        of_succeeded.push(has);
        succeeded_with += u64::from(has);
        if succeeded_with * TIMES * all_failed > failed_with * all_succeeded {
            return None;
        }
    }
    Some(Found { candidate, failed: of_failed, succeeded: of_succeeded })
}

/// The larger the distance between the two shares, the clearer.
fn clearest_first(a: &Found, b: &Found) -> Ordering {
    let kind = |found: &Found| match found.candidate.kind {
        TraitKind::Firmware => 0,
        TraitKind::Tag => 1,
        TraitKind::Configuration => 2,
        TraitKind::Restart => 3,
    };
    b.distance()
        .total_cmp(&a.distance())
        .then_with(|| kind(a).cmp(&kind(b)))
        .then_with(|| a.candidate.value.cmp(&b.candidate.value))
}

impl Found {
    fn distance(&self) -> f64 {
        let share = |has: &[bool]| f64::from(with(has)) / f64::from(count(has.len()).max(1));
        share(&self.failed) - share(&self.succeeded)
    }

    /// Adds a remark if restarts are known only because Wilco was connected: devices that restarted at another time
    /// without reporting it may share the trait.
    fn limited_to_known(mut self, failed: &[Option<&Device>], succeeded: &[Option<&Device>]) -> Found {
        let is_seen = |(device, has): (&Option<&Device>, &bool)| {
            *has && device.and_then(|device| device.restart).is_some_and(|restart| !restart.reported)
        };
        let mut all = failed.iter().zip(&self.failed).chain(succeeded.iter().zip(&self.succeeded));
        if self.candidate.kind == TraitKind::Restart && all.any(is_seen) {
            self.candidate.value.push_str(SEEN);
        }
        self
    }

    /// Whether every device with the first trait also has the second.
    fn implies(&self, other: &Found) -> bool {
        let implied = |mine: &[bool], its: &[bool]| mine.iter().zip(its).all(|(mine, its)| !mine || *its);
        implied(&self.failed, &other.failed) && implied(&self.succeeded, &other.succeeded)
    }

    fn shared(self) -> SharedTrait {
        SharedTrait {
            kind: self.candidate.kind,
            failed_with: with(&self.failed),
            failed: count(self.failed.len()),
            succeeded_with: with(&self.succeeded),
            succeeded: count(self.succeeded.len()),
            search: self.candidate.search.to_string(),
            value: self.candidate.value,
        }
    }
}

fn with(has: &[bool]) -> u32 {
    count(has.iter().filter(|has| **has).count())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
