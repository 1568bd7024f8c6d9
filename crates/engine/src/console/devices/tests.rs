#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::time::Duration;

use crate::{
    Handle,
    api::{DeviceQuery, DeviceRow, FailureCode, NewCommand, NewDevice},
    console::fixture::{engine, engine_on, plant},
    paths::DataDir,
};

async fn rows(handle: &Handle, connection: &str, search: &str) -> Vec<DeviceRow> {
    let query = DeviceQuery { connection: connection.into(), search: search.into(), ..DeviceQuery::default() };
    handle.devices(query, 0, 100).await.unwrap().rows
}

async fn ids(handle: &Handle, connection: &str, search: &str) -> Vec<String> {
    rows(handle, connection, search).await.into_iter().map(|row| row.device).collect()
}

fn new(device: &str, name: Option<&str>, tags: &[&str]) -> NewDevice {
    NewDevice {
        device: device.into(),
        name: name.map(str::to_owned),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        note: None,
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn annotations_survive_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let handle = engine.handle();
    let plant = plant(&handle).await;
    let all = vec![new("pump-7", Some("Boiler room"), &["north", "north"]), new("pump-8", None, &[])];
    assert_eq!(handle.add_devices(&plant, all.clone()).await.unwrap(), ["pump-7", "pump-8"]);
    assert_eq!(handle.add_devices(&plant, all).await.unwrap(), Vec::<String>::new());
    // One that is named and not known yet is added.
    let tagged = handle.tag_devices(&plant, owned(&["pump-7", "pump-8", "pump-9"]), "spare").await.unwrap();
    assert_eq!(tagged, ["pump-7", "pump-8", "pump-9"]);
    assert_eq!(handle.tag_devices(&plant, owned(&["pump-7"]), "spare").await.unwrap(), Vec::<String>::new());
    let spaced = handle.tag_devices(&plant, owned(&["pump-7"]), " spare ").await.unwrap_err();
    assert_eq!(spaced.message, "The tag “ spare ” begins or ends with a space.");
    assert_eq!(
        handle.untag_devices(&plant, owned(&["pump-7", "pump-8", "nobody"]), "north").await.unwrap(),
        ["pump-7"]
    );
    handle.note_device(&plant, "pump-8", Some("Behind the\nlift".into())).await.unwrap();
    handle.name_device(&plant, "pump-8", Some("Lift".into())).await.unwrap();
    engine.stop().await;

    let engine = engine_on(&data_dir).await;
    let handle = engine.handle();
    let listed = rows(&handle, &plant, "tag:spare").await;
    let told: Vec<_> = listed.iter().map(|row| (row.device.as_str(), row.name.as_deref(), &row.added_tags)).collect();
    let spare = owned(&["spare"]);
    assert_eq!(
        told,
        [("pump-7", Some("Boiler room"), &spare), ("pump-8", Some("Lift"), &spare), ("pump-9", None, &spare)]
    );
    assert_eq!(handle.device(&plant, "pump-8").await.unwrap().note.as_deref(), Some("Behind the\nlift"));
    handle.name_device(&plant, "pump-8", None).await.unwrap();
    assert_eq!(ids(&handle, &plant, "name:*").await, ["pump-7"]);
    engine.stop().await;
}

#[tokio::test]
async fn invalid_annotations_are_refused_and_nothing_is_set() {
    let (_data, _engine, handle) = engine().await;
    let plant = plant(&handle).await;
    let refused = |devices: Vec<NewDevice>| {
        let (handle, plant) = (handle.clone(), plant.clone());
        async move { handle.add_devices(&plant, devices).await.unwrap_err() }
    };
    let failure = refused(vec![new("pump-7", None, &[]), new("a/b", None, &[])]).await;
    assert_eq!(failure.code, FailureCode::Invalid);
    assert!(failure.message.contains("'a/b' is not a valid device ID"), "{failure:?}");
    assert!(refused(vec![new("pump-7", None, &["a;b"])]).await.message.contains("semicolon"));
    assert_eq!(ids(&handle, &plant, "").await, Vec::<String>::new());
    let absent = handle.name_device(&plant, "pump-7", Some("x".into())).await.unwrap_err();
    assert_eq!(absent.code, FailureCode::NotFound);
    assert_eq!(handle.add_devices("nowhere", vec![]).await.unwrap_err().code, FailureCode::NotFound);
}

#[tokio::test]
async fn a_forgotten_device_can_be_restored_and_is_deleted_after_that() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let played = crate::clock::tests::Played::at("a", 3_600_000, 1_795_438_800_000);
    let engine = crate::console::fixture::engine_at(&data_dir, &played).await;
    let handle = engine.handle();
    let plant = plant(&handle).await;
    handle.add_devices(&plant, vec![new("pump-7", Some("Bay"), &["north"]), new("pump-8", None, &[])]).await.unwrap();
    let busy = NewCommand {
        connection: plant.clone(),
        devices: owned(&["pump-9"]),
        command: "led".into(),
        args: serde_json::json!({"on": true}).into(),
        ..NewCommand::default()
    };
    handle.send(busy).await.unwrap();

    let forgotten = handle.forget_devices(&plant, owned(&["pump-7", "pump-9", "nobody"])).await.unwrap();
    assert_eq!(
        (forgotten.devices, forgotten.busy, forgotten.undo_within_s),
        (owned(&["pump-7"]), owned(&["pump-9"]), 30)
    );
    assert_eq!(ids(&handle, &plant, "-pump-9").await, Vec::<String>::new());
    assert_eq!(ids(&handle, &plant, "").await, ["pump-8", "pump-9"]);
    assert_eq!(handle.restore_devices(&plant, owned(&["pump-7", "pump-8"])).await.unwrap(), ["pump-7"]);
    assert_eq!(ids(&handle, &plant, "name:bay tag:north").await, ["pump-7"]);

    handle.forget_devices(&plant, owned(&["pump-7", "pump-8"])).await.unwrap();
    played.pass(31_000);
    assert_eq!(handle.restore_devices(&plant, owned(&["pump-8"])).await.unwrap(), Vec::<String>::new(), "too late");
    handle.clone().delete_forgotten(Duration::ZERO).await;
    assert_eq!(handle.store.annotations(&plant.as_str().into()).await.unwrap(), []);
    assert_eq!(handle.restore_devices(&plant, owned(&["pump-7"])).await.unwrap(), Vec::<String>::new());
    engine.stop().await;
}

#[tokio::test]
async fn a_forgotten_device_stays_forgotten_over_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    let handle = engine.handle();
    let plant = plant(&handle).await;
    handle.add_devices(&plant, vec![new("pump-7", None, &[]), new("pump-8", None, &[])]).await.unwrap();
    handle.forget_devices(&plant, owned(&["pump-7"])).await.unwrap();
    engine.stop().await;
    let engine = engine_on(&data_dir).await;
    assert_eq!(ids(&engine.handle(), &plant, "").await, ["pump-8"]);
    // Added again it is another one.
    engine.handle().add_devices(&plant, vec![new("pump-7", Some("New"), &[])]).await.unwrap();
    assert_eq!(ids(&engine.handle(), &plant, "").await, ["pump-7", "pump-8"]);
    engine.stop().await;
}
