//! The app on a desktop with others: closed and opened, started twice, in the background.

use std::{path::Path, time::Duration};

use anyhow::{Result, bail, ensure};
use wilco_tests::{Broker, Certificates, Child, Connection, Desk, Device, Fleet, Keyring, Notifications, soon};

use crate::SHORT;
use crate::kit::Kit;
use crate::pictures::as_it_stands;

#[tokio::test]
async fn settings_and_what_was_looked_at_are_there_again_after_a_restart() -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.try_demo().await?;
    let device = console.online_device("").await?;
    console.choose(&device).await?;
    console.go("Settings").await?;
    console.fill("Timeout", "33\n").await?;
    console.fill("Retention", "0\n").await?;
    console.wait_for_text("A history of 0 days would keep nothing", SHORT).await?;
    as_it_stands(&console, "settings").await?;
    // It is taken down half a second later at the latest.
    tokio::time::sleep(Duration::from_secs(2)).await;
    console.close().await?;

    let console = desk.open().await?;
    console.wait_for_text("Appearance", SHORT).await?;
    assert_eq!(console.written("Timeout").await?, "33");
    assert_eq!(console.written("Retention").await?, "365");
    console.go("Fleet").await?;
    console.one("complementary", &format!("Inspector: {device}")).await?;
    console.close().await
}

#[tokio::test]
async fn the_second_start_shows_the_first_window_unless_its_data_is_another() -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let around = tempfile::tempdir()?;
    let log = around.path().join("log");

    let mut second = desk.start_beside(desk.data(), &log)?;
    let ended = soon("end of the second start", Duration::from_secs(20), || second.ended())?;
    ensure!(ended.success(), "it ended with {ended}:\n{}", second.log());
    soon("first window in front", SHORT, || console.log().contains("brought to the front").then_some(()))?;

    let other = around.path().join("other");
    let mut elsewhere = desk.start_beside(&other, &log)?;
    soon("database of the other app", Duration::from_secs(20), || other.join("wilco.sqlite3").exists().then_some(()))?;
    ensure!(elsewhere.is_running(), "an app with data of its own has ended:\n{}", elsewhere.log());
    elsewhere.kill();
    console.close().await
}

#[tokio::test]
async fn a_user_on_another_screen_is_notified_of_a_timed_out_command() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;
    let notifications = Notifications::start(desk.session()).await?;
    let console = desk.open().await?;
    console.add_connection(kit.connection("Test bench", &broker.url())).await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.choose("bench-1").await?;
    // Another app, with data of its own, which somebody looks at right after they have switched the LED.
    let around = tempfile::tempdir()?;
    let elsewhere = another_app(&desk, around.path())?;
    // It still counts as online, and no longer answers.
    device.freeze()?;
    console.click("switch", "LED").await?;
    bring_to_front(&desk, around.path(), &elsewhere)?;
    let told = notifications.first(Duration::from_secs(40)).await?;
    assert_eq!(told.title, "bench-1 led: timed out");
    ensure!(told.body.starts_with("After ") && told.body.ends_with(" on Test bench."), "{told:?}");
    // A click leads to that command.
    console.go("Settings").await?;
    notifications.click_first().await?;
    console.history_with(|rows| rows.len() == 1 && rows[0][2] == "timed_out").await?;
    console.wait_for_text("No answer within", SHORT).await?;
    drop(elsewhere);
    console.close().await
}

#[tokio::test]
async fn a_rollout_that_halts_in_the_background_is_a_notification_that_leads_to_it() -> Result<()> {
    let broker = Broker::plain()?;
    let _pumps = Fleet::start(&broker, "pump", 20, &["--fail", "1"])?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let notifications = Notifications::start(desk.session()).await?;
    let console = desk.open().await?;
    console.begin_connection().await?;
    let url = broker.url();
    console.enter_connection(Connection { name: "Plant", url: &url, ca: None, identity: None }).await?;
    console.preflight().await?;
    console.save_connection().await?;
    let around = tempfile::tempdir()?;
    let elsewhere = another_app(&desk, around.path())?;
    bring_to_front(&desk, around.path(), &elsewhere)?;
    let stages = ["rollout", "start", "-c", "Plant", "--search", "pump", "--stages", "10,100%"];
    let halted = desk.wilco(&[&stages[..], &["--halt-above", "5%", "--halt-after", "5", "led", "on=true"]].concat())?;
    ensure!(halted.status.code() == Some(1), "{halted:?}");
    let told = notifications.first(Duration::from_secs(40)).await?;
    assert_eq!(told.title, "Rollout 1 halted: led");
    ensure!(told.body.starts_with("On Plant: ") && told.body.contains("finished devices failed"), "{told:?}");
    // A click leads to that rollout.
    console.go("Settings").await?;
    notifications.click_first().await?;
    console.wait_for_text("Halted automatically.", SHORT).await?;
    drop(elsewhere);
    console.close().await
}

/// Another app, with data of its own in this directory.
fn another_app(desk: &Desk, around: &Path) -> Result<Child> {
    let other = around.join("other");
    let app = desk.start_beside(&other, &around.join("log"))?;
    soon("database of the other app", Duration::from_secs(20), || other.join("wilco.sqlite3").exists().then_some(()))?;
    Ok(app)
}

/// Starts the other app again until its window comes to the front: at first there may be none yet.
fn bring_to_front(desk: &Desk, around: &Path, other: &Child) -> Result<()> {
    for _ in 0..10 {
        let mut second = desk.start_beside(&around.join("other"), &around.join("second-log"))?;
        soon("end of the second start", Duration::from_secs(20), || second.ended())?;
        if other.log().contains("brought to the front") {
            return Ok(());
        }
    }
    bail!("the other app did not come to the front:\n{}", other.log())
}
