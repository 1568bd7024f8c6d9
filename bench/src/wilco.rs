//! Wilco's engine as the app runs it, on a real disk: every command is stored before it is sent, every answer before it
//! counts. A measurement ends when a listener, such as the window, receives the change.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::sync::mpsc;
use wilco_engine::api::{
    Batch, CommandState, ConnectionEntry, ConnectionSettings, ConnectionView, FileRole, FileToRead, FilesToRead,
    HistoryQuery, LinkState, NewCommand, NewRollout, RolloutCommand, RolloutTarget, Trust,
};
use wilco_engine::paths::DataDir;
use wilco_engine::vault::Vault;
use wilco_engine::{Engine, Handle, Options};

use crate::client::Files;
use crate::course::{ANSWER_TIMEOUT, device};
use crate::growth::SILENT;

const PREFIX: &str = "wilco";
/// Devices whose name begins so never answer.
pub(crate) const SILENT_NAME: &str = "silent-";
/// When they time out, milliseconds.
const TIMEOUT_MS: u64 = 3_000;

/// A running engine with one connection, online.
pub(crate) struct Wilco {
    engine: Engine,
    handle: Handle,
    connection: String,
    told: mpsc::Receiver<Batch>,
}

impl Wilco {
    /// Starts an engine on that directory and connects.
    pub(crate) async fn connect(data: &Path, url: &str, files: Option<&Files>) -> Result<Self> {
        let data_dir = DataDir::open(Some(data))?;
        let engine = Engine::start(Options { data_dir, vault: Vault::in_memory(), passing: false }).await?;
        let handle = engine.handle();
        let told = handle.listen().await?;
        let mut entry = ConnectionEntry {
            name: "bench".into(),
            url: url.into(),
            settings: ConnectionSettings { prefix: PREFIX.into(), ..ConnectionSettings::default() },
            ..ConnectionEntry::default()
        };
        if let Some(files) = files {
            let roles = [FileRole::Authorities, FileRole::Certificate, FileRole::Key];
            let files = files.words().into_iter().zip(roles).map(|(path, role)| FileToRead { path: path.into(), role });
            let files = FilesToRead { files: files.collect(), ..FilesToRead::default() };
            entry.kit = Some(handle.read_files(files).await?.id);
            entry.settings.trust = Trust::Authorities;
        }
        let connection = handle.save_connection(entry).await?.id;
        let mut wilco = Self { engine, handle, connection, told };
        wilco.until("a connection", |view| matches!(view.link, LinkState::Online { .. })).await?;
        Ok(wilco)
    }

    /// Sends a command to one device, and waits until its end is told.
    pub(crate) async fn command_one(&mut self) -> Result<Duration> {
        self.forget_what_was_told();
        let begun = Instant::now();
        let id = self.handle.send(self.led(1)).await?.ids.remove(0);
        loop {
            let batch = self.next("the end of a command").await?;
            if let Some(command) = batch.commands.iter().find(|command| command.id == id && command.is_final) {
                ensure!(command.state == CommandState::Succeeded, "a command has {}", command.state);
                return Ok(begun.elapsed());
            }
        }
    }

    /// Sends a command to each of so many devices, and waits until the end of them all is told.
    pub(crate) async fn command(&mut self, devices: usize) -> Result<Duration> {
        let before = self.view().await?.counts;
        self.forget_what_was_told();
        let new = self.led(devices);
        let begun = Instant::now();
        self.handle.send(new).await?;
        let all = before.kept + u32::try_from(devices)?;
        let view = self.until("the end of all commands", |view| {
            let counts = &view.counts;
            counts.kept == all && counts.queued + counts.held + counts.in_flight == 0
        });
        let view = view.await?;
        let took = begun.elapsed();
        ensure!(
            view.counts.needs_attention == before.needs_attention,
            "{} commands did not succeed",
            view.counts.needs_attention
        );
        Ok(took)
    }

    /// Sends a command to each of so many devices as a rollout, and waits until all are told to be done that answer.
    /// Ends once nothing is in progress any more.
    pub(crate) async fn roll_out(&mut self, devices: usize, some_silent: bool) -> Result<Duration> {
        let name = |number: usize| match some_silent && number.is_multiple_of(SILENT) {
            true => format!("{SILENT_NAME}{number:06}"),
            false => device(number),
        };
        let devices: Vec<_> = (0..devices).map(name).collect();
        let silent = devices.iter().filter(|device| device.starts_with(SILENT_NAME)).count();
        let (all, silent) = (u32::try_from(devices.len())?, u32::try_from(silent)?);
        let before = self.view().await?.counts;
        self.forget_what_was_told();
        let rollout = NewRollout {
            connection: self.connection.clone(),
            target: RolloutTarget::Devices { devices },
            command: RolloutCommand {
                name: "led".into(),
                args: json!({ "on": true }).into(),
                timeout_ms: Some(TIMEOUT_MS),
                retries: Some(0),
                ..RolloutCommand::default()
            },
            ..NewRollout::default()
        };
        let kept = before.kept + all;
        let begun = Instant::now();
        self.handle.start_rollout(rollout).await?;
        let view = self.until("the end of the rollout", |view| {
            let counts = &view.counts;
            let unanswered = counts.in_flight + counts.needs_attention - before.needs_attention;
            counts.kept == kept && counts.queued + counts.held == 0 && unanswered == silent
        });
        let mut counts = view.await?.counts;
        let took = begun.elapsed();
        if counts.in_flight > 0 {
            counts = self.until("the end of the silent ones", |view| view.counts.in_flight == 0).await?.counts;
        }
        ensure!(
            counts.needs_attention == before.needs_attention + silent,
            "{} commands need somebody",
            counts.needs_attention
        );
        Ok(took)
    }

    /// Reads the first page of the history, as the window does.
    pub(crate) async fn first_page(&self) -> Result<Duration> {
        let query = HistoryQuery { limit: 100, ..HistoryQuery::default() };
        let begun = Instant::now();
        let page = self.handle.history(query).await?;
        let took = begun.elapsed();
        ensure!(
            page.commands.iter().all(|command| command.state == CommandState::Succeeded),
            "the history shows commands that are not done"
        );
        Ok(took)
    }

    /// Ends the engine in good order.
    pub(crate) async fn stop(self) {
        self.engine.stop().await;
    }

    fn led(&self, devices: usize) -> NewCommand {
        NewCommand {
            connection: self.connection.clone(),
            devices: (0..devices).map(device).collect(),
            command: "led".into(),
            args: json!({ "on": true }).into(),
            ..NewCommand::default()
        }
    }

    async fn view(&self) -> Result<ConnectionView> {
        let connections = self.handle.connections().await?;
        connections.into_iter().find(|view| view.id == self.connection).context("the connection is gone")
    }

    /// Waits until the connection is told to be so.
    async fn until(&mut self, what: &str, so: impl Fn(&ConnectionView) -> bool) -> Result<ConnectionView> {
        loop {
            let batch = self.next(what).await?;
            let views = batch.connections.unwrap_or_default();
            if let Some(view) = views.into_iter().find(|view| view.id == self.connection && so(view)) {
                return Ok(view);
            }
        }
    }

    async fn next(&mut self, what: &str) -> Result<Batch> {
        let batch = tokio::time::timeout(ANSWER_TIMEOUT, self.told.recv()).await;
        batch.with_context(|| format!("Wilco has not reported {what}"))?.context("Wilco reports nothing any more")
    }

    fn forget_what_was_told(&mut self) {
        while self.told.try_recv().is_ok() {}
    }
}
