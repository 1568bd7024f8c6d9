//! Wilco's JSON over MQTT.

mod answer;
mod damaged;
mod log;
mod report;
mod request;

use wilco_ledger::{DeviceId, Timestamp};

use crate::{Channel, DecodedMessage, Filter, Inbound, Outbound, Request, Topics, Unreadable, words};

pub(crate) use answer::PlainAnswers;
pub(crate) use report::{MOST_TAGS, short};
pub(crate) use request::{observe_broadcast, observe_text};

/// The largest payload that is decoded, in bytes. AWS accepts 128 KiB, other brokers a configured size.
pub(crate) const LARGEST: usize = 512 * 1024;

pub(crate) const JSON: &str = "application/json";

pub(crate) const SPOKEN: PlainAnswers = PlainAnswers {
    outcome: words::leading_outcome,
    otherwise: "it is neither a JSON object nor text that begins with 'SUCCESS:' or 'FAILURE:'",
};

pub(crate) fn encode(topics: &Topics, device: &DeviceId, request: &Request<'_>, now: Timestamp) -> Outbound {
    Outbound {
        topic: topics.of(device, Channel::Req),
        payload: request::write(request).into_bytes(),
        correlation: request.id.as_str().as_bytes().to_vec(),
        response_topic: Some(topics.of(device, Channel::Resp)),
        expiry: request.seconds_left(now),
        content_type: JSON,
        kept: None,
    }
}

pub(crate) fn decode(
    topics: &Topics,
    inbound: &Inbound<'_>,
    spoken: PlainAnswers,
) -> Result<Option<DecodedMessage>, Unreadable> {
    if let Some(group) = topics.broadcast(inbound.topic) {
        return Ok(Some(DecodedMessage::Broadcast(observe_broadcast(group, inbound).map(Box::new))));
    }
    let Some((device, channel)) = topics.parse(inbound.topic) else { return Ok(None) };
    let heard = match channel {
        Channel::Resp => return answer::read(&device, inbound, spoken).map(DecodedMessage::Answer).map(Some),
        Channel::Req => request::observe(&device, inbound).map(DecodedMessage::Request).map(Some),
        Channel::Status => report::presence(&device, inbound.payload),
        Channel::State => report::state(&device, inbound.payload),
        Channel::Telemetry => report::telemetry(&device, inbound.payload).map(Some),
        Channel::Log => return log::chunk(&device, inbound),
    };
    heard.map_err(|why| Unreadable::of(device, why))
}

pub(crate) fn filters(topics: &Topics, devices: Option<&[DeviceId]>) -> Vec<Filter> {
    const HEARD: [(Channel, u8, bool); 6] = [
        (Channel::Resp, 1, true),
        (Channel::Status, 0, false),
        (Channel::State, 0, false),
        (Channel::Telemetry, 0, false),
        // Never retained, and a log with a piece missing is no log.
        (Channel::Log, 1, false),
        (Channel::Req, 0, false),
    ];
    HEARD
        .into_iter()
        .flat_map(|(channel, qos, required)| {
            let of_channel: Vec<String> = match devices {
                None => vec![topics.all(channel)],
                Some(devices) => devices.iter().map(|device| topics.of(device, channel)).collect(),
            };
            let others_only = channel == Channel::Req;
            of_channel.into_iter().map(move |filter| Filter { filter, qos, required, others_only })
        })
        .collect()
}

/// A payload as text, without a byte order mark and without the spaces and NULs that C firmware likes to end with.
pub(crate) fn text_of(payload: &[u8]) -> Result<&str, String> {
    if payload.len() > LARGEST {
        return Err(format!("it has {} bytes; the limit is {LARGEST}", payload.len()));
    }
    let text = std::str::from_utf8(payload)
        .map_err(|error| format!("it is not UTF-8 text: invalid byte at position {}", error.valid_up_to()))?;
    Ok(text.trim_start_matches('\u{feff}').trim_matches(|c: char| c.is_whitespace() || c == '\0'))
}
