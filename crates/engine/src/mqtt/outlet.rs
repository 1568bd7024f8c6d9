//! The way out of one network connection.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use wilco_dialect::{Filter, Outbound};
use wilco_ledger::{CommandId, DeviceId, Puback};

use super::{Receipt, v5};
use crate::refusal::Refusal;

/// Publishes, subscribes and acknowledges over one network connection. Cheap to clone; useless once that connection
/// has ended.
#[derive(Clone)]
pub(crate) struct Outlet {
    client: Client,
    under_way: Arc<Mutex<UnderWay>>,
    max_packet_size: u32,
}

/// One send of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publication {
    pub(crate) device: DeviceId,
    pub(crate) id: CommandId,
    pub(crate) attempt: u32,
}

#[derive(Clone)]
pub(super) enum Client {
    V5(rumqttc_v5::AsyncClient),
    V4(rumqttc_v4::AsyncClient),
}

/// What has been handed to the library. It writes publishes in the order in which it got them, so the first that is not
/// yet on the wire is the one that is written next.
#[derive(Default)]
struct UnderWay {
    handed: VecDeque<Publication>,
    written: HashMap<u16, (Publication, Instant)>,
}

impl Outlet {
    pub(super) fn new(client: Client, max_packet_size: u32) -> Outlet {
        Outlet { client, under_way: Arc::default(), max_packet_size }
    }

    /// Hands a publish to the library.
    ///
    /// # Errors
    /// What became of it, when it provably did not go out.
    pub(crate) fn publish(&self, publication: Publication, outbound: Outbound) -> Result<(), Puback> {
        let bytes = packet_size(&outbound);
        if bytes > self.max_packet_size as usize {
            return Err(Puback::TooLarge { bytes });
        }
        let mut under_way = self.under_way();
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
        if !taken {
            return Err(Puback::NotTaken);
        }
        under_way.handed.push_back(publication);
        Ok(())
    }

    /// PUBACKs a message. A connection that has ended in the meantime is no loss: the broker sends it again.
    pub(crate) fn acknowledge(&self, receipt: Receipt) {
        let queued = match (&self.client, receipt) {
            (Client::V5(client), Receipt::V5(ack)) => client.try_manual_ack(ack).is_ok(),
            (Client::V4(client), Receipt::V4(ack)) => client.try_manual_ack(ack).is_ok(),
            (Client::V5(_), Receipt::V4(_)) | (Client::V4(_), Receipt::V5(_)) => false,
        };
        if !queued {
            tracing::debug!("a PUBACK was not sent: its connection has ended");
        }
    }

    /// Says good-bye, so that the broker does not take our going for a fault.
    pub(crate) async fn disconnect(&self) {
        let patience = Duration::from_secs(2);
        let sent = match &self.client {
            Client::V5(client) => client.disconnect_with_timeout(patience).await.is_ok(),
            Client::V4(client) => client.disconnect_with_timeout(patience).await.is_ok(),
        };
        tracing::debug!(sent, "said good-bye");
    }

    /// Asks for these filters and says which of them were refused, and why.
    pub(crate) async fn subscribe(&self, filters: &[Filter]) -> Result<Vec<(Filter, String)>, Refusal> {
        match &self.client {
            Client::V5(client) => v5::subscribe(client, filters).await,
            Client::V4(client) => super::v4::subscribe(client, filters).await,
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Notes that the publish which is next has gone out as that packet.
    pub(crate) fn written(&self, packet: u16) -> Option<Publication> {
        let mut under_way = self.under_way();
        let publication = under_way.handed.pop_front()?;
        under_way.written.insert(packet, (publication.clone(), Instant::now()));
        Some(publication)
    }

    /// The publish that a PUBACK is for, and how long the broker took.
    pub(crate) fn acknowledged(&self, packet: u16) -> Option<(Publication, Duration)> {
        let (publication, written) = self.under_way().written.remove(&packet)?;
        Some((publication, written.elapsed()))
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The size of the PUBLISH packet, rounded up: MQTT 5 section 3.3 with our properties.
fn packet_size(outbound: &Outbound) -> usize {
    let fixed = 5 + 2 + 2 + 4;
    let properties =
        2 + 5 + 3 + outbound.response_topic.len() + 3 + outbound.correlation.len() + 3 + outbound.content_type.len();
    fixed + outbound.topic.len() + properties + outbound.payload.len()
}
