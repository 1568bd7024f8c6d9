//! Tests that everything that does not need the store continues while the store is blocked or cannot write, and that
//! nothing is reported as done.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::time::Duration;

use tokio::{task::JoinHandle, time::timeout};

use super::{
    Handle,
    fixture::{engine, pause_writer, plant},
};
use crate::{
    api::{
        ConnectionEntry, Delivery, DeviceQuery, DeviceRow, Failure, FailureCode, HistoryQuery, NewCommand, NewDevice,
    },
    store::{ConnectionId, FILE_NAME, Profile},
};

/// Long enough for a request to be taken, where nothing shows that it was.
const A_WHILE: Duration = Duration::from_millis(100);
/// A request that does not need the store is answered within this time, however busy the computer is.
const SOON: Duration = Duration::from_secs(20);

/// Commands to so many devices, which wait in the outbox.
async fn send(handle: &Handle, connection: &str, devices: u32, delivery: Delivery) -> Vec<String> {
    let new = NewCommand {
        connection: connection.into(),
        devices: (0..devices).map(|number| format!("pump-{number}")).collect(),
        command: "identify".into(),
        delivery: Some(delivery),
        ..NewCommand::default()
    };
    handle.send(new).await.unwrap().ids
}

async fn row(handle: &Handle, connection: &str, device: &str) -> Option<DeviceRow> {
    let query = DeviceQuery { connection: connection.into(), ..DeviceQuery::default() };
    handle.devices(query, 0, 1_000).await.unwrap().rows.into_iter().find(|row| row.device == device)
}

async fn needs_attention(handle: &Handle) -> u32 {
    handle.connections().await.unwrap().iter().map(|view| view.counts.needs_attention).sum()
}

/// Sends a request while the store stands still: it is not done before the store goes on, and other requests are.
async fn check<T: Send + 'static>(
    handle: &Handle,
    what: &str,
    request: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> T {
    let disk = pause_writer(handle);
    let asked: JoinHandle<_> = tokio::spawn(request);
    tokio::time::sleep(A_WHILE).await;
    for _ in 0..3 {
        timeout(SOON, handle.connections())
            .await
            .unwrap_or_else(|_| panic!("{what} keeps the engine waiting"))
            .unwrap();
    }
    assert!(!asked.is_finished(), "{what} is said to be done before it is on the disk");
    drop(disk);
    timeout(SOON, asked).await.unwrap_or_else(|_| panic!("{what} is never answered")).unwrap().unwrap()
}

#[tokio::test]
async fn nobody_waits_for_what_somebody_else_has_stored() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    send(&handle, &connection, 3, Delivery::Now).await;
    assert_eq!(needs_attention(&handle).await, 3);
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let here = || (handle.clone(), connection.clone());

    let (one, of) = here();
    check(&handle, "dismissing", async move { one.dismiss(&of, None).await }).await;
    assert_eq!(needs_attention(&handle).await, 0);
    let (one, of) = here();
    let tagged = owned(&["pump-0", "pump-7"]);
    let tagged = check(&handle, "tagging", async move { one.tag_devices(&of, tagged, "spare").await }).await;
    assert_eq!(tagged, ["pump-0", "pump-7"]);
    let (one, of) = here();
    let forgotten = owned(&["pump-0", "pump-1"]);
    let forgotten = check(&handle, "forgetting", async move { one.forget_devices(&of, forgotten).await }).await;
    assert_eq!(forgotten.devices, ["pump-0", "pump-1"]);
    assert!(row(&handle, &connection, "pump-0").await.is_none());
    let (one, of) = here();
    let back = owned(&["pump-0"]);
    assert_eq!(check(&handle, "restoring", async move { one.restore_devices(&of, back).await }).await, ["pump-0"]);
    assert_eq!(row(&handle, &connection, "pump-0").await.unwrap().added_tags, ["spare"]);
    // A new annotation restores the other one.
    let (one, of) = here();
    let again = owned(&["pump-1"]);
    check(&handle, "tagging what was forgotten", async move { one.tag_devices(&of, again, "new").await }).await;
    assert_eq!(row(&handle, &connection, "pump-1").await.unwrap().added_tags, ["new"]);
    let (one, of) = here();
    check(&handle, "deleting a device", async move { one.forget_device(&of, "pump-1").await }).await;
    assert!(row(&handle, &connection, "pump-1").await.is_none());
    let one = handle.clone();
    let later = wilco_ledger::Timestamp(handle.clock.now().0 + 1);
    let older = check(&handle, "retention", async move { one.forget_before(later, || true).await }).await;
    assert_eq!(older.commands, 2);

    let entry = ConnectionEntry { name: "lab".into(), url: "mqtt://127.0.0.1:9".into(), ..ConnectionEntry::default() };
    let lab = handle.save_connection(entry).await.unwrap().id;
    let one = handle.clone();
    check(&handle, "removing a connection", async move { one.remove_connection(&lab).await }).await;
    assert_eq!(handle.connections().await.unwrap().len(), 1);
    engine.stop().await;
}

#[tokio::test]
async fn nobody_waits_while_what_is_stored_of_a_new_connection_is_read() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    // More than is shown at once: who reads the tables of commands waits for the store.
    let disk = pause_writer(&handle);
    let (one, of) = (handle.clone(), connection.clone());
    let first = tokio::spawn(async move { send(&one, &of, 100, Delivery::HoldHere).await });
    tokio::time::sleep(A_WHILE).await;
    let still = pause_writer(&handle);
    drop(disk);
    first.await.unwrap();

    let stored = handle.store.connections().await.unwrap().remove(0);
    let lab = Profile { id: ConnectionId::from("lab"), name: "lab".into(), ..stored };
    let one = handle.clone();
    let opened = tokio::spawn(async move { one.open(lab).await });
    tokio::time::sleep(A_WHILE).await;
    let listed = timeout(SOON, handle.connections()).await.expect("adding a connection keeps the engine waiting");
    assert_eq!(listed.unwrap().len(), 1);
    assert!(!opened.is_finished());
    drop(still);
    assert_eq!(opened.await.unwrap().unwrap().name, "lab");
    assert_eq!(handle.connections().await.unwrap().len(), 2);
    engine.stop().await;
}

#[tokio::test]
async fn two_changes_of_one_device_are_both_there() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    let pump = NewDevice { device: "pump".into(), ..NewDevice::default() };
    handle.add_devices(&connection, vec![pump]).await.unwrap();
    let disk = pause_writer(&handle);
    let here = || (handle.clone(), connection.clone());
    let (one, of) = here();
    let named = tokio::spawn(async move { one.name_device(&of, "pump", Some("Boiler".into())).await });
    let (one, of) = here();
    let tagged = tokio::spawn(async move { one.tag_devices(&of, vec!["pump".into()], "spare").await });
    let (one, of) = here();
    let noted = tokio::spawn(async move { one.note_device(&of, "pump", Some("Behind the lift".into())).await });
    tokio::time::sleep(A_WHILE).await;
    assert!(row(&handle, &connection, "pump").await.unwrap().name.is_none(), "it is shown before it is on the disk");
    drop(disk);
    named.await.unwrap().unwrap();
    tagged.await.unwrap().unwrap();
    noted.await.unwrap().unwrap();
    let row = row(&handle, &connection, "pump").await.unwrap();
    assert_eq!((row.name.as_deref(), row.added_tags), (Some("Boiler"), vec!["spare".to_owned()]));
    assert_eq!(handle.device(&connection, "pump").await.unwrap().note.as_deref(), Some("Behind the lift"));
    engine.stop().await;
}

#[tokio::test]
async fn a_failed_change_is_reported_and_undone() {
    let (data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    send(&handle, &connection, 1, Delivery::Now).await;
    let database = rusqlite::Connection::open(data.path().join(FILE_NAME)).unwrap();
    let refuse = |table: &str| {
        let trigger =
            format!("CREATE TRIGGER full_{table} BEFORE INSERT ON {table} BEGIN SELECT raise(ABORT, 'full'); END");
        database.execute_batch(&trigger).unwrap();
    };
    let accept = |table: &str| database.execute_batch(&format!("DROP TRIGGER full_{table}")).unwrap();
    let pump = || vec!["pump-0".to_owned()];

    refuse("dismissed");
    assert_eq!(handle.dismiss(&connection, None).await.unwrap_err().code, FailureCode::Store);
    assert_eq!(needs_attention(&handle).await, 1);
    accept("dismissed");
    handle.dismiss(&connection, None).await.unwrap();
    assert_eq!(needs_attention(&handle).await, 0);

    refuse("annotations");
    assert_eq!(handle.tag_devices(&connection, pump(), "spare").await.unwrap_err().code, FailureCode::Store);
    assert_eq!(handle.forget_devices(&connection, pump()).await.unwrap_err().code, FailureCode::Store);
    let shown = row(&handle, &connection, "pump-0").await.unwrap();
    assert_eq!(shown.added_tags, Vec::<String>::new());
    accept("annotations");
    handle.forget_devices(&connection, pump()).await.unwrap();
    refuse("annotations");
    assert_eq!(handle.restore_devices(&connection, pump()).await.unwrap_err().code, FailureCode::Store);
    assert!(row(&handle, &connection, "pump-0").await.is_none());
    accept("annotations");
    // It can still be undone, and no turn is taken.
    assert_eq!(handle.restore_devices(&connection, pump()).await.unwrap(), pump());
    assert!(row(&handle, &connection, "pump-0").await.is_some());
    engine.stop().await;
}

#[tokio::test]
async fn a_connection_that_could_not_be_removed_goes_on_with_all_that_happened_before() {
    let (data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    let database = rusqlite::Connection::open(data.path().join(FILE_NAME)).unwrap();
    let refuse = "CREATE TRIGGER kept BEFORE DELETE ON connections BEGIN SELECT raise(ABORT, 'full'); END";
    database.execute_batch(refuse).unwrap();
    let disk = pause_writer(&handle);
    let sends = || {
        let (one, of) = (handle.clone(), connection.clone());
        tokio::spawn(async move { send(&one, &of, 1, Delivery::HoldHere).await })
    };
    // The second one gathers while the first one is committed.
    let first = sends();
    tokio::time::sleep(A_WHILE).await;
    let second = sends();
    tokio::time::sleep(A_WHILE).await;
    let (one, of) = (handle.clone(), connection.clone());
    let removed = tokio::spawn(async move { one.remove_connection(&of).await });
    tokio::time::sleep(A_WHILE).await;
    drop(disk);
    let sent = [first.await.unwrap(), second.await.unwrap()].concat();
    assert_eq!(removed.await.unwrap().unwrap_err().code, FailureCode::Store);
    let history = handle.history(HistoryQuery { limit: 10, ..HistoryQuery::default() }).await.unwrap();
    let mut listed: Vec<_> = history.commands.into_iter().map(|command| command.id).collect();
    listed.sort();
    assert_eq!(listed, sent);
    engine.stop().await;
}
