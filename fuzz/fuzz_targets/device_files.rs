//! Devices as a CSV file, to be imported or as a list.

#![no_main]

use wilco_engine::fuzzing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    wilco_fuzz::in_a_file(content, fuzzing::device_file);
    fuzzing::device_list(&String::from_utf8_lossy(content));
});
