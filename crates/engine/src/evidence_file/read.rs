//! Reads an evidence file and lists its problems. It needs nothing but the file.
//!
//! The file may be anybody's: of a record only the members that are listed are read, what is handed over is bounded, and
//! comparing the lines takes a time proportional to their number.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::FORMAT;
use crate::{
    api::{
        EvidenceFileView, EvidenceProblem, EvidenceRecord, EvidenceRecordKind, EvidenceSignature, Failure, FailureCode,
        JsonText, grouped,
    },
    input_file,
    signed_lines::{Hash, LastLine, Recognised, Signature},
};

/// Records that are handed over.
const SHOWN: usize = 5_000;
/// The content of a longer record is not handed over, bytes.
const LONGEST_SHOWN: usize = 1024 * 1024;
/// Nor is that of further records after so many bytes.
const SHOWN_BYTES: usize = 32 * 1024 * 1024;
/// The longest text of a record in the list, characters.
const LONGEST_TEXT: usize = 500;
/// Problems that are named one by one.
const NAMED: usize = 100;
/// A longer line is none that Wilco has written, bytes.
const LONGEST: u64 = 256 * 1024 * 1024;
/// Nor is a longer first line.
const LONGEST_FIRST: usize = 4 * 1024 * 1024;
/// Milliseconds from 1970 beyond which there is no date in the window (ECMA-262, section 21.4.1.1).
const LATEST: i64 = 8_640_000_000_000_000;

/// The first line.
#[derive(Deserialize)]
struct First {
    wilco: String,
    title: String,
    written_at: i64,
    operator: Option<String>,
    os_user: String,
    machine: String,
    connection: Option<Value>,
}

/// A record, as far as it is listed.
#[derive(Deserialize)]
struct RecordHead {
    record: EvidenceRecordKind,
    at: Option<i64>,
    device: Option<String>,
    text: Option<String>,
}

/// Reads an evidence file from any source. Problems are in the view. Blocks.
///
/// # Errors
/// [`FailureCode::File`] for a file that cannot be read, or is no evidence file.
pub fn read(path: &Path) -> Result<EvidenceFileView, Failure> {
    let name = path.display().to_string();
    let cannot = |why: String, hint: &str| Failure {
        code: FailureCode::File,
        message: format!("Could not read {name}: {why}."),
        hint: Some(hint.to_owned()),
    };
    let other = "Choose an evidence file that Wilco has saved.";
    let is_none = || cannot("it is not an evidence file".to_owned(), other);
    let file = input_file::open(path).map_err(|error| cannot(error.to_string(), other))?;
    let mut lines = Lines(BufReader::new(file));
    let next = |lines: &mut Lines| lines.next().map_err(|error| cannot(error.to_string(), other));
    let line = next(&mut lines)?.filter(|line| line.len() <= LONGEST_FIRST).ok_or_else(is_none)?;
    match FORMAT.recognises(&line) {
        Recognised::Yes => {}
        Recognised::No => return Err(is_none()),
        Recognised::Newer(version) => {
            let why = format!("its format is {version}, but this version of Wilco reads format {}", FORMAT.version);
            return Err(cannot(why, "Install a newer version of Wilco."));
        }
    }
    let first: First = serde_json::from_slice(&line).map_err(|_| is_none())?;
    let hashes = vec![Sha256::digest(&line).into()];
    let mut found = Found { hashes, records: Vec::new(), room: SHOWN_BYTES, last: None };
    while let Some(line) = next(&mut lines)? {
        found.line(line);
    }
    Ok(found.view(first))
}

/// Lines without their ends, of any bytes.
struct Lines(BufReader<File>);

impl Lines {
    fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        if self.0.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok(Some(line))
    }
}

struct Found {
    /// Of the lines before the last.
    hashes: Vec<Hash>,
    records: Vec<EvidenceRecord>,
    /// How many bytes of content may still be handed over.
    room: usize,
    /// The line that was read last: it may be the end, or another record.
    last: Option<Vec<u8>>,
}

impl Found {
    fn line(&mut self, line: Vec<u8>) {
        if let Some(before) = self.last.replace(line) {
            self.record(&before);
        }
    }

    fn record(&mut self, line: &[u8]) {
        self.hashes.push(Sha256::digest(line).into());
        if self.records.len() < SHOWN {
            let number = u32::try_from(self.hashes.len()).unwrap_or(u32::MAX);
            let content = (line.len() <= LONGEST_SHOWN.min(self.room)).then(|| {
                self.room -= line.len();
                JsonText::from(String::from_utf8_lossy(line).into_owned())
            });
            self.records.push(shown(number, line, content));
        }
    }

    fn view(mut self, first: First) -> EvidenceFileView {
        let mut problems = Vec::new();
        let last = self.last.take();
        let end: Option<LastLine> = last.as_deref().and_then(|last| serde_json::from_slice(last).ok());
        let signature = match end {
            Some(end) => self.compare(&end, &mut problems),
            None => {
                if let Some(last) = last {
                    self.record(&last);
                }
                problems.push(whole("The end of the file is missing, with the signature."));
                EvidenceSignature::Unsigned { why: "the end of the file is missing".to_owned() }
            }
        };
        EvidenceFileView {
            title: first.title,
            wilco: first.wilco,
            written_at: first.written_at.clamp(-LATEST, LATEST),
            operator: first.operator,
            os_user: first.os_user,
            machine: first.machine,
            connection: first.connection.map(|connection| JsonText::from(connection.to_string())),
            record_count: u32::try_from(self.hashes.len() - 1).unwrap_or(u32::MAX),
            records: self.records,
            signature,
            problems,
        }
    }

    /// Compares the lines with the list of their hashes, and the list with its signature.
    fn compare(&mut self, end: &LastLine, problems: &mut Vec<EvidenceProblem>) -> EvidenceSignature {
        let Some(listed) = end.listed() else {
            problems.push(whole("The list of the lines' hashes cannot be read."));
            return EvidenceSignature::Invalid;
        };
        let signature = match end.verify(FORMAT, &listed) {
            Signature::Valid(key) => EvidenceSignature::Signed { fingerprint: key.fingerprint() },
            Signature::Missing(why) => EvidenceSignature::Unsigned { why },
            Signature::Invalid => EvidenceSignature::Invalid,
        };
        if signature == EvidenceSignature::Invalid {
            problems.push(whole(
                "The signature is not valid: the list of the lines' hashes was altered, or the signature.",
            ));
        }
        self.find_altered(&listed, problems);
        signature
    }

    /// Reports the lines that differ from the list. After removed or added lines, the following lines are matched
    /// again.
    fn find_altered(&mut self, listed: &[Hash], problems: &mut Vec<EvidenceProblem>) {
        let (last_found, last_listed) = (last_places(&self.hashes), last_places(listed));
        let (mut at, mut expected) = (0, 0);
        let (mut differences, mut named) = (0_usize, String::new());
        while at < self.hashes.len() || expected < listed.len() {
            match (self.hashes.get(at), listed.get(expected)) {
                (Some(hash), Some(wanted)) if hash == wanted => {
                    at += 1;
                    expected += 1;
                }
                (found, wanted) => {
                    let is_there = wanted.and_then(|wanted| last_found.get(wanted)).is_some_and(|place| *place >= at);
                    let is_listed =
                        found.and_then(|found| last_listed.get(found)).is_some_and(|place| *place >= expected);
                    // A line that was removed at the end has the number that it had.
                    let place = if found.is_some() { at } else { expected };
                    let line = u32::try_from(place + 1).unwrap_or(u32::MAX);
                    let (text, skip_found, skip_listed) = match (found, wanted) {
                        (Some(_), Some(_)) if !is_there && !is_listed => ("was altered", true, true),
                        (Some(_), Some(_)) if is_there && !is_listed => ("was added", true, false),
                        (Some(_), Some(_)) if !is_there => ("follows a line that was removed", false, true),
                        (Some(_), Some(_)) => ("was moved", true, false),
                        (Some(_), None) => ("was added, or moved to the end", true, false),
                        (None, _) => ("was removed", false, true),
                    };
                    let text = format!("Line {line} {text}.");
                    // Several lines that were removed before the same one are one difference.
                    if text != named {
                        differences += 1;
                        named.clone_from(&text);
                        if differences <= NAMED {
                            problems.push(EvidenceProblem { line: Some(line), text });
                        }
                    }
                    if skip_found {
                        // The first record is line 2.
                        if let Some(record) = at.checked_sub(1).and_then(|place| self.records.get_mut(place)) {
                            record.altered = true;
                        }
                        at += 1;
                    }
                    expected += usize::from(skip_listed);
                }
            }
        }
        if differences > NAMED {
            let more = grouped(differences - NAMED);
            problems.push(whole(&format!("{more} more lines were altered, added or removed.")));
        }
    }
}

/// The last place of each hash.
fn last_places(hashes: &[Hash]) -> HashMap<Hash, usize> {
    hashes.iter().enumerate().map(|(place, hash)| (*hash, place)).collect()
}

fn whole(text: &str) -> EvidenceProblem {
    EvidenceProblem { line: None, text: text.to_owned() }
}

/// A record as it is listed, whatever is in it.
fn shown(line: u32, bytes: &[u8], content: Option<JsonText>) -> EvidenceRecord {
    let unknown = RecordHead { record: EvidenceRecordKind::Other, at: None, device: None, text: None };
    let RecordHead { record, at, device, text } = serde_json::from_slice(bytes).unwrap_or(unknown);
    let said: Vec<_> = [device, text].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    EvidenceRecord {
        line,
        kind: record,
        at: at.filter(|at| (-LATEST..=LATEST).contains(at)),
        text: said.join(": ").chars().take(LONGEST_TEXT).collect(),
        content,
        altered: false,
    }
}
