//! What the window costs at rest and how fast it answers, in the app as it is released: processor time per screen, the time
//! from a press on the LED to what is drawn, blank rows while a long list scrolls, and all of these again while a large fleet
//! answers without a pause.
//!
//! It is measured from outside, in the pixels of a display; only the moment of a press is recorded by the page. The
//! software renderer draws, as on a computer without a graphics card.

mod idle;
mod load;
mod press;
mod report;
mod scroll;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Area, Broker, Console, Desk};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Before a screen counts as at rest.
    settle: Duration,
    /// How long a screen at rest is watched.
    at_rest: Duration,
    /// Presses on the LED that count.
    presses: usize,
    /// Rows of the list that scrolls.
    rows: usize,
    /// Devices that answer without a pause.
    fleet: usize,
    /// For how long they do.
    load: Duration,
}

impl Size {
    /// What the report is made of.
    pub(crate) const FULL: Self = Self {
        settle: Duration::from_secs(20),
        at_rest: Duration::from_secs(30),
        presses: 60,
        rows: 10_000,
        fleet: 100_000,
        load: Duration::from_secs(600),
    };
    /// For trying the bench itself.
    pub(crate) const QUICK: Self = Self {
        settle: Duration::from_secs(4),
        at_rest: Duration::from_secs(5),
        presses: 6,
        rows: 1_000,
        fleet: 5_000,
        load: Duration::from_secs(20),
    };
}

/// Measures it, and writes `bench-window.md` into a directory.
pub(crate) async fn run(directory: &Path, size: &Size) -> Result<()> {
    println!("\nThe window at rest");
    let idle = idle::measure(size).await?;
    println!("\nPresses on the LED");
    let presses = press::measure(size).await?;
    println!("\nScrolling");
    let scrolls = scroll::measure(size).await?;
    println!("\nWhile a large fleet answers");
    let load = load::measure(size).await?;
    report::write(directory, &report::Measured { idle, presses, scrolls, load, size: *size })
}

/// Measures only what happens while so many devices answer, for so many seconds, and prints it.
pub(crate) async fn load(devices: &str, seconds: &str) -> Result<()> {
    let load = Duration::from_secs(seconds.parse()?);
    let load = load::measure(&Size { fleet: devices.parse()?, load, ..Size::FULL }).await?;
    print!("{}", report::load(&load)?);
    Ok(())
}

/// The window's size in pixels of the page.
const WINDOW: (u32, u32) = (1_280, 800);
/// A colour that is nowhere else: blue, green and red.
const MARK: [u8; 3] = [0xfe, 0x00, 0xff];

/// Opens the app's window on a connection to a broker.
async fn open_on(desk: &Desk, broker: &Broker) -> Result<Console> {
    wilco(desk, &["connections", "add", "bench", "--url", &broker.url()])?;
    let console = desk.open().await?;
    console.resize(WINDOW.0, WINDOW.1).await?;
    Ok(console)
}

/// Runs the command line beside the app, and returns what it prints.
fn wilco(desk: &Desk, arguments: &[&str]) -> Result<String> {
    let output = desk.wilco(arguments)?;
    ensure!(output.status.success(), "wilco {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where a rectangle of the page (its left edge, its top, its width and its height) is on the display: it is painted in a
/// colour of its own for a moment.
async fn on_display(console: &Console, desk: &Desk, rectangle: &Value) -> Result<Area> {
    let paint = "const [left, top, width, height] = arguments[0];
        const mark = document.body.appendChild(document.createElement('div'));
        mark.id = 'bench-mark';
        mark.style.cssText = `position:fixed;left:${left}px;top:${top}px;width:${width}px;height:${height}px;background:#ff00fe;z-index:2147483647;pointer-events:none`;";
    console.run(paint, vec![rectangle.clone()]).await?;
    let area = wilco_tests::soon_async("the mark on the display", Duration::from_secs(10), async || {
        Ok(desk.display().picture()?.area_of(MARK))
    })
    .await?;
    console.run("document.getElementById('bench-mark').remove()", vec![]).await?;
    wilco_tests::soon_async("the end of the mark", Duration::from_secs(10), async || {
        Ok(desk.display().picture()?.area_of(MARK).is_none().then_some(()))
    })
    .await?;
    Ok(area)
}

/// The rectangle of the first element that a selector finds, in the page.
async fn rectangle(console: &Console, selector: &str) -> Result<Value> {
    let script = "const found = document.querySelector(arguments[0]);
        if (!found) return null;
        const { left, top, width, height } = found.getBoundingClientRect();
        return [left, top, width, height].map(Math.round);";
    let found = console.run(script, vec![json!(selector)]).await?;
    (!found.is_null()).then_some(found).with_context(|| format!("the page has no {selector}"))
}
