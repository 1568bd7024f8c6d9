//! Command IDs in payloads: text, number, or part of a text.

use wilco_ledger::CommandId;

/// How much of a text is searched for ids, in bytes.
const SEARCHED: usize = 64 * 1024;
/// How many ids are taken from one text.
const FOUND: usize = 16;
const UUID_LENGTH: usize = 36;

/// UUIDs in a text: the first 16 different ones in the first 64 KiB. Used to look up commands that are not in memory.
#[must_use]
pub fn uuids_in(text: &str) -> Vec<CommandId> {
    let bytes = &text.as_bytes()[..text.len().min(SEARCHED)];
    let mut found: Vec<CommandId> = Vec::new();
    let mut start = 0;
    while start + UUID_LENGTH <= bytes.len() && found.len() < FOUND {
        let end = start + UUID_LENGTH;
        let stands_alone = |at: Option<&u8>| !at.is_some_and(u8::is_ascii_hexdigit);
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        if !is_uuid(&bytes[start..end]) || !stands_alone(before) || !stands_alone(bytes.get(end)) {
            start += 1;
            continue;
        }
        // Plain ASCII, so `start` and `end` are character boundaries.
        if let Ok(id) = CommandId::new(&text[start..end])
            && !found.contains(&id)
        {
            found.push(id);
        }
        start = end;
    }
    found
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// The ID in a member, as JSON text: a string or a number; `Err` is the problem.
pub(crate) fn from_member(written: Option<&str>) -> Result<Option<CommandId>, String> {
    let Some(written) = written else { return Ok(None) };
    let text = match written.as_bytes().first() {
        Some(b'"') => serde_json::from_str(written).map_err(|error| format!("its ID is unreadable ({error})"))?,
        // A number to its last digit.
        Some(b'-' | b'0'..=b'9') => written.to_owned(),
        _ => return Err("its ID is neither text nor a number".to_owned()),
    };
    if text.is_empty() {
        return Ok(None);
    }
    CommandId::new(&text).map(Some).map_err(|error| error.to_string())
}

/// The ID in MQTT 5 Correlation Data. Bytes that are not a valid ID belong to another protocol.
pub(crate) fn from_correlation(correlation: Option<&[u8]>) -> Option<CommandId> {
    CommandId::new(std::str::from_utf8(correlation?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{from_correlation, from_member, uuids_in};

    const A: &str = "0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a";
    const B: &str = "FFFFFFFF-7d1e-7c2a-9c55-1f2e3d4c5b6a";

    #[test]
    fn uuids_are_found_inside_a_text() {
        let check = |text: &str, expected: &[&str]| {
            let found = uuids_in(text);
            assert_eq!(found.iter().map(|id| id.as_str()).collect::<Vec<_>>(), expected, "{text:?}");
        };
        check(A, &[A]);
        check(&format!("SUCCESS: ran b'{{\"id\": \"{A}\"}}'"), &[A]);
        check(&format!("ä{A}ö{B}{{{A}"), &[A, B]);
        check(&format!("f{A}"), &[]);
        check(&format!("{A}0"), &[]);
        check(&A[1..], &[]);
        check("", &[]);
        check(&"-".repeat(36), &[]);
    }

    #[test]
    fn the_search_is_bounded() {
        let many: String = (0..100).map(|n| format!("0198f3c2-7d1e-7c2a-9c55-{n:012} ")).collect();
        assert_eq!(uuids_in(&many).len(), 16);
        assert_eq!(uuids_in(&format!("{}{A}", " ".repeat(64 * 1024))), []);
    }

    #[test]
    fn an_id_is_text_or_a_number() {
        let check = |value: serde_json::Value, expected: Result<Option<&str>, ()>| {
            let read = from_member(Some(&value.to_string()));
            let read = read.as_ref().map(|id| id.as_ref().map(|id| id.as_str())).map_err(|_| ());
            assert_eq!(read, expected, "{value}");
        };
        check(json!("abc"), Ok(Some("abc")));
        check(json!(1111), Ok(Some("1111")));
        check(json!(""), Ok(None));
        check(json!(true), Err(()));
        check(json!({}), Err(()));
        check(json!("x".repeat(129)), Err(()));
        assert_eq!(from_member(None), Ok(None));
        for digits in ["123456789012345678901", "1e10", "0.10"] {
            assert_eq!(from_member(Some(digits)).ok().flatten().as_ref().map(|id| id.as_str()), Some(digits));
        }
    }

    #[test]
    fn correlation_data_is_an_id_or_nothing_of_ours() {
        let check = |bytes: Option<&[u8]>, expected: Option<&str>| {
            assert_eq!(from_correlation(bytes).as_ref().map(|id| id.as_str()), expected);
        };
        check(Some(b"1111"), Some("1111"));
        check(Some(b""), None);
        check(Some(&[0xff, 0xfe]), None);
        check(Some(&[b'x'; 129]), None);
        check(None, None);
    }
}
