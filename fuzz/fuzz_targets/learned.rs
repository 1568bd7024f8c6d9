//! Messages from which a dialect is learned, one a line: topic, a space, payload. What is proposed is a valid dialect file.

#![no_main]

use wilco_dialect::{DialectFile, Observed, learn};

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let text = String::from_utf8_lossy(content);
    let messages: Vec<_> = text
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let (topic, payload) = line.split_once(' ').unwrap_or((line, ""));
            let at = i64::try_from(number).unwrap_or(0) * 100;
            Observed { at, topic: topic.into(), payload: payload.into(), retained: line.len().is_multiple_of(7) }
        })
        .collect();
    if let Ok(proposal) = learn("mine", &messages) {
        DialectFile::parse(&proposal.file).unwrap_or_else(|wrong| panic!("{wrong:?} in\n{}", proposal.file));
    }
});
