use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A dialect that can be enabled on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectView {
    /// Its name, by which it is enabled.
    pub name: String,
    /// Its display name.
    pub title: String,
    /// The purpose, as a sentence.
    pub about: String,
    /// One of Wilco's own dialects, of which only one can be enabled.
    pub own: bool,
    /// It finds devices by their announcements.
    pub finds_devices: bool,
    /// A broker may close the connection because of its topics, so it must be enabled explicitly.
    pub on_request: bool,
    /// Its settings.
    pub settings: Vec<DialectSetting>,
}

/// A setting of a dialect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DialectSetting {
    /// Its name in the dialect file.
    pub name: String,
    /// Its display name.
    pub title: String,
    /// Its default value. Empty: none.
    pub default: String,
    /// The words that it can have, the usual one first. Empty: any text.
    pub choices: Vec<String>,
}

/// Devices of a dialect that is not enabled on their connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FoundDialect {
    /// The dialect's name.
    pub name: String,
    /// Its display name.
    pub title: String,
    /// The number of devices that have announced themselves, at least 1.
    pub devices: u32,
    /// The names of the first of them, at most 5.
    pub examples: Vec<String>,
}
