use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{DeviceDesired, DeviceOrder, GroupBy, JsonText, SortBy};

/// A list of devices that a person has saved under a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SavedView {
    /// Its id; empty for a new one.
    pub id: String,
    /// The connection's id.
    pub connection: String,
    /// What it is called: 100 characters at the most, and once on a connection.
    pub name: String,
    /// The search, as in [`super::DeviceQuery`].
    pub search: String,
    /// The column to sort by.
    pub sort: SortBy,
    /// Which way.
    pub order: DeviceOrder,
    /// What they are grouped by.
    pub group: Option<GroupBy>,
    /// The columns that are shown, in order; the usual ones where there are none.
    pub columns: Vec<ViewColumn>,
}

/// A saved view with how many devices match it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CountedView {
    /// The view.
    pub view: SavedView,
    /// How many devices match its search.
    pub matching: u32,
}

/// A column of the list of devices.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "column", rename_all = "snake_case")]
#[ts(export)]
pub enum ViewColumn {
    /// The name that was given here.
    Name,
    /// Whether it is there.
    Presence,
    /// The LED.
    Led,
    /// The last command.
    LastCommand,
    /// The last command's state.
    State,
    /// How long the last command took.
    Took,
    /// When last heard.
    Seen,
    /// Firmware version.
    Firmware,
    /// Tags.
    Tags,
    /// Answer time.
    Trip,
    /// Whether it has the configuration that is wanted of it.
    Desired,
    /// A value of the running configuration.
    Config {
        /// Its key.
        key: String,
    },
    /// A measurement, with how it went in the last minutes.
    Telemetry {
        /// The series.
        series: String,
    },
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
