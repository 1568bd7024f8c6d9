//! Commands to the reference device, from the first file to the last acknowledgement.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wilco_engine::api::{AnswerMatch, CommandState, CommandView, MqttVersion};
use wilco_tests::{Broker, Certificates, Device};

use crate::desk::{Desk, ask, led, mutual};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_commanded_over_mutual_tls_and_mqtt_5_with_the_certificate_files_gone() -> Result<()> {
    check(MqttVersion::V5).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_commanded_over_mutual_tls_and_mqtt_3_1_1_with_the_certificate_files_gone() -> Result<()> {
    check(MqttVersion::V311).await
}

async fn check(mqtt: MqttVersion) -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let _device = Device::start(&broker, "kitchen", Some((&certificates, &certificates.issue("kitchen")?)))?;
    let mut desk = Desk::new().await?;

    let console = certificates.issue("operator")?;
    let files = mutual("bench", &broker, &certificates, &console).over(mqtt);
    let connection = desk.connect(files).await?;
    for file in [&certificates.ca, &console.certificate, &console.key] {
        std::fs::remove_file(file)?;
    }
    desk.reopen().await?;
    desk.online(&connection).await?;
    desk.sees_online(&connection, 1).await?;

    let on = desk.carry_out(led(&connection, "kitchen")).await?;
    climbed(&on);
    assert_eq!(on.result, Some(json!({"on": true}).into()));
    let device = desk.console().device(&connection, "kitchen").await?;
    assert_eq!(device.commands[0].id, on.id);

    let boot = device.row.boot.context("no boot id before the restart")?;
    let restart = desk.carry_out(ask(&connection, "kitchen", "restart", json!({}))).await?;
    climbed(&restart);
    assert!(restart.accepted_at < restart.finished_at, "it said nothing before it went: {restart:?}");
    let after = desk.console().device(&connection, "kitchen").await?.row.boot.context("no boot id after it")?;
    assert_ne!(after, boot, "the device has not restarted");

    let now = json!({"changes": {"report_interval_s": 15}, "apply": "now"});
    climbed(&desk.carry_out(ask(&connection, "kitchen", "config.set", now)).await?);
    assert_eq!(configuration(&desk, &connection).await?, (json!(15), json!(15)));

    let later = json!({"changes": {"report_interval_s": 25}, "apply": "restart"});
    climbed(&desk.carry_out(ask(&connection, "kitchen", "config.set", later)).await?);
    assert_eq!(configuration(&desk, &connection).await?, (json!(15), json!(25)));

    climbed(&desk.carry_out(ask(&connection, "kitchen", "restart", json!({}))).await?);
    assert_eq!(configuration(&desk, &connection).await?, (json!(25), json!(25)));

    climbed(&desk.carry_out(ask(&connection, "kitchen", "state.get", Value::Null)).await?);
    Ok(())
}

/// The running and the saved report interval, as `config.get` has them.
async fn configuration(desk: &Desk, connection: &str) -> Result<(Value, Value)> {
    let read = desk.carry_out(ask(connection, "kitchen", "config.get", Value::Null)).await?;
    climbed(&read);
    let result = read.result.context("config.get has no result")?.approximate();
    let interval = |which: &str| result[which]["report_interval_s"].clone();
    Ok((interval("running"), interval("saved")))
}

/// Every rung, in order, and reconciled by its id.
fn climbed(command: &CommandView) {
    assert_eq!((command.state, command.matched), (CommandState::Succeeded, Some(AnswerMatch::Exact)), "{command:#?}");
    assert!(!command.late && !command.conflict && command.duplicates == 0 && command.attempts == 1, "{command:#?}");
    let rungs = [command.sent_at, command.at_broker_at, command.finished_at];
    assert!(rungs.iter().all(Option::is_some), "a rung is missing: {command:#?}");
    assert!(Some(command.queued_at) <= command.sent_at && command.sent_at <= command.finished_at, "{command:#?}");
}
