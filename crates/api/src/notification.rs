use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A notification for a user whose window is in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationContent {
    /// The title, one line.
    pub title: String,
    /// The body.
    pub body: String,
    /// The place to open on a click.
    pub subject: NotificationSubject,
}

/// The commands or the rollout that a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NotificationSubject {
    /// The connection ID: the first one's, if there are several.
    pub connection: String,
    /// The single command, by device and ID; `None` if there are several.
    pub command: Option<(String, String)>,
    /// The rollout's id, where it is about one.
    pub rollout: Option<String>,
    /// Some of them failed.
    pub bad: bool,
}
