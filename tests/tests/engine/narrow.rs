//! Brokers with a narrow ACL: a connection can be limited to certain devices, and then subscribes to nothing else.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_engine::api::{CommandState, FailureCode, MqttVersion, NewCommand, Step, StepState};
use wilco_tests::{Broker, Device, Misbehaviour, Scripted, Seen, Settings};

use crate::desk::{BOTH, Desk, NewConnection, led, plain, to};
use crate::wire::published;

/// A connection that names these devices.
fn naming(new: NewConnection, devices: &[&str]) -> NewConnection {
    new.with(|entry| entry.settings.devices_named = devices.iter().map(|device| (*device).to_owned()).collect())
}

/// The filters of each SUBSCRIBE, in order.
fn asked(seen: Vec<Seen>) -> Vec<Vec<String>> {
    let filters = |seen| if let Seen::Subscribe { filters } = seen { Some(filters) } else { None };
    seen.into_iter().filter_map(filters).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn named_devices_are_commanded_where_the_rules_allow_no_others() -> Result<()> {
    let rules = Settings {
        access_list: Some("topic readwrite pump-7/#\ntopic readwrite pump-8/#\n"),
        more: "log_type all",
        ..Settings::default()
    };
    let broker = Broker::start(&rules)?;
    let _device = Device::start(&broker, "pump-7", None)?;
    let desk = Desk::new().await?;
    // MQTT 3.1.1 has no word for a publish that is not allowed, and mosquitto acknowledges it.
    for (mqtt, publish) in [(MqttVersion::V5, StepState::Warned), (MqttVersion::V311, StepState::Passed)] {
        let connection = desk.connect(naming(plain("plant", &broker), &["pump-7", "pump-8"]).over(mqtt)).await?;
        desk.sees_online(&connection, 1).await?;
        assert_eq!(desk.carry_out(led(&connection, "pump-7")).await?.state, CommandState::Succeeded);
        let trial = desk.preflight_stored(&connection).await?;
        ensure!(trial.ok && trial.denied.is_empty(), "{trial:#?}");
        ensure!(trial.steps.iter().any(|step| step.step == Step::Publish && step.state == publish), "{trial:#?}");
        desk.console().remove_connection(&connection).await?;
    }
    ensure!(!broker.log().contains("\t+/"), "a wildcard was asked for: {}", broker.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_not_named_is_refused_in_a_sentence_and_nothing_is_sent() -> Result<()> {
    let broker = Broker::start(&crate::wire::EVERY_PACKET)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(naming(plain("plant", &broker), &["pump-7"])).await?;
    let both = NewCommand { devices: vec!["pump-7".into(), "pump-9".into()], ..led(&connection, "") };
    for refused in [led(&connection, "pump-9"), both.clone()] {
        let failure = desk.console().send(refused).await.err().context("it was sent")?;
        assert_eq!(failure.code, FailureCode::Invalid);
        ensure!(failure.message.contains("'pump-9' is not one of them"), "{failure:?}");
        ensure!(failure.hint.is_some_and(|hint| hint.contains("Only these devices")));
    }
    desk.edit(&connection, |entry| entry.settings.devices_named.push("pump-9".into())).await?;
    desk.online(&connection).await?;
    desk.console().send(both).await?;
    for device in ["pump-7", "pump-9"] {
        desk.until("publish", |seen| {
            seen.states.iter().any(|(of, _, state)| of == device && *state == CommandState::AtBroker).then_some(())
        })
        .await?;
        assert_eq!(published(&broker, &format!("{device}/req")), 1, "{device}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn named_devices_are_asked_for_one_by_one_answers_first_and_eight_at_a_time() -> Result<()> {
    let devices: Vec<_> = (0..20).map(|number| format!("pump-{number}")).collect();
    let devices: Vec<_> = devices.iter().map(String::as_str).collect();
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let broker = Scripted::new().start()?;
        let connection = desk.connect(naming(to("plant", &broker.url()), &devices).over(mqtt)).await?;
        let packets = asked(broker.seen());
        ensure!(packets.iter().all(|packet| packet.len() <= 8), "{packets:?}");
        let all = packets.concat();
        let answers: Vec<_> = devices.iter().map(|device| format!("{device}/resp")).collect();
        assert_eq!(all[..20], answers);
        ensure!(all.len() == 120 && !all.iter().any(|filter| filter.contains(['+', '#'])), "{all:?}");
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_that_a_broker_denies_are_omitted_or_reported() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let broker = denying(directory.path(), &["pump-7/resp", "pump-7/status"])?;
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let everybody = plain("everybody", &broker).over(mqtt);
        let (_, said) = crate::desk::stopped_at(&desk.preflight(everybody.clone()).await?)?;
        ensure!(said.contains("+/resp"), "{said}");
        let connection = desk.add(everybody).await?;
        let (message, _) = desk.trouble(&connection).await?;
        ensure!(message.contains("denied the subscription to +/resp"), "{message}");
        desk.console().remove_connection(&connection).await?;

        let one = naming(plain("one", &broker), &["pump-7"]).over(mqtt);
        let view = desk.preflight(one.clone()).await?;
        let others = ["pump-7/state", "pump-7/telemetry", "pump-7/log", "pump-7/req"];
        ensure!(view.ok && view.denied == others, "{view:#?}");
        let trip = view.steps.iter().find(|step| step.step == Step::RoundTrip).context("no round trip")?;
        assert_eq!(trip.state, StepState::Skipped, "{trip:?}");
        let connection = desk.connect(one).await?;
        let id = desk.send(led(&connection, "pump-7")).await?;
        desk.reaches("pump-7", &id, CommandState::AtBroker).await?;
        broker.publish("pump-7/resp", &crate::desk::answer(&id, "succeeded"), false)?;
        assert_eq!(desk.ended("pump-7", &id).await?.state, CommandState::Succeeded);
        desk.notice("denied the subscription to pump-7/telemetry").await?;
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hangs_up_at_a_topic_of_our_own_may_allow_those_of_the_devices_named() -> Result<()> {
    let broker = Scripted::new().on_publish("+/req", Misbehaviour::Close).start()?;
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let view = desk.preflight(naming(to("plant", &broker.url()), &["pump-7"]).over(mqtt)).await?;
        let step =
            |step: Step| view.steps.iter().find(|line| line.step == step).map(|line| (line.state, &line.finding));
        ensure!(view.ok && view.verdict.contains("with warnings"), "{view:#?}");
        let (state, finding) = step(Step::Publish).context("no publish")?;
        let hint = finding.as_ref().map(|finding| finding.hint.as_str()).unwrap_or_default();
        ensure!(state == StepState::Warned && hint.contains("named devices"), "{view:#?}");
        ensure!(step(Step::RoundTrip).context("no round trip")?.0 == StepState::Skipped, "{view:#?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_learns_of_two_things_that_make_a_broker_hang_up() -> Result<()> {
    let desk = Desk::new().await?;
    for mqtt in BOTH {
        let script =
            Scripted::new().on_subscribe("+/state", Misbehaviour::Close).on_subscribe("+/req", Misbehaviour::Close);
        let broker = script.start()?;
        let connection = desk.connect(to("aws", &broker.url()).over(mqtt)).await?;
        for refused in ["+/state", "+/req"] {
            desk.notice(&format!("denied the subscription to {refused}")).await?;
        }
        ensure!(broker.connections() <= 4, "{} connections", broker.connections());
        let id = desk.send(led(&connection, "pump-7")).await?;
        desk.reaches("pump-7", &id, CommandState::AtBroker).await?;
        desk.console().remove_connection(&connection).await?;
    }
    Ok(())
}

/// A broker that answers SUBSCRIBE with a refusal but for these filters, by mosquitto's own plugin: its access lists only
/// keep messages back.
fn denying(directory: &std::path::Path, filters: &[&str]) -> Result<Broker> {
    let filters = filters.iter().map(|filter| json!({"acltype": "subscribeLiteral", "topic": filter, "allow": true}));
    let anything = json!({"acltype": "publishClientSend", "topic": "#", "allow": true});
    let role: Vec<Value> = filters.chain([anything]).collect();
    let rules = json!({
        "defaultACLAccess":
            {"publishClientSend": false, "publishClientReceive": true, "subscribe": false, "unsubscribe": true},
        "clients": [],
        "groups": [{"groupname": "anybody", "roles": [{"rolename": "narrow"}]}],
        "roles": [{"rolename": "narrow", "acls": role}],
        "anonymousGroup": "anybody",
    });
    let path = directory.join("rules.json");
    std::fs::write(&path, rules.to_string())?;
    let more = format!("plugin {}\nplugin_opt_config_file {}", plugin()?.display(), path.display());
    Broker::start(&Settings { more: &more, ..Settings::default() })
}

/// Where Debian, Fedora and Homebrew keep mosquitto's plugin.
fn plugin() -> Result<PathBuf> {
    let library = "mosquitto_dynamic_security.so";
    let of_this_machine = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib", &of_this_machine]
        .iter()
        .map(|place| PathBuf::from(place).join(library))
        .find(|path| path.is_file())
        .with_context(|| format!("mosquitto's {library} is not there"))
}
