//! The window for somebody without a broker.

use anyhow::Result;
use wilco_tests::{Desk, Keyring};

use crate::pictures::as_it_stands;
use crate::{SHORT, check};

#[tokio::test]
async fn the_demo_fleet_is_one_click_away_and_comes_back() -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.try_demo().await?;
    let device = console.online_device(":has([data-on=false])").await?;
    console.choose(&device).await?;
    let end = check(console.flip_led().await?, "led on");
    console.wait_for_led(true).await?;
    as_it_stands(&console, "fleet").await?;
    console.press("v").await?;
    console.one("listbox", "Wall of devices").await?;
    as_it_stands(&console, "demo-wall").await?;
    console.press("v").await?;
    console.go("History").await?;
    console.unfold(&end.id).await?;
    as_it_stands(&console, "history").await?;
    console.go("Connections").await?;
    as_it_stands(&console, "connections").await?;
    console.close().await?;

    // It opens where it was closed.
    let console = desk.open().await?;
    console.go("Fleet").await?;
    console.wait_for_fleet().await?;
    console.go("History").await?;
    console.wait_for_text(&device, SHORT).await?;
    console.close().await
}
