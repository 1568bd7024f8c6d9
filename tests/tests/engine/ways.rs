//! Paths to a broker: WebSockets, proxies, server names and ALPN in TLS, a pinned certificate. `preflight` tests the
//! reports about them.

use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wilco_engine::api::{
    AnswerMatch, CommandState, FileRole, FileToRead, HistoryQuery, LinkState, MqttVersion, NewCommand, Preset,
    ProxySettings, Step, Trust,
};
use wilco_tests::{Broker, Certificates, Device, Identity, Proxy, Scripted, Seen, Settings, Tls, soon, soon_async};

use crate::desk::{BOTH, Desk, NewConnection, PATIENCE, led, mutual, stopped_at, to};
use crate::fleet;

/// A broker with a second listener for WebSockets: with mutual TLS where there are certificates.
pub(crate) struct WebSockets {
    broker: Broker,
    url: String,
}

impl WebSockets {
    pub(crate) fn start(certificates: Option<&Certificates>) -> Result<WebSockets> {
        // Nobody listens there any more; somebody else would have to be quick.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        // Devices that stand still for a moment answer all at once, which may be more than the 1,000 messages that
        // mosquitto queues by default (decision 79). This is about the way, not about that limit.
        let mut more = format!("max_queued_messages 0\nlistener {port} 127.0.0.1\nprotocol websockets\n");
        if let Some(Certificates { ca, server: Identity { certificate, key }, .. }) = certificates {
            let files = [("cafile", ca), ("certfile", certificate), ("keyfile", key)];
            more.extend(files.map(|(name, path)| format!("{name} {}\n", path.display())));
            more.push_str("require_certificate true\n");
        }
        let scheme = if certificates.is_some() { "wss" } else { "ws" };
        let broker = Broker::start(&Settings { more: &more, ..Settings::default() })?;
        Ok(WebSockets { broker, url: format!("{scheme}://localhost:{port}/mqtt") })
    }

    pub(crate) fn connection(&self, certificates: Option<&Certificates>) -> NewConnection {
        let new = to("web", &self.url);
        match certificates {
            Some(certificates) => new.bringing(Some(&certificates.ca), Some(&certificates.client)),
            None => new,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_commanded_over_a_websocket_also_after_the_broker_was_gone() -> Result<()> {
    let certificates = Certificates::new()?;
    let desk = Desk::new().await?;
    for secured in [None, Some(&certificates)] {
        for mqtt in BOTH {
            let mut web = WebSockets::start(secured)?;
            let mut device = Device::start(&web.broker, "kitchen", None)?;
            let connection = desk.connect(web.connection(secured).over(mqtt)).await?;
            let done = desk.carry_out(led(&connection, "kitchen")).await.with_context(|| format!("{mqtt:?}"))?;
            assert_eq!((done.state, done.matched), (CommandState::Succeeded, Some(AnswerMatch::Exact)));
            ensure!(desk.preflight_stored(&connection).await?.ok);
            large_payloads(&desk, &connection, &web.broker).await?;

            web.broker.kill();
            desk.trouble(&connection).await?;
            web.broker.resume()?;
            device.kill();
            device.resume(&web.broker)?;
            desk.online(&connection).await?;
            assert_eq!(desk.carry_out(led(&connection, "kitchen")).await?.state, CommandState::Succeeded);
            desk.console().remove_connection(&connection).await?;
        }
    }
    Ok(())
}

/// A hundred kilobytes each way: more than a frame's short length, and more than a buffer.
async fn large_payloads(desk: &Desk, connection: &str, broker: &Broker) -> Result<()> {
    let text = "0123456789".repeat(10_000);
    let heard = broker.listen("mute/+")?;
    let id = desk.send(NewCommand { args: json!({"text": text}).into(), ..led(connection, "mute") }).await?;
    desk.reaches("mute", &id, CommandState::AtBroker).await?;
    soon("large request", PATIENCE, || heard.log().contains(&text).then_some(()))?;
    let answer = json!({"id": id, "status": "succeeded", "message": text}).to_string();
    broker.publish("mute/resp", answer.as_bytes(), false)?;
    let ended = desk.ended("mute", &id).await?;
    ensure!(
        ended.state == CommandState::Succeeded
            && ended.message.as_ref().is_some_and(|message| text.starts_with(&message[..100]))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_commands_go_out_over_a_websocket_and_are_all_reconciled() -> Result<()> {
    let certificates = Certificates::new()?;
    for (secured, mqtt) in [(None, MqttVersion::V311), (Some(&certificates), MqttVersion::V5)] {
        let web = WebSockets::start(secured)?;
        let desk = Desk::new().await?;
        let _devices = fleet::devices(&web.broker, &desk.path().join("devices.log"), &[])?;
        let connection = desk.connect(web.connection(secured).over(mqtt)).await?;
        desk.sees_online(&connection, fleet::COUNT).await?;
        // However busy the machine is: none may expire before its turn has come.
        let (timeout_ms, ttl_ms) = (Some(600_000), Some(600_000));
        for _ in 0..25 {
            let new = NewCommand { devices: fleet::ids(), timeout_ms, ttl_ms, ..led(&connection, "") };
            desk.console().send(new).await?;
        }
        soon_async("end of 5,000 commands", 4 * PATIENCE, async || {
            let counts = desk.view(&connection).await?.counts;
            Ok((counts.kept == 5_000 && counts.queued + counts.held + counts.in_flight == 0).then_some(()))
        })
        .await?;
        let mut ended = 0;
        let mut cursor = None;
        loop {
            let query =
                HistoryQuery { states: vec![CommandState::Succeeded], cursor, limit: 1_000, ..HistoryQuery::default() };
            let page = desk.console().history(query).await?;
            ended += page.commands.len();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(ended, 5_000, "succeeded");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_is_not_at_this_path_is_told_with_the_paths_that_are_usual() -> Result<()> {
    let web = Scripted::new().says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").start()?;
    let new = to("web", &format!("ws://localhost:{}/wrong", web.port()));
    let desk = Desk::new().await?;
    let (step, said) = stopped_at(&desk.preflight(new.clone()).await?)?;
    ensure!(step == Step::WebSocket && said.contains("404 Not Found at /wrong"), "{said}");
    let connection = desk.add(new).await?;
    let (message, hint) = desk.trouble(&connection).await?;
    ensure!(message.contains("answered 404 Not Found at /wrong") && hint.contains("/mqtt"), "{message} {hint}");
    Ok(())
}

fn through(url: &str, username: Option<&str>) -> Option<ProxySettings> {
    Some(ProxySettings { url: url.into(), username: username.map(str::to_owned) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_through_a_proxy_and_comes_back_through_it() -> Result<()> {
    let certificates = Certificates::new()?;
    let desk = Desk::new().await?;
    for kind in [Proxy::http, Proxy::socks5] {
        let mut broker = Broker::mutual_tls(&certificates)?;
        let proxy = kind().for_user("me", "right").start()?;
        let new = mutual("far", &broker, &certificates, &certificates.client);
        let new = new.with(|entry| {
            (entry.settings.proxy, entry.proxy_password) = (through(&proxy.url(), Some("me")), Some("guess".into()));
        });
        let connection = desk.add(new).await?;
        let (message, _) = desk.trouble(&connection).await?;
        ensure!(message.contains("proxy rejected the user name or password"), "{message}");

        desk.edit(&connection, |entry| entry.proxy_password = Some("right".into())).await?;
        desk.online(&connection).await?;
        let identity = certificates.issue("kitchen")?;
        let _device = Device::start(&broker, "kitchen", Some((&certificates, &identity)))?;
        assert_eq!(desk.carry_out(led(&connection, "kitchen")).await?.state, CommandState::Succeeded);

        broker.kill();
        desk.trouble(&connection).await?;
        let asked = proxy.asked().len();
        broker.resume()?;
        desk.online(&connection).await?;
        ensure!(proxy.asked().len() > asked, "it came back by another way");
        desk.sees_online(&connection, 1).await?;
        assert_eq!(desk.carry_out(led(&connection, "kitchen")).await?.state, CommandState::Succeeded);

        // Another proxy of the same owner: the password stays as it is.
        let other = kind().for_user("me", "right").start()?;
        drop(proxy);
        let (message, _) = desk.trouble(&connection).await?;
        ensure!(!message.is_empty());
        desk.edit(&connection, |entry| entry.settings.proxy = through(&other.url(), Some("me"))).await?;
        desk.online(&connection).await?;
        ensure!(!other.asked().is_empty() && desk.view(&connection).await?.has.proxy_password);
        // Without a proxy its password is forgotten.
        desk.edit(&connection, |entry| entry.settings.proxy = None).await?;
        desk.online(&connection).await?;
        ensure!(!desk.view(&connection).await?.has.proxy_password);
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_with_mutual_tls_goes_through_a_proxy() -> Result<()> {
    let certificates = Certificates::new()?;
    let web = WebSockets::start(Some(&certificates))?;
    let _device = Device::start(&web.broker, "kitchen", None)?;
    let desk = Desk::new().await?;
    for (kind, mqtt) in [(Proxy::http as fn() -> Proxy, MqttVersion::V5), (Proxy::socks5, MqttVersion::V311)] {
        let proxy = kind().start()?;
        let new = web.connection(Some(&certificates)).over(mqtt);
        let new = new.with(|entry| entry.settings.proxy = through(&proxy.url(), None));
        let connection = desk.connect(new).await?;
        assert_eq!(desk.carry_out(led(&connection, "kitchen")).await?.state, CommandState::Succeeded);
        ensure!(!proxy.asked().is_empty());
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_trusts_the_pinned_certificate_and_no_other() -> Result<()> {
    let certificates = Certificates::new()?;
    let server = certificates.server_of_another_name()?;
    let settings = Settings { tls: Some(&certificates), server: Some(server.clone()), ..Settings::default() };
    let broker = Broker::start(&settings)?;
    let desk = Desk::new().await?;
    let pinning = |pin: &Identity| {
        let new = mutual("pinned", &broker, &certificates, &certificates.client);
        let mut new = new.bringing(None, Some(&certificates.client)).with(|entry| entry.settings.trust = Trust::Pinned);
        new.files.push(FileToRead { path: pin.certificate.clone(), role: FileRole::Server });
        new
    };
    for mqtt in BOTH {
        let connection = desk.connect(pinning(&server).over(mqtt)).await?;
        let id = desk.send(led(&connection, "kitchen")).await?;
        desk.reaches("kitchen", &id, CommandState::AtBroker).await?;
        desk.console().remove_connection(&connection).await?;

        let connection = desk.add(pinning(&certificates.server).over(mqtt)).await?;
        let (message, _) = desk.trouble(&connection).await?;
        ensure!(message.contains("certificate"), "{message}");
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_that_a_server_proves_may_be_another_than_its_address() -> Result<()> {
    let certificates = Certificates::new()?;
    let server = certificates.server_of_another_name()?;
    let broker = Broker::start(&Settings { tls: Some(&certificates), server: Some(server), ..Settings::default() })?;
    let desk = Desk::new().await?;
    let new = mutual("apart", &broker, &certificates, &certificates.client);
    let connection = desk.add(new).await?;
    let (message, _) = desk.trouble(&connection).await?;
    ensure!(message.contains("not for the name localhost"), "{message}");
    desk.edit(&connection, |entry| entry.settings.server_name = Some("broker.example.org".into())).await?;
    desk.online(&connection).await
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_on_port_443_is_asked_for_its_protocol_and_by_its_name() -> Result<()> {
    let certificates = Certificates::new()?;
    let endpoint = "a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com";
    let desk = Desk::new().await?;
    for (alpn, mqtt) in [("x-amzn-mqtt-ca", MqttVersion::V5), ("mqtt", MqttVersion::V311)] {
        let tls = Tls::with(&certificates.server).only_for_clients_of(&certificates.ca).speaking(&[alpn]);
        let broker = Scripted::new().tls(tls).start()?;
        let proxy = Proxy::http().leads_to(broker.port()).start()?;
        let new = to("aws", &format!("mqtts://{endpoint}:443")).over(mqtt);
        let new = new.bringing(Some(&certificates.ca), Some(&certificates.client)).with(|entry| {
            entry.settings.preset = Preset::Aws;
            // The broker of this test has no certificate of Amazon's.
            entry.settings.server_name = Some("localhost".into());
            entry.settings.alpn = vec![alpn.into()];
            entry.settings.proxy = through(&proxy.url(), None);
        });
        let connection = desk.connect(new).await?;
        ensure!(proxy.asked().iter().all(|asked| *asked == format!("{endpoint}:443")), "{:?}", proxy.asked());
        let shaken = Seen::Handshake { name: Some("localhost".into()), protocol: Some(alpn.into()), is_mutual: true };
        ensure!(broker.seen().contains(&shaken), "{:?}", broker.seen());
        let seen = broker.seen();
        let connect = seen.iter().find(|seen| matches!(seen, Seen::Connect { keep_alive: 30.., .. }));
        ensure!(connect.is_some(), "{seen:?}");
        let id = desk.send(led(&connection, "kitchen")).await?;
        desk.reaches("kitchen", &id, CommandState::AtBroker).await?;

        // A server that does not speak it is no place to continue.
        desk.edit(&connection, |entry| entry.settings.alpn = vec!["h2".into()]).await?;
        desk.link(&connection, "sentence about the protocol", |link| match link {
            LinkState::Waiting { message, .. } | LinkState::Stopped { message, .. } => {
                message.contains("ALPN").then_some(())
            }
            _ => None,
        })
        .await?;
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}
