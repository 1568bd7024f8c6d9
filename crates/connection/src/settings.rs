//! The settings of a connection, each declared once. A stored connection ([`Profile`](crate::Profile)), an entered one, a
//! listed one, and an exported one contain them.
//!
//! They contain no secret, so they can be printed and shown. What identifies a connection is not here: its ID, name,
//! client ID, and its address, which as it is entered may contain a secret.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    ConnectionMode, EnabledDialect, MqttVersion, Preset, Trust,
    preset::{KEEP_ALIVE, SESSION_EXPIRY},
};

/// The settings of a connection. In JSON, missing settings have their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct ConnectionSettings {
    /// The mode.
    pub mode: ConnectionMode,
    /// Requests name the operator, for other consoles to see. Only Wilco's own dialect supports this.
    pub send_operator: bool,
    /// Dangerous rollouts wait until a second installation has approved them.
    pub needs_approval: bool,
    /// The kind of broker.
    pub preset: Preset,
    /// The protocol version.
    pub mqtt: MqttVersion,
    /// The user name, if there is one.
    pub username: Option<String>,
    /// The enabled dialects; `wilco` by default.
    pub dialects: Vec<EnabledDialect>,
    /// The user's dialect files. They take precedence over dialects that come with Wilco.
    pub dialect_files: Vec<String>,
    /// The topic prefix; empty for none.
    pub prefix: String,
    /// The only devices to subscribe to and command, for brokers whose policy allows only certain devices; all devices
    /// if empty.
    pub devices_named: Vec<String>,
    /// The keep-alive interval, seconds, within `keep_alive_range` of the preset.
    pub keep_alive_s: u16,
    /// How long the broker keeps the session while Wilco is disconnected, seconds, within `session_expiry_range` of the
    /// preset.
    pub session_expiry_s: u32,
    /// The trusted certificates.
    pub trust: Trust,
    /// The server name to verify (SNI), if it differs from the host.
    pub server_name: Option<String>,
    /// The ALPN protocols to offer in the TLS handshake (RFC 7301).
    pub alpn: Vec<String>,
    /// The proxy, without its password.
    pub proxy: Option<ProxySettings>,
    /// Optional topic filters that the broker has refused, and that are no longer subscribed to.
    pub denied: Vec<String>,
}

/// A proxy, without its password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProxySettings {
    /// `http://host:port` (HTTP CONNECT) or `socks5://host:port`.
    pub url: String,
    /// The user name.
    #[serde(default)]
    pub username: Option<String>,
}

impl Default for ConnectionSettings {
    fn default() -> ConnectionSettings {
        ConnectionSettings {
            mode: ConnectionMode::default(),
            send_operator: false,
            needs_approval: false,
            preset: Preset::default(),
            mqtt: MqttVersion::default(),
            username: None,
            dialects: vec![EnabledDialect::new("wilco")],
            dialect_files: Vec::new(),
            prefix: String::new(),
            devices_named: Vec::new(),
            keep_alive_s: KEEP_ALIVE,
            session_expiry_s: SESSION_EXPIRY,
            trust: Trust::default(),
            server_name: None,
            alpn: Vec::new(),
            proxy: None,
            denied: Vec::new(),
        }
    }
}
