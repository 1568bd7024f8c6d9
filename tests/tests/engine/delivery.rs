//! What brokers say to a publish, or do not say.

use std::time::Duration;

use anyhow::Result;
use wilco_engine::api::NewCommand;

use crate::desk::{Desk, led, to};
use crate::puppet::{Line, Puppet};

/// Long enough for whatever is going to come, and nothing waits for it.
const A_WHILE: Duration = Duration::from_millis(300);

/// A console and the broker's end of its connection.
struct Bench {
    desk: Desk,
    connection: String,
    line: Line,
    _broker: Puppet,
}

impl Bench {
    async fn new(properties: &[u8]) -> Result<Bench> {
        let broker = Puppet::new().await?;
        let desk = Desk::new().await?;
        let connection = desk.add(to("puppet", &broker.url()?)).await?;
        let line = broker.serve(properties).await?;
        desk.online(&connection).await?;
        Ok(Bench { desk, connection, line, _broker: broker })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_the_broker_refuses_is_undeliverable_and_not_tried_again() -> Result<()> {
    let mut bench = Bench::new(&[]).await?;
    let id = bench.desk.send(NewCommand { retries: Some(3), ..led(&bench.connection, "kitchen") }).await?;
    let (topic, packet) = bench.line.publish().await?;
    assert_eq!(topic, "kitchen/req");
    bench.desk.reaches("kitchen", &id, "sent").await?;
    bench.line.puback(packet, 0x87).await?;
    let ended = bench.desk.ended("kitchen", &id).await?;
    assert_eq!(ended.state, "undeliverable");
    assert!(ended.message.as_deref().is_some_and(|message| message.contains("refused")), "{ended:#?}");
    assert!(bench.line.is_silent(A_WHILE).await, "it was tried again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_says_that_nobody_listens_is_quoted() -> Result<()> {
    let mut bench = Bench::new(&[]).await?;
    let id = bench.desk.send(led(&bench.connection, "kitchen")).await?;
    let (_, packet) = bench.line.publish().await?;
    bench.line.puback(packet, 0x10).await?;
    let stands = bench.desk.reaches("kitchen", &id, "at_broker").await?;
    assert!(stands.nobody_listening);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_too_large_for_the_broker_is_undeliverable_and_not_sent() -> Result<()> {
    // Maximum Packet Size: 300 bytes.
    let mut bench = Bench::new(&[0x27, 0, 0, 1, 44]).await?;
    let large = serde_json::json!({"text": "x".repeat(400)});
    let ended = bench.desk.carry_out(NewCommand { args: large, ..led(&bench.connection, "kitchen") }).await?;
    assert_eq!(ended.state, "undeliverable");
    assert!(ended.message.as_deref().is_some_and(|message| message.contains("large")), "{ended:#?}");
    assert!(bench.line.is_silent(A_WHILE).await, "it was sent");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_takes_one_at_a_time_gets_one_at_a_time_and_sent_means_sent() -> Result<()> {
    // Receive Maximum: 1.
    let mut bench = Bench::new(&[0x21, 0, 1]).await?;
    let mut ids = Vec::new();
    for device in ["a", "b", "c"] {
        ids.push(bench.desk.send(led(&bench.connection, device)).await?);
    }
    for (device, id) in ["a", "b", "c"].into_iter().zip(&ids) {
        let (topic, packet) = bench.line.publish().await?;
        assert_eq!(topic, format!("{device}/req"));
        bench.desk.reaches(device, id, "sent").await?;
        assert!(bench.line.is_silent(A_WHILE).await, "another one was sent before the PUBACK");
        for (device, id) in ["a", "b", "c"].into_iter().zip(&ids).skip_while(|(other, _)| *other != device).skip(1) {
            assert_eq!(bench.desk.evidence(&bench.connection, device, id).await?.command.state, "queued");
        }
        bench.line.puback(packet, 0).await?;
        bench.desk.reaches(device, id, "at_broker").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_never_acknowledges_does_not_keep_a_command_for_ever() -> Result<()> {
    let mut bench = Bench::new(&[]).await?;
    let short = NewCommand { timeout_ms: Some(200), ttl_ms: Some(400), ..led(&bench.connection, "kitchen") };
    let id = bench.desk.send(short).await?;
    let (_, packet) = bench.line.publish().await?;
    let ended = bench.desk.ended("kitchen", &id).await?;
    assert_eq!(ended.state, "timed_out");
    assert!(ended.message.as_deref().is_some_and(|message| message.contains("may have run")), "{ended:#?}");
    // The broker has it after all, which changes what is said and not the end.
    bench.line.puback(packet, 0).await?;
    let known = bench.desk.command(("kitchen", &id), "PUBACK", |command| command.at_broker_at.is_some()).await?;
    assert_eq!(known.state, "timed_out");
    Ok(())
}
