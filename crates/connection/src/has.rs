//! The kinds of secrets that a connection has. The secrets themselves are in the keyring.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The kinds of secrets stored for a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Secrets {
    /// A password.
    pub password: bool,
    /// A client certificate with its private key.
    pub certificate: bool,
    /// CA certificates.
    pub authorities: bool,
    /// The pinned server certificate.
    pub server: bool,
    /// The proxy's password.
    pub proxy_password: bool,
    /// Passwords of devices.
    #[serde(default)]
    pub device_passwords: bool,
}
