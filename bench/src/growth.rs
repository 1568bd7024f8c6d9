//! How the cost of a command grows with the number of devices, the cost of silent devices, and the memory.
//!
//! Wilco sends as from its window: to many devices as a rollout.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::Command;
use wilco_tests::{Broker, Certificates, Settings, target};

use crate::bare::Bare;
use crate::client::Files;
use crate::course::{self, BROKER, Contender};
use crate::figures::{Figure, milliseconds};
use crate::machine;
use crate::mqttjs::MqttJs;
use crate::plot::{self, Growth, Line};
use crate::report::{rounded, thousands};
use crate::wilco::Wilco;

/// One device in so many is silent.
pub(crate) const SILENT: usize = 20;
/// Between two turns, so that each finds the machine at rest.
const PAUSE: Duration = Duration::from_millis(300);
/// Many commands may take this many times what the bare client takes.
const MANY: f64 = 1.5;
/// The most memory at the largest size, MB.
const MEMORY: f64 = 400.0;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) rounds: usize,
    pub(crate) devices: &'static [usize],
}

impl Sizes {
    /// The contents of the report.
    pub(crate) const FULL: Self = Self { rounds: 5, devices: &[1_000, 10_000, 100_000] };
    /// For trying the bench itself.
    pub(crate) const QUICK: Self = Self { rounds: 3, devices: &[100, 1_000] };
}

/// The results over one kind of connection.
struct TransportResults {
    name: &'static str,
    /// By number of devices, how long each round took.
    took: BTreeMap<usize, BTreeMap<Contender, Vec<Duration>>>,
    /// The same for Wilco where one device in 20 is silent: until all others are done.
    silent: BTreeMap<usize, Vec<Duration>>,
    /// The most memory of a process of its own at the largest size, MB.
    memory: f64,
}

/// Measures it, and writes `bench-growth.md` and `bench/growth.svg` into a directory.
pub(crate) async fn run(directory: &Path, sizes: &Sizes) -> Result<()> {
    let certificates = Certificates::new()?;
    let identity = certificates.issue("bench")?;
    let files =
        Files { authority: certificates.ca.clone(), certificate: identity.certificate.clone(), key: identity.key };
    let ways =
        [over("TCP", None, None, sizes).await?, over("mutual TLS", Some(&certificates), Some(&files), sizes).await?];
    std::fs::create_dir_all(directory.join("bench"))?;
    plot::growth(&directory.join("bench/growth.svg"), &charts(&ways)?)?;
    let page = page(&ways, sizes)?;
    std::fs::write(directory.join("bench-growth.md"), &page)?;
    print!("\n{page}");
    Ok(())
}

/// In a process of its own: sends to so many devices, and prints how much memory that took at most, MB, and how many
/// milliseconds.
pub(crate) async fn alone(url: &str, devices: &str, files: Option<&Files>) -> Result<()> {
    let disk = tempfile::Builder::new().prefix("bench-").tempdir_in(target()?)?;
    let mut wilco = Wilco::connect(&disk.path().join("engine"), url, files).await?;
    let took = wilco.roll_out(devices.parse()?, false).await?;
    let most = machine::most_memory().context("the system does not report the used memory")?;
    wilco.stop().await;
    println!("{most} {:.0}", milliseconds(&took));
    Ok(())
}

async fn over(
    name: &'static str,
    tls: Option<&Certificates>,
    files: Option<&Files>,
    sizes: &Sizes,
) -> Result<TransportResults> {
    let broker = Broker::start(&Settings { tls, more: BROKER, ..Settings::default() })?;
    let _echo = course::start_echo(&broker.url(), files).await?;
    // On the disk that the build is on: the system's directory for temporary files may be none.
    let disk = tempfile::Builder::new().prefix("bench-").tempdir_in(target()?)?;
    let mut wilco = Wilco::connect(&disk.path().join("engine"), &broker.url(), files).await?;
    let mut bare = Bare::connect(&broker.url(), files).await?;
    let mut mqttjs = MqttJs::connect(&broker.url(), files).await?;
    let mut way = TransportResults { name, took: BTreeMap::new(), silent: BTreeMap::new(), memory: 0.0 };
    for (place, devices) in sizes.devices.iter().copied().enumerate() {
        // The first round of all finds nothing in the caches, and does not count.
        for round in usize::from(place > 0)..=sizes.rounds {
            for turn in 0..4 {
                tokio::time::sleep(PAUSE).await;
                let mut note = |who, took| way.took.entry(devices).or_default().entry(who).or_default().push(took);
                match (round + turn) % 4 {
                    0 => {
                        let took = wilco.roll_out(devices, false).await?;
                        if round > 0 {
                            note(Contender::Wilco, took);
                        }
                    }
                    1 => {
                        let took = bare.command(devices).await?;
                        if round > 0 {
                            note(Contender::Bare, took);
                        }
                    }
                    2 => {
                        let took = mqttjs.command(devices).await?;
                        if round > 0 {
                            note(Contender::MqttJs, took);
                        }
                    }
                    _ => {
                        let took = wilco.roll_out(devices, true).await?;
                        if round > 0 {
                            way.silent.entry(devices).or_default().push(took);
                        }
                    }
                }
            }
            println!("{name}, {} devices: round {round} of {}", thousands(devices), sizes.rounds);
        }
    }
    wilco.stop().await;
    let largest = sizes.devices.last().copied().unwrap_or_default();
    way.memory = memory_of(&broker.url(), largest, files).await?;
    Ok(way)
}

async fn memory_of(url: &str, devices: usize, files: Option<&Files>) -> Result<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["alone", url, &devices.to_string()]);
    if let Some(files) = files {
        command.args(files.words());
    }
    let output = command.output().await.context("starting Wilco alone")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let most = said.split_whitespace().next().unwrap_or_default();
    most.parse().with_context(|| format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

fn figure(rounds: &[Duration]) -> Result<Figure> {
    Figure::of(rounds.iter().map(milliseconds)).context("nothing was measured")
}

fn of(way: &TransportResults, devices: usize, who: Contender) -> Result<Figure> {
    figure(way.took.get(&devices).and_then(|took| took.get(&who)).context("a contender did not run")?)
}

const CONTENDERS: [Contender; 3] = [Contender::Wilco, Contender::Bare, Contender::MqttJs];

fn charts(ways: &[TransportResults]) -> Result<Vec<Growth>> {
    let chart = |way: &TransportResults| {
        let line = |who: Contender| {
            let point =
                |devices: &usize| Ok((*devices as f64, of(way, *devices, who)?.median * 1_000.0 / *devices as f64));
            let points = way.took.keys().map(point).collect::<Result<Vec<_>>>()?;
            Ok(Line {
                name: who.name().to_owned(),
                points,
                colour: if who == Contender::Wilco { plot::WILCO } else { plot::OTHERS },
            })
        };
        let lines = CONTENDERS.into_iter().map(line).collect::<Result<Vec<_>>>()?;
        Ok(Growth { heading: format!("Microseconds a command, by number of devices, over {}", way.name), lines })
    };
    ways.iter().map(chart).collect()
}

fn page(ways: &[TransportResults], sizes: &Sizes) -> Result<String> {
    let mut page = format!("{INTRODUCTION}\n![Lines of the medians](bench/growth.svg)\n\n");
    writeln!(
        page,
        "Medians of {} rounds in which all take turns; in brackets the least and the most of the rounds. The target for \
         Wilco's median is {MANY} × the bare client's, and less than that of MQTT.js.\n",
        sizes.rounds
    )?;
    writeln!(
        page,
        "| | devices | | ms | µs a command | against bare rumqttc |\n| --- | --- | --- | --- | --- | --- |"
    )?;
    for way in ways {
        for devices in way.took.keys().copied() {
            let bare = of(way, devices, Contender::Bare)?.median;
            for who in CONTENDERS {
                let took = of(way, devices, who)?;
                let each = rounded(took.median * 1_000.0 / devices as f64);
                let (ratio, number) = (rounded(took.median / bare), thousands(devices));
                writeln!(page, "| {} | {number} | {} | {} | {each} | {ratio} × |", way.name, who.name(), shown(took))?;
            }
        }
    }
    page.push_str(
        "\n## One device in 20 is silent\n\nUntil all others are done, against a fan-out to as many devices that all \
         answer. The target is 10 % more.\n\n| | devices | ms | more than without |\n| --- | --- | --- | --- |\n",
    );
    for way in ways {
        for (devices, rounds) in &way.silent {
            let (took, all) = (figure(rounds)?, of(way, *devices, Contender::Wilco)?.median);
            let more = (took.median / all - 1.0) * 100.0;
            writeln!(page, "| {} | {} | {} | {more:.0} % |", way.name, thousands(*devices), shown(took))?;
        }
    }
    writeln!(
        page,
        "\n## Memory\n\nThe most that a process of its own took for the largest fan-out. The target is {MEMORY} MB.\n"
    )?;
    for way in ways {
        writeln!(page, "- {}: {:.0} MB", way.name, way.memory)?;
    }
    writeln!(page, "\n## Measured on\n\n| | |\n| --- | --- |")?;
    for (name, value) in machine::describe()? {
        writeln!(page, "| {name} | {value} |")?;
    }
    Ok(page)
}

fn shown(figure: Figure) -> String {
    format!("{} ({} … {})", rounded(figure.median), rounded(figure.least), rounded(figure.most))
}

const INTRODUCTION: &str = "\
# How the cost grows with the fleet

Written by `cargo xtask bench growth`; change nothing here by hand.

Wilco's engine, as it is released and with its real store, sends a command to every device as a rollout with one stage, side by
side with a bare client of the MQTT library that it uses and one of MQTT.js, which store nothing. All have the same broker
(mosquitto, one thread) and the same echo device, a process that answers every command at once.
";
