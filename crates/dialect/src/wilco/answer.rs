//! Decodes answers of devices leniently: consoles are updated more often than devices, so the console adapts.

use serde_json::Value;
use wilco_ledger::{Answer, Claim, DeviceId, Outcome, Raw, Timestamp};

use super::{damaged::Readable, text_of};
use crate::{
    Inbound, Unreadable, ids,
    json::{Members, canonical, whole},
    words,
};

/// How much of a device's sentence is kept, in bytes. The whole message is kept as evidence anyway.
pub(super) const LONGEST_MESSAGE: usize = 16 * 1024;

/// How answers that are no JSON are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlainAnswers {
    /// The outcome that a text begins with.
    pub(crate) outcome: fn(&str) -> Option<Outcome>,
    /// The problem of a text without such a word, as part of a sentence.
    pub(crate) otherwise: &'static str,
}

/// The content of an answer, without its origin.
pub(super) struct AnswerContent {
    pub(super) claim: Claim,
    pub(super) outcome: Outcome,
    pub(super) progress: Option<u8>,
    pub(super) message: Option<String>,
    pub(super) result: Option<String>,
    pub(super) at: Option<Timestamp>,
}

/// An answer. One of which only the id and the status can be read counts anyway.
pub(super) fn read(device: &DeviceId, inbound: &Inbound<'_>, spoken: PlainAnswers) -> Result<Answer, Unreadable> {
    let said = said(inbound.payload, spoken).or_else(|why| {
        let readable = Readable::of(inbound);
        let id = readable.id();
        readable.said(&why, spoken).ok_or_else(|| {
            let why = format!("This answer is unreadable: {why}.");
            Unreadable { device: Some(device.clone()), why, id }
        })
    })?;
    Ok(Answer {
        device: device.clone(),
        claim: said.claim,
        correlation: ids::from_correlation(inbound.correlation),
        outcome: said.outcome,
        progress: said.progress,
        message: said.message.map(Into::into),
        result: said.result.map(Into::into),
        said_at: said.at,
        retained: inbound.retained,
        raw: Raw { topic: inbound.topic.into(), payload: inbound.payload.into(), qos: inbound.qos, cut: None },
    })
}

fn said(payload: &[u8], spoken: PlainAnswers) -> Result<AnswerContent, String> {
    let text = text_of(payload)?;
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    match Members::parse(text) {
        Ok(members) => from_members(&members),
        Err(error) => from_text(text, spoken).ok_or_else(|| match text.as_bytes().first() {
            Some(b'{') => format!("it is not valid JSON ({error})"),
            _ => spoken.otherwise.to_owned(),
        }),
    }
}

fn from_members(members: &Members) -> Result<AnswerContent, String> {
    let outcome = match members.get("status") {
        None => return Err("it has no status".to_owned()),
        Some(Value::String(word)) => words::outcome(&word).ok_or_else(|| {
            let word = words::shortened(&word, 40);
            format!("its status {word:?} is not accepted, running, succeeded, failed or rejected")
        })?,
        Some(_) => return Err("its status is not a string".to_owned()),
    };
    let claim = match ids::from_member(members.text("id"))? {
        Some(id) => Claim::Id(id),
        None => Claim::Nothing,
    };
    Ok(AnswerContent {
        claim,
        outcome,
        progress: members.get("progress").filter(|_| outcome == Outcome::Running).as_ref().and_then(percent),
        message: members.text("message").map(sentence).filter(|message| !message.trim().is_empty()),
        result: members.text("result").map(canonical),
        at: members.get("at").as_ref().and_then(whole).map(Timestamp),
    })
}

/// A plain text such as `SUCCESS: …`, also as a JSON string. The request's id may be anywhere in it.
fn from_text(text: &str, spoken: PlainAnswers) -> Option<AnswerContent> {
    let unquoted: Option<String> = serde_json::from_str(text).ok();
    let text = unquoted.as_deref().unwrap_or(text).trim();
    Some(AnswerContent {
        outcome: (spoken.outcome)(text)?,
        claim: Claim::Within(words::shortened(text, LONGEST_MESSAGE).into()),
        progress: None,
        message: Some(words::shortened(text, LONGEST_MESSAGE)),
        result: None,
        at: None,
    })
}

fn sentence(written: &str) -> String {
    let text = serde_json::from_str::<String>(written).unwrap_or_else(|_| canonical(written));
    words::shortened(&text, LONGEST_MESSAGE)
}

fn percent(value: &Value) -> Option<u8> {
    let percent = match value {
        Value::String(text) => whole(&Value::from(text.trim().trim_end_matches('%')))?,
        other => whole(other)?,
    };
    u8::try_from(percent.clamp(0, 100)).ok()
}
