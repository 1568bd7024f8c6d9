use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ConnectionMode, EnabledDialect, FailureCode, MqttVersion, Preset, ProxyView, Secrets, Trust};

/// A connection as it is listed. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConnectionView {
    /// Its id, made once.
    pub id: String,
    /// The name. Unique.
    pub name: String,
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, with port, and a WebSocket's path.
    pub url: String,
    /// The configured protocol version.
    pub mqtt: MqttVersion,
    /// The client id, one per installation and connection.
    pub client_id: String,
    /// The user name, where there is one.
    pub username: Option<String>,
    /// The dialects that are enabled.
    pub dialects: Vec<EnabledDialect>,
    /// Dialect files of one's own among them, as they are written.
    #[serde(default)]
    pub dialect_files: Vec<String>,
    /// Devices of other dialects that have announced themselves, to be shown or not: without those that are enabled or
    /// declined.
    #[serde(default)]
    pub offers: Vec<super::FoundDialect>,
    /// Dialects that read the same messages, as sentences. Only where one of the two is a dialect file or has settings that
    /// are not the defaults.
    #[serde(default)]
    pub overlaps: Vec<String>,
    /// The titles of the dialect files, by the names of their dialects.
    #[serde(default)]
    #[ts(type = "Record<string, string>")]
    pub titles: BTreeMap<String, String>,
    /// The topic prefix; empty for none.
    pub prefix: String,
    /// The fleet inside the app: its broker ends with the app.
    pub demo: bool,
    /// The mode.
    #[serde(default)]
    pub mode: ConnectionMode,
    /// Requests name the operator ([`super::Settings::operator_name`]), for other consoles to see. Only Wilco's own dialect
    /// does so.
    #[serde(default)]
    pub send_operator: bool,
    /// Dangerous rollouts wait until a second installation has approved them.
    #[serde(default)]
    pub needs_approval: bool,
    /// What kind of broker.
    pub preset: Preset,
    /// The only devices it listens to and commands; all where empty.
    pub devices_named: Vec<String>,
    /// The keep-alive interval, seconds.
    pub keep_alive_s: u16,
    /// How long the broker keeps what devices answer while Wilco is away, seconds.
    pub session_expiry_s: u32,
    /// The trusted certificates.
    pub trust: Trust,
    /// The name that the server must prove, where it is not the one dialled.
    pub server_name: Option<String>,
    /// The protocols offered in the TLS handshake (RFC 7301).
    pub alpn: Vec<String>,
    /// The proxy, without its password.
    pub proxy: Option<ProxyView>,
    /// Which secrets are kept for it.
    pub has: Secrets,
    /// The secrets are kept in memory for this run only.
    pub in_memory_secrets: bool,
    /// Topic filters that are not subscribed to, because the broker refused them.
    pub denied: Vec<String>,
    /// The end of the client certificate's validity, Unix milliseconds.
    #[ts(type = "number | null")]
    pub certificate_expires_at: Option<i64>,
    /// The subject of the client certificate.
    pub certificate_subject: Option<String>,
    /// The state of the connection.
    pub link: LinkState,
    /// The last measured time from PUBLISH to PUBACK, milliseconds.
    pub round_trip_ms: Option<f64>,
    /// Messages in, a second, over the last second.
    pub in_per_second: f64,
    /// Messages out, a second, over the last second.
    pub out_per_second: f64,
    /// Devices known.
    pub devices: u32,
    /// Devices online.
    pub online: u32,
    /// Device IDs of the last ten minutes that are not listed, because too many new ones came at once. No more than 200,000
    /// are counted.
    pub unlisted: u32,
    /// Commands by state that are not final, and what needs a look.
    pub counts: super::Counts,
}

/// The state of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum LinkState {
    /// Name, TCP, TLS, CONNECT.
    Connecting,
    /// Connected; the subscriptions are not acknowledged yet, so nothing is published.
    Subscribing,
    /// Subscribed: commands are sent and answers are received.
    Online {
        /// Since when, Unix milliseconds.
        #[ts(type = "number")]
        since: i64,
    },
    /// Lost or refused; it is tried again by itself.
    Waiting {
        /// The event, as a sentence.
        message: String,
        /// How to fix it.
        hint: Option<String>,
        /// The next try, Unix milliseconds.
        #[ts(type = "number")]
        retry_at: i64,
    },
    /// It failed permanently: Wilco does not retry until the connection is edited.
    Stopped {
        /// The kind of problem.
        code: FailureCode,
        /// The event, as a sentence.
        message: String,
        /// How to fix it.
        hint: Option<String>,
    },
}
