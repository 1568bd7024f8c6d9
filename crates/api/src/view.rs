use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{DeviceDesired, JsonText, SavedView};

/// A saved view with how many devices match it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CountedView {
    /// The view.
    pub view: SavedView,
    /// How many devices match its search.
    pub matching: u32,
}

/// Values of devices for columns of the configuration, wanted and running, and of measurements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceCells {
    /// The device.
    pub device: String,
    /// A value for each column, in order: JSON text of the configuration; nothing for a measurement.
    pub config: Vec<Option<JsonText>>,
    /// What was measured in the last ten minutes, for each column: 30 values at the most, the last one at the end; none
    /// for a column of the configuration.
    pub measured: Vec<Vec<f64>>,
    /// How it stands to the configuration that is wanted of it, where that is a column and anything is wanted.
    #[serde(default)]
    pub desired: Option<DeviceDesired>,
}
