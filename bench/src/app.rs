//! The released app: the time until its window can be used, and its memory.
//!
//! It is measured from outside, on a display whose pixels can be read. A window counts as usable as soon as it looks as
//! it does once nothing changes any more.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use wilco_tests::{Broker, Child, Display, Keyring, Picture, Session, program, soon};

use crate::course::Size;
use crate::figures::{Figure, milliseconds};
use crate::processes;

/// The app's program.
const APP: &str = "wilco-desktop";
/// Between two looks at the display.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A picture that has not changed for so long is the last.
const STILL_FOR: Duration = Duration::from_millis(1_500);
/// Every how many pixels one is looked at: no divisor of the display's width, so that they lie scattered over it.
const EVERY: usize = 49;
/// A window without a page in it has fewer colours.
const COLOURS: usize = 20;
/// The part of the pixels that must be the same in two pictures of the same thing.
const ALIKE: f64 = 0.99;
/// After the last picture, for the memory of the start to be given back and the devices to have told of themselves.
const REST: Duration = Duration::from_secs(15);

/// The measured times.
#[derive(Debug)]
pub(crate) struct App {
    /// From the start of the process to a usable window, milliseconds.
    pub(crate) start: Figure,
    pub(crate) empty: Memory,
    pub(crate) with_devices: Memory,
}

/// The memory of the app and its WebKit processes, in MB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident, what is shared counted once for each process that shares it.
    pub(crate) resident: f64,
    /// What is shared divided among those who share it.
    pub(crate) proportional: f64,
    /// Of it, the app's own process.
    pub(crate) own: f64,
    pub(crate) processes: usize,
}

/// Starts the app as often as there are rounds, and again with devices.
pub(crate) fn measure(size: &Size) -> Result<App> {
    println!("\nThe app");
    let session = Session::start(Keyring::Unlocked)?;
    let display = Display::start()?;
    let mut starts = Vec::new();
    let mut empty = Memory::default();
    // One more than counts: the first finds the programs of WebKit not yet in the cache.
    for round in 0..=size.rounds {
        let data = tempfile::Builder::new().prefix("bench-app-").tempdir()?;
        let (app, took) = start(&session, &display, data.path())?;
        println!(
            "usable after {:.0} ms{}",
            milliseconds(&took),
            if round == 0 { ", which does not count" } else { "" }
        );
        if round > 0 {
            starts.push(milliseconds(&took));
        }
        if round == size.rounds {
            std::thread::sleep(REST);
            empty = memory(app.id())?;
        }
    }
    let with_devices = with_devices(&session, &display, size.devices)?;
    Ok(App { start: Figure::of(starts).context("the app was not started")?, empty, with_devices })
}

fn with_devices(session: &Session, display: &Display, devices: usize) -> Result<Memory> {
    let data = tempfile::Builder::new().prefix("bench-app-").tempdir()?;
    let broker = Broker::plain()?;
    let mut fleet = Child::command(program("wilco-device")?);
    fleet.args(["--url", &broker.url(), "--id", "bench", "--count", &devices.to_string()]);
    let _fleet = Child::start(&mut fleet, &data.path().join("fleet.log"))?;
    let wilco = |arguments: &[&str]| -> Result<String> {
        let mut command = Command::new(program("wilco")?);
        command.args(arguments).envs(session.variables()).env("WILCO_DATA_DIR", data.path());
        let output = command.output().context("wilco could not be started")?;
        ensure!(output.status.success(), "wilco failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    wilco(&["connections", "add", "bench", "--url", &broker.url()])?;
    let (app, _) = start(session, display, data.path())?;
    soon("fleet that is all online", Duration::from_secs(60), || {
        let listed = wilco(&["devices", "--connection", "bench", "--output", "json"]).ok()?;
        (listed.matches("\"online\"").count() >= devices).then_some(())
    })?;
    std::thread::sleep(REST);
    memory(app.id())
}

/// Starts the app, and says after how long its window could be used.
fn start(session: &Session, display: &Display, data: &Path) -> Result<(Child, Duration)> {
    let mut command = Child::command(program(APP)?);
    command
        .envs(session.variables())
        .env("DISPLAY", display.name())
        .env_remove("WAYLAND_DISPLAY")
        .env("GDK_BACKEND", "x11")
        .env("NO_AT_BRIDGE", "1")
        // There is no graphics card: WebKit paints on the processor.
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1")
        .env("WILCO_DATA_DIR", data)
        .stdout(Stdio::null());
    let bare = display.picture()?.thinned(EVERY);
    let begun = Instant::now();
    let app = Child::start(&mut command, &data.join("app.log"))?;
    let mut seen: Vec<(Duration, Picture)> = Vec::new();
    loop {
        std::thread::sleep(LOOK_EVERY);
        let now = begun.elapsed();
        seen.push((now, display.picture()?.thinned(EVERY)));
        if let Some(usable) = usable(&seen, &bare) {
            return Ok((app, usable));
        }
        ensure!(now < Duration::from_secs(60), "the window keeps changing, or never opened: {}", app.log());
    }
}

/// When the display began to look as it does now, if it has done so for long enough and shows a page.
fn usable(seen: &[(Duration, Picture)], bare: &Picture) -> Option<Duration> {
    let (now, last) = seen.last()?;
    if last.colours() < COLOURS || last == bare {
        return None;
    }
    let since = seen.iter().rev().take_while(|(_, picture)| picture.alike(last) >= ALIKE).last()?.0;
    (*now - since >= STILL_FOR).then_some(since)
}

/// The memory of a process and of all that it has started.
pub(crate) fn memory(root: u32) -> Result<Memory> {
    let family = processes::family(root)?;
    let mut memory = Memory { processes: family.len(), ..Memory::default() };
    for id in family {
        let rollup = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
        memory.resident += kilobytes(&rollup, "Rss:").context("no Rss")? / 1_000.0;
        let proportional = kilobytes(&rollup, "Pss:").context("no Pss")? / 1_000.0;
        memory.proportional += proportional;
        if processes::is_named(id, APP) {
            memory.own = proportional;
        }
    }
    Ok(memory)
}

/// A line of the kernel's in KiB, in units of 1,000 bytes.
fn kilobytes(rollup: &str, name: &str) -> Option<f64> {
    let number =
        rollup.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<f64>().ok());
    Some(number? * 1.024)
}
