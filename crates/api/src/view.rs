use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{DeviceDesired, JsonText, SavedView};

/// A saved view with the number of devices that currently match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CountedView {
    /// The view.
    pub view: SavedView,
    /// The number of devices that match its search.
    pub matching: u32,
}

/// Values of devices for columns of the running and wanted configuration, and of measurements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceCells {
    /// The device.
    pub device: String,
    /// A value for each column, in order: JSON text of the configuration; `None` for a measurement.
    pub config: Vec<Option<JsonText>>,
    /// The measurements of the last ten minutes for each column: at most 30 values, the latest last; empty for a column
    /// of the configuration.
    pub measured: Vec<Vec<f64>>,
    /// The comparison with its desired configuration, if there is such a column and it has one.
    #[serde(default)]
    pub desired: Option<DeviceDesired>,
}
