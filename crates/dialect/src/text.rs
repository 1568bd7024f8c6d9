//! The text dialect: `light: on` is sent unchanged, and `SUCCESS: …` or `FAILURE: …` is the answer.
//!
//! Every other command is sent as Wilco's own JSON, because such firmware repeats the request, and the ID with it.
//! Nothing is guessed here: the ledger decides which command an answer without an ID belongs to.

use serde_json::Value;
use wilco_ledger::{DeviceId, Timestamp, grouped};

use crate::{
    Channel, DecodedMessage, FREE_TEXT, Inbound, Outbound, Request, Topics, Unreadable,
    json::Members,
    wilco::{self, PlainAnswers},
    words,
};

/// The longest free text in bytes: what AWS carries in one message.
const LONGEST: usize = 128 * 1024;

pub(crate) const PLAIN: &str = "text/plain";

pub(crate) const SPOKEN: PlainAnswers = PlainAnswers {
    outcome: words::first_outcome,
    otherwise: "it is neither a JSON object nor text that begins with a word such as SUCCESS or FAILURE",
};

pub(crate) fn encode(topics: &Topics, device: &DeviceId, request: &Request<'_>, now: Timestamp) -> Outbound {
    // Such firmware echoes the request into a text in which the id is looked for: the less is in it, the better.
    let request = &Request { by: None, ..*request };
    let native = wilco::encode(topics, device, request, now);
    match free_text(request.command, request.args) {
        Some(text) => Outbound { payload: text.into_bytes(), content_type: PLAIN, ..native },
        None => native,
    }
}

pub(crate) fn decode(topics: &Topics, inbound: &Inbound<'_>) -> Result<Option<DecodedMessage>, Unreadable> {
    match topics.parse(inbound.topic) {
        // Text firmware may say there what it likes.
        Some((_, Channel::Status | Channel::State | Channel::Telemetry | Channel::Log)) => {
            Ok(wilco::decode(topics, inbound, SPOKEN).unwrap_or_default())
        }
        Some((device, Channel::Req)) => wilco::observe_text(&device, inbound)
            .map(|seen| seen.map(DecodedMessage::Request))
            .map_err(|why| Unreadable::of(device, why)),
        _ => wilco::decode(topics, inbound, SPOKEN),
    }
}

/// Why a free text cannot be sent unchanged, as a sentence.
pub(crate) fn refuses(args: &Members) -> Option<String> {
    if let Some((other, _)) = args.0.iter().find(|(name, _)| name != FREE_TEXT) {
        let other = words::shortened(other, 40);
        return Some(format!("Free text is sent unchanged, so {other:?} beside 'text' would not be sent."));
    }
    let text = match args.get(FREE_TEXT) {
        Some(Value::String(text)) if text.is_empty() => return Some("The free text is empty.".to_owned()),
        Some(Value::String(text)) => text,
        Some(_) => return Some("'text' is not a string. Write {\"text\": \"light: on\"}.".to_owned()),
        None => return Some("There is no free text. Write {\"text\": \"light: on\"}.".to_owned()),
    };
    if text.len() > LONGEST {
        return Some(format!("The free text has {} bytes; the limit is {}.", grouped(text.len()), grouped(LONGEST)));
    }
    let nul = text.find('\0')?;
    Some(format!("The free text has a NUL character at byte {nul}, where firmware would stop reading."))
}

/// The text of a free-text command that can be sent unchanged.
fn free_text(command: &str, args: &str) -> Option<String> {
    if command != FREE_TEXT {
        return None;
    }
    match Members::parse(args).ok()?.get(FREE_TEXT)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}
