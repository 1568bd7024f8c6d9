//! Internals of this crate for the fuzz targets; compiled only for them.

use wilco_ledger::{CommandId, DeviceId, Event, Timestamp};

use crate::{Cursor, fact, mark, samples};

/// Reads the JSON of a fact and the payload beside it, as they lie in a database. What can be read is read as it was, once it
/// is written again.
pub fn stored_fact(text: &str, payload: Option<&[u8]>) {
    let (Ok(device), Ok(id)) = (DeviceId::new("pump-7"), CommandId::new("c1")) else { return };
    let read = |text: &str, payload| fact::read(text, payload, &device, Some(&id));
    let Ok(read_once) = read(text, payload.map(<[u8]>::to_vec)) else { return };
    let event = Event { device: device.clone(), command: Some(id.clone()), at: Timestamp(0), fact: read_once };
    let Ok((written, payload)) = fact::write(&event, None) else { panic!("it cannot be written: {event:?}") };
    let again = read(&written, payload.map(<[u8]>::to_vec)).ok();
    assert_eq!(again, Some(event.fact), "{written}");
}

/// Reads a block of measurements, the file beside a database, and a place in the history.
pub fn stored_bytes(bytes: &[u8]) {
    samples::read(0, bytes, |_, _, _| {});
    mark::read_bytes(bytes);
    if let Some(cursor) = std::str::from_utf8(bytes).ok().and_then(Cursor::parse) {
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
    }
}
