//! `wilco-device`: one reference device, or a fleet of them, against any broker.

use std::{io::IsTerminal, ops::RangeInclusive, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use tracing::{error, info};
use tracing_subscriber::EnvFilter;
use wilco_device::{
    endpoint::{Endpoint, TlsFiles},
    faults::{Faults, Pace},
    fleet::Fleet,
    persona::{Absence, Persona},
    random::Random,
    speech::Speech,
    store::Store,
};
use wilco_dialect::Topics;
use wilco_ledger::DeviceId;

/// A device that does what it is told over MQTT, and says so.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Options {
    /// The broker: mqtt://HOST:PORT or mqtts://HOST:PORT
    #[arg(long)]
    url: String,
    /// The device's id; with --count the stem of the ids: kitchen gives kitchen-0001, kitchen-0002, …
    #[arg(long)]
    id: String,
    /// How many devices
    #[arg(long)]
    count: Option<u32>,
    /// Where the devices keep what survives a restart, and their logs; without it, nowhere
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Whom to trust, PEM; the platform's roots if it is not given
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The client certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Levels before the device's id in each topic, for instance cmd/fleet-1
    #[arg(long, default_value = "")]
    prefix: String,
    /// How it speaks: Wilco's JSON, or plain text as the simplest firmware does
    #[arg(long, default_value = "wilco", value_parser = speech, value_name = "wilco|text")]
    dialect: Speech,
    /// The firmware version that is reported
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    firmware: String,
    /// A label; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Milliseconds between two telemetry messages; 0 for none
    #[arg(long, default_value_t = 5_000, value_name = "MS")]
    telemetry_ms: u64,
    #[command(flatten)]
    trouble: Trouble,
}

/// What goes wrong and how long things take, for trying out how a console copes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Faults (probabilities from 0 to 1)")]
struct Trouble {
    /// An answer is lost
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    drop: f64,
    /// An answer is sent twice
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    duplicate: f64,
    /// An answer waits a second, so that later ones overtake it
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    reorder: f64,
    /// An answer names an id that nobody asked under
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    wrong_id: f64,
    /// An answer is cut in the middle
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    malformed: f64,
    /// A command fails
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    fail: f64,
    /// A command takes twenty times as long
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    slow: f64,
    /// This part of the fleet is away
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    offline: f64,
    /// What the network adds to each answer, for instance 20..400
    #[arg(long, default_value = "0", value_parser = milliseconds, value_name = "MS[..MS]")]
    delay_ms: RangeInclusive<u64>,
    /// How long a command takes
    #[arg(long, default_value = "0", value_parser = milliseconds, value_name = "MS[..MS]")]
    work_ms: RangeInclusive<u64>,
    /// How long a restart takes
    #[arg(long, default_value = "500", value_parser = milliseconds, value_name = "MS[..MS]")]
    restart_ms: RangeInclusive<u64>,
    /// The same seed makes the same accidents
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal)
        .with_target(false)
        .init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            error!("{problem}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let files = TlsFiles { ca: options.ca.clone(), cert: options.cert.clone(), key: options.key.clone() };
    let endpoint = Endpoint::new(&options.url, &files, Topics::new(&options.prefix)?)?;
    let devices = devices(&options)?;
    if devices.len() > 1 {
        rlimit::increase_nofile_limit(devices.len() as u64 + 256)?;
    }
    info!("{} device(s) on {}:{}", devices.len(), endpoint.host, endpoint.port);
    let fleet = Fleet::start(endpoint, devices)?;
    told_to_stop().await?;
    fleet.stop().await;
    Ok(())
}

fn devices(options: &Options) -> Result<Vec<(Persona, Store)>, Box<dyn std::error::Error>> {
    let names: Vec<String> = match options.count {
        None => vec![options.id.clone()],
        Some(count) => (1..=count).map(|number| format!("{}-{number:04}", options.id)).collect(),
    };
    let mut random = Random::new(options.trouble.seed, 0);
    let mut devices = Vec::with_capacity(names.len());
    for (number, name) in names.into_iter().enumerate() {
        let store = match &options.state_dir {
            Some(directory) => Store::in_directory(directory, &name)?,
            None => Store::None,
        };
        devices.push((persona(options, DeviceId::new(&name)?, number as u64, &mut random), store));
    }
    Ok(devices)
}

fn persona(options: &Options, id: DeviceId, number: u64, random: &mut Random) -> Persona {
    let trouble = &options.trouble;
    let telemetry = Duration::from_millis(options.telemetry_ms);
    Persona {
        firmware: options.firmware.clone(),
        speech: options.dialect,
        tags: options.tags.clone(),
        telemetry: (!telemetry.is_zero()).then_some(telemetry),
        pace: Pace {
            accept: 0..=0,
            work: trouble.work_ms.clone(),
            reboot: trouble.restart_ms.clone(),
            delay: trouble.delay_ms.clone(),
        },
        faults: Faults {
            drop: trouble.drop,
            duplicate: trouble.duplicate,
            reorder: trouble.reorder,
            wrong_id: trouble.wrong_id,
            malformed: trouble.malformed,
            fail: trouble.fail,
            slow: trouble.slow,
        },
        absence: absence(trouble.offline, random),
        seed: trouble.seed.wrapping_add(number << 16),
        ..Persona::new(id)
    }
}

/// Twice as many come and go as are to be away, and each is away half of the time.
fn absence(part: f64, random: &mut Random) -> Option<Absence> {
    let (goes, away_first) = (random.happens(part * 2.0), random.happens(0.5));
    goes.then_some(Absence { stay: 5_000..=30_000, away: 5_000..=30_000, away_first })
}

fn speech(text: &str) -> Result<Speech, String> {
    Speech::named(text).ok_or_else(|| "a device speaks wilco or text".to_owned())
}

fn probability(text: &str) -> Result<f64, String> {
    let probability = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    probability.ok_or_else(|| "a probability is a number from 0 to 1".to_owned())
}

fn milliseconds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = "milliseconds are a whole number such as 100, or a range such as 20..400";
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|number| *number <= 3_600_000).ok_or(wrong);
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let range = number(from)?..=number(to.trim_start_matches('='))?;
    if range.is_empty() { Err(wrong.to_owned()) } else { Ok(range) }
}

/// Waits for Ctrl-C or, on Unix, a polite `kill`.
async fn told_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
