//! Rehearses a rollout: a separate engine in a temporary directory sends it to virtual devices that imitate the chosen
//! ones, over a broker inside this process.
//!
//! It reaches no real broker, device, history or keyring, and leaves nothing behind. It makes no decisions about
//! rollouts: the engine applies stages, limits and the halt rule, as for a real one.

mod dials;
mod follow;
mod virtual_devices;

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};
use wilco_device::{
    absent,
    broker::Broker,
    demo::connections_allowed,
    endpoint::{Endpoint, TlsFiles},
    fleet::Fleet,
    store::Store,
};
use wilco_dialect::Topics;
use wilco_engine::{
    Engine, Handle, Options,
    api::{ConnectionEntry, DeviceQuery, Failure, FailureCode, FaultDials, RehearsalPlan, RehearsalView},
    paths::DataDir,
    vault::Vault,
};

pub use dials::{check, device_dials};

/// The maximum number of devices: those that the broker inside the process can serve without slowing the rollout down.
pub const MOST_DEVICES: usize = 5_000;
/// Clients of the broker beside the devices: the engine, and the one that announces those that are offline.
const OTHER_CLIENTS: usize = 8;
/// How long the virtual devices may take to come online.
const ALL_ONLINE: Duration = Duration::from_secs(60);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(20);

/// A rehearsal that is ready to start: broker, virtual devices and an engine with them. Nothing is left behind when it
/// is stopped or dropped.
pub struct Rehearsal {
    plan: RehearsalPlan,
    /// Offline devices come back by themselves.
    devices_return: bool,
    /// The connection's id in the rehearsal's engine.
    connection: String,
    engine: Engine,
    fleet: Fleet,
    broker: Broker,
    _directory: TempDir,
}

impl Rehearsal {
    /// Starts the broker, the virtual devices and an engine for them. Returns when the engine has received their
    /// presence. Call it within a tokio runtime.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`] for more devices than can be rehearsed with, for dials out of range and for a command that
    /// cannot be sent; [`FailureCode::Internal`] when the broker or the engine cannot be started.
    pub async fn prepare(plan: RehearsalPlan, dials: &FaultDials) -> Result<Rehearsal, Failure> {
        check(dials)?;
        let count = plan.devices.len();
        refuse_too_many(count)?;
        let broker = Broker::start(count + OTHER_CLIENTS).await.map_err(internal)?;
        let endpoint = Endpoint::new(&broker.url(), &TlsFiles::default(), Topics::default()).map_err(internal)?;
        let virtual_devices = virtual_devices::virtual_devices(&plan, dials)?;
        absent::announce(&endpoint, &virtual_devices.offline).await.map_err(internal)?;
        let online = virtual_devices.online.len();
        let personas = virtual_devices.online.into_iter().map(|device_settings| (device_settings, Store::None));
        let fleet = Fleet::start(endpoint, personas).map_err(internal)?;

        let directory = tempfile::Builder::new().prefix("wilco-rehearsal-").tempdir().map_err(internal)?;
        let data_dir = DataDir::open(Some(directory.path()))?;
        // `passing`: the broker keeps nothing for it. No secret is needed, so no keyring is opened.
        let options = Options { data_dir, vault: Vault::in_memory(), passing: true };
        let engine = Engine::start(options).await?;
        let connection = match set_up(&engine.handle(), &plan, &broker.url()).await {
            Ok(connection) => connection,
            Err(failure) => {
                engine.stop().await;
                return Err(failure);
            }
        };
        let rehearsal = Rehearsal {
            plan,
            devices_return: dials.offline > 0.0,
            connection,
            engine,
            fleet,
            broker,
            _directory: directory,
        };
        // Some may come and go by their dials, so this is not waited for forever.
        let _ = timeout(ALL_ONLINE, rehearsal.fleet.connected(online)).await;
        let _ = timeout(ALL_ONLINE, rehearsal.all_known(count)).await;
        Ok(rehearsal)
    }

    /// The number of virtual devices.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.plan.devices.len()
    }

    /// The address of the broker: `mqtt://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.broker.url()
    }

    /// Runs the rollout until it ends, and passes on each change. Dropping the future stops it.
    ///
    /// # Errors
    /// As [`Handle::start_rollout`].
    pub async fn run(&self, tell: impl FnMut(&RehearsalView)) -> Result<RehearsalView, Failure> {
        follow::run(&self.engine.handle(), &self.connection, &self.plan, self.devices_return, tell).await
    }

    /// Stops everything and deletes the stored data.
    pub async fn stop(self) {
        let Rehearsal { engine, fleet, broker, _directory, .. } = self;
        engine.stop().await;
        drop(fleet);
        broker.stop().await;
    }

    /// Waits until the engine has received each device's presence.
    async fn all_known(&self, count: usize) {
        let handle = self.engine.handle();
        let matching = async |search: &str| {
            let query = DeviceQuery {
                connection: self.connection.clone(),
                search: search.to_owned(),
                ..DeviceQuery::default()
            };
            handle.devices(query, 0, 0).await.map_or(0, |page| page.matching as usize)
        };
        let give_up = Instant::now() + ALL_ONLINE;
        while matching("is:online").await + matching("is:offline").await < count && Instant::now() < give_up {
            sleep(LOOK).await;
        }
    }
}

/// The rehearsal's connection, and the command that it sends.
async fn set_up(engine: &Handle, plan: &RehearsalPlan, url: &str) -> Result<String, Failure> {
    engine.change_settings(plan.settings.clone()).await?;
    if let Some(definition) = plan.definition.clone() {
        engine.save_definition(None, definition).await?;
    }
    let entry = ConnectionEntry {
        name: "Rehearsal".into(),
        url: url.into(),
        without_keyring: true,
        ..ConnectionEntry::default()
    };
    Ok(engine.save_connection(entry).await?.id)
}

fn refuse_too_many(count: usize) -> Result<(), Failure> {
    let allowed = connections_allowed(count).map_err(internal)?;
    if count > MOST_DEVICES {
        return Err(Failure {
            code: FailureCode::Invalid,
            message: format!("A rehearsal can have at most {} devices.", wilco_ledger::grouped(MOST_DEVICES as u64)),
            hint: Some("Rehearse with fewer devices, for example with a narrower search.".into()),
        });
    }
    if count > allowed {
        return Err(Failure {
            code: FailureCode::Invalid,
            message: format!("The system allows connections for at most {allowed} virtual devices."),
            hint: Some("Raise the limit of open files (ulimit -n), or rehearse with fewer devices.".into()),
        });
    }
    Ok(())
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure { code: FailureCode::Internal, message: format!("The rehearsal could not start: {error}."), hint: None }
}
