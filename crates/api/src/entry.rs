use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ConnectionSettings, ConnectionView};

/// A connection as entered by a user, new or changed. Its secrets are write-only.
#[derive(Clone, Default, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct ConnectionEntry {
    /// The connection to change; `None` for a new one.
    pub id: Option<String>,
    /// Its name. Unique.
    pub name: String,
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, a host and, if they differ from the defaults, a port and (for
    /// WebSockets) a path. Ports default to 1883, 8883, 80 and 443, the path to `/mqtt`.
    pub url: String,
    /// The client ID. `None`: a new connection gets a generated one, an existing one keeps its own.
    pub client_id: Option<String>,
    /// Its settings.
    #[serde(flatten)]
    pub settings: ConnectionSettings,
    /// The password. `None`: the stored one stays; empty: none.
    pub password: Option<String>,
    /// The proxy's password. `None`: the stored one stays; empty, or no proxy: none.
    pub proxy_password: Option<String>,
    /// The staged files ([`super::KitView::id`]). `None`: the stored files do not change.
    pub kit: Option<String>,
    /// Delete the stored certificates.
    pub without_certificates: bool,
    /// Keep the secrets in memory until Wilco closes, because there is no keyring.
    pub without_keyring: bool,
}

/// The result of opening an exported file, or the need for a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Imported {
    /// The file is encrypted, and the passphrase is missing or wrong; nothing was imported.
    pub locked: bool,
    /// The new names of the connections.
    pub names: Vec<String>,
    /// Connections without their secrets, by name: the user adds them with *Edit*.
    pub without_secrets: Vec<String>,
}

impl From<&ConnectionView> for ConnectionEntry {
    /// The entry that would leave a connection unchanged.
    fn from(view: &ConnectionView) -> ConnectionEntry {
        ConnectionEntry {
            id: Some(view.id.clone()),
            name: view.name.clone(),
            url: view.url.clone(),
            client_id: Some(view.client_id.clone()),
            settings: view.settings.clone(),
            without_keyring: view.in_memory_secrets,
            ..ConnectionEntry::default()
        }
    }
}
