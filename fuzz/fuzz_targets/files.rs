//! Files of any kind: PEM in any encoding, DER of every kind, and what is none.

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| wilco_fuzz::bring(content));
