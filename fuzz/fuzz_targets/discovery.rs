//! Discovery messages, as every reader reads them, and templates: a line with the topic, the payload.

#![no_main]

use wilco_dialect::{Devices, Discovery, Inbound, ReaderKind, Template};

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let mut parts = content.splitn(2, |byte| *byte == b'\n');
    let topic = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let payload = parts.next().unwrap_or_default();
    let inbound = Inbound { topic: &topic, payload, qos: 1, retained: true, correlation: None };
    let mut devices = Devices::default();
    for reader in ReaderKind::ALL {
        let mut discovery = Discovery::new(reader, "wilco");
        discovery.read(&inbound).apply(&mut devices);
        discovery.read(&inbound).apply(&mut devices);
    }
    if let Ok(template) = Template::parse(&topic) {
        let made = template.value(&String::from_utf8_lossy(payload));
        assert!(made.is_none_or(|text| text.len() <= 64 * 1024));
    }
});
