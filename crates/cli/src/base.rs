//! The engine that the command line uses: that of a running Wilco, or one in this process.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use parking_lot::{Mutex, MutexGuard};
use tempfile::TempDir;
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, sleep},
};
use wilco_engine::{
    Engine, Options,
    api::{Call, Client, ConnectionView, Dispatch, Failure, FailureCode, Json},
    ipc::{IpcClient, IpcServer},
    paths::DataDir,
    vault::Vault,
};

use crate::{
    output::{entered, visible_name},
    problem::Problem,
};

/// How long another program that is just starting or ending is waited for: as long as one may take to end in good order.
const ENGINE_TIMEOUT: Duration = Duration::from_secs(20);

/// The engine in use.
pub(crate) struct Base {
    console: Client,
    relay: Relay,
}

/// Puts calls to the engine that is there: where the one in another process has ended, to the next one, which may be ours.
#[derive(Clone)]
struct Relay {
    data_dir: DataDir,
    engine: Arc<Mutex<EngineSlot>>,
    /// Held by the one who looks for the next engine.
    entering: Arc<tokio::sync::Mutex<()>>,
}

struct EngineSlot {
    engine: Arc<dyn Dispatch>,
    own: Option<Own>,
}

struct Own {
    engine: Engine,
    /// Other runs of this program come in here meanwhile.
    server: Option<IpcServer>,
    /// Goes with everything in it.
    temporary: Option<TempDir>,
}

impl Base {
    /// The engine of that data directory, or of the person's own.
    pub(crate) async fn open(data_dir: Option<&Path>) -> Result<Base, Problem> {
        let data_dir = DataDir::open(data_dir).map_err(Failure::from)?;
        Ok(Base::of(&data_dir).await?)
    }

    /// The engine of that data directory, or why there can be none.
    pub(crate) async fn of(data_dir: &DataDir) -> Result<Base, Failure> {
        let asked = enter(data_dir).await?;
        Ok(Base::through(data_dir.clone(), asked))
    }

    /// An engine for one command, of which nothing is kept. Needs no keyring, and is independent of a running engine.
    pub(crate) async fn passing() -> Result<Base, Problem> {
        let temporary = tempfile::Builder::new().prefix("wilco-").tempdir()?;
        let data_dir = DataDir::open(Some(temporary.path())).map_err(Failure::from)?;
        let options = Options { data_dir: data_dir.clone(), vault: Vault::in_memory(), passing: true };
        let engine = Engine::start(options).await?;
        let asked = EngineSlot {
            engine: Arc::new(engine.handle()),
            own: Some(Own { engine, server: None, temporary: Some(temporary) }),
        };
        Ok(Base::through(data_dir, asked))
    }

    fn through(data_dir: DataDir, engine: EngineSlot) -> Base {
        let relay = Relay { data_dir, engine: Arc::new(Mutex::new(engine)), entering: Arc::default() };
        Base { console: Client::new(relay.clone()), relay }
    }

    pub(crate) fn console(&self) -> &Client {
        &self.console
    }

    /// It is ours, so it has only just begun to connect.
    pub(crate) fn is_own(&self) -> bool {
        self.relay.engine_slot().own.is_some()
    }

    /// Nothing of what is sent through it is kept.
    pub(crate) fn is_passing(&self) -> bool {
        self.relay.engine_slot().own.as_ref().is_some_and(|own| own.temporary.is_some())
    }

    /// The connection of that name.
    pub(crate) async fn connection(&self, name: &str) -> Result<ConnectionView, Problem> {
        let mut all = self.console.connections().await?;
        let place = all.iter().position(|one| one.name == name).or_else(|| all.iter().position(|one| one.id == name));
        if let Some(place) = place {
            return Ok(all.swap_remove(place));
        }
        Err(no_connection(name, all.iter().map(|one| one.name.as_str())))
    }

    /// Puts everything of ours away.
    pub(crate) async fn close(self) {
        let own = self.relay.engine_slot().own.take();
        if let Some(Own { engine, server, temporary }) = own {
            // Those who came in while it ran get their answers.
            if let Some(server) = server {
                server.close().await;
            }
            engine.stop().await;
            drop(temporary);
        }
    }
}

/// There is none of that name among these.
pub(crate) fn no_connection<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Problem {
    let names: Vec<_> = names.map(visible_name).collect();
    let hint = match names.as_slice() {
        [] => "Add one: wilco connections add NAME --url mqtts://HOST".to_owned(),
        _ if name.contains("://") => {
            "Use --url for an address, where the command has it, or add a connection.".to_owned()
        }
        names => format!("Available: {}.", names.join(", ")),
    };
    Problem::new(format!("There is no connection named '{}'.", entered(name)), hint)
}

impl Relay {
    fn engine_slot(&self) -> MutexGuard<'_, EngineSlot> {
        self.engine.lock()
    }

    fn engine(&self) -> Arc<dyn Dispatch> {
        Arc::clone(&self.engine_slot().engine)
    }

    /// Connects to the engine that is running after the previous one ended, or starts one.
    async fn after(&self, ended: &Arc<dyn Dispatch>) -> Result<(), Failure> {
        let _entering = self.entering.lock().await;
        if !Arc::ptr_eq(&self.engine(), ended) {
            return Ok(());
        }
        ended.let_go();
        let next = enter(&self.data_dir).await?;
        *self.engine_slot() = next;
        Ok(())
    }
}

impl Dispatch for Relay {
    fn dispatch(&self, call: Call, items: Sender<Json>) -> BoxFuture<'_, Result<Json, Failure>> {
        Box::pin(async move {
            loop {
                let engine = self.engine();
                match engine.dispatch(call.clone(), items.clone()).await {
                    Err(failure) if failure.code == FailureCode::Ended => self.after(&engine).await?,
                    // Whether it was answered makes no difference where nothing changes.
                    Err(failure) if failure.code == FailureCode::Unanswered && only_reads(&call) => {
                        self.after(&engine).await?;
                    }
                    answer => return answer,
                }
            }
        })
    }

    fn let_go(&self) {
        self.engine().let_go();
    }
}

/// Whether a call changes and sends nothing, so that it can be repeated on the next engine after the first has ended.
/// These are the calls of a run that follows what it has sent.
fn only_reads(call: &Call) -> bool {
    matches!(
        call,
        Call::listen {}
            | Call::connections {}
            | Call::device { .. }
            | Call::devices { .. }
            | Call::command { .. }
            | Call::check_command { .. }
            | Call::log { .. }
            | Call::plan_rollout { .. }
            | Call::planned_requests { .. }
            | Call::suggested_timeout { .. }
            | Call::rollouts {}
            | Call::rollout { .. }
            | Call::rollout_members { .. }
            | Call::history { .. }
    )
}

async fn enter(data_dir: &DataDir) -> Result<EngineSlot, Failure> {
    let give_up = Instant::now() + ENGINE_TIMEOUT;
    loop {
        if let Some(attached) = IpcClient::find(data_dir).await {
            return Ok(EngineSlot { engine: Arc::new(attached), own: None });
        }
        let vault = Vault::open(data_dir.namespace());
        match Engine::start(Options { data_dir: data_dir.clone(), vault, passing: false }).await {
            Ok(engine) => {
                // Without a server, other runs wait for the end of this one.
                let server = IpcServer::open(data_dir, engine.handle()).ok();
                return Ok(EngineSlot {
                    engine: Arc::new(engine.handle()),
                    own: Some(Own { engine, server, temporary: None }),
                });
            }
            // Another is just starting or ending, and it does not serve yet or no longer.
            Err(failure) if failure.code == FailureCode::InUse && Instant::now() < give_up => {
                sleep(Duration::from_millis(50)).await;
            }
            Err(failure) => return Err(failure),
        }
    }
}
