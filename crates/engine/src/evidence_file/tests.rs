#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::fs;

use serde_json::{Value, json};
use wilco_credentials::signing::SigningKey;

use super::{FORMAT, Header, Writer, read};
use crate::{
    api::{EvidenceFileView, EvidenceRecordKind, EvidenceSignature, FailureCode, FileToWrite},
    output_file::OutputFile,
    vault::Vault,
};
use wilco_atomic_file::Readers;

/// The lines of a file with four records.
fn lines(key: Result<&SigningKey, String>) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.wilco-evidence");
    let header = Header {
        title: "Command led on pump-7".into(),
        of: json!({}),
        written_at: 7,
        operator: Some("Ana".into()),
        os_user: "ana".into(),
        machine: "desk".into(),
        connection: None,
    };
    let file = OutputFile::begin(&FileToWrite::from(path.clone()), Readers::Owner).unwrap();
    let mut writer = Writer::begin(file, &header).unwrap();
    for number in 0..4 {
        writer.line(&json!({ "record": "event", "device": "pump-7", "at": number, "text": "Sent" })).unwrap();
    }
    writer.end(key).unwrap().0.finish().unwrap();
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn altered_lines_are_reported() {
    let key = SigningKey::open_or_create(&Vault::in_memory()).unwrap();
    let other = SigningKey::open_or_create(&Vault::in_memory()).unwrap();
    let written = lines(Ok(&key));
    let check = |meddle: &dyn Fn(&mut Vec<String>), expected: &[&str]| {
        let mut lines = written.clone();
        meddle(&mut lines);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let found = read(&path).unwrap();
        let told: Vec<_> = found.problems.iter().map(|problem| problem.text.as_str()).collect();
        assert_eq!(told, expected);
        assert_eq!(found.holds(), expected.is_empty());
        found
    };
    let whole = check(&|_| {}, &[]);
    assert_eq!(whole.signature, EvidenceSignature::Signed { fingerprint: key.public().fingerprint() });
    assert_eq!((whole.record_count, whole.records.len(), whole.operator.as_deref()), (4, 4, Some("Ana")));
    assert_eq!((whole.records[1].line, whole.records[1].at), (3, Some(1)));
    assert_eq!(whole.records[1].text, "pump-7: Sent");

    let found = check(&|lines| lines[2] = lines[2].replace("Sent", "Not sent"), &["Line 3 was altered."]);
    assert_eq!(found.records.iter().map(|record| record.altered).collect::<Vec<_>>(), [false, true, false, false]);
    check(&|lines| lines[0] = lines[0].replace("Ana", "Bo"), &["Line 1 was altered."]);
    check(&|lines| drop(lines.remove(3)), &["Line 4 follows a line that was removed."]);
    check(&|lines| drop(lines.remove(4)), &["Line 5 was removed."]);
    check(&|lines| drop(lines.drain(3..5)), &["Line 4 was removed.", "Line 5 was removed."]);
    check(&|lines| drop(lines.drain(2..4)), &["Line 3 follows a line that was removed."]);
    check(&|lines| lines.insert(2, "{}".into()), &["Line 3 was added."]);
    check(&|lines| lines.swap(1, 2), &["Line 2 was moved.", "Line 4 follows a line that was removed."]);
    check(&|lines| drop(lines.pop()), &["The end of the file is missing, with the signature."]);
    let invalid = "The signature is not valid: the list of the lines' hashes was altered, or the signature.";
    let in_end = |change: &dyn Fn(&mut Value)| {
        let mut end: Value = serde_json::from_str(&written[5]).unwrap();
        change(&mut end);
        end.to_string()
    };
    let forged = in_end(&|end| end["signature"] = Value::from("00".repeat(64)));
    let found = check(&|lines| lines[5].clone_from(&forged), &[invalid]);
    assert_eq!(found.signature, EvidenceSignature::Invalid);
    let foreign = in_end(&|end| end["public_key"] = Value::from(crate::audit::hex(other.public().as_bytes())));
    check(&|lines| lines[5].clone_from(&foreign), &[invalid]);
    // Altered with its hash, the line is as listed, and the list is not as signed.
    let hash = |text: &str| crate::audit::hex(&<sha2::Sha256 as sha2::Digest>::digest(text.as_bytes()));
    let line = written[2].replace("Sent", "Not sent");
    let listed = in_end(&|end| end["sha256"][2] = Value::from(hash(&line)));
    let meddle = |lines: &mut Vec<String>| {
        lines[2].clone_from(&line);
        lines[5].clone_from(&listed);
    };
    check(&meddle, &[invalid]);
}

#[test]
fn without_a_keyring_it_says_that_it_is_not_signed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, lines(Err("this computer has no keyring".into())).join("\n")).unwrap();
    let found = read(&path).unwrap();
    assert_eq!(found.signature, EvidenceSignature::Unsigned { why: "this computer has no keyring".into() });
    assert!(found.problems.is_empty() && !found.holds());
}

/// A file of these records as it is read, whose last line lists the hashes of other ones.
fn read_hostile(records: &[String], listed: &[String]) -> EvidenceFileView {
    let key = SigningKey::open_or_create(&Vault::in_memory()).unwrap();
    let first = &lines(Ok(&key))[0];
    let hash = |line: &String| <sha2::Sha256 as sha2::Digest>::digest(line).into();
    let hashes: Vec<_> = std::iter::once(first).chain(listed).map(hash).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let text = [std::slice::from_ref(first), records, &[FORMAT.last_line(&hashes, Ok(&key))]].concat().join("\n");
    fs::write(&path, text + "\n").unwrap();
    read(&path).unwrap()
}

#[test]
fn a_file_of_which_every_line_is_another_one_is_read_in_bounds() {
    let numbered = |word: &str| (0..100_000).map(|number| format!("{word} {number}")).collect::<Vec<_>>();
    let found = read_hostile(&numbered("found"), &numbered("listed"));
    assert_eq!((found.record_count, found.records.len(), found.problems.len()), (100_000, 5_000, 101));
    assert_eq!(found.problems[0].text, "Line 2 was altered.");
    assert_eq!(found.problems[100].text, "99,900 more lines were altered, added or removed.");
    assert!(found.records.iter().all(|record| record.altered && record.kind == EvidenceRecordKind::Other));
}

#[test]
fn of_a_record_only_as_much_is_handed_over_as_can_be_shown() {
    let text = "a".repeat(2_000);
    let listed = json!({ "record": "approval", "at": 7, "device": "pump-7", "text": text }).to_string();
    let never = json!({ "record": "event", "at": i64::MAX, "text": "<b>" }).to_string();
    let large = json!({ "record": "log", "at": null, "text": "Log", "log": "a".repeat(1024 * 1024) }).to_string();
    let nested = format!(r#"{{"record":"event","at":1,"text":"deep","x":{}1}}"#, "[".repeat(100_000));
    let many =
        (0..40).map(|number| json!({ "record": "log", "log": number, "text": "b".repeat(1_000_000) }).to_string());
    let records: Vec<_> = [listed.clone(), never, large, nested].into_iter().chain(many).collect();
    let found = read_hostile(&records, &records);
    assert!(found.holds(), "{:?}", found.problems);
    let [approval, never, large, nested, ..] = &found.records[..] else { panic!("{}", found.records.len()) };
    assert_eq!((approval.kind, approval.at, approval.text.len()), (EvidenceRecordKind::Approval, Some(7), 500));
    assert_eq!(approval.content.as_ref().map(|content| content.as_str()), Some(&*listed));
    assert_eq!((never.at, &*never.text), (None, "<b>"), "no such date");
    assert_eq!((large.kind, large.content.is_none()), (EvidenceRecordKind::Log, true));
    assert_eq!(nested.kind, EvidenceRecordKind::Other);
    let shown: usize = found.records.iter().filter_map(|record| Some(record.content.as_ref()?.as_str().len())).sum();
    assert!(shown <= 32 * 1024 * 1024 && found.records.len() == 44, "{shown}");
}

#[cfg(unix)]
#[test]
fn only_ordinary_files_are_accepted() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read(dir.path()).unwrap_err().code, FailureCode::File);
    assert_eq!(read(std::path::Path::new("/dev/zero")).unwrap_err().code, FailureCode::File);
}

#[test]
fn other_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    for content in ["", "{}", "not JSON\n", "{\"format\":\"other\"}", "\u{0}\u{1}"] {
        fs::write(&path, content).unwrap();
        assert_eq!(read(&path).unwrap_err().code, FailureCode::File, "{content:?}");
    }
    let newer = lines(Err("test".into()))[0].replace("\"version\":1", "\"version\":2");
    fs::write(&path, newer).unwrap();
    assert!(read(&path).unwrap_err().message.contains("its format is 2"));
}
