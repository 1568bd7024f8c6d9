//! A bare MQTT.js client, in a process of its own as Node has it.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::client::Files;
use crate::course::ANSWER_TIMEOUT;

/// The script, below this crate.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mqttjs/bare.js");

/// The running script, connected.
pub(crate) struct MqttJs {
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl MqttJs {
    /// Connects and subscribes.
    pub(crate) async fn connect(url: &str, files: Option<&Files>) -> Result<Self> {
        let mut node = Command::new("node");
        node.args([SCRIPT, url, "mqttjs"]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        if let Some(files) = files {
            node.args(files.words());
        }
        let mut process = node.spawn().context("`node` could not be started; is it installed and on the path?")?;
        let commands = process.stdin.take().context("the script has no input")?;
        let answers = BufReader::new(process.stdout.take().context("the script has no output")?).lines();
        let mut client = Self { commands, answers, _process: process };
        client.line().await.context("MQTT.js did not connect")?;
        Ok(client)
    }

    /// Sends a command to each of so many devices, and waits for all their answers. Timed there, by the script.
    pub(crate) async fn command(&mut self, devices: usize) -> Result<Duration> {
        self.commands.write_all(format!("many {devices}\n").as_bytes()).await?;
        let milliseconds: f64 = self.line().await?.parse().context("MQTT.js answers with something that is no time")?;
        Ok(Duration::from_secs_f64(milliseconds / 1_000.0))
    }

    async fn line(&mut self) -> Result<String> {
        let line =
            tokio::time::timeout(ANSWER_TIMEOUT, self.answers.next_line()).await.context("MQTT.js prints nothing")?;
        line?.context("MQTT.js has ended; what it said is above")
    }
}
