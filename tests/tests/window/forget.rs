//! Forgetting a device removes it from the list, with its commands.

use std::time::Duration;

use anyhow::{Result, ensure};
use wilco_tests::{keys, soon_async};

use crate::pictures::as_it_stands;
use crate::whole_device::bench;
use crate::{SHORT, check};

/// Forgetting can be undone for 30 seconds.
const UNDONE_BY: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_mistyped_device_is_forgotten_with_its_history() -> Result<()> {
    let (bench, console) = bench().await?;
    check(console.flip_led().await?, "led on");
    let send = ["send", "-c", "Bench", "-d", "bnech-1", "led", "on=true", "--timeout", "1s"];
    let sent = bench.desk.wilco(&send)?;
    ensure!(sent.status.code() == Some(1), "{sent:?}");

    console.choose("bnech-1").await?;
    console.press(keys::PALETTE).await?;
    console.one("dialog", "Search or run a command").await?;
    console.press("forget bn").await?;
    console.one("option", "Forget bnech-1…").await?;
    console.press(keys::ENTER).await?;
    console.one("button", "Cancel").await?;
    console.wait_for_text("the 1 command in its history", SHORT).await?;
    let mut found = console.inaccessible("a device that is to be forgotten").await?;
    as_it_stands(&console, "device-forget").await?;
    console.click("button", "Forget bnech-1").await?;
    let listed = soon_async("list without it", SHORT, async || {
        let listed = console.listed("").await?;
        Ok((listed.len() == 1).then_some(listed))
    });
    ensure!(listed.await? == ["bench-1"]);
    found.extend(console.inaccessible("a device that was forgotten").await?);
    as_it_stands(&console, "device-forgotten").await?;

    // Until then it can be undone.
    let history = ["history", "-c", "Bench", "--format", "json"];
    let gone = soon_async("history without it", UNDONE_BY, async || {
        let history = bench.desk.wilco(&history)?;
        Ok((!String::from_utf8(history.stdout)?.contains("bnech-1")).then_some(()))
    });
    gone.await?;
    console.press("gh").await?;
    console.history_with(|rows| rows.len() == 1 && rows[0][0] == "bench-1").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
