//! The report: a page of tables, and a picture.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::app::{App, Memory};
use crate::course::{Contender, Size, TransportResults};
use crate::figures::{Figure, milliseconds};
use crate::installation::Sized;
use crate::machine::Fact;
use crate::plot::{self, Bar, Chart};

/// One command may take this many times what the bare client takes, and the two commits.
const ONE: f64 = 1.25;
/// Many commands may take this many times what the bare client takes.
const MANY: f64 = 1.5;

/// All that was measured.
pub(crate) struct Report {
    pub(crate) course: Vec<TransportResults>,
    pub(crate) app: App,
    pub(crate) installed: Vec<Sized>,
    pub(crate) machine: Vec<Fact>,
    pub(crate) size: Size,
}

/// Writes `bench.md` and `bench/bench.svg` into a directory.
pub(crate) fn write(directory: &Path, report: &Report) -> Result<()> {
    std::fs::create_dir_all(directory.join("bench"))?;
    let mut charts = Vec::new();
    for way in &report.course {
        charts.push(one_chart(way)?);
        charts.push(many_chart(way, report.size.many)?);
    }
    plot::draw(&directory.join("bench/bench.svg"), &charts)?;
    let page = page(report)?;
    std::fs::write(directory.join("bench.md"), &page)?;
    print!("\n{page}");
    Ok(())
}

/// Three digits, as far as they say anything.
pub(crate) fn rounded(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

fn page(report: &Report) -> Result<String> {
    let mut page = String::from(INTRODUCTION);
    let Size { rounds, singles, many, devices } = report.size;
    write!(
        page,
        "\n![Bars of the medians, dots of the rounds](bench/bench.svg)\n\n\
         Medians of {rounds} rounds in which all take turns; in brackets the lowest and the highest of the rounds.\n"
    )?;

    write!(
        page,
        "\n## One command and its answer\n\n\
         {singles} commands a round, one at a time. The target for Wilco's median is {ONE} × the bare client's plus the two \
         commits, measured in the same rounds by the store alone.\n\n\
         | | | p50, ms | p95, ms | against bare rumqttc |\n| --- | --- | --- | --- | --- |\n"
    )?;
    for way in &report.course {
        let bare = single(way, Contender::Bare, 50.0)?;
        for who in Contender::ALL {
            let (middle, slow) = (single(way, who, 50.0)?, single(way, who, 95.0)?);
            let ratio = rounded(middle.median / bare.median);
            let (name, over) = (who.name(), way.name);
            writeln!(page, "| {over} | {name} | {} | {} | {ratio} × |", shown(middle), shown(slow))?;
        }
        verdict(&mut page, way.name, single(way, Contender::Wilco, 50.0)?.median, one_target(way)?)?;
    }

    write!(
        page,
        "\n## {} commands fanned out and answered\n\n\
         One to each of as many devices, all at once, until every answer has been matched. The target for Wilco's median is \
         {MANY} × the bare client's.\n\n\
         | | | ms | commands a second | against bare rumqttc |\n| --- | --- | --- | --- | --- |\n",
        thousands(many)
    )?;
    for way in &report.course {
        let bare = fan_out(way, Contender::Bare)?;
        for who in [Contender::Wilco, Contender::Bare, Contender::MqttJs] {
            let took = fan_out(way, who)?;
            let rate = thousands((many as f64 / took.median * 1_000.0).round() as usize);
            let ratio = rounded(took.median / bare.median);
            writeln!(page, "| {} | {} | {} | {rate} | {ratio} × |", way.name, who.name(), shown(took))?;
        }
        verdict(&mut page, way.name, fan_out(way, Contender::Wilco)?.median, MANY * bare.median)?;
    }
    let pages = report.course.iter().flat_map(|way| way.first_page.iter().map(milliseconds));
    write!(
        page,
        "\nBy then all events are on the disk; the tables for lists are written afterwards, or at the first read. The first page \
         of the history, read at that moment: {} ms.\n",
        shown(Figure::of(pages).context("nothing was measured")?)
    )?;

    let App { start, empty, with_devices } = report.app;
    write!(
        page,
        "\n## The app\n\n\
         The release build on a display without a graphics card. A window counts as usable as soon as it looks as it \
         does in the end. Memory is that of the app and its WebKit processes.\n\n\
         | | |\n| --- | --- |\n\
         | from the start of the process to a usable window | {} ms |\n\
         | memory, empty | {} |\n\
         | memory, with {} devices online | {} |\n",
        shown(start),
        memory(empty),
        thousands(devices),
        memory(with_devices)
    )?;
    for (name, size) in &report.installed {
        writeln!(page, "| size of the {name} | {size:.1} MB |")?;
    }
    write!(page, "\n## Measured on\n\n| | |\n| --- | --- |\n")?;
    for (name, value) in &report.machine {
        writeln!(page, "| {name} | {value} |")?;
    }
    Ok(page)
}

const INTRODUCTION: &str = "\
# What the promise costs

Written by `cargo xtask bench`; do not edit it by hand.

Wilco writes every command to the disk before it sends it, and every answer before it counts. Here the release build of its
engine, with its real store, runs beside clients that store nothing: a bare client of the MQTT library that Wilco uses, and
one of MQTT.js. All have the same broker (mosquitto, one thread) and the same echo device, a process that answers every
command at once; TCP_NODELAY is set on every side. A command of Wilco counts as finished when the batch for the window reports
it, which is after its answer is on the disk.
";

fn one_chart(way: &TransportResults) -> Result<Chart> {
    let bars = Contender::ALL.into_iter().map(|who| {
        let rounds = way.singles.get(&who).context("a contender did not run")?;
        let rounds = rounds.iter().filter_map(|round| Figure::of_rounds(std::slice::from_ref(round), 50.0));
        bar(who, rounds.map(|figure| figure.median).collect())
    });
    Ok(Chart {
        heading: format!("One command and its answer over {}, p50", way.name),
        unit: "ms",
        bars: bars.collect::<Result<_>>()?,
        target: one_target(way)?,
    })
}

fn many_chart(way: &TransportResults, many: usize) -> Result<Chart> {
    let bars = [Contender::Wilco, Contender::Bare, Contender::MqttJs].into_iter().map(|who| {
        let rounds = way.many.get(&who).context("a contender did not run")?;
        bar(who, rounds.iter().map(milliseconds).collect())
    });
    Ok(Chart {
        heading: format!("{} commands fanned out and answered over {}", thousands(many), way.name),
        unit: "ms",
        bars: bars.collect::<Result<_>>()?,
        target: MANY * fan_out(way, Contender::Bare)?.median,
    })
}

fn bar(who: Contender, rounds: Vec<f64>) -> Result<Bar> {
    let median = Figure::of(rounds.iter().copied()).context("nothing was measured")?.median;
    let colour = match who {
        Contender::Wilco => plot::WILCO,
        Contender::Bare | Contender::MqttJs => plot::OTHERS,
        Contender::Commits => plot::DISK,
    };
    Ok(Bar { name: who.name().to_owned(), median, rounds, colour })
}

fn single(way: &TransportResults, who: Contender, part: f64) -> Result<Figure> {
    let rounds = way.singles.get(&who).context("a contender did not run")?;
    Figure::of_rounds(rounds, part).context("nothing was measured")
}

fn fan_out(way: &TransportResults, who: Contender) -> Result<Figure> {
    let rounds = way.many.get(&who).context("a contender did not run")?;
    Figure::of(rounds.iter().map(milliseconds)).context("nothing was measured")
}

fn one_target(way: &TransportResults) -> Result<f64> {
    Ok(ONE * single(way, Contender::Bare, 50.0)?.median + single(way, Contender::Commits, 50.0)?.median)
}

fn verdict(page: &mut String, way: &str, wilco: f64, target: f64) -> Result<()> {
    let verdict = if wilco <= target { "met" } else { "**missed**" };
    let (part, target) = (wilco / target * 100.0, rounded(target));
    Ok(writeln!(page, "| {way} | *target for Wilco* | *{target}* | | {verdict}: {part:.0} % of it |")?)
}

fn shown(figure: Figure) -> String {
    format!("{} ({} … {})", rounded(figure.median), rounded(figure.least), rounded(figure.most))
}

fn memory(memory: Memory) -> String {
    let Memory { resident, proportional, processes, .. } = memory;
    format!("{proportional:.0} MB proportional (PSS), {resident:.0} MB resident (RSS), {processes} processes")
}

/// With commas.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{rounded, thousands, verdict};

    #[test]
    fn numbers_are_written_for_people() {
        let check = |value: f64, expected: &str| assert_eq!(rounded(value), expected);
        check(0.137_4, "0.137");
        check(1.25, "1.25");
        check(12.34, "12.3");
        check(812.6, "813");
        let check = |number: usize, expected: &str| assert_eq!(thousands(number), expected);
        check(7, "7");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
    }

    #[test]
    fn a_missed_target_is_marked_as_missed() {
        let check = |wilco: f64, expected: &str| {
            let mut page = String::new();
            assert!(verdict(&mut page, "TCP", wilco, 2.0).is_ok());
            assert!(page.contains(expected), "{page}");
        };
        check(1.0, "met: 50 % of it");
        check(2.0, "met: 100 % of it");
        check(2.1, "**missed**: 105 % of it");
    }
}
