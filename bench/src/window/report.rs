//! The report about the window.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::Size;
use super::idle::Idle;
use super::load::Load;
use super::press::Press;
use super::scroll::Scroll;
use crate::figures::{percentile, sorted};
use crate::machine;
use crate::report::{rounded, thousands};

/// The most that a screen at rest may take of a core, per cent, and where no other limit is named.
const LIMITS: [(&str, f64); 2] = [("Welcome", 2.0), ("Fleet", 5.0)];

/// All that was measured.
pub(super) struct Measured {
    pub(super) idle: Vec<Idle>,
    pub(super) presses: Vec<Press>,
    pub(super) scrolls: Vec<Scroll>,
    pub(super) load: Load,
    pub(super) size: Size,
}

/// Writes `bench-window.md` into a directory.
pub(super) fn write(directory: &Path, measured: &Measured) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    let page = page(measured)?;
    std::fs::write(directory.join("bench-window.md"), &page)?;
    print!("\n{page}");
    Ok(())
}

/// The name of a row, and the time that it shows.
type Row = (&'static str, fn(&Press) -> f64);

fn page(Measured { idle, presses, scrolls, load, size }: &Measured) -> Result<String> {
    let mut page = String::from(
        "# The window at rest and at work\n\n\
         The app's window of 1,280 by 800 pixels, drawn by the software renderer. `cargo xtask bench window` writes this \
         page.\n\n\
         ## Processor time\n\n\
         Per cent of one core, of the app's process and of the one that draws the page, while nobody touches anything. \
         *Entering* is the first 5 s after the screen was opened. History and Fleet show the demo fleet of 2,000 devices, \
         which runs in the app's process.\n\n\
         | screen | app | page | page while entering | limit of the page at rest |\n| --- | --- | --- | --- | --- |\n",
    );
    for Idle { screen, entering, at_rest } in idle {
        let limit = LIMITS.iter().find(|(name, _)| name == screen).map_or("none".to_owned(), |(_, limit)| {
            let kept = if at_rest.page < *limit { "kept" } else { "exceeded" };
            format!("{limit} %: {kept}")
        });
        writeln!(
            page,
            "| {screen} | {:.1} % | {:.1} % | {:.1} % | {limit} |",
            at_rest.app, at_rest.page, entering.page
        )?;
    }
    write!(
        page,
        "\n## A press on the LED\n\n\
         {} presses, one after the other, of a device behind a broker on this computer. *Final state* is the last change of \
         the LED or its ladder, animations included. *Device* is from the outbox to the device's answer; *window* is the \
         rest.\n\n| | median, ms | p95, ms |\n| --- | --- | --- |\n",
        presses.len()
    )?;
    let rows: [Row; 4] = [
        ("first visible reaction", |press| press.first),
        ("final state drawn", |press| press.last),
        ("of it, device", |press| press.device),
        ("of it, window", |press| press.last - press.device),
    ];
    for (name, of) in rows {
        let values = sorted(presses.iter().map(of));
        let part = |part| percentile(&values, part).context("no press was measured");
        writeln!(page, "| {name} | {} | {} |", rounded(part(50.0)?), rounded(part(95.0)?))?;
    }
    write!(
        page,
        "\n## Scrolling\n\n\
         A list of {} devices. Each picture that differs from the one before it is searched for rows without a name.\n\n\
         | way | pictures | with blank rows | blank rows |\n| --- | --- | --- | --- |\n",
        thousands(size.rows)
    )?;
    for Scroll { way, pictures, with_blank, blank } in scrolls {
        writeln!(page, "| {way} | {} | {} | {} |", thousands(*pictures), thousands(*with_blank), thousands(*blank))?;
    }
    under_load(&mut page, load)?;
    page.push_str("\n## The machine\n\n| | |\n| --- | --- |\n");
    for (name, value) in machine::describe()? {
        writeln!(page, "| {name} | {value} |")?;
    }
    Ok(page)
}

/// The most milliseconds from a press to the first change that are wanted under load, at the 95th percentile.
const SEEN_WITHIN: f64 = 250.0;

/// What happened under load.
pub(super) fn load(load: &Load) -> Result<String> {
    let mut page = String::new();
    under_load(&mut page, load)?;
    Ok(page)
}

fn under_load(page: &mut String, load: &Load) -> Result<()> {
    let Load { devices, lasted, answered, presses, frames: [median, p95, longest], scroll, before, .. } = load;
    let (most, [first_half, second_half]) = (load.most(), load.halves().context("the memory was not measured")?);
    let seconds = lasted.as_secs_f64();
    write!(
        page,
        "\n## {} devices that answer without a pause\n\n\
         One rollout after the other goes to all of them at 5,000 commands a second, while the LED of another device is \
         pressed again and again: {} answers in {:.0} s, {} a second, and {} presses. Broker and devices share the \
         processor with the app.\n\n| | median | p95 | longest |\n| --- | --- | --- | --- |\n",
        thousands(*devices),
        thousands(*answered),
        seconds,
        thousands((*answered as f64 / seconds) as usize),
        thousands(presses.len()),
    )?;
    let mut row = |name: &str, values: &[f64]| -> Result<f64> {
        let part = |part| percentile(values, part).context("no press was measured");
        let [median, p95, longest] = [part(50.0)?, part(95.0)?, part(100.0)?].map(rounded);
        writeln!(page, "| {name} | {median} ms | {p95} ms | {longest} ms |")?;
        part(95.0)
    };
    let first = row("a press to its first visible reaction", &sorted(presses.iter().map(|(first, _)| *first)))?;
    row("a press to its final state drawn", &sorted(presses.iter().map(|(_, last)| *last)))?;
    let [median, p95, longest] = [*median, *p95, *longest].map(rounded);
    writeln!(page, "| from one frame of the page to the next | {median} ms | {p95} ms | {longest} ms |")?;
    let kept = if first <= SEEN_WITHIN { "kept" } else { "exceeded" };
    writeln!(
        page,
        "\nWanted: a reaction within {SEEN_WITHIN} ms at p95: {kept}. While the list scrolled steadily, {} of {} pictures had \
         blank rows. Memory of the app and its WebKit processes (PSS): {:.0} MB before, of it {:.0} MB the app's own process; at \
         the most {:.0} MB, of it {:.0} MB the app's own; in the median {first_half:.0} MB in the first half of the time and \
         {second_half:.0} MB in the second.",
        thousands(scroll.with_blank),
        thousands(scroll.pictures),
        before.proportional,
        before.own,
        most.proportional,
        most.own,
    )?;
    Ok(())
}
