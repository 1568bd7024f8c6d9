//! The console: the real engine in a process of its own, controlled line by line.

use std::collections::BTreeMap;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use wilco_engine::api::{
    Client, CommandState, CommandView, ConnectionEntry, ConnectionSettings, HistoryQuery, LinkState, MqttVersion,
    NewCommand, NewRollout, RolloutState, RolloutView,
};
use wilco_engine::paths::DataDir;
use wilco_engine::vault::Vault;
use wilco_engine::{ClockShift, Engine, Options};

use crate::disk;

/// More answers than a device gives in a run.
const MANY: u32 = 1_000;

/// A request to the console: one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Sends; the number names the fan-out.
    Send(usize, Box<NewCommand>),
    /// Starts a rollout.
    Roll(usize, Box<NewRollout>),
    /// Cancels every third unfinished command.
    Cancel,
    /// Says how many commands are not finished, or a rollout.
    Open,
    /// Says everything in the history.
    History,
    /// Says which answers that belong to no command are kept of these devices.
    Unmatched(Vec<String>),
    /// Says what is wrong with the stored history, and how far each rollout is.
    Check,
    /// The disk is full from now on, or each sync takes so many milliseconds longer.
    Disk { full: bool, slower_ms: u64 },
    /// The clocks are moved: see [`Moved`].
    Clock(Moved),
}

/// How far the clocks of the console's computer are moved in all, milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Moved {
    /// The wall clock was set by so much.
    pub(crate) wall: i64,
    /// The computer has slept for so long.
    pub(crate) asleep: i64,
}

/// The answers of a device that belong to no command.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct KeptUnmatched {
    /// The payload of each that is kept.
    pub(crate) payloads: Vec<String>,
    /// How many messages of the device were not kept, and counted.
    pub(crate) discarded: u64,
}

/// A rollout at its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndedRollout {
    /// The arguments of its command.
    pub(crate) args: String,
    /// The states of its members, by the words for them.
    pub(crate) counts: BTreeMap<String, u32>,
}

/// A reply of the console.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsoleReply {
    /// It runs; its connection.
    Ready(String),
    /// The connection is online.
    Online,
    /// A fan-out was accepted, with the ids of its commands, where it is no rollout.
    Sent(usize, Vec<String>),
    /// A fan-out was refused.
    Refused(usize, String),
    /// Commands that are not finished, at most 1,000, and rollouts.
    Open(usize),
    /// The whole history.
    History(Vec<CommandView>),
    /// The answers that belong to no command, by device.
    Unmatched(BTreeMap<String, KeptUnmatched>),
    /// The problems of the stored history, each as a sentence, and the rollouts.
    Checked(Vec<String>, Vec<EndedRollout>),
    /// Something does not work that ought to.
    Broken(String),
}

/// Runs until the process is killed: data directory, the broker's port, MQTT version, and how far the clocks are moved
/// ([`Moved`]).
pub(crate) fn main(arguments: &[String]) -> Result<()> {
    let [directory, port, version, moved] = arguments else { anyhow::bail!("four arguments are needed") };
    let moved = serde_json::from_str(moved)?;
    disk::register()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(Path::new(directory), port, version == "5", moved))
}

async fn run(directory: &Path, port: &str, is_v5: bool, moved: Moved) -> Result<()> {
    let data_dir = DataDir::open(Some(directory))?;
    let clocks = ClockShift::default();
    clocks.set(moved.wall, moved.asleep);
    let options = Options { data_dir, vault: Vault::in_memory(), passing: false };
    let engine = Engine::start_shifted(options, clocks.clone()).await?;
    let client = Client::new(engine.handle());
    let known = client.connections().await?;
    let connection = match known.first() {
        Some(connection) => connection.id.clone(),
        None => {
            let entry = ConnectionEntry {
                name: "plant".into(),
                url: format!("mqtt://localhost:{port}"),
                settings: ConnectionSettings {
                    mqtt: if is_v5 { MqttVersion::V5 } else { MqttVersion::V311 },
                    ..ConnectionSettings::default()
                },
                ..ConnectionEntry::default()
            };
            client.save_connection(entry).await?.id
        }
    };
    say(&ConsoleReply::Ready(connection));
    let mut batches = client.listen().await?;
    tokio::spawn(async move {
        let mut was_online = false;
        while let Some(batch) = batches.recv().await {
            let Some(connections) = batch.connections else { continue };
            let online = connections.iter().any(|connection| matches!(connection.link, LinkState::Online { .. }));
            if online && !was_online {
                say(&ConsoleReply::Online);
            }
            was_online = online;
        }
    });
    let (sender, mut orders) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    while let Some(line) = orders.recv().await {
        let client = client.clone();
        match serde_json::from_str(&line).context("an order")? {
            // These two take effect in their order.
            Order::Disk { full, slower_ms } => disk::set(full, slower_ms),
            Order::Clock(moved) => clocks.set(moved.wall, moved.asleep),
            order => {
                tokio::spawn(async move {
                    if let Err(error) = carry_out(&client, order).await {
                        say(&ConsoleReply::Broken(format!("{error:#}")));
                    }
                });
            }
        }
    }
    Ok(())
}

async fn carry_out(client: &Client, order: Order) -> Result<()> {
    match order {
        Order::Send(number, new) => match client.send(*new).await {
            Ok(sent) => say(&ConsoleReply::Sent(number, sent.ids)),
            Err(failure) => say(&ConsoleReply::Refused(number, failure.to_string())),
        },
        Order::Roll(number, new) => match client.start_rollout(*new).await {
            Ok(_) => say(&ConsoleReply::Sent(number, Vec::new())),
            Err(failure) => say(&ConsoleReply::Refused(number, failure.to_string())),
        },
        Order::Cancel => {
            // With a full disk the history may not be up to date, and is not shown then.
            let Ok(page) = client.history(open()).await else { return Ok(()) };
            for command in page.commands.into_iter().step_by(3) {
                // It may have ended meanwhile.
                let _ = client.cancel(&command.connection, &command.device, &command.id).await;
            }
        }
        Order::Open => {
            let commands = client.history(open()).await?.commands.len();
            let rollouts = client.rollouts().await?;
            let rollouts = rollouts.iter().filter(|rollout| !is_over(rollout.state)).count();
            say(&ConsoleReply::Open(commands + rollouts));
        }
        Order::History => {
            let mut all = Vec::new();
            let mut cursor = None;
            loop {
                let page = client.history(HistoryQuery { cursor, limit: 1_000, ..HistoryQuery::default() }).await?;
                all.extend(page.commands);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            say(&ConsoleReply::History(all));
        }
        Order::Unmatched(devices) => {
            let connection = client.connections().await?.into_iter().next().context("no connection")?.id;
            let mut all = BTreeMap::new();
            for device in devices {
                let kept = client.unmatched(&connection, &device, MANY).await?;
                let payloads = kept.into_iter().filter_map(|event| Some(event.answer?.raw.payload)).collect();
                let discarded = client.device(&connection, &device).await?.discarded;
                let discarded = discarded.map_or(0, |discarded| discarded.messages);
                all.insert(device, KeptUnmatched { payloads, discarded });
            }
            say(&ConsoleReply::Unmatched(all));
        }
        Order::Check => {
            let found = client.check_history(true).await?.sentences();
            let rollouts = client.rollouts().await?.into_iter().map(ended).collect();
            say(&ConsoleReply::Checked(found.into_iter().map(|(sentence, _)| sentence).collect(), rollouts));
        }
        // They have taken effect.
        Order::Disk { .. } | Order::Clock(_) => {}
    }
    Ok(())
}

fn ended(rollout: RolloutView) -> EndedRollout {
    let counts = rollout.counts.by_state().into_iter().filter(|(_, count)| *count > 0);
    let counts = counts.map(|(state, count)| (state.as_str().to_owned(), count)).collect();
    EndedRollout { args: rollout.spec.command.args.as_str().to_owned(), counts }
}

fn is_over(state: RolloutState) -> bool {
    matches!(state, RolloutState::Finished | RolloutState::Halted | RolloutState::Stopped)
}

fn open() -> HistoryQuery {
    let states = CommandState::ALL.into_iter().filter(|state| !state.is_final()).collect();
    HistoryQuery { states, limit: 1_000, ..HistoryQuery::default() }
}

fn say(told: &ConsoleReply) {
    let mut line = serde_json::to_vec(told).unwrap_or_default();
    line.push(b'\n');
    // Nobody may be reading any more.
    let _ = stdout().lock().write_all(&line);
}
