//! Unsaved buttons, definitions and typed values are kept.

use anyhow::{Result, ensure};
use wilco_tests::{keys, soon_async};

use crate::SHORT;
use crate::pictures::as_it_stands;
use crate::whole_device::bench;

const FILE: &str = r#"{"format": "wilco commands", "version": 1,
    "commands": [{"name": "calibrate", "title": "Calibrate", "schema": {"type": "object", "properties":
        {"offset": {"type": "integer", "title": "Offset"}}, "required": ["offset"]}}],
    "buttons": [{"label": "Level 3", "command": "calibrate", "args": {"offset": 3}},
        {"label": "Far away", "command": "led", "args": {"on": true}, "connection": "Elsewhere"}]}"#;

#[tokio::test]
async fn buttons_are_imported_with_their_command_changed_and_restored() -> Result<()> {
    let (_bench, console) = bench().await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("commands.json");
    std::fs::write(&file, FILE)?;
    console.press("gm").await?;
    console.click("button", "Import…").await?;
    console.fill("Path of the file to read", &file.display().to_string()).await?;
    console.click("button", "Preview").await?;
    console.wait_for_text("button for calibrate", SHORT).await?;
    console.wait_for_text("It belongs to the connection 'Elsewhere', which does not exist here.", SHORT).await?;
    let mut found = console.inaccessible("what is in a file of commands").await?;
    as_it_stands(&console, "catalogue-import").await?;
    console.click("button", "Import 2").await?;
    console.wait_for_text("Imported Calibrate, Level 3.", SHORT).await?;
    console.click("button", "Done").await?;

    console.click("button", "Level 3").await?;
    console.fill("Offset *", "5").await?;
    found.extend(console.inaccessible("a button that is changed").await?);
    as_it_stands(&console, "button-change").await?;
    ensure!(console.all_like("button", "Send").await?.is_empty());
    console.click("button", "Save button").await?;
    console.click("button", "Remove Level 3").await?;
    console.one("button", "Undo").await?;
    found.extend(console.inaccessible("a button that was removed").await?);
    as_it_stands(&console, "button-undo").await?;
    console.click("button", "Undo").await?;
    console.one("button", "Level 3").await?;

    // Pressed, it sends what it was changed to; before that, nothing went out.
    console.press("gh").await?;
    console.wait_for_text("No command has been sent yet", SHORT).await?;
    console.press("gf").await?;
    console.choose("bench-1").await?;
    console.click("button", "Level 3").await?;
    console.wait_for_text("Rejected", SHORT).await?;
    console.press("gh").await?;
    console.history_with(|rows| rows.len() == 1 && rows[0][1].contains("offset 5")).await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

#[tokio::test]
async fn unsaved_input_is_restored_on_return() -> Result<()> {
    let (_bench, console) = bench().await?;
    let interval = console.one_like("button", "Edit report_interval_s: ").await?;
    console.click_on(&interval, "report_interval_s").await?;
    console.type_into("report_interval_s after restart", "45\n").await?;
    console.wait_for_text("1 change not applied", SHORT).await?;
    // The keyboard stays at the value, where no letter commands the device.
    let at = "return document.activeElement.getAttribute('aria-label')";
    let value = "Edit report_interval_s: 45, changed";
    soon_async("keyboard at the value", SHORT, async || Ok((console.run(at, vec![]).await? == value).then_some(())))
        .await?;
    let mut found = console.inaccessible("a configuration that was changed").await?;
    as_it_stands(&console, "configuration-edited").await?;

    console.press("gm").await?;
    console.click("button", "Describe a command").await?;
    console.fill("Title", "Half done").await?;
    console.click("button", "LED led").await?;
    console.wait_for_text("not saved", SHORT).await?;
    console.click("button", "Describe a command").await?;
    console.one("button", "Discard changes").await?;
    found.extend(console.inaccessible("leaving a description").await?);
    as_it_stands(&console, "draft-leave").await?;
    console.click("button", "Keep editing").await?;
    ensure!(console.written("Title").await? == "Half done");

    console.press(keys::ESCAPE).await?;
    console.go("Fleet").await?;
    console.choose("bench-1").await?;
    console.one("button", "Edit report_interval_s: 45, changed").await?;

    // From the list to its heads, where devices are sorted.
    console.press("\u{e013}").await?;
    console.press(keys::ENTER).await?;
    let sorted = "return document.querySelector('[aria-sort=descending]')?.innerText.trim()";
    soon_async("list sorted by its devices", SHORT, async || {
        let head = console.run(sorted, vec![]).await?;
        Ok(head.as_str().is_some_and(|head| head.starts_with("Device")).then_some(()))
    })
    .await?;

    console.choose("bench-1").await?;
    console.press("c").await?;
    console.fill("Command", "telemetry.set").await?;
    console.press(keys::ENTER).await?;
    console.click("radio", "JSON").await?;
    console.fill("Arguments (JSON)", r#"{"interval_ms": 9007199254740993}"#).await?;
    console.wait_for_text("At most 3600000.", SHORT).await?;
    found.extend(console.inaccessible("a number that is too large").await?);
    as_it_stands(&console, "command-too-large").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
