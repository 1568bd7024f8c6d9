//! Firmware that is spoken to in plain text, and commands that nobody expects an answer to.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_engine::api::{NewCommand, Preset};
use wilco_tests::{Broker, Certificates, Child, program, soon};

use crate::desk::{BOTH, Desk, NewConnection, PATIENCE, ask, led, mutual, plain};
use crate::seed;

fn in_text(new: NewConnection) -> NewConnection {
    new.with(|entry| entry.dialects = vec!["text".into()])
}

/// A text that goes out as it stands.
fn say(connection: &str, device: &str, text: &str) -> NewCommand {
    ask(connection, device, "text", json!({"text": text}))
}

/// The same, and nobody expects an answer.
fn tell(connection: &str, device: &str, text: &str) -> NewCommand {
    NewCommand { no_answer: true, ..say(connection, device, text) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_own_device_takes_free_text_and_json() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let _device = seed::start(&certificates, &broker)?;
    let desk = Desk::new().await?;
    let new = mutual("seed", &broker, &certificates, &certificates.client);
    let connection = desk.connect(in_text(new)).await?;

    let said = desk.carry_out(say(&connection, "device1", "light: on")).await?;
    assert_eq!((said.state.as_str(), said.matched.as_deref()), ("succeeded", Some("inferred")), "{said:#?}");
    ensure!(said.message.is_some_and(|message| message.ends_with("from payload: b'light: on'")));
    let asked = desk.carry_out(led(&connection, "device1")).await?;
    assert_eq!((asked.state.as_str(), asked.matched.as_deref()), ("succeeded", Some("exact")), "{asked:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_device_speaks_text_too() -> Result<()> {
    let broker = Broker::plain()?;
    let directory = tempfile::tempdir()?;
    let mut command = Child::command(program("wilco-device")?);
    command.args(["--url", &broker.url(), "--id", "lamp-1", "--dialect", "text", "--restart-ms", "50"]);
    let _device = Child::start(command.stdout(Stdio::null()), &directory.path().join("log"))?;
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let connection = desk.connect(in_text(plain("bench", &broker)).over(mqtt)).await?;
        desk.sees_online(&connection, 1).await?;
        let check = async |new: NewCommand, state: &str, matched: &str| -> Result<()> {
            let done = desk.carry_out(new).await?;
            ensure!((done.state.as_str(), done.matched.as_deref()) == (state, Some(matched)), "{mqtt:?}: {done:#?}");
            Ok(())
        };
        check(say(&connection, "lamp-1", "light: on"), "succeeded", "inferred").await?;
        check(say(&connection, "lamp-1", "restart"), "succeeded", "inferred").await?;
        check(say(&connection, "lamp-1", "sing"), "failed", "inferred").await?;
        check(led(&connection, "lamp-1"), "succeeded", "exact").await?;
        let refused = ask(&connection, "lamp-1", "led", json!({"on": "maybe"}));
        check(refused, "failed", "exact").await?;
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_an_answer_is_unconfirmed_when_the_broker_has_it_and_settled_when_one_comes() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let connection = desk.connect(in_text(plain("bench", &broker)).over(mqtt)).await?;
        let told = desk.carry_out(tell(&connection, "lamp-1", "light: on")).await?;
        assert_eq!(told.state, "unconfirmed");
        ensure!(told.at_broker_at.is_some() && told.at_broker_at == told.finished_at, "{told:#?}");
        broker.publish("lamp-1/resp", b"SUCCESS: done", false)?;
        let settled = desk.reaches("lamp-1", &told.id, "succeeded").await?;
        assert_eq!(settled.matched.as_deref(), Some("inferred"), "{settled:#?}");

        let by_id = NewCommand { no_answer: true, ..led(&connection, "lamp-2") };
        let told = desk.carry_out(by_id).await?;
        assert_eq!(told.state, "unconfirmed");
        broker.publish("lamp-2/resp", format!("FAILURE: {{\"id\":\"{}\"}}", told.id).as_bytes(), false)?;
        let settled = desk.reaches("lamp-2", &told.id, "failed").await?;
        assert_eq!(settled.matched.as_deref(), Some("exact"), "{settled:#?}");
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_without_an_id_is_not_taken_for_the_next_command_also_after_a_restart() -> Result<()> {
    let broker = Broker::plain()?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(in_text(plain("bench", &broker))).await?;
    let told = desk.carry_out(tell(&connection, "lamp-1", "light: on")).await?;
    assert_eq!(told.state, "unconfirmed");
    desk.reopen().await?;
    desk.online(&connection).await?;

    let next = desk.send(say(&connection, "lamp-1", "light: off")).await?;
    desk.reaches("lamp-1", &next, "at_broker").await?;
    broker.publish("lamp-1/resp", b"SUCCESS: done", false)?;
    let first = desk.command(("lamp-1", &told.id), "doubt", |command| command.matched.is_some()).await?;
    assert_eq!((first.state.as_str(), first.matched.as_deref()), ("unconfirmed", Some("ambiguous")), "{first:#?}");
    let stands = desk.evidence(&connection, "lamp-1", &next).await?.command;
    ensure!(!stands.is_final && stands.matched.is_none(), "{stands:#?}");
    // Devices answer in the order in which they are asked: the next one is this one's.
    broker.publish("lamp-1/resp", b"FAILURE: no bulb", false)?;
    let ended = desk.ended("lamp-1", &next).await?;
    assert_eq!((ended.state.as_str(), ended.matched.as_deref()), ("failed", Some("inferred")), "{ended:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_second_has_more_commands_than_aws_takes() -> Result<()> {
    const COMMANDS: usize = 400;
    const TAKEN: usize = 100;
    let broker = Broker::plain()?;
    let ear = broker.listen_with("+/req", &["-F", "%U"])?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("aws", &broker).with(|entry| entry.preset = Preset::Aws)).await?;
    let devices: Vec<_> = (0..COMMANDS).map(|number| format!("dock-{number}")).collect();
    desk.console().send(NewCommand { devices, no_answer: true, ..ask(&connection, "", "led", Value::Null) }).await?;

    let times = soon("end of the commands", PATIENCE, || {
        let times: Vec<f64> = ear.log().lines().filter_map(|line| line.parse().ok()).collect();
        (times.len() == COMMANDS).then_some(times)
    })
    .with_context(|| ear.log())?;
    let took = times[COMMANDS - 1] - times[0];
    ensure!(took >= 310.0 / 90.0, "they took {took} s");
    ensure!(took < 20.0, "they took {took} s");
    let fastest = times.windows(TAKEN + 1).map(|some| some[TAKEN] - some[0]).fold(f64::MAX, f64::min);
    ensure!(fastest >= 1.0, "{} commands came within {fastest} s", TAKEN + 1);
    Ok(())
}
