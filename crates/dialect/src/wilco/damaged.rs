//! Salvages parts of an unreadable message: one with invalid UTF-8, one that was cut off, or one that is too long.
//!
//! Only complete values count: a text with both of its quotes and without a replaced byte. The caller decides what to
//! do with them.

use serde_json::{Value, value::RawValue};
use wilco_ledger::{Claim, CommandId, Outcome};

use super::{
    LARGEST,
    answer::{AnswerContent, LONGEST_MESSAGE, PlainAnswers},
};
use crate::{Inbound, ids, json, words};

/// Stands for a byte that is no UTF-8.
const REPLACED: char = char::REPLACEMENT_CHARACTER;

/// The readable part of a message.
pub(super) struct Readable {
    text: String,
    members: Vec<(String, Box<RawValue>)>,
    correlation: Option<CommandId>,
}

impl Readable {
    pub(super) fn of(inbound: &Inbound<'_>) -> Readable {
        let beginning = &inbound.payload[..inbound.payload.len().min(LARGEST)];
        let text = String::from_utf8_lossy(beginning);
        let text =
            text.trim_start_matches('\u{feff}').trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned();
        let members = json::whole_members(&text);
        Readable { text, members, correlation: ids::from_correlation(inbound.correlation) }
    }

    /// The command that it is about: by its payload, or by the Correlation Data of MQTT 5, and not if the two disagree.
    pub(super) fn id(&self) -> Option<CommandId> {
        match (self.id_in_payload(), &self.correlation) {
            (Some(id), Some(other)) if id != *other => None,
            (Some(id), _) => Some(id),
            (None, other) => other.clone(),
        }
    }

    /// Reads it as an answer: its ID and its status, if both are readable. `why` is the problem of the rest.
    pub(super) fn said(&self, why: &str, spoken: PlainAnswers) -> Option<AnswerContent> {
        let outcome = self.outcome(spoken)?;
        let claim = match self.id_in_payload() {
            Some(id) => Claim::Id(id),
            None if self.correlation.is_some() => Claim::Nothing,
            None if !ids::uuids_in(&self.text).is_empty() && self.members.is_empty() => {
                Claim::Within(words::shortened(&self.text, LONGEST_MESSAGE).into())
            }
            None => return None,
        };
        let partly = format!("The rest of this answer is unreadable: {why}.");
        let message = match self.member("message") {
            Some(Value::String(text)) => format!("{} ({partly})", words::shortened(&text, LONGEST_MESSAGE)),
            _ => partly,
        };
        Some(AnswerContent { claim, outcome, progress: None, message: Some(message), result: None, at: None })
    }

    fn outcome(&self, spoken: PlainAnswers) -> Option<Outcome> {
        match self.member("status") {
            Some(Value::String(word)) if !word.contains(REPLACED) => words::outcome(&word),
            Some(_) => None,
            // A text, such as `SUCCESS: …` with a byte of another character set in it.
            None if self.members.is_empty() && !self.text.starts_with('{') => (spoken.outcome)(&self.text),
            None => None,
        }
    }

    fn id_in_payload(&self) -> Option<CommandId> {
        let id = ids::from_member(self.written("id")).ok().flatten()?;
        (!id.as_str().contains(REPLACED)).then_some(id)
    }

    fn member(&self, name: &str) -> Option<Value> {
        self.written(name).map(json::approximate)
    }

    fn written(&self, name: &str) -> Option<&str> {
        self.members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::{Claim, Outcome};

    use super::{super::LARGEST, Readable};
    use crate::{Inbound, wilco};

    const ID: &str = "0198f3c2-0000-7000-8000-000000000001";

    /// The readable parts: its ID, and its outcome if it counts as an answer.
    fn check(payload: &[u8], correlation: Option<&str>, id: Option<&str>, outcome: Option<Outcome>) {
        let correlation = correlation.map(str::as_bytes);
        let inbound = Inbound { topic: "d/resp", payload, qos: 1, retained: false, correlation };
        let readable = Readable::of(&inbound);
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(80)]).into_owned();
        assert_eq!(readable.id().as_ref().map(|id| id.as_str()), id, "{shown}");
        let said = readable.said("it is damaged", wilco::SPOKEN);
        assert_eq!(said.map(|said| said.outcome), outcome, "{shown}");
    }

    #[test]
    fn intact_parts_are_read() {
        let succeeded = Some(Outcome::Succeeded);
        check(b"{\"id\":\"7\",\"status\":\"succeeded\",\"message\":\"gr\xfcn\"}", None, Some("7"), succeeded);
        check(br#"{"id":"7","status":"succeeded","result":{"a":"#, None, Some("7"), succeeded);
        check(br#"{"id":7,"status":"failed","mess"#, None, Some("7"), Some(Outcome::Failed));
        check(br#"{"id":"7","status":"succee"#, None, Some("7"), None);
        check(br#"{"id":"7","status":"finished"}"#, None, Some("7"), None);
        check(br#"{"status":"succeeded","id":1"#, None, None, None);
        check(b"{\"id\":\"7\xff\",\"status\":\"succeeded\"}", None, None, None);
        check(b"{\"id\":\"7\",\"status\":\"succ\xffeeded\"}", None, Some("7"), None);
        check(b"hello", None, None, None);
        check(b"\xff\xfe\x00led", Some("7"), Some("7"), None);
        check(b"{\"status\":\"succeeded\",\"message\":\"\xff\"}", Some("7"), Some("7"), succeeded);
        check(b"{\"id\":\"7\",\"status\":\"succeeded\",\"message\":\"\xff\"}", Some("8"), None, succeeded);
    }

    #[test]
    fn of_a_message_that_is_too_long_the_beginning_is_read() {
        let long = format!(r#"{{"id":"7","status":"failed","result":"{}"}}"#, "x".repeat(LARGEST));
        check(long.as_bytes(), None, Some("7"), Some(Outcome::Failed));
        let late = format!(r#"{{"result":"{}","id":"7","status":"failed"}}"#, "x".repeat(LARGEST));
        check(late.as_bytes(), None, None, None);
    }

    #[test]
    fn a_text_in_another_character_set_is_an_answer_where_it_names_the_command() {
        let text = format!("SUCCESS: {ID} ist gr\u{fc}n");
        let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
        let inbound = Inbound { topic: "d/resp", payload: &latin, qos: 1, retained: false, correlation: None };
        let said =
            Readable::of(&inbound).said("a byte is no UTF-8", wilco::SPOKEN).map(|said| (said.outcome, said.claim));
        assert!(matches!(said, Some((Outcome::Succeeded, Claim::Within(text))) if text.contains(ID)));
        check(b"SUCCESS: gr\xfcn", None, None, None);
    }
}
