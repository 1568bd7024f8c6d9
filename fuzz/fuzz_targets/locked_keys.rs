//! Private keys locked with a passphrase that is known.

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| wilco_fuzz::bring(content));
