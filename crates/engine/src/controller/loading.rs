//! Loads the connections at a start: each is listed at once, and begins its session when what is stored of it is there.
//!
//! What is stored is read, and made into a fleet and a ledger, beside the loop. Nothing of it can change meanwhile: until it is
//! loaded a connection has no session, takes no part in commits and is not among `Controller::connections`, and callers wait
//! for it (`crate::loading`).

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OnceCell, Semaphore, oneshot},
    task::spawn_blocking,
    time::sleep,
    try_join,
};
use wilco_dialect::WireIds;
use wilco_ledger::{Command, Timestamp};

use super::{Connection, Controller, Event, memory::Remembered};
use crate::{
    api::{ConnectionSettings, Failure, LinkState, RolloutView},
    dialects::EnabledDialects,
    evidence_quota::EvidenceQuota,
    fleet::{Device, Fleet},
    profile::Opening,
    store::{ConnectionId, Profile, Store, StoreError, StoredAnnotation},
    unanswered::defect,
};

/// So much is read at once: the store has more readers, which answer callers meanwhile.
pub(crate) const READ_AT_ONCE: usize = 2;
/// A connection that could not be read is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(15);

/// A connection with all that is stored of it.
pub(crate) struct LoadedConnection {
    connection: Connection,
    /// How its rollouts are shown, or why its commands could not be read.
    remembered: Result<Vec<RolloutView>, StoreError>,
}

/// What is stored of a connection.
pub(super) struct StoredConnection {
    /// None: no number was used yet.
    last_wire_id: Option<u32>,
    devices: Vec<Device>,
    annotations: Vec<StoredAnnotation>,
    /// The last command of each device.
    latest: Vec<Arc<Command>>,
    /// Without this it is listed all the same, and read again before its session begins.
    remembered: Result<Remembered, StoreError>,
}

/// Reads stored connections.
#[derive(Clone)]
pub(super) struct Loader {
    store: Store,
    quota: EvidenceQuota,
    /// The size of all evidence has been read, before any connection can add to it.
    counted: Arc<OnceCell<()>>,
    turns: Arc<Semaphore>,
}

impl Loader {
    pub(super) fn new(store: Store, quota: EvidenceQuota, turns: Arc<Semaphore>) -> Loader {
        Loader { store, quota, counted: Arc::default(), turns }
    }

    /// Reads what is stored of a connection: its devices and its commands at the same time, where it is their turn.
    pub(super) async fn read(&self, id: &ConnectionId, now: Timestamp) -> Result<StoredConnection, Failure> {
        let (store, turns) = (&self.store, &self.turns);
        let devices = async {
            let _turn = turns.acquire().await;
            self.counted.get_or_try_init(|| self.quota.load(store)).await?;
            let (annotations, stored) = (store.annotations(id).await?, store.devices(id).await?);
            let devices = spawn_blocking(|| stored.into_iter().map(Device::restore).collect());
            Ok::<(Vec<_>, _), Failure>((devices.await.map_err(defect)?, annotations))
        };
        let commands = async {
            let _turn = turns.acquire().await;
            let last_wire_id = store.last_wire_id(id).await?;
            let latest: Vec<_> = store.latest_per_device(id).await?.into_iter().map(Arc::new).collect();
            let remembered = Remembered::read(store, id, &latest, now).await;
            Ok((last_wire_id, latest, remembered))
        };
        let ((devices, annotations), (last_wire_id, latest, remembered)) = try_join!(devices, commands)?;
        Ok(StoredConnection { last_wire_id, devices, annotations, latest, remembered })
    }

    async fn load(&self, profile: Profile, beginning: u32, now: Timestamp) -> Result<Box<LoadedConnection>, Failure> {
        let stored = self.read(&profile.id, now).await?;
        let enabled = EnabledDialects::of(&profile)?;
        let made = spawn_blocking(move || {
            let (connection, remembered) = restored(profile, enabled, stored, beginning, now);
            Box::new(LoadedConnection { connection, remembered })
        });
        made.await.map_err(defect)
    }
}

/// A connection with what is stored of it, and how its rollouts are shown. `beginning`: the number to begin after where none
/// was used (decision 116).
pub(super) fn restored(
    profile: Profile,
    enabled: EnabledDialects,
    stored: StoredConnection,
    beginning: u32,
    now: Timestamp,
) -> (Connection, Result<Vec<RolloutView>, StoreError>) {
    let StoredConnection { last_wire_id, devices, annotations, latest, remembered } = stored;
    let (titles, last_wire_id) = (enabled.titles.clone(), last_wire_id.unwrap_or(beginning));
    let mut connection = Connection::new(profile, enabled, last_wire_id);
    let (forgotten, annotations): (Vec<_>, Vec<_>) =
        annotations.into_iter().partition(|set| set.forgotten_at.is_some());
    let forgotten = forgotten.into_iter().filter_map(|set| Some((set.device, set.forgotten_at?))).collect();
    {
        let mut fleet = connection.fleet();
        *fleet = Fleet::restore(devices, annotations, &latest);
        fleet.set_titles(titles);
    }
    connection.restore_agreements(&latest, now);
    connection.restore_devices();
    connection.set_aside(forgotten);
    let views = connection.restore(remembered, now);
    (connection, views)
}

/// The dialects of a connection until it is loaded: Wilco's own where the profile's cannot be used. Loading it says why.
fn listed_dialects(profile: &Profile) -> Result<EnabledDialects, Failure> {
    EnabledDialects::of(profile).or_else(|_| {
        let ConnectionSettings { dialects, dialect_files, .. } = ConnectionSettings::default();
        let settings = ConnectionSettings { dialects, dialect_files, ..profile.settings.clone() };
        EnabledDialects::of(&Profile { settings, ..profile.clone() })
    })
}

impl Controller {
    /// Lists the stored connections, and begins to load them. The reply says that they are listed.
    pub(super) fn list(&mut self, mut profiles: Vec<Profile>, reply: oneshot::Sender<Result<(), Failure>>) {
        let mut listed = Ok(());
        // The window waits for the demo fleet, which is small.
        profiles.sort_by_key(|profile| !profile.demo);
        for profile in profiles {
            match listed_dialects(&profile) {
                Ok(enabled) => {
                    let titles = enabled.titles.clone();
                    let mut connection = Connection::new(profile, enabled, 0);
                    connection.fleet().set_titles(titles);
                    connection.link = LinkState::Loading;
                    let id = connection.id().clone();
                    self.loading.begin(&id, &connection.profile.name);
                    self.unloaded.insert(id.clone(), connection);
                    self.load(&id, Duration::ZERO);
                }
                Err(failure) => listed = listed.and(Err(failure)),
            }
        }
        self.feed.connections();
        let _ = reply.send(listed);
    }

    /// Reads a connection outside the loop, after a pause.
    fn load(&mut self, id: &ConnectionId, pause: Duration) {
        let Some(listed) = self.unloaded.get(id) else { return };
        let (profile, id) = (listed.profile.clone(), id.clone());
        let (loader, clock, beginning) =
            (self.loader.clone(), self.clock.clone(), WireIds::beginning(self.chance.number()));
        let (tell, loading) = (self.tell.clone(), self.loading.clone());
        tokio::spawn(async move {
            sleep(pause).await;
            loading.begin(&id, &profile.name);
            let loaded = loader.load(profile, beginning, clock.now()).await;
            let _ = tell.send(Event::Loaded { connection: id, loaded }).await;
        });
    }

    /// A connection is loaded, or could not be read.
    pub(super) fn loaded(&mut self, id: ConnectionId, loaded: Result<Box<LoadedConnection>, Failure>) {
        match loaded {
            Ok(loaded) => {
                // It may have been saved after a failure, and read with that.
                if self.unloaded.contains_key(&id) {
                    let LoadedConnection { connection, remembered } = *loaded;
                    let opening = Opening::from(connection.profile.clone());
                    self.begin(opening, connection, remembered);
                }
                self.loading.end(&id);
            }
            Err(failure) => {
                let Some(listed) = self.unloaded.get_mut(&id) else {
                    self.loading.end(&id);
                    return;
                };
                let Failure { message, hint, .. } = failure.clone();
                let pause = i64::try_from(AGAIN_AFTER.as_millis()).unwrap_or_default();
                let retry_at = self.clock.now().0.saturating_add(pause);
                let before = std::mem::replace(&mut listed.link, LinkState::Waiting { message, hint, retry_at });
                if before == LinkState::Loading {
                    self.feed.failure(failure.clone());
                }
                self.feed.connections();
                self.loading.fail(&id, failure);
                self.load(&id, AGAIN_AFTER);
            }
        }
    }
}
