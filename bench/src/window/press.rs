//! The time from a press on the LED to the changed pixels: the first visible reaction, and the final state.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::runtime::Handle;
use wilco_tests::{Area, Broker, Console, Desk, Fleet, Keyring};

use super::{Size, on_display, open_on, rectangle, wilco};

/// Devices in the list.
const DEVICES: usize = 20;
/// Between two looks at the display.
const LOOK_EVERY: Duration = Duration::from_millis(3);
/// A press has been answered and drawn long before that.
const DRAWN: Duration = Duration::from_millis(1_300);
/// Presses before those that count: they leave the pointer where it stays.
const WARM_UP: usize = 2;

/// One press, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Press {
    /// From the press to the first pixel of the LED that is different.
    pub(super) first: f64,
    /// From the press to the last pixel of the LED or of its ladder that is different.
    pub(super) last: f64,
    /// From the command's place in the outbox to the device's answer, both on the disk.
    pub(super) device: f64,
}

/// Presses the LED of one device again and again.
pub(super) async fn measure(size: &Size) -> Result<Vec<Press>> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "lamp", DEVICES, &[])?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = open_on(&desk, &broker).await?;
    let device = console.wait_for_online(None).await?;
    console.choose(&device).await?;
    // So that there is a ladder to look at.
    console.flip_led().await?;
    let led = Led::find(&console, &desk).await?;
    let mut drawn = Vec::new();
    for _ in 0..WARM_UP + size.presses {
        drawn.push(led.press().await?);
    }
    let history = ["history", "-c", "bench", "--device", &device, "--format", "json", "--limit"];
    let text = wilco(&desk, &[&history[..], &[&drawn.len().to_string()]].concat())?;
    console.close().await?;
    let mut devices: Vec<f64> = text.lines().map(took).collect::<Result<_>>()?;
    // Newest first.
    devices.reverse();
    ensure!(devices.len() == drawn.len(), "{} commands for {} presses", devices.len(), drawn.len());
    let presses = drawn.into_iter().zip(devices).skip(WARM_UP);
    Ok(presses.map(|((first, last), device)| Press { first, last, device }).collect())
}

/// The LED of the device that is chosen, and its ladder, on the display.
pub(super) struct Led<'a> {
    console: &'a Console,
    desk: &'a Desk,
    led: Area,
    ladder: Area,
}

impl<'a> Led<'a> {
    /// Finds them; the device has been sent a command, so that there is a ladder.
    pub(super) async fn find(console: &'a Console, desk: &'a Desk) -> Result<Self> {
        let led = on_display(console, desk, &rectangle(console, "[role=switch][aria-label=LED]").await?).await?;
        let ladder =
            on_display(console, desk, &rectangle(console, "[role=complementary] .rungs, aside .rungs").await?).await?;
        let note = "window.pressedAt = 0;
            document.addEventListener('mousedown', (event) => { window.pressedAt = performance.timeOrigin + event.timeStamp; }, true);";
        console.run(note, vec![]).await?;
        Ok(Self { console, desk, led, ladder })
    }

    /// Presses the LED: after how many milliseconds it changed on the display, and after how many nothing did any more.
    pub(super) async fn press(&self) -> Result<(f64, f64)> {
        let (pressed, changes) = self.watch().await?;
        let after = |changes: &[f64]| changes.iter().copied().filter(|at| *at >= pressed).collect::<Vec<_>>();
        let (led, ladder) = (after(&changes.led), after(&changes.ladder));
        let first = *led.first().context("the LED did not change")?;
        let last = led.iter().chain(&ladder).copied().fold(first, f64::max);
        Ok((first - pressed, last - pressed))
    }

    /// Presses the LED, and says when, and what was drawn since.
    async fn watch(&self) -> Result<(f64, Changes)> {
        let switch = self.console.one("switch", "LED").await?;
        let enough = AtomicBool::new(false);
        let handle = Handle::current();
        tokio::task::block_in_place(|| {
            thread::scope(|scope| {
                let eyes = scope.spawn(|| self.look(&enough));
                let pressed = handle.block_on(async {
                    let clicked = self.console.click_on(&switch, "LED").await;
                    tokio::time::sleep(DRAWN).await;
                    clicked?;
                    self.console.run("return window.pressedAt", vec![]).await
                });
                enough.store(true, Ordering::Relaxed);
                let changes = eyes.join().map_err(|_| anyhow::anyhow!("looking at the display failed"))??;
                Ok((pressed?.as_f64().context("no time of the press")?, changes))
            })
        })
    }

    fn look(&self, enough: &AtomicBool) -> Result<Changes> {
        let display = self.desk.display();
        let mut changes = Changes::default();
        let (mut before_led, mut before_ladder) = (display.area(self.led)?, display.area(self.ladder)?);
        while !enough.load(Ordering::Relaxed) {
            thread::sleep(LOOK_EVERY);
            let (now_led, now_ladder) = (display.area(self.led)?, display.area(self.ladder)?);
            let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1_000.0;
            if now_led != before_led {
                changes.led.push(at);
            }
            if now_ladder != before_ladder {
                changes.ladder.push(at);
            }
            (before_led, before_ladder) = (now_led, now_ladder);
        }
        Ok(changes)
    }
}

/// When parts of the display changed, Unix milliseconds.
#[derive(Debug, Default)]
struct Changes {
    led: Vec<f64>,
    ladder: Vec<f64>,
}

/// How long a command of the history took, milliseconds.
fn took(line: &str) -> Result<f64> {
    let row: Value = serde_json::from_str(line)?;
    let ended = row["state"] == "succeeded";
    ensure!(ended, "a press did not succeed: {line}");
    let time = |name: &str| row[name].as_f64().with_context(|| format!("no {name}"));
    Ok(time("finished_at")? - time("queued_at")?)
}
