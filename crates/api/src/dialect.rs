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
    /// The purpose, in a sentence.
    pub about: String,
    /// It is one of Wilco's own, of which only one can be enabled.
    pub own: bool,
    /// It finds devices by what they announce.
    pub finds_devices: bool,
    /// A broker may end the connection over its topics, so it is not enabled by the way.
    pub on_request: bool,
    /// What a connection can change of it.
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
    /// Its value where a connection has no other one. Empty: none.
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
    /// How many devices have announced themselves, at least 1.
    pub devices: u32,
    /// The names of the first of them, 5 at most.
    pub examples: Vec<String>,
}
