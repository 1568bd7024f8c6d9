//! What people type or paste: addresses and searches.

#![no_main]

use wilco_engine::fuzzing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let text = String::from_utf8_lossy(content);
    fuzzing::addresses(&text);
    fuzzing::search(&text);
});
