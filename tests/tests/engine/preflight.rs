//! The preflight: each fault of a broker, a proxy or a certificate is identified at the step where it occurs, with what
//! to do.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use wilco_engine::api::{Failure, MqttVersion, PreflightView, Preset, ProxySettings, Step, StepState, Trust};
use wilco_tests::{
    Broker, Certificates, Identity, Misbehaviour, Proxy, Refusal, Scripted, ScriptedBroker, Seen, Settings, Tls,
};

use crate::desk::{BOTH, Desk, NewConnection, mutual, plain, stopped_at, to};

/// That it stops at this step and says these words.
fn check(view: &PreflightView, step: Step, words: &[&str]) -> Result<()> {
    let (at, said) = stopped_at(view)?;
    ensure!(at == step, "it stopped at {at:?} instead of {step:?}: {said}");
    for word in words {
        ensure!(said.contains(word), "at {step:?} it says “{said}”, not “{word}”");
    }
    let finding =
        view.steps.iter().find_map(|line| line.finding.clone().filter(|_| line.step == step)).context("finding")?;
    ensure!(!finding.title.is_empty() && !finding.title.ends_with('.') && !finding.hint.is_empty(), "{finding:?}");
    for line in &view.steps {
        let expected = line.step < step || line.state == StepState::Skipped;
        ensure!(expected || line.step == step || line.state == StepState::Waiting, "{:?} after {step:?}", line);
    }
    ensure!(view.done && !view.ok && view.verdict.starts_with("Stopped at "), "{}", view.verdict);
    Ok(())
}

fn state(view: &PreflightView, step: Step) -> StepState {
    view.steps.iter().find(|line| line.step == step).map_or(StepState::Waiting, |line| line.state)
}

fn scripted(broker: &ScriptedBroker) -> NewConnection {
    to("trial", &broker.url())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_steps_pass_where_everything_is_right() -> Result<()> {
    let certificates = Certificates::new()?;
    let secured = Broker::mutual_tls(&certificates)?;
    let open = Broker::plain()?;
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let view = desk.preflight(mutual("trial", &secured, &certificates, &certificates.client).over(mqtt)).await?;
        ensure!(view.ok && view.done && view.denied.is_empty(), "{view:#?}");
        ensure!(view.steps.iter().all(|line| matches!(line.state, StepState::Passed | StepState::Warned)), "{view:#?}");
        ensure!(view.steps.iter().all(|line| line.took_ms.is_some()), "{view:#?}");
        let said: Vec<_> = view.steps.iter().map(|line| line.said.as_str()).collect();
        ensure!(said[2].contains("signed by Wilco test authority, name matches"), "{said:?}");
        ensure!(said[3].contains("The broker accepted the certificate"), "{said:?}");
        ensure!(said[4].starts_with("Subscribed to +/resp"), "{said:?}");

        let view = desk.preflight(plain("trial", &open).over(mqtt)).await?;
        ensure!(view.ok && state(&view, Step::Tls) == StepState::Skipped, "{view:#?}");
    }
    ensure!(desk.console().connections().await?.is_empty(), "a trial keeps nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind_on_the_brokers_side_and_no_device_is_made_of_a_trial() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    for _ in 0..2 {
        ensure!(desk.preflight_stored(&connection).await?.ok);
    }
    ensure!(desk.preflight(plain("other", &broker)).await?.ok);
    desk.online(&connection).await?;
    let known = desk.console().connections().await?;
    ensure!(known[0].devices == 0, "{known:?}");
    ensure!(desk.seen().notices.clone().is_empty(), "{:?}", desk.seen().notices.clone());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_nowhere_is_told_by_its_step() -> Result<()> {
    let desk = Desk::new().await?;
    let view = desk.preflight(to("trial", "mqtt://no-such-host.invalid")).await?;
    check(&view, Step::Name, &["DNS has no address for no-such-host.invalid", "spelling"])?;
    ensure!(view.steps[0].said == "Not found", "{}", view.steps[0].said);
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let view = desk.preflight(to("trial", &format!("mqtt://localhost:{closed}"))).await?;
    check(&view, Step::Tcp, &["nothing listens at localhost", "Check that the broker is running"])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_servers_certificate_has_its_own_words() -> Result<()> {
    let certificates = Certificates::new()?;
    let desk = Desk::new().await?;
    let (inspected, _) = certificates.inspected_server()?;
    let cases: [(Identity, &[&str]); 6] = [
        (certificates.server_of_another_authority()?, &["does not trust", "signed by CN=Some other authority"]),
        (inspected, &["does not trust", "signed by"]),
        (certificates.server_of_another_name()?, &["not for the name localhost, but for broker.example.org"]),
        (certificates.expired_server()?, &["expired on 2021-01-01"]),
        (certificates.server_of_the_future()?, &["is not valid before"]),
        (certificates.version_1()?, &["X.509 version 1"]),
    ];
    for (server, words) in cases {
        let broker = Scripted::new().tls(Tls::with(&server)).start()?;
        let view = desk.preflight(scripted(&broker).bringing(Some(&certificates.ca), None)).await?;
        check(&view, Step::Tls, words)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_that_is_missing_or_unknown_is_told() -> Result<()> {
    let certificates = Certificates::new()?;
    let tls = || Tls::with(&certificates.server).only_for_clients_of(&certificates.ca);
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let broker = Scripted::new().tls(tls()).start()?;
        let none = scripted(&broker).bringing(Some(&certificates.ca), None).over(mqtt);
        let (_, said) = stopped_at(&desk.preflight(none).await?)?;
        ensure!(said.contains("requires a client certificate"), "{said}");
        let unexpected_device = certificates.client_of_another_authority()?;
        let unknown = scripted(&broker).bringing(Some(&certificates.ca), Some(&unexpected_device)).over(mqtt);
        let (_, said) = stopped_at(&desk.preflight(unknown).await?)?;
        ensure!(said.contains("client certificate") && said.contains("signed by the CA"), "{said}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_a_broker_is_reported() -> Result<()> {
    let desk = Desk::new().await?;
    let web = || Scripted::new().says("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    let broker = web().start()?;
    let view = desk.preflight(scripted(&broker)).await?;
    check(&view, Step::Connect, &["is a web server or a proxy, not an MQTT broker", "wss://"])?;
    let portal = Scripted::new().says("HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n").start()?;
    let view = desk.preflight(to("trial", &portal.url().replace("mqtt:", "mqtts:"))).await?;
    check(&view, Step::Tls, &["is a web server or a proxy without TLS", "requires a login"])?;
    let view = desk.preflight(to("trial", &broker.url().replace("mqtt:", "ws:"))).await?;
    check(&view, Step::WebSocket, &["answered 400 Bad Request at /mqtt", "dashboard"])?;
    let certificates = Certificates::new()?;
    let secured = Scripted::new().tls(Tls::with(&certificates.server)).start()?;
    let view = desk.preflight(to("trial", &secured.url().replace("mqtts:", "mqtt:"))).await?;
    check(&view, Step::Connect, &["requires TLS", "mqtts://"])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_connect_has_its_own_words() -> Result<()> {
    let desk = Desk::new().await?;
    let cases: [(u8, &[&str]); 8] = [
        (0x84, &["does not support this MQTT version", "other version"]),
        (0x85, &["rejected the client ID", "Choose another"]),
        (0x86, &["rejected the user name or password", "enter them again"]),
        (0x87, &["not authorized", "ACL"]),
        (0x88, &["unavailable"]),
        (0x89, &["busy"]),
        (0x8A, &["banned this client"]),
        (0x9D, &["another server"]),
    ];
    for (reason, words) in cases {
        let broker = Scripted::new().on_connect(Misbehaviour::Reason(reason)).start()?;
        let view = desk.preflight(scripted(&broker)).await?;
        check(&view, Step::Connect, words).with_context(|| format!("reason {reason:#04x}"))?;
    }
    for mqtt in BOTH {
        let broker = Scripted::new().on_connect(Misbehaviour::Close).start()?;
        let view = desk.preflight(scripted(&broker).over(mqtt)).await?;
        check(&view, Step::Connect, &["The broker closed the connection after CONNECT", "Try mqtts://"])?;
    }
    let broker = Scripted::new().on_connect(Misbehaviour::Silence).start()?;
    let view = desk.preflight(scripted(&broker)).await?;
    check(&view, Step::Connect, &["sent no CONNACK", "within 10 s"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_that_somebody_else_uses_is_found_out() -> Result<()> {
    let desk = Desk::new().await?;
    let mine = |broker: &ScriptedBroker| scripted(broker).with(|entry| entry.client_id = Some("operator".into()));
    let broker = Scripted::new().after_connack(Misbehaviour::Disconnect(0x8E)).start()?;
    let view = desk.preflight(mine(&broker)).await?;
    let (_, said) = stopped_at(&view)?;
    ensure!(said.contains("Another client is connected as operator") && said.contains("another client ID"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_not_allowed_is_told_by_code_or_by_silence() -> Result<()> {
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        for then in [Misbehaviour::Reason(0x87), Misbehaviour::Reason(0x80), Misbehaviour::Close] {
            let broker = Scripted::new().on_subscribe("+/resp", then.clone()).start()?;
            let view = desk.preflight(scripted(&broker).over(mqtt)).await?;
            check(&view, Step::Subscribe, &["+/resp", "Allow this client"])
                .with_context(|| format!("{mqtt:?} {then:?}"))?;
        }
        for then in [Misbehaviour::Reason(0x87), Misbehaviour::Close] {
            let script = Scripted::new().on_subscribe("+/state", then.clone()).on_subscribe("+/req", then.clone());
            let broker = script.start()?;
            let view = desk.preflight(scripted(&broker).over(mqtt)).await?;
            ensure!(view.ok && view.denied == ["+/state", "+/req"], "{mqtt:?} {then:?}: {view:#?}");
            ensure!(state(&view, Step::Subscribe) == StepState::Warned, "{view:#?}");
            ensure!(state(&view, Step::RoundTrip) == StepState::Passed, "{view:#?}");
            // Saved with what was refused, the connection never asks for it.
            let before = broker.seen().len();
            let denied = view.denied.clone();
            let connection =
                desk.connect(scripted(&broker).over(mqtt).with(|entry| entry.settings.denied = denied)).await?;
            let asked: Vec<_> = broker.seen().split_off(before).into_iter().filter_map(filters_of).flatten().collect();
            ensure!(asked.contains(&"+/resp".into()) && !asked.contains(&"+/state".into()), "{asked:?}");
            desk.console().remove_connection(&connection).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_finds_the_subscription_that_makes_a_broker_disconnect() -> Result<()> {
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let broker = Scripted::new().on_subscribe("+/telemetry", Misbehaviour::Close).start()?;
        let connection = desk.connect(scripted(&broker).over(mqtt)).await?;
        ensure!(
            desk.seen().notices.clone().iter().any(|notice| notice.message.contains("+/telemetry")),
            "{:?}",
            desk.seen().notices.clone()
        );
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

fn filters_of(seen: Seen) -> Option<Vec<String>> {
    if let Seen::Subscribe { filters } = seen { Some(filters) } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_is_not_allowed_is_told() -> Result<()> {
    let desk = Desk::new().await?;
    let cases: [(Misbehaviour, &[&str]); 3] = [
        (Misbehaviour::Reason(0x87), &["denied the publish to", "not authorized", "Wilco can receive but not publish"]),
        (Misbehaviour::Reason(0x97), &["quota exceeded"]),
        (Misbehaviour::Close, &["closed the connection when Wilco published on", "req topics"]),
    ];
    for (then, words) in cases {
        let broker = Scripted::new().on_publish("+/req", then).start()?;
        check(&desk.preflight(scripted(&broker)).await?, Step::Publish, words)?;
    }
    for mqtt in BOTH {
        let broker = Scripted::new().on_publish("+/resp", Misbehaviour::Swallow).start()?;
        let view = desk.preflight(scripted(&broker).over(mqtt)).await?;
        check(
            &view,
            Step::RoundTrip,
            &["did not deliver it within 5 s", "acknowledge messages that their ACL forbids"],
        )?;
        let broker = Scripted::new().on_publish("+/resp", Misbehaviour::Close).start()?;
        let view = desk.preflight(scripted(&broker).over(mqtt)).await?;
        ensure!(view.ok && state(&view, Step::RoundTrip) == StepState::Warned, "{view:#?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nagles_forty_milliseconds_are_noticed() -> Result<()> {
    let desk = Desk::new().await?;
    let broker = Scripted::new().delays(Duration::from_millis(44)).start()?;
    let view = desk.preflight(scripted(&broker)).await?;
    let trip = view.steps.iter().find(|line| line.step == Step::RoundTrip).context("round trip")?;
    ensure!(view.ok && trip.state == StepState::Warned, "{view:#?}");
    let finding = trip.finding.as_ref().context("finding")?;
    ensure!(finding.why.contains("Nagle") && finding.hint.contains("set_tcp_nodelay true"), "{finding:?}");
    // Its PUBACK and then the message itself: what came back was not the message of the step before.
    let taken = finding.why.split_once("an MQTT message takes ").and_then(|(_, rest)| rest.split(' ').next());
    ensure!(taken.context("how long")?.parse::<f64>()? >= 88.0, "{finding:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquittos_access_lists_are_seen_through() -> Result<()> {
    let desk = Desk::new().await?;
    // Reads everything, writes only what a console may.
    let silent = Broker::start(&Settings { access_list: Some("topic read #\n"), ..Settings::default() })?;
    let view = desk.preflight(plain("trial", &silent)).await?;
    check(&view, Step::Publish, &["denied the publish", "not authorized"])?;
    // On 3.1.1 the same broker acknowledges what it drops.
    let view = desk.preflight(plain("trial", &silent).over(MqttVersion::V311)).await?;
    check(&view, Step::RoundTrip, &["acknowledge messages that their ACL forbids, and drop them"])?;
    let narrow = Broker::start(&Settings {
        access_list: Some("topic readwrite pump-7/#\ntopic readwrite +/resp\ntopic write +/req\n"),
        ..Settings::default()
    })?;
    ensure!(desk.preflight(plain("trial", &narrow)).await?.ok);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_at_connect() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let passwords = directory.path().join("passwords");
    ensure!(
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["me", "right"]).status()?.success()
    );
    let more = format!("allow_anonymous false\npassword_file {}", passwords.display());
    let broker = Broker::start(&Settings { more: &more, ..Settings::default() })?;
    let desk = Desk::new().await?;
    let with = |password: &str| {
        plain("trial", &broker).with(|entry| {
            entry.settings.username = Some("me".into());
            entry.password = Some(password.into());
        })
    };
    for mqtt in BOTH {
        let view = desk.preflight(with("guess").over(mqtt)).await?;
        check(&view, Step::Connect, &["not authorized", "user name and password"])?;
        let reason = if mqtt == MqttVersion::V5 { "0x87" } else { "0x05" };
        let finding = view.steps.iter().find_map(|line| line.finding.as_ref()).context("finding")?;
        let trace = finding.trace.as_deref().unwrap_or_default();
        ensure!(trace.starts_with(&format!("CONNECT, then CONNACK with reason {reason}")), "{trace}");
        ensure!(!format!("{view:?}").contains("guess"), "the password is in what is said");
        ensure!(desk.preflight(with("right").over(mqtt)).await?.ok);
    }
    Ok(())
}

/// An endpoint of AWS IoT Core by its name, played by a broker of this machine through a proxy.
fn aws(proxy: &str, certificates: &Certificates) -> NewConnection {
    to("trial", "mqtts://a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com:8883")
        .bringing(Some(&certificates.ca), Some(&certificates.client))
        .with(|entry| {
            entry.settings.preset = Preset::Aws;
            entry.settings.server_name = Some("localhost".into());
            entry.settings.proxy = Some(through(proxy));
        })
}

fn through(url: &str) -> ProxySettings {
    ProxySettings { url: url.into(), username: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_aws_a_silent_end_comes_with_the_policy_to_paste() -> Result<()> {
    let certificates = Certificates::new()?;
    let tls = || Tls::with(&certificates.server).only_for_clients_of(&certificates.ca);
    let desk = Desk::new().await?;
    let cases = [
        (Scripted::new().on_connect(Misbehaviour::Close), Step::Connect, "must be active"),
        (Scripted::new().on_open(Misbehaviour::Close), Step::Connect, "must be active"),
        (Scripted::new().on_subscribe("+/resp", Misbehaviour::Close), Step::Subscribe, "sdk/test/*"),
        (Scripted::new().on_subscribe("+/resp", Misbehaviour::Reason(0x87)), Step::Subscribe, "+/resp"),
        (Scripted::new().on_publish("+/req", Misbehaviour::Close), Step::Publish, "iot:Publish is missing"),
    ];
    for (script, step, words) in cases {
        let broker = script.tls(tls()).start()?;
        let proxy = Proxy::http().leads_to(broker.port()).start()?;
        let view = desk.preflight(aws(&proxy.url(), &certificates)).await?;
        check(&view, step, &[words])?;
        let finding = view.steps.iter().find_map(|line| line.finding.clone()).context("finding")?;
        let policy: serde_json::Value = serde_json::from_str(&finding.policy.context("no policy")?)?;
        let policy = policy.to_string();
        for needed in ["iot:Connect", "topicfilter/+/resp", "iot:Receive", "iot:Publish", "eu-central-1"] {
            ensure!(policy.contains(needed), "{needed} is not in {policy}");
        }
        ensure!(proxy.asked().iter().all(|asked| asked.ends_with("amazonaws.com:8883")), "{:?}", proxy.asked());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_lead_to_the_broker_or_say_why_not() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let by = |proxy: ProxySettings| plain("trial", &broker).with(|entry| entry.settings.proxy = Some(proxy));
    for kind in [Proxy::http, Proxy::socks5] {
        let proxy = kind().start()?;
        for mqtt in BOTH {
            let view = desk.preflight(by(through(&proxy.url())).over(mqtt)).await?;
            ensure!(view.ok, "{view:#?}");
        }
        ensure!(
            proxy.asked().iter().all(|asked| *asked == format!("localhost:{}", broker.port())),
            "{:?}",
            proxy.asked()
        );

        let strict = kind().for_user("me", "right").start()?;
        let known = |password: &str| {
            let new = by(ProxySettings { username: Some("me".into()), ..through(&strict.url()) });
            new.with(|entry| entry.proxy_password = Some(password.into()))
        };
        ensure!(desk.preflight(known("right")).await?.ok);
        check(&desk.preflight(known("guess")).await?, Step::Tcp, &["proxy rejected the user name or password"])?;
        check(
            &desk.preflight(by(through(&strict.url()))).await?,
            Step::Tcp,
            &["proxy requires a user name and a password"],
        )?;
        let forbidding = kind().refuses(Refusal::Forbidden).start()?;
        check(&desk.preflight(by(through(&forbidding.url()))).await?, Step::Tcp, &["denied the connection"])?;
        let lost = kind().refuses(Refusal::Unreachable).start()?;
        check(&desk.preflight(by(through(&lost.url()))).await?, Step::Tcp, &["could not connect"])?;
    }
    let silent = Proxy::http().refuses(Refusal::Silence).start()?;
    check(&desk.preflight(by(through(&silent.url()))).await?, Step::Tcp, &["The proxy did not answer within 10 s"])?;
    let mistaken = format!("socks5://127.0.0.1:{}", Proxy::http().start()?.port());
    let (step, _) = stopped_at(&desk.preflight(by(through(&mistaken))).await?)?;
    ensure!(step == Step::Tcp);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_protocol_and_the_name_asked_for_in_tls_are_those_entered() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Scripted::new().tls(Tls::with(&certificates.server).speaking(&["x-amzn-mqtt-ca", "mqtt"])).start()?;
    let desk = Desk::new().await?;
    for alpn in ["x-amzn-mqtt-ca", "mqtt"] {
        let new = to("trial", &broker.url().replace("localhost", "127.0.0.1")).bringing(Some(&certificates.ca), None);
        let view = desk
            .preflight(new.with(|entry| {
                entry.settings.server_name = Some("localhost".into());
                entry.settings.alpn = vec![alpn.into()];
            }))
            .await?;
        ensure!(view.ok, "{view:#?}");
        let shaken = broker.seen().into_iter().rev().find_map(|seen| match seen {
            Seen::Handshake { name, protocol, .. } => Some((name, protocol)),
            _ => None,
        });
        ensure!(shaken == Some((Some("localhost".into()), Some(alpn.into()))), "{shaken:?}");
    }
    let view = desk
        .preflight(
            scripted(&broker)
                .bringing(Some(&certificates.ca), None)
                .with(|entry| entry.settings.alpn = vec!["h2".into()]),
        )
        .await?;
    check(&view, Step::Tls, &["ALPN"])
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_pinned_certificate_is_taken_and_that_one_whatever_it_says() -> Result<()> {
    let certificates = Certificates::new()?;
    let desk = Desk::new().await?;
    for server in
        [certificates.self_signed_server()?, certificates.expired_server()?, certificates.server_of_another_name()?]
    {
        let broker = Scripted::new().tls(Tls::with(&server)).start()?;
        let pin = |certificate: &std::path::Path| {
            let mut new = scripted(&broker).with(|entry| entry.settings.trust = Trust::Pinned);
            new.files.push(wilco_engine::api::FileToRead {
                path: certificate.to_owned(),
                role: wilco_engine::api::FileRole::Server,
            });
            new
        };
        let view = desk.preflight(pin(&server.certificate)).await?;
        ensure!(view.ok, "{view:#?}");
        let view = desk.preflight(pin(&certificates.server.certificate)).await?;
        let (step, said) = stopped_at(&view)?;
        ensure!(step == Step::Tls && said.contains("certificate"), "{said}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_can_be_stopped_and_begun_again_where_it_failed() -> Result<()> {
    let desk = Desk::new().await?;
    let handle = desk.engine().handle();
    let broker = Scripted::new().on_connect(Misbehaviour::Silence).start()?;
    let entry = desk.entry(scripted(&broker)).await?;
    let (tell, mut views) = tokio::sync::mpsc::unbounded_channel();
    let (trial, stopped) = tokio::join!(handle.preflight(entry, None, tell), async {
        while let Some(view) = views.recv().await {
            if state(&view, Step::Connect) == StepState::Running {
                handle.stop_preflight().await?;
                break;
            }
        }
        Ok::<_, Failure>(())
    });
    stopped?;
    let view = trial?;
    ensure!(view.done && !view.ok && view.verdict == "You stopped the test at Connect.", "{}", view.verdict);

    let refusing = Scripted::new().on_subscribe("+/resp", Misbehaviour::Reason(0x87)).start()?;
    let entry = desk.entry(scripted(&refusing)).await?;
    let (tell, mut views) = tokio::sync::mpsc::unbounded_channel();
    check(&handle.preflight(entry.clone(), None, tell.clone()).await?, Step::Subscribe, &["+/resp"])?;
    while views.try_recv().is_ok() {}
    check(&handle.preflight(entry, Some(Step::Subscribe), tell).await?, Step::Subscribe, &["+/resp"])?;
    while let Ok(view) = views.try_recv() {
        ensure!(state(&view, Step::Connect) == StepState::Passed, "what has passed is not shown as open: {view:#?}");
    }
    Ok(())
}
