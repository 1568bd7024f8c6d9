//! Exports of a real store to real files.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{fs, path::Path, sync::Arc};

use tempfile::TempDir;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use wilco_ledger::{
    Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Policy, Retry, Submission, Timestamp,
};

use crate::{
    Engine, Handle,
    api::{CommandState, ExportFormat, ExportView, Failure, FailureCode, FileToWrite, HistoryQuery},
    console::fixture::engine_on,
    paths::DataDir,
    store::{Change, ConnectionId, Store},
};

/// An engine with commands in its history, and a folder to write to.
struct Desk {
    engine: Engine,
    folder: TempDir,
    _data: TempDir,
}

impl Desk {
    /// One command a millisecond, by turns to two devices.
    async fn with(commands: u32) -> Desk {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).unwrap();
        store.commit((0..commands).map(submitted).collect()).await.unwrap();
        store.close().await.unwrap();
        let data_dir = DataDir::open(Some(data.path())).unwrap();
        let engine = engine_on(&data_dir).await;
        Desk { engine, folder: tempfile::tempdir().unwrap(), _data: data }
    }

    fn handle(&self) -> Handle {
        self.engine.handle()
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("history")
    }

    async fn export(&self, query: HistoryQuery, format: ExportFormat) -> (Result<ExportView, Failure>, Vec<u32>) {
        let (tell, views) = mpsc::unbounded_channel();
        let to = FileToWrite { path: self.file(), replace: true };
        let ended = self.handle().export_history(query, to, format, tell).await;
        (ended, told(views))
    }

    /// Nothing but the file itself, or nothing at all.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn submitted(number: u32) -> Change {
    let device = DeviceId::new(if number.is_multiple_of(2) { "even" } else { "odd" }).unwrap();
    let id = CommandId::new(format!("c{number}")).unwrap();
    let policy = Policy {
        delivery: Delivery::HoldHere,
        timeout: Millis::seconds(10),
        time_to_live: Millis::seconds(60),
        retry: Retry { permitted: true, limit: 0, pause: Millis::seconds(2) },
        answer_expected: true,
        answers_carry_ids: true,
    };
    let (name, args) = ("led".into(), r#"{"on":true}"#.into());
    let submission = Submission {
        device: device.clone(),
        id: id.clone(),
        name,
        args,
        form: None,
        policy,
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
    };
    let fact = Fact::Submitted { submission: submission.into(), origin: Origin::Here };
    let event = Event { device, command: Some(id), at: Timestamp(i64::from(number)), fact };
    let command = Command::begin(&event).map(Arc::new);
    Change::Event { connection: ConnectionId::from("bench"), event, command }
}

fn told(mut views: UnboundedReceiver<ExportView>) -> Vec<u32> {
    std::iter::from_fn(|| views.try_recv().ok()).map(|view| view.written).collect()
}

fn ids(path: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.records().map(|row| row.unwrap()[0].to_owned()).collect()
}

#[tokio::test]
async fn all_that_matches_is_written_page_by_page() {
    let desk = Desk::with(2_500).await;
    let (ended, told) = desk.export(HistoryQuery::default(), ExportFormat::Csv).await;
    assert_eq!(
        ended,
        Ok(ExportView { written: 2_500, matching: Some(2_500), stopped: false, path: Some(desk.file()) })
    );
    assert_eq!(told, [1_000, 2_000]);
    let newest_first: Vec<_> = (0..2_500).rev().map(|number| format!("c{number}")).collect();
    assert_eq!(ids(&desk.file()), newest_first);
    assert_eq!(desk.left(), ["history"]);
}

#[tokio::test]
async fn only_what_is_filtered_is_written_wherever_the_list_stood() {
    let desk = Desk::with(6).await;
    let page = desk.handle().history(HistoryQuery { limit: 2, ..HistoryQuery::default() }).await.unwrap();
    let query = HistoryQuery { device: Some("even".into()), cursor: page.next, limit: 1, ..HistoryQuery::default() };
    desk.export(query, ExportFormat::Csv).await.0.unwrap();
    assert_eq!(ids(&desk.file()), ["c4", "c2", "c0"]);

    let none = HistoryQuery { states: vec![CommandState::Failed], ..HistoryQuery::default() };
    assert_eq!(desk.export(none.clone(), ExportFormat::Csv).await.0.unwrap().written, 0);
    assert!(ids(&desk.file()).is_empty());
    desk.export(none, ExportFormat::Json).await.0.unwrap();
    assert_eq!(fs::read_to_string(desk.file()).unwrap(), "");
}

#[tokio::test]
async fn a_stopped_export_leaves_the_earlier_file_as_it_was() {
    let desk = Desk::with(3_500).await;
    fs::write(desk.file(), "earlier").unwrap();
    let (tell, mut views) = mpsc::unbounded_channel();
    let (handle, waiting) = (desk.handle(), desk.handle());
    let to = FileToWrite { path: desk.file(), replace: true };
    let beside = desk.folder.path().join("another");
    let second = mpsc::unbounded_channel().0;
    let (first, second, ()) = tokio::join!(
        handle.export_history(HistoryQuery::default(), to, ExportFormat::Csv, tell),
        // It waits for its turn, and is meant as well.
        waiting.export_history(HistoryQuery::default(), beside.into(), ExportFormat::Csv, second),
        async {
            views.recv().await.unwrap();
            desk.handle().stop_export().await.unwrap();
        }
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first.stopped && first.written < 3_500, "{first:?}");
    assert_eq!(second, ExportView { stopped: true, ..ExportView::default() });
    assert_eq!(desk.left(), ["history"]);
    assert_eq!(fs::read_to_string(desk.file()).unwrap(), "earlier");
    // The next one is not meant.
    assert!(!desk.export(HistoryQuery::default(), ExportFormat::Csv).await.0.unwrap().stopped);
}

#[tokio::test]
async fn a_failed_export_gives_a_message_and_leaves_no_file() {
    let desk = Desk::with(3).await;
    let check = async |query: HistoryQuery, path: &Path, code: FailureCode, expected: &str| {
        let tell = mpsc::unbounded_channel().0;
        let ended = desk.handle().export_history(query, path.to_owned().into(), ExportFormat::Json, tell).await;
        let failure = ended.err().unwrap();
        assert_eq!((failure.code, failure.message), (code, expected.replace("{}", &path.display().to_string())));
        assert!(desk.left().is_empty(), "{:?}", desk.left());
    };
    let all = HistoryQuery::default();
    let nowhere = desk.folder.path().join("no/such/folder");
    check(all.clone(), desk.folder.path(), FailureCode::File, "{} is a folder.").await;
    check(all.clone(), &nowhere, FailureCode::File, "The folder of {} does not exist.").await;
    let wrong = HistoryQuery { search: "x".repeat(201), ..all };
    check(wrong, &desk.file(), FailureCode::Invalid, "The search text has 201 characters; the maximum is 200.").await;
}
