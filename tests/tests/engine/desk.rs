//! An engine on a data directory of its own, all of its feed so far, and waiting for what it reports next.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use wilco_engine::api::{
    Client, CommandDetail, CommandState, CommandView, ConnectionEntry, ConnectionView, Delivery, EventView, Failure,
    FileRole, FileToRead, FilesToRead, LinkState, MqttVersion, NewCommand, Notice, PreflightView, Step, StepState,
    Trust,
};
use wilco_engine::paths::DataDir;
use wilco_engine::vault::Vault;
use wilco_engine::{Engine, Options};
use wilco_tests::{Broker, Certificates, Identity, soon_async};

/// Longest wait for something that ought to happen at once. The machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// The versions of MQTT.
pub(crate) const BOTH: [MqttVersion; 2] = [MqttVersion::V5, MqttVersion::V311];

/// A data directory, and the engine on it while it runs.
pub(crate) struct Desk {
    directory: PathBuf,
    vault: Vault,
    running: Option<(Engine, Watch)>,
    /// Removed at the end, after the engine.
    _temporary: Option<tempfile::TempDir>,
}

impl Desk {
    /// An engine on an empty data directory.
    pub(crate) async fn new() -> Result<Desk> {
        let mut desk = Desk::closed()?;
        desk.open().await?;
        Ok(desk)
    }

    /// An engine on this data directory.
    pub(crate) async fn at(directory: &Path, vault: Vault) -> Result<Desk> {
        let mut desk = Desk { directory: directory.to_owned(), vault, running: None, _temporary: None };
        desk.open().await?;
        Ok(desk)
    }

    /// A data directory on which nothing runs.
    pub(crate) fn closed() -> Result<Desk> {
        let directory = tempfile::Builder::new().prefix("wilco-desk-").tempdir()?;
        let vault = Vault::in_memory();
        Ok(Desk { directory: directory.path().to_owned(), vault, running: None, _temporary: Some(directory) })
    }

    /// Starts an engine on the data that is there.
    pub(crate) async fn open(&mut self) -> Result<()> {
        let engine = start(self.path(), &self.vault).await?;
        let watch = Watch::on(Client::new(engine.handle())).await?;
        self.running = Some((engine, watch));
        Ok(())
    }

    /// Ends the engine in good order.
    pub(crate) async fn close(&mut self) {
        if let Some((engine, _)) = self.running.take() {
            engine.stop().await;
        }
    }

    pub(crate) async fn reopen(&mut self) -> Result<()> {
        self.close().await;
        self.open().await
    }

    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.running.as_ref().expect("the engine runs").0
    }
}

impl Deref for Desk {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.running.as_ref().expect("the engine runs").1
    }
}

/// An engine on a data directory.
pub(crate) async fn start(directory: &Path, vault: &Vault) -> Result<Engine, Failure> {
    let data_dir = DataDir::open(Some(directory))?;
    Engine::start(Options { data_dir, vault: vault.clone(), passing: false }).await
}

/// What has been told so far.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: Vec<ConnectionView>,
    pub(crate) commands: HashMap<(String, String), CommandView>,
    /// Every state in which a command was seen, by device and id, in order.
    pub(crate) states: Vec<(String, String, CommandState)>,
    pub(crate) notices: Vec<Notice>,
}

/// A console, its own or attached, and what it has told.
pub(crate) struct Watch {
    console: Client,
    seen: Arc<Mutex<Seen>>,
    changed: watch::Receiver<()>,
}

impl Watch {
    pub(crate) async fn on(console: Client) -> Result<Watch> {
        let mut batches = console.listen().await?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (change, changed) = watch::channel(());
        let gathered = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Some(batch) = batches.recv().await {
                {
                    let mut seen = gathered.lock();
                    seen.connections = batch.connections.unwrap_or(std::mem::take(&mut seen.connections));
                    seen.notices.extend(batch.notices);
                    for command in batch.commands {
                        seen.states.push((command.device.clone(), command.id.clone(), command.state));
                        seen.commands.insert((command.device.clone(), command.id.clone()), command);
                    }
                }
                let _ = change.send(());
            }
        });
        Ok(Watch { console, seen, changed })
    }

    pub(crate) fn console(&self) -> &Client {
        &self.console
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock()
    }

    /// Waits until what has been told shows something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl Fn(&Seen) -> Option<T>) -> Result<T> {
        let by = Instant::now() + PATIENCE;
        let mut changed = self.changed.clone();
        loop {
            changed.borrow_and_update();
            if let Some(found) = look(&self.seen()) {
                return Ok(found);
            }
            if !matches!(timeout_at(by, changed.changed()).await, Ok(Ok(()))) {
                let seen = self.seen();
                let links: Vec<_> = seen.connections.iter().map(|known| (&known.name, &known.link)).collect();
                bail!(
                    "there was no {what} within {PATIENCE:?}; links: {links:?}; notices: {:?}; commands: {:#?}",
                    seen.notices,
                    seen.commands.values().take(5).collect::<Vec<_>>()
                );
            }
        }
    }

    /// Adds a connection and waits until it is online. Returns its id.
    pub(crate) async fn connect(&self, new: NewConnection) -> Result<String> {
        let id = self.add(new).await?;
        self.online(&id).await?;
        Ok(id)
    }

    /// Adds a connection. Returns its id.
    pub(crate) async fn add(&self, new: NewConnection) -> Result<String> {
        Ok(self.try_to_add(new).await?.id)
    }

    /// Adds a connection, or says why not.
    pub(crate) async fn try_to_add(&self, new: NewConnection) -> Result<ConnectionView, Failure> {
        let entry = self.entry(new).await?;
        self.console.save_connection(entry).await
    }

    /// Tries a connection step by step before it is stored.
    pub(crate) async fn preflight(&self, new: NewConnection) -> Result<PreflightView> {
        let entry = self.entry(new).await?;
        Ok(self.console.preflight(entry, None, unbounded_channel().0).await?)
    }

    /// Tries a stored connection step by step.
    pub(crate) async fn preflight_stored(&self, connection: &str) -> Result<PreflightView> {
        Ok(self.console.preflight((&self.view(connection).await?).into(), None, unbounded_channel().0).await?)
    }

    /// Brings a connection's files, and enters the rest of it.
    pub(crate) async fn entry(&self, new: NewConnection) -> Result<ConnectionEntry, Failure> {
        let NewConnection { mut entry, files } = new;
        if !files.is_empty() {
            let kit = self.console.read_files(FilesToRead { files, ..FilesToRead::default() }).await?;
            entry.kit = Some(kit.id);
        }
        Ok(entry)
    }

    /// Changes a stored connection, or says why not.
    pub(crate) async fn edit(
        &self,
        connection: &str,
        change: impl FnOnce(&mut ConnectionEntry),
    ) -> Result<ConnectionView> {
        let mut entry = ConnectionEntry::from(&self.view(connection).await?);
        change(&mut entry);
        Ok(self.console.save_connection(entry).await?)
    }

    /// A connection as it is listed.
    pub(crate) async fn view(&self, connection: &str) -> Result<ConnectionView> {
        let connections = self.console.connections().await?;
        connections.into_iter().find(|view| view.id == connection).context("no such connection")
    }

    pub(crate) async fn online(&self, connection: &str) -> Result<()> {
        // The stream may still show the session before an edit.
        soon_async("connection", PATIENCE, async || {
            let view = self.view(connection).await?;
            Ok(matches!(view.link, LinkState::Online { .. }).then_some(()))
        })
        .await?;
        self.link(connection, "connection", |link| matches!(link, LinkState::Online { .. }).then_some(())).await
    }

    /// Waits for a state of a connection's link.
    pub(crate) async fn link<T>(
        &self,
        connection: &str,
        what: &str,
        look: impl Fn(&LinkState) -> Option<T>,
    ) -> Result<T> {
        self.until(what, |seen| {
            seen.connections.iter().find(|known| known.id == connection).and_then(|known| look(&known.link))
        })
        .await
    }

    /// Waits until a connection is said not to work. Returns the sentence and the hint.
    pub(crate) async fn trouble(&self, connection: &str) -> Result<(String, String)> {
        self.link(connection, "trouble", |link| match link {
            LinkState::Waiting { message, hint, .. } | LinkState::Stopped { message, hint, .. } => {
                Some((message.clone(), hint.clone().unwrap_or_default()))
            }
            LinkState::Loading | LinkState::Connecting | LinkState::Subscribing | LinkState::Online { .. } => None,
        })
        .await
    }

    /// Sends to one device. Returns the command's id.
    pub(crate) async fn send(&self, new: NewCommand) -> Result<String> {
        let sent = self.console.send(new).await?;
        sent.ids.into_iter().next().context("nothing was sent")
    }

    /// Waits for something about a command.
    pub(crate) async fn command(
        &self,
        (device, id): (&str, &str),
        what: &str,
        look: impl Fn(&CommandView) -> bool,
    ) -> Result<CommandView> {
        let key = (device.to_owned(), id.to_owned());
        let wanted = format!("{what} of {device}'s {id}");
        let found = self.until(&wanted, |seen| seen.commands.get(&key).filter(|command| look(command)).cloned());
        match found.await {
            Ok(command) => Ok(command),
            Err(error) => {
                let stands = self.seen().commands.get(&key).cloned();
                Err(error.context(format!("it stands as {stands:#?}")))
            }
        }
    }

    /// Waits for a command's end.
    pub(crate) async fn ended(&self, device: &str, id: &str) -> Result<CommandView> {
        self.command((device, id), "end", |command| command.is_final).await
    }

    /// Waits until a command is in this state.
    pub(crate) async fn reaches(&self, device: &str, id: &str, state: CommandState) -> Result<CommandView> {
        self.command((device, id), state.as_str(), |command| command.state == state).await
    }

    /// Sends, and waits for the end.
    pub(crate) async fn carry_out(&self, new: NewCommand) -> Result<CommandView> {
        let device = new.devices[0].clone();
        let id = self.send(new).await?;
        self.ended(&device, &id).await
    }

    /// Waits until a device is known as online.
    pub(crate) async fn sees_online(&self, connection: &str, devices: u32) -> Result<()> {
        self.until(&format!("{devices} devices online"), |seen| {
            seen.connections
                .iter()
                .find(|known| known.id == connection)
                .filter(|known| known.online >= devices)
                .map(drop)
        })
        .await
    }

    /// Waits for a notice with that text in it.
    pub(crate) async fn notice(&self, part: &str) -> Result<Notice> {
        self.until(&format!("notice '{part}'"), |seen| {
            seen.notices.iter().find(|notice| notice.message.contains(part)).cloned()
        })
        .await
    }

    pub(crate) async fn evidence(&self, connection: &str, device: &str, id: &str) -> Result<CommandDetail> {
        Ok(self.console.command(connection, device, id).await?)
    }

    /// Waits until the last answer of a device that belongs to no command is read so.
    pub(crate) async fn unmatched(&self, connection: &str, device: &str, reading: &str) -> Result<EventView> {
        soon_async(&format!("answer of {device} read as {reading}"), PATIENCE, async || {
            let unmatched = self.console.unmatched(connection, device, 10).await?;
            Ok(unmatched
                .into_iter()
                .find(|event| event.answer.as_ref().is_some_and(|answer| answer.reading.as_str() == reading)))
        })
        .await
    }
}

/// A connection to be entered, and the files that are brought for it.
#[derive(Clone)]
pub(crate) struct NewConnection {
    pub(crate) entry: ConnectionEntry,
    pub(crate) files: Vec<FileToRead>,
}

impl NewConnection {
    /// The same, but for what `change` changes.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut ConnectionEntry)) -> NewConnection {
        change(&mut self.entry);
        self
    }

    pub(crate) fn over(self, mqtt: MqttVersion) -> NewConnection {
        self.with(|entry| entry.settings.mqtt = mqtt)
    }

    /// The same with these authorities and this client certificate instead.
    pub(crate) fn bringing(self, ca: Option<&Path>, identity: Option<&Identity>) -> NewConnection {
        let file = |path: &Path, role| FileToRead { path: path.to_owned(), role };
        let mut files: Vec<_> = ca.map(|ca| file(ca, FileRole::Authorities)).into_iter().collect();
        if let Some(identity) = identity {
            files.push(file(&identity.certificate, FileRole::Certificate));
            files.push(file(&identity.key, FileRole::Key));
        }
        let trust = if ca.is_some() { Trust::Authorities } else { Trust::Platform };
        NewConnection { files, ..self.with(|entry| entry.settings.trust = trust) }
    }
}

/// A plain connection to a broker.
pub(crate) fn plain(name: &str, broker: &Broker) -> NewConnection {
    to(name, &broker.url())
}

/// A plain connection to an address.
pub(crate) fn to(name: &str, url: &str) -> NewConnection {
    let entry = ConnectionEntry { name: name.into(), url: url.into(), ..ConnectionEntry::default() };
    NewConnection { entry, files: Vec::new() }
}

/// A connection to a broker with mutual TLS.
pub(crate) fn mutual(name: &str, broker: &Broker, certificates: &Certificates, identity: &Identity) -> NewConnection {
    plain(name, broker).bringing(Some(&certificates.ca), Some(identity))
}

/// The step at which a preflight stopped, with all that is said of it.
pub(crate) fn stopped_at(view: &PreflightView) -> Result<(Step, String)> {
    let step = view.steps.iter().find(|step| step.state == StepState::Failed);
    let step = step.with_context(|| format!("it did not stop: {view:#?}"))?;
    let finding = step.finding.as_ref().with_context(|| format!("nothing is said of it: {step:?}"))?;
    Ok((step.step, format!("{}. {} {}", finding.title, finding.why, finding.hint)))
}

/// A command for one device that may take as long as it takes.
pub(crate) fn ask(connection: &str, device: &str, command: &str, args: Value) -> NewCommand {
    NewCommand {
        connection: connection.into(),
        devices: vec![device.into()],
        command: command.into(),
        args: args.into(),
        timeout_ms: Some(60_000),
        ttl_ms: Some(60_000),
        retries: None,
        delivery: Some(Delivery::BrokerHolds),
        no_answer: false,
        ..NewCommand::default()
    }
}

pub(crate) fn led(connection: &str, device: &str) -> NewCommand {
    ask(connection, device, "led", json!({"on": true}))
}

/// An answer as a device writes it.
pub(crate) fn answer(id: &str, status: &str) -> Vec<u8> {
    json!({"id": id, "status": status}).to_string().into_bytes()
}

/// How an answer to a command was read, for each that came, in order.
pub(crate) fn readings(detail: &CommandDetail) -> Vec<&str> {
    detail.events.iter().filter_map(|event| event.answer.as_ref()).map(|answer| answer.reading.as_str()).collect()
}
