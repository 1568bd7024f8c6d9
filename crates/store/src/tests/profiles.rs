//! Connections and devices.

use serde_json::json;
use wilco_ledger::{Disagreement, Timestamp};

use super::{connection, device, id, store, submit};
use wilco_connection::{ConnectionMode, ConnectionSettings, MqttVersion, Preset, ProxySettings, Secrets, Trust};

use crate::{Change, Profile, Restart, Store, StoreError, StoredDevice};

fn profile(id: &str, name: &str, position: u32) -> Profile {
    Profile {
        id: id.into(),
        name: name.to_owned(),
        url: "mqtts://broker.example:8883".to_owned(),
        client_id: "wilco-1".to_owned(),
        settings: ConnectionSettings {
            mode: ConnectionMode::Protected,
            send_operator: true,
            needs_approval: true,
            preset: Preset::Aws,
            mqtt: MqttVersion::V311,
            username: Some("me".to_owned()),
            dialects: vec!["wilco".into(), "zigbee2mqtt:base=house/z2m".parse().unwrap()],
            dialect_files: vec!["format = 1".to_owned()],
            prefix: "cmd/fleet".to_owned(),
            devices_named: vec!["pump-7".to_owned()],
            keep_alive_s: 60,
            session_expiry_s: 0,
            trust: Trust::Pinned,
            server_name: Some("inside.example".to_owned()),
            alpn: vec!["x-amzn-mqtt-ca".to_owned()],
            proxy: Some(ProxySettings { url: "http://proxy:3128".to_owned(), username: Some("me".to_owned()) }),
            denied: vec!["+/state".to_owned()],
        },
        declined: vec!["shelly".to_owned()],
        demo: false,
        certificate_subject: Some("CN=me".to_owned()),
        certificate_expires_at: Some(Timestamp(99)),
        has: Secrets {
            password: true,
            certificate: true,
            authorities: false,
            server: true,
            proxy_password: false,
            device_passwords: true,
        },
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
        restart: None,
        tags: Vec::new(),
        state: None,
        reported_at: None,
        trip_ms: None,
        description: None,
        disagreement: None,
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
    assert_eq!(store.connection(&"bench".into()).await.unwrap(), Some(bench.clone()));
    assert_eq!(store.connection(&"third".into()).await.unwrap(), None);
    let settings = ConnectionSettings { mqtt: MqttVersion::V5, username: None, proxy: None, ..bench.settings.clone() };
    let moved = Profile { position: 0, settings, ..bench };
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
async fn devices_come_back_as_they_were_last_written() {
    let (_dir, store) = store();
    let known = StoredDevice {
        online: Some(false),
        presence_since: Some(Timestamp(1)),
        led: Some(true),
        seen_at: Some(Timestamp(2)),
        firmware: Some("2.3".to_owned()),
        boot: Some("b-7".to_owned()),
        restart: Some(Restart { at: Timestamp(1), reported: true }),
        tags: vec!["kitchen".to_owned(), "a \"quoted\" one".to_owned()],
        state: Some(json!({"running": {"interval_ms": 1000}}).to_string()),
        reported_at: Some(Timestamp(3)),
        trip_ms: Some(0.25),
        disagreement: Some(Box::new(Disagreement {
            command: id("c1"),
            key: "running.mode".into(),
            said: "\"eco\"".into(),
            reported: "\"boost\"".into(),
        })),
        ..unknown("a")
    };
    put(&store, &[unknown("b"), unknown("a"), known.clone()]).await;
    assert_eq!(store.devices(&connection()).await.unwrap(), [known, unknown("b")]);
    put(&store, &[unknown("a")]).await;
    assert_eq!(store.devices(&connection()).await.unwrap(), [unknown("a"), unknown("b")]);
    // One that is gone and comes back within one commit is there.
    let gone = Change::NoDevice { connection: connection(), device: device("a") };
    let back = Change::Device { connection: connection(), device: unknown("a") };
    store.commit(vec![back.clone(), gone.clone(), back.clone()]).await.unwrap();
    assert_eq!(store.devices(&connection()).await.unwrap().len(), 2);
    store.commit(vec![back, gone]).await.unwrap();
    assert_eq!(store.devices(&connection()).await.unwrap(), [unknown("b")]);
}

#[tokio::test]
async fn a_removed_connection_leaves_nothing_behind() {
    let (dir, store) = store();
    store.save_connection(&profile("bench", "Bench", 0)).await.unwrap();
    store.save_connection(&profile("field", "Field", 0)).await.unwrap();
    put(&store, &[unknown("a")]).await;
    let mut changes = vec![submit("a", "c1", 1), Change::WireId { connection: connection(), last: 7 }];
    let Change::Event { event, command, .. } = submit("a", "c1", 1) else { unreachable!() };
    changes.push(Change::Event { connection: "field".into(), event, command });
    store.commit(changes).await.unwrap();
    store.remove_connection(&connection()).await.unwrap();
    store.sweep().await.unwrap();

    let sqlite = crate::open::reader(&dir.path().join(crate::FILE_NAME)).unwrap();
    let left: i64 =
        sqlite.query_row("SELECT count(*) FROM meta WHERE name LIKE 'wire id%'", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    for table in ["connections", "devices", "events", "commands", "tallies", "counters", "removed"] {
        let column = if table == "connections" { "id" } else { "connection" };
        let mut statement = sqlite.prepare(&format!("SELECT {column} FROM {table}")).unwrap();
        let left: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(left.iter().all(|of| of == "field"), "{table}: {left:?}");
        assert_eq!(left.len(), usize::from(!["devices", "removed"].contains(&table)), "{table}");
    }
}

#[tokio::test]
async fn numbers_for_command_ids_go_on_where_they_ended_until_their_connection_is_removed() {
    let (dir, store) = store();
    store.save_connection(&profile("bench", "Bench", 0)).await.unwrap();
    assert_eq!(store.last_wire_id(&connection()).await.unwrap(), None);
    for last in [0x7fff_ffff, 1, 7] {
        store.commit(vec![Change::WireId { connection: connection(), last }]).await.unwrap();
    }
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.last_wire_id(&connection()).await.unwrap(), Some(7));
    assert_eq!(store.last_wire_id(&"field".into()).await.unwrap(), None);
    store.remove_connection(&connection()).await.unwrap();
    assert_eq!(store.last_wire_id(&connection()).await.unwrap(), None);
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
