//! The console: the real engine in a process of its own, controlled line by line.

use std::io::{BufRead, Write, stdin, stdout};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use wilco_engine::api::{
    Client, CommandState, CommandView, ConnectionEntry, HistoryQuery, LinkState, MqttVersion, NewCommand, NewRollout,
    RolloutState,
};
use wilco_engine::paths::DataDir;
use wilco_engine::vault::Vault;
use wilco_engine::{Engine, Options};

/// A request to the console: one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Sends; the number names the fan-out.
    Send(usize, Box<NewCommand>),
    /// Starts a rollout.
    Roll(usize, Box<NewRollout>),
    /// Cancels every third command that is not at its end.
    Cancel,
    /// Says how many commands are not finished, or a rollout.
    Open,
    /// Says everything in the history.
    History,
}

/// A reply of the console.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
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
    /// Something does not work that ought to.
    Broken(String),
}

/// Runs until the process is killed: data directory, the broker's port, MQTT version.
pub(crate) fn main(arguments: &[String]) -> Result<()> {
    let [directory, port, version] = arguments else { anyhow::bail!("three arguments are needed") };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(Path::new(directory), port, version == "5"))
}

async fn run(directory: &Path, port: &str, is_v5: bool) -> Result<()> {
    let data_dir = DataDir::open(Some(directory))?;
    let engine = Engine::start(Options { data_dir, vault: Vault::in_memory(), passing: false }).await?;
    let client = Client::new(engine.handle());
    let known = client.connections().await?;
    let connection = match known.first() {
        Some(connection) => connection.id.clone(),
        None => {
            let entry = ConnectionEntry {
                name: "plant".into(),
                url: format!("mqtt://localhost:{port}"),
                mqtt: if is_v5 { MqttVersion::V5 } else { MqttVersion::V311 },
                ..ConnectionEntry::default()
            };
            client.save_connection(entry).await?.id
        }
    };
    say(&Told::Ready(connection));
    let mut batches = client.listen().await?;
    tokio::spawn(async move {
        let mut was_online = false;
        while let Some(batch) = batches.recv().await {
            let Some(connections) = batch.connections else { continue };
            let online = connections.iter().any(|connection| matches!(connection.link, LinkState::Online { .. }));
            if online && !was_online {
                say(&Told::Online);
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
        let order = serde_json::from_str(&line).context("an order")?;
        let client = client.clone();
        tokio::spawn(async move {
            if let Err(error) = carry_out(&client, order).await {
                say(&Told::Broken(format!("{error:#}")));
            }
        });
    }
    Ok(())
}

async fn carry_out(client: &Client, order: Order) -> Result<()> {
    match order {
        Order::Send(number, new) => match client.send(*new).await {
            Ok(sent) => say(&Told::Sent(number, sent.ids)),
            Err(failure) => say(&Told::Refused(number, failure.to_string())),
        },
        Order::Roll(number, new) => match client.start_rollout(*new).await {
            Ok(_) => say(&Told::Sent(number, Vec::new())),
            Err(failure) => say(&Told::Refused(number, failure.to_string())),
        },
        Order::Cancel => {
            for command in client.history(open()).await?.commands.into_iter().step_by(3) {
                // It may have ended meanwhile.
                let _ = client.cancel(&command.connection, &command.device, &command.id).await;
            }
        }
        Order::Open => {
            let commands = client.history(open()).await?.commands.len();
            let rollouts = client.rollouts().await?;
            let rollouts = rollouts.iter().filter(|rollout| !is_over(rollout.state)).count();
            say(&Told::Open(commands + rollouts));
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
            say(&Told::History(all));
        }
    }
    Ok(())
}

fn is_over(state: RolloutState) -> bool {
    matches!(state, RolloutState::Finished | RolloutState::Halted | RolloutState::Stopped)
}

fn open() -> HistoryQuery {
    let states = CommandState::ALL.into_iter().filter(|state| !state.is_final()).collect();
    HistoryQuery { states, limit: 1_000, ..HistoryQuery::default() }
}

fn say(told: &Told) {
    let mut line = serde_json::to_vec(told).unwrap_or_default();
    line.push(b'\n');
    // Nobody may be reading any more.
    let _ = stdout().lock().write_all(&line);
}
