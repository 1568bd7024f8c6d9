use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ConnectionMode, ConnectionView, EnabledDialect, MqttVersion, Preset, Trust};

/// A proxy as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProxyView {
    /// `http://host:port` or `socks5://host:port`.
    pub url: String,
    /// The user name.
    pub username: Option<String>,
}

/// A proxy as it is entered.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProxyEntry {
    /// `http://host:port` (HTTP CONNECT) or `socks5://host:port`.
    pub url: String,
    /// The user name.
    #[serde(default)]
    pub username: Option<String>,
    /// Its password. `None`: the one that is kept stays; empty: none.
    #[serde(default)]
    pub password: Option<String>,
}

/// A connection as a person enters it, new or changed. Secrets in it go one way.
#[derive(Clone, Default, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct ConnectionEntry {
    /// The connection that is changed; none for a new one.
    pub id: Option<String>,
    /// Its name. Unique.
    pub name: String,
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, a host, and where they differ from the usual a port and (for
    /// WebSockets) a path. Ports default to 1883, 8883, 80 and 443, the path to `/mqtt`.
    pub url: String,
    /// The mode.
    pub mode: ConnectionMode,
    /// Requests name the operator ([`super::Settings::operator_name`]), for other consoles to see.
    pub send_operator: bool,
    /// Dangerous rollouts wait until a second installation has approved them.
    pub needs_approval: bool,
    /// What kind of broker.
    pub preset: Preset,
    /// The protocol version.
    pub mqtt: MqttVersion,
    /// The client ID; generated if none is given, and kept if none is given again.
    pub client_id: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// The password. `None`: the one that is kept stays; empty: none.
    pub password: Option<String>,
    /// The dialects to enable; `wilco` where none is given.
    pub dialects: Vec<EnabledDialect>,
    /// Dialect files of one's own, as they are written. One of the same name goes before a dialect that comes with Wilco.
    pub dialect_files: Vec<String>,
    /// The topic prefix.
    pub prefix: Option<String>,
    /// The only devices to listen to and command, for a broker whose policy allows no more; all where empty.
    pub devices: Vec<String>,
    /// The keep-alive interval, seconds, 5 … 3,600 (AWS: 30 … 1,200); the preset's where none is given.
    pub keep_alive_s: Option<u16>,
    /// How long the broker keeps what devices answer while Wilco is away, seconds, 0 … 604,800; the preset's where none
    /// is given.
    pub session_expiry_s: Option<u32>,
    /// The trusted certificates.
    pub trust: Trust,
    /// The name that the server must prove (SNI), where it is not the one dialled.
    pub server_name: Option<String>,
    /// The protocols to offer in the TLS handshake (RFC 7301).
    pub alpn: Vec<String>,
    /// The proxy.
    pub proxy: Option<ProxyEntry>,
    /// The staged files ([`super::KitView::id`]). `None`: the stored files do not change.
    pub kit: Option<String>,
    /// The certificates that are kept are to be forgotten.
    pub without_certificates: bool,
    /// Keep the secrets in memory for this run, because there is no keyring.
    pub without_keyring: bool,
    /// Topic filters that the preflight found refused, and that are not subscribed to again.
    pub denied: Vec<String>,
}

/// The result of opening an exported file, or the need for a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Imported {
    /// The file is encrypted, and the passphrase is missing or wrong; nothing was imported.
    pub locked: bool,
    /// The names that the connections have now.
    pub names: Vec<String>,
    /// Connections without their secrets, by name: they are given theirs by *Edit*.
    pub without_secrets: Vec<String>,
}

impl From<&ConnectionView> for ConnectionEntry {
    /// The entry that would leave a connection unchanged.
    fn from(view: &ConnectionView) -> ConnectionEntry {
        ConnectionEntry {
            id: Some(view.id.clone()),
            name: view.name.clone(),
            url: view.url.clone(),
            mode: view.mode,
            send_operator: view.send_operator,
            needs_approval: view.needs_approval,
            preset: view.preset,
            mqtt: view.mqtt,
            client_id: Some(view.client_id.clone()),
            username: view.username.clone(),
            dialects: view.dialects.clone(),
            dialect_files: view.dialect_files.clone(),
            prefix: Some(view.prefix.clone()),
            devices: view.devices_named.clone(),
            keep_alive_s: Some(view.keep_alive_s),
            session_expiry_s: Some(view.session_expiry_s),
            trust: view.trust,
            server_name: view.server_name.clone(),
            alpn: view.alpn.clone(),
            proxy: view.proxy.clone().map(|proxy| ProxyEntry {
                url: proxy.url,
                username: proxy.username,
                password: None,
            }),
            without_keyring: view.in_memory_secrets,
            denied: view.denied.clone(),
            ..ConnectionEntry::default()
        }
    }
}
