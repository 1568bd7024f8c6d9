//! Connections and devices.

use serde_json::json;
use wilco_ledger::Timestamp;

use super::{connection, device, store, submit};
use crate::{
    api::MqttVersion,
    store::{Change, Profile, Store, StoreError, StoredDevice, StoredSecrets},
};

fn profile(id: &str, name: &str, position: u32) -> Profile {
    Profile {
        id: id.into(),
        name: name.to_owned(),
        url: "mqtts://broker.example:8883".to_owned(),
        mqtt: MqttVersion::V311,
        client_id: "wilco-1".to_owned(),
        username: Some("me".to_owned()),
        dialect: "wilco".to_owned(),
        prefix: "cmd/fleet".to_owned(),
        demo: false,
        certificate_subject: Some("CN=me".to_owned()),
        certificate_expires_at: Some(Timestamp(99)),
        has: StoredSecrets { password: true, private_key: false, certificate: true, authorities: false },
        in_memory_secrets: true,
        position,
    }
}

fn unknown(name: &str) -> StoredDevice {
    StoredDevice {
        device: device(name),
        online: None,
        presence_since: None,
        led: None,
        seen_at: None,
        firmware: None,
        boot: None,
        tags: Vec::new(),
        state: None,
        reported_at: None,
        trip_ms: None,
    }
}

async fn put(store: &Store, devices: &[StoredDevice]) {
    let change = |device: &StoredDevice| Change::Device { connection: connection(), device: device.clone() };
    store.commit(devices.iter().map(change).collect()).await.unwrap();
}

#[tokio::test]
async fn profiles_come_back_in_their_order() {
    let (_dir, store) = store();
    let (bench, field) = (profile("bench", "Bench", 2), profile("field", "Field", 1));
    store.save_connection(&bench).await.unwrap();
    store.save_connection(&field).await.unwrap();
    assert_eq!(store.connections().await.unwrap(), [field.clone(), bench.clone()]);
    let moved = Profile { position: 0, mqtt: MqttVersion::V5, username: None, ..bench };
    store.save_connection(&moved).await.unwrap();
    assert_eq!(store.connections().await.unwrap(), [moved, field]);
    let taken = store.save_connection(&profile("third", "Field", 0)).await;
    assert_eq!(taken, Err(StoreError::NameTaken("Field".to_owned())));
}

#[tokio::test]
async fn devices_come_back_as_they_were_last_written() {
    let (_dir, store) = store();
    let known = StoredDevice {
        online: Some(false),
        presence_since: Some(Timestamp(1)),
        led: Some(true),
        seen_at: Some(Timestamp(2)),
        firmware: Some("2.3".to_owned()),
        boot: Some("b-7".to_owned()),
        tags: vec!["kitchen".to_owned(), "a \"quoted\" one".to_owned()],
        state: Some(json!({"running": {"interval_ms": 1000}})),
        reported_at: Some(Timestamp(3)),
        trip_ms: Some(0.25),
        ..unknown("a")
    };
    put(&store, &[unknown("b"), unknown("a"), known.clone()]).await;
    assert_eq!(store.devices(&connection()).await.unwrap(), [known, unknown("b")]);
    put(&store, &[unknown("a")]).await;
    assert_eq!(store.devices(&connection()).await.unwrap(), [unknown("a"), unknown("b")]);
}

#[tokio::test]
async fn a_removed_connection_leaves_nothing_behind() {
    let (dir, store) = store();
    store.save_connection(&profile("bench", "Bench", 0)).await.unwrap();
    store.save_connection(&profile("field", "Field", 0)).await.unwrap();
    put(&store, &[unknown("a")]).await;
    let mut changes = vec![submit("a", "c1", 1)];
    let Change::Event { event, command, .. } = submit("a", "c1", 1) else { unreachable!() };
    changes.push(Change::Event { connection: "field".into(), event, command });
    store.commit(changes).await.unwrap();
    store.remove_connection(&connection()).await.unwrap();

    let sqlite = crate::store::open::reader(&dir.path().join(crate::store::FILE_NAME)).unwrap();
    for table in ["connections", "devices", "events", "commands", "tallies", "counters"] {
        let column = if table == "connections" { "id" } else { "connection" };
        let mut statement = sqlite.prepare(&format!("SELECT {column} FROM {table}")).unwrap();
        let left: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(left.iter().all(|of| of == "field"), "{table}: {left:?}");
        assert_eq!(left.len(), usize::from(table != "devices"), "{table}");
    }
}

#[tokio::test]
async fn an_installation_keeps_its_id() {
    let (dir, store) = store();
    let id = store.identity().await.unwrap();
    assert_eq!(id.len(), 36);
    store.close().await.unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().identity().await.unwrap(), id);
    let (_elsewhere, other) = super::store();
    assert_ne!(other.identity().await.unwrap(), id);
}
