//! Recorded exchanges, one a line, replayed with the dialects that come with Wilco.

#![no_main]

use wilco_dialect::{Exchange, shipped};

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let text = String::from_utf8_lossy(content);
    let exchanges = text.lines().filter_map(|line| serde_json::from_str::<Exchange>(line).ok());
    for exchange in exchanges.take(4) {
        match exchange.play(shipped()) {
            Ok(played) => assert!(played.wrong.iter().all(|what| !what.is_empty())),
            Err(why) => assert!(!why.is_empty()),
        }
    }
});
