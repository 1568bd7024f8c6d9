//! MQTT 5.

use std::pin::Pin;

use rumqttc_v5::{
    AckMode, AsyncClient, Broker, ConnectProperties, Event, EventLoop, MqttOptions, NetworkOptions, Outgoing, Packet,
    PersistedAckMode, PersistedSession, PubAckReason, PublishOptions, PublishProperties, QoS, SessionStore,
    SessionStoreError, SessionStoreKey, SubscribeFilter, SubscribeReasonCode,
};
use wilco_dialect::{Filter, Outbound};
use wilco_ledger::Puback;

use super::{
    Ack, CONNECT_TIMEOUT, ConnackProperties, Denial, Envelope, Message, Properties, RECEIVED_PACKET_LIMIT, Receipt,
    Settings, Subscribed, Wire, broker_refusal::in_words, session::StreamSlot,
};
use crate::refusal::Refusal;

/// Sends CONNECT over an established network connection, and waits for CONNACK.
pub(super) async fn connect(
    settings: &Settings,
    handover: StreamSlot,
) -> Result<(AsyncClient, EventLoop, ConnackProperties), Refusal> {
    let mut options = options(settings);
    options.set_socket_connector(move |_, _| std::future::ready(handover.take()));
    let (client, mut events) = AsyncClient::builder(options).capacity(100_000).build();
    loop {
        if let Event::Incoming(Packet::ConnAck(connack)) = events.poll().await? {
            events.options.clear_session_store();
            let session_present = connack.session_present;
            let connack_properties = connack.properties.map(|properties| ConnackProperties {
                session_present,
                max_packet_size: properties.max_packet_size,
                receive_maximum: properties.receive_max,
                keep_alive: properties.server_keep_alive,
                no_wildcards: properties.wildcard_subscription_available == Some(0),
                qos_0_only: properties.max_qos == Some(0),
            });
            return Ok((
                client,
                events,
                connack_properties.unwrap_or(ConnackProperties { session_present, ..ConnackProperties::default() }),
            ));
        }
    }
}

/// The next packet or event.
pub(super) async fn next(client: &AsyncClient, events: &mut EventLoop) -> Result<Wire, Refusal> {
    Ok(match events.poll().await? {
        Event::Outgoing(Outgoing::Publish(packet)) if packet != 0 => Wire::Written { packet },
        Event::Incoming(Packet::PubAck(ack)) => {
            let reason_string = ack.properties.and_then(|properties| properties.reason_string);
            let puback = match ack.reason {
                PubAckReason::Success => Puback::Accepted { nobody_listening: false },
                PubAckReason::NoMatchingSubscribers => Puback::Accepted { nobody_listening: true },
                refused => Puback::Refused { code: refused as u8, said: reason_string.as_deref().map(Into::into) },
            };
            Wire::Acknowledged { packet: ack.pkid, puback, reason_string }
        }
        Event::Incoming(Packet::Publish(publish)) => {
            let receipt = client.prepare_ack(&publish).map(|ack| Receipt(Ack::V5(ack)));
            let (dup, bytes) = (publish.dup, publish.size());
            let properties = publish.properties.unwrap_or_default();
            Wire::Message(Message {
                topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                payload: publish.payload.to_vec(),
                qos: publish.qos as u8,
                retained: publish.retain,
                correlation: properties.correlation_data.map(|data| data.to_vec()),
                envelope: Box::new(Envelope {
                    dup,
                    bytes,
                    properties: Properties {
                        payload_format: properties.payload_format_indicator,
                        expiry: properties.message_expiry_interval,
                        response_topic: properties.response_topic,
                        content_type: properties.content_type,
                        user: properties.user_properties,
                    },
                }),
                receipt,
                room: None,
            })
        }
        _ => Wire::Other,
    })
}

/// The options of a publish, and what they come to.
pub(super) fn publish_options(outbound: &Outbound) -> PublishOptions {
    PublishOptions::at_least_once().properties(publish_properties(outbound))
}

fn publish_properties(outbound: &Outbound) -> PublishProperties {
    PublishProperties {
        payload_format_indicator: Some(1),
        message_expiry_interval: Some(outbound.expiry),
        response_topic: outbound.response_topic.clone(),
        correlation_data: Some(outbound.correlation.clone().into()).filter(|_| !outbound.correlation.is_empty()),
        content_type: Some(outbound.content_type.to_owned()).filter(|content| !content.is_empty()),
        ..PublishProperties::default()
    }
}

/// Subscribes to these filters, and returns the broker's result for each.
pub(super) async fn subscribe(client: &AsyncClient, filters: &[Filter]) -> Result<Subscribed, Refusal> {
    let wanted = filters.iter().map(|filter| SubscribeFilter {
        nolocal: filter.others_only,
        ..SubscribeFilter::new(filter.filter.clone(), quality(filter.qos))
    });
    let notice = client.subscribe_many_tracked(wanted).await.map_err(|_| Refusal::gone())?;
    let suback = notice.wait_async().await.map_err(|_| Refusal::gone())?;
    let reason_string = suback.properties.and_then(|properties| properties.reason_string);
    let mut subscribed = Subscribed::default();
    for (filter, code) in filters.iter().zip(suback.return_codes) {
        match code {
            SubscribeReasonCode::Success(granted) => subscribed.granted(filter, granted as u8),
            SubscribeReasonCode::WildcardSubscriptionsNotSupported => subscribed.deny(filter, Denial::NoWildcards),
            code => {
                let reason = in_words(code);
                let reason = reason_string.as_ref().map_or(reason.clone(), |said| format!("{reason}: “{said}”"));
                subscribed.deny(filter, Denial::Refused(reason));
            }
        }
    }
    Ok(subscribed)
}

fn options(settings: &Settings) -> MqttOptions {
    // Only a name here: the connection stands already.
    let address = &settings.route.address;
    let mut options = MqttOptions::new(settings.client_id.clone(), Broker::tcp(address.host.clone(), address.port));
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT_TIMEOUT.as_secs());
    let mut properties = ConnectProperties::new();
    properties.session_expiry_interval = Some(settings.session_expiry);
    // Wilco has no use for it. But some brokers give it unasked, and the library takes that for a reason to hang up.
    properties.request_response_info = Some(1);
    options
        .set_network_options(network)
        .set_connect_timeout(CONNECT_TIMEOUT)
        .set_keep_alive(settings.keep_alive)
        .set_connect_properties(properties)
        .set_max_packet_size(Some(RECEIVED_PACKET_LIMIT))
        .set_max_request_batch(100)
        .set_ack_mode(AckMode::Manual)
        .set_outgoing_inflight_upper_limit(settings.send_window);
    options.set_clean_start(settings.session_expiry == 0);
    if settings.session_expiry > 0 {
        options.set_session_store(ResumeWithoutReplay { settings: settings.clone() });
    }
    match (&settings.username, &settings.password) {
        (Some(name), Some(password)) => {
            options.set_credentials(name.clone(), password.to_vec());
        }
        (Some(name), None) => {
            options.set_username(name.clone());
        }
        (None, Some(password)) => {
            options.set_password(password.to_vec());
        }
        (None, None) => {}
    }
    options
}

fn quality(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// Lets the library resume the broker's session as one in which nothing is in progress: what the broker kept for us
/// arrives, and nothing of ours is published a second time unseen by the ledger.
struct ResumeWithoutReplay {
    settings: Settings,
}

impl std::fmt::Debug for ResumeWithoutReplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeWithoutReplay")
    }
}

/// The result that the library's trait requires.
type SessionStoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionStoreError>> + Send + 'a>>;

impl SessionStore for ResumeWithoutReplay {
    fn load<'a>(&'a self, _: &'a SessionStoreKey) -> SessionStoreFuture<'a, Option<PersistedSession>> {
        let session = PersistedSession {
            format_version: 1,
            client_id: self.settings.client_id.clone(),
            clean_start: false,
            session_expiry_interval: Some(self.settings.session_expiry),
            outgoing_inflight_upper_limit: Some(self.settings.send_window),
            ack_mode: PersistedAckMode::Manual,
            last_pkid: 0,
            last_puback: 0,
            replay: Vec::new(),
            incoming_qos2: Vec::new(),
        };
        Box::pin(async move { Ok(Some(session)) })
    }

    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> SessionStoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> SessionStoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// The size of a message of ours as the library counts it.
#[cfg(test)]
pub(super) fn size_of(outbound: &Outbound) -> usize {
    let mut publish = rumqttc_v5::mqttbytes::v5::Publish::new(
        outbound.topic.clone(),
        QoS::AtLeastOnce,
        outbound.payload.clone(),
        Some(publish_properties(outbound)),
    );
    publish.pkid = 1;
    publish.size()
}
