//! Exported connections and exported commands, which other people have written.

#![no_main]

use wilco_engine::fuzzing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    wilco_fuzz::in_a_file(content, fuzzing::exported_connections);
    wilco_fuzz::in_a_file(content, fuzzing::exported_catalogue);
});
