//! Lines on the local socket, in both directions.

#![no_main]

use wilco_engine::fuzzing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| fuzzing::local_socket(&String::from_utf8_lossy(content)));
