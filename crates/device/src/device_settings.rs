//! The identity of a virtual device: its name, labels and behaviour.

use std::{ops::RangeInclusive, time::Duration};

use wilco_ledger::DeviceId;

use crate::{
    faults::{Faults, Pace},
    payload_format::PayloadFormat,
    telemetry::Climate,
};

/// Everything that distinguishes one device from another.
#[derive(Debug, Clone)]
pub struct DeviceSettings {
    /// Its ID, which is also its MQTT client ID.
    pub id: DeviceId,
    /// Its firmware version.
    pub firmware: String,
    /// Its payload format.
    pub payload_format: PayloadFormat,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it also subscribes to commands for all devices and for its tags.
    pub broadcasts: bool,
    /// Whether its LED is initially on.
    pub led: bool,
    /// The climate that it measures.
    pub climate: Climate,
    /// Its telemetry interval; `None` for never.
    pub telemetry: Option<Duration>,
    /// Its durations.
    pub pace: Pace,
    /// Its faults.
    pub faults: Faults,
    /// Whether it goes offline at times.
    pub absence: Option<Absence>,
    /// Its log starts with invented earlier lines, unless it is a file.
    pub has_past: bool,
    /// It answers every command with success, even unknown ones.
    pub accepts_any: bool,
    /// The seed of its measurements and earlier log lines.
    pub seed: u64,
    /// The seed of its faults and durations: the same commands in the same order get the same faults.
    pub accidents: u64,
}

/// A device that alternates between online and offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// How long it stays online, in milliseconds.
    pub stay: RangeInclusive<u64>,
    /// How long it stays offline, in milliseconds.
    pub away: RangeInclusive<u64>,
    /// It starts offline, but connects briefly first, so that it is known.
    pub away_first: bool,
}

impl DeviceSettings {
    /// A healthy device with this program's version as its firmware version.
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
