//! Managing connections: editing, duplicating, ordering, renewing a certificate, exporting and importing, and
//! commanding plain-text firmware.

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Certificates, Connection, Console, Desk, Device, Identity, Keyring, Settings, soon};

use crate::kit::{Kit, body};
use crate::{SHORT, check};

const PASSPHRASE: &str = "four words of mine";

#[tokio::test]
async fn a_connection_is_changed_copied_and_put_in_order() -> Result<()> {
    let certificates = Certificates::new()?;
    let settings = Settings { tls: Some(&certificates), users: &[("me", "right")], ..Settings::default() };
    let broker = Broker::start(&settings)?;
    let identity = certificates.issue("bench-1")?;
    let _device = Device::start_with(&broker, "bench-1", Some((&certificates, &identity)), &["--prefix", "plant"])?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;

    let console = desk.open().await?;
    console.begin_connection().await?;
    let url = broker.url();
    let connection = kit.connection("Bench", &url);
    console.bring_all(connection).await?;
    console.begin_endpoint(connection).await?;
    console.fill("User name", "me").await?;
    console.fill("Password", "right").await?;
    console.go_on_to_topics().await?;
    console.preflight().await?.passed()?;
    console.save_connection().await?;
    kit.delete()?;

    console.card_button("Bench", "Edit…").await?;
    let kept = console.one("region", "In the keyring").await?;
    let kept = console.text_of(&kept).await?;
    ensure!(kept.contains("certificate with key, authorities and password"), "{kept}");
    let password = console.one("textbox", "Password").await?;
    ensure!(console.attribute(&password, "placeholder").await? == "unchanged");
    ensure!(console.written("Password").await?.is_empty(), "the password is in the page");
    console.fill("Name", "Plant").await?;
    console.screenshot("manage-edit").await?;
    console.go_on_to_topics().await?;
    console.fill("Topic prefix", "plant").await?;
    console.preflight().await?.passed()?;
    console.press_save().await?;
    console.wait_for_card("Plant", "Connected").await?;
    command(&console, "Plant", "led on").await?;

    console.go("Connections").await?;
    console.card_menu("Plant", "Duplicate").await?;
    console.wait_for_card("Plant copy", "Connected").await?;
    ensure!(console.cards().await? == ["Plant", "Plant copy"]);
    console.card_menu("Plant copy", "Move up").await?;
    console.wait_for_order(&["Plant copy", "Plant"]).await?;
    console.screenshot("manage-copied").await?;
    console.close().await?;

    let console = desk.open().await?;
    console.go("Connections").await?;
    console.wait_for_order(&["Plant copy", "Plant"]).await?;
    for name in ["Plant", "Plant copy"] {
        console.wait_for_card(name, "Connected").await?;
    }
    command(&console, "Plant copy", "led off").await?;
    console.close().await
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_pointed_out_and_renewed_in_place() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let (ending, lasting) = (certificates.ending_in(20, "ending")?, certificates.issue("lasting")?);
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let (ca, url) = (Some(certificates.ca.as_path()), &broker.url());
    console.add_connection(Connection { name: "Bench", url, ca, identity: Some(&ending) }).await?;

    let card = console.wait_for_card("Bench", "Connected").await?;
    ensure!(card.contains("CN=ending, 19 days left"), "{card}");
    console.one_like("link", "a certificate expires soon").await?;
    console.screenshot("manage-ends-soon-card").await?;
    console.go("Fleet").await?;
    let banner = console.one("status", "Certificate").await?;
    let said = console.text_of(&banner).await?;
    ensure!(said.contains("The certificate of this connection expires soon: 19 days left."), "{said}");
    console.screenshot("manage-ends-soon").await?;

    let renew = console.one_in(&banner, "link", "Renew").await?;
    console.click_on(&renew, "Renew").await?;
    console.wait_for_text("Add the new certificate", SHORT).await?;
    for file in [&lasting.certificate, &lasting.key] {
        console.bring(file).await?;
    }
    let [old, new] = [console.one("region", "Now").await?, console.one("region", "New").await?];
    let [old, new] = [console.text_of(&old).await?, console.text_of(&new).await?];
    ensure!(old.contains("CN=ending") && old.contains("19 days left"), "{old}");
    ensure!(new.contains("CN=lasting") && new.contains("2026-01-01 to 2036-01-01"), "{new}");
    console.screenshot("manage-renew").await?;
    console.click("button", "Renew").await?;

    console.wait_for_card("Bench", "CN=lasting").await?;
    soon("session with the new certificate", SHORT, || broker.log().contains("u'lasting'").then_some(()))?;
    console.wait_for_card("Bench", "Connected").await?;
    let said = console.text().await?;
    ensure!(!said.contains("a certificate expires soon"), "{said}");
    console.close().await?;

    let console = desk.open().await?;
    console.go("Connections").await?;
    console.wait_for_card("Bench", "Connected").await?;
    console.close().await
}

#[tokio::test]
async fn a_connection_is_taken_to_another_desk_under_a_passphrase() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let _device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let file = certificates.directory().join("bench.wilco");
    let path = file.display().to_string();
    export(&certificates, &broker.url(), &path).await?;
    let written = std::fs::read_to_string(&file)?;
    ensure!(!written.contains(&body(&certificates.client.key)?), "the private key is in the file");
    ensure!(!written.contains("localhost"), "{written}");

    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.begin_connection().await?;
    console.click("button", "Cancel").await?;
    console.click("button", "Import…").await?;
    let form = console.one("dialog", "Import connections").await?;
    console.fill("Path of the file to read", &path).await?;
    console.press_in(&form, "Import").await?;
    console.wait_for_text("The file is encrypted.", SHORT).await?;
    console.fill("Passphrase", "four words of yours").await?;
    console.press_in(&form, "Unlock and import").await?;
    console.wait_for_text("Wrong passphrase.", SHORT).await?;
    console.screenshot("manage-import-refused").await?;
    console.fill("Passphrase", PASSPHRASE).await?;
    console.press_in(&form, "Unlock and import").await?;
    console.wait_for_text("Imported Bench.", SHORT).await?;
    console.click("button", "Done").await?;
    console.wait_for_card("Bench", "Connected").await?;
    command(&console, "Bench", "led on").await?;
    console.close().await
}

/// A first desk, which has the connection and writes it to a file.
async fn export(certificates: &Certificates, url: &str, path: &str) -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let identity: Option<&Identity> = Some(&certificates.client);
    console.add_connection(Connection { name: "Bench", url, ca: Some(&certificates.ca), identity }).await?;
    console.card_menu("Bench", "Export…").await?;
    let form = console.one("dialog", "Export Bench").await?;
    console.click("radio", "Included, encrypted with a passphrase").await?;
    console.fill("Passphrase", PASSPHRASE).await?;
    console.fill("Repeat the passphrase", PASSPHRASE).await?;
    console.fill("Path of the file to write", path).await?;
    console.screenshot("manage-export").await?;
    console.press_in(&form, "Export").await?;
    console.wait_for_text("1 connection written to", SHORT).await?;
    console.close().await
}

#[tokio::test]
async fn firmware_that_knows_only_text_is_told_and_its_answer_is_inferred() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start_with(&broker, "bench-1", None, &["--dialect", "text"])?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.begin_connection().await?;
    let url = &broker.url();
    console.enter_connection(Connection { name: "Bench", url, ca: None, identity: None }).await?;
    console.click("checkbox", "Plain text").await?;
    console.preflight().await?.passed()?;
    console.save_connection().await?;

    console.open_fleet("Bench").await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.choose("bench-1").await?;
    let said = check(console.say("bench-1", "light: on", true).await?, "“light: on”");
    ensure!(said.ladder.contains("The answer has no ID; it can only belong to this command."), "{}", said.ladder);
    console.wait_for_led(true).await?;
    console.screenshot("manage-text").await?;
    let refused = console.say("bench-1", "sing", true).await?;
    ensure!(refused.state == "failed" && refused.ladder.contains("This device supports"), "{refused:#?}");

    // One that never answers.
    broker.publish("quiet-1/status", br#"{"online":true,"boot":"b1"}"#, true)?;
    console.wait_for_online(Some("quiet-1")).await?;
    console.choose("quiet-1").await?;
    let told = console.say("quiet-1", "open the valve", false).await?;
    ensure!(told.state == "unconfirmed" && told.ladder.contains("No answer is expected."), "{told:#?}");
    console.screenshot("manage-unconfirmed").await?;
    console.close().await
}

/// Switches the LED of the only device, over this connection.
async fn command(console: &Console, connection: &str, title: &str) -> Result<()> {
    console.open_fleet(connection).await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.choose("bench-1").await?;
    check(console.flip_led().await?, title);
    Ok(())
}
