use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ConnectionSettings, FailureCode, Secrets};

/// A connection in a list. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConnectionView {
    /// Its ID, which never changes.
    pub id: String,
    /// The name. Unique.
    pub name: String,
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, with port, and a WebSocket's path.
    pub url: String,
    /// The client ID, one per installation and connection.
    pub client_id: String,
    /// Its settings.
    #[serde(flatten)]
    pub settings: ConnectionSettings,
    /// Devices of other dialects that have announced themselves and can be offered, without dialects that are enabled
    /// or declined.
    #[serde(default)]
    pub offers: Vec<super::FoundDialect>,
    /// Dialects that use the same messages, as sentences. Only if one of the two is a dialect file or has non-default
    /// settings.
    #[serde(default)]
    pub overlaps: Vec<String>,
    /// The titles of the dialect files, by dialect name.
    #[serde(default)]
    #[ts(type = "Record<string, string>")]
    pub titles: BTreeMap<String, String>,
    /// The demo fleet inside the app; its broker stops with the app.
    pub demo: bool,
    /// The kinds of secrets that are stored for it.
    pub has: Secrets,
    /// Its secrets are kept in memory until Wilco closes.
    pub in_memory_secrets: bool,
    /// When the client certificate expires, Unix milliseconds.
    #[ts(type = "number | null")]
    pub certificate_expires_at: Option<i64>,
    /// The subject of the client certificate.
    pub certificate_subject: Option<String>,
    /// The state of the connection.
    pub link: LinkState,
    /// The latest round trip from PUBLISH to PUBACK, milliseconds.
    pub round_trip_ms: Option<f64>,
    /// Messages received in the last second.
    pub in_per_second: f64,
    /// Messages sent in the last second.
    pub out_per_second: f64,
    /// The number of known devices.
    pub devices: u32,
    /// The number of online devices.
    pub online: u32,
    /// The number of device IDs of the last ten minutes that are not listed, because too many new ones arrived at once.
    /// Counts up to 200,000.
    pub unlisted: u32,
    /// Unfinished commands by state, and those that need attention.
    pub counts: super::Counts,
}

/// The state of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
#[ts(export)]
pub enum LinkState {
    /// Wilco has just started and is loading the connection's devices and unfinished commands.
    Loading,
    /// Resolving, connecting (TCP, TLS) and waiting for CONNACK.
    Connecting,
    /// Connected, but the subscriptions are not acknowledged yet, so nothing is published.
    Subscribing,
    /// Subscribed: commands are sent and answers are received.
    Online {
        /// Since when, Unix milliseconds.
        #[ts(type = "number")]
        since: i64,
    },
    /// Lost or refused; Wilco retries automatically.
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use serde_json::{Value, json};

    use super::ConnectionView;
    use crate::{ConnectionEntry, ConnectionSettings};

    /// A connection, as `wilco connections --output json` lists it.
    fn listed() -> Value {
        serde_json::from_str(
            r#"{
            "id": "1", "name": "plant", "url": "mqtts://h:8883", "client_id": "me", "mode": "protected",
            "send_operator": true, "needs_approval": true, "preset": "aws", "mqtt": "3.1.1", "username": "ops",
            "dialects": [{ "name": "zigbee2mqtt", "settings": { "base": "house" } }], "dialect_files": ["format = 1"],
            "prefix": "cmd", "devices_named": ["a"], "keep_alive_s": 60, "session_expiry_s": 10, "trust": "pinned",
            "server_name": "n", "alpn": ["x"], "proxy": { "url": "http://p:1", "username": "u" }, "denied": ["+/log"],
            "offers": [], "overlaps": [], "titles": {}, "demo": false,
            "has": {
                "password": true, "certificate": false, "authorities": false, "server": true, "proxy_password": false,
                "device_passwords": false
            },
            "in_memory_secrets": false, "certificate_expires_at": null, "certificate_subject": null,
            "link": { "state": "connecting" }, "round_trip_ms": 1.5, "in_per_second": 0.0, "out_per_second": 0.0,
            "devices": 3, "online": 2, "unlisted": 0,
            "counts": { "queued": 0, "held": 0, "in_flight": 0, "needs_attention": 0, "kept": 0 }
        }"#,
        )
        .unwrap()
    }

    #[test]
    fn the_settings_of_a_listed_connection_are_beside_its_state() {
        let view: ConnectionView = serde_json::from_value(listed()).unwrap();
        // The devices that it is limited to, and the number of those that it knows.
        assert_eq!((view.settings.devices_named.as_slice(), view.devices), (&["a".to_owned()][..], 3));
        assert_eq!(serde_json::to_value(&view).unwrap(), listed());
    }

    #[test]
    fn the_entry_that_changes_nothing_has_every_setting() {
        let view: ConnectionView = serde_json::from_value(listed()).unwrap();
        let entry = serde_json::to_value(ConnectionEntry::from(&view)).unwrap();
        let settings = serde_json::to_value(&view.settings).unwrap();
        let defaults = serde_json::to_value(ConnectionSettings::default()).unwrap();
        for (name, value) in settings.as_object().unwrap() {
            assert_eq!((&entry[name], &listed()[name]), (value, value), "{name}");
            assert_ne!(value, &defaults[name], "{name} is to be one that could get lost");
        }
        let only_named: ConnectionEntry = serde_json::from_value(json!({ "name": "plant" })).unwrap();
        assert_eq!(only_named.settings, ConnectionSettings::default());
    }
}
