//! Bytes from the network before anything else reads them: a broker's packets, its first and its last bytes, and the head of
//! a proxy's answer.

#![no_main]

use wilco_engine::fuzzing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    fuzzing::broker(content);
    fuzzing::proxy(content);
});
