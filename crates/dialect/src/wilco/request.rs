//! Requests: how ours are written, and how another console's are read.

use serde_json::Value;
use wilco_ledger::{Delivery, DeviceId, Millis, Policy, Retry, Submission};

use crate::{Inbound, Request, catalogue, device_side};

/// The request's JSON, its members in the order of the specification.
pub(super) fn write(request: &Request<'_>) -> String {
    let args = if request.args.trim().is_empty() { "{}" } else { request.args };
    format!(
        r#"{{"id":{},"command":{},"args":{args},"issued_at":{},"expires_at":{},"attempt":{}}}"#,
        Value::from(request.id.as_str()),
        Value::from(request.command),
        request.issued_at.0,
        request.expires_at.0,
        request.attempt,
    )
}

/// A command on a device's request topic, whoever sent it. Nothing in it may make this console send anything.
pub(super) fn observe(device: &DeviceId, inbound: &Inbound<'_>) -> Result<Submission, String> {
    let asked = device_side::read_request(inbound.payload, inbound.correlation)
        .map_err(|malformed| format!("This request cannot be read: {}.", malformed.why))?;
    if inbound.retained {
        return Err(format!(
            "This request ('{}') is retained, so the device is given it again at every reconnect.",
            asked.command
        ));
    }
    let known = catalogue::command(&asked.command);
    let lifetime = match (asked.issued_at, asked.expires_at) {
        (Some(issued), Some(expires)) => Some(expires.since(issued)),
        _ => None,
    };
    Ok(Submission {
        device: device.clone(),
        id: asked.id,
        name: asked.command.into(),
        args: crate::json::canonical(&asked.args).into(),
        policy: Policy {
            delivery: Delivery::BrokerHolds,
            timeout: known.map_or(Millis::seconds(10), |kind| kind.timeout),
            time_to_live: lifetime.or(known.map(|kind| kind.time_to_live)).unwrap_or(Millis::seconds(60)),
            retry: Retry { permitted: false, limit: 0, pause: Millis::seconds(1) },
            answer_expected: true,
            answers_carry_ids: true,
        },
        again_of: None,
    })
}
