//! Blank rows while a long list scrolls, counted in the pixels of the display.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use wilco_tests::{Area, Broker, Console, Desk, Display, Keyring, Picture, keys, soon_async};

use super::{Size, on_display, open_on, wilco};

/// Between two looks at the display.
const LOOK_EVERY: Duration = Duration::from_millis(8);
/// Rows a second of the steady scroll: a quick turn of the wheel.
const SPEED: usize = 400;
/// Jumps to far places, as by dragging the thumb, and presses of Page Down.
const STEPS: usize = 40;
/// A text in a row is at least so high, pixels: what lies between the texts of two rows is no blank row.
const TEXT: usize = 10;

/// Scrolls so many pixels a second.
const STEADILY: &str =
    "const [grid, speed, state] = [document.querySelector('[role=grid][aria-label=Devices]'), arguments[0], window];
    state.scrolls = true;
    const begun = performance.now();
    const step = () => {
        grid.scrollTop = (performance.now() - begun) / 1_000 * speed;
        if (grid.scrollTop + grid.clientHeight < grid.scrollHeight - 1) requestAnimationFrame(step);
        else state.scrolls = false;
    };
    requestAnimationFrame(step);";
/// Scrolls to so many places that lie far from each other.
const BY_JUMPS: &str =
    "const [grid, steps, state] = [document.querySelector('[role=grid][aria-label=Devices]'), arguments[0], window];
    state.scrolls = true;
    let left = steps;
    const jump = () => {
        grid.scrollTop = (left * 7919 % 1000) / 1000 * grid.scrollHeight;
        if (--left > 0) setTimeout(jump, 200);
        else setTimeout(() => (state.scrolls = false), 400);
    };
    jump();";
/// How long a part of a list scrolls.
const PART: Duration = Duration::from_secs(20);

/// One way to scroll.
#[derive(Debug, Clone)]
pub(super) struct Scroll {
    pub(super) way: &'static str,
    /// Different pictures that were seen.
    pub(super) pictures: usize,
    /// Those with blank rows.
    pub(super) with_blank: usize,
    /// Blank rows in all of them.
    pub(super) blank: usize,
}

/// Scrolls through a list of devices in every way.
pub(super) async fn measure(size: &Size) -> Result<Vec<Scroll>> {
    let broker = Broker::plain()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = open_on(&desk, &broker).await?;
    let list = desk.data().join("devices.csv");
    let lines = (0..size.rows).map(|number| format!("lamp-{number:05}\n")).collect::<String>();
    fs::write(&list, format!("id\n{lines}"))?;
    wilco(&desk, &["devices", "import", "-c", "bench", &list.display().to_string()])?;
    console.go("Fleet").await?;
    let shown = "return Number(document.querySelector('[role=grid]')?.ariaRowCount ?? 0)";
    soon_async("rows", Duration::from_secs(60), async || {
        let rows = console.run(shown, vec![]).await?.as_u64().unwrap_or_default();
        Ok((rows >= size.rows as u64).then_some(()))
    })
    .await?;
    let found = names(&console).await?;
    let area = on_display(&console, &desk, &found[0]).await?;
    let row = height(&found)?;
    let eyes = ScreenWatcher { display: desk.display(), area, row };
    let mut scrolls = Vec::new();
    for (way, script, argument) in [("steadily", STEADILY, json!(SPEED * row)), ("by jumps", BY_JUMPS, json!(STEPS))] {
        scrolls.push(eyes.watch(way, scroll(&console, script, argument))?);
    }
    scrolls.push(eyes.watch("by Page Down", page_down(&console))?);
    console.close().await?;
    Ok(scrolls)
}

/// Scrolls steadily through a part of the list that is shown.
pub(super) async fn scroll_steadily(console: &Console, desk: &Desk) -> Result<Scroll> {
    let found = names(console).await?;
    let eyes = ScreenWatcher {
        display: desk.display(),
        area: on_display(console, desk, &found[0]).await?,
        row: height(&found)?,
    };
    let speed = json!(SPEED * eyes.row);
    eyes.watch("steadily, while devices answer", async {
        console.run(STEADILY, vec![speed]).await?;
        tokio::time::sleep(PART).await;
        Ok(())
    })
}

/// Where the names of the devices are, and how high a row is.
async fn names(console: &Console) -> Result<Value> {
    let names = "const grid = document.querySelector('[role=grid][aria-label=Devices]');
        const name = grid.querySelector('[role=row][data-device] .device').getBoundingClientRect();
        const row = grid.querySelector('[role=row][data-device]').getBoundingClientRect();
        const end = grid.getBoundingClientRect().top + grid.clientHeight;
        return [[name.left, row.top, Math.min(name.width, 160), end - row.top].map(Math.round), row.height]";
    console.run(names, vec![]).await
}

fn height(found: &Value) -> Result<usize> {
    Ok(found[1].as_f64().context("no height of a row")?.round() as usize)
}

async fn scroll(console: &Console, script: &str, argument: Value) -> Result<()> {
    console.run(script, vec![argument]).await?;
    soon_async("end of the list", Duration::from_secs(600), async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok((console.run("return window.scrolls", vec![]).await? == json!(false)).then_some(()))
    })
    .await
}

async fn page_down(console: &Console) -> Result<()> {
    let begin =
        "const grid = document.querySelector('[role=grid][aria-label=Devices]'); grid.scrollTop = 0; grid.focus();";
    console.run(begin, vec![]).await?;
    for _ in 0..STEPS {
        console.press(keys::PAGE_DOWN).await?;
    }
    Ok(())
}

/// The observer of the names' column.
struct ScreenWatcher<'a> {
    display: &'a Display,
    area: Area,
    /// The height of a row, pixels.
    row: usize,
}

impl ScreenWatcher<'_> {
    fn watch(&self, way: &'static str, scrolling: impl Future<Output = Result<()>>) -> Result<Scroll> {
        let enough = AtomicBool::new(false);
        let handle = Handle::current();
        let scroll = tokio::task::block_in_place(|| {
            thread::scope(|scope| {
                let eyes = scope.spawn(|| self.look(way, &enough));
                let scrolled = handle.block_on(scrolling);
                enough.store(true, Ordering::Relaxed);
                let seen = eyes.join().map_err(|_| anyhow::anyhow!("looking at the display failed"))?;
                scrolled.and(seen)
            })
        })?;
        println!("{way}: {} pictures, {} with blank rows", scroll.pictures, scroll.with_blank);
        Ok(scroll)
    }

    fn look(&self, way: &'static str, enough: &AtomicBool) -> Result<Scroll> {
        let mut scroll = Scroll { way, pictures: 0, with_blank: 0, blank: 0 };
        let mut before = self.display.area(self.area)?;
        while !enough.load(Ordering::Relaxed) {
            thread::sleep(LOOK_EVERY);
            let now = self.display.area(self.area)?;
            if now == before {
                continue;
            }
            let blank = blank_rows(&now, self.row);
            scroll.pictures += 1;
            scroll.with_blank += usize::from(blank > 0);
            scroll.blank += blank;
            before = now;
        }
        Ok(scroll)
    }
}

/// Rows without a text in a picture of a column that has one in every row.
fn blank_rows(picture: &Picture, row: usize) -> usize {
    let is_empty = |line: &[[u8; 4]]| line.iter().all(|pixel| Some(pixel) == line.first());
    let between = row.saturating_sub(TEXT);
    let blank = |run: usize| (run.saturating_sub(between) + row / 2) / row.max(1);
    let (blank_before, run) = picture
        .lines()
        .fold((0, 0), |(rows, run), line| if is_empty(line) { (rows, run + 1) } else { (rows + blank(run), 0) });
    blank_before + blank(run)
}
