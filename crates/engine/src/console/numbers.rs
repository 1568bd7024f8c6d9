//! Tests of the numbers that name commands in the messages of some firmware.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use super::fixture::engine_by_chance;
use crate::{
    Handle,
    api::{ConnectionEntry, ConnectionSettings, NewCommand},
    paths::DataDir,
};

/// A connection with devices that need a number. There is no broker: everything stays in the outbox.
fn entry(name: &str, id: Option<&str>, dialects: &[&str]) -> ConnectionEntry {
    ConnectionEntry {
        id: id.map(str::to_owned),
        name: name.into(),
        url: "mqtt://127.0.0.1:9".into(),
        settings: ConnectionSettings {
            dialects: dialects.iter().map(|&dialect| dialect.into()).collect(),
            ..ConnectionSettings::default()
        },
        ..ConnectionEntry::default()
    }
}

/// The number of a new command, as its request has it.
async fn number(handle: &Handle, connection: &str) -> u32 {
    let (devices, command) = (vec!["pump-7".into()], "reboot".into());
    let new = NewCommand { connection: connection.into(), devices, command, ..NewCommand::default() };
    let id = handle.send(new).await.unwrap().ids.remove(0);
    let topic = handle.command(connection, "pump-7", &id).await.unwrap().request.unwrap().topic;
    topic.strip_prefix("$iothub/methods/POST/reboot/?$rid=").unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_begin_by_chance_and_go_on_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_by_chance(&data_dir, 1_234_567_890).await;
    let handle = engine.handle();
    let connection = handle.save_connection(entry("hub", None, &["azure-methods"])).await.unwrap().id;
    assert_eq!(number(&handle, &connection).await, 1_234_567_891);
    assert_eq!(number(&handle, &connection).await, 1_234_567_892);
    // Also where the connection is edited meanwhile.
    handle.save_connection(entry("hub", Some(&connection), &["azure-methods", "homie5"])).await.unwrap();
    assert_eq!(number(&handle, &connection).await, 1_234_567_893);
    engine.stop().await;

    let engine = engine_by_chance(&data_dir, 5).await;
    let handle = engine.handle();
    assert_eq!(number(&handle, &connection).await, 1_234_567_894);
    // Another connection has numbers of its own.
    let other = handle.save_connection(entry("other hub", None, &["azure-methods"])).await.unwrap().id;
    assert_eq!(number(&handle, &other).await, 6);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_gets_such_a_dialect_later_begins_by_chance_too() {
    let data = tempfile::tempdir().unwrap();
    let engine = engine_by_chance(&DataDir::open(Some(data.path())).unwrap(), 0x7fff_fffe).await;
    let handle = engine.handle();
    let connection = handle.save_connection(entry("hub", None, &["wilco"])).await.unwrap().id;
    handle.save_connection(entry("hub", Some(&connection), &["azure-methods"])).await.unwrap();
    assert_eq!(number(&handle, &connection).await, 0x7fff_ffff);
    assert_eq!(number(&handle, &connection).await, 1);
    engine.stop().await;
}
