//! The sending side of one network connection.

use std::{
    collections::{HashMap, VecDeque},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};

use wilco_dialect::{Filter, Outbound};
use wilco_ledger::{CommandId, DeviceId, Puback};

use super::{Ack, Receipt, SUBACK_TIMEOUT, v4, v5};
use crate::{refusal::Refusal, transport::WrittenPublishes};

/// The longest wait until a DISCONNECT that waits for nothing is written.
const DISCONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a question waits for a device that is away, seconds.
const QUESTION_EXPIRY: u32 = 60;

/// Publishes, subscribes and acknowledges over one network connection. Cheap to clone; useless once that connection
/// has ended.
#[derive(Clone)]
pub struct MqttSender {
    client: Client,
    under_way: Arc<Mutex<UnderWay>>,
    max_packet_size: u32,
    /// The broker does not accept filters with `+` or `#`.
    no_wildcards: bool,
    /// Otherwise nothing leaves through here, whatever is handed in.
    publishes: bool,
    written_publishes: WrittenPublishes,
}

/// The broker's response to a SUBSCRIBE.
#[derive(Debug, Default)]
pub struct Subscribed {
    /// Not granted, and the reason.
    pub refused: Vec<(Filter, Denial)>,
    /// Granted at this lower QoS than requested.
    pub lowered: Vec<(Filter, u8)>,
}

impl Subscribed {
    pub(super) fn granted(&mut self, filter: &Filter, qos: u8) {
        if qos < filter.qos {
            self.lowered.push((filter.clone(), qos));
        }
    }

    pub(super) fn deny(&mut self, filter: &Filter, denial: Denial) {
        self.refused.push((filter.clone(), denial));
    }
}

/// The reason why a broker does not grant a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// It supports no wildcards (CONNACK property 0x28, SUBACK reason 0xA2).
    NoWildcards,
    /// The SUBACK's reason, as text.
    Refused(String),
}

/// A send of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The device ID.
    pub device: DeviceId,
    /// The command.
    pub id: CommandId,
    /// The number of the send.
    pub attempt: u32,
}

#[derive(Clone)]
pub(super) enum Client {
    V5(rumqttc_v5::AsyncClient),
    V4(rumqttc_v4::AsyncClient),
}

/// The publishes that were handed to the library; `None` for those without a command. It writes them in order, so the
/// first that is not yet written is the next one to be.
#[derive(Default)]
struct UnderWay {
    handed: VecDeque<Option<Publication>>,
    /// How many have left `handed`.
    passed: u64,
    /// The connection has ended.
    ended: bool,
    written: HashMap<u16, (Publication, Instant)>,
}

impl MqttSender {
    pub(super) fn new(
        client: Client,
        max_packet_size: u32,
        no_wildcards: bool,
        publishes: bool,
        written_publishes: WrittenPublishes,
    ) -> MqttSender {
        MqttSender { client, under_way: Arc::default(), max_packet_size, no_wildcards, publishes, written_publishes }
    }

    /// Passes a publish to the library.
    ///
    /// # Errors
    /// What became of it, when it provably did not go out.
    pub fn publish(&self, publication: Publication, outbound: Outbound) -> Result<(), Puback> {
        let bytes = packet_size(&outbound);
        if bytes > self.max_packet_size as usize {
            return Err(Puback::TooLarge { bytes });
        }
        if self.hand_over(Some(publication), outbound) { Ok(()) } else { Err(Puback::NotTaken) }
    }

    /// Whether the library accepted it.
    fn hand_over(&self, publication: Option<Publication>, outbound: Outbound) -> bool {
        let mut under_way = self.under_way();
        if under_way.ended || !self.publishes {
            return false;
        }
        let taken = match &self.client {
            Client::V5(client) => {
                let options = v5::publish_options(&outbound);
                client.try_publish(outbound.topic, outbound.payload, options).is_ok()
            }
            Client::V4(client) => {
                let options = rumqttc_v4::PublishOptions::at_least_once();
                client.try_publish(outbound.topic, outbound.payload, options).is_ok()
            }
        };
        if taken {
            under_way.handed.push_back(publication);
        }
        taken
    }

    /// Publishes a discovery query, or a reply to a device's query to its server. It is not a command: nothing waits
    /// for it.
    pub fn query(&self, topic: String, payload: String) {
        let outbound = Outbound {
            topic,
            payload: payload.into_bytes(),
            correlation: Vec::new(),
            response_topic: None,
            expiry: QUESTION_EXPIRY,
            content_type: "",
            kept: None,
        };
        self.hand_over(None, outbound);
    }

    /// PUBACKs a message. If the connection has ended in the meantime, nothing is lost: the broker sends the message
    /// again.
    pub fn acknowledge(&self, receipt: Receipt) {
        let queued = match (&self.client, receipt) {
            (Client::V5(client), Receipt(Ack::V5(ack))) => client.try_manual_ack(ack).is_ok(),
            (Client::V4(client), Receipt(Ack::V4(ack))) => client.try_manual_ack(ack).is_ok(),
            (Client::V5(_), Receipt(Ack::V4(_))) | (Client::V4(_), Receipt(Ack::V5(_))) => false,
        };
        if !queued {
            tracing::debug!("a PUBACK was not sent: its connection has ended");
        }
    }

    /// Sends DISCONNECT, so that the broker does not take our going for a fault: behind everything that is in progress,
    /// as long as that takes no longer than `limit`, and otherwise before it. `connection` is what runs the
    /// connection to its end.
    pub(crate) async fn disconnect(&self, limit: Duration, connection: impl Future) {
        let mut connection = pin!(connection);
        let queued = match &self.client {
            Client::V5(client) => client.try_disconnect().is_ok(),
            Client::V4(client) => client.try_disconnect().is_ok(),
        };
        if queued && timeout(limit, &mut connection).await.is_ok() {
            return;
        }
        let queued = match &self.client {
            Client::V5(client) => client.try_disconnect_now().is_ok(),
            Client::V4(client) => client.try_disconnect_now().is_ok(),
        };
        let written = queued && timeout(DISCONNECT_TIMEOUT, connection).await.is_ok();
        tracing::debug!(written, "disconnected before everything was acknowledged");
    }

    /// Subscribes to these filters, and returns the broker's result for each. A filter that the CONNACK has excluded is
    /// not sent, because that would be a protocol error (MQTT 5 section 3.2.2.3.11).
    ///
    /// # Errors
    /// When the connection ends, or no SUBACK comes in time.
    pub async fn subscribe(&self, filters: &[Filter]) -> Result<Subscribed, Refusal> {
        let is_excluded = |filter: &&Filter| self.no_wildcards && filter.filter.contains(['+', '#']);
        let (excluded, asked): (Vec<_>, Vec<_>) = filters.iter().partition(is_excluded);
        let asked: Vec<Filter> = asked.into_iter().cloned().collect();
        let answer = async {
            match (&self.client, &asked[..]) {
                (_, []) => Ok(Subscribed::default()),
                (Client::V5(client), asked) => v5::subscribe(client, asked).await,
                (Client::V4(client), asked) => v4::subscribe(client, asked).await,
            }
        };
        let mut subscribed =
            timeout(SUBACK_TIMEOUT, answer).await.unwrap_or_else(|_| Err(Refusal::no_suback(&asked)))?;
        for filter in excluded {
            subscribed.deny(filter, Denial::NoWildcards);
        }
        Ok(subscribed)
    }

    /// Ends subscriptions; the broker's response changes nothing.
    pub fn unsubscribe(&self, filters: Vec<String>) {
        for filter in filters {
            let queued = match &self.client {
                Client::V5(client) => client.try_unsubscribe(filter).is_ok(),
                Client::V4(client) => client.try_unsubscribe(filter).is_ok(),
            };
            if !queued {
                return;
            }
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Notes that the publish which is next has gone out as that packet.
    pub(crate) fn written(&self, packet: u16) -> Option<Publication> {
        let mut under_way = self.under_way();
        let publication = under_way.handed.pop_front()?;
        under_way.passed += 1;
        let publication = publication?;
        under_way.written.insert(packet, (publication.clone(), Instant::now()));
        Some(publication)
    }

    /// The publish that a PUBACK is for, and how long the broker took.
    pub(crate) fn acknowledged(&self, packet: u16) -> Option<(Publication, Duration)> {
        let (publication, written) = self.under_way().written.remove(&packet)?;
        Some((publication, written.elapsed()))
    }

    /// The connection has ended: the publishes of which not a byte has left. They are in order, and the library writes
    /// them in that order.
    pub(crate) fn take_unsent(&self) -> Vec<Publication> {
        let mut under_way = self.under_way();
        under_way.ended = true;
        let written_publishes = self.written_publishes.count().saturating_sub(under_way.passed);
        let written_publishes = usize::try_from(written_publishes).unwrap_or(usize::MAX).min(under_way.handed.len());
        under_way.handed.split_off(written_publishes).into_iter().flatten().collect()
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock()
    }
}

/// The size of the PUBLISH packet, rounded up: MQTT 5 section 3.3 with our properties.
fn packet_size(outbound: &Outbound) -> usize {
    let fixed = 5 + 2 + 2 + 4;
    let response_topic = outbound.response_topic.as_ref().map_or(0, |topic| 3 + topic.len());
    let properties = 2 + 5 + response_topic + 3 + outbound.correlation.len() + 3 + outbound.content_type.len();
    fixed + outbound.topic.len() + properties + outbound.payload.len()
}
