//! The engine from outside: start it, ask it, stop it.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, spawn_blocking},
};
use uuid::Uuid;
use wilco_dialect::{Reported, Request as Encoding};
use wilco_ledger::{CommandId, Delivery, DeviceId, Millis, Policy, Retry, State, Submission, Timestamp};

use crate::{
    api::{
        self, Batch, CommandDetail, ConnectionView, DeviceDetail, DevicePage, DeviceQuery, EventView, Failure,
        FailureCode, HistoryPage, HistoryQuery, MqttVersion, NewCommand, NewConnection, Probe, Sent, sentence,
    },
    clock::Clock,
    controller::{Asked, Controller, Errands, Event, SharedFleet},
    lock::DataLock,
    mqtt,
    paths::DataDir,
    profile::{self, Draft, invalid},
    store::{ConnectionId, Cursor, HistoryFilter, Profile, Store, StoredSecrets},
    vault::Vault,
    views,
};

/// The fleets by connection, for whoever only reads them.
pub(crate) type Directory = Arc<RwLock<HashMap<ConnectionId, SharedFleet>>>;

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
    _lock: DataLock,
}

/// Asks things of a running engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    events: mpsc::Sender<Event>,
    store: Store,
    vault: Arc<Vault>,
    directory: Directory,
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

        let (events, inbox) = mpsc::channel(10_000);
        let vault = Arc::new(vault);
        let directory = Directory::default();
        let clock = Clock::start();
        let errands = Errands { vault: Arc::clone(&vault), passing };
        let controller =
            Controller::new((events.clone(), inbox), store.clone(), clock, Arc::clone(&directory), errands);
        let controller = tokio::spawn(controller.run());
        let handle = Handle { events, store, vault, directory, clock, installation, data_dir: data_dir.path().into() };
        for mut profile in profiles {
            if profile.demo {
                // Its broker ended with the program that ran it.
                profile.url = String::new();
            }
            handle.open(profile).await?;
        }
        Ok(Engine { handle, controller, _lock: lock })
    }

    /// Asks things of it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Says good-bye to the brokers, writes everything down and ends.
    pub async fn stop(self) {
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

    /// Checks, stores and begins a connection. Its files are read once and not needed afterwards.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`], [`FailureCode::File`], [`FailureCode::Keyring`] or [`FailureCode::Store`], a sentence
    /// each; then nothing of it is kept.
    pub async fn add_connection(&self, new: NewConnection) -> Result<ConnectionView, Failure> {
        let draft = self.draft(new).await?;
        let mut profile = draft.profile.clone();
        let others = self.store.connections().await?;
        if others.iter().any(|other| other.name == profile.name) {
            return Err(invalid(
                format!("There is already a connection called '{}'.", profile.name),
                "Choose another name.",
            ));
        }
        profile.position = u32::try_from(others.len()).unwrap_or(u32::MAX);
        let vault = Arc::clone(&self.vault);
        let kept = spawn_blocking(move || {
            let kept = draft.keep_secrets(&vault);
            if kept.is_err() {
                // What was put away before the failure; a second failure changes nothing.
                let _ = vault.remove_all(draft.profile.id.as_str());
            }
            kept
        });
        kept.await.map_err(defect)??;
        if let Err(error) = self.store.save_connection(&profile).await {
            self.forget_secrets(&profile.id).await?;
            return Err(error.into());
        }
        self.open(profile).await
    }

    /// Connects and subscribes once with what is given, keeps nothing, and says how it went.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`] or [`FailureCode::File`] when it does not come to a try.
    pub async fn test_connection(&self, mut new: NewConnection) -> Result<Probe, Failure> {
        if new.name.trim().is_empty() {
            new.name = "test".into();
        }
        if new.client_id.as_deref().is_none_or(|id| id.trim().is_empty()) {
            // Not the id of a session that may be running.
            new.client_id = Some(format!("wilco-test-{}", &Uuid::new_v4().simple().to_string()[..12]));
        }
        let draft = self.draft(new).await?;
        Ok(mqtt::probe(&draft.settings()?).await)
    }

    /// Connects once as a stored connection does, under a client id of its own, and says how it went.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`], or [`FailureCode::Keyring`] when its secrets cannot be had.
    pub async fn test_stored(&self, id: &str) -> Result<Probe, Failure> {
        let profiles = self.store.connections().await?;
        let mut profile = profiles
            .into_iter()
            .find(|profile| profile.id.as_str() == id)
            .ok_or_else(|| not_found("connection", id))?;
        profile.client_id = format!("wilco-test-{}", &Uuid::new_v4().simple().to_string()[..12]);
        let settings = profile::settings(profile, Arc::clone(&self.vault), true).await?;
        Ok(mqtt::probe(&settings).await)
    }

    /// Ends a connection and forgets its secrets, its devices and its history.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`]; [`FailureCode::Keyring`] when its secrets cannot be removed, and then it stays.
    pub async fn remove_connection(&self, id: &str) -> Result<(), Failure> {
        let id = ConnectionId::from(id);
        let profile = self.store.connections().await?.into_iter().find(|profile| profile.id == id);
        let profile = profile.ok_or_else(|| not_found("connection", id.as_str()))?;
        let has = profile.has;
        if !profile.in_memory_secrets && (has.password || has.private_key || has.certificate || has.authorities) {
            self.forget_secrets(&id).await?;
        }
        self.ask(|reply| Asked::Forget(id.clone(), reply)).await??;
        Ok(self.store.remove_connection(&id).await?)
    }

    /// Begins (or begins anew) the connection to the fleet inside the app, whose broker listens at `url`.
    ///
    /// # Errors
    /// [`FailureCode::Store`].
    pub async fn open_demo(&self, url: &str) -> Result<ConnectionView, Failure> {
        let others = self.store.connections().await?;
        let before = others.iter().find(|profile| profile.demo);
        let profile = Profile {
            id: ConnectionId::from(DEMO),
            name: "Demo fleet".into(),
            url: url.into(),
            mqtt: MqttVersion::V5,
            client_id: format!("wilco-{}-{DEMO}", &self.installation[..self.installation.len().min(8)]),
            username: None,
            dialect: "wilco".into(),
            prefix: String::new(),
            demo: true,
            certificate_subject: None,
            certificate_expires_at: None,
            has: StoredSecrets::default(),
            in_memory_secrets: false,
            position: before.map_or(u32::try_from(others.len()).unwrap_or(u32::MAX), |before| before.position),
        };
        self.store.save_connection(&profile).await?;
        self.open(profile).await
    }

    /// A window of a connection's devices.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`].
    pub async fn devices(&self, query: DeviceQuery, from: u32, count: u32) -> Result<DevicePage, Failure> {
        let fleet = self.fleet(&query.connection)?;
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
        let (row, reported_at, running_config, saved_config) = {
            let fleet = self.fleet(connection)?;
            let fleet = fleet.read().unwrap_or_else(PoisonError::into_inner);
            let known = fleet.get(&device).ok_or_else(|| not_found("device", device.as_str()))?;
            let reported = known.state.as_ref().map(Reported::of).unwrap_or_default();
            let (running, saved) = (reported.running.cloned(), reported.saved.cloned());
            (known.row(connection), known.reported_at.map(|at| at.0), running, saved)
        };
        let (commands, command_count) = self.store.last_commands(&id, &device, 8).await?;
        let commands = commands.iter().map(|command| views::command(&id, command, None)).collect();
        let strays = self.store.strays(&id, &device, 5).await?.iter().map(views::event).collect();
        Ok(DeviceDetail { row, reported_at, running_config, saved_config, commands, command_count, strays })
    }

    /// Sends a command to each of the devices. Returns once all of them are on the disk, which is before any is sent.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`] when any of it makes no sense, and then nothing is sent; [`FailureCode::Store`].
    pub async fn send(&self, new: NewCommand) -> Result<Sent, Failure> {
        let connection = ConnectionId::from(new.connection.as_str());
        let submissions = submissions(&new)?;
        let ids = submissions.iter().map(|submission| submission.id.as_str().to_owned()).collect();
        self.ask(|reply| Asked::Send(connection, submissions, reply)).await??;
        Ok(Sent { ids })
    }

    /// Withdraws a command that was never sent; stops waiting for one that was.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`].
    pub async fn cancel(&self, connection: &str, device: &str, id: &str) -> Result<(), Failure> {
        let (connection, device, id) = (ConnectionId::from(connection), device_id(device)?, command_id(id)?);
        self.ask(|reply| Asked::Cancel(connection, device, id, reply)).await?
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
            commands: page.rows.iter().map(|(id, command)| views::command(id, command, None)).collect(),
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
        let command = self.store.command(&connection, &device, &command_id).await?;
        let command = command.ok_or_else(|| not_found("command", id))?;
        let events = self.store.events(&connection, &device, &command_id).await?;
        let profile = self.store.connections().await?.into_iter().find(|profile| profile.id == connection);
        let request = profile.and_then(|profile| profile::dialect(&profile).ok()).map(|dialect| {
            let encoding = Encoding {
                id: &command.asked.id,
                command: &command.asked.name,
                args: &command.asked.args,
                issued_at: command.submitted_at,
                expires_at: command.submitted_at + command.asked.policy.time_to_live,
                attempt: command.attempt.max(1),
            };
            let outbound = dialect.encode(&device, &encoding, command.submitted_at);
            views::wire(&outbound.topic, &outbound.payload, 1)
        });
        Ok(CommandDetail {
            command: views::command(&connection, &command, None),
            request,
            events: views::course(&events),
        })
    }

    /// The latest answers of a device that settled no command: of an unknown id, retained, and the like. Newest first.
    ///
    /// # Errors
    /// [`FailureCode::Store`].
    pub async fn strays(&self, connection: &str, device: &str, limit: u32) -> Result<Vec<EventView>, Failure> {
        let (connection, device) = (ConnectionId::from(connection), device_id(device)?);
        let strays = self.store.strays(&connection, &device, limit.clamp(1, 1_000)).await?;
        Ok(strays.iter().map(views::event).collect())
    }

    /// Everything that changes from now on, in batches; the first has all connections in it.
    ///
    /// # Errors
    /// [`FailureCode::Internal`] while the engine is stopping.
    pub async fn listen(&self) -> Result<mpsc::Receiver<Batch>, Failure> {
        self.ask(Asked::Listen).await
    }

    async fn draft(&self, new: NewConnection) -> Result<Draft, Failure> {
        let (installation, now) = (Arc::clone(&self.installation), self.clock.now());
        spawn_blocking(move || Draft::read(new, &installation, now)).await.map_err(defect)?
    }

    async fn open(&self, profile: Profile) -> Result<ConnectionView, Failure> {
        self.ask(|reply| Asked::Open(Box::new(profile), reply)).await?
    }

    async fn forget_secrets(&self, id: &ConnectionId) -> Result<(), Failure> {
        let (vault, id) = (Arc::clone(&self.vault), id.clone());
        Ok(spawn_blocking(move || vault.remove_all(id.as_str())).await.map_err(defect)??)
    }

    fn fleet(&self, connection: &str) -> Result<SharedFleet, Failure> {
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

/// One submission for each device, or the reason why there is none at all.
fn submissions(new: &NewCommand) -> Result<Vec<Submission>, Failure> {
    if new.devices.is_empty() {
        return Err(invalid("The command names no device.".into(), "Name at least one."));
    }
    let name = new.command.trim();
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        return Err(invalid("The command has no name.".into(), "Name it, led for instance; at most 128 bytes."));
    }
    let args = match &new.args {
        Value::Null => Value::Object(serde_json::Map::new()),
        Value::Object(_) => new.args.clone(),
        other => {
            return Err(invalid(
                format!("The arguments are {other}, which is no JSON object."),
                "Write {\"key\": value}.",
            ));
        }
    };
    let args = args.to_string();
    let kind = wilco_dialect::command(name);
    let dangerous = kind.is_some_and(|kind| kind.dangerous);
    let policy = Policy {
        delivery: match new.delivery {
            Some(api::Delivery::Now) => Delivery::Now,
            Some(api::Delivery::BrokerHolds) => Delivery::BrokerHolds,
            Some(api::Delivery::HoldHere) => Delivery::HoldHere,
            // Nobody wants a device to restart long after it was asked to.
            None if dangerous => Delivery::Now,
            None => Delivery::BrokerHolds,
        },
        timeout: span(new.timeout_ms, kind.map_or(Millis::seconds(10), |kind| kind.timeout), "timeout")?,
        time_to_live: span(new.ttl_ms, kind.map_or(Millis::seconds(60), |kind| kind.time_to_live), "time to live")?,
        retry: Retry {
            permitted: new.retries.is_some_and(|retries| retries > 0) || kind.is_some_and(|kind| kind.safe_to_repeat),
            limit: new.retries.unwrap_or(0).min(100),
            pause: Millis::seconds(2),
        },
        answer_expected: true,
        answers_carry_ids: true,
    };
    let again_of = new.again_of.as_deref().map(command_id).transpose()?;
    let mut seen = std::collections::HashSet::new();
    new.devices
        .iter()
        .map(|device| device_id(device.trim()))
        .filter(|device| device.as_ref().map_or(true, |device| seen.insert(device.clone())))
        .map(|device| {
            Ok(Submission {
                device: device?,
                id: command_id(&Uuid::now_v7().to_string())?,
                name: name.into(),
                args: args.as_str().into(),
                policy,
                again_of: again_of.clone(),
            })
        })
        .collect()
}

/// A time that somebody has given, 1 ms … 7 days.
fn span(given: Option<u64>, otherwise: Millis, what: &str) -> Result<Millis, Failure> {
    match given {
        None => Ok(otherwise),
        Some(milliseconds @ 1..=604_800_000) => Ok(Millis(milliseconds)),
        Some(other) => Err(invalid(format!("A {what} of {other} ms is not possible."), "From 1 ms to 7 days.")),
    }
}

fn device_id(text: &str) -> Result<DeviceId, Failure> {
    DeviceId::new(text).map_err(|error| {
        invalid(
            format!("'{text}' cannot be a device: {error}."),
            "A device id is what stands before /req in its topic.",
        )
    })
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
