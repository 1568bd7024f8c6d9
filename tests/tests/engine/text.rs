//! Plain-text firmware, and commands without an expected answer.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_engine::api::{AnswerMatch, CommandState, NewCommand, Preset};
use wilco_tests::{Broker, Certificates, Child, program, soon};

use crate::desk::{BOTH, Desk, NewConnection, PATIENCE, ask, led, mutual, plain};
use crate::seed;

fn in_text(new: NewConnection) -> NewConnection {
    new.with(|entry| entry.settings.dialects = vec!["text".into()])
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
    assert_eq!((said.state, said.matched), (CommandState::Succeeded, Some(AnswerMatch::Inferred)), "{said:#?}");
    ensure!(said.message.is_some_and(|message| message.ends_with("from payload: b'light: on'")));
    let asked = desk.carry_out(led(&connection, "device1")).await?;
    assert_eq!((asked.state, asked.matched), (CommandState::Succeeded, Some(AnswerMatch::Exact)), "{asked:#?}");
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
        let check = async |new: NewCommand, state: CommandState, matched: AnswerMatch| -> Result<()> {
            let done = desk.carry_out(new).await?;
            ensure!((done.state, done.matched) == (state, Some(matched)), "{mqtt:?}: {done:#?}");
            Ok(())
        };
        check(say(&connection, "lamp-1", "light: on"), CommandState::Succeeded, AnswerMatch::Inferred).await?;
        check(say(&connection, "lamp-1", "restart"), CommandState::Succeeded, AnswerMatch::Inferred).await?;
        check(say(&connection, "lamp-1", "sing"), CommandState::Failed, AnswerMatch::Inferred).await?;
        check(led(&connection, "lamp-1"), CommandState::Succeeded, AnswerMatch::Exact).await?;
        let refused = ask(&connection, "lamp-1", "led", json!({"on": "maybe"}));
        check(refused, CommandState::Failed, AnswerMatch::Exact).await?;
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
        assert_eq!(told.state, CommandState::Unconfirmed);
        ensure!(told.at_broker_at.is_some() && told.at_broker_at == told.finished_at, "{told:#?}");
        broker.publish("lamp-1/resp", b"SUCCESS: done", false)?;
        let settled = desk.reaches("lamp-1", &told.id, CommandState::Succeeded).await?;
        assert_eq!(settled.matched, Some(AnswerMatch::Inferred), "{settled:#?}");

        let by_id = NewCommand { no_answer: true, ..led(&connection, "lamp-2") };
        let told = desk.carry_out(by_id).await?;
        assert_eq!(told.state, CommandState::Unconfirmed);
        broker.publish("lamp-2/resp", format!("FAILURE: {{\"id\":\"{}\"}}", told.id).as_bytes(), false)?;
        let settled = desk.reaches("lamp-2", &told.id, CommandState::Failed).await?;
        assert_eq!(settled.matched, Some(AnswerMatch::Exact), "{settled:#?}");
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
    assert_eq!(told.state, CommandState::Unconfirmed);
    desk.reopen().await?;
    desk.online(&connection).await?;

    let next = desk.send(say(&connection, "lamp-1", "light: off")).await?;
    desk.reaches("lamp-1", &next, CommandState::AtBroker).await?;
    broker.publish("lamp-1/resp", b"SUCCESS: done", false)?;
    let first = desk.command(("lamp-1", &told.id), "doubt", |command| command.matched.is_some()).await?;
    assert_eq!((first.state, first.matched), (CommandState::Unconfirmed, Some(AnswerMatch::Ambiguous)), "{first:#?}");
    let stands = desk.evidence(&connection, "lamp-1", &next).await?.command;
    ensure!(!stands.is_final && stands.matched.is_none(), "{stands:#?}");
    // Devices answer in the order in which they are asked: the next one is this one's.
    broker.publish("lamp-1/resp", b"FAILURE: no bulb", false)?;
    let ended = desk.ended("lamp-1", &next).await?;
    assert_eq!((ended.state, ended.matched), (CommandState::Failed, Some(AnswerMatch::Inferred)), "{ended:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_second_has_more_commands_than_aws_takes() -> Result<()> {
    const COMMANDS: usize = 400;
    const TAKEN: usize = 100;
    let broker = Broker::plain()?;
    let ear = broker.listen_with("+/req", &["-F", "%U"])?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("aws", &broker).with(|entry| entry.settings.preset = Preset::Aws)).await?;
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
