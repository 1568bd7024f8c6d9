//! The environment of the command-line tests, and the output of a run.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_engine::{Engine, Options, paths::DataDir, vault::Vault};
use wilco_tests::{Broker, Child, Keyring, Session, program};

/// A data directory of its own, and the program in it.
pub(crate) struct Bench {
    pub(crate) data: tempfile::TempDir,
    session: Option<Session>,
}

/// The output of the program.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    /// On a machine without any keyring.
    pub(crate) fn new() -> Result<Bench> {
        Ok(Bench { data: tempfile::Builder::new().prefix("wilco-cli-").tempdir()?, session: None })
    }

    pub(crate) fn with_keyring(keyring: Keyring) -> Result<Bench> {
        Ok(Bench { session: Some(Session::start(keyring)?), ..Bench::new()? })
    }

    /// With a connection called `bench`.
    pub(crate) fn on(broker: &Broker) -> Result<Bench> {
        let bench = Bench::new()?;
        bench.run(&["connections", "add", "bench", "--url", &broker.url()])?.ended(0)?;
        Ok(bench)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<ProgramOutput> {
        self.run_with_input(arguments, "")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Result<ProgramOutput> {
        let mut command = Command::new(program("wilco")?);
        self.surround(&mut command).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // A program that reads nothing may be gone by now.
        let _ = child.stdin.take().context("no standard input")?.write_all(input.as_bytes());
        ProgramOutput::of(&child.wait_with_output()?)
    }

    /// Runs it with all that it prints going to a device that is always full.
    pub(crate) fn run_with_full_output(&self, arguments: &[&str]) -> Result<ProgramOutput> {
        let mut command = Command::new(program("wilco")?);
        self.surround(&mut command).args(arguments).stdin(Stdio::null());
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
        ProgramOutput::of(&command.stdout(full).stderr(Stdio::piped()).output()?)
    }

    /// Starts it and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = Child::command(program("wilco")?);
        self.surround(&mut command).args(arguments).stdout(Stdio::piped());
        let log = tempfile::Builder::new().prefix("stderr-").tempfile_in(self.data.path())?;
        Child::start(&mut command, &log.into_temp_path().keep()?)
    }

    /// As [`Bench::start`], for a program that is to be told that a file has reached its limit, and not killed for it.
    pub(crate) fn start_deaf_to_limits(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = Child::command("sh");
        command.args(["-c", r#"trap "" XFSZ; exec "$@""#, "sh"]).arg(program("wilco")?);
        self.surround(&mut command).args(arguments).stdout(Stdio::null());
        Child::start(&mut command, &self.data.path().join("stderr"))
    }

    /// Runs it on a disk that takes no byte more: every write to a file is refused.
    pub(crate) fn run_without_room(&self, arguments: &[&str]) -> Result<ProgramOutput> {
        let mut command = Command::new("sh");
        command.args(["-c", r#"trap "" XFSZ; ulimit -f 0; exec "$@""#, "sh"]).arg(program("wilco")?);
        ProgramOutput::of(&self.surround(&mut command).args(arguments).stdin(Stdio::null()).output()?)
    }

    /// As [`Bench::start`], for a program whose files anybody could read and write, if it did not say otherwise itself.
    pub(crate) fn start_with_umask_0(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = Child::command("sh");
        command.args(["-c", r#"umask 000; exec "$@""#, "sh"]).arg(program("wilco")?);
        self.surround(&mut command).args(arguments).stdout(Stdio::null());
        Child::start(&mut command, &self.data.path().join("stderr"))
    }

    /// The commands whose logs of a device are kept, the last one first.
    pub(crate) fn kept_logs(&self, device: &str) -> Result<Vec<String>> {
        let data_dir = DataDir::open(Some(&self.data.path().join("data")))?;
        tokio::runtime::Runtime::new()?.block_on(async {
            let engine = Engine::start(Options { data_dir, vault: Vault::in_memory(), passing: false }).await?;
            let connection = engine.handle().connections().await?.remove(0).id;
            let kept = engine.handle().logs(&connection, device).await?;
            engine.stop().await;
            Ok(kept.into_iter().map(|log| log.id).collect())
        })
    }

    fn surround<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("WILCO_DATA_DIR", self.data.path().join("data")).env("TZ", "UTC");
        match &self.session {
            Some(session) => command.envs(session.variables()),
            None => command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere"),
        }
    }
}

impl ProgramOutput {
    fn of(output: &Output) -> Result<ProgramOutput> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().context("it was killed")?;
        Ok(ProgramOutput { code, out: text(&output.stdout), err: text(&output.stderr) })
    }

    pub(crate) fn ended(self, code: i32) -> Result<ProgramOutput> {
        ensure!(self.code == code, "it should have ended with {code}: {self:?}");
        Ok(self)
    }

    /// Refused with a sentence and a hint.
    pub(crate) fn complained(self, part: &str) -> Result<ProgramOutput> {
        let said = self.ended(2)?;
        let sentence = said.err.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
        ensure!(sentence.contains(part) && sentence.ends_with('.'), "no sentence about '{part}': {said:?}");
        ensure!(said.err.lines().any(|line| line.starts_with("hint: ")), "no hint: {said:?}");
        ensure!(said.out.is_empty(), "it printed something all the same: {said:?}");
        Ok(said)
    }

    /// The errors and hints in the output.
    pub(crate) fn hints(&self) -> Vec<&str> {
        self.err.lines().filter_map(|line| line.strip_prefix("hint: ")).collect()
    }

    pub(crate) fn lines(&self) -> Result<Vec<Value>> {
        self.out.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    pub(crate) fn states(&self) -> Result<Vec<String>> {
        Ok(self.lines()?.iter().map(|line| line["state"].as_str().unwrap_or_default().to_owned()).collect())
    }
}
