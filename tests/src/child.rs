//! A child process that ends with its value.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

/// A running program, with all that it has started. Killed when dropped.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    name: String,
    log: PathBuf,
}

impl Child {
    /// A command that can become a [`Child`]. The kernel kills it when we die, however that happens (`setpriv` asks for
    /// it, so that no unsafe code is needed between fork and exec).
    pub fn command(program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).stdin(Stdio::null());
        command
    }

    /// Starts `command` in a process group of its own. What it says on its standard error, and on its standard output
    /// unless that is piped, goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let name = command.get_args().nth(3).unwrap_or_default().to_string_lossy().into_owned();
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let child =
            command.stderr(file).process_group(0).spawn().with_context(|| {
                format!("`{name}` could not be started; `cargo xtask setup` installs what is missing")
            })?;
        Ok(Self { child, name, log: log.to_owned() })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Its piped standard output, once.
    pub fn take_output(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Its piped standard input, once.
    pub fn take_input(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// Its output so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it cannot be signalled or waited for.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.child.wait().with_context(|| format!("waiting for `{}` to end", self.name))
    }

    /// Kills it, as a power cut would, with all that it has started.
    pub fn kill(&mut self) {
        // It may be gone already.
        let _ = self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    /// Sends a signal to it and all that it has started.
    ///
    /// # Errors
    /// When there is nothing left to signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let group = Pid::from_child(&self.child);
        kill_process_group(group, signal).with_context(|| format!("signalling `{}`", self.name))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}
