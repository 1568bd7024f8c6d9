//! One engine on a data directory, used by several processes.

use anyhow::{Context, Result};
use serde_json::json;
use wilco_engine::api::{
    AnswerMatch, Client, CommandState, FailureCode, NewRollout, RolloutCommand, RolloutTarget, SentBy, Settings,
};
use wilco_engine::ipc::{IpcClient, IpcServer};
use wilco_engine::paths::DataDir;
use wilco_engine::vault::Vault;
use wilco_tests::Broker;

use crate::app::App;
use crate::desk::{Desk, Watch, answer, led, plain, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_app_on_the_same_data_is_refused_in_a_sentence() -> Result<()> {
    let desk = Desk::new().await?;
    let failure = start(desk.path(), &Vault::in_memory()).await.err().context("a second engine has started")?;
    assert_eq!(failure.code, FailureCode::InUse);
    assert!(failure.message.starts_with("Another Wilco is already using the data in "), "{failure:?}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("--data-dir")));
    // The first one is none the worse for it.
    assert!(desk.console().connections().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_attached_console_sends_is_seen_by_both() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let data_dir = DataDir::open(Some(desk.path()))?;
    assert!(IpcClient::find(&data_dir).await.is_none(), "there is a door that nobody has opened");
    let door = IpcServer::open(&data_dir, desk.engine().handle())?;
    let attached = IpcClient::find(&data_dir).await.context("the door is closed")?;
    let visitor = Watch::on(Client::new(attached)).await?;

    let connection = visitor.connect(plain("bench", &broker)).await?;
    desk.online(&connection).await?;
    assert_eq!(visitor.console().connections().await?[0].id, connection);
    let id = visitor.send(led(&connection, "mute")).await?;
    desk.reaches("mute", &id, CommandState::AtBroker).await?;
    broker.publish("mute/resp", &answer(&id, "succeeded"), false)?;
    let (here, there) = (desk.ended("mute", &id).await?, visitor.ended("mute", &id).await?);
    assert_eq!((here.state, &here), (CommandState::Succeeded, &there));
    assert_eq!(visitor.evidence(&connection, "mute", &id).await?, desk.evidence(&connection, "mute", &id).await?);

    let failure = visitor.console().send(led("nowhere", "mute")).await.err().context("sent to nowhere")?;
    assert_eq!(failure.code, FailureCode::NotFound);
    drop(door);
    assert!(IpcClient::find(&data_dir).await.is_none(), "the door is still open");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_attached_to_an_app_that_is_killed_says_so_and_the_data_is_free() -> Result<()> {
    let mut desk = Desk::closed()?;
    let app = App::start(desk.path()).await?;
    let console = app.watch.console().clone();
    app.kill();
    let failure = console.connections().await.err().context("a dead app has answered")?;
    assert_eq!(failure.code, FailureCode::Ended);
    assert!(failure.message.contains("has just been closed") && failure.hint.is_some(), "{failure:?}");
    // The socket that it left behind is nobody's, and the next one replaces it.
    let data_dir = DataDir::open(Some(desk.path()))?;
    assert!(IpcClient::find(&data_dir).await.is_none());
    desk.open().await?;
    let _door = IpcServer::open(&data_dir, desk.engine().handle())?;
    assert!(IpcClient::find(&data_dir).await.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_console_asks_is_seen_here_and_settled_by_the_devices_answer() -> Result<()> {
    let broker = Broker::plain()?;
    let (ours, theirs) = (Desk::new().await?, Desk::new().await?);
    let here = ours.connect(plain("bench", &broker)).await?;
    let there = theirs.connect(plain("bench", &broker)).await?;
    let id = theirs.send(led(&there, "mute")).await?;
    let seen = ours.command(("mute", &id), "command of the other console", |_| true).await?;
    assert_eq!((seen.by, seen.connection.as_str()), (SentBy::AnotherConsole, here.as_str()));
    broker.publish("mute/resp", &answer(&id, "succeeded"), false)?;
    for (desk, by) in [(&ours, SentBy::AnotherConsole), (&theirs, SentBy::You)] {
        let ended = desk.ended("mute", &id).await?;
        assert_eq!((ended.state, ended.matched, ended.by), (CommandState::Succeeded, Some(AnswerMatch::Exact), by));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_of_another_console_is_named_and_warned_of_while_their_command_runs() -> Result<()> {
    let broker = Broker::plain()?;
    let (ours, mut theirs) = (Desk::new().await?, Desk::new().await?);
    let settings = theirs.console().settings().await?;
    theirs.console().change_settings(Settings { operator_name: Some("Ana".into()), ..settings }).await?;
    let here = ours.connect(plain("bench", &broker)).await?;
    let named = plain("bench", &broker).with(|entry| entry.settings.send_operator = true);
    let there = theirs.connect(named).await?;
    assert_eq!(ours.console().check_command(led(&here, "mute")).await?.devices, []);

    let id = theirs.send(led(&there, "mute")).await?;
    let seen = ours.command(("mute", &id), "command of the other console", |_| true).await?;
    assert_eq!((seen.by, seen.operator.as_deref()), (SentBy::AnotherConsole, Some("Ana")));
    let detail = ours.evidence(&here, "mute", &id).await?;
    assert_eq!(detail.events[0].text, "Sent by another console, by Ana");
    assert!(detail.request.context("no request")?.payload.ends_with(r#","attempt":1,"by":"Ana"}"#));
    let check = ours.console().check_command(led(&here, "mute")).await?;
    let [device] = &check.devices[..] else { anyhow::bail!("{check:?}") };
    let busy = device.busy.as_deref().unwrap_or_default();
    assert!(busy.starts_with("Another console (Ana) sent led ") && busy.ends_with("has not finished."), "{busy}");
    // It is told, and sent anyway. This console names nobody: nobody has said that it should.
    let mine = ours.send(led(&here, "mute")).await?;
    let mine = ours.reaches("mute", &mine, CommandState::AtBroker).await?;
    assert_eq!((mine.by, mine.operator), (SentBy::You, None));
    let request = ours.evidence(&here, "mute", &mine.id).await?.request.context("no request")?;
    assert!(!request.payload.contains("\"by\""), "{}", request.payload);
    // A command of one's own is nothing to warn of.
    let check = theirs.console().check_command(led(&there, "mute")).await?;
    assert!(check.devices[0].busy.as_deref().is_some_and(|busy| busy.starts_with("Another console sent led ")));

    broker.publish("mute/resp", &answer(&id, "succeeded"), false)?;
    ours.ended("mute", &id).await?;
    assert_eq!(ours.console().check_command(led(&here, "mute")).await?.devices, []);
    // Both keep the name.
    theirs.reopen().await?;
    assert_eq!(theirs.evidence(&there, "mute", &id).await?.command.operator.as_deref(), Some("Ana"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_of_another_console_to_the_same_devices_is_seen_in_the_plan() -> Result<()> {
    let broker = Broker::plain()?;
    let (ours, theirs) = (Desk::new().await?, Desk::new().await?);
    let settings = theirs.console().settings().await?;
    theirs.console().change_settings(Settings { operator_name: Some("Ana".into()), ..settings }).await?;
    let here = ours.connect(plain("bench", &broker)).await?;
    let there = theirs.connect(plain("bench", &broker).with(|entry| entry.settings.send_operator = true)).await?;
    let rollout = |connection: &str| NewRollout {
        connection: connection.into(),
        target: RolloutTarget::Devices { devices: ["a", "b", "c", "d"].map(str::to_owned).to_vec() },
        command: RolloutCommand { name: "restart".into(), ..RolloutCommand::default() },
        ..NewRollout::default()
    };
    let plan = ours.console().plan_rollout(rollout(&here)).await?;
    assert_eq!((plan.busy_elsewhere, plan.overlap), (0, None));
    theirs.console().start_rollout(rollout(&there)).await?;
    ours.until("their commands", |seen| (seen.commands.len() == 4).then_some(())).await?;
    // A newer command of ours is the last one of its device, and changes nothing of theirs.
    let own = ours.send(led(&here, "a")).await?;
    ours.console().cancel(&here, "a", &own).await?;
    let plan = ours.console().plan_rollout(rollout(&here)).await?;
    assert_eq!(plan.busy_elsewhere, 4);
    let expected = "Another console (Ana) is sending restart to 4 of these devices, which may be a rollout.";
    assert_eq!(plan.overlap.as_deref(), Some(expected));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_somebody_writes_into_a_request_is_cut_and_is_no_reason_to_refuse_it() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    desk.connect(plain("bench", &broker)).await?;
    let long = "é\u{1b}[31m".repeat(40);
    for (id, by, expected) in [
        ("a", json!(long), Some(long.chars().take(64).collect::<String>())),
        ("b", json!(["you"]), None),
        ("c", json!("  "), None),
    ] {
        let request = json!({"id": id, "command": "led", "args": {"on": true}, "by": by});
        broker.publish("mute/req", request.to_string().as_bytes(), false)?;
        let seen = desk.command(("mute", id), "observed command", |_| true).await?;
        assert_eq!((seen.by, seen.operator), (SentBy::AnotherConsole, expected), "{id}");
    }
    Ok(())
}
