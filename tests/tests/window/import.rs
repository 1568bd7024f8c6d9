//! Each kind of certificate file: added, tested, saved, and deleted afterwards.

use anyhow::{Context, Result, ensure};
use wilco_tests::{
    Broker, CertificateFiles, Certificates, Connection, Console, Desk, Device, Keyring, Settings, Wrapping,
};

use crate::{check, pictures::as_it_stands};

/// One way to a connection.
struct Case {
    /// What the certificate is made out to, and the connection is called.
    name: &'static str,
    wrapping: Wrapping,
    version: &'static str,
    over_websocket: bool,
}

const CASES: [Case; 7] = [
    Case { name: "pem", wrapping: Wrapping::Pem, version: "MQTT 5", over_websocket: false },
    Case { name: "der", wrapping: Wrapping::Der, version: "MQTT 3.1.1", over_websocket: false },
    Case { name: "encrypted", wrapping: Wrapping::Encrypted, version: "MQTT 5", over_websocket: true },
    Case { name: "sec1", wrapping: Wrapping::Sec1, version: "MQTT 3.1.1", over_websocket: true },
    Case { name: "pkcs12", wrapping: Wrapping::Pkcs12, version: "MQTT 5", over_websocket: false },
    Case { name: "legacy-pkcs12", wrapping: Wrapping::LegacyPkcs12, version: "MQTT 3.1.1", over_websocket: false },
    Case { name: "aws-kit", wrapping: Wrapping::AwsKit, version: "MQTT 5", over_websocket: true },
];

#[tokio::test]
async fn every_kind_of_file_is_read_once_and_then_not_needed() -> Result<()> {
    let certificates = Certificates::new()?;
    let settings = Settings { tls: Some(&certificates), websockets: true, more: "log_type all", ..Settings::default() };
    let broker = Broker::start(&settings)?;
    let _device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let desk = Desk::new(Keyring::Unlocked)?;

    let console = desk.open().await?;
    for case in &CASES {
        let certificate_files = CertificateFiles::new(&certificates, case.name, case.wrapping)?;
        connect(&console, &broker, case, &certificate_files)
            .await
            .with_context(|| format!("connecting with {}", case.name))?;
        certificate_files.delete()?;
    }
    console.close().await?;

    let console = desk.open().await?;
    for (at, case) in CASES.iter().enumerate() {
        console.open_fleet(case.name).await?;
        console.wait_for_online(Some("bench-1")).await?;
        console.choose("bench-1").await?;
        check(console.flip_led().await?, if at % 2 == 0 { "led on" } else { "led off" });
        commanded_over_mutual_tls(&broker.log(), case)?;
    }
    console.screenshot("import-seven-kinds").await?;
    console.close().await
}

async fn connect(console: &Console, broker: &Broker, case: &Case, certificate_files: &CertificateFiles) -> Result<()> {
    console.begin_connection().await?;
    for file in &certificate_files.files {
        console.bring(file).await?;
    }
    if let Some(passphrase) = certificate_files.passphrase {
        ensure!(!console.unlock("open barley").await?, "a wrong passphrase opened it");
        let said = console.text().await?;
        ensure!(said.contains("Wrong passphrase."), "{said}");
        ensure!(console.unlock(passphrase).await?, "the right passphrase did not open it");
    }
    let problems = console.problems().await?;
    ensure!(problems.is_empty(), "it says “{problems}”");
    if case.name == "aws-kit" {
        as_it_stands(console, "wizard-files").await?;
    } else {
        console.screenshot(&format!("import-{}", case.name)).await?;
    }

    let url = if case.over_websocket { broker.websocket_url()? } else { broker.url() };
    console.begin_endpoint(Connection { name: case.name, url: &url, ca: None, identity: None }).await?;
    console.click("radio", case.version).await?;
    console.go_on_to_topics().await?;
    let tried = console.preflight().await?;
    let through_websocket = tried.steps.iter().any(|(step, state)| step == "web_socket" && state == "passed");
    ensure!(through_websocket == case.over_websocket, "{tried:#?}");
    tried.passed()?;
    console.save_connection().await
}

/// By the broker's own word: who showed this certificate, in which version of MQTT, and that their command came in.
fn commanded_over_mutual_tls(log: &str, case: &Case) -> Result<()> {
    // Mosquitto writes 2 for 3.1.1.
    let version = if case.version == "MQTT 5" { "(p5," } else { "(p2," };
    let user = format!("u'{}')", case.name);
    let client = log
        .lines()
        .rev()
        .find(|line| line.contains("New client connected") && line.contains(version) && line.contains(&user))
        .and_then(|line| line.split(" as ").nth(1)?.split(' ').next())
        .with_context(|| format!("the broker has let in nobody as {} with {}", case.name, case.version))?;
    let published = format!("Received PUBLISH from {client} ");
    let commanded = log.lines().any(|line| line.contains(&published) && line.contains("'bench-1/req'"));
    ensure!(commanded, "{client}, who came as {}, has commanded nobody", case.name);
    Ok(())
}
