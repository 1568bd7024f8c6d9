//! What lies in a database that may be damaged: a line with the JSON of a fact, and the payload. The same bytes as a block of
//! measurements, as the mark beside the database, and as a place in the history.

#![no_main]

use wilco_engine::fuzzing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    fuzzing::stored_bytes(content);
    let mut parts = content.splitn(2, |byte| *byte == b'\n');
    let Ok(fact) = str::from_utf8(parts.next().unwrap_or_default()) else { return };
    fuzzing::stored_fact(fact, parts.next());
});
