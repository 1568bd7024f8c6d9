//! Limits and reasons in CONNACK: the limits are observed, the reasons are shown.

use std::time::Duration;

use anyhow::{Result, ensure};
use wilco_engine::api::{CommandState, MqttVersion, Step, StepState};
use wilco_tests::{Misbehaviour, Scripted, ScriptedBroker, Seen, soon};

use crate::desk::{self, Desk, NewConnection, led, stopped_at};

fn to(broker: &ScriptedBroker) -> NewConnection {
    desk::to("limits", &broker.url())
}

fn published(broker: &ScriptedBroker) -> usize {
    broker.seen().iter().filter(|seen| matches!(seen, Seen::Publish { topic, .. } if topic.ends_with("/req"))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_takes_qos_0_only_gets_no_commands_and_it_is_said_before() -> Result<()> {
    let broker = Scripted::new().connack_properties(&[0x24, 0]).start()?;
    let desk = Desk::new().await?;
    let view = desk.preflight(to(&broker)).await?;
    let (step, said) = stopped_at(&view)?;
    ensure!(step == Step::Connect && said.contains("QoS 0 only (CONNACK, Maximum QoS: 0)"), "{said}");
    let connection = desk.add(to(&broker)).await?;
    let (message, hint) = desk.trouble(&connection).await?;
    ensure!(message.contains("QoS 0 only") && hint.contains("Allow QoS 1"), "{message} {hint}");
    desk.send(led(&connection, "pump-7")).await?;
    assert_eq!(published(&broker), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_wildcard_subscriptions_the_devices_are_to_be_named() -> Result<()> {
    let broker = Scripted::new().connack_properties(&[0x28, 0]).start()?;
    let desk = Desk::new().await?;
    let connection = desk.add(to(&broker)).await?;
    let (message, hint) = desk.trouble(&connection).await?;
    ensure!(message.contains("does not support wildcard subscriptions, and +/resp contains a wildcard"), "{message}");
    ensure!(hint.contains("Only these devices") && hint.contains("--only-device"), "{hint}");
    let asked = broker.seen().into_iter().any(|seen| matches!(seen, Seen::Subscribe { .. }));
    ensure!(!asked, "a filter that the broker had excluded was asked for");
    desk.console().remove_connection(&connection).await?;
    desk.connect(to(&broker).with(|entry| entry.settings.devices_named = vec!["pump-7".into()])).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_under_way_than_the_broker_takes() -> Result<()> {
    let broker = Scripted::new().connack_properties(&[0x21, 0, 2]).on_publish("+/req", Misbehaviour::Ignore).start()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(to(&broker)).await?;
    for number in 0..6 {
        desk.send(led(&connection, &format!("pump-{number}"))).await?;
    }
    soon("two publishes", Duration::from_secs(10), || (published(&broker) >= 2).then_some(()))?;
    // What could go out goes out before the DISCONNECT.
    desk.console().remove_connection(&connection).await?;
    soon("the end of it", Duration::from_secs(10), || broker.seen().contains(&Seen::Disconnect).then_some(()))?;
    assert_eq!(published(&broker), 2, "{:?}", broker.seen());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_too_large_for_the_broker_are_not_sent() -> Result<()> {
    let broker = Scripted::new().connack_properties(&[0x27, 0, 0, 0, 80]).start()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(to(&broker)).await?;
    let id = desk.send(led(&connection, "pump-7")).await?;
    let ended = desk.ended("pump-7", &id).await?;
    assert_eq!(ended.state, CommandState::Undeliverable);
    assert_eq!(published(&broker), 0);
    Ok(())
}

/// Sends a command over a broker with this CONNACK up to its PUBACK, and says what the broker saw.
async fn one_command(properties: &[u8]) -> Result<Vec<Seen>> {
    let broker = Scripted::new().connack_properties(properties).start()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(to(&broker)).await?;
    let id = desk.send(led(&connection, "pump-7")).await?;
    desk.reaches("pump-7", &id, CommandState::AtBroker).await?;
    Ok(broker.seen())
}

#[tokio::test(flavor = "multi_thread")]
async fn features_that_the_broker_lacks_are_not_used() -> Result<()> {
    // Retain, subscription identifiers, shared subscriptions, topic aliases; no Topic Alias Maximum at all means 0 too.
    for properties in [&[0x25, 0][..], &[0x29, 0], &[0x2a, 0], &[0x22, 0, 0], &[]] {
        let seen = one_command(properties).await?;
        ensure!(!seen.iter().any(|seen| matches!(seen, Seen::NotOffered(_))), "{properties:?}: {seen:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn response_information_that_nobody_asked_for_is_no_reason_to_hang_up() -> Result<()> {
    one_command(b"\x1A\0\x03r/x").await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_keep_alive_replaces_ours() -> Result<()> {
    // Ours is 30 s: a PINGREQ before that is the broker's doing.
    let broker = Scripted::new().connack_properties(&[0x13, 0, 1]).start()?;
    let desk = Desk::new().await?;
    let view = desk.preflight(to(&broker)).await?;
    let connect = view.steps.iter().find(|step| step.step == Step::Connect);
    ensure!(connect.is_some_and(|step| step.said.contains("keep-alive 1 s")), "{connect:?}");
    desk.connect(to(&broker)).await?;
    soon("PINGREQ", Duration::from_secs(15), || broker.seen().contains(&Seen::Ping).then_some(()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_that_the_broker_assigns_to_a_client_with_one_is_told_and_the_other_version_offered() -> Result<()>
{
    let broker = Scripted::new().connack_properties(b"\x12\0\x05given").start()?;
    let desk = Desk::new().await?;
    let view = desk.preflight(to(&broker)).await?;
    let (step, said) = stopped_at(&view)?;
    ensure!(step == Step::Connect && said.contains("The broker assigned the client ID “given”"), "{said}");
    let finding = view.steps.iter().find_map(|step| step.finding.as_ref());
    assert_eq!(finding.and_then(|finding| finding.version), Some(MqttVersion::V311));
    let connection = desk.add(to(&broker)).await?;
    let (message, hint) = desk.trouble(&connection).await?;
    ensure!(message.contains("“given”") && hint.contains("--mqtt 3.1.1"), "{message} {hint}");
    // Of MQTT 3.1.1 a CONNACK assigns nothing, and Wilco has always named itself.
    ensure!(desk.preflight(to(&broker).over(MqttVersion::V311)).await?.ok);
    let named = |seen: &Seen| matches!(seen, Seen::Connect { client_id, .. } if client_id.is_empty());
    ensure!(!broker.seen().iter().any(named), "{:?}", broker.seen());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_mqtt_311_alone_is_recognised_and_that_version_offered() -> Result<()> {
    let broker = Scripted::new().only_mqtt_311().start()?;
    let desk = Desk::new().await?;
    let view = desk.preflight(to(&broker)).await?;
    let (step, said) = stopped_at(&view)?;
    ensure!(step == Step::Connect && said.contains("The broker supports MQTT 3.1.1, not MQTT 5"), "{said}");
    ensure!(said.contains("--mqtt 3.1.1"), "{said}");
    let finding = view.steps.iter().find_map(|step| step.finding.as_ref());
    assert_eq!(finding.and_then(|finding| finding.version), Some(MqttVersion::V311));
    let view = desk.preflight(to(&broker).over(MqttVersion::V311)).await?;
    ensure!(view.ok, "{view:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_reason_string_is_shown() -> Result<()> {
    let broker = Scripted::new()
        .on_connect(Misbehaviour::Reason(0x9D))
        .connack_properties(b"\x1C\0\x16other.example.net:8883\x1F\0\x16maintenance until 6 pm")
        .start()?;
    let desk = Desk::new().await?;
    let connection = desk.add(to(&broker)).await?;
    let (message, _) = desk.trouble(&connection).await?;
    ensure!(message.contains("Reason given by the broker: “maintenance until 6 pm”."), "{message}");
    ensure!(message.contains("Server reference: other.example.net:8883."), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_qos_than_asked_for_is_said() -> Result<()> {
    let broker = Scripted::new().on_subscribe("+/resp", Misbehaviour::Reason(0)).start()?;
    let desk = Desk::new().await?;
    let view = desk.preflight(to(&broker)).await?;
    let subscribe = view.steps.iter().find(|step| step.step == Step::Subscribe);
    ensure!(subscribe.is_some_and(|step| step.state == StepState::Warned), "{view:#?}");
    let title = subscribe.and_then(|step| step.finding.as_ref()).map(|finding| finding.title.as_str());
    assert_eq!(title, Some("The broker granted +/resp at QoS 0"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suback_and_a_connack_that_never_come_have_their_own_words() -> Result<()> {
    let check = async |script: Scripted, step: Step, words: &str| -> Result<()> {
        let broker = script.start()?;
        let desk = Desk::new().await?;
        let (stopped, said) = stopped_at(&desk.preflight(to(&broker)).await?)?;
        ensure!(stopped == step && said.contains(words), "{stopped:?}: {said}");
        let connection = desk.add(to(&broker)).await?;
        let (message, _) = desk.trouble(&connection).await?;
        ensure!(message.contains(words), "{message}");
        Ok(())
    };
    let no_suback = Scripted::new().on_subscribe("+/resp", Misbehaviour::Silence);
    check(no_suback, Step::Subscribe, "with a SUBACK within 10 s").await?;
    check(Scripted::new().on_connect(Misbehaviour::Silence), Step::Connect, "sent no CONNACK within 10 s").await
}
