//! Requests: encodes ours, and decodes those of other consoles.

use serde_json::{Value, json};
use wilco_ledger::{Delivery, DeviceId, Millis, Policy, Retry, Submission};

use super::text_of;
use crate::{
    Broadcast, FREE_TEXT, Inbound, Request, Topics, catalogue, device_side, device_side::ReceivedRequest, ids,
};

/// The request's JSON, its members in the order of the specification.
pub(super) fn write(request: &Request<'_>) -> String {
    let args = if request.args.trim().is_empty() { "{}" } else { request.args };
    let by = request.by.map(|by| format!(r#","by":{}"#, Value::from(by))).unwrap_or_default();
    format!(
        r#"{{"id":{},"command":{},"args":{args},"issued_at":{},"expires_at":{},"attempt":{}{by}}}"#,
        Value::from(request.id.as_str()),
        Value::from(request.command),
        request.issued_at.0,
        request.expires_at.0,
        request.attempt,
    )
}

/// A command on a device's request topic, from any sender. Nothing in it may make this console send anything.
pub(super) fn observe(device: &DeviceId, inbound: &Inbound<'_>) -> Result<Submission, String> {
    let asked = device_side::read_request(inbound.payload, inbound.correlation)
        .map_err(|malformed| format!("This request is unreadable: {}.", malformed.why))?;
    seen(device, inbound, asked, true)
}

/// The same for requests that may be free text. `None` for one without an ID: it could not be distinguished from
/// another.
pub(crate) fn observe_text(device: &DeviceId, inbound: &Inbound<'_>) -> Result<Option<Submission>, String> {
    if let Ok(asked) = device_side::read_request(inbound.payload, inbound.correlation) {
        return seen(device, inbound, asked, true).map(Some);
    }
    if inbound.retained {
        return Err(retained(FREE_TEXT));
    }
    let text = text_of(inbound.payload).map_err(|why| format!("This request is unreadable: {why}."))?;
    let Some(id) = ids::from_correlation(inbound.correlation) else { return Ok(None) };
    let (command, args) = (FREE_TEXT.to_owned(), json!({ FREE_TEXT: text }).to_string());
    seen(device, inbound, ReceivedRequest { id, command, args, issued_at: None, expires_at: None, by: None }, false)
        .map(Some)
}

/// A command on a broadcast topic, from any sender. `None` where it is unreadable, or retained: then devices receive it
/// again, and it is not known when. So is one to a group whose name no device subscribes to.
pub(crate) fn observe_broadcast(group: Option<&str>, inbound: &Inbound<'_>) -> Option<Broadcast> {
    let is_group = group.is_none_or(|group| Topics::group(group).is_some());
    let asked = device_side::read_request(inbound.payload, inbound.correlation).ok();
    let asked = asked.filter(|_| is_group && !inbound.retained)?;
    let policy = policy(&asked, true);
    Some(Broadcast {
        group: group.map(str::to_owned),
        id: asked.id,
        name: asked.command.into(),
        args: asked.args.into(),
        policy,
        by: asked.by.map(Into::into),
    })
}

fn seen(
    device: &DeviceId,
    inbound: &Inbound<'_>,
    asked: ReceivedRequest,
    answers_carry_ids: bool,
) -> Result<Submission, String> {
    if inbound.retained {
        return Err(retained(&asked.command));
    }
    let policy = policy(&asked, answers_carry_ids);
    Ok(Submission {
        device: device.clone(),
        id: asked.id,
        name: asked.command.into(),
        args: asked.args.into(),
        form: None,
        policy,
        again_of: None,
        rollout: None,
        automatic: false,
        by: asked.by.map(Into::into),
    })
}

fn policy(asked: &ReceivedRequest, answers_carry_ids: bool) -> Policy {
    let known = catalogue::command(&asked.command);
    let lifetime = match (asked.issued_at, asked.expires_at) {
        (Some(issued), Some(expires)) => Some(expires.since(issued)),
        _ => None,
    };
    Policy {
        delivery: Delivery::BrokerHolds,
        timeout: known.map_or(Millis::seconds(10), |kind| kind.timeout),
        time_to_live: lifetime.or(known.map(|kind| kind.time_to_live)).unwrap_or(Millis::seconds(60)),
        retry: Retry { permitted: false, limit: 0, pause: Millis::seconds(1) },
        answer_expected: true,
        answers_carry_ids,
    }
}

fn retained(command: &str) -> String {
    format!("This request ('{command}') is retained, so the device receives it again whenever it reconnects.")
}
