//! Between CONNACK and the first publish.

use std::time::Duration;

use anyhow::Result;
use wilco_engine::api::{CommandState, LinkState};

use crate::desk::{Desk, led, to};
use crate::stepped_broker::{CONNECT, PUBLISH, SUBSCRIBE, SteppedBroker, filters};

/// Long enough for whatever is going to come, and nothing waits for it.
const A_WHILE: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_before_the_broker_has_acknowledged_the_subscription() -> Result<()> {
    let broker = SteppedBroker::new().await?;
    let desk = Desk::new().await?;
    let connection = desk.add(to("slow", &broker.url()?)).await?;
    let mut line = broker.welcome().await?;
    let required = line.expect(SUBSCRIBE).await?;
    assert_eq!(filters(&required.body), ["+/resp"]);
    desk.link(&connection, "subscribing", |link| (*link == LinkState::Subscribing).then_some(())).await?;

    let id = desk.send(led(&connection, "kitchen")).await?;
    assert!(line.is_silent(A_WHILE).await, "something was published before the SUBACK");
    assert_eq!(desk.evidence(&connection, "kitchen", &id).await?.command.state, CommandState::Queued);

    line.acknowledge(&required, 1).await?;
    let wished = line.expect(SUBSCRIBE).await?;
    assert!(filters(&wished.body).contains(&"+/status".to_owned()));
    line.acknowledge(&wished, 0).await?;
    let publish = line.expect(PUBLISH).await?;
    assert!(String::from_utf8_lossy(&publish.body).contains(&id), "another command was published");
    desk.reaches("kitchen", &id, CommandState::Sent).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_forbids_only_what_is_not_needed_is_used_and_the_loss_is_told() -> Result<()> {
    let broker = SteppedBroker::new().await?;
    let desk = Desk::new().await?;
    let connection = desk.add(to("narrow", &broker.url()?)).await?;
    let mut line = broker.welcome().await?;
    let required = line.expect(SUBSCRIBE).await?;
    line.acknowledge(&required, 1).await?;
    let wished = line.expect(SUBSCRIBE).await?;
    line.acknowledge(&wished, 0x87).await?;
    desk.online(&connection).await?;
    desk.notice("+/status").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_forbids_the_answers_is_explained() -> Result<()> {
    let broker = SteppedBroker::new().await?;
    let desk = Desk::new().await?;
    let connection = desk.add(to("forbidden", &broker.url()?)).await?;
    let mut line = broker.welcome().await?;
    let required = line.expect(SUBSCRIBE).await?;
    line.acknowledge(&required, 0x87).await?;
    let (message, hint) = desk.trouble(&connection).await?;
    assert!(message.contains("denied the subscription to +/resp"), "{message}");
    assert!(message.contains("Without it Wilco cannot receive answers"), "{message}");
    assert!(hint.contains("Allow this client ID"), "{hint}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_closes_the_connection_without_a_word_is_explained_and_tried_again() -> Result<()> {
    let broker = SteppedBroker::new().await?;
    let desk = Desk::new().await?;
    let connection = desk.add(to("aws", &broker.url()?)).await?;
    let mut line = broker.welcome().await?;
    line.expect(SUBSCRIBE).await?;
    drop(line);
    let (message, hint) = desk.trouble(&connection).await?;
    assert!(message.contains("closed the connection"), "{message}");
    assert!(hint.contains("policy"), "{hint}");
    let mut line = broker.welcome().await?;
    let required = line.expect(SUBSCRIBE).await?;
    line.acknowledge(&required, 1).await?;
    let wished = line.expect(SUBSCRIBE).await?;
    line.acknowledge(&wished, 0).await?;
    desk.online(&connection).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_taken_over_by_another_console_is_explained() -> Result<()> {
    let broker = SteppedBroker::new().await?;
    let desk = Desk::new().await?;
    let connection = desk.add(to("shared", &broker.url()?)).await?;
    let mut line = broker.welcome().await?;
    line.expect(SUBSCRIBE).await?;
    // DISCONNECT: session taken over.
    line.write(&[0xe0, 2, 0x8e, 0]).await?;
    let (message, hint) = desk.trouble(&connection).await?;
    assert!(message.contains("Another client connected with the same client ID"), "{message}");
    assert!(hint.contains("client ID"), "{hint}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn something_that_is_no_broker_is_explained() -> Result<()> {
    let (web, noise, mute) = (SteppedBroker::new().await?, SteppedBroker::new().await?, SteppedBroker::new().await?);
    let desk = Desk::new().await?;
    let connection = desk.add(to("web server", &web.url()?)).await?;
    let mut line = web.accept().await?;
    line.expect(CONNECT).await?;
    line.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await?;
    drop(line);
    let (message, hint) = desk.trouble(&connection).await?;
    assert!(message.contains("is a web server or a proxy, not an MQTT broker"), "{message}");
    assert!(hint.contains("wss://"), "{hint}");

    let connection = desk.add(to("noise", &noise.url()?)).await?;
    let mut line = noise.accept().await?;
    line.expect(CONNECT).await?;
    line.write(&[0; 64]).await?;
    let (message, hint) = desk.trouble(&connection).await?;
    assert!(message.contains("did not answer with valid MQTT"), "{message}");
    assert!(hint.contains("Check that an MQTT broker"), "{hint}");

    let connection = desk.add(to("silence", &mute.url()?)).await?;
    let _line = mute.accept().await?;
    let (message, hint) = desk.trouble(&connection).await?;
    assert!(message.contains("sent no CONNACK"), "{message}");
    assert!(hint.contains("Check that an MQTT broker listens"), "{hint}");
    Ok(())
}
