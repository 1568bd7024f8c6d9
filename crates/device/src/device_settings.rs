//! The identity of a virtual device: its name, labels and behaviour.

use std::{ops::RangeInclusive, time::Duration};

use wilco_ledger::DeviceId;

use crate::{
    faults::{Faults, Pace},
    payload_format::PayloadFormat,
    telemetry::Climate,
};

/// Everything that sets one device apart from another.
#[derive(Debug, Clone)]
pub struct DeviceSettings {
    /// Its id, which is its MQTT client id too.
    pub id: DeviceId,
    /// Its firmware's version.
    pub firmware: String,
    /// Its payloads.
    pub payload_format: PayloadFormat,
    /// Labels it carries.
    pub tags: Vec<String>,
    /// It listens to commands for all devices and for those with one of its labels, too.
    pub broadcasts: bool,
    /// Whether its LED is on when it is first switched on.
    pub led: bool,
    /// The climate that it measures.
    pub climate: Climate,
    /// How often it measures; `None` for never.
    pub telemetry: Option<Duration>,
    /// How long it takes.
    pub pace: Pace,
    /// Its faults.
    pub faults: Faults,
    /// Whether it goes away at times.
    pub absence: Option<Absence>,
    /// Its log begins with an invented past, unless it is a file.
    pub has_past: bool,
    /// It answers every command with success, also unknown ones.
    pub accepts_any: bool,
    /// The seed of its measurements and its past.
    pub seed: u64,
    /// The seed of its accidents and of how long it takes: the same commands in the same order meet the same faults.
    pub accidents: u64,
}

/// A device that comes and goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// How long it stays, in milliseconds.
    pub stay: RangeInclusive<u64>,
    /// How long it is away, in milliseconds.
    pub away: RangeInclusive<u64>,
    /// It is away at first. It still shows itself for a moment, so that it is known.
    pub away_first: bool,
}

impl DeviceSettings {
    /// A healthy device with this program's own version as its firmware.
    #[must_use]
    pub fn new(id: DeviceId) -> DeviceSettings {
        DeviceSettings {
            id,
            firmware: env!("CARGO_PKG_VERSION").to_owned(),
            payload_format: PayloadFormat::Json,
            tags: Vec::new(),
            broadcasts: true,
            led: false,
            climate: Climate::default(),
            telemetry: Some(Duration::from_secs(5)),
            pace: Pace::default(),
            faults: Faults::default(),
            absence: None,
            has_past: false,
            accepts_any: false,
            seed: 0,
            accidents: 0,
        }
    }
}
