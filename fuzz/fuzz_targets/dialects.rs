//! Messages on every topic, as every dialect reads them: a line with the topic, one with the correlation, the payload.

#![no_main]

use wilco_dialect::{Dialect, Heard, Inbound, Reported, Topics, device_side::read_request};

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
            let inbound = Inbound { topic: &topic, payload, qos: 1, retained: content.len().is_multiple_of(2), correlation };
            if let Ok(Some(Heard::State { state, .. })) = dialect.decode(&inbound) {
                let _ = Reported::of(&state);
            }
        }
    }
    let _ = read_request(payload, correlation);
});
