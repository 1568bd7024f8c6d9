//! The device's side of the protocol: reads requests, writes answers and reports.
//!
//! It is here so that both sides are described in one place. It makes no decisions: whether a request has expired, is
//! known or is allowed is up to the firmware.

mod log;

use std::iter;

use serde_json::{Map, Value, json};
use wilco_ledger::{CommandId, Millis, Outcome, Timestamp};

use crate::{
    ids,
    json::{self, Members, whole},
    wilco::text_of,
    words,
};

pub use log::{cut_log, write_log_chunk};

/// A request as decoded by a device.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedRequest {
    /// The command ID, from the payload or else from Correlation Data.
    pub id: CommandId,
    /// The command's name.
    pub command: String,
    /// Its arguments, a JSON object with its original digits.
    pub args: String,
    /// When it was submitted, by the console's clock.
    pub issued_at: Option<Timestamp>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// The operator in the request, truncated to 64 characters. Anyone can write any name there.
    pub by: Option<String>,
}

/// The maximum length of an operator name, in characters.
pub const OPERATOR_LIMIT: usize = 64;

/// A request that a device cannot process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Malformed {
    /// The ID for the answer, if it is readable.
    pub id: Option<CommandId>,
    /// The problem, as part of a sentence: "it is not JSON".
    pub why: String,
}

/// Decodes a message on `{device}/req`.
///
/// # Errors
/// [`Malformed`], with the id if there is one.
pub fn read_request(payload: &[u8], correlation: Option<&[u8]>) -> Result<ReceivedRequest, Malformed> {
    let correlated = ids::from_correlation(correlation);
    let malformed = |id: Option<CommandId>, why: String| Malformed { id: id.or(correlated.clone()), why };
    let text = text_of(payload).map_err(|why| malformed(None, why))?;
    let members =
        Members::parse(text).map_err(|error| malformed(None, format!("it is not a JSON object ({error})")))?;
    let id = ids::from_member(members.text("id")).map_err(|why| malformed(None, why))?;
    let Some(id) = id.or(correlated.clone()) else {
        return Err(malformed(None, "it has no ID".to_owned()));
    };
    let wrong = |why: &str| malformed(Some(id.clone()), why.to_owned());
    let command = match members.get("command") {
        Some(Value::String(name)) if !name.is_empty() => words::shortened(&name, 200),
        Some(_) => return Err(wrong("its command is not a valid name")),
        None => return Err(wrong("it has no command")),
    };
    let args = match members.text("args") {
        None => "{}".to_owned(),
        Some(args) if args.starts_with('{') => json::value_of(args),
        Some(_) => return Err(wrong("its args are not a JSON object")),
    };
    let time = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(value) => match whole(&value) {
            Some(time) => Ok(Some(Timestamp(time))),
            None => Err(wrong(&format!("its {name} is not a time in milliseconds"))),
        },
    };
    // An invalid name is no reason to refuse the request.
    let by = match members.get("by") {
        Some(Value::String(by)) => Some(by.trim().chars().take(OPERATOR_LIMIT).collect()),
        _ => None,
    };
    let by = by.filter(|by: &String| !by.is_empty());
    Ok(ReceivedRequest {
        command,
        args,
        issued_at: time("issued_at")?,
        expires_at: time("expires_at")?,
        id: id.clone(),
        by,
    })
}

/// An answer from a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The command ID; `None` if the request's ID is unreadable.
    pub id: Option<CommandId>,
    /// The outcome.
    pub outcome: Outcome,
    /// Progress, 0 … 100 %, with [`Outcome::Running`].
    pub progress: Option<u8>,
    /// A message for users.
    pub message: Option<String>,
    /// The result of the command.
    pub result: Option<Value>,
    /// The time of the device's clock.
    pub at: Timestamp,
}

/// The payload of an answer for `{device}/resp`.
#[must_use]
pub fn write_response(response: &Response) -> Vec<u8> {
    in_order([
        ("id", response.id.as_ref().map(|id| id.as_str().into())),
        ("status", Some(words::word(response.outcome).into())),
        ("progress", response.progress.map(Value::from)),
        ("message", response.message.as_deref().map(Value::from)),
        ("result", response.result.clone()),
        ("at", Some(response.at.0.into())),
    ])
}

/// The status of a device when it comes online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Online<'a> {
    /// The boot ID, which differs for each start of the device.
    pub boot: &'a str,
    /// Its firmware's version.
    pub firmware: &'a str,
    /// Its tags.
    pub tags: &'a [String],
    /// Since when, by the device's clock.
    pub since: Timestamp,
}

/// The retained payload for `{device}/status` of an online device.
#[must_use]
pub fn write_online(online: &Online<'_>) -> Vec<u8> {
    in_order([
        ("online", Some(true.into())),
        ("boot", Some(online.boot.into())),
        ("firmware", Some(online.firmware.into())),
        ("tags", Some(online.tags.into())),
        ("since", Some(online.since.0.into())),
    ])
}

/// The retained payload for `{device}/status` of a device that disconnects, and its last will. It includes firmware and
/// tags, because a console that connects later receives nothing else.
#[must_use]
pub fn write_offline(firmware: &str, tags: &[String]) -> Vec<u8> {
    in_order([("online", Some(false.into())), ("firmware", Some(firmware.into())), ("tags", Some(tags.into()))])
}

/// A device's state report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State<'a> {
    /// Whether the LED is on.
    pub led: bool,
    /// The LED blinks for a while, whatever its state, so that a person can find the device.
    pub identifying: bool,
    /// The telemetry interval; `None` for no telemetry.
    pub telemetry_interval: Option<Millis>,
    /// The running configuration.
    pub running: &'a Map<String, Value>,
    /// The configuration after the next restart.
    pub saved: &'a Map<String, Value>,
}

impl State<'_> {
    /// As a JSON object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "led": self.led,
            "identifying": self.identifying,
            "telemetry_interval_ms": self.telemetry_interval.map(|interval| interval.0),
            "running": self.running,
            "saved": self.saved,
        })
    }
}

/// The retained payload for `{device}/state`.
#[must_use]
pub fn write_state(state: &State<'_>) -> Vec<u8> {
    state.to_value().to_string().into_bytes()
}

/// The payload for `{device}/telemetry`, its members in the given order.
#[must_use]
pub fn write_telemetry(at: Timestamp, series: &[(&str, f64)]) -> Vec<u8> {
    let numbers = series.iter().filter(|(_, number)| number.is_finite());
    in_order(iter::once(("at", Some(at.0.into()))).chain(numbers.map(|(name, number)| (*name, Some((*number).into())))))
}

/// A JSON object with its members in the given order. (A `serde_json` map sorts them.)
fn in_order<'a>(members: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Vec<u8> {
    let members: Vec<String> =
        members.into_iter().filter_map(|(name, value)| Some(format!("{}:{}", Value::from(name), value?))).collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}
