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

/// The settings of a connection. As JSON, a setting that is missing has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct ConnectionSettings {
    /// The mode.
    pub mode: ConnectionMode,
    /// Requests name the operator, for other consoles to see. Only Wilco's own dialect does so.
    pub send_operator: bool,
    /// Dangerous rollouts wait until a second installation has approved them.
    pub needs_approval: bool,
    /// What kind of broker.
    pub preset: Preset,
    /// The protocol version.
    pub mqtt: MqttVersion,
    /// The user name, where there is one.
    pub username: Option<String>,
    /// The dialects that are enabled; `wilco` where none is given.
    pub dialects: Vec<EnabledDialect>,
    /// Dialect files of one's own, as they are written. One of the same name goes before a dialect that comes with Wilco.
    pub dialect_files: Vec<String>,
    /// The topic prefix; empty for none.
    pub prefix: String,
    /// The only devices to listen to and command, for a broker whose policy allows no more; all where empty.
    pub devices_named: Vec<String>,
    /// The keep-alive interval, seconds, within `keep_alive_range` of the preset.
    pub keep_alive_s: u16,
    /// How long the broker keeps what devices answer while Wilco is away, seconds, within `session_expiry_range` of the
    /// preset.
    pub session_expiry_s: u32,
    /// The trusted certificates.
    pub trust: Trust,
    /// The name that the server must prove (SNI), where it is not the one dialled.
    pub server_name: Option<String>,
    /// The protocols offered in the TLS handshake (RFC 7301).
    pub alpn: Vec<String>,
    /// The proxy, without its password.
    pub proxy: Option<ProxySettings>,
    /// Topic filters that are not subscribed to, because the broker refused them.
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
