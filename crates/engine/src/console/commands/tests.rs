#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use serde_json::json;
use wilco_ledger::DeviceId;

use crate::{
    api::{Confirmed, Delivery, DeviceCheck, FailureCode, LinkState, NewCommand},
    console::fixture::{engine, plant},
};

#[tokio::test]
async fn a_command_sent_again_is_the_same_under_a_new_id() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    let new = NewCommand {
        connection: connection.clone(),
        devices: vec!["pump-7".into()],
        command: "calibrate".into(),
        // More than a double holds.
        args: json!({"serial": 9_007_199_254_740_993_u64}).into(),
        timeout_ms: Some(90_000),
        retries: Some(2),
        no_answer: true,
        ..NewCommand::default()
    };
    let first = handle.send(new).await.unwrap().ids.remove(0);
    let second = handle.send_again(&connection, "pump-7", &first, Confirmed::No, None).await.unwrap().ids.remove(0);
    assert_ne!(first, second);
    let (first, second) = (
        handle.command(&connection, "pump-7", &first).await.unwrap(),
        handle.command(&connection, "pump-7", &second).await.unwrap(),
    );
    assert_eq!(second.command.again_of.as_deref(), Some(first.command.id.as_str()));
    assert_eq!((&second.command.command, &second.command.args), (&first.command.command, &first.command.args));
    // Names, arguments, timeout, retries and whether it is answered, all of it.
    assert_eq!(
        second.shell_line.as_deref(),
        Some("wilco send -c plant -d pump-7 --timeout 90s --retries 2 --no-answer calibrate serial=9007199254740993")
    );
    assert_eq!(second.shell_line, first.shell_line);
    let unknown = handle.send_again(&connection, "pump-7", "nobody", Confirmed::No, None).await.unwrap_err();
    assert_eq!((unknown.code, &*unknown.message), (FailureCode::NotFound, "There is no command 'nobody'."));
    engine.stop().await;
}

#[tokio::test]
async fn an_already_reported_state_is_known_before_a_command_is_sent() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    let device = DeviceId::new("pump-7").unwrap();
    let fleet = handle.shared(&connection).await.unwrap().fleet;
    fleet.write().update(&device, |device| device.report(json!({"led": true}).to_string(), None));
    let check = async |on: bool| {
        let new = NewCommand {
            connection: connection.clone(),
            devices: vec!["pump-7".into(), "pump-8".into()],
            command: "led".into(),
            args: json!({"on": on}).into(),
            ..NewCommand::default()
        };
        handle.check_command(new).await.unwrap().devices
    };
    let already = DeviceCheck {
        device: "pump-7".into(),
        name: None,
        already: Some("ON".into()),
        // Wilco's own firmware answers in any case.
        may_stay_silent: false,
        silent: None,
        refused: None,
        busy: None,
    };
    assert_eq!(check(true).await, [already]);
    assert_eq!(check(false).await, []);
    engine.stop().await;
}

#[tokio::test]
async fn changes_that_are_not_on_the_disk_are_neither_answered_nor_counted_nor_shown() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    let mut batches = handle.listen().await.unwrap();
    let send = |device: &str| {
        let (handle, devices) = (handle.clone(), vec![device.to_owned()]);
        let new = NewCommand {
            connection: connection.clone(),
            devices,
            command: "identify".into(),
            delivery: Some(Delivery::HoldHere),
            ..NewCommand::default()
        };
        tokio::spawn(async move { handle.send(new).await })
    };
    let counted = async || handle.connections().await.unwrap()[0].counts.kept;

    // The one is on its way to the disk, the other waits for the next commit.
    let disk = handle.store.pause_writer();
    let first = send("pump-1");
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let second = send("pump-2");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!first.is_finished() && !second.is_finished(), "answered before they were stored");
    assert_eq!(counted().await, 0);
    while let Ok(batch) = batches.try_recv() {
        assert!(batch.commands.is_empty(), "told before it was stored: {:?}", batch.commands);
    }

    drop(disk);
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(counted().await, 2);
    let mut told = Vec::new();
    while told.len() < 2 {
        told.extend(batches.recv().await.unwrap().commands.into_iter().map(|command| command.device));
    }
    assert_eq!(told, ["pump-1", "pump-2"]);
    engine.stop().await;
}

#[tokio::test]
async fn data_that_a_full_disk_makes_unreadable_is_read_once_there_is_space() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    let send = |devices: u32| {
        let (handle, connection) = (handle.clone(), connection.clone());
        let devices = (0..devices).map(|number| format!("pump-{number}")).collect();
        let delivery = Some(Delivery::HoldHere);
        let new = NewCommand { connection, devices, command: "identify".into(), delivery, ..NewCommand::default() };
        async move { handle.send(new).await }
    };
    // The disk is full right after the first are on it, before the tables of commands show them.
    let disk = handle.store.pause_writer();
    let first = tokio::spawn(send(100));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    handle.store.fill_disk(true);
    drop(disk);
    first.await.unwrap().unwrap();
    assert_eq!(send(2_000).await.unwrap_err().code, FailureCode::Store);

    let waits = async || {
        let view = handle.connections().await.unwrap().remove(0);
        matches!(&view.link, LinkState::Waiting { message, .. } if message.contains("full"))
    };
    while !waits().await {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    handle.store.fill_disk(false);
    while waits().await {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    send(1).await.unwrap();
    let counts = handle.connections().await.unwrap()[0].counts;
    assert_eq!((counts.kept, counts.queued + counts.held), (101, 101), "it counts what was never stored");
    engine.stop().await;
}
