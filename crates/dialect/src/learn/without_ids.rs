//! The most likely request and answer among messages that share no ID: for firmware that answers with words, or reports
//! the value that was sent.

use std::collections::{BTreeMap, HashSet};

use crate::json::ExactValue;

use super::{
    ANSWERED_WITHIN, MOST_ANSWERS, Observed, fields::Fields, object, outcomes::says_outcome, shared_level, shown,
    template,
};

/// Levels of topics that requests have and answers have not.
const ASKING: [&str; 18] = [
    "ask", "call", "cmd", "cmnd", "command", "commands", "control", "do", "down", "get", "in", "req", "request",
    "requests", "rpc", "set", "to", "write",
];
/// An answer within this time is more likely one, milliseconds.
const AT_ONCE: i64 = 1_000;
/// The most messages after a request among which its answer is looked for.
const MOST_LATER: usize = 200;

/// The first pair of the topics that look most like a request and its answer; `None` where none do.
pub(super) fn likeliest<'a>(live: &[&'a Observed]) -> Option<(&'a Observed, &'a Observed)> {
    let read: Vec<Option<ExactValue>> = live.iter().map(|one| object(&one.payload)).collect();
    // By the topics of a pair without the device: how much speaks for it, and its first request and answer.
    let mut seen: BTreeMap<(String, String), (u32, (usize, usize))> = BTreeMap::new();
    for (place, &request) in live.iter().enumerate() {
        let mut topics = HashSet::from([request.topic.as_str()]);
        let later = live.iter().enumerate().skip(place + 1).take(MOST_LATER);
        let soon = later.take_while(|(_, one)| one.at - request.at <= ANSWERED_WITHIN);
        // Of each topic, the next message.
        for (other, &answer) in soon.filter(|(_, one)| topics.insert(&one.topic)).take(MOST_ANSWERS) {
            let Some(device) = shared_level(&request.topic, &answer.topic) else { continue };
            let echoes = is_echo((request, read[place].as_ref()), (answer, read[other].as_ref()));
            let weight = weight(request, answer, echoes);
            if weight > 0 {
                let shape = (template(&request.topic, &device), template(&answer.topic, &device));
                seen.entry(shape).or_insert((0, (place, other))).0 += weight;
            }
        }
    }
    let first =
        |(weight, (request, answer)): &(u32, (usize, usize))| (*weight, usize::MAX - request, usize::MAX - answer);
    let (_, (request, answer)) = seen.into_values().max_by_key(first)?;
    Some((live[request], live[answer]))
}

/// How much speaks for a request and its answer.
fn weight(request: &Observed, answer: &Observed, echoes: bool) -> u32 {
    let asks = |message: &Observed| message.topic.split('/').any(|level| ASKING.contains(&&*level.to_lowercase()));
    if asks(answer) {
        return 0;
    }
    let by_payload = if echoes || says_outcome(answer) { 3 } else { 0 };
    let by_topic = if asks(request) { 2 } else { 0 };
    let by_time = u32::from(answer.at - request.at <= AT_ONCE);
    if by_payload + by_topic == 0 { 0 } else { by_payload + by_topic + by_time }
}

/// Whether two texts with fields have one in common that can name a command.
fn share_a_field(sent: &str, reported: &str) -> bool {
    let (Some(sent), Some(reported)) = (Fields::of(sent), Fields::of(reported)) else { return false };
    let has_digit = |field: &&&str| field.bytes().any(|byte| byte.is_ascii_digit());
    sent.fields.iter().filter(has_digit).any(|field| reported.fields.contains(field))
}

/// Whether the second message reports a value that the first one asks for.
fn is_echo(
    (request, asked): (&Observed, Option<&ExactValue>),
    (answer, said): (&Observed, Option<&ExactValue>),
) -> bool {
    let has = |said: &ExactValue, text: &str| {
        said.members().iter().any(|(_, value)| shown(value).is_some_and(|shown| shown.eq_ignore_ascii_case(text)))
    };
    let (sent, reported) = (request.payload.trim(), answer.payload.trim());
    match (asked, said) {
        (Some(asked), Some(said)) => {
            let is_plain = |value: &ExactValue| !value.is_object() && *value != ExactValue::Null;
            asked.members().iter().any(|(name, value)| is_plain(value) && said.get(name) == Some(value))
        }
        (Some(asked), None) => has(asked, reported),
        (None, Some(said)) => has(said, sent),
        (None, None) => (!sent.is_empty() && sent.eq_ignore_ascii_case(reported)) || share_a_field(sent, reported),
    }
}
