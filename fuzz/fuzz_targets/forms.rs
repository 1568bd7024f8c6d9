//! Topic and payload templates of commands, with arguments: a line with the topic, one with the arguments, the payload.
//! What is not refused comes out as a topic and a JSON that can be sent.

#![no_main]

use std::borrow::Cow;

use serde_json::{Value, json};
use wilco_dialect::{Dialect, Request, Topics};
use wilco_ledger::{CommandId, DeviceId, Timestamp, WireForm};

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let mut parts = content.splitn(3, |byte| *byte == b'\n').map(String::from_utf8_lossy);
    let topic = parts.next().unwrap_or_default();
    let args = arguments(&parts.next().unwrap_or_default());
    let payload = parts.next().map(Cow::into_owned);
    let form = WireForm {
        topic: (!topic.is_empty()).then(|| topic.into()),
        payload: payload.map(Into::into),
        plain: content.len().is_multiple_of(3),
        ..WireForm::default()
    };
    let device = DeviceId::new("pump-7").expect("a device's id");
    let id = CommandId::new("0198c0de-0000-7000-8000-000000000001").expect("a command's id");
    for name in Dialect::NAMES {
        let dialect = Topics::new("cmd").ok().and_then(|topics| Dialect::named(name, topics)).expect("a dialect");
        if dialect.refuses("calibrate", &args).or_else(|| dialect.refuses_form(&form, "calibrate", &args)).is_some() {
            continue;
        }
        let request = Request {
            id: &id,
            command: "calibrate",
            args: &args,
            form: Some(&form),
            issued_at: Timestamp(1_800_000_000_000),
            expires_at: Timestamp(1_800_000_060_000),
            attempt: 1,
            by: None,
        };
        let outbound = dialect.encode(&device, &request, Timestamp(1_800_000_000_000));
        // MQTT 5 section 3.3.2.1: no wildcards in a topic that is published to.
        assert!(!outbound.topic.is_empty() && !outbound.topic.contains(['+', '#', '\0']), "{:?}", outbound.topic);
        if form.payload.is_some() && !form.plain {
            let text = std::str::from_utf8(&outbound.payload).expect("text");
            serde_json::from_str::<Value>(text).expect("JSON");
        }
        let _ = Dialect::form_carries_id(&form);
    }
});

/// A JSON object, as the engine has made sure of: this text, or one with it in it.
fn arguments(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(members)) => Value::Object(members).to_string(),
        _ => json!({ "text": text, "level": 3 }).to_string(),
    }
}
