//! The delivery of a command while its device is offline.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The delivery of a command while its device is offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Delivery {
    /// Send now, or fail.
    Now,
    /// Let the broker hold it.
    BrokerHolds,
    /// Let Wilco hold it until the device is online.
    HoldHere,
}
