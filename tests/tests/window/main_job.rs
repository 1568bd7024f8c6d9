//! The main job: against mosquitto with mutual TLS, the reference device, and a keyring.

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Certificates, Desk, Device, Keyring};

use crate::check;
use crate::kit::{Kit, body, holds};

#[tokio::test]
async fn a_connection_outlives_its_files_and_commands_are_reconciled() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let mut device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;
    let private_key = body(&kit.identity.key)?;

    let console = desk.open().await?;
    console.screenshot("welcome").await?;
    console.begin_connection().await?;
    console.enter_connection(kit.connection("Test bench", &broker.url())).await?;
    console.preflight().await?.passed()?;
    console.screenshot("connection-tested").await?;
    console.save_connection().await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.close().await?;

    kit.delete()?;
    let console = desk.open().await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.choose("bench-1").await?;

    let mut ends = Vec::new();
    ends.push(check(console.flip_led().await?, "led on"));
    console.wait_for_led(true).await?;
    console.screenshot("led-on").await?;

    ends.push(check(console.configure("report_interval_s", "45", "Apply now").await?, "config.set"));
    console.wait_for_configuration("report_interval_s", "45", "45").await?;

    ends.push(check(console.configure("buzzer", "false", "On next restart").await?, "config.set"));
    console.wait_for_configuration("buzzer", "true", "false").await?;
    console.screenshot("on-next-restart").await?;

    let boot = broker.first("bench-1/status", 5)?;
    ends.push(check(console.restart("bench-1").await?, "restart"));
    console.wait_for_configuration("buzzer", "false", "false").await?;
    ensure!(broker.first("bench-1/status", 5)? != boot, "the device says it restarted, and has the same boot id");
    console.screenshot("restarted").await?;

    // The device is the one to ask whether it is so.
    let state = broker.first("bench-1/state", 5)?;
    ensure!(state.contains("\"buzzer\":false") && state.contains("\"report_interval_s\":45"), "{state}");

    console.go("History").await?;
    let rows = console.history_with(|rows| rows.len() == 4).await?;
    let read: Vec<[&str; 3]> = rows.iter().map(|row| [row[0].as_str(), row[1].as_str(), row[2].as_str()]).collect();
    assert_eq!(
        read,
        [
            ["bench-1", "restart", "succeeded"],
            ["bench-1", "config.set buzzer false, on next restart", "succeeded"],
            ["bench-1", "config.set report_interval_s 45", "succeeded"],
            ["bench-1", "led on", "succeeded"],
        ]
    );
    for end in ends.iter().rev() {
        let evidence = console.unfold(&end.id).await?;
        ensure!(evidence.contains("bench-1/req") && evidence.contains("bench-1/resp"), "{evidence}");
    }
    console.screenshot("history").await?;
    console.close().await?;

    device.kill();
    ensure!(!holds(desk.data(), &private_key)?, "the private key lies in the data directory");
    ensure!(!holds(desk.session().home(), &private_key)?, "the private key lies in the home directory");
    Ok(())
}
