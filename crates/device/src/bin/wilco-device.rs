//! `wilco-device`: one reference device, or a fleet of them, against any broker.

use std::{io::IsTerminal, ops::RangeInclusive, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use tracing::{error, info};
use tracing_subscriber::EnvFilter;
use wilco_device::{
    device_settings::DeviceSettings,
    dials::Dials,
    endpoint::{Endpoint, TlsFiles},
    faults::{Faults, Pace},
    fleet::Fleet,
    payload_format::PayloadFormat,
    store::Store,
};
use wilco_dialect::Topics;
use wilco_ledger::DeviceId;

/// A reference device that runs commands over MQTT and reports the outcome.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Options {
    /// The broker: mqtt://HOST:PORT or mqtts://HOST:PORT
    #[arg(long)]
    url: String,
    /// Device ID; with --count the stem of the IDs: kitchen gives kitchen-0001, kitchen-0002, …
    #[arg(long)]
    id: String,
    /// Number of devices
    #[arg(long)]
    count: Option<u32>,
    /// Directory for the devices' memory and logs; if not given, nothing survives a restart
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// CA certificates to trust, PEM; this computer's roots if not given
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Client certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Topic levels before the device ID, for example cmd/fleet-1
    #[arg(long, default_value = "")]
    prefix: String,
    /// Dialect: wilco (JSON), or text (plain text, as simple firmware uses)
    #[arg(long, default_value = "wilco", value_parser = payload_format, value_name = "wilco|text")]
    dialect: PayloadFormat,
    /// Reported firmware version
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    firmware: String,
    /// Tag; repeatable
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Do not subscribe to broadcasts (all/req, and groups/TAG/req for each tag), for a broker that disconnects clients that
    /// subscribe to topics they may not
    #[arg(long)]
    no_broadcast: bool,
    /// Milliseconds between two telemetry messages; 0 for none
    #[arg(long, default_value_t = 5_000, value_name = "MS")]
    telemetry_ms: u64,
    #[command(flatten)]
    trouble: Trouble,
}

/// The faults and durations, for testing consoles.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Faults (probabilities from 0 to 1)")]
struct Trouble {
    /// An answer is lost
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    drop: f64,
    /// An answer is sent twice
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    duplicate: f64,
    /// An answer is delayed by a second, so that later ones overtake it
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    reorder: f64,
    /// An answer has an unknown ID
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    wrong_id: f64,
    /// An answer is truncated
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    malformed: f64,
    /// A command fails
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    fail: f64,
    /// A command takes twenty times as long
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    slow: f64,
    /// The device restarts in the middle of a command
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    restart: f64,
    /// Share of the fleet that is offline
    #[arg(long, default_value_t = 0.0, value_parser = probability, value_name = "P")]
    offline: f64,
    /// Network delay of each answer, for example 20..400
    #[arg(long, default_value = "0", value_parser = milliseconds, value_name = "MS[..MS]")]
    delay_ms: RangeInclusive<u64>,
    /// How long a command takes
    #[arg(long, default_value = "0", value_parser = milliseconds, value_name = "MS[..MS]")]
    work_ms: RangeInclusive<u64>,
    /// How long a restart takes
    #[arg(long, default_value = "500", value_parser = milliseconds, value_name = "MS[..MS]")]
    restart_ms: RangeInclusive<u64>,
    /// Random seed: the same seed causes the same faults
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

fn devices(options: &Options) -> Result<Vec<(DeviceSettings, Store)>, Box<dyn std::error::Error>> {
    let names: Vec<String> = match options.count {
        None => vec![options.id.clone()],
        Some(count) => (1..=count).map(|number| format!("{}-{number:04}", options.id)).collect(),
    };
    let mut personas = Vec::with_capacity(names.len());
    for (name, number) in names.iter().zip(0_u64..) {
        personas.push(device_settings(options, DeviceId::new(name)?, number));
    }
    let with_store = |device_settings: DeviceSettings| {
        let store = match &options.state_dir {
            Some(directory) => Store::in_directory(directory, device_settings.id.as_str())?,
            None => Store::None,
        };
        Ok((device_settings, store))
    };
    options.trouble.dials().turn(personas).into_iter().map(with_store).collect()
}

impl Trouble {
    fn dials(&self) -> Dials {
        let faults = Faults {
            drop: self.drop,
            duplicate: self.duplicate,
            reorder: self.reorder,
            wrong_id: self.wrong_id,
            malformed: self.malformed,
            fail: self.fail,
            slow: self.slow,
            restart: self.restart,
        };
        Dials { faults, delay: self.delay_ms.clone(), offline: self.offline, seed: self.seed }
    }
}

fn device_settings(options: &Options, id: DeviceId, number: u64) -> DeviceSettings {
    let trouble = &options.trouble;
    let telemetry = Duration::from_millis(options.telemetry_ms);
    DeviceSettings {
        firmware: options.firmware.clone(),
        payload_format: options.dialect,
        tags: options.tags.clone(),
        broadcasts: !options.no_broadcast,
        telemetry: (!telemetry.is_zero()).then_some(telemetry),
        pace: Pace { work: trouble.work_ms.clone(), reboot: trouble.restart_ms.clone(), ..Pace::default() },
        seed: trouble.seed.wrapping_add(number << 16),
        ..DeviceSettings::new(id)
    }
}

fn payload_format(text: &str) -> Result<PayloadFormat, String> {
    PayloadFormat::named(text).ok_or_else(|| "the dialect must be wilco or text".to_owned())
}

fn probability(text: &str) -> Result<f64, String> {
    let probability = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    probability.ok_or_else(|| "a probability must be a number from 0 to 1".to_owned())
}

fn milliseconds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = "milliseconds must be a whole number such as 100, or a range such as 20..400";
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
