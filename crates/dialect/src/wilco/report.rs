//! Unsolicited reports of devices: presence, state, measurements.

use serde_json::Value;
use wilco_ledger::{DeviceId, Timestamp};

use super::text_of;
use crate::{
    DecodedMessage, TelemetryRest,
    json::{Members, whole},
    words,
};

/// How many series one message may have.
const MOST_SERIES: usize = 64;
/// How many members that are no measurements are named.
const NAMED: usize = 4;
/// How many tags a device may carry.
pub(crate) const MOST_TAGS: usize = 64;
/// How much is kept of a boot id, a version, a tag or a series' name, in bytes.
const LONGEST_NAME: usize = 128;

/// `None` for an empty payload: that is how a retained message is cleared (MQTT 5 section 3.3.1.3).
pub(super) fn presence(device: &DeviceId, payload: &[u8]) -> Result<Option<DecodedMessage>, String> {
    if payload.is_empty() {
        return Ok(None);
    }
    let text = text_of(payload).map_err(|why| format!("This status is unreadable: {why}."))?;
    let (members, online) = match Members::parse(text) {
        Ok(members) => {
            let online = members.get("online");
            (members, online)
        }
        // Some firmware, and many a last will, says only the word.
        Err(_) => (Members(Vec::new()), Some(Value::from(text.trim_matches('"')))),
    };
    let online = online.as_ref().and_then(is_online).ok_or("This status does not say whether the device is online.")?;
    let name = |member: &str| members.get(member).as_ref().and_then(Value::as_str).map(short);
    let tags = members.get("tags");
    let tags = tags.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(Some(DecodedMessage::Presence {
        device: device.clone(),
        online,
        boot: name("boot"),
        firmware: name("firmware"),
        tags: tags.iter().filter_map(Value::as_str).take(MOST_TAGS).map(short).collect(),
        since: members.get("since").as_ref().and_then(whole).map(Timestamp),
    }))
}

/// `None` for an empty payload, as with [`presence`].
pub(super) fn state(device: &DeviceId, payload: &[u8]) -> Result<Option<DecodedMessage>, String> {
    if payload.is_empty() {
        return Ok(None);
    }
    let members = members(payload, "state report")?;
    Ok(Some(DecodedMessage::State { device: device.clone(), state: members.to_text() }))
}

pub(super) fn telemetry(device: &DeviceId, payload: &[u8]) -> Result<DecodedMessage, String> {
    let members = members(payload, "telemetry")?;
    let at = members.get("at").as_ref().and_then(whole).map(Timestamp);
    let mut series: Vec<(String, f64)> = Vec::new();
    let mut rest = TelemetryRest::default();
    for (name, value) in members.0.iter().filter(|(name, _)| name != "at") {
        let (name, value) = (short(name), number_or_word(value.get()));
        let Some(number) = value.as_f64().filter(|number| number.is_finite()) else {
            let odd = match value {
                Value::Null => &mut rest.empty,
                Value::String(text) if text.trim().parse::<f64>().is_ok() => &mut rest.quoted,
                _ => continue,
            };
            if odd.len() < NAMED {
                odd.push(name);
            }
            continue;
        };
        match series.iter().position(|(known, _)| *known == name) {
            Some(known) => series[known].1 = number,
            None if series.len() < MOST_SERIES => series.push((name, number)),
            None => rest.left_out = rest.left_out.saturating_add(1),
        }
    }
    Ok(DecodedMessage::Telemetry { device: device.clone(), at, series, rest })
}

/// A measurement. A number that no double holds is as good as none.
fn number_or_word(written: &str) -> Value {
    serde_json::from_str(written).unwrap_or_default()
}

fn members(payload: &[u8], what: &str) -> Result<Members, String> {
    let text = text_of(payload).map_err(|why| format!("This {what} is unreadable: {why}."))?;
    Members::parse(text).map_err(|error| format!("This {what} is not a JSON object ({error})."))
}

fn is_online(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(online) => Some(*online),
        Value::Number(number) => Some(number.as_f64()? != 0.0),
        Value::String(word) => match word.trim().to_ascii_lowercase().as_str() {
            "online" | "true" | "on" | "1" => Some(true),
            "offline" | "false" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A name of a device, cut to what is kept.
pub(crate) fn short(text: &str) -> String {
    words::shortened(text, LONGEST_NAME)
}
