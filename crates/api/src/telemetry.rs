use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which measurements of a device to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TelemetryQuery {
    /// The connection ID.
    pub connection: String,
    /// The device ID.
    pub device: String,
    /// Start, Unix milliseconds; the first stored measurement if `None`.
    #[ts(type = "number | null")]
    pub from: Option<i64>,
    /// End, Unix milliseconds; now if `None`.
    #[ts(type = "number | null")]
    pub to: Option<i64>,
    /// The maximum number of points per series: 1 … 2,000. If there are more measurements, adjacent ones are merged
    /// into one point.
    pub points: u32,
}

/// The measurements of a device, for a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TelemetryView {
    /// The start of the time range, Unix milliseconds.
    #[ts(type = "number")]
    pub from: i64,
    /// Its end.
    #[ts(type = "number")]
    pub to: i64,
    /// The time of each point, Unix milliseconds, in order.
    #[ts(type = "Array<number>")]
    pub times: Vec<i64>,
    /// One series for each numeric member, in the order of their first arrival.
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
    /// Its announced unit, if any.
    pub unit: Option<String>,
    /// The last value.
    pub latest: Option<f64>,
    /// When it was measured, Unix milliseconds.
    #[ts(type = "number | null")]
    pub latest_at: Option<i64>,
    /// The number of measurements in the time range.
    pub count: u32,
    /// The smallest of them.
    pub min: Option<f64>,
    /// The largest of them.
    pub max: Option<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// The smallest at each point; `None` without measurements.
    pub lows: Vec<Option<f64>>,
    /// The largest at each point.
    pub highs: Vec<Option<f64>>,
    /// The mean at each point.
    pub means: Vec<Option<f64>>,
}
