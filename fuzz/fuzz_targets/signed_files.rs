//! Files that another installation has signed: evidence, identities, and approval requests with their answers.

#![no_main]

use wilco_engine::fuzzing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| wilco_fuzz::in_a_file(content, fuzzing::signed_files));
