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
