//! A gate: a measurement that must stay within its limits on the finished devices before the next stage starts.
//!
//! The state machine decides what follows from a reading; this module only selects the devices and evaluates their
//! measurements.

use std::collections::HashMap;

use wilco_ledger::{DeviceId, Millis, Timestamp, rollout::GateReading};

use super::Found;
use crate::api::{Failure, Gate, invalid};

/// The longest time that a gate watches: 30 days.
const LONGEST: u64 = 30 * 86_400_000;
/// A device that has been silent for less than this still counts as measuring.
const SILENT_AFTER: Millis = Millis::seconds(60);
/// The longest name of a series, bytes.
const NAME: usize = 200;

/// The devices that a gate watches, from the end of a stage on.
#[derive(Debug)]
pub(crate) struct Watch {
    /// When it began. What was measured before says nothing about a device after its command.
    since: Timestamp,
    devices: HashMap<DeviceId, Watched>,
    /// When all of them were last looked at.
    looked_at: Option<Timestamp>,
    /// Those that have not measured it, as of then.
    unmeasured: Found,
}

#[derive(Debug)]
struct Watched {
    /// When it last measured; `None` as long as it has not since the watch began.
    at: Option<Timestamp>,
    /// The reading is unknown after this time without a measurement.
    silent_after: Millis,
}

impl Watch {
    /// Watches these devices, each with the time between two of its measurements, where that is known.
    pub(crate) fn new(devices: impl Iterator<Item = (DeviceId, Option<Millis>)>, since: Timestamp) -> Watch {
        let watched = |interval: Option<Millis>| {
            let usual = interval.map_or(Millis(0), |interval| Millis(interval.0.saturating_mul(2)));
            Watched { at: None, silent_after: usual.max(SILENT_AFTER) }
        };
        let devices = devices.map(|(device, interval)| (device, watched(interval))).collect();
        Watch { since, devices, looked_at: None, unmeasured: Found::default() }
    }

    /// A device has measured the series; `at`: when, by its own time where that is plausible, and not in the future. Says
    /// what is wrong where it is outside the limits. What was measured before the watch began counts for nothing, however
    /// late it arrives.
    pub(crate) fn measured(
        &mut self,
        device: &DeviceId,
        value: f64,
        gate: &Gate,
        at: Timestamp,
    ) -> Option<GateReading> {
        let watched = self.devices.get_mut(device).filter(|_| at >= self.since)?;
        if watched.at.is_none() {
            // The last one that was waited for may have come.
            self.looked_at = None;
        }
        // They may arrive in another order.
        watched.at = watched.at.max(Some(at));
        (!is_within(value, gate)).then(|| {
            let (device, series) = (device.as_str(), &gate.series);
            let why = format!("{device} measured {value} for {series}, which is not {}.", limits_text(gate));
            GateReading::Outside(why.into())
        })
    }

    /// The combined state.
    pub(crate) fn look(&mut self, now: Timestamp) -> GateReading {
        self.looked_at = Some(now);
        let is_unmeasured = |watched: &Watched| watched.at.is_none_or(|at| now.since(at) > watched.silent_after);
        let mut unmeasured: Vec<_> =
            self.devices.iter().filter(|(_, watched)| is_unmeasured(watched)).map(|(device, _)| device).collect();
        unmeasured.sort_unstable();
        self.unmeasured = Found::default();
        unmeasured.into_iter().for_each(|device| self.unmeasured.add(device));
        // Without devices the gate cannot pass.
        let is_known = self.unmeasured.count == 0 && !self.devices.is_empty();
        if is_known { GateReading::Within } else { GateReading::Unknown }
    }

    /// When they are to be looked at again.
    pub(crate) fn due_at(&self, now: Timestamp) -> Timestamp {
        self.looked_at.map_or(now, |at| at + Millis::seconds(1))
    }

    /// Those that have not measured it, as of the last look.
    pub(crate) fn unmeasured(&self) -> &Found {
        &self.unmeasured
    }
}

/// `between 2 and 8`, `at least 2`, `at most 8`.
pub(crate) fn limits_text(gate: &Gate) -> String {
    match (gate.min, gate.max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "anything".to_owned(),
    }
}

fn is_within(value: f64, gate: &Gate) -> bool {
    gate.min.is_none_or(|min| value >= min) && gate.max.is_none_or(|max| value <= max)
}

/// Why such a gate is not possible.
pub(super) fn refuse(gate: &Gate) -> Option<Failure> {
    if gate.series.trim().is_empty() || gate.series.len() > NAME {
        return Some(invalid("The gate has no measurement.".into(), "Enter one, for example temperature."));
    }
    if gate.series.trim() != gate.series {
        return Some(invalid(
            format!("The name of the gate's measurement, “{}”, begins or ends with a space.", gate.series),
            "Remove the space.",
        ));
    }
    let is_number = |limit: Option<f64>| limit.is_none_or(f64::is_finite);
    if gate.min.is_none() && gate.max.is_none() || !is_number(gate.min) || !is_number(gate.max) {
        return Some(invalid(
            "The gate has no limit.".into(),
            "Enter the smallest value allowed, the largest, or both.",
        ));
    }
    if gate.min.zip(gate.max).is_some_and(|(min, max)| min > max) {
        return Some(invalid(
            "The gate's upper limit is below its lower one.".into(),
            "Put the lower value first: 2..8.",
        ));
    }
    (gate.for_ms == 0 || gate.for_ms > LONGEST)
        .then(|| invalid("The gate's duration is not allowed.".into(), "Enter a value from 1 ms to 30 days."))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::{DeviceId, Millis, Timestamp, rollout::GateReading};

    use super::{Watch, refuse};
    use crate::api::Gate;

    const START: Timestamp = Timestamp(1_000_000);

    fn gate(min: Option<f64>, max: Option<f64>) -> Gate {
        Gate { series: "temperature".into(), min, max, for_ms: 5_000 }
    }

    fn device(name: &str) -> DeviceId {
        DeviceId::new(name).unwrap()
    }

    #[test]
    fn it_is_within_once_every_device_has_measured_it_of_late() {
        let gate = gate(Some(2.0), Some(8.0));
        let interval = Some(Millis::seconds(300));
        let devices = [(device("a"), None), (device("b"), interval)];
        let mut watch = Watch::new(devices.into_iter(), START);
        assert_eq!(watch.look(START), GateReading::Unknown);
        assert_eq!((watch.unmeasured().count, watch.unmeasured().examples.clone()), (2, vec!["a".into(), "b".into()]));
        assert_eq!(watch.measured(&device("a"), 2.0, &gate, START), None);
        assert_eq!(watch.measured(&device("b"), 8.0, &gate, START), None);
        assert_eq!(watch.measured(&device("elsewhere"), 99.0, &gate, START), None, "it is not watched");
        assert_eq!(watch.due_at(START), START, "the last one has come");
        assert_eq!(watch.look(START), GateReading::Within);
        assert_eq!(watch.due_at(START), START + Millis::seconds(1));
        // One that measures every five minutes is not silent after one.
        assert_eq!(watch.look(START + Millis::seconds(60)), GateReading::Within);
        assert_eq!(watch.look(START + Millis(60_001)), GateReading::Unknown);
        assert_eq!(watch.unmeasured().examples, ["a"]);
        let outside = watch.measured(&device("b"), 8.5, &gate, START);
        let why = "b measured 8.5 for temperature, which is not between 2 and 8.";
        assert_eq!(outside, Some(GateReading::Outside(why.into())));
    }

    #[test]
    fn a_device_that_fell_silent_is_not_within_however_long_the_gate_watches() {
        let gate = Gate { for_ms: 600_000, ..gate(Some(2.0), Some(8.0)) };
        let mut watch = Watch::new([(device("a"), None)].into_iter(), START);
        assert_eq!(watch.measured(&device("a"), 5.0, &gate, START), None);
        assert_eq!(watch.look(START + Millis::seconds(60)), GateReading::Within);
        assert_eq!(watch.look(START + Millis::seconds(61)), GateReading::Unknown);
    }

    #[test]
    fn measurements_from_before_the_watch_neither_open_nor_halt_it_however_late_they_arrive() {
        let gate = gate(Some(2.0), Some(8.0));
        let mut watch = Watch::new([(device("a"), None)].into_iter(), START);
        let before = Timestamp(START.0 - 1);
        assert_eq!(watch.measured(&device("a"), 5.0, &gate, before), None);
        assert_eq!(watch.measured(&device("a"), 99.0, &gate, before), None);
        assert_eq!(watch.look(START + Millis::seconds(1)), GateReading::Unknown);
        // Since then, and in another order: the newest one counts for the silence.
        assert_eq!(watch.measured(&device("a"), 5.0, &gate, START + Millis::seconds(30)), None);
        assert!(watch.measured(&device("a"), 99.0, &gate, START + Millis::seconds(10)).is_some());
        assert_eq!(watch.look(START + Millis::seconds(90)), GateReading::Within);
        assert_eq!(watch.look(START + Millis::seconds(91)), GateReading::Unknown);
    }

    #[test]
    fn a_gate_without_devices_never_opens() {
        assert_eq!(Watch::new(std::iter::empty(), START).look(START), GateReading::Unknown);
    }

    #[test]
    fn gates_that_are_none_are_refused() {
        let check = |gate: Gate, possible: bool| assert_eq!(refuse(&gate).is_none(), possible, "{gate:?}");
        check(gate(Some(2.0), None), true);
        check(gate(Some(2.0), Some(2.0)), true);
        check(gate(None, None), false);
        check(gate(Some(2.0), Some(1.0)), false);
        check(gate(Some(f64::NAN), None), false);
        check(Gate { for_ms: 0, ..gate(Some(2.0), None) }, false);
        check(Gate { series: " ".into(), ..gate(Some(2.0), None) }, false);
        check(Gate { series: "cold room".into(), ..gate(Some(2.0), None) }, true);
        check(Gate { series: "temperature ".into(), ..gate(Some(2.0), None) }, false);
    }
}
