//! Presets for kinds of broker.
//!
//! AWS IoT Core's figures: <https://docs.aws.amazon.com/general/latest/gr/iot-core.html>, its ports and ALPN names:
//! <https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html>.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Scheme;

/// The kind of broker: determines the defaults of a new connection, and the broker's limits.
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

/// The defaults of a preset for a new connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PresetView {
    /// The kind of broker.
    pub preset: Preset,
    /// Its display name.
    pub name: String,
    /// An example address.
    pub example: String,
    /// The usual transports.
    pub ways: Vec<TransportOption>,
    /// The keep-alive interval, seconds.
    pub keep_alive_s: u16,
    /// The allowed keep-alive intervals.
    pub keep_alive_range: SecondsRange,
    /// How long the broker keeps answers while Wilco is disconnected, seconds.
    pub session_expiry_s: u32,
    /// The allowed session expiry intervals.
    pub session_expiry_range: SecondsRange,
    /// Notes about the broker, as sentences.
    pub notes: Vec<String>,
}

/// A usual transport of a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TransportOption {
    /// Its display name, for example `TLS with a client certificate`.
    pub name: String,
    /// The transport.
    pub scheme: Scheme,
    /// The default port.
    pub port: u16,
    /// The path of a WebSocket; empty otherwise.
    pub path: String,
    /// The ALPN protocols to offer.
    pub alpn: Vec<String>,
}

/// An allowed range in seconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SecondsRange {
    /// The lowest.
    pub least: u32,
    /// The highest.
    pub most: u32,
}

impl SecondsRange {
    /// Whether this many seconds are allowed.
    #[must_use]
    pub fn contains(self, seconds: u32) -> bool {
        (self.least..=self.most).contains(&seconds)
    }
}

/// Limits of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The keep-alive interval.
    pub keep_alive: SecondsRange,
    /// The session expiry.
    pub session_expiry: SecondsRange,
    /// The maximum number of publishes without a PUBACK.
    pub send_window: u16,
    /// The maximum number of commands per second. Slightly fewer than the broker accepts: the ledger counts when it
    /// decides, and a slow commit may push two batches together.
    pub sends_per_second: Option<u32>,
    /// Presence is received on `$aws/events/presence`, because wildcard subscriptions receive no retained messages.
    pub lifecycle: bool,
}

/// mosquitto queues 1,000 messages a client and drops the rest silently.
const SEND_WINDOW: u16 = 500;

/// The default keep-alive interval, seconds. AWS accepts no shorter one.
pub(crate) const KEEP_ALIVE: u16 = 30;

/// The session expiries that are allowed with any broker: up to a week.
const SESSION_EXPIRY_RANGE: SecondsRange = SecondsRange { least: 0, most: 604_800 };

/// How long the broker keeps what devices answer while we are away, seconds. AWS keeps it for an hour by default.
pub(crate) const SESSION_EXPIRY: u32 = 3_600;

impl Preset {
    /// All kinds, in the order in which they are offered.
    pub const ALL: [Preset; 5] = [Preset::Aws, Preset::Mosquitto, Preset::Emqx, Preset::Hivemq, Preset::Plain];

    /// The limits of such a broker.
    #[must_use]
    pub fn bounds(self) -> Bounds {
        match self {
            Preset::Aws => Bounds {
                keep_alive: SecondsRange { least: 30, most: 1_200 },
                session_expiry: SESSION_EXPIRY_RANGE,
                send_window: 100,
                sends_per_second: Some(90),
                lifecycle: true,
            },
            _ => Bounds {
                keep_alive: SecondsRange { least: 5, most: 3_600 },
                session_expiry: SESSION_EXPIRY_RANGE,
                send_window: SEND_WINDOW,
                sends_per_second: None,
                lifecycle: false,
            },
        }
    }

    /// Its defaults for a new connection.
    #[must_use]
    pub fn view(self) -> PresetView {
        let own = |notes: &[&str]| notes.iter().map(|note| (*note).to_owned()).collect();
        let (name, example, ways, notes): (_, _, Vec<TransportOption>, Vec<String>) = match self {
            Preset::Aws => (
                "AWS IoT Core",
                "mqtts://a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com:8883",
                vec![
                    way("TLS with a client certificate", Scheme::Mqtts, 8883, "", &[]),
                    way(
                        "TLS with a client certificate on port 443, for firewalls",
                        Scheme::Mqtts,
                        443,
                        "",
                        &["x-amzn-mqtt-ca"],
                    ),
                    way("Custom authorizer on port 443", Scheme::Mqtts, 443, "", &["mqtt"]),
                ],
                own(&[
                    "Use the endpoint with -ats in its name: the AWS console shows it under Settings, and `aws iot \
                     describe-endpoint --endpoint-type iot:Data-ATS` prints it.",
                    "The policy that the AWS console creates with a certificate allows only its sample topics. If so, \
                     the preflight shows the policy that Wilco needs.",
                    "AWS IoT accepts 100 publishes per second; Wilco sends at most 90 commands per second.",
                ]),
            ),
            Preset::Mosquitto => (
                "Eclipse mosquitto",
                "mqtts://broker.example.net:8883",
                vec![
                    way("TLS", Scheme::Mqtts, 8883, "", &[]),
                    way("Without TLS", Scheme::Mqtt, 1883, "", &[]),
                    way("WebSocket with TLS", Scheme::Wss, 8081, "/mqtt", &[]),
                    way("WebSocket", Scheme::Ws, 9001, "/mqtt", &[]),
                ],
                own(&[
                    "If the broker uses its own CA, add the CA certificate. The server certificate must be X.509 \
                     version 3 and contain the broker's host name.",
                    "Answers arrive faster with `set_tcp_nodelay true` in mosquitto.conf.",
                ]),
            ),
            Preset::Emqx => (
                "EMQX",
                "mqtts://broker.example.net:8883",
                vec![
                    way("TLS", Scheme::Mqtts, 8883, "", &[]),
                    way("Without TLS", Scheme::Mqtt, 1883, "", &[]),
                    way("WebSocket with TLS", Scheme::Wss, 8084, "/mqtt", &[]),
                    way("WebSocket", Scheme::Ws, 8083, "/mqtt", &[]),
                ],
                own(&["EMQX Cloud requires a user name and a password; this computer's roots include its CA."]),
            ),
            Preset::Hivemq => (
                "HiveMQ",
                "mqtts://a1b2c3d4.s1.eu.hivemq.cloud:8883",
                vec![
                    way("TLS", Scheme::Mqtts, 8883, "", &[]),
                    way("Without TLS", Scheme::Mqtt, 1883, "", &[]),
                    way("WebSocket with TLS", Scheme::Wss, 8884, "/mqtt", &[]),
                    way("WebSocket", Scheme::Ws, 8000, "/mqtt", &[]),
                ],
                own(&["HiveMQ Cloud requires a user name and a password; this computer's roots include its CA."]),
            ),
            Preset::Plain => (
                "Another broker",
                "mqtts://broker.example.net:8883",
                vec![
                    way("TLS", Scheme::Mqtts, 8883, "", &[]),
                    way("Without TLS", Scheme::Mqtt, 1883, "", &[]),
                    way("WebSocket with TLS", Scheme::Wss, 443, "/mqtt", &[]),
                    way("WebSocket", Scheme::Ws, 80, "/mqtt", &[]),
                ],
                Vec::new(),
            ),
        };
        let bounds = self.bounds();
        PresetView {
            preset: self,
            name: name.to_owned(),
            example: example.to_owned(),
            ways,
            keep_alive_s: KEEP_ALIVE,
            keep_alive_range: bounds.keep_alive,
            session_expiry_s: SESSION_EXPIRY,
            session_expiry_range: bounds.session_expiry,
            notes,
        }
    }
}

fn way(name: &str, scheme: Scheme, port: u16, path: &str, alpn: &[&str]) -> TransportOption {
    TransportOption {
        name: name.to_owned(),
        scheme,
        port,
        path: path.to_owned(),
        alpn: alpn.iter().map(|protocol| (*protocol).to_owned()).collect(),
    }
}
