//! MQTT sessions: connecting, subscribing, publishing, and their results; and the same path step by step, to test a
//! connection ([`preflight`]).
//!
//! The MQTT library is not visible outside this crate. Each network connection is a new client of the library that
//! resumes the broker's session and resends nothing: only the ledger's outbox resends.

mod broker_refusal;
mod envelope;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod preflight;
mod refusal;
mod sender;
mod server_reason;
mod session;
mod transport;
mod v4;
mod v5;

pub use envelope::{Envelope, Properties};
pub use refusal::{Cause, Refusal, Remedy};
pub use sender::{Denial, MqttSender, Publication, Subscribed};
pub use session::{LinkEvent, Session};
pub use transport::{Proof, Route, Tls};

pub(crate) use server_reason::ServerReason;
pub(crate) use session::{Connected, connect};

use rumqttc_v5::ManualAck as AckV5;
use tokio::sync::OwnedSemaphorePermit;
use wilco_connection::MqttVersion;
use wilco_dialect::Filter;
use wilco_ledger::Puback;
use zeroize::Zeroizing;

/// The parameters of a session. Created for each session, with its secrets.
#[derive(Clone)]
pub struct Settings {
    /// How to connect to the broker.
    pub route: Route,
    /// The protocol version.
    pub version: MqttVersion,
    /// The client ID.
    pub client_id: String,
    /// The user name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Zeroizing<Vec<u8>>>,
    /// Its subscriptions.
    pub filters: Vec<Filter>,
    /// The keep-alive interval, seconds.
    pub keep_alive: u16,
    /// The maximum number of publishes without a PUBACK.
    pub send_window: u16,
    /// How long the broker keeps the session while Wilco is disconnected, seconds. 0: not at all.
    pub session_expiry: u32,
    /// Whether anything is published. Otherwise it only subscribes.
    pub publishes: bool,
}

/// The largest packet sent, bytes. AWS allows payloads of 128 KiB.
const PACKET_LIMIT: u32 = 1 << 20;

/// The largest packet received on MQTT 5, bytes; a broker discards larger ones. A hub announces all its devices in one
/// message, about 6 KB each, and discovery reads up to 8 MiB.
const RECEIVED_PACKET_LIMIT: u32 = 9 << 20;

/// At most this long for CONNECT.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// The properties of the CONNACK.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnackProperties {
    /// It still has our session, and with it what came while we were away.
    pub(crate) session_present: bool,
    /// The largest packet it takes, bytes.
    pub(crate) max_packet_size: Option<u32>,
    /// Publishes of ours that it takes without having acknowledged them.
    pub(crate) receive_maximum: Option<u16>,
    /// The server's keep-alive interval, seconds, if it overrides ours.
    pub(crate) keep_alive: Option<u16>,
    /// It takes no subscription with `+` or `#` in it.
    pub(crate) no_wildcards: bool,
    /// It takes no message above QoS 0.
    pub(crate) qos_0_only: bool,
}

/// At most this long for SUBACK.
pub(crate) const SUBACK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// A received packet or event, independent of the version.
pub(crate) enum Wire {
    /// A message for Wilco.
    Message(Message),
    /// A publish was written.
    Written { packet: u16 },
    /// PUBACK.
    Acknowledged {
        packet: u16,
        puback: Puback,
        /// The broker's reason.
        reason_string: Option<String>,
    },
    /// Any other event.
    Other,
}

/// A received message.
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// Its quality of service.
    pub qos: u8,
    /// The message was retained.
    pub retained: bool,
    /// Its correlation data (MQTT 5).
    pub correlation: Option<Vec<u8>>,
    /// Its other properties.
    pub envelope: Box<Envelope>,
    /// Pass it back once the content of the message is durable.
    pub receipt: Option<Receipt>,
    /// Its share of the buffer for unread messages.
    pub room: Option<OwnedSemaphorePermit>,
}

/// The PUBACK to send for a message.
pub struct Receipt(pub(crate) Ack);

/// The same, as the library has it.
pub(crate) enum Ack {
    V5(AckV5),
    V4(rumqttc_v4::ManualAck),
}
