//! The devices of the demo fleet: names, labels, firmware and behaviour, the same every time.

use std::time::Duration;

use wilco_ledger::DeviceId;

use crate::{
    device_settings::{Absence, DeviceSettings},
    faults::{Faults, Pace},
    random::Random,
    telemetry::Climate,
};

const SEED: u64 = 2_026;
const TELEMETRY: Duration = Duration::from_secs(30);
/// The first devices of each group have no faults, so that a first click succeeds.
const HEALTHY_FIRST: usize = 12;

struct Group {
    stem: &'static str,
    /// Its part of the fleet.
    weight: u64,
    climate: Climate,
    tags: &'static [&'static str],
}

const GROUPS: [Group; 6] = [
    group("kitchen", 22, 24.0, 55.0, &["kitchen", "food"]),
    group("cold-store", 18, 4.0, 70.0, &["cold-store", "food"]),
    group("dock", 15, 12.0, 60.0, &["dock", "outdoor"]),
    group("hvac", 20, 21.0, 40.0, &["hvac", "roof"]),
    group("greenhouse", 15, 27.0, 80.0, &["greenhouse", "outdoor"]),
    group("lobby", 10, 22.0, 42.0, &["lobby", "public"]),
];

const SITES: [&str; 4] = ["north", "east", "south", "harbour"];

/// Versions and their shares of the fleet in %. 2.3.0 is the one with the bug.
const FIRMWARE: [(&str, u64); 5] = [("2.3.1", 45), ("2.3.0", 12), ("2.2.4", 23), ("2.2.0", 13), ("2.1.0", 7)];
const BUGGY: &str = "2.3.0";

const fn group(
    stem: &'static str,
    weight: u64,
    temperature: f64,
    humidity: f64,
    tags: &'static [&'static str],
) -> Group {
    Group { stem, weight, climate: Climate { temperature, humidity }, tags }
}

/// This number of devices from all groups, mixed, the healthy ones first.
pub(super) fn cast(count: usize) -> Vec<DeviceSettings> {
    let mut random = Random::new(SEED, 0);
    let mut members = [0_usize; GROUPS.len()];
    let mut numbers = [0_u64; GROUPS.len()];
    (0..count)
        .filter_map(|position| {
            // One of each group in turn at first, then by weight.
            let chosen = if position < HEALTHY_FIRST * GROUPS.len() {
                position % GROUPS.len()
            } else {
                by_weight(GROUPS.iter().map(|group| group.weight), &mut random)
            };
            numbers[chosen] += random.within(&(1..=3));
            members[chosen] += 1;
            let id = DeviceId::new(format!("{}-{:04}", GROUPS[chosen].stem, numbers[chosen])).ok()?;
            Some(device_settings(id, &GROUPS[chosen], members[chosen] <= HEALTHY_FIRST, position as u64, &mut random))
        })
        .collect()
}

fn device_settings(id: DeviceId, group: &Group, healthy: bool, number: u64, random: &mut Random) -> DeviceSettings {
    let firmware = if healthy { FIRMWARE[0].0 } else { FIRMWARE[by_weight(FIRMWARE.map(|(_, part)| part), random)].0 };
    let site = random.pick(&SITES).copied();
    let mut device_settings = DeviceSettings {
        firmware: firmware.to_owned(),
        tags: group.tags.iter().copied().chain(site).map(str::to_owned).collect(),
        climate: group.climate,
        telemetry: Some(TELEMETRY),
        pace: Pace { accept: 20..=40, work: 80..=360, reboot: 1_500..=3_000, delay: 0..=0 },
        has_past: true,
        seed: SEED.wrapping_add(number << 16),
        accidents: SEED.wrapping_add(number << 16),
        ..DeviceSettings::new(id)
    };
    if healthy {
        return device_settings;
    }
    device_settings.led = random.happens(0.3);
    device_settings.faults =
        Faults { fail: if firmware == BUGGY { 0.08 } else { 0.002 }, duplicate: 0.005, ..Faults::default() };
    match random.within(&(0..=999)) {
        0..15 => {
            device_settings.absence =
                Some(Absence { stay: 180_000..=900_000, away: 180_000..=900_000, away_first: true });
        }
        15..40 => device_settings.pace.work = 2_000..=6_000,
        40..50 => device_settings.faults.drop = 0.3,
        _ => {}
    }
    device_settings
}

fn by_weight(weights: impl IntoIterator<Item = u64> + Clone, random: &mut Random) -> usize {
    let total: u64 = weights.clone().into_iter().sum();
    let mut left = random.within(&(0..=total.saturating_sub(1)));
    weights
        .into_iter()
        .position(|weight| {
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{BUGGY, cast};
    use crate::faults::Faults;

    #[test]
    fn the_cast_is_believable_and_always_the_same() {
        let fleet = cast(2_000);
        let ids = |fleet: &[crate::device_settings::DeviceSettings]| {
            fleet.iter().map(|one| one.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&fleet), ids(&cast(2_000)));
        assert_eq!(ids(&fleet).into_iter().collect::<HashSet<_>>().len(), 2_000);
        let count = |which: &dyn Fn(&crate::device_settings::DeviceSettings) -> bool| {
            fleet.iter().filter(|one| which(one)).count()
        };
        assert!((15..=50).contains(&count(&|one| one.absence.is_some())));
        assert!((20..=90).contains(&count(&|one| *one.pace.work.start() >= 2_000)));
        assert!((150..=350).contains(&count(&|one| one.firmware == BUGGY)));
        assert!((400..=800).contains(&count(&|one| one.led)));
    }

    #[test]
    fn the_first_that_one_sees_are_healthy() {
        let mut fleet = cast(2_000);
        for one in &fleet[..12] {
            assert!(one.absence.is_none() && one.faults == Faults::default());
        }
        fleet.sort_by(|a, b| a.id.cmp(&b.id));
        for one in &fleet[..10] {
            assert!(one.absence.is_none() && one.faults == Faults::default(), "{}", one.id);
        }
    }
}
