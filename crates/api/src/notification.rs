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

/// The commands or the rollout that news are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NotificationSubject {
    /// The connection's id: the first one's, where they are of several.
    pub connection: String,
    /// The one command, by its device and id; none where they are many.
    pub command: Option<(String, String)>,
    /// The rollout's id, where it is about one.
    pub rollout: Option<String>,
    /// Some of them failed.
    pub bad: bool,
}
