//! The device of the page that Wilco started from, changed only in endpoint, port and paths.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wilco_engine::api::{AnswerMatch, CommandState};
use wilco_tests::{Broker, Certificates, Child, soon, target};

use crate::desk::{Desk, PATIENCE, ask, mutual};

/// What the page says to install, at the version that was tried.
const SDK: &str = "awsiotsdk==1.31.0";

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_own_device_is_commanded_and_reconciled_by_id_over_mutual_tls() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let _device = start(&certificates, &broker)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(mutual("seed", &broker, &certificates, &certificates.client)).await?;
    // Two at once, so that nothing but the id can tell which answer is whose.
    let (on, off) = tokio::try_join!(
        desk.carry_out(ask(&connection, "device1", "led", json!({"on": true}))),
        desk.carry_out(ask(&connection, "device1", "led", json!({"on": false})))
    )?;
    for command in [on, off] {
        assert_eq!(
            (command.state, command.matched),
            (CommandState::Succeeded, Some(AnswerMatch::Exact)),
            "{command:#?}"
        );
        let message = command.message.context("the device's sentence is missing")?;
        let expected = format!(r#"SUCCESS: command ran successfully from payload: b'{{"id":"{}""#, command.id);
        assert!(message.starts_with(&expected), "{message}");
    }
    Ok(())
}

/// Starts it as `device1`, and waits until it listens.
pub(crate) fn start(certificates: &Certificates, broker: &Broker) -> Result<Child> {
    let identity = certificates.issue("device1")?;
    let log = certificates.directory().join("device.log");
    let mut command = Child::command(python_with_sdk()?);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/seed_device.py"))
        // The name has to be in the broker's certificate: otherwise the SDK only ever runs out of time.
        .env("ENDPOINT", "localhost")
        .env("PORT", broker.port().to_string())
        .env("CLIENT_CERTIFICATE", &identity.certificate)
        .env("CLIENT_PRIVATE_KEY", &identity.key)
        .env("ROOT_CA", &certificates.ca)
        .env("PYTHONUNBUFFERED", "1")
        .stdout(std::fs::File::create(&log)?);
    let device = Child::start(&mut command, &log)?;
    soon("device that has subscribed", PATIENCE, || device.log().contains("Subscribed with").then_some(()))
        .with_context(|| device.log())?;
    Ok(device)
}

/// A Python with the device's SDK, made once and kept in cargo's target directory.
fn python_with_sdk() -> Result<PathBuf> {
    let environment = target()?.join("tools").join(SDK.replace("==", "-"));
    let python = environment.join("bin/python");
    let complete = environment.join("complete");
    if !complete.is_file() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", SDK]))?;
        std::fs::write(&complete, "")?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
