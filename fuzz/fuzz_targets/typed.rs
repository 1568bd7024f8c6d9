//! What people type or paste: addresses, searches, dialects and topic filters.

#![no_main]

use wilco_engine::fuzzing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let text = String::from_utf8_lossy(content);
    fuzzing::addresses(&text);
    fuzzing::search(&text);
    fuzzing::dialect_and_filter(&text);
});
