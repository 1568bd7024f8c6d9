//! The engine from outside: start it, ask it, stop it.

mod buttons;
mod catalogue;
mod commands;
mod connections;
mod exchange;
mod export;
#[cfg(test)]
pub(crate) mod fixture;
mod logs;
mod retention;
mod settings;
mod telemetry;
mod traffic;
mod trial;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, spawn_blocking},
};
use wilco_dialect::{Reported, Request as Encoding};
use wilco_ledger::{CommandId, State, Timestamp};

use crate::{
    api::{
        Batch, CommandDetail, ConnectionView, DeviceDetail, DevicePage, DeviceQuery, EventView, Failure, FailureCode,
        HistoryPage, HistoryQuery, invalid, sentence,
    },
    catalogue::Catalogue,
    clock::Clock,
    controller::{Asked, Controller, Errands, Event, Listed},
    kits::Kits,
    lock::DataLock,
    paths::DataDir,
    profile::{self, device_id},
    settings::InForce,
    shell_line::shell_line,
    store::{ConnectionId, Cursor, Evidence, HistoryFilter, Profile, Store},
    telemetry::Telemetry,
    vault::Vault,
    views,
};

use export::Export;
use trial::Trial;

/// The fleets and dialects by connection, for whoever only reads them.
pub(crate) type Directory = Arc<RwLock<HashMap<ConnectionId, Listed>>>;

/// The id of the connection to the fleet inside the app.
pub const DEMO: &str = "demo";

/// What an engine is started with.
pub struct Options {
    /// Where profiles and history are kept.
    pub data_dir: DataDir,
    /// Where secrets are kept.
    pub vault: Vault,
    /// For one command only: brokers are not asked to keep anything for us.
    pub passing: bool,
}

/// A running engine. One for each data directory.
pub struct Engine {
    handle: Handle,
    controller: JoinHandle<()>,
    retention: JoinHandle<()>,
    recorder: JoinHandle<()>,
    _lock: DataLock,
}

/// Asks things of a running engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    events: mpsc::Sender<Event>,
    store: Store,
    vault: Arc<Vault>,
    kits: Arc<Kits>,
    trial: Arc<Trial>,
    export: Arc<Export>,
    settings: InForce,
    catalogue: Arc<Catalogue>,
    directory: Directory,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    installation: Arc<str>,
    data_dir: Arc<Path>,
}

impl Engine {
    /// Opens the store and begins a session for each connection in it.
    ///
    /// # Errors
    /// [`FailureCode::InUse`] when another engine has this data directory, [`FailureCode::Store`] when the store cannot
    /// be opened.
    pub async fn start(options: Options) -> Result<Engine, Failure> {
        let Options { data_dir, vault, passing } = options;
        let opened = spawn_blocking(move || {
            let lock = DataLock::acquire(data_dir.path())?;
            let store = Store::open(data_dir.path())?;
            Ok::<_, Failure>((data_dir, lock, store))
        });
        let (data_dir, lock, store) = opened.await.map_err(defect)??;
        let installation: Arc<str> = store.identity().await?.into();
        let profiles = store.connections().await?;
        let settings = InForce::new(store.settings().await?);

        let (events, inbox) = mpsc::channel(10_000);
        let catalogue = Arc::new(Catalogue::default());
        catalogue.replace(store.definitions().await?);
        let vault = Arc::new(vault);
        let directory = Directory::default();
        let clock = Clock::start();
        let errands = Errands { vault: Arc::clone(&vault), passing };
        let telemetry = Arc::new(Telemetry::default());
        let shared = (Arc::clone(&directory), Arc::clone(&catalogue));
        let told = Arc::clone(&telemetry);
        let controller = Controller::new((events.clone(), inbox), store.clone(), clock.clone(), shared, errands, told);
        let controller = tokio::spawn(controller.run());
        let handle = Handle {
            events,
            store,
            vault,
            kits: Arc::default(),
            trial: Arc::default(),
            export: Arc::default(),
            settings,
            catalogue,
            directory,
            telemetry,
            clock,
            installation,
            data_dir: data_dir.path().into(),
        };
        for mut profile in profiles {
            if profile.demo {
                // Its broker ended with the program that ran it.
                profile.url = String::new();
            }
            handle.open(profile).await?;
        }
        let retention = tokio::spawn(handle.clone().keep_to_retention());
        let recorder = tokio::spawn(handle.clone().record_telemetry());
        Ok(Engine { handle, controller, retention, recorder, _lock: lock })
    }

    /// Asks things of it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Says good-bye to the brokers, writes everything down and ends.
    pub async fn stop(self) {
        self.retention.abort();
        self.handle.telemetry.close();
        let _ = self.recorder.await;
        let (done, closed) = oneshot::channel();
        if self.handle.events.send(Event::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
        let _ = self.controller.await;
    }
}

impl Handle {
    /// Where profiles and history are kept.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Every connection, in the order that the person has given them.
    ///
    /// # Errors
    /// [`FailureCode::Internal`] while the engine is stopping; so for all the others.
    pub async fn connections(&self) -> Result<Vec<ConnectionView>, Failure> {
        self.ask(Asked::Connections).await
    }

    /// A window of a connection's devices.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`].
    pub async fn devices(&self, query: DeviceQuery, from: u32, count: u32) -> Result<DevicePage, Failure> {
        let fleet = self.listed(&query.connection)?.fleet;
        // Sorting a hundred thousand devices takes its time, which a task of the runtime must not.
        spawn_blocking(move || fleet.write().unwrap_or_else(PoisonError::into_inner).page(&query, from, count))
            .await
            .map_err(defect)
    }

    /// Everything about one device.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`] when it was never heard of.
    pub async fn device(&self, connection: &str, device: &str) -> Result<DeviceDetail, Failure> {
        let id = ConnectionId::from(connection);
        let device = device_id(device)?;
        let (row, reported_at, running_config, saved_config, telemetry_interval_ms) = {
            let fleet = self.listed(connection)?.fleet;
            let fleet = fleet.read().unwrap_or_else(PoisonError::into_inner);
            let known = fleet.get(&device).ok_or_else(|| not_found("device", device.as_str()))?;
            let reported = known.state.as_ref().map(Reported::of).unwrap_or_default();
            let (running, saved) = (reported.running.cloned(), reported.saved.cloned());
            let interval = reported.telemetry_interval_ms;
            (known.row(connection), known.reported_at.map(|at| at.0), running, saved, interval)
        };
        let (commands, command_count) = self.store.last_commands(&id, &device, 8).await?;
        let commands = commands.iter().map(|command| views::command(id.as_str(), command, None)).collect();
        let strays = views::strays(&self.store.strays(&id, &device, 5).await?);
        Ok(DeviceDetail {
            row,
            reported_at,
            running_config,
            saved_config,
            telemetry_interval_ms,
            commands,
            command_count,
            strays,
        })
    }

    /// A page of the history, newest first.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`] for a state or cursor that is none.
    pub async fn history(&self, query: HistoryQuery) -> Result<HistoryPage, Failure> {
        let state = |name: &String| {
            let names = State::ALL.map(State::as_str).join(", ");
            State::parse(name)
                .ok_or_else(|| invalid(format!("There is no state called '{name}'."), &format!("There are: {names}.")))
        };
        let filter = HistoryFilter {
            connection: query.connection.as_deref().map(ConnectionId::from),
            device: query.device.as_deref().map(device_id).transpose()?,
            states: query.states.iter().map(state).collect::<Result<_, _>>()?,
            since: query.since.map(Timestamp),
            before: query
                .cursor
                .map(|cursor| {
                    Cursor::parse(&cursor).ok_or_else(|| {
                        invalid(format!("'{cursor}' is no place in the history."), "Begin again from the top.")
                    })
                })
                .transpose()?,
            limit: query.limit.clamp(1, 1_000),
        };
        let page = self.store.history(filter).await?;
        Ok(HistoryPage {
            commands: page.rows.iter().map(|(id, command)| views::command(id.as_str(), command, None)).collect(),
            next: page.next.map(|cursor| cursor.to_string()),
            total: page.total,
            matching: page.matching,
        })
    }

    /// A command with all its evidence.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`].
    pub async fn command(&self, connection: &str, device: &str, id: &str) -> Result<CommandDetail, Failure> {
        let (connection, device, command_id) = (ConnectionId::from(connection), device_id(device)?, command_id(id)?);
        let evidence = self.store.evidence(&connection, &device, &command_id).await?;
        let Evidence { command, events, left_out } = evidence.ok_or_else(|| not_found("command", id))?;
        let profile = self.store.connections().await?.into_iter().find(|profile| profile.id == connection);
        let shell_line = profile.as_ref().and_then(|profile| {
            let known = self.catalogue.find(&connection, &command.asked.name);
            shell_line(&profile.name, &command, known.kind())
        });
        let request = profile.and_then(|profile| profile::dialect(&profile).ok()).map(|dialect| {
            let encoding = Encoding {
                id: &command.asked.id,
                command: &command.asked.name,
                args: &command.asked.args,
                form: command.asked.form.as_deref(),
                issued_at: command.submitted_at,
                expires_at: command.submitted_at + command.asked.policy.time_to_live,
                attempt: command.attempt.max(1),
            };
            let outbound = dialect.encode(&device, &encoding, command.submitted_at);
            views::wire(&outbound.topic, &outbound.payload, 1)
        });
        Ok(CommandDetail {
            command: views::command(connection.as_str(), &command, None),
            request,
            events: views::course(&events),
            left_out,
            shell_line,
        })
    }

    /// The latest answers of a device that settled no command: of an unknown id, retained, and the like. Newest first.
    ///
    /// # Errors
    /// [`FailureCode::Store`].
    pub async fn strays(&self, connection: &str, device: &str, limit: u32) -> Result<Vec<EventView>, Failure> {
        let (connection, device) = (ConnectionId::from(connection), device_id(device)?);
        let strays = self.store.strays(&connection, &device, limit.clamp(1, 1_000)).await?;
        Ok(views::strays(&strays))
    }

    /// Everything that changes from now on, in batches; the first has all connections in it.
    ///
    /// # Errors
    /// [`FailureCode::Internal`] while the engine is stopping.
    pub async fn listen(&self) -> Result<mpsc::Receiver<Batch>, Failure> {
        self.ask(Asked::Listen).await
    }

    async fn open(&self, profile: Profile) -> Result<ConnectionView, Failure> {
        self.ask(|reply| Asked::Open(Box::new(profile), reply)).await?
    }

    fn listed(&self, connection: &str) -> Result<Listed, Failure> {
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
        directory.get(&ConnectionId::from(connection)).cloned().ok_or_else(|| not_found("connection", connection))
    }

    async fn ask<T>(&self, asked: impl FnOnce(oneshot::Sender<T>) -> Asked) -> Result<T, Failure> {
        let stopping =
            || Failure { code: FailureCode::Internal, message: "Wilco is shutting down.".into(), hint: None };
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Asked(asked(reply))).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }
}

fn command_id(text: &str) -> Result<CommandId, Failure> {
    CommandId::new(text).map_err(|error| invalid(sentence(&error.to_string()), "Copy it from the history."))
}

pub(crate) fn not_found(what: &str, name: &str) -> Failure {
    Failure { code: FailureCode::NotFound, message: format!("There is no {what} '{name}'."), hint: None }
}

fn defect(error: tokio::task::JoinError) -> Failure {
    Failure { code: FailureCode::Internal, message: format!("Something broke inside Wilco: {error}."), hint: None }
}
