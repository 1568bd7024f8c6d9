//! MQTT 3.1.1.

use rumqttc_v4::{
    AckMode, AsyncClient, Broker, Event, EventLoop, MqttOptions, NetworkOptions, Outgoing, Packet, QoS,
    SubscribeFilter, SubscribeReasonCode,
};
use wilco_dialect::Filter;
use wilco_ledger::Puback;

use super::{
    Ack, CONNECT_TIMEOUT, ConnackProperties, Denial, Envelope, Message, PACKET_LIMIT, Properties, Receipt, Settings,
    Subscribed, Wire, broker_refusal::in_words, session::StreamSlot,
};
use crate::refusal::Refusal;

/// MQTT 3.1.1 section 2.2.3, bytes. In this version a client cannot announce its maximum packet size: refusing a packet
/// would end the connection, and the broker would send it again over the next one, forever.
const LARGEST_PACKET: usize = 268_435_455;

/// Sends CONNECT over an established network connection, and waits for CONNACK.
pub(super) async fn connect(
    settings: &Settings,
    handover: StreamSlot,
) -> Result<(AsyncClient, EventLoop, ConnackProperties), Refusal> {
    let mut options = options(settings);
    options.set_socket_connector(move |_, _| std::future::ready(handover.take()));
    let (client, mut events) = AsyncClient::builder(options).capacity(100_000).build();
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT_TIMEOUT.as_secs());
    events.set_network_options(network);
    loop {
        if let Event::Incoming(Packet::ConnAck(connack)) = events.poll().await? {
            let connack_properties =
                ConnackProperties { session_present: connack.session_present, ..ConnackProperties::default() };
            return Ok((client, events, connack_properties));
        }
    }
}

/// The next packet or event.
pub(super) async fn next(client: &AsyncClient, events: &mut EventLoop) -> Result<Wire, Refusal> {
    Ok(match events.poll().await? {
        Event::Outgoing(Outgoing::Publish(packet)) if packet != 0 => Wire::Written { packet },
        Event::Incoming(Packet::PubAck(ack)) => {
            let puback = Puback::Accepted { nobody_listening: false };
            Wire::Acknowledged { packet: ack.pkid, puback, reason_string: None }
        }
        Event::Incoming(Packet::Publish(publish)) => {
            let receipt = client.prepare_ack(&publish).map(|ack| Receipt(Ack::V4(ack)));
            Wire::Message(Message {
                topic: String::from_utf8_lossy(publish.topic.as_ref()).into_owned(),
                payload: publish.payload.to_vec(),
                qos: publish.qos as u8,
                retained: publish.retain,
                correlation: None,
                envelope: Box::new(Envelope {
                    dup: publish.dup,
                    bytes: publish.size(),
                    properties: Properties::default(),
                }),
                receipt,
                room: None,
            })
        }
        _ => Wire::Other,
    })
}

/// Subscribes to these filters, and returns the broker's result for each.
pub(super) async fn subscribe(client: &AsyncClient, filters: &[Filter]) -> Result<Subscribed, Refusal> {
    let wanted = filters.iter().map(|filter| SubscribeFilter::new(filter.filter.clone(), quality(filter.qos)));
    let notice = client.subscribe_many_tracked(wanted).await.map_err(|_| Refusal::gone())?;
    let suback = notice.wait_async().await.map_err(|_| Refusal::gone())?;
    let mut subscribed = Subscribed::default();
    for (filter, code) in filters.iter().zip(suback.return_codes) {
        match code {
            SubscribeReasonCode::Success(granted) => subscribed.granted(filter, granted as u8),
            code => subscribed.deny(filter, Denial::Refused(in_words(code))),
        }
    }
    Ok(subscribed)
}

fn options(settings: &Settings) -> MqttOptions {
    // Only a name here: the connection stands already.
    let address = &settings.route.address;
    let mut options = MqttOptions::new(settings.client_id.clone(), Broker::tcp(address.host.clone(), address.port));
    options
        .set_keep_alive(settings.keep_alive)
        .set_clean_session(settings.session_expiry == 0)
        .set_max_packet_size(LARGEST_PACKET, PACKET_LIMIT as usize)
        .set_max_request_batch(100)
        .set_ack_mode(AckMode::Manual)
        .set_inflight(settings.send_window);
    match (&settings.username, &settings.password) {
        (Some(name), Some(password)) => {
            options.set_credentials(name.clone(), password.to_vec());
        }
        (Some(name), None) => {
            options.set_username(name.clone());
        }
        // MQTT 3.1.1 section 3.1.2.9: no password without a user name.
        (None, _) => {}
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
