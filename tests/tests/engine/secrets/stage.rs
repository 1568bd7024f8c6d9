//! A user of the app and the command line, everything that was shown to them, and the places to search.

use std::fmt::Debug;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use wilco_engine::api::Client;
use wilco_engine::api::{ConnectionEntry, FileRole, FileToRead, FilesToRead, KitView};
use wilco_engine::ipc::IpcClient;
use wilco_engine::paths::DataDir;
use wilco_tests::{Child, Display, Keyring, Session, program, soon_async};

use super::canary::Canaries;
use crate::desk::{PATIENCE, Watch};

/// A person at the app, whose log says all that it can say, and everything that was said to them.
pub(super) struct Stage {
    pub(super) session: Session,
    /// The app's data, the command line's own, exported files, and logs.
    directory: tempfile::TempDir,
    pub(super) canaries: Canaries,
    pub(super) said: Vec<u8>,
    pub(super) app: Child,
    pub(super) watch: Watch,
    _display: Display,
}

impl Stage {
    pub(super) async fn new() -> Result<Stage> {
        let session = Session::start(Keyring::Unlocked)?;
        let display = Display::start()?;
        let directory = tempfile::Builder::new().prefix("wilco-secrets-").tempdir()?;
        let data = directory.path().join("data");
        let log = directory.path().join("app.log");
        let mut command = Child::command(program("wilco-desktop")?);
        command
            .envs(session.variables())
            .env("DISPLAY", display.name())
            .env_remove("WAYLAND_DISPLAY")
            .envs([("GDK_BACKEND", "x11"), ("NO_AT_BRIDGE", "1"), ("LIBGL_ALWAYS_SOFTWARE", "1")])
            .env("WILCO_DATA_DIR", &data)
            .env("WILCO_LOG", "trace")
            .stdout(File::create(&log)?);
        let app = Child::start(&mut command, &log)?;
        let attached = soon_async("door to the app", PATIENCE, async || {
            let data_dir = DataDir::open(Some(&data))?;
            Ok(IpcClient::find(&data_dir).await)
        });
        let attached = attached.await.with_context(|| app.log())?;
        let watch = Watch::on(Client::new(attached)).await?;
        let (canaries, said) = (Canaries::default(), Vec::new());
        Ok(Stage { session, directory, canaries, said, app, watch, _display: display })
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Takes down an answer or a refusal, as it goes over the wire and as it would stand in a log.
    pub(super) fn hears<T: Serialize + Debug, E: Serialize + Debug>(&mut self, outcome: Result<T, E>) -> Result<T> {
        let heard = match &outcome {
            Ok(value) => format!("{value:?} {value:#?} {}", serde_json::to_string(value)?),
            Err(error) => format!("{error:?} {error:#?} {}", serde_json::to_string(error)?),
        };
        self.said.extend(heard.as_bytes());
        outcome.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// The same, where it has to be a refusal.
    pub(super) fn hears_refusal<T: Serialize + Debug, E: Serialize + Debug>(
        &mut self,
        outcome: Result<T, E>,
    ) -> Result<()> {
        ensure!(self.hears(outcome).is_err(), "it was done");
        Ok(())
    }

    pub(super) async fn brings(&mut self, files: &[(&Path, FileRole)], passphrase: Option<&str>) -> Result<KitView> {
        self.brings_to(None, files, passphrase).await
    }

    pub(super) async fn brings_to(
        &mut self,
        kit: Option<&KitView>,
        files: &[(&Path, FileRole)],
        passphrase: Option<&str>,
    ) -> Result<KitView> {
        let files = files.iter().map(|(path, role)| FileToRead { path: (*path).to_owned(), role: *role }).collect();
        let kit = kit.map(|kit| kit.id.clone());
        let asked = FilesToRead { kit, files, passphrase: passphrase.map(str::to_owned), shown: None };
        let outcome = self.watch.console().read_files(asked).await;
        self.hears(outcome)
    }

    pub(super) async fn saves(&mut self, entry: ConnectionEntry) -> Result<String> {
        let outcome = self.watch.console().save_connection(entry).await;
        Ok(self.hears(outcome)?.id)
    }

    /// The command line, on the app's data or on its own.
    pub(super) fn runs(&mut self, data: &str, arguments: &[&str], input: &str) -> Result<i32> {
        let mut child = Command::new(program("wilco")?)
            .args(arguments)
            .envs(self.session.variables())
            .env("WILCO_DATA_DIR", self.at(data))
            .envs([("WILCO_LOG", "trace"), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("no standard input")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        self.said.extend([output.stdout, output.stderr].concat());
        output.status.code().context("it was killed")
    }

    /// Looks everywhere.
    pub(super) fn searches(&self) -> Result<()> {
        let mut found = self.canaries.found_below(self.directory.path())?;
        found.extend(self.canaries.found_below(self.session.home())?);
        found.extend(self.canaries.found_in(&self.said).iter().map(|name| format!("said: {name}")));
        ensure!(found.is_empty(), "{} found: {found:#?}", found.len());
        Ok(())
    }

    /// Looks at what other programs may see of the running ones.
    pub(super) fn searches_processes(&self) -> Result<()> {
        let processes = processes_on(self.directory.path())?;
        ensure!(!processes.is_empty(), "not even the app is among the processes");
        for (process, what) in processes {
            let found = self.canaries.found_in(&what);
            ensure!(found.is_empty(), "{process}: {found:?}");
        }
        Ok(())
    }
}

/// The command lines and environments of the processes that know this directory.
fn processes_on(directory: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let name = directory.as_os_str().as_encoded_bytes();
    let mut processes = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        // Most of what is there is no process, or none of ours.
        let (Ok(line), Ok(environment)) = (std::fs::read(path.join("cmdline")), std::fs::read(path.join("environ")))
        else {
            continue;
        };
        if environment.windows(name.len()).any(|window| window == name) {
            processes.push((path.display().to_string(), [line, environment].concat()));
        }
    }
    Ok(processes)
}
