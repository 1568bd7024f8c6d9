//! Power loss at every sync of a fan-out through the real writer: every reported commit is there, whole, and everything
//! published was committed.
//!
//! The disk is rebuilt as a power cut would leave it: with all synced writes, and of the others none, only half of the last
//! one, or all but the second half of the last one.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use wilco_ledger::Fact;

use super::{
    change, connection, event, queued,
    recording_vfs::{Op, Record},
    submit,
};
use crate::{Change, HistoryFilter, MARK_FILE_NAME, Store};

/// Commands of the fan-out, and how many are committed together.
const COMMANDS: usize = 300;
const TOGETHER: usize = 12;
/// So many batches wait at the same time, so that some share a transaction.
const WAITING: usize = 3;

fn name(n: usize) -> String {
    format!("c{n:04}")
}

/// The submission of each of these commands.
fn submissions(numbers: &[usize]) -> Vec<Change> {
    numbers.iter().map(|n| submit("kitchen", &name(*n), 1_000)).collect()
}

/// They are handed over to the network, which happens once their submission is reported to be stored.
fn handed(numbers: &[usize]) -> Vec<Change> {
    let handed = |n: &usize| {
        let event = event("kitchen", &name(*n), 1_001, Fact::Handed { attempt: 1 });
        let mut command = queued("kitchen", &name(*n), 1_000);
        command.apply(&event);
        change(event, command)
    };
    numbers.iter().map(handed).collect()
}

/// A fan-out as the engine makes one: commit, then hand over, then publish. Notes what was reported, and when.
async fn fan_out(directory: &Path, record: &Record) {
    let store = Store::open(directory).unwrap();
    let numbers: Vec<usize> = (0..COMMANDS).collect();
    let batches: Vec<&[usize]> = numbers.chunks(TOGETHER).collect();
    let note = |what: &str, batch: &[usize]| {
        batch.iter().for_each(|n| record.note(format!("{what} {}", name(*n))));
        if let Ok(mark) = fs::read_to_string(directory.join(MARK_FILE_NAME)) {
            record.note(format!("mark {mark}"));
        }
    };
    for group in batches.chunks(WAITING) {
        let begun: Vec<_> = group.iter().map(|batch| store.begin_commit(submissions(batch))).collect();
        for (commit, batch) in begun.into_iter().zip(group) {
            commit.await.unwrap();
            note("committed", batch);
        }
        let begun: Vec<_> = group.iter().map(|batch| store.begin_commit(handed(batch))).collect();
        for (commit, batch) in begun.into_iter().zip(group) {
            commit.await.unwrap();
            note("published", batch);
        }
    }
    store.close().await.unwrap();
}

/// The files as they are in the memory of the computer, and on its disk.
#[derive(Clone, Default)]
struct Files {
    written: HashMap<PathBuf, Vec<u8>>,
    on_disk: HashMap<PathBuf, Vec<u8>>,
    /// The last write, where it is not synced.
    last: Option<Last>,
}

#[derive(Clone)]
struct Last {
    file: PathBuf,
    at: usize,
    bytes: Vec<u8>,
    /// What was there before, and how long the file was.
    replaced: Vec<u8>,
    length: usize,
}

impl Files {
    fn apply(&mut self, op: &Op) {
        match op {
            Op::Write { file, at, bytes } => {
                let content = self.written.entry(file.clone()).or_default();
                let length = content.len();
                let replaced = content[length.min(*at)..length.min(*at + bytes.len())].to_vec();
                put(content, *at, bytes);
                self.last = Some(Last { file: file.clone(), at: *at, bytes: bytes.clone(), replaced, length });
            }
            Op::Truncate { file, length } => self.written.entry(file.clone()).or_default().resize(*length, 0),
            Op::Sync { file } => {
                let content = self.written.entry(file.clone()).or_default().clone();
                self.on_disk.insert(file.clone(), content);
                self.last = self.last.take().filter(|last| last.file != *file);
            }
            Op::Delete { file } => {
                self.written.remove(file);
                self.on_disk.remove(file);
            }
            Op::Note(_) => {}
        }
    }

    /// What a power cut leaves.
    fn after_power_loss(&self, unsynced: Unsynced) -> HashMap<PathBuf, Vec<u8>> {
        let mut left = match unsynced {
            Unsynced::Forgotten | Unsynced::LastTorn => self.on_disk.clone(),
            Unsynced::KeptLastTorn => self.written.clone(),
        };
        if let Some(last) = self.last.as_ref().filter(|_| unsynced != Unsynced::Forgotten) {
            let content = left.entry(last.file.clone()).or_default();
            if unsynced == Unsynced::KeptLastTorn {
                content.truncate(last.length);
                let from = last.at.min(content.len());
                let kept = last.replaced.len().min(content.len() - from);
                content[from..from + kept].copy_from_slice(&last.replaced[..kept]);
            }
            put(content, last.at, &last.bytes[..last.bytes.len() / 2]);
        }
        left
    }
}

/// What becomes of the writes that are not synced.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unsynced {
    Forgotten,
    /// Only half of the last one is there.
    LastTorn,
    /// They are there, but for the second half of the last one.
    KeptLastTorn,
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if content.len() < at + bytes.len() {
        content.resize(at + bytes.len(), 0);
    }
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

/// What the test was told before the power was cut.
#[derive(Default)]
struct Reported {
    committed: BTreeSet<String>,
    published: BTreeSet<String>,
    mark: Option<String>,
}

impl Reported {
    fn hear(&mut self, note: &str) {
        match note.split_once(' ') {
            Some(("committed", command)) => drop(self.committed.insert(command.to_owned())),
            Some(("published", command)) => drop(self.published.insert(command.to_owned())),
            Some(("mark", mark)) => self.mark = Some(mark.to_owned()),
            _ => panic!("{note}"),
        }
    }
}

/// Opens the database as it was left, and compares it with what was told.
async fn check(left: &HashMap<PathBuf, Vec<u8>>, told: &Reported, when: &str) {
    let directory = tempfile::tempdir().unwrap();
    for (file, content) in left {
        fs::write(directory.path().join(file.file_name().unwrap()), content).unwrap();
    }
    if let Some(mark) = &told.mark {
        fs::write(directory.path().join(MARK_FILE_NAME), mark).unwrap();
    }
    let store = Store::open(directory.path()).unwrap_or_else(|error| panic!("{when}: {error}"));
    let all = HistoryFilter { limit: 2 * COMMANDS as u32, ..HistoryFilter::default() };
    let page = store.history(all).await.unwrap();
    let stored: BTreeSet<String> = page.rows.iter().map(|(_, command)| command.id().as_str().to_owned()).collect();
    let lost: Vec<_> = told.committed.difference(&stored).collect();
    assert!(lost.is_empty(), "{when}: reported as stored, and not there: {lost:?}");
    assert!(told.published.is_subset(&told.committed), "{when}: published before it was stored");
    assert_eq!(stored.len() % TOGETHER, 0, "{when}: a batch was torn apart");
    for (_, command) in &page.rows {
        let events = store.evidence(&connection(), command.device(), command.id()).await.unwrap().unwrap().events;
        let was_handed = events.iter().any(|(_, event)| matches!(event.fact, Fact::Handed { .. }));
        assert!(was_handed || !told.published.contains(command.id().as_str()), "{when}: published, and not known");
    }
    // The mark is never ahead of the disk, and every event is as it was written.
    assert_eq!(store.gaps().await.unwrap(), [], "{when}");
    let checked = store.check(None, true).await.unwrap();
    assert!(checked.is_sound(), "{when}: {checked:?}");
    store.close().await.unwrap();
}

#[tokio::test]
async fn power_loss_at_any_sync_of_a_fan_out_loses_nothing_that_was_reported() {
    let directory = tempfile::tempdir().unwrap();
    let directory_path = directory.path().canonicalize().unwrap();
    let record = Record::of(&directory_path);
    fan_out(&directory_path, &record).await;

    let (mut files, mut told, mut syncs) = (Files::default(), Reported::default(), 0);
    for op in record.ops() {
        if let Op::Note(note) = &op {
            told.hear(note);
        }
        if let Op::Sync { file } = &op {
            syncs += 1;
            let when = format!("at sync {syncs}, of {}", file.file_name().unwrap().to_string_lossy());
            for unsynced in [Unsynced::Forgotten, Unsynced::LastTorn, Unsynced::KeptLastTorn] {
                check(&files.after_power_loss(unsynced), &told, &format!("{when}, unsynced writes {unsynced:?}")).await;
            }
        }
        files.apply(&op);
    }
    check(&files.after_power_loss(Unsynced::Forgotten), &told, "at the end").await;
    assert_eq!((told.committed.len(), told.published.len()), (COMMANDS, COMMANDS));
    assert!(syncs > 2 * COMMANDS / TOGETHER / WAITING, "only {syncs} syncs: is the disk asked at all?");
}

/// The test itself sees what it is for: a disk that forgets what was synced.
#[tokio::test]
async fn a_disk_that_forgets_what_was_synced_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let directory_path = directory.path().canonicalize().unwrap();
    let record = Record::of(&directory_path);
    fan_out(&directory_path, &record).await;
    let mut files = Files::default();
    let ops = record.ops();
    let syncs: Vec<usize> =
        ops.iter().enumerate().filter(|(_, op)| matches!(op, Op::Sync { .. })).map(|(place, _)| place).collect();
    ops[..syncs[syncs.len() / 2]].iter().for_each(|op| files.apply(op));
    let mut told = Reported::default();
    for op in &ops {
        if let Op::Note(note) = op {
            told.hear(note);
        }
    }
    let left = files.after_power_loss(Unsynced::Forgotten);
    let noticed = tokio::spawn(async move { check(&left, &told, "half of it forgotten").await }).await;
    assert!(noticed.is_err(), "it was not noticed that half of the commits are missing");
}
