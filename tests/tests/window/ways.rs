//! Less common paths to a broker: proxies, port 443, a pinned certificate, single devices.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use wilco_tests::{
    Broker, CertificateFiles, Certificates, Child, Connection, Console, Desk, Device, Keyring, Misbehaviour, Proxy,
    Scripted, Seen, Settings, Tls, Wrapping, soon,
};

use crate::kit::Kit;
use crate::{SHORT, check};

/// Fills in the wizard up to the endpoint, under *More*.
async fn begin(console: &Console, connection: Connection<'_>) -> Result<()> {
    console.begin_connection().await?;
    console.bring_all(connection).await?;
    console.begin_endpoint(connection).await?;
    console.unfold_more().await
}

/// Continues to the end of the wizard, and switches the device's LED over what was saved.
async fn finish(console: &Console, name: &str, title: &str) -> Result<()> {
    console.preflight().await?.passed()?;
    console.save_connection().await?;
    console.open_fleet(name).await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.choose("bench-1").await?;
    check(console.flip_led().await?, title);
    Ok(())
}

#[tokio::test]
async fn a_device_is_commanded_through_a_proxy_and_by_a_pinned_certificate() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let _device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let proxy = Proxy::socks5().for_user("me", "right").start()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;
    let url = broker.url();

    let console = desk.open().await?;
    begin(&console, kit.connection("Behind SOCKS", &url)).await?;
    console.fill("Proxy", &proxy.url()).await?;
    console.fill("Proxy user name", "me").await?;
    console.fill("Proxy password", "right").await?;
    console.screenshot("ways-socks").await?;
    console.go_on_to_topics().await?;
    finish(&console, "Behind SOCKS", "led on").await?;
    ensure!(proxy.asked().iter().all(|asked| *asked == format!("localhost:{}", broker.port())), "{:?}", proxy.asked());

    // One certificate only: no authority is brought, and none is asked.
    let pinned = Connection { ca: None, ..kit.connection("Pinned", &url) };
    begin(&console, pinned).await?;
    console.click("radio", "One pinned certificate").await?;
    console.fill("Certificate of the broker", &certificates.server.certificate.display().to_string()).await?;
    console.click("button", "Add the certificate of the broker").await?;
    console.wait_for_text("Wilco test authority", SHORT).await?;
    console.screenshot("ways-pinned").await?;
    console.go_on_to_topics().await?;
    finish(&console, "Pinned", "led off").await?;
    console.close().await
}

#[tokio::test]
async fn on_port_443_aws_is_offered_its_protocol() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Scripted::new().tls(Tls::with(&certificates.server).speaking(&["x-amzn-mqtt-ca"])).start()?;
    let proxy = Proxy::http().leads_to(broker.port()).start()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let url = "a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com:443";
    let connection = Connection { name: "AWS", url, ca: Some(&certificates.ca), identity: Some(&certificates.client) };
    begin(&console, connection).await?;
    ensure!(console.written("ALPN").await? == "x-amzn-mqtt-ca", "{}", console.written("ALPN").await?);
    console.fill("Proxy", &proxy.url()).await?;
    // The scripted broker's certificate is for localhost.
    console.fill("Server name", "localhost").await?;
    console.screenshot("ways-aws-443").await?;
    console.go_on_to_topics().await?;
    console.preflight().await?.passed()?;
    let protocol = broker.seen().into_iter().find_map(|seen| match seen {
        Seen::Handshake { protocol, .. } => protocol,
        _ => None,
    });
    ensure!(protocol.as_deref() == Some("x-amzn-mqtt-ca"), "{protocol:?}");
    ensure!(proxy.asked().iter().all(|asked| asked == url), "{:?}", proxy.asked());
    console.close().await
}

#[tokio::test]
async fn a_narrow_policy_is_enough_where_devices_are_named_and_each_preset_connects() -> Result<()> {
    let certificates = Certificates::new()?;
    let list = "user console\ntopic read bench-1/resp\ntopic read bench-1/status\ntopic read bench-1/state\n\
                topic write bench-1/req\nuser bench-1\ntopic readwrite bench-1/#\nuser test-bench\ntopic readwrite #\n";
    let settings = Settings { tls: Some(&certificates), access_list: Some(list), ..Settings::default() };
    let broker = Broker::start(&settings)?;
    let _device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let url = broker.url();
    for (preset, title) in [("EMQX", "led on"), ("HiveMQ", "led off")] {
        console.begin_connection().await?;
        let (ca, identity) = (Some(certificates.ca.as_path()), Some(&certificates.client));
        let connection = Connection { name: preset, url: &url, ca, identity };
        console.bring_all(connection).await?;
        console.begin_endpoint(connection).await?;
        console.click("radio", preset).await?;
        console.fill("Address", &url).await?;
        console.screenshot(&format!("ways-{}", preset.to_lowercase())).await?;
        console.go_on_to_topics().await?;
        console.fill("Only these devices", "bench-1").await?;
        finish(&console, preset, title).await?;
    }
    console.screenshot("ways-named").await?;
    console.close().await
}

#[tokio::test]
async fn the_recipe_for_mosquitto_with_tls_works_as_it_is_written() -> Result<()> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))?;
    let (_, recipe) = readme.split_once("```sh\nmkdir -p /tmp/tls").context("no recipe in the README")?;
    let (recipe, _) = recipe.split_once("```").context("an end of the recipe")?;
    // Elsewhere and on another port, so that nothing of this machine is in the way.
    let directory = tempfile::tempdir()?;
    let at = directory.path().display().to_string();
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let recipe = format!("mkdir -p /tmp/tls{recipe}").replace("/tmp/tls", &at).replace("8883", &port.to_string());
    let (make, start) = recipe.rsplit_once("mosquitto -c mosquitto.conf &").context("the start of the broker")?;
    ensure!(start.trim().is_empty(), "more comes after the broker's start: {start}");
    let made = Command::new("bash").args(["-e", "-c", make]).current_dir(directory.path()).output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let log = directory.path().join("mosquitto.log");
    // Whoever starts it as root has to keep it that, or it cannot read what lies in somebody's own directory.
    let configuration = directory.path().join("mosquitto.conf");
    std::fs::write(&configuration, format!("user root\n{}", std::fs::read_to_string(&configuration)?))?;
    let mut broker = Child::command("mosquitto");
    let _broker = Child::start(broker.args(["-c", "mosquitto.conf"]).current_dir(directory.path()), &log)?;
    soon("the broker", SHORT, || std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop))?;

    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.begin_connection().await?;
    for file in ["ca.pem", "console.pem", "console.key"] {
        console.bring(&directory.path().join(file)).await?;
    }
    let url = format!("mqtts://localhost:{port}");
    console.begin_endpoint(Connection { name: "Bench", url: &url, ca: None, identity: None }).await?;
    console.go_on_to_topics().await?;
    console.preflight().await?.passed()?;
    console.screenshot("ways-readme").await?;
    console.save_connection().await?;
    console.wait_for_card("Bench", "Connected").await?;
    console.close().await
}

#[tokio::test]
async fn a_keyring_that_was_locked_meanwhile_is_told_and_nothing_is_lost() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;
    let url = broker.url();
    let console = desk.open().await?;
    console.add_connection(kit.connection("First", &url)).await?;

    desk.session().lock_keyring()?;
    console.begin_connection().await?;
    console.enter_connection(kit.connection("Second", &url)).await?;
    console.preflight().await?.passed()?;
    console.click("button", "Next").await?;
    console.press_save().await?;
    console.wait_for_text("keyring is locked", SHORT).await?;
    console.screenshot("ways-locked-meanwhile").await?;

    desk.session().unlock_keyring()?;
    console.press_save().await?;
    console.wait_for_card("Second", "Connected").await?;
    console.wait_for_card("First", "Connected").await?;
    console.close().await?;
    let console = desk.open().await?;
    console.go("Connections").await?;
    for name in ["First", "Second"] {
        console.wait_for_card(name, "Connected").await?;
    }

    // What leaves without secrets holds none.
    let path = certificates.directory().join("bench.json");
    console.card_menu("First", "Export…").await?;
    let form = console.one("dialog", "Export First").await?;
    console.click("radio", "Not included").await?;
    console.fill("Path of the file to write", &path.display().to_string()).await?;
    console.press_in(&form, "Export").await?;
    console.wait_for_text("1 connection written to", SHORT).await?;
    let written = std::fs::read_to_string(&path)?;
    ensure!(written.contains("First") && !written.contains("PRIVATE KEY"), "{written}");
    ensure!(!written.contains(&crate::kit::body(&certificates.client.key)?), "{written}");
    console.close().await
}

/// AWS itself is played: by a broker that hangs up as AWS does, behind a proxy that leads there under AWS' name.
#[tokio::test]
async fn the_way_to_aws_is_as_the_readme_says() -> Result<()> {
    let url = "a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com";
    let certificates = Certificates::new()?;
    let tls = || -> Result<Tls> { Ok(Tls::with(&certificates.server_for(url)?).only_for_clients_of(&certificates.ca)) };
    let narrow = Scripted::new().on_subscribe("+/resp", Misbehaviour::Close).tls(tls()?).start()?;
    let generous = Scripted::new().tls(tls()?).start()?;
    let proxy = Proxy::http().leads_to(narrow.port()).start()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;

    // 2. The zip, as it is.
    let kit = CertificateFiles::new(&certificates, "console", Wrapping::AwsKit)?;
    console.begin_connection().await?;
    for file in &kit.files {
        console.bring(file).await?;
    }
    console.click("button", "Next").await?;
    // 3. A certificate of AWS' own gives the kind of broker away at once, one of ours does not: here it is the address.
    console.fill("Address", url).await?;
    let chosen = "return document.querySelector('[name][type=radio]:checked')?.closest('label')?.innerText ?? ''";
    let chosen = console.run(chosen, vec![]).await?;
    ensure!(chosen.as_str().unwrap_or_default().contains("AWS IoT Core"), "{chosen}");
    console.fill("Name", "AWS").await?;
    console.unfold_more().await?;
    console.fill("Proxy", &proxy.url()).await?;
    console.go_on_to_topics().await?;
    // 4. It stops at Subscribe, and continues from there once the policy is active.
    let tried = console.preflight().await?;
    ensure!(tried.stopped_at() == Some("subscribe"), "{tried:#?}");
    console.click("button", "Copy policy").await?;
    console.wait_for_text("Copied", SHORT).await?;
    proxy.lead_to(generous.port());
    console.click("button", "Retry from here").await?;
    console.preflight_ended().await?.passed()?;
    console.screenshot("ways-aws").await?;
    // 5.
    console.save_connection().await?;
    console.wait_for_card("AWS", "Connected").await?;
    kit.delete()?;
    console.close().await
}
