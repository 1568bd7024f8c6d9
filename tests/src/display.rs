//! A display that nobody looks at.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::child::Child;

/// A running Xvfb of 2,000 by 1,300 pixels: room for the largest window of the tests and its frame.
#[derive(Debug)]
pub struct Display {
    name: String,
    _server: Child,
    _log: tempfile::NamedTempFile,
}

impl Display {
    /// Starts one on a number that is free.
    ///
    /// # Errors
    /// When Xvfb is not there or will not start.
    pub fn start() -> Result<Self> {
        let log = tempfile::NamedTempFile::new()?;
        let mut command = Child::command("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", "2000x1300x24", "-nolisten", "tcp", "-dpi", "96"])
            .stdout(Stdio::piped());
        let mut server = Child::start(&mut command, log.path())?;
        let mut number = String::new();
        BufReader::new(server.take_output().context("no output")?).read_line(&mut number)?;
        if number.trim().is_empty() {
            anyhow::bail!("Xvfb did not start: {}", server.log());
        }
        Ok(Self { name: format!(":{}", number.trim()), _server: server, _log: log })
    }

    /// Its name, for `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }
}
