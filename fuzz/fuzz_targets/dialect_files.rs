//! Dialect files, and what they make of a topic and a payload, also in a preview: the file, a line with `===`, a line with the
//! topic, the payload.

#![no_main]

use wilco_dialect::{
    CommandToEncode, Context, Devices, DialectFile, DialectSet, Inbound, KnownDevice, Observed, Topics, WireIds, preview,
};
use wilco_ledger::{CommandId, DeviceId};

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let text = String::from_utf8_lossy(content);
    let (file, message) = text.split_once("\n===\n").unwrap_or((&text, ""));
    let Ok(file) = DialectFile::parse(file) else { return };
    let name = file.name().to_owned();
    let (topic, payload) = message.split_once('\n').unwrap_or((message, ""));
    let observed = Observed { at: 0, topic: topic.into(), payload: payload.into(), retained: false };
    assert_eq!(preview(&file, &[observed]).len(), 1);
    let set = DialectSet::new([file], &Topics::default());
    let id = DeviceId::new("device-1").expect("a device id");
    let device = KnownDevice::new(id, &name, "hall/device-1");
    let mut devices = Devices::default();
    devices.insert(device.clone());
    let wire_ids = WireIds::default();
    let inbound = Inbound { topic, payload: payload.as_bytes(), qos: 1, retained: false, correlation: None };
    let _ = set.decode(&inbound, &Context { devices: &devices, wire_ids: &wire_ids });
    let command = CommandId::new("c1").expect("a command id");
    let asking = CommandToEncode { device: &device, command: topic, args: payload };
    if let Ok(message) = set.encode(&asking, &devices, &command, "7") {
        assert!(!message.topic.contains(['+', '#', '\0']));
    }
    let _ = set.filters(&devices, &wilco_dialect::Subscriptions::default());
});
