//! The payload format of a device: Wilco's own JSON, or plain text as in the simplest firmware.
//!
//! Text is limited: it has only a final answer, which can be matched only by the request that it echoes.

use serde_json::{Value, json};
use wilco_ledger::Outcome;

/// The payload format of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadFormat {
    /// Requests and answers are JSON.
    #[default]
    Json,
    /// Requests are plain text, or JSON as well; answers are `SUCCESS: …` or `FAILURE: …`.
    Text,
}

/// The maximum length of an echoed request, in bytes.
const ECHOED: usize = 4 * 1024;

impl PayloadFormat {
    /// The payload format of the dialect with this name.
    #[must_use]
    pub fn named(dialect: &str) -> Option<PayloadFormat> {
        match dialect {
            "wilco" => Some(PayloadFormat::Json),
            "text" => Some(PayloadFormat::Text),
            _ => None,
        }
    }
}

/// A request as the answer echoes it.
pub(crate) fn echo_of(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    text[..text.floor_char_boundary(ECHOED)].to_owned()
}

/// The answer to a text that the device does not understand.
const UNDERSTOOD: &str = "This device supports 'light: on', 'light: off', 'restart', 'telemetry: 500' (milliseconds), \
     'identify' and 'identify: 5' (seconds).";

/// The command and the arguments in a plain text.
///
/// # Errors
/// A sentence that says why the device refuses it.
pub(crate) fn understand(text: &str) -> Result<(&'static str, Value), String> {
    let mut words = text.split(|c: char| c.is_whitespace() || c == ':' || c == '\0').filter(|word| !word.is_empty());
    let words = [words.next(), words.next(), words.next()].map(|word| word.map(str::to_lowercase));
    match words.each_ref().map(Option::as_deref) {
        [Some("light"), Some("on"), None] => Ok(("led", json!({ "on": true }))),
        [Some("light"), Some("off"), None] => Ok(("led", json!({ "on": false }))),
        [Some("restart"), None, None] => Ok(("restart", json!({}))),
        [Some("telemetry"), Some(number), None] => Ok(("telemetry.set", json!({ "interval_ms": whole(number)? }))),
        [Some("identify"), None, None] => Ok(("identify", json!({}))),
        [Some("identify"), Some(number), None] => Ok(("identify", json!({ "seconds": whole(number)? }))),
        _ => Err(UNDERSTOOD.to_owned()),
    }
}

fn whole(number: &str) -> Result<u64, String> {
    number.parse().map_err(|_| UNDERSTOOD.to_owned())
}

/// The text of an answer; `None` if text cannot express it.
pub(crate) fn say(outcome: Outcome, why: Option<&str>, request: &str) -> Option<String> {
    match outcome {
        Outcome::Accepted | Outcome::Running => None,
        Outcome::Succeeded => Some(format!("SUCCESS: command ran successfully from payload: {request}")),
        Outcome::Failed | Outcome::Rejected => {
            let why = why.map(|why| format!("{why} ")).unwrap_or_default();
            Some(format!("FAILURE: {why}From payload: {request}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{echo_of, understand};

    #[test]
    fn a_free_text_is_understood_or_refused() {
        let check =
            |text: &str, expected: Option<(&str, Value)>| assert_eq!(understand(text).ok(), expected, "{text:?}");
        check("light: on", Some(("led", json!({"on": true}))));
        check("LIGHT:off\r\n", Some(("led", json!({"on": false}))));
        check(" light on\0", Some(("led", json!({"on": true}))));
        check("restart", Some(("restart", json!({}))));
        check("restart now", None);
        check("telemetry: 500", Some(("telemetry.set", json!({"interval_ms": 500}))));
        check("Telemetry 500\n", Some(("telemetry.set", json!({"interval_ms": 500}))));
        check("telemetry", None);
        check("telemetry fast", None);
        check("telemetry: -1", None);
        check("identify", Some(("identify", json!({}))));
        check("identify: 5", Some(("identify", json!({"seconds": 5}))));
        check("identify me", None);
        check("light: on please", None);
        check("lights: on", None);
        check("", None);
    }

    #[test]
    fn an_echo_is_bounded_and_always_text() {
        assert_eq!(echo_of(b"light: on"), "light: on");
        assert_eq!(echo_of(&[0xff]), "\u{fffd}");
        assert_eq!(echo_of("é".repeat(4_000).as_bytes()).len(), 4 * 1024);
    }
}
