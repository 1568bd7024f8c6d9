//! The window while many devices answer without a pause: how soon the LED of another one is drawn, how regularly the page
//! draws, blank rows, and memory.

use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Child, Desk, Keyring, Settings, program, soon_async};

use super::press::Led;
use super::scroll::{Scroll, scroll_steadily};
use super::{Size, WINDOW, wilco};
use crate::app::{Memory, memory};
use crate::course::{BROKER, start_echo};
use crate::figures::{percentile, sorted};

/// The device that is commanded beside all others. The echo device leaves it alone.
const PROBE: &str = "silent-probe";
/// How many commands a second are released, and so answered.
const PER_SECOND: usize = 5_000;
/// Between two looks at the memory.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// So many looks for one line of progress.
const SHOWN_EACH: usize = 10;
/// An import of all devices takes less.
const LISTED: Duration = Duration::from_secs(120);

/// What was measured.
pub(super) struct Load {
    pub(super) devices: usize,
    pub(super) lasted: Duration,
    /// Commands that were answered in that time.
    pub(super) answered: usize,
    /// From a press to the first and to the last change of the LED and its ladder, milliseconds.
    pub(super) presses: Vec<(f64, f64)>,
    /// Between two frames of the page, milliseconds: median, 95th percentile, longest.
    pub(super) frames: [f64; 3],
    pub(super) scroll: Scroll,
    /// Before the first answer.
    pub(super) before: Memory,
    /// While they arrived, every 2 s.
    pub(super) memory: Vec<Memory>,
}

impl Load {
    /// The most memory at one time.
    pub(super) fn most(&self) -> Memory {
        let more = |a: Memory, b: Memory| if b.proportional > a.proportional { b } else { a };
        self.memory.iter().copied().reduce(more).unwrap_or_default()
    }

    /// The medians of the first and the second half: what grows without bounds shows here.
    pub(super) fn halves(&self) -> Option<[f64; 2]> {
        let (first, second) = self.memory.split_at(self.memory.len() / 2);
        let median = |part: &[Memory]| percentile(&sorted(part.iter().map(|memory| memory.proportional)), 50.0);
        Some([median(first)?, median(second)?])
    }
}

/// Rolls out to all devices again and again, and presses the LED of another one meanwhile.
pub(super) async fn measure(size: &Size) -> Result<Load> {
    let broker = Broker::start(&Settings { more: BROKER, ..Settings::default() })?;
    let _echo = start_echo(&broker.url(), None).await?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let _probe = probe(&broker, &desk)?;
    wilco(&desk, &["connections", "add", "bench", "--url", &broker.url(), "--prefix", "bench"])?;
    let console = desk.open().await?;
    console.resize(WINDOW.0, WINDOW.1).await?;
    import(&desk, size.fleet)?;
    console.go("Fleet").await?;
    let shown = "return Number(document.querySelector('[role=grid]')?.ariaRowCount ?? 0)";
    soon_async("rows", LISTED, async || {
        let rows = console.run(shown, vec![]).await?.as_u64().unwrap_or_default();
        Ok((rows >= size.fleet as u64).then_some(()))
    })
    .await?;
    console.fill("Search devices", &format!("{PROBE}\n")).await?;
    console.choose(PROBE).await?;
    console.flip_led().await?;
    console.fill("Search devices", "\n").await?;
    let led = Led::find(&console, &desk).await?;
    let process = console.process();
    let before = memory(process)?;

    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begun = Instant::now();
    let (measured, memory) = tokio::task::block_in_place(|| {
        thread::scope(|scope| {
            let fleet = scope.spawn(|| roll_out(&desk, size.fleet, &over, &answered));
            let eyes = scope.spawn(|| watch_memory(process, &over));
            let measured = tokio::runtime::Handle::current().block_on(async {
                console.run(COUNT_FRAMES, vec![]).await?;
                let mut presses = Vec::new();
                while begun.elapsed() < size.load {
                    presses.push(led.press().await?);
                }
                let frames = console.run("return window.frames", vec![]).await?;
                let scroll = scroll_steadily(&console, &desk).await?;
                anyhow::Ok((presses, frames, scroll))
            });
            over.store(true, Ordering::Relaxed);
            let fleet = fleet.join().map_err(|_| anyhow::anyhow!("rolling out failed"))?;
            let memory = eyes.join().map_err(|_| anyhow::anyhow!("looking at the memory failed"))?;
            anyhow::Ok((fleet.and(measured)?, memory?))
        })
    })?;
    let lasted = begun.elapsed();
    console.close().await?;
    let (presses, frames, scroll) = measured;
    let answered = answered.load(Ordering::Relaxed);
    println!("{answered} answers in {:.0} s", lasted.as_secs_f64());
    Ok(Load { devices: size.fleet, lasted, answered, presses, frames: summed_up(&frames)?, scroll, before, memory })
}

/// Notes down when each frame is drawn.
const COUNT_FRAMES: &str = "const state = window;
    state.frames = [];
    let before = performance.now();
    const frame = (now) => {
        state.frames.push(now - before);
        before = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);";

fn summed_up(frames: &Value) -> Result<[f64; 3]> {
    let frames = frames.as_array().context("no frames")?;
    let frames = sorted(frames.iter().filter_map(Value::as_f64));
    let part = |part| percentile(&frames, part).context("no frame was drawn");
    Ok([part(50.0)?, part(95.0)?, part(100.0)?])
}

fn probe(broker: &Broker, desk: &Desk) -> Result<Child> {
    let mut device = Child::command(program("wilco-device")?);
    device
        .args(["--url", &broker.url(), "--id", PROBE, "--prefix", "bench", "--telemetry-ms", "0"])
        .stdout(Stdio::null());
    Child::start(&mut device, &desk.data().join("probe.log"))
}

fn import(desk: &Desk, devices: usize) -> Result<()> {
    let list = desk.data().join("devices.csv");
    let lines = (0..devices).map(|number| format!("unit-{number:06}\n")).collect::<String>();
    fs::write(&list, format!("id\n{lines}"))?;
    wilco(desk, &["devices", "import", "-c", "bench", &list.display().to_string()]).map(drop)
}

/// One rollout after the other, until it is enough.
fn roll_out(desk: &Desk, devices: usize, over: &AtomicBool, answered: &AtomicUsize) -> Result<()> {
    let rate = PER_SECOND.to_string();
    let mut on = true;
    while !over.load(Ordering::Relaxed) {
        let argument = format!("on={on}");
        let start =
            ["rollout", "start", "-c", "bench", "--search", "unit-", "--rate", &rate, "--yes", "--output", "json"];
        let told = wilco(desk, &[&start[..], &["led", &argument]].concat())?;
        let end: Value = serde_json::from_str(told.lines().last().context("nothing was told of a rollout")?)?;
        let succeeded = end["counts"]["succeeded"].as_u64().and_then(|count| usize::try_from(count).ok());
        ensure!(succeeded == Some(devices), "a rollout did not succeed: {end}");
        answered.fetch_add(devices, Ordering::Relaxed);
        on = !on;
    }
    Ok(())
}

fn watch_memory(process: u32, over: &AtomicBool) -> Result<Vec<Memory>> {
    let mut seen = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let now = memory(process)?;
        if seen.len().is_multiple_of(SHOWN_EACH) {
            println!("{:.0} MB, of it {:.0} the app's own process", now.proportional, now.own);
        }
        seen.push(now);
        thread::sleep(LOOK_EVERY);
    }
    Ok(seen)
}
