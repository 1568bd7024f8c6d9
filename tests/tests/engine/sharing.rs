//! One engine on a data directory, used by several processes.

use anyhow::{Context, Result};
use serde_json::json;
use wilco_engine::api::{
    AnswerMatch, Client, CommandState, CommandView, FailureCode, HistoryQuery, MqttVersion, NewRollout, RolloutCommand,
    RolloutTarget, SentBy, Settings,
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
async fn commands_of_an_attached_console_are_seen_by_both() -> Result<()> {
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
    assert!(failure.message.contains("has just closed") && failure.hint.is_some(), "{failure:?}");
    // The socket that it left behind is nobody's, and the next one replaces it.
    let data_dir = DataDir::open(Some(desk.path()))?;
    assert!(IpcClient::find(&data_dir).await.is_none());
    desk.open().await?;
    let _door = IpcServer::open(&data_dir, desk.engine().handle())?;
    assert!(IpcClient::find(&data_dir).await.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_consoles_request_is_seen_and_settled_by_the_devices_answer() -> Result<()> {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_of_another_console_is_told_and_each_device_that_answers_it_is_listed() -> Result<()> {
    let broker = Broker::plain()?;
    let (mut ours, theirs) = (Desk::new().await?, Desk::new().await?);
    let settings = theirs.console().settings().await?;
    theirs.console().change_settings(Settings { operator_name: Some("Ana".into()), ..settings }).await?;
    for device in ["a", "b"] {
        broker.publish(&format!("{device}/status"), br#"{"online":true,"boot":"1","tags":["kitchen"]}"#, true)?;
    }
    // Over MQTT 3.1.1 a console receives its own requests too: nobody may take them for another console's.
    for (group, mqtt) in [(Some("kitchen"), MqttVersion::V5), (None, MqttVersion::V311)] {
        let here = ours.connect(plain("bench", &broker).over(mqtt)).await?;
        let named = plain("bench", &broker).over(mqtt).with(|entry| entry.settings.send_operator = true);
        let there = theirs.connect(named).await?;
        theirs.sees_online(&there, 2).await?;
        let group = group.map(str::to_owned);
        let to = group.as_ref().map_or("all devices".to_owned(), |group| format!("the devices of the group {group}"));
        let target = RolloutTarget::Broadcast { group, search: String::new() };
        let command = RolloutCommand { name: "led".into(), args: json!({"on": true}).into(), ..Default::default() };
        let rollout = NewRollout { connection: there.clone(), target, command, ..NewRollout::default() };
        theirs.console().start_rollout(rollout).await?;
        let told = ours.notice(&to).await?;
        assert_eq!(told.message, format!("Another console (Ana) sent led to {to}."));
        assert!(told.hint.is_some_and(|hint| hint.contains("lists each device that answers")));
        let is_theirs = |command: &&CommandView| command.connection == there && command.by == SentBy::You;
        let sent = theirs.until("their commands", |seen| {
            let sent: Vec<_> = seen.commands.values().filter(is_theirs).cloned().collect();
            (sent.len() == 2).then_some(sent)
        });
        let id = sent.await?[0].id.clone();
        // Every device receives one to all; a group has the devices with a tag of its name, as far as this console knows.
        let busy = async |ours: &Desk, device: &str| {
            let check = ours.console().check_command(led(&here, device)).await?;
            let busy = check.devices.first().and_then(|device| device.busy.as_deref());
            anyhow::Ok(busy.is_some_and(|busy| busy.starts_with("Another console (Ana) sent led ")))
        };
        assert!(busy(&ours, "a").await? && busy(&ours, "b").await?);
        assert_eq!(busy(&ours, "c").await?, to == "all devices");
        let listed = async |ours: &Desk| {
            anyhow::Ok(ours.console().history(HistoryQuery { limit: 50, ..HistoryQuery::default() }).await?.commands)
        };
        assert!(listed(&ours).await?.iter().all(|command| command.id != id));

        // `c` is in the group, and the other console does not know of it.
        for device in ["a", "c"] {
            broker.publish(&format!("{device}/resp"), &answer(&id, "succeeded"), false)?;
            let ended = ours.ended(device, &id).await?;
            assert_eq!((ended.state, ended.matched), (CommandState::Succeeded, Some(AnswerMatch::Exact)));
            assert_eq!((ended.by, ended.operator.as_deref()), (SentBy::AnotherConsole, Some("Ana")));
            let detail = ours.evidence(&here, device, &id).await?;
            assert_eq!(detail.events[0].text, "Sent by another console, by Ana");
            assert!(detail.request.context("no request")?.topic.ends_with("/req"));
        }
        assert_eq!(theirs.ended("a", &id).await?.by, SentBy::You);
        assert_eq!(listed(&ours).await?.iter().filter(|command| command.id == id).count(), 2);
        // What another console sent is no rollout of this one.
        assert_eq!(ours.console().rollouts().await?, []);
        let theirs_told = theirs.seen().notices.clone();
        assert!(theirs_told.iter().all(|notice| !notice.message.starts_with("Another console")), "{theirs_told:?}");
        // It is kept, and so is the request: `b` answers only now, and so does `d`, which was not known before.
        ours.reopen().await?;
        ours.online(&here).await?;
        assert_eq!(ours.evidence(&here, "a", &id).await?.command.state, CommandState::Succeeded);
        assert!(!busy(&ours, "a").await?);
        for device in ["b", "d"] {
            broker.publish(&format!("{device}/resp"), &answer(&id, "succeeded"), false)?;
            let ended = ours.ended(device, &id).await?;
            assert_eq!((ended.state, ended.by), (CommandState::Succeeded, SentBy::AnotherConsole));
            assert_eq!(ended.operator.as_deref(), Some("Ana"));
        }
        // One that answered before answers again: that is no second command.
        broker.publish("a/resp", &answer(&id, "succeeded"), false)?;
        ours.command(("a", &id), "answer that came twice", |command| command.duplicates == 1).await?;
        let of_a = listed(&ours).await?.into_iter().filter(|command| command.id == id && command.device == "a");
        assert_eq!(of_a.count(), 1);
        ours.console().remove_connection(&here).await?;
        theirs.console().remove_connection(&there).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_floods_with_broadcasts_is_told_of_a_few_times() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    desk.connect(plain("bench", &broker)).await?;
    let line = |number: usize| json!({"id": format!("id-{number}"), "command": "restart", "args": {}}).to_string();
    broker.publish_lines("all/req", &(0..5_000).map(line).collect::<Vec<_>>())?;
    broker.publish("mute/resp", &answer("id-1", "succeeded"), false)?;
    let first = desk.ended("mute", "id-1").await?;
    assert_eq!((first.by, first.state), (SentBy::AnotherConsole, CommandState::Succeeded));
    // An answer to one that was left out is kept without a command, as any other.
    broker.publish("mute/resp", &answer("id-4000", "succeeded"), false)?;
    desk.until("notices", |seen| (!seen.notices.is_empty()).then_some(())).await?;
    let notices = desk.seen().notices.len();
    assert!(notices <= 40, "{notices} notices");
    assert_eq!(desk.console().history(HistoryQuery::default()).await?.commands.len(), 1);
    Ok(())
}
