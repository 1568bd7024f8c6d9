//! The state of the app: the engine, the server for the command line, and the demo fleet.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use tauri::async_runtime::JoinHandle;
use tokio::{
    sync::{Mutex, Notify},
    time::{Instant, sleep},
};
use wilco_device::demo::DemoFleet;
use wilco_engine::{
    Engine, Handle, Options,
    api::{ConnectionView, Failure, FailureCode, FaultDials},
    ipc::{IpcClient, IpcServer},
    paths::DataDir,
    vault::Vault,
};

use crate::{demo, rehearsal::Rehearsals};

/// The app's state. Where the engine could not be started, every question is answered by the reason why.
pub(crate) struct Shell {
    engine: Result<Handle, Failure>,
    running: Mutex<Option<Running>>,
    demo: Mutex<Option<DemoFleet>>,
    pub(crate) rehearsals: Rehearsals,
    /// The sender of streamed items to the page, by its channel.
    streams: Mutex<HashMap<u32, JoinHandle<()>>>,
}

struct Running {
    engine: Engine,
    server: Option<IpcServer>,
}

impl Shell {
    /// Starts the engine on the given data directory, on `WILCO_DATA_DIR`, or on the user's own. `raise` is notified
    /// when the app is started again. `None`: this is the second start, and the window of the first has been brought to
    /// the front.
    pub(crate) async fn start(given: Option<&Path>, raise: Arc<Notify>) -> Option<Shell> {
        match begin(given, raise).await {
            Ok(Startup::Here(running, demo)) => Some(Shell {
                engine: Ok(running.engine.handle()),
                running: Mutex::new(Some(*running)),
                demo: Mutex::new(demo),
                rehearsals: Rehearsals::default(),
                streams: Mutex::default(),
            }),
            Ok(Startup::Elsewhere) => None,
            Err(failure) => {
                tracing::error!(%failure, "the engine did not start");
                Some(Shell {
                    engine: Err(failure),
                    running: Mutex::default(),
                    demo: Mutex::default(),
                    rehearsals: Rehearsals::default(),
                    streams: Mutex::default(),
                })
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
            None => demo.insert(demo::start(engine).await?),
        };
        if let Some(view) = demo::connection(engine).await?.filter(|view| view.url == fleet.url()) {
            return Ok(view);
        }
        engine.open_demo(&fleet.url()).await
    }

    /// The faults of the demo fleet.
    pub(crate) fn demo_faults(&self) -> Result<FaultDials, Failure> {
        Ok(demo::faults(self.engine()?.data_dir()))
    }

    /// Keeps what is to go wrong in the demo fleet, and restarts its devices with it if it runs.
    pub(crate) async fn set_demo_faults(&self, faults: FaultDials) -> Result<(), Failure> {
        let engine = self.engine()?;
        demo::keep_faults(engine.data_dir(), &faults)?;
        engine.audit_demo_faults(&faults).await?;
        match self.demo.lock().await.as_mut() {
            Some(fleet) => demo::restart(fleet, &faults).await,
            None => Ok(()),
        }
    }

    /// Keeps what hands streamed items to the page until it is stopped.
    pub(crate) async fn keep_stream(&self, channel: u32, stream: JoinHandle<()>) {
        let mut streams = self.streams.lock().await;
        streams.retain(|_, stream| !stream.inner().is_finished());
        streams.insert(channel, stream);
    }

    pub(crate) async fn stop_stream(&self, channel: u32) {
        if let Some(stream) = self.streams.lock().await.remove(&channel) {
            stream.abort();
        }
    }

    /// Stops the demo fleet, if it runs.
    pub(crate) async fn stop_demo(&self) {
        if let Some(fleet) = self.demo.lock().await.take() {
            fleet.stop().await;
        }
    }

    /// Puts everything away in order.
    pub(crate) async fn stop(&self) {
        self.rehearsals.stop();
        if let Some(Running { engine, server }) = self.running.lock().await.take() {
            if let Some(server) = server {
                server.close().await;
            }
            engine.stop().await;
        }
        self.stop_demo().await;
    }
}

enum Startup {
    Here(Box<Running>, Option<DemoFleet>),
    /// Another app has this data directory, and its window is in front.
    Elsewhere,
}

async fn begin(given: Option<&Path>, raise: Arc<Notify>) -> Result<Startup, Failure> {
    let data_dir = DataDir::open(given)?;
    let vault = Vault::open(data_dir.namespace());
    let Some(engine) = start(&data_dir, &vault).await? else { return Ok(Startup::Elsewhere) };
    // Without it the command line cannot attach, and says so; the app works anyway.
    let server = IpcServer::with_window(&data_dir, engine.handle(), move || raise.notify_one())
        .inspect_err(|failure| tracing::warn!(%failure, "the command line cannot attach"))
        .ok();
    let fleet = match demo::resume(&engine.handle()).await {
        // On a full disk the window opens anyway, to show what is stored.
        Err(failure) if failure.code == FailureCode::Store => {
            tracing::warn!(%failure, "the demo fleet was not started");
            None
        }
        resumed => resumed?,
    };
    Ok(Startup::Here(Box::new(Running { engine, server }), fleet))
}

/// Starts the engine, unless another app with a window has this data directory: then that window comes to the front.
/// An app that has just been closed may still be saying good-bye, so it is waited for.
async fn start(data_dir: &DataDir, vault: &Vault) -> Result<Option<Engine>, Failure> {
    let deadline = Instant::now() + Duration::from_secs(6);
    loop {
        let options = Options { data_dir: data_dir.clone(), vault: vault.clone(), passing: false };
        match Engine::begin(options).await {
            Err(failure) if failure.code == FailureCode::InUse && Instant::now() < deadline => {
                if let Some(other) = IpcClient::find(data_dir).await
                    && other.raise().await.is_ok()
                {
                    return Ok(None);
                }
                sleep(Duration::from_millis(200)).await;
            }
            started => return started.map(Some),
        }
    }
}
