#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::mpsc::{error::TryRecvError, unbounded_channel},
    time::timeout,
};

use super::{IpcClient, IpcServer, Reply, Request};
use crate::{
    api::{Call, Client, ConnectionEntry, FailureCode, Step, StepState},
    console::fixture::{engine_on, pause_writer, plant},
    paths::DataDir,
};

#[tokio::test]
async fn an_existing_window_is_brought_to_the_front() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    assert!(IpcClient::find(&data_dir).await.is_none());

    let server = IpcServer::open(&data_dir, engine.handle()).unwrap();
    let without = IpcClient::find(&data_dir).await.unwrap().raise().await.unwrap_err();
    assert_eq!(without.code, FailureCode::NotFound);
    drop(server);

    let raised = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&raised);
    let raise = move || {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let server = IpcServer::with_window(&data_dir, engine.handle(), raise).unwrap();
    let other = IpcClient::find(&data_dir).await.unwrap();
    other.raise().await.unwrap();
    other.raise().await.unwrap();
    assert_eq!(raised.load(Ordering::SeqCst), 2);
    // Somebody with another data directory is somebody else.
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(IpcClient::find(&DataDir::open(Some(elsewhere.path())).unwrap()).await.is_none());
    drop(server);
    engine.stop().await;
}

#[tokio::test]
async fn open_calls_are_answered_before_the_server_has_closed() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let id = plant(&engine.handle()).await;
    let server = IpcServer::open(&data_dir, engine.handle()).unwrap();
    let inside = IpcClient::find(&data_dir).await.unwrap();
    let client = Client::new(inside.clone());
    let mut batches = client.listen().await.unwrap();
    assert_eq!(client.connections().await.unwrap().len(), 1);

    // The history stands still, so the call is open while the server closes.
    let disk = pause_writer(&engine.handle());
    let removing = tokio::spawn(async move { client.remove_connection(&id).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let closing = tokio::spawn(async move {
        server.close().await;
        engine.stop().await;
    });
    // Who listens is told the end after a moment; nobody else comes in.
    while batches.recv().await.is_some() {}
    assert!(!removing.is_finished() && !closing.is_finished());
    assert!(IpcClient::find(&data_dir).await.is_none());
    drop(disk);
    removing.await.unwrap().unwrap();
    // There may be more to ask, until it lets go.
    assert_eq!(Client::new(inside.clone()).connections().await.unwrap().len(), 0);
    assert!(!closing.is_finished());
    // It asks nothing more, so the engine ends, and a call to it was not taken.
    closing.await.unwrap();
    let failure = Client::new(inside.clone()).connections().await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Ended);
    let failure = Client::new(inside).connections().await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Ended);
    let engine = engine_on(&data_dir).await;
    assert_eq!(engine.handle().connections().await.unwrap().len(), 0);
    engine.stop().await;
}

#[tokio::test]
async fn a_client_in_another_process_calls_is_told_and_is_streamed_to_as_one_in_this() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let connection = plant(&engine.handle()).await;
    let _server = IpcServer::open(&data_dir, engine.handle()).unwrap();
    let remote = Client::new(IpcClient::find(&data_dir).await.unwrap());
    for client in [Client::new(engine.handle()), remote.clone()] {
        assert_eq!(client.connections().await.unwrap()[0].id, connection);
        assert_eq!(client.device(&connection, "nobody").await.unwrap_err().code, FailureCode::NotFound);

        let mut batches = client.listen().await.unwrap();
        assert_eq!(batches.recv().await.unwrap().connections.unwrap()[0].id, connection);

        let entry = ConnectionEntry { url: "mqtt://127.0.0.1:9".into(), ..ConnectionEntry::default() };
        let (tell, mut told) = unbounded_channel();
        let ended = client.preflight(entry, None, tell).await.unwrap();
        assert!(ended.done && !ended.ok, "{ended:?}");
        let mut running = Vec::new();
        let closed = loop {
            match told.try_recv() {
                Ok(view) => running
                    .extend(view.steps.iter().find(|step| step.state == StepState::Running).map(|step| step.step)),
                Err(error) => break error,
            }
        };
        running.dedup();
        assert_eq!(
            (running, closed),
            (vec![Step::Name, Step::Tcp], TryRecvError::Disconnected),
            "told before the answer"
        );
    }
    // What is the window's alone is not done for others.
    assert_eq!(remote.remove_button("none").await.unwrap_err().code, FailureCode::Invalid);
    engine.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_call_that_is_there_before_the_last_one_is_answered_is_answered_too() {
    const CALLS: usize = 40;
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let _server = IpcServer::open(&data_dir, engine.handle()).unwrap();
    let stream = tokio::net::UnixStream::connect(data_dir.socket()).await.unwrap();
    let (reader, mut writer) = tokio::io::split(stream);
    let call = serde_json::to_string(&Request::Call(Box::new(Call::connections {}))).unwrap();
    writer.write_all(format!("{call}\n").repeat(CALLS).as_bytes()).await.unwrap();
    let mut lines = BufReader::new(reader).lines();
    for answered in 0..CALLS {
        let line = timeout(Duration::from_secs(10), lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("only {answered} of {CALLS} calls were answered")).unwrap().unwrap();
        assert!(matches!(serde_json::from_str(&line).unwrap(), Reply::Done(_)), "{line}");
    }
    engine.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_request_without_an_end_is_refused_before_it_fills_the_memory() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let _server = IpcServer::open(&data_dir, engine.handle()).unwrap();
    let stream = tokio::net::UnixStream::connect(data_dir.socket()).await.unwrap();
    let (reader, mut writer) = tokio::io::split(stream);
    let writing = tokio::spawn(async move {
        let block = vec![b'x'; 1 << 20];
        // It ends when the engine reads no more.
        for written in 0..1_000 {
            if writer.write_all(&block).await.is_err() {
                return written;
            }
        }
        1_000
    });
    let mut lines = BufReader::new(reader).lines();
    let line = timeout(Duration::from_secs(60), lines.next_line()).await.unwrap().unwrap().unwrap();
    let Reply::Failed(failure) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
    assert_eq!(failure.code, FailureCode::Invalid);
    assert!(failure.message.contains("more than"), "{failure:?}");
    let written = writing.await.unwrap();
    assert!((64..100).contains(&written), "{written} MiB were taken");
    // The others are answered as before.
    let other = Client::new(IpcClient::find(&data_dir).await.unwrap());
    assert_eq!(other.connections().await.unwrap().len(), 0);
    engine.stop().await;
}
