//! Which engine is asked: that of a running Wilco, or one of our own.

use std::{path::Path, time::Duration};

use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use wilco_engine::{
    Engine, Options,
    api::{ConnectionView, Failure, FailureCode},
    attach::{Attached, Console, Door},
    paths::DataDir,
    vault::Vault,
};

use crate::problem::Problem;

/// How long another program that is just starting or ending is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The engine that is asked.
pub(crate) struct Base {
    data_dir: DataDir,
    console: Console,
    own: Option<Own>,
}

struct Own {
    engine: Engine,
    /// Other runs of this program come in here meanwhile.
    door: Option<Door>,
    /// Goes with everything in it.
    temporary: Option<TempDir>,
}

impl Base {
    /// The engine of that data directory, or of the person's own.
    pub(crate) async fn open(data_dir: Option<&Path>) -> Result<Base, Problem> {
        let data_dir = DataDir::open(data_dir).map_err(Failure::from)?;
        let (console, own) = enter(&data_dir).await?;
        Ok(Base { data_dir, console, own })
    }

    /// An engine for one command, of which nothing is kept. Needs no keyring, and minds no other.
    pub(crate) async fn passing() -> Result<Base, Problem> {
        let temporary = tempfile::Builder::new().prefix("wilco-").tempdir()?;
        let data_dir = DataDir::open(Some(temporary.path())).map_err(Failure::from)?;
        let options = Options { data_dir: data_dir.clone(), vault: Vault::in_memory(), passing: true };
        let engine = Engine::start(options).await?;
        let console = Console::Own(engine.handle());
        Ok(Base { data_dir, console, own: Some(Own { engine, door: None, temporary: Some(temporary) }) })
    }

    pub(crate) fn console(&self) -> &Console {
        &self.console
    }

    /// It is ours, so it has only just begun to connect.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Finds an engine again after the one in another process has ended.
    pub(crate) async fn reopen(&mut self) -> Result<(), Problem> {
        if self.own.is_some() {
            return Err(Problem::new("The engine has stopped.", "Try again; what was sent is in the history."));
        }
        (self.console, self.own) = enter(&self.data_dir).await?;
        Ok(())
    }

    /// The connection of that name.
    pub(crate) async fn connection(&self, name: &str) -> Result<ConnectionView, Problem> {
        let mut all = self.console.connections().await?;
        let place = all.iter().position(|one| one.name == name).or_else(|| all.iter().position(|one| one.id == name));
        if let Some(place) = place {
            return Ok(all.swap_remove(place));
        }
        let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
        let hint = match names.as_slice() {
            [] => "Add one: wilco connections add NAME --url mqtts://HOST".to_owned(),
            names => format!("There are: {}.", names.join(", ")),
        };
        Err(Problem::new(format!("There is no connection called '{name}'."), hint))
    }

    /// Puts everything of ours away.
    pub(crate) async fn close(self) {
        if let Some(Own { engine, door, temporary }) = self.own {
            drop(door);
            engine.stop().await;
            drop(temporary);
        }
    }
}

async fn enter(data_dir: &DataDir) -> Result<(Console, Option<Own>), Problem> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(attached) = Attached::find(data_dir).await {
            return Ok((Console::Attached(attached), None));
        }
        let vault = Vault::open(data_dir.namespace());
        match Engine::start(Options { data_dir: data_dir.clone(), vault, passing: false }).await {
            Ok(engine) => {
                // Without a door other runs wait for the end of this one.
                let door = Door::open(data_dir, engine.handle()).ok();
                return Ok((Console::Own(engine.handle()), Some(Own { engine, door, temporary: None })));
            }
            // Another is just starting or ending, and its door is not open yet or no longer.
            Err(failure) if failure.code == FailureCode::InUse && Instant::now() < give_up => {
                sleep(Duration::from_millis(50)).await;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
}
