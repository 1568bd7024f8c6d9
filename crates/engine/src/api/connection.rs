use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::FailureCode;

/// A connection as it is listed. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConnectionView {
    /// Its id, made once.
    pub id: String,
    /// What it is called. Unique.
    pub name: String,
    /// `mqtt://host:port` or `mqtts://host:port`.
    pub url: String,
    /// The protocol version asked for.
    pub mqtt: MqttVersion,
    /// The client id, one per installation and connection.
    pub client_id: String,
    /// The user name, where there is one.
    pub username: Option<String>,
    /// The dialect's name.
    pub dialect: String,
    /// The topic prefix; empty for none.
    pub prefix: String,
    /// The fleet inside the app: its broker ends with the app.
    pub demo: bool,
    /// What kind of broker.
    pub preset: Preset,
    /// The only devices it listens to and commands; all where empty.
    pub devices_named: Vec<String>,
    /// Seconds between two signs of life.
    pub keep_alive_s: u16,
    /// How long the broker keeps what devices answer while Wilco is away, seconds.
    pub session_expiry_s: u32,
    /// Whose word is taken for the server's certificate.
    pub trust: Trust,
    /// The name that the server must prove, where it is not the one dialled.
    pub server_name: Option<String>,
    /// The protocols offered in the TLS handshake (RFC 7301).
    pub alpn: Vec<String>,
    /// The proxy on the way. No password in it.
    pub proxy: Option<ProxyView>,
    /// Which secrets are kept for it.
    pub has: Secrets,
    /// The secrets are kept in memory for this run only.
    pub in_memory_secrets: bool,
    /// Topic filters that are not asked for, because the broker refused them.
    pub denied: Vec<String>,
    /// The end of the client certificate's validity, Unix milliseconds.
    #[ts(type = "number | null")]
    pub certificate_expires_at: Option<i64>,
    /// The subject of the client certificate.
    pub certificate_subject: Option<String>,
    /// How it stands.
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
    /// Commands by state that are not final, and what needs a look.
    pub counts: super::Counts,
}

/// How a connection stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum LinkState {
    /// Name, TCP, TLS, CONNECT.
    Connecting,
    /// Connected; the subscriptions are not acknowledged yet, so nothing is published.
    Subscribing,
    /// Subscribed: commands go out and answers come in.
    Online {
        /// Since when, Unix milliseconds.
        #[ts(type = "number")]
        since: i64,
    },
    /// Lost or refused; it is tried again by itself.
    Waiting {
        /// What happened, as a sentence.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// The next try, Unix milliseconds.
        #[ts(type = "number")]
        retry_at: i64,
    },
    /// It cannot work as it stands: not tried again until something changes.
    Stopped {
        /// What kind of trouble.
        code: FailureCode,
        /// What happened, as a sentence.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

/// The protocol version of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub enum MqttVersion {
    /// MQTT 5.
    #[default]
    #[serde(rename = "5")]
    V5,
    /// MQTT 3.1.1.
    #[serde(rename = "3.1.1")]
    V311,
}

/// What kind of broker: gives the defaults of a new connection, and the limits that the broker sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Preset {
    /// Any broker.
    #[default]
    Plain,
    /// AWS IoT Core.
    Aws,
    /// Eclipse mosquitto.
    Mosquitto,
    /// EMQX.
    Emqx,
    /// HiveMQ.
    Hivemq,
}

/// What a preset brings to a new connection, for the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PresetView {
    /// Which.
    pub preset: Preset,
    /// Its name for people.
    pub name: String,
    /// What an address of it looks like.
    pub example: String,
    /// The ways it is usually reached.
    pub ways: Vec<Way>,
    /// Seconds between two signs of life.
    pub keep_alive_s: u16,
    /// How long the broker keeps what devices answer while Wilco is away, seconds.
    pub session_expiry_s: u32,
    /// What to know of it, as sentences.
    pub notes: Vec<String>,
}

/// A way to reach a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Way {
    /// Its name for people, `TLS with a client certificate` for instance.
    pub name: String,
    /// `mqtt`, `mqtts`, `ws` or `wss`.
    pub scheme: String,
    /// The usual port.
    pub port: u16,
    /// The path of a WebSocket; empty otherwise.
    pub path: String,
    /// The protocols to offer in the TLS handshake.
    pub alpn: Vec<String>,
}

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

/// A proxy as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProxyView {
    /// `http://host:port` or `socks5://host:port`.
    pub url: String,
    /// The user name it asks for.
    pub username: Option<String>,
}

/// A proxy as it is entered.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProxyEntry {
    /// `http://host:port` (HTTP CONNECT) or `socks5://host:port`.
    pub url: String,
    /// The user name it asks for.
    #[serde(default)]
    pub username: Option<String>,
    /// Its password. `None`: the one that is kept stays; empty: none.
    #[serde(default)]
    pub password: Option<String>,
}

/// Which secrets are kept for a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Secrets {
    /// A password.
    pub password: bool,
    /// A client certificate with its private key.
    pub certificate: bool,
    /// Authorities.
    pub authorities: bool,
    /// The one certificate that the server must show.
    pub server: bool,
    /// The proxy's password.
    pub proxy_password: bool,
}

/// A connection as a person enters it, new or changed. Secrets in it go one way.
#[derive(Clone, Default, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct ConnectionEntry {
    /// The connection that is changed; none for a new one.
    pub id: Option<String>,
    /// What it is to be called. Unique.
    pub name: String,
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, a host, and where they differ from the usual a port and (for
    /// WebSockets) a path. Ports default to 1883, 8883, 80 and 443, the path to `/mqtt`.
    pub url: String,
    /// What kind of broker.
    pub preset: Preset,
    /// The protocol version.
    pub mqtt: MqttVersion,
    /// The client id; one is made where none is given, and stays where none is given again.
    pub client_id: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// The password. `None`: the one that is kept stays; empty: none.
    pub password: Option<String>,
    /// The dialect's name; `wilco` where none is given.
    pub dialect: Option<String>,
    /// The topic prefix.
    pub prefix: Option<String>,
    /// The only devices to listen to and command, for a broker whose policy allows no more; all where empty.
    pub devices: Vec<String>,
    /// Seconds between two signs of life, 5 … 3,600 (AWS: 30 … 1,200); the preset's where none is given.
    pub keep_alive_s: Option<u16>,
    /// How long the broker keeps what devices answer while Wilco is away, seconds, 0 … 604,800; the preset's where none
    /// is given.
    pub session_expiry_s: Option<u32>,
    /// Whose word is taken for the server's certificate.
    pub trust: Trust,
    /// The name that the server must prove (SNI), where it is not the one dialled.
    pub server_name: Option<String>,
    /// The protocols to offer in the TLS handshake (RFC 7301).
    pub alpn: Vec<String>,
    /// The proxy on the way.
    pub proxy: Option<ProxyEntry>,
    /// What the files brought ([`super::KitView::id`]). `None`: what is kept stays.
    pub kit: Option<String>,
    /// The certificates that are kept are to be forgotten.
    pub without_certificates: bool,
    /// Keep the secrets in memory for this run, because there is no keyring.
    pub without_keyring: bool,
    /// Topic filters that the preflight saw refused, and that are not to be asked for.
    pub denied: Vec<String>,
}

/// What came out of an exported file, or what it asks for.
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

/// A connection to be added. Certificates and key are given as paths and read once; a typed password goes one way.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NewConnection {
    /// What it is to be called.
    pub name: String,
    /// `mqtt://host:port` or `mqtts://host:port`; ports default to 1883 and 8883.
    pub url: String,
    /// The protocol version.
    #[serde(default)]
    pub mqtt: MqttVersion,
    /// The client id; one is made where none is given.
    pub client_id: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// The password. Goes to the keyring.
    pub password: Option<String>,
    /// The dialect's name; `wilco` where none is given.
    pub dialect: Option<String>,
    /// The topic prefix.
    pub prefix: Option<String>,
    /// Certificates and key.
    #[serde(default)]
    pub files: TlsFiles,
    /// Keep the secrets in memory for this run, because there is no keyring.
    #[serde(default)]
    pub without_keyring: bool,
}

/// The PEM files of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TlsFiles {
    /// The authorities that the server's certificate may be signed by. None: the platform's roots.
    pub ca: Option<PathBuf>,
    /// The client certificate, with its chain.
    pub certificate: Option<PathBuf>,
    /// The client certificate's private key.
    pub key: Option<PathBuf>,
}

/// What trying a connection has shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Probe {
    /// Whether it connects and may subscribe.
    pub ok: bool,
    /// What happened, as a sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How long connecting and subscribing took, milliseconds.
    pub took_ms: f64,
}
