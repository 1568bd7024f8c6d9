//! Brokers' responses to a publish, or their absence.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use wilco_engine::api::{CommandState, ConnectionEntry, NewCommand};
use wilco_tests::{Broker, Device};

use crate::desk::{Desk, ask, led, plain, to};
use crate::stepped_broker::{Line, SteppedBroker};

/// Long enough for whatever is going to come, and nothing waits for it.
const A_WHILE: Duration = Duration::from_millis(300);

/// A console and the broker's end of its connection.
struct Bench {
    desk: Desk,
    connection: String,
    line: Line,
    broker: SteppedBroker,
}

impl Bench {
    async fn new(properties: &[u8]) -> Result<Bench> {
        Bench::at(SteppedBroker::new().await?, properties).await
    }

    async fn at(broker: SteppedBroker, properties: &[u8]) -> Result<Bench> {
        let desk = Desk::new().await?;
        let connection = desk.add(to("stepped_broker", &broker.url()?)).await?;
        let line = broker.serve(properties).await?;
        desk.online(&connection).await?;
        Ok(Bench { desk, connection, line, broker })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_the_broker_refuses_is_undeliverable_and_not_tried_again() -> Result<()> {
    let mut bench = Bench::new(&[]).await?;
    let id = bench.desk.send(NewCommand { retries: Some(3), ..led(&bench.connection, "kitchen") }).await?;
    let (topic, packet) = bench.line.publish().await?;
    assert_eq!(topic, "kitchen/req");
    bench.desk.reaches("kitchen", &id, CommandState::Sent).await?;
    bench.line.puback(packet, 0x87).await?;
    let ended = bench.desk.ended("kitchen", &id).await?;
    assert_eq!(ended.state, CommandState::Undeliverable);
    assert!(ended.message.as_deref().is_some_and(|message| message.contains("refused")), "{ended:#?}");
    assert!(bench.line.is_silent(A_WHILE).await, "it was tried again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_broker_refuses_a_publish_is_told_in_its_words() -> Result<()> {
    let mut bench = Bench::new(&[]).await?;
    let id = bench.desk.send(led(&bench.connection, "kitchen")).await?;
    let (_, packet) = bench.line.publish().await?;
    // PUBACK: not authorized, with a Reason String.
    let properties = b"\x1F\0\x16maintenance until 6 pm";
    let length = u8::try_from(properties.len())?;
    let head = [0x40, 4 + length, packet[0], packet[1], 0x87, length];
    bench.line.write(&[&head, &properties[..]].concat()).await?;
    let ended = bench.desk.ended("kitchen", &id).await?;
    let message = ended.message.unwrap_or_default();
    ensure!(message.contains("(0x87). Reason given by the broker: “maintenance until 6 pm”."), "{message}");
    let events = bench.desk.evidence(&bench.connection, "kitchen", &id).await?.events;
    ensure!(events.iter().any(|event| event.text.contains("“maintenance until 6 pm”")), "{events:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_says_that_nobody_listens_is_quoted() -> Result<()> {
    let mut bench = Bench::new(&[]).await?;
    let id = bench.desk.send(led(&bench.connection, "kitchen")).await?;
    let (_, packet) = bench.line.publish().await?;
    bench.line.puback(packet, 0x10).await?;
    let stands = bench.desk.reaches("kitchen", &id, CommandState::AtBroker).await?;
    assert!(stands.nobody_listening);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_too_large_for_the_broker_is_undeliverable_and_not_sent() -> Result<()> {
    // Maximum Packet Size: 300 bytes.
    let mut bench = Bench::new(&[0x27, 0, 0, 1, 44]).await?;
    let large = serde_json::json!({"text": "x".repeat(400)});
    let ended = bench.desk.carry_out(NewCommand { args: large.into(), ..led(&bench.connection, "kitchen") }).await?;
    assert_eq!(ended.state, CommandState::Undeliverable);
    assert!(
        ended.message.as_deref().is_some_and(|message| message.contains("does not accept a message of")),
        "{ended:#?}"
    );
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
        bench.desk.reaches(device, id, CommandState::Sent).await?;
        assert!(bench.line.is_silent(A_WHILE).await, "another one was sent before the PUBACK");
        for (device, id) in ["a", "b", "c"].into_iter().zip(&ids).skip_while(|(other, _)| *other != device).skip(1) {
            assert_eq!(bench.desk.evidence(&bench.connection, device, id).await?.command.state, CommandState::Queued);
        }
        bench.line.puback(packet, 0).await?;
        bench.desk.reaches(device, id, CommandState::AtBroker).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unsent_commands_are_marked_when_the_connection_ends_and_sent_over_the_next_one() -> Result<()> {
    // Receive Maximum: 1. So only the first leaves, and none of them may be repeated.
    let mut bench = Bench::new(&[0x21, 0, 1]).await?;
    let restart = |device: &str| ask(&bench.connection, device, "restart", serde_json::json!({}));
    let mut ids = Vec::new();
    for device in ["a", "b", "c"] {
        ids.push(bench.desk.send(restart(device)).await?);
    }
    assert_eq!(bench.line.publish().await?.0, "a/req");
    bench.desk.reaches("a", &ids[0], CommandState::Sent).await?;
    drop(bench.line);

    let mut line = bench.broker.serve(&[]).await?;
    for (device, id) in [("b", &ids[1]), ("c", &ids[2])] {
        let (topic, packet) = line.publish().await?;
        assert_eq!(topic, format!("{device}/req"));
        line.puback(packet, 0).await?;
        bench.desk.reaches(device, id, CommandState::AtBroker).await?;
        let events = bench.desk.evidence(&bench.connection, device, id).await?.events;
        let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
        ensure!(kinds.contains(&"not_sent") && !kinds.contains(&"delivery_unknown"), "{kinds:?}");
    }
    assert!(line.is_silent(A_WHILE).await, "what may have arrived was sent again");
    let events = bench.desk.evidence(&bench.connection, "a", &ids[0]).await?.events;
    ensure!(events.iter().any(|event| event.kind.as_str() == "delivery_unknown"), "{events:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_ends_the_connection_over_a_message_to_ourselves_gets_no_other_one() -> Result<()> {
    let bench = Bench::new(&[]).await?;
    drop(bench.line);
    let mut line = bench.broker.resume().await?;
    let (topic, _) = line.publish().await?;
    ensure!(topic.ends_with("/resp"), "{topic}");
    // DISCONNECT: not authorized.
    line.write(&[0xE0, 1, 0x87]).await?;
    drop(line);

    let mut line = bench.broker.resume().await?;
    assert!(line.is_silent(A_WHILE).await, "what the broker had refused was sent again");
    bench.desk.send(led(&bench.connection, "pump")).await?;
    assert_eq!(line.publish().await?.0, "pump/req");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hangs_keeps_nobody_on_another_connection_waiting() -> Result<()> {
    /// Commands of a quarter of a megabyte that fill what the computer keeps for a reader that does not read.
    const FILLS: usize = 48;
    let broker = Broker::plain()?;
    let _kitchen = Device::start(&broker, "kitchen", None)?;
    let bench = Bench::at(SteppedBroker::narrow()?, &[]).await?;
    let good = bench.desk.connect(plain("good", &broker)).await?;
    bench.desk.sees_online(&good, 1).await?;

    // The other one reads nothing more, and is sent more than its receive window has room for.
    let text = "x".repeat(256 * 1024);
    let mut stuck = String::new();
    for number in 0..FILLS {
        let large =
            NewCommand { args: json!({"text": text}).into(), ..led(&bench.connection, &format!("deaf-{number}")) };
        stuck = bench.desk.send(large).await?;
    }
    let last = format!("deaf-{}", FILLS - 1);
    let mut answered = Vec::new();
    let mut meanwhile = 0;
    for number in 0..20 {
        // No change of that connection delays the other one.
        match number {
            5 => drop(bench.desk.console().tag_devices(&bench.connection, vec![last.clone()], "deaf").await?),
            10 => drop(bench.desk.edit(&bench.connection, |entry| entry.client_id = Some("another".into())).await?),
            15 => bench.desk.console().dismiss(&bench.connection, None).await?,
            _ => {}
        }
        let began = Instant::now();
        let ended = bench.desk.carry_out(led(&good, "kitchen")).await?;
        ensure!(ended.state == CommandState::Succeeded, "{ended:#?}");
        answered.push(began.elapsed());
        if number == 9 {
            // Until here its network connection is the one that it does not read.
            let states = bench.desk.seen().states.clone();
            ensure!(
                states
                    .iter()
                    .all(|(device, id, state)| { (device, id) != (&last, &stuck) || *state != CommandState::Sent }),
                "the broker that hangs had room for everything"
            );
            meanwhile = answered.len();
        }
    }
    ensure!(meanwhile == 10, "the other broker did not hang");
    // The computer may be busy with something else, but not each time, before that connection was edited and after.
    for part in answered.chunks(10) {
        let fastest = part.iter().min();
        ensure!(fastest < Some(&Duration::from_millis(100)), "each waited for the broker that hangs: {answered:?}");
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
    assert_eq!(ended.state, CommandState::TimedOut);
    assert!(ended.message.as_deref().is_some_and(|message| message.contains("may have run")), "{ended:#?}");
    // The broker has it after all, which changes what is said and not the end.
    bench.line.puback(packet, 0).await?;
    let known = bench.desk.command(("kitchen", &id), "PUBACK", |command| command.at_broker_at.is_some()).await?;
    assert_eq!(known.state, CommandState::TimedOut);
    Ok(())
}

/// What a broker has kept is read to its end by a message to ourselves, whatever the connection hears of itself: a command
/// does not wait for its timeout until it has been quiet for long enough.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_session_is_resumed_a_short_timeout_is_short_whatever_the_devices_speak() -> Result<()> {
    let check = async |name: &str, change: fn(&mut ConnectionEntry)| -> Result<()> {
        let broker = Broker::plain()?;
        let mut desk = Desk::new().await?;
        let connection = desk.connect(plain(name, &broker).with(change)).await?;
        desk.reopen().await?;
        desk.online(&connection).await?;
        let new = NewCommand { timeout_ms: Some(300), ..ask(&connection, "plug", "Power", json!({"value": "ON"})) };
        let id = desk.send(new).await?;
        let ended = desk.ended("plug", &id).await?;
        let took = ended.finished_at.unwrap_or_default() - ended.queued_at;
        ensure!(ended.state == CommandState::TimedOut && took < 3_000, "{name}: it took {took} ms: {ended:#?}");
        Ok(())
    };
    check("other firmware", |entry| entry.settings.dialects = vec!["tasmota".into()]).await?;
    check("named devices", |entry| entry.settings.devices_named = vec!["plug".into()]).await
}
