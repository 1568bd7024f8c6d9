//! PKCS#12 files, with and without a checksum in front of what is decoded.

#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| wilco_fuzz::bring(content));
