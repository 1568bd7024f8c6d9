//! MQTT sessions: connecting, subscribing, publishing, and what became of it.
//!
//! The MQTT library stays behind this module. Each network connection is a fresh client of the library that resumes the
//! broker's session and replays nothing: redelivery belongs to the ledger's outbox alone.

mod envelope;
mod goodbye;
mod refusal;
mod sender;
mod session;
mod v4;
mod v5;

pub(crate) use envelope::{Envelope, Properties};
pub(crate) use goodbye::Goodbye;
pub(crate) use sender::{Denial, MqttSender, Publication, Subscribed};

pub(crate) use session::{Connected, LinkEvent, Session, connect};

use rumqttc_v5::ManualAck as AckV5;
use wilco_dialect::Filter;
use wilco_ledger::Puback;
use zeroize::Zeroizing;

use crate::{api::MqttVersion, transport::Route};

/// Everything a session needs to know. Made anew for each session, secrets and all.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) route: Route,
    pub(crate) version: MqttVersion,
    pub(crate) client_id: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Zeroizing<Vec<u8>>>,
    pub(crate) filters: Vec<Filter>,
    /// Seconds between two signs of life.
    pub(crate) keep_alive: u16,
    /// Publishes without a PUBACK, at the most.
    pub(crate) send_window: u16,
    /// How long the broker keeps the session while we are away, seconds. 0: not at all.
    pub(crate) session_expiry: u32,
    /// Whether anything is published. Otherwise it only listens.
    pub(crate) publishes: bool,
}

/// The largest packet sent, and on MQTT 5 also the largest taken, bytes. AWS allows payloads of 128 KiB.
const PACKET_LIMIT: u32 = 1 << 20;

/// At most this long for CONNECT.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// What the broker said when it let us in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Welcome {
    /// It still has our session, and with it what came while we were away.
    pub(crate) session_present: bool,
    /// The largest packet it takes, bytes.
    pub(crate) max_packet_size: Option<u32>,
    /// Publishes of ours that it takes without having acknowledged them.
    pub(crate) receive_maximum: Option<u16>,
    /// Seconds between two signs of life, where it wants others than we asked for.
    pub(crate) keep_alive: Option<u16>,
    /// It takes no subscription with `+` or `#` in it.
    pub(crate) no_wildcards: bool,
    /// It takes no message above QoS 0.
    pub(crate) qos_0_only: bool,
}

/// At most this long for SUBACK.
pub(crate) const SUBACK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Something that came over the wire, in our words.
pub(crate) enum Wire {
    /// A message for us.
    Message(Message),
    /// A publish of ours was written.
    Written { packet: u16 },
    /// PUBACK.
    Acknowledged {
        packet: u16,
        puback: Puback,
        /// Why, in the broker's words.
        reason_string: Option<String>,
    },
    /// Nothing we act on.
    Other,
}

/// A message that came in.
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retained: bool,
    pub(crate) correlation: Option<Vec<u8>>,
    pub(crate) envelope: Box<Envelope>,
    /// To be handed back once what the message says is durable.
    pub(crate) receipt: Option<Receipt>,
}

/// The PUBACK that we owe the broker for a message.
pub(crate) enum Receipt {
    V5(AckV5),
    V4(rumqttc_v4::ManualAck),
}
