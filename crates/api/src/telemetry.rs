use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which measurements of a device to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TelemetryQuery {
    /// The connection's id.
    pub connection: String,
    /// The device's id.
    pub device: String,
    /// From when, Unix milliseconds; from the first that is kept where there is none.
    #[ts(type = "number | null")]
    pub from: Option<i64>,
    /// Until when, Unix milliseconds; until now where there is none.
    #[ts(type = "number | null")]
    pub to: Option<i64>,
    /// How many points a series may have: 1 … 2,000. Where there are more measurements, neighbours become one point.
    pub points: u32,
}

/// The measurements of a device, as they are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TelemetryView {
    /// The time that is shown, Unix milliseconds.
    #[ts(type = "number")]
    pub from: i64,
    /// Its end.
    #[ts(type = "number")]
    pub to: i64,
    /// The time of each point, Unix milliseconds, in order.
    #[ts(type = "Array<number>")]
    pub times: Vec<i64>,
    /// One for each numeric member, in the order in which they first came.
    pub series: Vec<SeriesView>,
    /// Remarks about irregular telemetry, a sentence each.
    pub remarks: Vec<String>,
}

/// One numeric member of a device's telemetry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SeriesView {
    /// The member's name.
    pub name: String,
    /// Its unit, as the device's announcement has it; nothing where it has none.
    pub unit: Option<String>,
    /// The last value.
    pub latest: Option<f64>,
    /// When it was measured, Unix milliseconds.
    #[ts(type = "number | null")]
    pub latest_at: Option<i64>,
    /// How many measurements are in the time that is shown.
    pub count: u32,
    /// The smallest of them.
    pub min: Option<f64>,
    /// The largest of them.
    pub max: Option<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// The smallest at each point; nothing where none was measured.
    pub lows: Vec<Option<f64>>,
    /// The largest at each point.
    pub highs: Vec<Option<f64>>,
    /// The mean at each point.
    pub means: Vec<Option<f64>>,
}
