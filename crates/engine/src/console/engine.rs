//! The engine: starting and stopping it.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinHandle, spawn_blocking},
};

use super::Handle;
use crate::{
    api::{Failure, sentence},
    audit::Audit,
    catalogue::Catalogue,
    chance::Chance,
    clock::{Clock, ClockShift, Source},
    controller::{BackgroundTasks, Controller, READ_AT_ONCE, Request},
    evidence_quota::EvidenceQuota,
    loading::Loading,
    lock::DataLock,
    paths::DataDir,
    rollouts::ShownRollouts,
    secret_changes::SecretChanges,
    settings::SharedSettings,
    shared_connection::SharedConnections,
    store::{Store, StoreError},
    telemetry::Telemetry,
    unanswered::defect,
    vault::Vault,
};

/// Opens the store, or only reads it while there is no room: then why.
fn open_even_without_room(data: &Path) -> Result<(Store, Option<StoreError>), StoreError> {
    match Store::open(data) {
        Err(full @ (StoreError::Full { .. } | StoreError::NotWritable { .. })) => {
            let store = Store::open_until_there_is_room(data).map_err(|error| {
                tracing::warn!(%error, "the history cannot be read either");
                full.clone()
            })?;
            Ok((store, Some(full)))
        }
        opened => opened.map(|store| (store, None)),
    }
}

/// What an engine does where the disk has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithoutRoom {
    /// Starting fails.
    Fails,
    /// The stored history is shown, and the engine continues as soon as there is space.
    Reads,
}

/// The parameters of an engine.
pub struct Options {
    /// The data directory, with profiles and history.
    pub data_dir: DataDir,
    /// The vault with the secrets.
    pub vault: Vault,
    /// For a single command: the broker need not keep a session.
    pub passing: bool,
}

/// A running engine. There is one for each data directory.
pub struct Engine {
    handle: Handle,
    controller: JoinHandle<()>,
    retention: JoinHandle<()>,
    recorder: JoinHandle<()>,
    /// Looks whether the history is as it was written.
    history_check: JoinHandle<()>,
    /// Seals the audit. Not for one command only.
    sealer: Option<JoinHandle<()>>,
    /// Looks for devices of dialects that are not enabled. Not for one command only.
    offers: Option<JoinHandle<()>>,
    _lock: DataLock,
}

impl Engine {
    /// Opens the store, and starts a session for each stored connection.
    ///
    /// # Errors
    /// [`FailureCode::InUse`](crate::api::FailureCode) when another engine has this data directory, `Store` when the store
    /// cannot be opened or read.
    pub async fn start(options: Options) -> Result<Engine, Failure> {
        Engine::start_with(options, Source::computer(), Chance::Computer).await
    }

    /// Starts the engine for a window: without waiting for the connections' devices and unfinished commands, which
    /// takes longer the more there are, and even if the disk is full.
    ///
    /// The connections are listed; a call about one waits until it is loaded, 60 seconds at most. One that cannot be read is tried
    /// again every 15 seconds, and says so as its link. Without room the history is only read, every change is refused by the store,
    /// and everything goes on by itself as soon as there is room.
    ///
    /// # Errors
    /// As [`Engine::start`], where the store cannot be opened; [`FailureCode::Store`](crate::api::FailureCode) for a history of
    /// an earlier version, or one that has lost events, on a disk without room.
    pub async fn begin(options: Options) -> Result<Engine, Failure> {
        let turns = Arc::new(Semaphore::new(READ_AT_ONCE));
        Engine::begin_with(options, Source::computer(), Chance::Computer, turns, WithoutRoom::Reads).await
    }

    /// Starts the engine with clocks that a test controls.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start_shifted(options: Options, shift: ClockShift) -> Result<Engine, Failure> {
        Engine::start_with(options, Source::shifted(shift), Chance::Computer).await
    }

    /// The same, with time and random numbers from somewhere else.
    pub(crate) async fn start_with(options: Options, time: Source, chance: Chance) -> Result<Engine, Failure> {
        let turns = Arc::new(Semaphore::new(READ_AT_ONCE));
        let engine = Engine::begin_with(options, time, chance, turns, WithoutRoom::Fails).await?;
        match engine.handle.loaded.all().await {
            Ok(None) => Ok(engine),
            Ok(Some(failure)) | Err(failure) => {
                engine.stop().await;
                Err(failure)
            }
        }
    }

    /// Begins it. `turns`: so many connections are read at once.
    pub(crate) async fn begin_with(
        options: Options,
        time: Source,
        chance: Chance,
        turns: Arc<Semaphore>,
        without_room: WithoutRoom,
    ) -> Result<Engine, Failure> {
        let Options { data_dir, vault, passing } = options;
        let opened = spawn_blocking(move || {
            let lock = DataLock::acquire(data_dir.path())?;
            let (store, full) = match without_room {
                WithoutRoom::Fails => (Store::open(data_dir.path())?, None),
                WithoutRoom::Reads => open_even_without_room(data_dir.path())?,
            };
            Ok::<_, Failure>((data_dir, lock, store, full))
        });
        let (data_dir, lock, store, mut full) = opened.await.map_err(defect)??;
        let installation: Arc<str> = store.identity().await?.into();
        let mut profiles = store.connections().await?;
        let settings = SharedSettings::new(store.settings().await?);

        let (events, inbox) = mpsc::channel(10_000);
        let catalogue = Arc::new(Catalogue::default());
        catalogue.replace(store.definitions().await?);
        let vault = Arc::new(vault);
        let shared_connections = SharedConnections::default();
        let clock = Clock::start(time, store.anchor().await?.as_ref(), store.newest().await?);
        if let Some(anchor) = clock.anchor() {
            match store.keep_anchor(anchor).await {
                Err(error) if full.is_some() => tracing::warn!(%error, "the timeline offset could not be stored"),
                // It could be opened, and this is the first that is written.
                Err(error @ StoreError::Full { .. }) if without_room == WithoutRoom::Reads => full = Some(error),
                kept => kept?,
            }
        }
        let secrets = SecretChanges::default();
        let background = BackgroundTasks { vault: Arc::clone(&vault), secrets: secrets.clone(), passing };
        let telemetry = Arc::new(Telemetry::default());
        let rollouts = ShownRollouts::default();
        let last_rollout = Arc::new(AtomicU32::new(store.last_rollout().await?));
        let unsealed_to = Arc::new(AtomicU32::new(store.audit_head().await?.number));
        let shared = (Arc::clone(&shared_connections), Arc::clone(&catalogue), Arc::clone(&rollouts), settings.clone());
        let quota = EvidenceQuota::new(settings.clone());
        let (loading, loaded) = Loading::new();
        let audit = Audit::new(settings.clone(), clock.clone(), Arc::clone(&installation));
        let counted = (Arc::clone(&telemetry), quota.clone(), audit.clone());
        let controller = Controller::new(
            (events.clone(), inbox),
            store.clone(),
            (clock.clone(), chance),
            shared,
            background,
            counted,
            (loading, turns),
        );
        let controller = tokio::spawn(controller.run());
        let handle = Handle {
            events,
            store,
            vault,
            secrets,
            staged: Arc::default(),
            trial: Arc::default(),
            export: Arc::default(),
            device_import: Arc::default(),
            settings,
            catalogue,
            shared_connections,
            loaded,
            telemetry,
            rollouts,
            last_rollout,
            quota,
            audit,
            sealing: Arc::default(),
            unsealed_to,
            clock,
            installation,
            data_dir: data_dir.path().into(),
        };
        for profile in profiles.iter_mut().filter(|profile| profile.demo) {
            // Its broker ended with the program that ran it.
            profile.url = String::new();
        }
        if let Err(failure) = handle.request(|reply| Request::List(profiles, reply)).await? {
            handle.close().await;
            return Err(failure);
        }
        if let Some(full) = full {
            handle.warn(sentence(&full.to_string()), full.hint()).await;
        }
        let retention = tokio::spawn(handle.clone().keep_to_retention());
        tokio::spawn(handle.clone().delete_forgotten(Duration::ZERO));
        let recorder = tokio::spawn(handle.clone().record_telemetry());
        let history_check = tokio::spawn(handle.clone().notify_of_damage());
        let sealer = (!passing).then(|| tokio::spawn(handle.clone().keep_audit_sealed()));
        let offers = (!passing).then(|| tokio::spawn(handle.clone().offer_dialects()));
        Ok(Engine { handle, controller, retention, recorder, history_check, sealer, offers, _lock: lock })
    }

    /// A handle for calls to the engine.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Disconnects from the brokers, writes all pending changes, and stops.
    pub async fn stop(self) {
        self.retention.abort();
        self.history_check.abort();
        if let Some(offers) = self.offers {
            offers.abort();
        }
        if let Some(sealer) = self.sealer {
            // First this, so that an older entry that is being sealed does not come after the newest.
            self.handle.seal_audit_at_the_end().await;
            sealer.abort();
        }
        self.handle.telemetry.close();
        let _ = self.recorder.await;
        self.handle.close().await;
        let _ = self.controller.await;
    }
}
