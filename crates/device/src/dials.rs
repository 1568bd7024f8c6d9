//! The faults of a whole fleet: faults of its devices, delays of the network, and the share of devices that are
//! offline.

use std::ops::RangeInclusive;

use crate::{
    device_settings::{Absence, DeviceSettings},
    faults::Faults,
    random::Random,
};

/// How long a device stays online and then offline, in milliseconds.
const WINDOW: RangeInclusive<u64> = 5_000..=30_000;

/// The fault settings of a fleet. Zero everywhere changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Dials {
    /// The faults of each device.
    pub faults: Faults,
    /// The network delay of each answer, in milliseconds.
    pub delay: RangeInclusive<u64>,
    /// The share of the fleet that is offline at any time, from 0 to 1. Twice as many devices, up to all of them,
    /// alternate: each is offline half of the time.
    pub offline: f64,
    /// The same seed causes the same faults in the same fleet.
    pub seed: u64,
}

impl Default for Dials {
    fn default() -> Dials {
        Dials { faults: Faults::default(), delay: 0..=0, offline: 0.0, seed: 1 }
    }
}

impl Dials {
    /// Applies the settings to each device of a fleet. A device keeps its own faults if they are more frequent.
    #[must_use]
    pub fn turn(&self, fleet: impl IntoIterator<Item = DeviceSettings>) -> Vec<DeviceSettings> {
        let mut random = Random::new(self.seed, 0);
        let numbered = fleet.into_iter().zip(0_u64..);
        numbered.map(|(device_settings, number)| self.turn_one(device_settings, number, &mut random)).collect()
    }

    fn turn_one(&self, mut device_settings: DeviceSettings, number: u64, random: &mut Random) -> DeviceSettings {
        // Drawn for each device, whatever becomes of it, so that a fleet's other devices stay as they are.
        let absence = absence(self.offline, random);
        device_settings.accidents = self.seed.wrapping_add(number << 16);
        device_settings.faults = device_settings.faults.or_worse(&self.faults);
        if self.delay.end() > device_settings.pace.delay.end() {
            device_settings.pace.delay = self.delay.clone();
        }
        device_settings.absence = device_settings.absence.or(absence);
        device_settings
    }
}

impl Faults {
    /// The more frequent of each fault.
    fn or_worse(&self, other: &Faults) -> Faults {
        Faults {
            drop: self.drop.max(other.drop),
            duplicate: self.duplicate.max(other.duplicate),
            reorder: self.reorder.max(other.reorder),
            wrong_id: self.wrong_id.max(other.wrong_id),
            malformed: self.malformed.max(other.malformed),
            fail: self.fail.max(other.fail),
            slow: self.slow.max(other.slow),
            restart: self.restart.max(other.restart),
        }
    }
}

fn absence(offline: f64, random: &mut Random) -> Option<Absence> {
    let (comes_and_goes, away_first) = (random.happens(offline * 2.0), random.happens(0.5));
    comes_and_goes.then_some(Absence { stay: WINDOW, away: WINDOW, away_first })
}

#[cfg(test)]
mod tests {
    use wilco_ledger::DeviceId;

    use super::Dials;
    use crate::{device_settings::DeviceSettings, faults::Faults};

    fn fleet(count: usize) -> Vec<DeviceSettings> {
        (0..count).map(|n| DeviceSettings::new(DeviceId::new(format!("pump-{n}")).expect("an ID"))).collect()
    }

    #[test]
    fn dials_at_zero_change_nothing_and_others_only_make_it_worse() {
        let own = Faults { fail: 0.5, drop: 0.1, ..Faults::default() };
        let broken =
            || fleet(2).into_iter().map(|device_settings| DeviceSettings { faults: own.clone(), ..device_settings });
        for device_settings in Dials::default().turn(broken()) {
            assert_eq!(
                (device_settings.faults, device_settings.absence, device_settings.pace.delay),
                (own.clone(), None, 0..=0)
            );
        }
        let dials = Faults { fail: 0.2, drop: 0.3, restart: 0.4, ..Faults::default() };
        let dials = Dials { faults: dials, delay: 20..=400, ..Dials::default() };
        for device_settings in dials.turn(broken()) {
            assert_eq!(device_settings.faults, Faults { fail: 0.5, drop: 0.3, restart: 0.4, ..Faults::default() });
            assert_eq!(device_settings.pace.delay, 20..=400);
        }
    }

    #[test]
    fn a_share_of_the_fleet_comes_and_goes_the_same_devices_with_the_same_seed() {
        let away = |offline, seed| {
            let dials = Dials { offline, seed, ..Dials::default() };
            dials.turn(fleet(1_000)).into_iter().map(|device_settings| device_settings.absence).collect::<Vec<_>>()
        };
        let comes_and_goes = away(0.2, 1).iter().flatten().count();
        assert!((320..480).contains(&comes_and_goes), "twice the share, each away half of the time: {comes_and_goes}");
        assert_eq!(away(0.2, 1), away(0.2, 1));
        assert_ne!(away(0.2, 1), away(0.2, 2));
        assert_eq!(away(1.0, 1).iter().flatten().count(), 1_000);
    }
}
