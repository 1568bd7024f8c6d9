//! Read-only and protected connections: what is sent over them, and what is refused.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wilco_engine::api::{
    BetweenStages, CommandState, Confirmation, Confirmed, ConnectionMode, Delivery, FailureCode, NewCommand,
    NewRollout, RolloutAction, RolloutCommand, RolloutState, RolloutTarget, SentBy, StageSize, StepState,
};
use wilco_tests::{Broker, Child, Device};

use crate::desk::{Desk, PATIENCE, answer, ask, led, plain};

/// A rollout of `led` to these devices, one a second.
fn rollout(connection: &str, devices: &[&str]) -> NewRollout {
    let devices = devices.iter().map(|device| (*device).to_owned()).collect();
    NewRollout {
        connection: connection.into(),
        target: RolloutTarget::Devices { devices },
        command: RolloutCommand {
            name: "led".into(),
            args: json!({"on": true}).into(),
            delivery: Some(Delivery::BrokerHolds),
            ..RolloutCommand::default()
        },
        rate: Some(1),
        ..NewRollout::default()
    }
}

/// The topics of what a listener has heard, without the devices' own.
fn requests(heard: &Child) -> Vec<String> {
    let log = heard.log();
    let topics = log.lines().filter_map(|line| line.split_once(' ')).map(|(topic, _)| topic.to_owned());
    topics.filter(|topic| topic.ends_with("/req") || topic.starts_with("wilco-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_connection_receives_everything_and_publishes_nothing() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "kitchen", None)?;
    let (mut desk, other) = (Desk::new().await?, Desk::new().await?);
    let heard = broker.listen("#")?;
    let watched = plain("plant", &broker).with(|entry| entry.settings.mode = ConnectionMode::ReadOnly);
    let connection = desk.connect(watched).await?;
    desk.sees_online(&connection, 1).await?;

    let console = desk.console();
    let refused = [
        console.send(led(&connection, "kitchen")).await.err().context("a command was sent")?,
        console.send(ask(&connection, "kitchen", "log.get", json!({}))).await.err().context("a log was asked for")?,
        console.start_rollout(rollout(&connection, &["kitchen"])).await.err().context("a rollout was started")?,
    ];
    for failure in refused {
        assert_eq!(failure.code, FailureCode::ReadOnly);
        assert_eq!(failure.message, "The connection 'plant' is read-only, so Wilco sends nothing to its devices.");
        assert!(failure.hint.is_some_and(|hint| hint.contains("--mode normal")));
    }
    let check = console.check_command(led(&connection, "kitchen")).await?;
    assert!(check.refused.is_some_and(|why| why.contains("read-only")));

    // A test of it publishes nothing either, and passes.
    let tried = desk.preflight_stored(&connection).await?;
    assert!(tried.ok, "{tried:#?}");
    let skipped = tried.steps.iter().filter(|step| step.state == StepState::Skipped).count();
    assert!(skipped >= 2, "{tried:#?}");
    // Nor does it after a restart, when what the broker kept is read.
    desk.reopen().await?;
    desk.online(&connection).await?;
    assert_eq!(desk.view(&connection).await?.settings.mode, ConnectionMode::ReadOnly);
    desk.console().send(led(&connection, "kitchen")).await.err().context("a command was sent after a restart")?;
    assert_eq!(requests(&heard), Vec::<String>::new());

    // What others ask is seen with its answer.
    let there = other.connect(plain("plant", &broker)).await?;
    let id = other.send(led(&there, "kitchen")).await?;
    let ended = desk.ended("kitchen", &id).await?;
    assert_eq!((ended.state, ended.by), (CommandState::Succeeded, SentBy::AnotherConsole));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unsent_commands_are_never_sent_after_a_connection_becomes_read_only() -> Result<()> {
    let broker = Broker::plain()?;
    broker.publish("away/status", br#"{"online":false}"#, true)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    let heard = broker.listen("+/req")?;
    desk.until("the device that is away", |seen| seen.connections.iter().find(|known| known.devices > 0).map(drop))
        .await?;
    let held = NewCommand { delivery: Some(Delivery::HoldHere), ..led(&connection, "away") };
    let held = desk.send(held).await?;
    desk.reaches("away", &held, CommandState::Held).await?;
    // It would be sent again after two seconds of silence, and once more, before it times out.
    let repeated = NewCommand { retries: Some(5), timeout_ms: Some(15_000), ..led(&connection, "mute") };
    let sent = desk.send(repeated).await?;
    desk.reaches("mute", &sent, CommandState::AtBroker).await?;
    let started = desk.console().start_rollout(rollout(&connection, &["a", "b", "c", "d", "e", "f", "g", "h"])).await?;

    desk.edit(&connection, |entry| entry.settings.mode = ConnectionMode::ReadOnly).await?;
    let cancelled = desk.reaches("away", &held, CommandState::Cancelled).await?;
    assert!(cancelled.is_final && cancelled.attempts == 0, "{cancelled:#?}");
    desk.notice("1 command that was not sent yet is cancelled, and 1 rollout is paused").await?;
    desk.online(&connection).await?;
    let resumed = desk.console().act_on_rollout(&started.id, RolloutAction::Resume).await;
    assert_eq!(resumed.err().context("it was resumed")?.code, FailureCode::ReadOnly);
    let published = requests(&heard).len();
    // The device is back, and the command that was sent is given up without having been sent again.
    broker.publish("away/status", br#"{"online":true}"#, true)?;
    desk.sees_online(&connection, 1).await?;
    let silent = desk.ended("mute", &sent).await?;
    assert_eq!((silent.state, silent.attempts), (CommandState::TimedOut, 1));
    assert_eq!(requests(&heard).len(), published, "{}", heard.log());
    // Its answer counts anyway.
    broker.publish("mute/resp", &answer(&sent, "succeeded"), false)?;
    assert!(desk.reaches("mute", &sent, CommandState::Succeeded).await?.late);

    desk.edit(&connection, |entry| entry.settings.mode = ConnectionMode::Normal).await?;
    desk.online(&connection).await?;
    let view = desk.console().act_on_rollout(&started.id, RolloutAction::Resume).await?;
    // Its rate may let it wait for a moment.
    assert!(matches!(view.state, RolloutState::Running | RolloutState::Waiting), "{:?}", view.state);
    wilco_tests::soon_async("release", PATIENCE, async || Ok((requests(&heard).len() > published).then_some(())))
        .await?;
    assert_eq!(desk.evidence(&connection, "away", &held).await?.command.state, CommandState::Cancelled);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_connection_sends_what_was_confirmed_as_it_asks() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "kitchen", None)?;
    let desk = Desk::new().await?;
    let protected = plain("plant", &broker).with(|entry| entry.settings.mode = ConnectionMode::Protected);
    let connection = desk.connect(protected).await?;
    desk.sees_online(&connection, 1).await?;
    let heard = broker.listen("+/req")?;
    let console = desk.console();
    let named = |name: &str| Confirmed::Name(name.to_owned());
    let restart = || ask(&connection, "kitchen", "restart", json!({}));

    assert_eq!(console.check_command(led(&connection, "kitchen")).await?.confirmation, Confirmation::Ask);
    assert_eq!(console.check_command(restart()).await?.confirmation, Confirmation::TypeName);
    assert_eq!(console.plan_rollout(rollout(&connection, &["kitchen"])).await?.confirmation, Confirmation::TypeName);
    let refused = [
        (led(&connection, "kitchen"), Confirmed::No),
        (led(&connection, "kitchen"), named("site")),
        (restart(), Confirmed::No),
        (restart(), Confirmed::Yes),
        (restart(), named("Plant")),
        (NewCommand { devices: vec!["kitchen".into(), "attic".into()], ..led(&connection, "") }, Confirmed::Yes),
    ];
    for (command, confirmed) in refused {
        let failure = console.send(NewCommand { confirmed: confirmed.clone(), ..command }).await;
        assert_eq!(failure.err().with_context(|| format!("{confirmed:?} was enough"))?.code, FailureCode::Unconfirmed);
    }
    for confirmed in [Confirmed::No, Confirmed::Yes, named("site")] {
        let failure = console.start_rollout(NewRollout { confirmed, ..rollout(&connection, &["kitchen"]) }).await;
        assert_eq!(failure.err().context("a rollout was started")?.code, FailureCode::Unconfirmed);
    }
    assert_eq!(requests(&heard), Vec::<String>::new());

    let yes = NewCommand { confirmed: Confirmed::Yes, ..led(&connection, "kitchen") };
    assert_eq!(desk.carry_out(yes).await?.state, CommandState::Succeeded);
    let by_name = NewCommand { confirmed: named("plant"), ..restart() };
    assert_eq!(desk.carry_out(by_name).await?.state, CommandState::Succeeded);
    let started =
        console.start_rollout(NewRollout { confirmed: named("plant"), ..rollout(&connection, &["kitchen"]) }).await?;
    // One that follows has to be confirmed by itself.
    assert_eq!(started.spec.confirmed, Confirmed::No);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_nobody_confirmed_does_not_go_on_when_its_connection_is_protected() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    let console = desk.console();
    let ask_between = |confirmed| NewRollout {
        stages: vec![StageSize::Devices { count: 1 }],
        between: BetweenStages::Ask,
        confirmed,
        ..rollout(&connection, &["a", "b", "c"])
    };
    let unconfirmed = console.start_rollout(ask_between(Confirmed::No)).await?;
    let named = console.start_rollout(ask_between(Confirmed::Name("plant".into()))).await?;
    desk.edit(&connection, |entry| entry.settings.mode = ConnectionMode::Protected).await?;
    desk.notice("plant is protected: 1 rollout is paused").await?;
    let refused = console.act_on_rollout(&unconfirmed.id, RolloutAction::Resume).await.err().context("it went on")?;
    assert_eq!(refused.code, FailureCode::Unconfirmed);
    ensure!(refused.message.contains("before the connection 'plant' was protected"), "{refused:?}");
    let state = console.rollout(&named.id).await?.rollout.state;
    ensure!(matches!(state, RolloutState::Running | RolloutState::Waiting), "{state:?}");
    // What nobody has confirmed can still be stopped, and goes on once the connection is as it was.
    desk.edit(&connection, |entry| entry.settings.mode = ConnectionMode::Normal).await?;
    console.act_on_rollout(&unconfirmed.id, RolloutAction::Resume).await?;
    Ok(())
}
