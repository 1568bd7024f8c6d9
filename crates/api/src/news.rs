use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something to tell a person who looks elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What it is about, in a line.
    pub title: String,
    /// What else there is to say.
    pub body: String,
    /// What to show on a click.
    pub subject: NewsSubject,
}

/// The commands that news are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NewsSubject {
    /// The connection's id: the first one's, where they are of several.
    pub connection: String,
    /// The one command, by its device and id; none where they are many.
    pub command: Option<(String, String)>,
    /// Some of them failed.
    pub bad: bool,
}
