//! The course for all clients: one command and its answer, then many at once, over TCP and over mutual TLS, in turns.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use wilco_tests::{Broker, Certificates, Settings, target};

use crate::bare::Bare;
use crate::client::Files;
use crate::commits::Commits;
use crate::echo;
use crate::mqttjs::MqttJs;
use crate::wilco::Wilco;

/// How long anything may take before it is taken for stuck.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Between two commands, so that each finds the machine at rest, as a person's does.
const PAUSE: Duration = Duration::from_millis(60);

/// Additions to mosquitto's configuration in the tests: by default it would drop messages of a fan-out, and allow only
/// 20 unacknowledged messages to the one client that plays all devices.
pub(crate) const BROKER: &str = "max_inflight_messages 1000\nmax_queued_messages 0";

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// How often everybody has their turn.
    pub(crate) rounds: usize,
    /// Commands one after the other in a round.
    pub(crate) singles: usize,
    /// Commands at once.
    pub(crate) many: usize,
    /// Devices in the window when its memory is measured.
    pub(crate) devices: usize,
}

impl Size {
    /// The contents of the report.
    pub(crate) const FULL: Self = Self { rounds: 5, singles: 60, many: 10_000, devices: 1_000 };
    /// For trying the bench itself.
    pub(crate) const QUICK: Self = Self { rounds: 2, singles: 10, many: 1_000, devices: 50 };
}

/// The measured clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    Wilco,
    Bare,
    MqttJs,
    /// No contender: what the disk takes of Wilco's time.
    Commits,
}

impl Contender {
    pub(crate) const ALL: [Self; 4] = [Self::Wilco, Self::Bare, Self::MqttJs, Self::Commits];

    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wilco => "Wilco",
            Self::Bare => "bare rumqttc",
            Self::MqttJs => "bare MQTT.js",
            Self::Commits => "two commits alone",
        }
    }
}

/// The results over one kind of connection.
#[derive(Debug, Default)]
pub(crate) struct TransportResults {
    /// The name in the report.
    pub(crate) name: &'static str,
    /// By round, how long each single command took.
    pub(crate) singles: BTreeMap<Contender, Vec<Vec<Duration>>>,
    /// By round, how long many commands took.
    pub(crate) many: BTreeMap<Contender, Vec<Duration>>,
    /// By round, how long Wilco's history took right after that.
    pub(crate) first_page: Vec<Duration>,
}

/// The name of a device.
pub(crate) fn device(number: usize) -> String {
    format!("device-{number:05}")
}

/// Runs the whole course.
pub(crate) async fn run(size: &Size) -> Result<Vec<TransportResults>> {
    let certificates = Certificates::new()?;
    let identity = certificates.issue("bench")?;
    let files =
        Files { authority: certificates.ca.clone(), certificate: identity.certificate.clone(), key: identity.key };
    Ok(vec![over("TCP", None, None, size).await?, over("mutual TLS", Some(&certificates), Some(&files), size).await?])
}

async fn over(
    name: &'static str,
    tls: Option<&Certificates>,
    files: Option<&Files>,
    size: &Size,
) -> Result<TransportResults> {
    let broker = Broker::start(&Settings { tls, more: BROKER, ..Settings::default() })?;
    let _echo = start_echo(&broker.url(), files).await?;
    // On the disk that the build is on: the system's directory for temporary files may be none.
    let disk = tempfile::Builder::new().prefix("bench-").tempdir_in(target()?)?;
    let mut field = Field::enter(&broker.url(), files, disk.path()).await?;
    println!("\n{name}: warming up");
    let mut warm = TransportResults::default();
    field.round(&mut warm, &Size { singles: 10, ..*size }, 0).await?;
    let mut way = TransportResults { name, ..TransportResults::default() };
    for round in 0..size.rounds {
        println!("{name}: round {} of {}", round + 1, size.rounds);
        field.round(&mut way, size, round).await?;
    }
    field.wilco.stop().await;
    Ok(way)
}

/// Everybody who runs.
struct Field {
    wilco: Wilco,
    bare: Bare,
    mqttjs: MqttJs,
    commits: Commits,
}

impl Field {
    async fn enter(url: &str, files: Option<&Files>, disk: &Path) -> Result<Self> {
        Ok(Self {
            wilco: Wilco::connect(&disk.join("engine"), url, files).await?,
            bare: Bare::connect(url, files).await?,
            mqttjs: MqttJs::connect(url, files).await?,
            commits: Commits::open(&disk.join("engine-alone")).await?,
        })
    }

    /// One turn for everybody; in another order each time, so that nobody always follows the same one.
    async fn round(&mut self, way: &mut TransportResults, size: &Size, round: usize) -> Result<()> {
        let mut singles: BTreeMap<Contender, Vec<Duration>> = BTreeMap::new();
        for number in 0..size.singles {
            for who in turned(round + number) {
                tokio::time::sleep(PAUSE).await;
                singles.entry(who).or_default().push(self.single(who).await?);
            }
        }
        for (who, took) in singles {
            way.singles.entry(who).or_default().push(took);
        }
        for who in turned(round) {
            tokio::time::sleep(PAUSE * 5).await;
            let took = match who {
                Contender::Wilco => self.wilco.command(size.many).await,
                Contender::Bare => self.bare.command(size.many).await,
                Contender::MqttJs => self.mqttjs.command(size.many).await,
                Contender::Commits => continue,
            };
            way.many.entry(who).or_default().push(took.with_context(|| format!("{} by {}", size.many, who.name()))?);
            if who == Contender::Wilco {
                way.first_page.push(self.wilco.first_page().await?);
            }
        }
        Ok(())
    }

    async fn single(&mut self, who: Contender) -> Result<Duration> {
        let took = match who {
            Contender::Wilco => self.wilco.command_one().await,
            Contender::Bare => self.bare.command(1).await,
            Contender::MqttJs => self.mqttjs.command(1).await,
            Contender::Commits => self.commits.both().await,
        };
        took.with_context(|| format!("one command by {}", who.name()))
    }
}

fn turned(by: usize) -> [Contender; 4] {
    let mut order = Contender::ALL;
    order.rotate_left(by % Contender::ALL.len());
    order
}

/// The echo device, in a process of its own that ends with the broker or with us.
pub(crate) async fn start_echo(url: &str, files: Option<&Files>) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["echo", url]).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    if let Some(files) = files {
        command.args(files.words());
    }
    let mut child = command.spawn().context("starting the echo device")?;
    let mut lines = BufReader::new(child.stdout.take().context("the echo device has no output")?).lines();
    let line =
        tokio::time::timeout(ANSWER_TIMEOUT, lines.next_line()).await.context("the echo device prints nothing")??;
    ensure!(line.as_deref() == Some(echo::READY), "the echo device did not start; its output is above");
    Ok(child)
}
