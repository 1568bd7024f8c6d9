//! Made-up measurements that look measured: slow waves, each device with its own phase, and a little noise.

use std::f64::consts::TAU;

use wilco_dialect::device_side;
use wilco_ledger::Timestamp;

use crate::random::Random;

/// The climate a device stands in.
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

impl Climate {
    /// The payload of one telemetry message. `phase` (0 … 1) sets one device apart from another.
    #[must_use]
    pub fn payload(&self, phase: f64, now: Timestamp, random: &mut Random) -> Vec<u8> {
        // Milliseconds of Unix time are exact in a double for the next 280,000 years.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let seconds = now.0 as f64 / 1_000.0;
        let mut wave = |period_s: f64, height: f64, noise: f64| {
            (TAU * (seconds / period_s + phase)).sin() * height + (random.unit() - 0.5) * noise
        };
        let temperature = self.temperature + wave(1_800.0, 1.2, 0.2);
        let humidity = (self.humidity + wave(2_700.0, 4.0, 0.8)).clamp(0.0, 100.0);
        let heap = 84_000.0 + wave(240.0, 9_000.0, 1_500.0);
        let signal = -58.0 - 20.0 * phase + wave(600.0, 4.0, 3.0);
        let rounded = |number: f64, steps: f64| (number * steps).round() / steps;
        device_side::write_telemetry(
            now,
            &[
                ("temperature", rounded(temperature, 100.0)),
                ("humidity", rounded(humidity, 10.0)),
                ("heap", rounded(heap, 1.0)),
                ("signal", rounded(signal, 1.0)),
            ],
        )
    }
}
