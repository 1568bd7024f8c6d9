//! Plausible invented measurements: each value wanders around a mean, so that charts of minutes and of days look real.

use wilco_dialect::device_side;
use wilco_ledger::Timestamp;

use crate::random::Random;

/// The climate of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Climate {
    /// Mean temperature in °C.
    pub temperature: f64,
    /// Mean relative humidity in %.
    pub humidity: f64,
}

impl Default for Climate {
    fn default() -> Climate {
        Climate { temperature: 21.0, humidity: 45.0 }
    }
}

/// The sensors of one device: temperature, humidity, free heap and signal strength.
#[derive(Debug, Clone)]
pub struct Sensors {
    random: Random,
    measured: Option<Timestamp>,
    temperature: Walk,
    humidity: Walk,
    heap: Walk,
    signal: Walk,
}

/// A random walk that returns to its mean (Ornstein and Uhlenbeck 1930). Its appearance does not depend on how often it
/// is measured.
#[derive(Debug, Clone)]
struct Walk {
    value: f64,
    mean: f64,
    /// Its usual distance from the mean.
    spread: f64,
    /// The time constant, in seconds.
    memory: f64,
}

/// After a pause longer than this, in seconds, the previous value of a walk no longer matters.
const FORGOTTEN: f64 = 1e6;

impl Sensors {
    /// Sensors in a climate. The same seed gives the same measurements at the same times.
    #[must_use]
    pub fn new(climate: Climate, seed: u64) -> Sensors {
        let mut random = Random::new(seed, 3);
        // How far it is to the access point sets one device apart from another.
        let reception = -58.0 - 20.0 * random.unit();
        let mut walk =
            |mean: f64, spread: f64, memory: f64| Walk { value: mean + spread * random.normal(), mean, spread, memory };
        Sensors {
            temperature: walk(climate.temperature, 0.8, 1_800.0),
            humidity: walk(climate.humidity, 3.0, 2_700.0),
            heap: walk(84_000.0, 6_000.0, 120.0),
            signal: walk(reception, 3.0, 60.0),
            random,
            measured: None,
        }
    }

    /// Measures, and writes the payload of one telemetry message.
    #[must_use]
    pub fn payload(&mut self, now: Timestamp) -> Vec<u8> {
        let passed = self.measured.map_or(0, |before| now.since(before).0);
        self.measured = Some(now);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds do not matter in such pauses")]
        let seconds = (passed as f64 / 1_000.0).min(FORGOTTEN);
        let random = &mut self.random;
        let mut measure = |walk: &mut Walk, steps: f64, lowest: f64, highest: f64| {
            let value = walk.after(seconds, random.normal()).clamp(lowest, highest);
            (value * steps).round() / steps
        };
        let series = [
            ("temperature", measure(&mut self.temperature, 100.0, -60.0, 120.0)),
            ("humidity", measure(&mut self.humidity, 10.0, 0.0, 100.0)),
            ("heap", measure(&mut self.heap, 1.0, 8_000.0, 160_000.0)),
            ("signal", measure(&mut self.signal, 1.0, -100.0, -20.0)),
        ];
        device_side::write_telemetry(now, &series)
    }
}

impl Walk {
    /// The value after this number of seconds. `kick` is normally distributed.
    fn after(&mut self, seconds: f64, kick: f64) -> f64 {
        let kept = (-seconds / self.memory).exp();
        self.value = self.mean + (self.value - self.mean) * kept + self.spread * (1.0 - kept * kept).sqrt() * kick;
        self.value
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use wilco_ledger::Timestamp;

    use super::{Climate, Sensors};

    const NOW: i64 = 1_795_438_800_000;
    const SERIES: [&str; 4] = ["temperature", "humidity", "heap", "signal"];

    /// This number of measurements at this interval.
    fn measurements(seed: u64, count: i64, apart: i64) -> Vec<[f64; 4]> {
        let mut sensors = Sensors::new(Climate::default(), seed);
        let measure = |number| {
            let payload = sensors.payload(Timestamp(NOW + number * apart));
            let read: Value = serde_json::from_slice(&payload).expect("JSON");
            SERIES.map(|name| read[name].as_f64().expect(name))
        };
        (0..count).map(measure).collect()
    }

    #[test]
    fn the_same_seed_measures_the_same() {
        assert_eq!(measurements(1, 50, 1_000), measurements(1, 50, 1_000));
        assert_ne!(measurements(1, 50, 1_000), measurements(2, 50, 1_000));
    }

    #[test]
    fn measurements_wander_and_stay_believable() {
        // At 100 ms nothing jumps; over days it moves, and stays near its mean.
        let check = |apart: i64, series: usize, furthest: f64, mean: f64, spread: f64| {
            let values: Vec<f64> = measurements(7, 2_000, apart).iter().map(|all| all[series]).collect();
            let jump = values.windows(2).map(|pair| (pair[0] - pair[1]).abs()).fold(0.0, f64::max);
            assert!(jump > 0.0 && jump <= furthest, "{} jumps by {jump}", SERIES[series]);
            for value in values {
                assert!((value - mean).abs() < 6.0 * spread, "{} is {value}", SERIES[series]);
            }
        };
        check(100, 0, 0.1, 21.0, 0.8);
        check(100, 1, 0.3, 45.0, 3.0);
        check(100, 2, 1_500.0, 84_000.0, 6_000.0);
        check(100, 3, 2.0, -68.0, 8.0);
        for (series, mean, spread) in [(0, 21.0, 0.8), (1, 45.0, 3.0), (2, 84_000.0, 6_000.0), (3, -68.0, 8.0)] {
            check(3_600_000, series, f64::INFINITY, mean, spread);
        }
    }

    #[test]
    fn a_clock_that_jumps_does_not_break_a_sensor() {
        let mut sensors = Sensors::new(Climate::default(), 1);
        for now in [NOW, 0, i64::MAX, i64::MIN, NOW] {
            let read: Value = serde_json::from_slice(&sensors.payload(Timestamp(now))).expect("JSON");
            assert!(SERIES.iter().all(|name| read[name].is_number()), "{read}");
        }
    }
}
