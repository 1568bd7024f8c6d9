//! Each screen checked by axe, empty and full, in both themes.

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Connection, Console, Desk, Keyring, keys};

use crate::{SHORT, pictures::as_it_stands};

const THEMES: [&str; 2] = ["Light", "Dark"];

/// Looks at a screen in both themes.
async fn look(console: &Console, screen: &str, what: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for theme in THEMES {
        console.go("Settings").await?;
        console.click("radio", theme).await?;
        console.go(screen).await?;
        found.extend(console.inaccessible(&format!("{what}, {theme}")).await?);
    }
    Ok(found)
}

#[tokio::test]
async fn nothing_is_wrong_with_any_screen() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let mut found = console.inaccessible("the first screen").await?;
    as_it_stands(&console, "welcome").await?;
    console.begin_connection().await?;
    found.extend(console.inaccessible("the wizard's files").await?);
    as_it_stands(&console, "wizard-files-empty").await?;
    console.begin_endpoint(Connection { name: "Bench", url: &broker.url(), ca: None, identity: None }).await?;
    console.unfold_more().await?;
    found.extend(console.inaccessible("the wizard's endpoint").await?);
    as_it_stands(&console, "wizard-endpoint").await?;
    console.go_on_to_topics().await?;
    found.extend(console.inaccessible("the wizard's topics").await?);
    as_it_stands(&console, "wizard-topics").await?;
    console.click("checkbox", "Zigbee2MQTT").await?;
    found.extend(console.inaccessible("the settings of a dialect").await?);
    as_it_stands(&console, "wizard-dialect-settings").await?;
    console.click("checkbox", "Zigbee2MQTT").await?;
    console.preflight().await?.passed()?;
    found.extend(console.inaccessible("the wizard's preflight").await?);
    as_it_stands(&console, "wizard-preflight").await?;
    console.save_connection().await?;
    for screen in ["Fleet", "History", "Connections", "Settings"] {
        found.extend(look(&console, screen, &format!("{screen}, empty")).await?);
        as_it_stands(&console, &format!("empty-{}", screen.to_lowercase())).await?;
    }

    console.press(keys::PALETTE).await?;
    console.press(&format!("start the demo fleet{}", keys::ENTER)).await?;
    console.wait_for_fleet().await?;
    let device = console.wait_for_online(None).await?;
    console.choose(&device).await?;
    let end = console.flip_led().await?;
    for screen in ["Fleet", "History", "Connections", "Settings"] {
        found.extend(look(&console, screen, screen).await?);
    }
    console.go("History").await?;
    console.unfold(&end.id).await?;
    found.extend(console.inaccessible("History, unfolded").await?);
    as_it_stands(&console, "history-unfolded").await?;
    console.go("Fleet").await?;
    console.fill("Search devices", "no-such-device").await?;
    console.wait_for_text("No device", SHORT).await?;
    found.extend(console.inaccessible("Fleet, nothing found").await?);
    as_it_stands(&console, "fleet-nothing-found").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
