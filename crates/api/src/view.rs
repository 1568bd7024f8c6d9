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
    /// The measurements of the last ten minutes, for each column: at most 30 values, the latest at the end; none for a
    /// column of the configuration.
    pub measured: Vec<Vec<f64>>,
    /// The comparison with its desired configuration, if that is a column and it has one.
    #[serde(default)]
    pub desired: Option<DeviceDesired>,
}
