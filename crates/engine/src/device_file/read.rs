use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    hash::{BuildHasher, Hasher},
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use csv::{ByteRecord, ReaderBuilder};
use foldhash::fast::FixedState;
use wilco_ledger::DeviceId;

use super::{COLUMNS, is_formula};
use crate::{
    api::{Failure, FailureCode, ImportColumn, ImportColumnKind, grouped, sentence},
    fleet::{AnnotationChange, TagChange, annotations},
    input_file,
};

/// The longest line, with all its cells, in bytes.
const LINE: u64 = 256 * 1024;
/// How much is read to identify the type of file.
const LOOKED_AT: usize = 64 * 1024;
/// Other names by which a column goes.
const ALSO: [(&str, ImportColumnKind); 10] = [
    ("id", ImportColumnKind::Device),
    ("device id", ImportColumnKind::Device),
    ("device_id", ImportColumnKind::Device),
    ("deviceid", ImportColumnKind::Device),
    ("display name", ImportColumnKind::Name),
    ("tag", ImportColumnKind::Tags),
    ("labels", ImportColumnKind::Tags),
    ("notes", ImportColumnKind::Note),
    ("comment", ImportColumnKind::Note),
    ("description", ImportColumnKind::Note),
];

/// The lines of a file, one after the other. Nothing of it is kept but a hash of each id.
pub(crate) struct Lines {
    reader: csv::Reader<Bounded<BufReader<File>>>,
    record: ByteRecord,
    columns: Vec<ImportColumn>,
    read: Arc<AtomicU64>,
    left: Arc<AtomicU64>,
    total: u64,
    /// The line of each device.
    seen: HashMap<u64, u32, FixedState>,
    /// The lines before the one that names the columns.
    before: u32,
    ended: bool,
}

/// A line that can be imported.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) device: DeviceId,
    pub(crate) change: AnnotationChange,
    pub(crate) number: u32,
}

/// A line that cannot.
#[derive(Debug)]
pub(crate) struct WrongLine {
    pub(crate) number: u32,
    pub(crate) message: String,
}

impl Lines {
    /// Opens a file and reads its first line, which names the columns. A line `sep=;` before it names the separator.
    ///
    /// # Errors
    /// [`FailureCode::File`] for a file that cannot be read or is no CSV file, `Invalid` for columns that cannot be used.
    pub(crate) fn open(path: &Path) -> Result<Lines, Failure> {
        let unreadable =
            |error: &io::Error| not_a_list(path, &format!("cannot be read: {error}"), "Choose another file.");
        let file = input_file::open(path).map_err(|error| unreadable(&error))?;
        let total = file.metadata().map_err(|error| unreadable(&error))?.len();
        let mut file = BufReader::with_capacity(LOOKED_AT, file);
        let beginning = file.fill_buf().map_err(|error| unreadable(&error))?;
        kind_of(path, beginning)?;
        let mark = if beginning.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let Named { separator, length } = Named::of(&beginning[mark..]);
        file.consume(mark + length);
        let before = u32::from(length > 0);
        let (read, left) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(LINE)));
        let bounded =
            Bounded { file, read: Arc::clone(&read), left: Arc::clone(&left), line_ends: LineEnds::default() };
        let mut reader =
            ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(bounded);
        let mut heads = ByteRecord::new();
        match reader.read_byte_record(&mut heads) {
            Ok(true) => {}
            Ok(false) => {
                return Err(not_a_list(
                    path,
                    "is empty",
                    "Its first line names the columns: device, name, tags, note.",
                ));
            }
            Err(error) => return Err(wrong_columns(&wrong(1, &error).message)),
        }
        read.fetch_add((mark + length) as u64, Relaxed);
        let line = before.saturating_add(reader.get_mut().line_ends.line_of(place_of(&heads)));
        let columns = columns(&heads, line)?;
        let record = ByteRecord::new();
        Ok(Lines { reader, record, columns, read, left, total, seen: HashMap::default(), before, ended: false })
    }

    pub(crate) fn columns(&self) -> &[ImportColumn] {
        &self.columns
    }

    /// How many bytes have been read, and how many there are.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.read.load(Relaxed).min(self.total), self.total)
    }

    /// The next line; none at the end.
    pub(crate) fn next(&mut self) -> Option<Result<Line, WrongLine>> {
        if self.ended {
            return None;
        }
        self.left.store(LINE, Relaxed);
        let begins = self.reader.position().byte();
        let read = self.reader.read_byte_record(&mut self.record);
        let number = self.before.saturating_add(self.reader.get_mut().line_ends.line_of(begins));
        match read {
            Ok(false) => {
                self.ended = true;
                None
            }
            Ok(true) => Some(self.line(number).map_err(|message| WrongLine { number, message: sentence(&message) })),
            Err(error) => {
                // The rest of the file cannot be parsed any more.
                self.ended = true;
                Some(Err(wrong(number, &error)))
            }
        }
    }

    fn line(&mut self, number: u32) -> Result<Line, String> {
        if self.record.len() != self.columns.len() {
            return Err(format!(
                "this line has {}, and the first line names {}. Put a text that contains the separator in quotes",
                columns_word(self.record.len()),
                self.columns.len()
            ));
        }
        let mut device = None;
        let mut change = AnnotationChange { add: true, ..AnnotationChange::default() };
        for (cell, column) in self.record.iter().zip(&self.columns) {
            let text = std::str::from_utf8(cell)
                .map_err(|_| format!("the column '{}' is not UTF-8 text. Save the file as CSV UTF-8", column.name))?;
            let text = without_apostrophe(text);
            match column.kind {
                Some(ImportColumnKind::Device) => device = Some(read_id(text)?),
                Some(ImportColumnKind::Name) => change.name = annotations::name(text).map_err(said)?.map(Some),
                Some(ImportColumnKind::Note) => change.note = annotations::note(text).map_err(said)?.map(Some),
                Some(ImportColumnKind::Tags) => change.tags = read_tags(text)?,
                None => {}
            }
        }
        let device = device.ok_or("this line has no device ID")?;
        change.apply(&Default::default()).map_err(said)?;
        if let Some(first) = self.seen.insert(hash(&device), number) {
            self.seen.insert(hash(&device), first);
            return Err(format!("'{device}' is already on line {}", grouped(first)));
        }
        Ok(Line { device, change, number })
    }
}

/// The IDs in the device column of a CSV text, such as an export of devices or of the members of a rollout; `None` if
/// the first line has no such column beside another one.
///
/// # Errors
/// A sentence that names the line that has no device or cannot be read.
#[must_use]
pub fn device_column(text: &str) -> Option<Result<Vec<String>, String>> {
    let text = text.trim_start_matches('\u{feff}');
    let Named { separator, length } = Named::of(text.as_bytes());
    let before = u32::from(length > 0);
    let text = text.get(length..)?;
    let mut reader = ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let columns = columns(reader.byte_headers().ok()?, 1 + before).ok()?;
    let place = columns.iter().position(|column| column.kind == Some(ImportColumnKind::Device))?;
    if columns.len() < 2 && before == 0 {
        return None;
    }
    let ids = reader.into_records().map(|record| {
        let record = record.map_err(|error| sentence(&error.to_string()))?;
        let id = record.get(place).map(without_apostrophe).filter(|id| !id.is_empty());
        let line = || {
            let mut ends = LineEnds::default();
            ends.read(text.as_bytes());
            before.saturating_add(ends.line_of(record.position().map_or(0, csv::Position::byte)))
        };
        id.map(str::to_owned).ok_or_else(|| format!("Line {} has no device ID.", grouped(line())))
    });
    Some(ids.collect())
}

/// A cell without the apostrophe that keeps it from being a formula.
fn without_apostrophe(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| is_formula(cell)).unwrap_or(cell)
}

/// IDs keep their spaces everywhere else, but in a cell a trailing space is invisible.
fn read_id(text: &str) -> Result<DeviceId, String> {
    if text.trim() != text {
        return Err(format!("the device {text:?} begins or ends with a space"));
    }
    DeviceId::new(text).map_err(|error| match text.chars().count() {
        0 => "this line has no device ID".to_owned(),
        1..=60 => format!("'{}' is not a valid device ID: {error}", text.escape_debug()),
        _ => error.to_string(),
    })
}

fn read_tags(text: &str) -> Result<TagChange, String> {
    let mut tags: Vec<String> = Vec::new();
    for part in text.split([',', ';']).filter(|part| !part.trim().is_empty()) {
        // The spaces are those around the comma.
        let tag = annotations::tag(part.trim()).map_err(said)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(if tags.is_empty() { TagChange::Keep } else { TagChange::Replace(tags) })
}

fn said(failure: Failure) -> String {
    failure.message
}

fn hash(device: &DeviceId) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(device.as_str().as_bytes());
    hasher.finish()
}

/// Where the reader began to look for a record: empty lines before it come first.
fn place_of(record: &ByteRecord) -> u64 {
    record.position().map_or(0, csv::Position::byte)
}

/// `line`: that of the names.
fn columns(heads: &ByteRecord, line: u32) -> Result<Vec<ImportColumn>, Failure> {
    let mut columns: Vec<ImportColumn> = Vec::new();
    for head in heads {
        let name = String::from_utf8_lossy(head).trim().to_owned();
        let lower = name.to_lowercase();
        let kind = COLUMNS.iter().chain(&ALSO).find(|(known, _)| *known == lower).map(|(_, kind)| *kind);
        if let Some(twin) = columns.iter().find(|column| kind.is_some() && column.kind == kind) {
            return Err(wrong_columns(&format!(
                "line {line} names the same column twice: '{}' and '{name}'",
                twin.name
            )));
        }
        columns.push(ImportColumn { name: name.chars().take(80).collect(), kind });
    }
    if !columns.iter().any(|column| column.kind == Some(ImportColumnKind::Device)) {
        return Err(wrong_columns(&format!("line {line} names no column 'device'")));
    }
    Ok(columns)
}

fn wrong_columns(what: &str) -> Failure {
    Failure {
        code: FailureCode::Invalid,
        message: sentence(what),
        hint: Some("The first line names the columns: device, and any of name, tags and note.".into()),
    }
}

/// The separator of a file, and the length of the line that names it, in bytes: Excel's `sep=;`.
struct Named {
    separator: u8,
    /// 0 where no line names it.
    length: usize,
}

impl Named {
    fn of(beginning: &[u8]) -> Named {
        Named::read(beginning).unwrap_or_else(|| Named { separator: separator(beginning), length: 0 })
    }

    fn read(beginning: &[u8]) -> Option<Named> {
        let line = beginning.split_inclusive(|byte| *byte == b'\n').next()?;
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        // Some programs put each cell in quotes, this one too.
        let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
        let (key, named) = text.split_at_checked(4)?;
        match named {
            [separator @ (b',' | b';' | b'\t' | b'|')] if key.eq_ignore_ascii_case(b"sep=") => {
                Some(Named { separator: *separator, length: line.len() })
            }
            _ => None,
        }
    }
}

/// The most frequent separator of the first line.
fn separator(beginning: &[u8]) -> u8 {
    let line = beginning.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |separator: &u8| line.iter().filter(|byte| *byte == separator).count();
    let most = [b',', b';', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b',');
    if count(&most) == 0 { b',' } else { most }
}

/// Refuses what is no text.
fn kind_of(path: &Path, beginning: &[u8]) -> Result<(), Failure> {
    let save_as = "Save it as CSV UTF-8.";
    if beginning.starts_with(b"PK\x03\x04") {
        return Err(not_a_list(path, "is a spreadsheet or an archive, not a CSV file", save_as));
    }
    if beginning.starts_with(b"\xff\xfe") || beginning.starts_with(b"\xfe\xff") {
        return Err(not_a_list(path, "is UTF-16 text", save_as));
    }
    if beginning.contains(&0) {
        let line = 1 + beginning.iter().take_while(|byte| **byte != 0).filter(|byte| **byte == b'\n').count();
        return Err(not_a_list(path, &format!("is not text: line {line} contains a zero byte"), "Choose a CSV file."));
    }
    Ok(())
}

fn not_a_list(path: &Path, what: &str, hint: &str) -> Failure {
    let message = format!("{} {what}.", path.display());
    Failure { code: FailureCode::File, message, hint: Some(hint.to_owned()) }
}

fn wrong(number: u32, error: &csv::Error) -> WrongLine {
    let message = match error.kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => format!(
            "This line does not end within {} kB. A quote is probably not closed. Nothing after it was read.",
            LINE / 1024
        ),
        csv::ErrorKind::Io(error) => format!("The rest of the file cannot be read: {error}."),
        other => format!("This line cannot be read: {other:?}."),
    };
    WrongLine { number, message }
}

fn columns_word(number: usize) -> String {
    if number == 1 { "1 column".to_owned() } else { format!("{number} columns") }
}

/// Ends a line that continues for too long, so that no file takes up any amount of memory.
struct Bounded<R> {
    file: R,
    read: Arc<AtomicU64>,
    left: Arc<AtomicU64>,
    line_ends: LineEnds,
}

/// Where lines end in what has been read: `csv` counts neither empty lines nor the second half of `\r\n` before a record.
#[derive(Default)]
struct LineEnds {
    /// The bytes that were read.
    length: u64,
    /// Each `\r` and `\n` that was not counted yet, with its place.
    ends: VecDeque<(u64, u8)>,
    /// The lines before them.
    lines: u32,
}

impl LineEnds {
    fn read(&mut self, bytes: &[u8]) {
        let ends = (self.length..).zip(bytes).filter(|(_, byte)| matches!(byte, b'\n' | b'\r'));
        self.ends.extend(ends.map(|(place, byte)| (place, *byte)));
        self.length += bytes.len() as u64;
    }

    /// The number of the line that contains a position. Positions must not decrease.
    fn line_of(&mut self, mut from: u64) -> u32 {
        while let Some((place, byte)) = self.ends.front().copied().filter(|(place, _)| *place <= from) {
            self.ends.pop_front();
            let is_half = byte == b'\r' && self.ends.front() == Some(&(place + 1, b'\n'));
            self.lines = self.lines.saturating_add(u32::from(!is_half));
            if place == from {
                from += 1;
            }
        }
        self.lines.saturating_add(1)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Relaxed);
        if left == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let length = self.file.read(buffer)?;
        self.line_ends.read(&buffer[..length]);
        self.read.fetch_add(length as u64, Relaxed);
        self.left.store(left.saturating_sub(length as u64), Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
