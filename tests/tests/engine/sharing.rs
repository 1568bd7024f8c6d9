//! One data directory, one engine, and others that ask it.

use anyhow::{Context, Result};
use wilco_engine::api::Client;
use wilco_engine::api::FailureCode;
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
    desk.reaches("mute", &id, "at_broker").await?;
    broker.publish("mute/resp", &answer(&id, "succeeded"), false)?;
    let (here, there) = (desk.ended("mute", &id).await?, visitor.ended("mute", &id).await?);
    assert_eq!((here.state.as_str(), &here), ("succeeded", &there));
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
    assert_eq!((seen.by.as_str(), seen.connection.as_str()), ("another console", here.as_str()));
    broker.publish("mute/resp", &answer(&id, "succeeded"), false)?;
    for (desk, by) in [(&ours, "another console"), (&theirs, "you")] {
        let ended = desk.ended("mute", &id).await?;
        assert_eq!(
            (ended.state.as_str(), ended.matched.as_deref(), ended.by.as_str()),
            ("succeeded", Some("exact"), by)
        );
    }
    Ok(())
}
