//! The reference device, as a separate program.

use std::path::Path;
use std::process::Stdio;

use anyhow::Result;
use rustix::process::Signal;

use crate::broker::Broker;
use crate::certificates::{Certificates, Identity};
use crate::child::Child;
use crate::programs::program;

/// A running `wilco-device`, with its state in a directory that outlives it.
#[derive(Debug)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// The topic on which it says that it is online.
    status: String,
    arguments: Vec<String>,
    state: tempfile::TempDir,
    child: Option<Child>,
}

impl Device {
    /// Starts one and waits until it says that it is online.
    ///
    /// # Errors
    /// When it is not built, or not online within 10 s.
    pub fn start(broker: &Broker, id: &str, tls: Option<(&Certificates, &Identity)>) -> Result<Self> {
        Self::start_with(broker, id, tls, &[])
    }

    /// As [`Device::start`], with further arguments for it.
    ///
    /// # Errors
    /// When it is not built, or not online within 10 s.
    pub fn start_with(
        broker: &Broker,
        id: &str,
        tls: Option<(&Certificates, &Identity)>,
        more: &[&str],
    ) -> Result<Self> {
        let mut arguments = vec!["--url".to_owned(), broker.url(), "--id".to_owned(), id.to_owned()];
        if let Some((certificates, identity)) = tls {
            let files = [("--ca", &certificates.ca), ("--cert", &identity.certificate), ("--key", &identity.key)];
            arguments
                .extend(files.into_iter().flat_map(|(option, path)| [option.to_owned(), path.display().to_string()]));
        }
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        let prefix = more.iter().skip_while(|&&argument| argument != "--prefix").nth(1);
        let status = prefix.map_or_else(|| format!("{id}/status"), |prefix| format!("{prefix}/{id}/status"));
        let state = tempfile::Builder::new().prefix("wilco-device-").tempdir()?;
        let mut device = Self { id: id.to_owned(), status, arguments, state, child: None };
        device.resume(broker)?;
        Ok(device)
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.child = None;
    }

    /// Stops it in the middle of whatever it does. To others it is there and silent.
    ///
    /// # Errors
    /// When it is gone.
    pub fn freeze(&self) -> Result<()> {
        self.child.as_ref().map_or(Ok(()), |child| child.signal(Signal::STOP))
    }

    /// Starts it again with the state that it had, and waits until it says that it is online.
    ///
    /// # Errors
    /// When it is not online within 10 s.
    pub fn resume(&mut self, broker: &Broker) -> Result<()> {
        let mut command = Child::command(program("wilco-device")?);
        command.args(&self.arguments).arg("--state-dir").arg(self.state.path().join("device")).stdout(Stdio::null());
        let child = Child::start(&mut command, &self.log_path())?;
        wait_until_online(broker, &self.status, &child)?;
        self.child = Some(child);
        Ok(())
    }

    /// Its standard error so far.
    pub fn log(&self) -> String {
        self.child.as_ref().map(Child::log).unwrap_or_default()
    }

    /// Where it keeps its state.
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    fn log_path(&self) -> std::path::PathBuf {
        self.state.path().join("log")
    }
}

fn wait_until_online(broker: &Broker, status: &str, child: &Child) -> Result<()> {
    for _ in 0..5 {
        // A will of its life before may still be retained.
        match broker.first(status, 10) {
            Ok(said) if said.contains("\"online\":true") => return Ok(()),
            Ok(_) => std::thread::sleep(std::time::Duration::from_millis(200)),
            Err(error) => return Err(error.context(child.log())),
        }
    }
    anyhow::bail!("nothing on {status} says that it is online: {}", child.log())
}
