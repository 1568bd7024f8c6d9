//! Messages from which a dialect is learned, one a line: topic, a space, payload. Or the first line says which messages were
//! chosen as the request and its answer: a number, or two. What is proposed is a valid dialect file that reads all of them.

#![no_main]

use wilco_dialect::{DialectFile, Observed, Proposal, learn, preview, propose};

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
    let is_valid = |proposal: &Proposal| {
        let file = DialectFile::parse(&proposal.file);
        let file = file.unwrap_or_else(|wrong| panic!("{wrong:?} in\n{}", proposal.file));
        assert_eq!(preview(&file, &messages).len(), messages.len());
    };
    if let Ok(proposal) = learn("mine", &messages) {
        is_valid(&proposal);
    }
    let mut chosen = text.lines().next().unwrap_or_default().split(' ').map(str::parse);
    if let Some(Ok(request)) = chosen.next() {
        let answer = chosen.next().and_then(Result::ok);
        if let Ok(proposal) = propose("mine", &messages, request, answer) {
            // Without an answer, there may be nothing to read yet.
            if answer.is_some() || DialectFile::parse(&proposal.file).is_ok() {
                is_valid(&proposal);
            }
        }
    }
});
