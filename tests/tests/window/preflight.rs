//! The preflight in the window: each refusal is shown at its step, with what to do.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{
    Broker, Certificates, Connection, Console, Desk, Identity, Keyring, Misbehaviour, Proxy, Scripted, Settings, Tls,
    Tried,
};

use crate::SHORT;
use crate::pictures::as_it_stands;

/// Control and V, held and let go.
const PASTE: &str = "\u{e009}v\u{e009}";

/// That a preflight stopped there and says so, in a picture and in words.
async fn check(console: &Console, what: &str, tried: Tried, step: &str, phrases: &[&str]) -> Result<()> {
    console.screenshot(&format!("preflight-{what}")).await?;
    ensure!(tried.stopped_at() == Some(step), "{what}: it did not stop at {step}: {tried:#?}");
    for phrase in phrases {
        ensure!(tried.text.contains(phrase), "{what}: it does not say “{phrase}”: {tried:#?}");
    }
    Ok(())
}

/// Fills in the wizard up to the topics, for a connection of this address.
async fn begin(console: &Console, files: Option<&Certificates>, url: &str) -> Result<()> {
    console.begin_connection().await?;
    let (ca, identity) = (files.map(|files| files.ca.as_path()), files.map(|files| &files.client));
    console.enter_connection(Connection { name: "Trial", url, ca, identity }).await
}

#[tokio::test]
async fn failures_on_the_way_to_the_broker_are_reported_by_step() -> Result<()> {
    let certificates = Certificates::new()?;
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let (inspected, _) = certificates.inspected_server()?;
    let showing = |server: &Identity| Scripted::new().tls(Tls::with(server)).start();
    let other_authority = showing(&certificates.server_of_another_authority()?)?;
    let other_name = showing(&certificates.server_of_another_name()?)?;
    let expired = showing(&certificates.expired_server()?)?;
    let future = showing(&certificates.server_of_the_future()?)?;
    let version_1 = showing(&certificates.version_1()?)?;
    let inspected = showing(&inspected)?;
    let portal = Scripted::new().says("HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n").start()?;

    let cases: [(&str, String, &str, &[&str]); 9] = [
        ("name", "mqtts://no-such-host.invalid".into(), "name", &["DNS has no address for no-such-host.invalid"]),
        ("port", format!("mqtts://localhost:{closed}"), "tcp", &["nothing listens at localhost"]),
        ("wrong-ca", other_authority.url(), "tls", &["does not trust", "Some other authority"]),
        ("other-name", other_name.url(), "tls", &["not for the name localhost, but for broker.example.org"]),
        ("expired", expired.url(), "tls", &["expired on 2021-01-01"]),
        ("not-yet-valid", future.url(), "tls", &["is not valid before 2090-01-01"]),
        ("version-1", version_1.url(), "tls", &["X.509 version 1"]),
        ("inspected", inspected.url(), "tls", &["does not trust", "Example Company TLS Inspection"]),
        ("captive-portal", portal.url().replace("mqtt:", "mqtts:"), "tls", &["without TLS", "requires a login"]),
    ];
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    for (at, (what, url, step, phrases)) in cases.iter().enumerate() {
        let tried = if at == 0 {
            begin(&console, Some(&certificates), url).await?;
            console.preflight().await?
        } else {
            console.preflight_of(url).await?
        };
        check(&console, what, tried, step, phrases).await?;
        if *what == "wrong-ca" {
            as_it_stands(&console, "preflight-wrong-ca").await?;
        }
    }
    console.close().await
}

#[tokio::test]
async fn actions_that_the_broker_denies_are_reported_by_step() -> Result<()> {
    let strict = Broker::start(&Settings { users: &[("me", "right")], ..Settings::default() })?;
    let deaf = Broker::start(&Settings { access_list: Some("topic read #\n"), ..Settings::default() })?;
    let mute = Scripted::new().on_subscribe("+/resp", Misbehaviour::Reason(0x87)).start()?;
    let jealous = Scripted::new().after_connack(Misbehaviour::Disconnect(0x8E)).start()?;
    let slow = Scripted::new().delays(Duration::from_millis(44)).start()?;
    let silent = Scripted::new().on_connect(Misbehaviour::Silence).start()?;

    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    begin(&console, None, &mute.url()).await?;
    let tried = console.preflight().await?;
    check(&console, "subscribe-denied", tried, "subscribe", &["denied the subscription to +/resp", "ACL"]).await?;

    let tried = console.preflight_of(&deaf.url()).await?;
    check(&console, "publish-denied", tried, "publish", &["denied the publish", "Wilco can receive but not publish"])
        .await?;

    // On MQTT 3.1.1 the same broker acknowledges what it drops.
    console.click("button", "Endpoint").await?;
    console.click("radio", "MQTT 3.1.1").await?;
    console.go_on_to_topics().await?;
    let tried = console.preflight().await?;
    check(&console, "no-round-trip", tried, "round_trip", &["did not deliver it within 5 s", "and drop them"]).await?;
    as_it_stands(&console, "preflight-no-round-trip").await?;
    console.click("button", "Endpoint").await?;
    console.click("radio", "MQTT 5").await?;

    let tried = console.preflight_of(&slow.url()).await?;
    console.screenshot("preflight-nagle").await?;
    ensure!(tried.text.contains("Nagle") && tried.text.contains("set_tcp_nodelay true"), "{tried:#?}");
    ensure!(tried.steps.last().is_some_and(|(_, state)| state == "warned"), "{tried:#?}");
    tried.passed()?;

    console.click("button", "Endpoint").await?;
    console.unfold_more().await?;
    console.fill("Client ID", "operator").await?;
    let tried = console.preflight_of(&jealous.url()).await?;
    check(&console, "client-id-in-use", tried, "connect", &["Another client is connected as operator"]).await?;

    console.click("button", "Endpoint").await?;
    console.fill("User name", "me").await?;
    console.fill("Password", "guess").await?;
    let tried = console.preflight_of(&strict.url()).await?;
    check(&console, "wrong-password", tried, "connect", &["not authorized", "user name and password"]).await?;
    ensure!(!console.text().await?.contains("guess"), "the password is in the page");

    console.click("button", "Endpoint").await?;
    console.fill("Address", &silent.url()).await?;
    console.go_on_to_topics().await?;
    console.click("button", "Next").await?;
    console.wait_for_text("Trying", SHORT).await?;
    console.screenshot("preflight-trying").await?;
    console.click("button", "Stop").await?;
    let tried = console.preflight_ended().await?;
    console.screenshot("preflight-stopped").await?;
    ensure!(tried.stopped_at().is_none(), "being stopped is no fault: {tried:#?}");
    console.wait_for_text("You stopped the test at Connect", SHORT).await?;
    console.close().await
}

#[tokio::test]
async fn the_preflight_continues_once_the_broker_is_fixed() -> Result<()> {
    let mut broker = Broker::start(&Settings { access_list: Some("topic read #\n"), ..Settings::default() })?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    begin(&console, None, &broker.url()).await?;
    ensure!(console.preflight().await?.stopped_at() == Some("publish"));

    broker.restart_with("topic readwrite #\n")?;
    console.click("button", "Retry from here").await?;
    console.preflight_ended().await?.passed()?;
    console.screenshot("preflight-mended").await?;
    console.save_connection().await?;
    console.wait_for_card("Trial", "Connected").await?;
    console.close().await
}

#[tokio::test]
async fn on_aws_a_hang_up_comes_with_the_policy_to_paste() -> Result<()> {
    let certificates = Certificates::new()?;
    let tls = || Tls::with(&certificates.server).only_for_clients_of(&certificates.ca);
    let inactive = Scripted::new().on_connect(Misbehaviour::Close).tls(tls()).start()?;
    let narrow = Scripted::new().on_subscribe("+/resp", Misbehaviour::Close).tls(tls()).start()?;
    let [to_inactive, to_narrow] = [&inactive, &narrow].map(|broker| Proxy::http().leads_to(broker.port()).start());
    let (to_inactive, to_narrow) = (to_inactive?, to_narrow?);

    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.begin_connection().await?;
    let url = "a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com";
    let connection =
        Connection { name: "Trial", url, ca: Some(&certificates.ca), identity: Some(&certificates.client) };
    console.bring_all(connection).await?;
    console.begin_endpoint(connection).await?;
    console.unfold_more().await?;
    console.fill("Server name", "localhost").await?;
    console.fill("Proxy", &to_inactive.url()).await?;
    console.go_on_to_topics().await?;
    let tried = console.preflight().await?;
    check(&console, "aws-inactive", tried, "connect", &["must be active", "closed the connection after CONNECT"])
        .await?;

    console.click("button", "Endpoint").await?;
    console.unfold_more().await?;
    console.fill("Proxy", &to_narrow.url()).await?;
    let tried = console.preflight_of(url).await?;
    check(
        &console,
        "aws-subscribe-denied",
        tried,
        "subscribe",
        &["closed the connection when Wilco subscribed to +/resp", "sdk/test/*"],
    )
    .await?;
    as_it_stands(&console, "preflight-aws-subscribe-denied").await?;

    console.click("button", "Copy policy").await?;
    console.wait_for_text("Copied", SHORT).await?;
    console.click("button", "Change the topics…").await?;
    console.type_into("Only these devices", PASTE).await?;
    let pasted = console.written("Only these devices").await?;
    let policy: Value = serde_json::from_str(&pasted).with_context(|| pasted.clone())?;
    ensure!(policy["Version"] == json!("2012-10-17"), "{policy}");
    for needed in ["iot:Connect", "topicfilter/+/resp", "iot:Receive", "iot:Publish", "eu-central-1"] {
        ensure!(policy.to_string().contains(needed), "{needed} is not in {policy}");
    }
    console.close().await
}
