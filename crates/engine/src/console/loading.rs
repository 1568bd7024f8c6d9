//! Tests of a start whose connections are still being loaded.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::{
    Engine, Handle,
    fixture::{engine_held, engine_on},
};
use crate::{
    Options,
    api::{
        Client, ConnectionEntry, DeviceQuery, Failure, FailureCode, HistoryQuery, LinkState, NewCommand, NewDevice,
        NewRollout, RolloutCommand, RolloutTarget,
    },
    ipc::{IpcClient, IpcServer},
    paths::DataDir,
    store::FILE_NAME,
    vault::Vault,
};

/// Long enough for something to happen, where nothing shows that it did.
const A_WHILE: Duration = Duration::from_millis(150);
/// What waits for nothing happens within this time, however busy the computer is.
const SOON: Duration = Duration::from_secs(20);

/// A connection with three devices, and its id.
async fn connection(handle: &Handle, name: &str, url: String) -> String {
    let entry = ConnectionEntry { name: name.into(), url, ..ConnectionEntry::default() };
    let id = handle.save_connection(entry).await.unwrap().id;
    let devices = ["pump-1", "pump-2", "pump-3"].map(|device| NewDevice {
        device: device.into(),
        tags: vec!["hall-1".into()],
        ..NewDevice::default()
    });
    handle.add_devices(&id, devices.to_vec()).await.unwrap();
    id
}

fn query(connection: &str) -> DeviceQuery {
    DeviceQuery { connection: connection.into(), ..DeviceQuery::default() }
}

fn identify(connection: &str, device: &str) -> NewCommand {
    NewCommand {
        connection: connection.into(),
        devices: vec![device.into()],
        command: "identify".into(),
        ..NewCommand::default()
    }
}

/// Something is done within a reasonable time.
async fn soon<T>(call: impl Future<Output = Result<T, Failure>>) -> T {
    timeout(SOON, call).await.expect("an answer").unwrap()
}

/// An engine that has listed its connections and reads nothing until the answer is released.
async fn held(data_dir: &DataDir) -> (Engine, Handle, Arc<Semaphore>) {
    let turns = Arc::new(Semaphore::new(0));
    let engine = timeout(SOON, engine_held(data_dir, &turns)).await.expect("a start");
    let handle = engine.handle();
    (engine, handle, turns)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_listed_at_once_and_a_call_about_one_waits_until_it_is_loaded() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let handle = engine.handle();
    let plant = connection(&handle, "plant", "mqtt://127.0.0.1:9".into()).await;
    handle.send(identify(&plant, "pump-1")).await.unwrap();
    let rollout = NewRollout {
        connection: plant.clone(),
        command: RolloutCommand { name: "identify".into(), ..RolloutCommand::default() },
        target: RolloutTarget::Devices { devices: vec!["pump-2".into()] },
        ..NewRollout::default()
    };
    handle.start_rollout(rollout).await.unwrap();
    engine.stop().await;

    let (engine, handle, turns) = held(&data_dir).await;
    let listed = soon(handle.connections()).await;
    assert_eq!((listed.len(), &listed[0].name[..], &listed[0].link), (1, "plant", &LinkState::Loading));
    let mut batches = soon(handle.listen()).await;
    let first = timeout(SOON, batches.recv()).await.unwrap().unwrap();
    assert_eq!(first.connections.unwrap()[0].link, LinkState::Loading);
    // Nothing of this depends on what is being read.
    assert_eq!(soon(handle.history(HistoryQuery { limit: 10, ..HistoryQuery::default() })).await.commands.len(), 1);
    soon(handle.settings()).await;
    soon(handle.catalogue()).await;

    let _server = IpcServer::open(&data_dir, handle.clone()).unwrap();
    let outside = IpcClient::find(&data_dir).await.unwrap();
    let calls = {
        let (of_fleet, sending, rollouts) = (handle.clone(), handle.clone(), handle.clone());
        let (query, command) = (query(&plant), identify(&plant, "pump-3"));
        let of_fleet = tokio::spawn(async move { of_fleet.devices(query, 0, 10).await.unwrap().total });
        let sending = tokio::spawn(async move { sending.send(command).await.unwrap().ids.len() });
        let rollouts = tokio::spawn(async move { rollouts.rollouts().await.unwrap().len() });
        let outside =
            tokio::spawn(async move { Client::new(outside).connections().await.unwrap()[0].devices as usize });
        (of_fleet, sending, rollouts, outside)
    };
    sleep(A_WHILE).await;
    assert!(!calls.0.is_finished(), "devices of a fleet that is not loaded");
    assert!(!calls.1.is_finished(), "a command to a device that is not loaded");
    assert!(!calls.2.is_finished(), "rollouts that are not loaded");
    assert!(!calls.3.is_finished(), "another program sees a connection that is not loaded");
    assert_eq!(soon(handle.connections()).await[0].link, LinkState::Loading);

    turns.add_permits(1);
    let (devices, sent, rollouts, outside) = calls;
    assert_eq!(timeout(SOON, devices).await.unwrap().unwrap(), 3);
    assert_eq!(timeout(SOON, sent).await.unwrap().unwrap(), 1);
    assert_eq!(timeout(SOON, rollouts).await.unwrap().unwrap(), 1);
    assert_eq!(timeout(SOON, outside).await.unwrap().unwrap(), 3);
    let loaded = soon(handle.connections()).await.remove(0);
    assert_ne!(loaded.link, LinkState::Loading);
    assert_eq!((loaded.devices, loaded.counts.kept), (3, 2));
    assert!(loaded.counts.queued >= 2, "{:?}", loaded.counts);
    // A listener receives it.
    let told = async {
        while let Some(batch) = batches.recv().await {
            if batch.connections.is_some_and(|connections| connections[0].link != LinkState::Loading) {
                return;
            }
        }
    };
    timeout(SOON, told).await.unwrap();
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_begins_before_the_unfinished_commands_are_there() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mqtt://{}", broker.local_addr().unwrap());
    let engine = engine_on(&data_dir).await;
    let plant = connection(&engine.handle(), "plant", url).await;
    engine.handle().send(identify(&plant, "pump-1")).await.unwrap();
    timeout(SOON, broker.accept()).await.expect("a session").unwrap();
    engine.stop().await;
    // The session may have tried once more.
    while timeout(A_WHILE, broker.accept()).await.is_ok() {}

    let (engine, handle, turns) = held(&data_dir).await;
    assert!(timeout(A_WHILE, broker.accept()).await.is_err(), "a session without its unfinished commands");
    turns.add_permits(1);
    timeout(SOON, broker.accept()).await.expect("a session").unwrap();
    assert_eq!(soon(handle.connections()).await[0].counts.queued, 1);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_still_loading_can_be_stopped() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let plant = connection(&engine.handle(), "plant", "mqtt://127.0.0.1:9".into()).await;
    engine.stop().await;

    let (engine, handle, turns) = held(&data_dir).await;
    let call = tokio::spawn({
        let (handle, query) = (handle.clone(), query(&plant));
        async move { handle.devices(query, 0, 10).await.unwrap_err() }
    });
    sleep(A_WHILE).await;
    timeout(SOON, engine.stop()).await.expect("an end");
    turns.close();
    assert_eq!(timeout(SOON, call).await.unwrap().unwrap().code, FailureCode::Internal);
    // Everything is as it was.
    let engine = engine_on(&data_dir).await;
    assert_eq!(soon(engine.handle().devices(query(&plant), 0, 10)).await.total, 3);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_cannot_be_read_says_so_and_holds_up_no_other() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let handle = engine.handle();
    let lab = connection(&handle, "lab", "mqtt://127.0.0.1:9".into()).await;
    let plant = connection(&handle, "plant", "mqtt://127.0.0.1:9".into()).await;
    handle.tag_devices(&plant, vec!["pump-2".into()], "fragile").await.unwrap();
    engine.stop().await;
    let file = data.path().join(FILE_NAME);
    let mut bytes = std::fs::read(&file).unwrap();
    let tags = br#"["hall-1","fragile"]"#;
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(tags)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + tags.len() - 1] = b'}';
    }
    std::fs::write(&file, bytes).unwrap();

    let options = || Options { data_dir: data_dir.clone(), vault: Vault::in_memory(), passing: false };
    // Where everything has to be there, there is no start.
    assert_eq!(Engine::start(options()).await.err().unwrap().code, FailureCode::Store);

    let engine = Engine::begin(options()).await.unwrap();
    let handle = engine.handle();
    assert_eq!(soon(handle.devices(query(&lab), 0, 10)).await.total, 3);
    let refused = timeout(SOON, handle.devices(query(&plant), 0, 10)).await.unwrap().unwrap_err();
    assert_eq!(refused.code, FailureCode::Store);
    let views = soon(handle.connections()).await;
    let link = |id: &str| &views.iter().find(|view| view.id == id).unwrap().link;
    assert!(matches!(link(&plant), LinkState::Waiting { message, .. } if *message == refused.message), "{views:?}");
    assert_ne!(link(&lab), &LinkState::Loading);
    // Without knowing what it has, it is not removed.
    let kept = timeout(SOON, handle.remove_connection(&plant)).await.unwrap().unwrap_err();
    assert_eq!(kept.code, FailureCode::Store);
    assert_eq!(soon(handle.connections()).await.len(), 2);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_dialects_cannot_be_used_any_more_says_so_and_is_repaired_by_saving_it() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let handle = engine.handle();
    let lab = connection(&handle, "lab", "mqtt://127.0.0.1:9".into()).await;
    let plant = connection(&handle, "plant", "mqtt://127.0.0.1:9".into()).await;
    let mut profile = handle.store.connection(&plant.as_str().into()).await.unwrap().unwrap();
    // An earlier version had this dialect.
    profile.settings.dialects[0].name = "gone".into();
    handle.store.save_connection(&profile).await.unwrap();
    engine.stop().await;

    let options = Options { data_dir: data_dir.clone(), vault: Vault::in_memory(), passing: false };
    let engine = Engine::begin(options).await.unwrap();
    let handle = engine.handle();
    assert_eq!(soon(handle.devices(query(&lab), 0, 10)).await.total, 3);
    let refused = timeout(SOON, handle.devices(query(&plant), 0, 10)).await.unwrap().unwrap_err();
    assert_eq!(refused.message, "There is no dialect named 'gone'.");
    let entry = ConnectionEntry {
        id: Some(plant.clone()),
        name: "plant".into(),
        url: "mqtt://127.0.0.1:9".into(),
        ..ConnectionEntry::default()
    };
    soon(handle.save_connection(entry)).await;
    assert_eq!(soon(handle.devices(query(&plant), 0, 10)).await.total, 3);
    engine.stop().await;
}
