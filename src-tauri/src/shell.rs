//! What lives as long as the app: the engine, the door for the command line, and the demo fleet.

use std::{path::Path, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use wilco_device::demo::DemoFleet;
use wilco_engine::{
    Engine, Handle, Options,
    api::{ConnectionView, Failure, FailureCode},
    attach::Door,
    paths::DataDir,
    vault::Vault,
};

use crate::demo;

/// The app's state. Where the engine could not be started, every question is answered by the reason why.
pub(crate) struct Shell {
    engine: Result<Handle, Failure>,
    running: Mutex<Option<Running>>,
    demo: Mutex<Option<DemoFleet>>,
}

struct Running {
    engine: Engine,
    door: Option<Door>,
}

impl Shell {
    /// Starts the engine on the given data directory, on `WILCO_DATA_DIR`, or on this person's own.
    pub(crate) async fn start(given: Option<&Path>) -> Shell {
        match begin(given).await {
            Ok((running, demo)) => Shell {
                engine: Ok(running.engine.handle()),
                running: Mutex::new(Some(running)),
                demo: Mutex::new(demo),
            },
            Err(failure) => {
                tracing::error!(%failure, "the engine did not start");
                Shell { engine: Err(failure), running: Mutex::default(), demo: Mutex::default() }
            }
        }
    }

    /// The engine, or why there is none.
    pub(crate) fn engine(&self) -> Result<&Handle, Failure> {
        self.engine.as_ref().map_err(Clone::clone)
    }

    /// The connection to the demo fleet, which is started if it is not running.
    pub(crate) async fn demo(&self) -> Result<ConnectionView, Failure> {
        let engine = self.engine()?;
        let mut demo = self.demo.lock().await;
        let fleet = match demo.take() {
            Some(fleet) => demo.insert(fleet),
            None => demo.insert(demo::start().await?),
        };
        if let Some(view) = demo::connection(engine).await?.filter(|view| view.url == fleet.url()) {
            return Ok(view);
        }
        engine.open_demo(&fleet.url()).await
    }

    /// Removes a connection, and with the demo's its fleet.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), Failure> {
        self.engine()?.remove_connection(id).await?;
        if id == wilco_engine::DEMO
            && let Some(fleet) = self.demo.lock().await.take()
        {
            fleet.stop().await;
        }
        Ok(())
    }

    /// Puts everything away in order.
    pub(crate) async fn stop(&self) {
        if let Some(Running { engine, door }) = self.running.lock().await.take() {
            drop(door);
            engine.stop().await;
        }
        if let Some(fleet) = self.demo.lock().await.take() {
            fleet.stop().await;
        }
    }
}

async fn begin(given: Option<&Path>) -> Result<(Running, Option<DemoFleet>), Failure> {
    let data_dir = DataDir::open(given)?;
    let vault = Vault::open(data_dir.namespace());
    let engine = start(&data_dir, &vault).await?;
    // Without a door the command line cannot attach, and says so; the app works all the same.
    let door = Door::open(&data_dir, engine.handle())
        .inspect_err(|failure| tracing::warn!(%failure, "the command line cannot attach"))
        .ok();
    let mut fleet = None;
    // Somebody who has tried the demo fleet finds it again until they remove it.
    if demo::connection(&engine.handle()).await?.is_some() {
        let started = demo::start().await?;
        engine.handle().open_demo(&started.url()).await?;
        fleet = Some(started);
    }
    Ok((Running { engine, door }, fleet))
}

/// Starts the engine. An app that has just been closed may still be saying good-bye, so it is waited for.
async fn start(data_dir: &DataDir, vault: &Vault) -> Result<Engine, Failure> {
    let patience = Instant::now() + Duration::from_secs(6);
    loop {
        let options = Options { data_dir: data_dir.clone(), vault: vault.clone(), passing: false };
        match Engine::start(options).await {
            Err(failure) if failure.code == FailureCode::InUse && Instant::now() < patience => {
                sleep(Duration::from_millis(200)).await;
            }
            started => return started,
        }
    }
}
