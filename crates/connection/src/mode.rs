//! The modes of a connection, and the confirmation that a command needs.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The mode of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ConnectionMode {
    /// No restrictions.
    #[default]
    Normal,
    /// Wilco subscribes, and publishes nothing.
    ReadOnly,
    /// The user confirms everything that is sent.
    Protected,
}

/// The confirmation that a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Confirmation {
    /// None.
    None,
    /// Yes.
    Ask,
    /// Typing the connection's name.
    TypeName,
}

/// The confirmation that was given. A typed name also counts as yes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Confirmed {
    /// Not confirmed.
    #[default]
    No,
    /// Confirmed with yes.
    Yes,
    /// This name was typed as the connection's name.
    Name(String),
}
