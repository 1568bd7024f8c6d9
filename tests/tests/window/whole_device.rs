//! Everything about a device besides its LED, over mutual TLS: its log, measurements, identification, live traffic, and
//! users' own commands.

use std::time::Duration;

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Certificates, Console, Desk, Device, Keyring, keys, soon_async};

use crate::kit::Kit;
use crate::pictures::as_it_stands;
use crate::{SHORT, check};

pub(crate) struct Bench {
    pub(crate) desk: Desk,
    _broker: Broker,
    _device: Device,
}

/// A window at a device of its own, chosen in the fleet.
pub(crate) async fn bench() -> Result<(Bench, Console)> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;
    let console = desk.open().await?;
    console.add_connection(kit.connection("Bench", &broker.url())).await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.choose("bench-1").await?;
    Ok((Bench { desk, _broker: broker, _device: device }, console))
}

#[tokio::test]
async fn a_log_is_fetched_checked_searched_and_saved() -> Result<()> {
    let (bench, console) = bench().await?;
    check(console.flip_led().await?, "led on");
    console.press("o").await?;
    console.wait_for_text("No log has been fetched yet", SHORT).await?;
    let mut found = console.inaccessible("an empty log").await?;
    as_it_stands(&console, "log-empty").await?;
    console.click("button", "Fetch the log").await?;
    console.wait_for_text("checksum verified", SHORT).await?;
    console.fill("Search in the log", "led").await?;
    console.wait_for_text("led", SHORT).await?;
    found.extend(console.inaccessible("a log").await?);
    as_it_stands(&console, "log").await?;

    let path = bench.desk.data().join("bench-1.log");
    console.click("button", "Save…").await?;
    let form = console.one("dialog", "Save the log").await?;
    let nowhere = bench.desk.data().join("nowhere/bench-1.log");
    console.fill("Path of the file to write", &nowhere.display().to_string()).await?;
    console.press_in(&form, "Save").await?;
    console.wait_for_text("nowhere", SHORT).await?;
    console.fill("Path of the file to write", &path.display().to_string()).await?;
    console.press_in(&form, "Save").await?;
    wilco_tests::soon("the log's file", SHORT, || path.is_file().then_some(()))?;
    let saved = std::fs::read_to_string(&path)?;
    ensure!(saved.contains("led"), "{saved}");

    console.click("button", "Follow").await?;
    console.wait_for_text("Following", SHORT).await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

/// The controls of the lower pane, and the head of the inspector, that something else lies over, and whether the page is wider
/// than its window.
const COVERED: &str = "
    // Both are rounded.
    const covered = document.documentElement.scrollWidth > innerWidth + 1 ? ['the page is wider than the window'] : [];
    const controls = '.lower-pane :is(button, a, input, select, [role=separator]), .inspector :is(h1, [role=switch])';
    for (const control of document.querySelectorAll(controls)) {
      const { left, top, width, height } = control.getBoundingClientRect();
      const at = document.elementFromPoint(left + width / 2, top + height / 2);
      if (width > 0 && !control.contains(at)) covered.push(control.outerHTML.slice(0, 120));
    }
    return covered";

#[tokio::test]
async fn the_lower_pane_fits_the_window_at_150_percent_and_is_resized_by_keys() -> Result<()> {
    let (_bench, console) = bench().await?;
    console.resize(1280, 800).await?;
    for larger in [0, 3] {
        for _ in 0..larger {
            console.press(keys::LARGER).await?;
        }
        for (key, name) in [("o", "Log"), ("m", "Charts"), ("t", "Traffic")] {
            console.press(key).await?;
            console.one("tabpanel", name).await?;
            let fits = soon_async("pane whose controls are all reached", SHORT, async || {
                Ok((console.run(COVERED, vec![]).await? == serde_json::json!([])).then_some(()))
            });
            if let Err(error) = fits.await {
                let covered = console.run(COVERED, vec![]).await?;
                return Err(error.context(format!("{name}, {larger} steps larger: {covered}")));
            }
        }
        console.screenshot(&format!("lower-pane-{larger}-steps-larger")).await?;
    }
    let handle = console.one("separator", "Height of the lower pane").await?;
    let height = async || console.attribute(&handle, "aria-valuenow").await;
    let before = height().await?;
    console.run("document.querySelector('[role=separator]').focus()", vec![]).await?;
    console.press(keys::ARROW_DOWN).await?;
    ensure!(height().await?.parse::<u32>()? < before.parse::<u32>()?, "{before}");
    console.press(keys::ESCAPE).await?;
    ensure!(console.all_like("tabpanel", "").await?.is_empty(), "Escape closes the pane");
    console.close().await
}

/// How many canvases there are, and which of them have fewer pixels than they take on the display.
const BLURRED: &str = "
    const canvases = [...document.querySelectorAll('canvas')].filter(({ clientWidth }) => clientWidth > 0);
    const isBlurred = (canvas) => canvas.width < Math.floor(canvas.getBoundingClientRect().width * arguments[0]);
    const named = ({ className, width, clientWidth }) => `${className}: ${width} of ${clientWidth}`;
    return [canvases.length, ...canvases.filter(isBlurred).map(named)]";

#[tokio::test]
async fn at_150_percent_what_is_drawn_on_a_canvas_is_sharp() -> Result<()> {
    let (_bench, console) = bench().await?;
    for _ in 0..3 {
        console.press(keys::LARGER).await?;
    }
    console.press("v").await?;
    console.one("listbox", "Wall of devices").await?;
    let found = async || console.run(BLURRED, vec![serde_json::json!(1.5)]).await;
    let sharp = soon_async("sharp canvases", SHORT, async || {
        let found = found().await?;
        let is_sharp = found.as_array().is_some_and(|found| found.len() == 1 && found[0] != 0);
        Ok(is_sharp.then_some(()))
    });
    if let Err(error) = sharp.await {
        return Err(error.context(found().await?.to_string()));
    }
    console.close().await
}

#[tokio::test]
async fn measurements_come_as_often_as_is_asked_for_and_are_drawn() -> Result<()> {
    let (_bench, console) = bench().await?;
    console.press("m").await?;
    console.one("tabpanel", "Charts").await?;
    console.wait_for_text("No measurements in this time range", SHORT).await?;
    as_it_stands(&console, "charts-empty").await?;
    console.press(keys::ESCAPE).await?;
    let part = console.one("region", "Telemetry").await?;
    let interval = console.one_like_in(&part, "combobox", "").await?;
    interval.select_by_label("1 s").await?;
    console.press_in(&part, "Set").await?;
    console.wait_for_text("telemetry.set", SHORT).await?;
    console.wait_for_text("temperature", Duration::from_secs(20)).await?;
    console.screenshot("telemetry").await?;
    console.press("m").await?;
    console.one("slider", "temperature over time").await?;
    let mut found = console.inaccessible("charts").await?;
    as_it_stands(&console, "charts").await?;
    console.click("link", "Full page").await?;
    console.wait_for_text("Telemetry of", SHORT).await?;
    console.one("slider", "temperature over time").await?;
    found.extend(console.inaccessible("charts on a page of their own").await?);
    as_it_stands(&console, "charts-page").await?;
    console.click("button", "Pause").await?;
    found.extend(console.inaccessible("charts, paused").await?);
    console.press("gf").await?;
    console.press("b").await?;
    console.one("dialog", "Identify bench-1").await?;
    console.click("button", "5 s").await?;
    console.wait_for_text("identify", SHORT).await?;
    console.wait_for_text("The device says it is done.", Duration::from_secs(15)).await?;
    as_it_stands(&console, "inspector").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

#[tokio::test]
async fn live_traffic_is_shown_and_can_be_stopped() -> Result<()> {
    let (_bench, console) = bench().await?;
    console.press("t").await?;
    console.one("grid", "Messages").await?;
    let mut found = console.inaccessible("live traffic, empty").await?;
    as_it_stands(&console, "traffic-empty").await?;
    check(console.flip_led().await?, "led on");
    console.press("l").await?;
    console.wait_for_text("bench-1/telemetry", Duration::from_secs(20)).await?;
    // Rows move while messages come.
    soon_async("message that is looked at", SHORT, async || {
        if let Some(row) = console.all_like("row", "bench-1/telemetry").await?.first() {
            let _ = row.click().await;
        }
        Ok((!console.all_like("region", "Meaning").await?.is_empty()).then_some(()))
    })
    .await?;
    found.extend(console.inaccessible("live traffic").await?);
    as_it_stands(&console, "traffic").await?;
    // The traffic of the whole connection has a page of its own.
    console.press("gt").await?;
    console.wait_for_text("Live traffic", SHORT).await?;
    console.wait_for_text("bench-1/telemetry", Duration::from_secs(20)).await?;
    found.extend(console.inaccessible("live traffic of the connection").await?);
    as_it_stands(&console, "traffic-page").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

#[tokio::test]
async fn a_command_of_ones_own_is_described_filled_in_and_kept_as_a_button() -> Result<()> {
    let (_bench, console) = bench().await?;
    console.press("gm").await?;
    console.click("button", "Describe a command").await?;
    console.fill("Command name in messages", "calibrate").await?;
    console.fill("Title", "Calibrate").await?;
    console.fill("Arguments (JSON Schema)", "{\"type\": 7}").await?;
    console.click("button", "Save").await?;
    let mut found = console.inaccessible("a schema that is none").await?;
    console.screenshot("catalogue-no-schema").await?;
    // One without an end: nothing is drawn of it, and nothing hangs.
    let tree = r##"{"type":"object","properties":{"left":{"$ref":"#"},"right":{"$ref":"#"}}}"##;
    console.fill("Arguments (JSON Schema)", tree).await?;
    console.wait_for_text("or part of it refers to itself", SHORT).await?;
    console.wait_for_text("The form appears when the schema is valid", SHORT).await?;
    as_it_stands(&console, "catalogue-tree").await?;
    let schema = "{\"type\":\"object\",\"properties\":{\"offset\":{\"type\":\"integer\",\"title\":\"Offset\",\"minimum\":0,\
                  \"maximum\":9}},\"required\":[\"offset\"]}";
    console.fill("Arguments (JSON Schema)", schema).await?;
    as_it_stands(&console, "catalogue-describe").await?;
    console.click("button", "Save").await?;
    console.one("article", "Calibrate").await?;
    found.extend(console.inaccessible("the catalogue").await?);
    as_it_stands(&console, "catalogue").await?;

    console.press("gf").await?;
    console.choose("bench-1").await?;
    console.press("c").await?;
    console.fill("Command", "calib").await?;
    console.press(keys::ENTER).await?;
    console.fill("Offset *", "12").await?;
    console.click("button", "Send").await?;
    found.extend(console.inaccessible("a form that does not fit").await?);
    as_it_stands(&console, "command-wrong").await?;
    console.fill("Offset *", "3").await?;
    console.screenshot("command-form").await?;
    console.click("button", "Save as button…").await?;
    console.fill("Label", "Calibrate by 3").await?;
    console.click("button", "Save button").await?;
    console.click("button", "Send").await?;
    // The reference device does not know it, and says so: that is its answer.
    console.wait_for_text("Rejected", SHORT).await?;
    console.one("button", "Calibrate by 3").await?;
    found.extend(console.inaccessible("a button of one's own").await?);
    as_it_stands(&console, "command-button").await?;
    console.click("button", "Calibrate by 3").await?;
    console.go("History").await?;
    let rejected = |row: &[String; 3]| row[1].starts_with("calibrate") && row[2] == "rejected";
    console.history_with(|rows| rows.len() == 2 && rows.iter().all(rejected)).await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
