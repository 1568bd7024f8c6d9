//! Which server certificates a connection trusts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The trusted certificates of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Trust {
    /// This computer's roots, and Amazon's.
    #[default]
    Platform,
    /// The user's CA certificates.
    Authorities,
    /// One pinned certificate.
    Pinned,
}
