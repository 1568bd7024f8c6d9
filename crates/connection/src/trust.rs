//! Why a server's certificate is believed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whose word is taken for the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Trust {
    /// This computer's roots, and Amazon's.
    #[default]
    Platform,
    /// The authorities that were brought.
    Authorities,
    /// Only one certificate, the one that was brought.
    Pinned,
}
