//! What may be sent over a connection, and what a person has to confirm before.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What may be sent over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ConnectionMode {
    /// Everything.
    #[default]
    Normal,
    /// Nothing: Wilco subscribes and publishes no message at all.
    ReadOnly,
    /// Everything, once a person has confirmed it.
    Protected,
}

/// What a person has to do before something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Confirmation {
    /// Nothing.
    None,
    /// Say yes.
    Ask,
    /// Type the connection's name.
    TypeName,
}

/// What a person has confirmed before something is sent. A typed name is also a yes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Confirmed {
    /// Nobody was asked.
    #[default]
    No,
    /// Somebody has said yes.
    Yes,
    /// Somebody has typed this as the connection's name.
    Name(String),
}
