//! Connections and devices.

use serde_json::json;
use wilco_ledger::Timestamp;

use super::{connection, device, store, submit};
use crate::{
    api::{MqttVersion, Preset, Secrets, Trust},
    store::{Change, Profile, Store, StoreError, StoredDevice},
};

fn profile(id: &str, name: &str, position: u32) -> Profile {
    Profile {
        id: id.into(),
        name: name.to_owned(),
        url: "mqtts://broker.example:8883".to_owned(),
        preset: Preset::Aws,
        mqtt: MqttVersion::V311,
        client_id: "wilco-1".to_owned(),
        username: Some("me".to_owned()),
        dialect: "wilco".to_owned(),
        prefix: "cmd/fleet".to_owned(),
        devices: vec!["pump-7".to_owned()],
        keep_alive: 60,
        session_expiry: 0,
        trust: Trust::Pinned,
        server_name: Some("inside.example".to_owned()),
        alpn: vec!["x-amzn-mqtt-ca".to_owned()],
        proxy_url: Some("http://proxy:3128".to_owned()),
        proxy_username: Some("me".to_owned()),
        denied: vec!["+/state".to_owned()],
        demo: false,
        certificate_subject: Some("CN=me".to_owned()),
        certificate_expires_at: Some(Timestamp(99)),
        has: Secrets { password: true, certificate: true, authorities: false, server: true, proxy_password: false },
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
async fn profiles_are_given_their_places() {
    let (_dir, store) = store();
    for (place, id) in ["a", "b", "c"].into_iter().enumerate() {
        store.save_connection(&profile(id, id, u32::try_from(place).unwrap())).await.unwrap();
    }
    store.order_connections(vec!["c".into(), "a".into(), "b".into()]).await.unwrap();
    let names: Vec<_> = store.connections().await.unwrap().into_iter().map(|profile| profile.name).collect();
    assert_eq!(names, ["c", "a", "b"]);
}

#[tokio::test]
async fn a_profile_of_the_first_version_is_still_the_same_connection() {
    let dir = tempfile::tempdir().unwrap();
    let mut sqlite = rusqlite::Connection::open(dir.path().join(crate::store::FILE_NAME)).unwrap();
    crate::store::table::MIGRATIONS.to_version(&mut sqlite, 7).unwrap();
    sqlite
        .execute_batch(
            "INSERT INTO connections (id, name, url, mqtt, client_id, dialect, prefix, demo, has_password,
                has_private_key, has_certificate, has_authorities, in_memory_secrets, position)
             VALUES ('a', 'A', 'mqtts://a:8883', '5', 'wilco-a', 'wilco', '', 0, 1, 1, 1, 1, 0, 0),
                    ('b', 'B', 'mqtt://b:1883', '3.1.1', 'wilco-b', 'wilco', 'cmd', 0, 0, 0, 0, 0, 0, 1);",
        )
        .unwrap();
    drop(sqlite);
    let store = Store::open(dir.path()).unwrap();
    let plain = Profile {
        id: "a".into(),
        name: "A".to_owned(),
        url: "mqtts://a:8883".to_owned(),
        preset: Preset::Plain,
        mqtt: MqttVersion::V5,
        client_id: "wilco-a".to_owned(),
        username: None,
        prefix: String::new(),
        devices: Vec::new(),
        keep_alive: 30,
        session_expiry: 3_600,
        trust: Trust::Authorities,
        server_name: None,
        alpn: Vec::new(),
        proxy_url: None,
        proxy_username: None,
        denied: Vec::new(),
        certificate_subject: None,
        certificate_expires_at: None,
        has: Secrets { password: true, certificate: true, authorities: true, ..Secrets::default() },
        in_memory_secrets: false,
        ..profile("a", "A", 0)
    };
    let other = Profile {
        id: "b".into(),
        name: "B".to_owned(),
        url: "mqtt://b:1883".to_owned(),
        mqtt: MqttVersion::V311,
        client_id: "wilco-b".to_owned(),
        prefix: "cmd".to_owned(),
        trust: Trust::Platform,
        has: Secrets::default(),
        position: 1,
        ..plain.clone()
    };
    assert_eq!(store.connections().await.unwrap(), [plain, other]);
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
    store.sweep().await.unwrap();

    let sqlite = crate::store::open::reader(&dir.path().join(crate::store::FILE_NAME)).unwrap();
    for table in ["connections", "devices", "events", "commands", "tallies", "counters", "removed"] {
        let column = if table == "connections" { "id" } else { "connection" };
        let mut statement = sqlite.prepare(&format!("SELECT {column} FROM {table}")).unwrap();
        let left: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(left.iter().all(|of| of == "field"), "{table}: {left:?}");
        assert_eq!(left.len(), usize::from(!["devices", "removed"].contains(&table)), "{table}");
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
