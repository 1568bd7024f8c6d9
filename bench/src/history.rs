//! The cost of a long history: pages of each filter (the first and one further down), the page of a device, the count, the
//! start of the engine and its memory, compared with an empty database.

mod fill;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;
use wilco_engine::api::{CommandState, ConnectionEntry, DeviceQuery, HistoryQuery};
use wilco_engine::paths::DataDir;
use wilco_engine::vault::Vault;
use wilco_engine::{Engine, Handle, Options};
use wilco_ledger::Timestamp;
use wilco_tests::target;

use crate::course::device;
use crate::figures::{milliseconds, percentile, sorted};
use crate::machine;
use crate::report::{rounded, thousands};
use fill::{Fill, SPAN};

/// The engine's pages may take this long, milliseconds (p95).
const PAGE: f64 = 20.0;
/// The start may take this many times that with an empty database.
const START: f64 = 1.5;
/// Rows of a page, as the window asks for them.
const ROWS: u32 = 100;
/// Where nobody listens: nothing is sent, and the history stays as it is.
const NOWHERE: &str = "mqtt://127.0.0.1:9";

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) commands: usize,
    pub(crate) devices: usize,
    /// Samples of each query.
    samples: usize,
    /// Starts of the engine, with either database.
    starts: usize,
}

impl Size {
    /// The contents of the report.
    pub(crate) const FULL: Self = Self { commands: 5_000_000, devices: 100_000, samples: 200, starts: 7 };
    /// For trying the bench itself.
    pub(crate) const QUICK: Self = Self { commands: 200_000, devices: 4_000, samples: 40, starts: 3 };

    /// Reads `[--quick] [--commands N]`.
    pub(crate) fn of(words: &[&str]) -> Result<Self> {
        let (mut size, mut words) = match words {
            ["--quick", rest @ ..] => (Self::QUICK, rest),
            all => (Self::FULL, all),
        };
        if let ["--commands", number, rest @ ..] = words {
            size.commands = number.parse().with_context(|| format!("'{number}' is not a number of commands"))?;
            ensure!(size.commands > 0, "at least 1 command is needed");
            words = rest;
        }
        ensure!(words.is_empty(), "bench history accepts --quick and --commands N, in this order");
        Ok(size)
    }
}

/// A page that is asked for: of which commands, and from where.
struct Page {
    name: String,
    query: HistoryQuery,
    /// From anywhere in the history instead of its beginning.
    anywhere: bool,
}

/// The measured times.
struct Measured {
    written: Duration,
    bytes: u64,
    pages: Vec<(String, Vec<Duration>)>,
    /// Of an empty database and of this one: starts, and the memory of a process of its own, MB.
    starts: [Vec<Started>; 2],
    memory: [f64; 2],
}

/// A start, from nothing.
struct Started {
    /// The connections are listed, and a page of the history is there.
    usable: Duration,
    /// The devices are listed too.
    complete: Duration,
}

/// Measures it, and writes `bench-history.md` into a directory.
pub(crate) async fn run(directory: &Path, size: &Size) -> Result<()> {
    // On the disk that the build is on: the system's directory for temporary files may be none.
    let disk = tempfile::Builder::new().prefix("bench-").tempdir_in(target()?)?;
    let (empty, full) = (disk.path().join("empty"), disk.path().join("full"));
    connection(&empty).await?;
    let connection = connection(&full).await?;
    let until = Timestamp(jiff::Timestamp::now().as_millisecond());
    let fill = Fill { commands: size.commands, devices: size.devices, until };
    let written = fill.write(&full, &connection).await?;
    let bytes = bytes_of(&full)?;
    println!("{} commands are written; measuring", thousands(size.commands));

    let mut starts = [Vec::new(), Vec::new()];
    for _ in 0..size.starts {
        for (place, data) in [&empty, &full].into_iter().enumerate() {
            starts[place].push(start(data).await?);
        }
    }
    let memory = [memory_of(&empty).await?, memory_of(&full).await?];
    let pages = pages(&full, &connection, &fill, size).await?;
    let measured = Measured { written, bytes, pages, starts, memory };
    let page = page(&measured, size)?;
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join("bench-history.md"), &page)?;
    print!("\n{page}");
    Ok(())
}

/// In a process of its own: starts an engine on that data, reads a page, and tells how much memory that took at most.
pub(crate) async fn alone(data: &str) -> Result<()> {
    let engine = engine(Path::new(data)).await?;
    usable(&engine.handle()).await?;
    complete(&engine.handle()).await?;
    let most = machine::most_memory().context("the system does not report the used memory")?;
    engine.stop().await;
    println!("{most}");
    Ok(())
}

async fn engine(data: &Path) -> Result<Engine> {
    let data_dir = DataDir::open(Some(data))?;
    Ok(Engine::begin(Options { data_dir, vault: Vault::in_memory(), passing: false }).await?)
}

/// A data directory with one connection, whose id this is.
async fn connection(data: &Path) -> Result<String> {
    let engine = engine(data).await?;
    let entry = ConnectionEntry { name: "bench".into(), url: NOWHERE.into(), ..ConnectionEntry::default() };
    let id = engine.handle().save_connection(entry).await?.id;
    engine.stop().await;
    Ok(id)
}

/// The first page that the window reads.
async fn usable(handle: &Handle) -> Result<()> {
    ensure!(handle.connections().await?.len() == 1, "the connection is missing");
    handle.history(HistoryQuery { limit: ROWS, ..HistoryQuery::default() }).await?;
    Ok(())
}

/// The first page of the devices: their connection is loaded.
async fn complete(handle: &Handle) -> Result<()> {
    for connection in handle.connections().await? {
        let query = DeviceQuery { connection: connection.id, ..DeviceQuery::default() };
        handle.devices(query, 0, ROWS).await?;
    }
    Ok(())
}

async fn start(data: &Path) -> Result<Started> {
    let begun = Instant::now();
    let engine = engine(data).await?;
    usable(&engine.handle()).await?;
    let usable = begun.elapsed();
    complete(&engine.handle()).await?;
    let complete = begun.elapsed();
    engine.stop().await;
    Ok(Started { usable, complete })
}

async fn memory_of(data: &Path) -> Result<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.arg("history-alone").arg(data).output().await.context("starting Wilco alone")?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().with_context(|| format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The filters of the window's history, each state by itself, and what stands beside them.
fn filters(connection: &str, now: Timestamp) -> Vec<(String, HistoryQuery)> {
    let here = HistoryQuery { connection: Some(connection.to_owned()), limit: ROWS, ..HistoryQuery::default() };
    let (ended, open): (Vec<_>, Vec<_>) = CommandState::ALL.into_iter().partition(|state| state.is_final());
    let bad = ended.into_iter().filter(|state| state.ended_badly()).collect();
    let mut filters = vec![
        ("All connections".to_owned(), HistoryQuery { connection: None, ..here.clone() }),
        ("One connection".to_owned(), here.clone()),
        ("Unfinished".to_owned(), HistoryQuery { states: open, ..here.clone() }),
        ("Failed in any way".to_owned(), HistoryQuery { states: bad, ..here.clone() }),
        ("Needs attention".to_owned(), HistoryQuery { needs_attention: true, ..here.clone() }),
        ("The last hour".to_owned(), HistoryQuery { since: Some(now.0 - 3_600_000), ..here.clone() }),
        ("The last day".to_owned(), HistoryQuery { since: Some(now.0 - 86_400_000), ..here.clone() }),
    ];
    let each = CommandState::ALL
        .into_iter()
        .map(|state| (format!("State {state}"), HistoryQuery { states: vec![state], ..here.clone() }));
    filters.extend(each);
    filters
}

/// Asks for every page, in turn, so that a busy machine is busy for all of them alike.
async fn pages(data: &Path, connection: &str, fill: &Fill, size: &Size) -> Result<Vec<(String, Vec<Duration>)>> {
    let engine = engine(data).await?;
    let handle = engine.handle();
    let mut all = Vec::new();
    for (name, query) in filters(connection, fill.until) {
        all.push(Page { name: format!("{name}, first page"), query: query.clone(), anywhere: false });
        all.push(Page { name: format!("{name}, page anywhere"), query, anywhere: true });
    }
    let mut took: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
    let mut random = Random(1);
    let of_device = ["A device’s history, first page", "A device’s history, failed", "A device’s page", "The count"];
    for _ in 0..size.samples {
        for (place, page) in all.iter().enumerate() {
            let mut query = page.query.clone();
            if page.anywhere {
                query.cursor = Some(format!("{}.{}", fill.until.0 - random.below(SPAN), 0));
            }
            took.entry(place).or_default().push(ask(&handle, query).await?);
        }
        let one = device(usize::try_from(random.below(i64::try_from(size.devices)?))?);
        let history = HistoryQuery {
            connection: Some(connection.to_owned()),
            device: Some(one.clone()),
            limit: ROWS,
            ..HistoryQuery::default()
        };
        let failed = HistoryQuery { states: vec![CommandState::Failed], ..history.clone() };
        let count = HistoryQuery { limit: 1, ..HistoryQuery::default() };
        let begun = Instant::now();
        handle.device(connection, &one).await?;
        let page = begun.elapsed();
        for (place, took_this) in
            [ask(&handle, history).await?, ask(&handle, failed).await?, page, ask(&handle, count).await?]
                .into_iter()
                .enumerate()
        {
            took.entry(all.len() + place).or_default().push(took_this);
        }
    }
    let total = handle.history(HistoryQuery { limit: 1, ..HistoryQuery::default() }).await?.total;
    if total as usize != size.commands {
        bail!("the history has {total} commands");
    }
    engine.stop().await;
    let names = all.into_iter().map(|page| page.name).chain(of_device.map(str::to_owned));
    Ok(names.zip(took.into_values()).collect())
}

async fn ask(handle: &Handle, query: HistoryQuery) -> Result<Duration> {
    let begun = Instant::now();
    handle.history(query).await?;
    Ok(begun.elapsed())
}

/// Numbers that are the same in each run: SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        i64::try_from(mixed % limit.unsigned_abs().max(1)).unwrap_or_default()
    }
}

fn bytes_of(directory: &Path) -> Result<u64> {
    let files = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    files.iter().filter(|path| path.is_file()).map(|path| Ok(path.metadata()?.len())).sum()
}

/// The median times until the window was usable, and until the devices were listed, milliseconds.
fn medians(starts: &[Started]) -> Result<[f64; 2]> {
    let usable = sorted(starts.iter().map(|start| milliseconds(&start.usable)));
    let complete = sorted(starts.iter().map(|start| milliseconds(&start.complete)));
    let median = |samples: &[f64]| percentile(samples, 50.0).context("nothing was measured");
    Ok([median(&usable)?, median(&complete)?])
}

fn page(measured: &Measured, size: &Size) -> Result<String> {
    let Measured { written, bytes, pages, starts, memory } = measured;
    let mut page = format!("{INTRODUCTION}\n");
    writeln!(
        page,
        "{} commands of {} devices with all their events, over 7 days; {:.2} GB. Writing them took {:.0} s.\n",
        thousands(size.commands),
        thousands(size.devices),
        *bytes as f64 / 1e9,
        written.as_secs_f64()
    )?;
    writeln!(
        page,
        "## Pages of {ROWS} commands\n\nMilliseconds in the engine, {} samples each. The target for p95 is {PAGE} ms.\n",
        size.samples
    )?;
    writeln!(page, "| | p50 | p95 | most | |\n| --- | --- | --- | --- | --- |")?;
    for (name, samples) in pages {
        let samples = sorted(samples.iter().map(milliseconds));
        let at = |part| percentile(&samples, part).context("nothing was measured");
        let (half, most) = (at(50.0)?, at(95.0)?);
        let missed = if most > PAGE { "above the target" } else { "" };
        writeln!(page, "| {name} | {} | {} | {} | {missed} |", rounded(half), rounded(most), rounded(at(100.0)?))?;
    }
    let [empty, full] = starts;
    let (empty, full) = (medians(empty)?, medians(full)?);
    writeln!(
        page,
        "\n## Start and memory\n\nUsable: from nothing to the listed connections and the first page of the history. Complete: the \
         first page of the devices too, which are loaded meanwhile. The medians of {} starts in turn. The target is that the \
         window is usable within {START} × the time with an empty database. The memory is the most that a process of its own \
         took for it.\n",
        size.starts
    )?;
    writeln!(page, "| | usable, ms | complete, ms | memory, MB |\n| --- | --- | --- | --- |")?;
    let [usable, complete] = empty.map(rounded);
    writeln!(page, "| empty database | {usable} | {complete} | {:.0} |", memory[0])?;
    let times = rounded(full[0] / empty[0]);
    let [usable, complete] = full.map(rounded);
    writeln!(page, "| this history | {usable} ({times} ×) | {complete} | {:.0} |", memory[1])?;
    writeln!(page, "\n## Measured on\n\n| | |\n| --- | --- |")?;
    for (name, value) in machine::describe()? {
        writeln!(page, "| {name} | {value} |")?;
    }
    Ok(page)
}

const INTRODUCTION: &str = "\
# A long history

Written by `cargo xtask bench history`; change nothing here by hand.

A generator writes commands through Wilco's own store, each with the events that it would have left behind; then the engine
reads pages of it as the window does.
";
