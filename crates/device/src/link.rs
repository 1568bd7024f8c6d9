//! The MQTT options of a device, and what the broker must keep for it.

use rumqttc_v5::{
    AckMode, AsyncClient, EventLoop, LastWill, MqttOptions, NetworkOptions, PersistedAckMode, PersistedSession, QoS,
    SessionStore, SessionStoreKey,
};
use wilco_dialect::{Channel, device_side};

use crate::{device_settings::DeviceSettings, endpoint::Endpoint};

/// The maximum number of publishes without a PUBACK. The library reserves memory for each.
const IN_FLIGHT: u16 = 16;
/// How long the broker keeps requests for an offline device, in seconds.
const SESSION_EXPIRY: u32 = 24 * 60 * 60;
const KEEP_ALIVE: u16 = 30;
const LARGEST_PACKET: u32 = 1 << 20;

pub(crate) fn open(endpoint: &Endpoint, device_settings: &DeviceSettings) -> (AsyncClient, EventLoop) {
    let mut network = NetworkOptions::new();
    // Without it an answer waits up to 40 ms for the acknowledgement of the packet before it.
    network.set_tcp_nodelay(true);
    let will = LastWill::new(
        endpoint.topics.of(&device_settings.id, Channel::Status),
        device_side::write_offline(&device_settings.firmware, &device_settings.tags),
        QoS::AtLeastOnce,
        true,
        None,
    );
    let mut options = MqttOptions::new(device_settings.id.as_str(), (endpoint.host.clone(), endpoint.port));
    options
        .set_transport(endpoint.transport.clone())
        .set_network_options(network)
        .set_keep_alive(KEEP_ALIVE)
        .set_max_packet_size(Some(LARGEST_PACKET))
        .set_outgoing_inflight_upper_limit(IN_FLIGHT)
        // PUBACK and answer leave in one flush.
        .set_max_request_batch(64)
        // A request is acknowledged once it is remembered, not before.
        .set_ack_mode(AckMode::Manual)
        .set_clean_start(false)
        .set_session_expiry_interval(Some(SESSION_EXPIRY))
        .set_session_store(NothingInFlight)
        .set_last_will(will);
    let (client, mut event_loop) = AsyncClient::builder(options).unbounded().build();
    // The library makes room for 128 events, 50 KB for each device of a fleet.
    event_loop.state.events.shrink_to(4);
    (client, event_loop)
}

/// Resumes the broker's session after a restart of the program. Messages in flight then are irrelevant: requests are
/// redelivered and recognised by their IDs, and answers are requested again.
#[derive(Debug)]
struct NothingInFlight;

type Stored<'a, T> =
    std::pin::Pin<Box<dyn Future<Output = Result<T, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>>;

impl SessionStore for NothingInFlight {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> Stored<'a, Option<PersistedSession>> {
        Box::pin(async move {
            Ok(Some(PersistedSession {
                format_version: 1,
                client_id: key.client_id().to_owned(),
                clean_start: false,
                session_expiry_interval: Some(SESSION_EXPIRY),
                outgoing_inflight_upper_limit: Some(IN_FLIGHT),
                ack_mode: PersistedAckMode::Manual,
                last_pkid: 0,
                last_puback: 0,
                replay: Vec::new(),
                incoming_qos2: Vec::new(),
            }))
        })
    }

    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> Stored<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> Stored<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
