//! Log lines from before a virtual device started. They are generated on request, so they cost nothing until then.

use tracing::Level;
use wilco_ledger::Timestamp;

use super::line;
use crate::random::Random;

const LINES: u64 = 90;
/// The longest pause between two lines, in milliseconds.
const LONGEST_PAUSE: u64 = 600_000;

/// Some kilobytes of lines up to a time, oldest first; the same seed gives the same lines.
pub(super) fn invented(seed: u64, until: Timestamp) -> String {
    let mut random = Random::new(seed, 4);
    let pauses: Vec<u64> = (0..LINES).map(|_| random.within(&(1_000..=LONGEST_PAUSE))).collect();
    let mut before: u64 = pauses.iter().sum();
    let mut text = String::new();
    for pause in pauses {
        let (level, what) = event(&mut random);
        text += &line(Timestamp(until.0.saturating_sub_unsigned(before)), level, &what);
        before -= pause;
    }
    text
}

fn event(random: &mut Random) -> (Level, String) {
    let mut number = |from: u64, to: u64| random.within(&(from..=to));
    match number(0, 19) {
        0..=5 => (Level::INFO, format!("heap: {} bytes free, largest block {}", number(70_000, 96_000), 49_152)),
        6..=10 => (Level::INFO, format!("wifi: signal -{} dBm, channel {}", number(52, 78), number(1, 11))),
        11..=14 => (Level::INFO, format!("ntp: clock corrected by {} ms", number(0, 40))),
        15..=16 => (Level::INFO, format!("mqtt: PINGRESP after {} ms", number(18, 240))),
        17 => (Level::INFO, format!("flash: {} of 64 blocks in use, most worn {} %", number(31, 44), number(2, 9))),
        18 => (Level::WARN, format!("sensor: reading {} times because the checksum was wrong", number(2, 4))),
        _ => (Level::WARN, format!("wifi: {} beacons missed, still connected", number(3, 9))),
    }
}
