//! Messages on every topic, as every dialect reads them: a line with the topic, one with the correlation, the payload.

#![no_main]

use serde_json::value::RawValue;
use wilco_dialect::{
    Challenge, DecodedMessage, Dialect, Inbound, LogChunk, ChunkResult, LogPieces, LogProgress, StateReport, Topics,
    device_side::read_request,
};
use wilco_ledger::DeviceId;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let mut parts = content.splitn(3, |byte| *byte == b'\n');
    let topic = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let correlation = parts.next().filter(|bytes| !bytes.is_empty());
    let payload = parts.next().unwrap_or_default();
    for name in Dialect::NAMES {
        for prefix in ["", "cmd"] {
            let Some(dialect) = Topics::new(prefix).ok().and_then(|topics| Dialect::named(name, topics)) else {
                continue;
            };
            let inbound =
                Inbound { topic: &topic, payload, qos: 1, retained: content.len().is_multiple_of(2), correlation };
            match dialect.decode(&inbound) {
                Ok(Some(DecodedMessage::State { state, .. })) => {
                    let _ = StateReport::of(&state);
                }
                Ok(Some(DecodedMessage::Log { device, chunk })) => put_together(&device, &chunk),
                _ => {}
            }
        }
    }
    let _ = read_request(payload, correlation);
    sign(payload);
});

/// Signs a request where the payload asks for it. The password is in neither form.
fn sign(payload: &[u8]) {
    let Some(challenge) = Challenge::read(payload) else { return };
    let password = "correct horse battery staple";
    let signed = challenge.sign(r#"{"id":"7","method":"Switch.Set"}"#, password, 5, Some(2));
    let (sent, kept) = signed.expect("a JSON object");
    for text in [sent, kept] {
        serde_json::from_str::<Box<RawValue>>(&text).expect("JSON");
        assert!(!text.contains(password) || String::from_utf8_lossy(payload).contains(password), "{text}");
    }
}

/// A piece of a log, twice, and what is said of it.
fn put_together(device: &DeviceId, chunk: &LogChunk) {
    let mut pieces = LogPieces::default();
    pieces.add(device, chunk);
    assert_ne!(pieces.add(device, chunk), ChunkResult::New);
    assert!(LogProgress::of(&[chunk.clone(), chunk.clone()], None).to_string().ends_with('.'));
}
