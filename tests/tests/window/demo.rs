//! What somebody sees who has no broker.

use anyhow::{Context, Result};
use wilco_tests::{Console, Desk, Keyring};

use crate::{SHORT, check};

#[tokio::test]
async fn the_demo_fleet_is_one_click_away_and_comes_back() -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.try_demo().await?;
    let off = console.listed("[data-presence=online]:has([data-on=false])").await?;
    let device = off.first().context("no device is online with its LED off")?;
    console.choose(device).await?;
    let end = check(console.flip_led().await?, "led on");
    console.wait_for_led(true).await?;
    screenshots(&console, "fleet").await?;
    console.go("History").await?;
    console.unfold(&end.id).await?;
    screenshots(&console, "history").await?;
    console.go("Connections").await?;
    screenshots(&console, "connections").await?;
    console.close().await?;

    let console = desk.open().await?;
    console.wait_for_fleet().await?;
    console.go("History").await?;
    console.wait_for_text(device, SHORT).await?;
    console.close().await
}

/// Pictures in both themes and at both sizes, to be looked at.
async fn screenshots(console: &Console, name: &str) -> Result<()> {
    let screen = console.run("return location.hash", vec![]).await?;
    for theme in ["Light", "Dark"] {
        console.go("Settings").await?;
        console.click("radio", theme).await?;
        console.run("location.hash = arguments[0]", vec![screen.clone()]).await?;
        for (width, height) in [(1280, 800), (1920, 1080)] {
            console.resize(width, height).await?;
            console.screenshot(&format!("{name}-{}-{width}", theme.to_lowercase())).await?;
        }
    }
    Ok(())
}
