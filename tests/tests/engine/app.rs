//! An app in a process of its own, to be killed at any time.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use wilco_engine::api::Client;
use wilco_engine::ipc::{IpcClient, IpcServer};
use wilco_engine::paths::DataDir;
use wilco_engine::vault::Vault;
use wilco_tests::{Child, Session, soon_async};

use crate::desk::{PATIENCE, Watch, start};

const DATA: &str = "WILCO_TEST_APP_DATA";
const KEYRING: &str = "WILCO_TEST_APP_KEYRING";

/// A running one, and a console attached to it.
pub(crate) struct App {
    child: Child,
    pub(crate) watch: Watch,
}

impl App {
    /// Starts one on a data directory, which keeps its secrets in memory.
    pub(crate) async fn start(directory: &Path) -> Result<App> {
        App::run(directory, |command| command).await
    }

    /// Starts one in a person's session, which keeps its secrets in the keyring there.
    pub(crate) async fn start_in(session: &Session, directory: &Path) -> Result<App> {
        App::run(directory, |command| command.envs(session.variables()).env(KEYRING, "1")).await
    }

    async fn run(directory: &Path, surround: impl FnOnce(&mut Command) -> &mut Command) -> Result<App> {
        let mut command = Child::command(std::env::current_exe()?);
        command.args(["--exact", "app::the_other_process", "--nocapture"]).env(DATA, directory).stdout(Stdio::null());
        surround(&mut command);
        let mut child = Child::start(&mut command, &directory.join("app.log"))?;
        let data_dir = DataDir::open(Some(directory))?;
        let attached = soon_async("door to the app", PATIENCE, async || {
            if !child.is_running() {
                bail!("the app ended: {}", child.log());
            }
            Ok(IpcClient::find(&data_dir).await)
        })
        .await?;
        Ok(App { watch: Watch::on(Client::new(attached)).await?, child })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// As a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill();
    }
}

/// Does nothing but when [`App::start`] starts it.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_process() -> Result<()> {
    let Some(directory) = std::env::var_os(DATA) else { return Ok(()) };
    let data_dir = DataDir::open(Some(directory.as_ref()))?;
    let in_keyring = std::env::var_os(KEYRING).is_some();
    let vault = if in_keyring { Vault::open(data_dir.namespace()) } else { Vault::in_memory() };
    let engine = start(directory.as_ref(), &vault).await?;
    let _door = IpcServer::open(&data_dir, engine.handle())?;
    std::future::pending().await
}
