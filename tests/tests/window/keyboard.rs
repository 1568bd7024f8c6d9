//! Everything with the keyboard alone, and announced for screen readers.

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Certificates, Console, Desk, Device, Keyring, keys, soon_async};

use crate::kit::Kit;
use crate::pictures::as_it_stands;
use crate::whole_device::bench;
use crate::{SHORT, check};

/// The keyboard's place in the page, by role or tag and name.
async fn focus(console: &Console) -> Result<String> {
    let script = "const at = document.activeElement;
        return `${at.getAttribute('role') ?? at.tagName.toLowerCase()} ${at.ariaLabel ?? at.innerText ?? ''}`.trim()";
    Ok(console.run(script, vec![]).await?.as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_device_is_found_and_commanded_without_a_mouse() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let device = |id| Device::start(&broker, id, Some((&certificates, &certificates.issue(id)?)));
    let _devices = [device("bench-1")?, device("pump-7")?];
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;
    let console = desk.open().await?;
    console.add_connection(kit.connection("Bench", &broker.url())).await?;
    console.press("gf").await?;
    console.wait_for_online(Some("pump-7")).await?;

    // A device by a part of its name.
    console.press(keys::PALETTE).await?;
    console.one("dialog", "Search or run a command").await?;
    ensure!(focus(&console).await?.starts_with("combobox"), "{}", focus(&console).await?);
    console.press("pum").await?;
    console.one_like("option", "pump-7").await?;
    as_it_stands(&console, "palette").await?;
    console.check_accessible("the palette").await?;
    console.press(keys::ENTER).await?;
    console.one("complementary", "Inspector: pump-7").await?;
    console.one("switch", "LED").await?;

    // Its LED by one key, and by the palette.
    console.press("l").await?;
    console.wait_for_led(true).await?;
    console.press(keys::PALETTE).await?;
    console.press("switch the led of pump-7 off").await?;
    console.press(keys::ENTER).await?;
    console.wait_for_led(false).await?;

    // Restart needs confirmation, whichever way it is come to; *Escape* leaves it.
    console.press("r").await?;
    console.one_like("dialog", "pump-7").await?;
    console.press(keys::ESCAPE).await?;
    ensure!(console.all_like("dialog", "pump-7").await?.is_empty());
    check(console.restart("pump-7").await?, "restart");

    // No letter does anything in a field.
    console.press("/").await?;
    console.press("l").await?;
    ensure!(focus(&console).await?.contains("Search"), "{}", focus(&console).await?);
    ensure!(!console.led_is_on().await?);
    // Once closes the completions, again empties the field, again leaves it.
    console.press(&keys::ESCAPE.repeat(3)).await?;

    console.press("?").await?;
    console.one("dialog", "Keys").await?;
    // All of it is there, or scrolling down leads there.
    let beside = "const sheet = document.querySelector('dialog[open]').getBoundingClientRect();
        const words = [...document.querySelectorAll('dialog[open] dt')];
        return words.filter((word) => word.getBoundingClientRect().left > sheet.right).map((word) => word.textContent)";
    ensure!(console.run(beside, vec![]).await? == serde_json::json!([]));
    as_it_stands(&console, "keys").await?;
    console.check_accessible("the keys").await?;
    console.press(keys::ESCAPE).await?;
    console.press("gh").await?;
    console.wait_for_text("restart", SHORT).await?;
    console.close().await
}

#[tokio::test]
async fn a_text_field_has_its_own_menu_that_cuts_and_pastes() -> Result<()> {
    let (_bench, console) = bench().await?;
    console.press("/").await?;
    console.press("bench").await?;
    // As the right mouse button does. It returns false if the web view's own menu stays closed.
    let open = "return document.activeElement.dispatchEvent(new MouseEvent('contextmenu',
        { bubbles: true, cancelable: true, clientX: 320, clientY: 120 }))";
    for (item, expected) in [("Select all", "bench"), ("Cut", ""), ("Paste", "bench")] {
        ensure!(console.run(open, vec![]).await? == false, "the web view opens its menu");
        console.click("menuitem", item).await?;
        soon_async(&format!("{expected:?} in the field after {item}"), SHORT, async || {
            let value = console.run("return document.activeElement.value", vec![]).await?;
            Ok((value == expected).then_some(()))
        })
        .await?;
    }
    console.close().await
}

#[tokio::test]
async fn every_control_of_the_main_screens_shows_that_it_has_the_focus() -> Result<()> {
    let (_bench, console) = bench().await?;
    let mut found = console.without_focus_ring("Fleet, with the inspector").await?;
    for (key, what) in [("o", "the log"), ("m", "the charts"), ("t", "the traffic")] {
        // From a field the key would go into the text.
        console.choose("bench-1").await?;
        console.press(key).await?;
        console.one("region", "Lower pane").await?;
        found.extend(console.without_focus_ring(&format!("Fleet, with {what}")).await?);
    }
    console.click("button", "Close the lower pane").await?;
    console.choose("bench-1").await?;
    console.press("v").await?;
    console.one("listbox", "Wall of devices").await?;
    found.extend(console.without_focus_ring("Fleet, as a wall").await?);
    for screen in ["Rollouts", "History", "Commands", "Traffic", "Connections", "Settings"] {
        console.go(screen).await?;
        found.extend(console.without_focus_ring(screen).await?);
    }
    console.close().await?;
    ensure!(found.is_empty(), "no ring at:\n{}", found.join("\n"));
    Ok(())
}
