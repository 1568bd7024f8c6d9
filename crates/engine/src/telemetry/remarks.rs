//! Remarks about irregular telemetry of a device, as sentences.

use wilco_dialect::TelemetryRest;
use wilco_ledger::Timestamp;

use super::{MOST_SERIES, is_plausible, sent_at};

/// Remarks about the last message.
#[derive(Debug, Default)]
pub(super) struct TelemetryRemarks {
    rest: TelemetryRest,
    /// How far the device's clock is ahead, if it is ignored; milliseconds.
    clock_off: Option<i64>,
    unreadable: Option<String>,
    /// Series of which nothing is kept: others had their places before.
    unkept: usize,
}

impl TelemetryRemarks {
    /// The time of a message: the device's own, if it is plausible.
    pub(super) fn time(&mut self, said: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let ignored = said.filter(|said| !is_plausible(*said, now));
        self.clock_off = ignored.map(|said| said.0.saturating_sub(now.0));
        sent_at(said, now)
    }

    /// Notes what else was in a message that could be read.
    pub(super) fn note(&mut self, rest: TelemetryRest) {
        self.rest = rest;
        self.unreadable = None;
    }

    pub(super) fn unreadable(&mut self, why: &str) {
        self.unreadable = Some(why.to_owned());
    }

    pub(super) fn unkept(&mut self, series: usize) {
        self.unkept = series;
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        let TelemetryRest { quoted, empty, left_out } = &self.rest;
        let mut sentences: Vec<String> = self.unreadable.iter().cloned().collect();
        if let Some(off) = self.clock_off {
            let direction = if off > 0 { "ahead" } else { "behind" };
            sentences.push(format!(
                "The device's clock is {} {direction}, so Wilco shows arrival times. Set the device's clock.",
                span(off.unsigned_abs())
            ));
        }
        if *left_out > 0 {
            sentences.push(format!(
                "The device sends more than {MOST_SERIES} series; {left_out} in its last message were ignored."
            ));
        }
        if self.unkept > 0 {
            sentences.push(format!(
                "The device has used more than {MOST_SERIES} series names, so {} of the newer ones {} shown but not \
                 saved.",
                self.unkept,
                if self.unkept == 1 { "is" } else { "are" }
            ));
        }
        if !quoted.is_empty() {
            sentences.push(format!(
                "{} {} text, not a number. Send numbers without quotes.",
                named(quoted),
                if quoted.len() == 1 { "is" } else { "are" }
            ));
        }
        if !empty.is_empty() {
            sentences.push(format!(
                "{} had no value in the last message: null, NaN and Infinity are not numbers.",
                named(empty)
            ));
        }
        sentences
    }
}

fn named(names: &[String]) -> String {
    names.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", ")
}

/// A length of time in its largest unit.
fn span(milliseconds: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(31_557_600_000, "year"), (86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")];
    let (number, unit) = UNITS
        .into_iter()
        .map(|(length, unit)| (milliseconds / length, unit))
        .find(|(number, _)| *number > 0)
        .unwrap_or((0, "minute"));
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
