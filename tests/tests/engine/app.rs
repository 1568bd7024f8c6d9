//! An app in a process of its own, to be killed at any instant.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, bail};
use wilco_engine::attach::{Attached, Console, Door};
use wilco_engine::paths::DataDir;
use wilco_engine::vault::Vault;
use wilco_tests::{Child, soon_async};

use crate::desk::{PATIENCE, Watch, start};

const DATA: &str = "WILCO_TEST_APP_DATA";

/// A running one, and a console attached to it.
pub(crate) struct App {
    child: Child,
    pub(crate) watch: Watch,
}

impl App {
    /// Starts one on a data directory.
    pub(crate) async fn start(directory: &Path) -> Result<App> {
        let mut command = Child::command(std::env::current_exe()?);
        command.args(["--exact", "app::the_other_process", "--nocapture"]).env(DATA, directory).stdout(Stdio::null());
        let mut child = Child::start(&mut command, &directory.join("app.log"))?;
        let data_dir = DataDir::open(Some(directory))?;
        let attached = soon_async("door to the app", PATIENCE, async || {
            if !child.is_running() {
                bail!("the app ended: {}", child.log());
            }
            Ok(Attached::find(&data_dir).await)
        })
        .await?;
        Ok(App { watch: Watch::on(Console::Attached(attached)).await?, child })
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
    let engine = start(directory.as_ref(), &Vault::in_memory()).await?;
    let _door = Door::open(&DataDir::open(Some(directory.as_ref()))?, engine.handle())?;
    std::future::pending().await
}
