//! The command line in a data directory of its own, and what it was seen to do.

use std::{
    cell::RefCell,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_tests::{Child, program};

/// The command line, with all that was proven by it.
pub(super) struct Bench {
    data: tempfile::TempDir,
    proofs: RefCell<Vec<Proof>>,
}

/// Something that a counterpart was seen to do.
pub(super) struct Proof {
    /// The counterpart.
    pub(super) of: &'static str,
    /// What it did.
    pub(super) what: String,
}

impl Bench {
    pub(super) fn new() -> Result<Bench> {
        Ok(Bench { data: tempfile::tempdir()?, proofs: RefCell::default() })
    }

    fn prepare<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("WILCO_DATA_DIR", self.data.path()).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    }

    /// The program's exit code, output and errors.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<(i32, String, String)> {
        let output = self.prepare(&mut Command::new(program("wilco")?)).args(arguments).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code().context("it was killed")?, text(&output.stdout), text(&output.stderr)))
    }

    /// Listens to a connection until the value is dropped.
    pub(super) fn watch(&self, connection: &str) -> Result<Child> {
        let mut command = Child::command(program("wilco")?);
        self.prepare(&mut command).args(["watch", "-c", connection, "--output", "json"]).stdout(Stdio::null());
        Child::start(&mut command, &self.data.path().join("watch.log"))
    }

    /// Adds a connection with these dialects.
    pub(super) fn connect(&self, connection: &str, url: &str, dialects: &[&str]) -> Result<()> {
        let dialects: Vec<&str> = dialects.iter().flat_map(|name| ["--dialect", name]).collect();
        let (code, _, err) = self.run(&[&["connections", "add", connection, "--url", url], &dialects[..]].concat())?;
        ensure!(code == 0, "{err}");
        Ok(())
    }

    /// The devices of a connection with their names, dialects and presence.
    pub(super) fn devices(&self, connection: &str) -> Result<Vec<Value>> {
        let (code, out, err) = self.run(&["devices", "-c", connection, "--output", "json"])?;
        ensure!(code == 0, "{err}");
        Ok(out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// Writes down what a counterpart was seen to do.
    pub(super) fn proved(&self, of: &'static str, what: String) {
        println!("    {of}: {what}");
        self.proofs.borrow_mut().push(Proof { of, what });
    }

    pub(super) fn proofs(self) -> Vec<Proof> {
        self.proofs.into_inner()
    }

    /// Sends commands to the devices of a counterpart.
    pub(super) fn to(&self, counterpart: &'static str, connection: &'static str) -> Commander<'_> {
        Commander { bench: self, counterpart, connection }
    }
}

/// Sends commands to the devices of one counterpart.
pub(super) struct Commander<'a> {
    bench: &'a Bench,
    counterpart: &'static str,
    connection: &'static str,
}

impl Commander<'_> {
    /// Sends a command, which must come to this end. Answers with the states that it went through.
    pub(super) fn ends(&self, device: &str, words: &[&str], state: &str, said: &str) -> Result<Vec<String>> {
        let began = Instant::now();
        let send = ["send", "-c", self.connection, "-d", device, "--output", "json"];
        let (_, out, err) = self.bench.run(&[&send[..], words].concat())?;
        let lines: Vec<Value> = out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let last = lines.last().with_context(|| format!("{device} {words:?}: {err}"))?;
        let message = last["message"].as_str().unwrap_or_default();
        ensure!(last["state"] == state && message.contains(said), "{device} {words:?}: {last} {err}");
        let took = began.elapsed().as_secs_f64();
        let words = words.join(" ");
        self.bench.proved(self.counterpart, format!("`{device}` `{words}`: {state} in {took:.1} s. {message}"));
        Ok(lines.iter().filter_map(|line| line["state"].as_str().map(str::to_owned)).collect())
    }
}
