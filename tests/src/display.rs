//! A virtual display.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::child::Child;
use crate::picture::{Area, Picture};

/// A running Xvfb of 2,000 by 1,300 pixels: room for the largest window of the tests and its frame.
#[derive(Debug)]
pub struct Display {
    name: String,
    _server: Child,
    _log: tempfile::NamedTempFile,
    /// Where the server lays its pixels open.
    pixels: tempfile::TempDir,
}

impl Display {
    /// Starts one on a number that is free.
    ///
    /// # Errors
    /// When Xvfb is not there or will not start.
    pub fn start() -> Result<Self> {
        let log = tempfile::NamedTempFile::new()?;
        let pixels = tempfile::Builder::new().prefix("wilco-display-").tempdir()?;
        let mut command = Child::command("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", "2000x1300x24", "-nolisten", "tcp", "-dpi", "96", "-fbdir"])
            .arg(pixels.path())
            .stdout(Stdio::piped());
        let mut server = Child::start(&mut command, log.path())?;
        let mut number = String::new();
        BufReader::new(server.take_output().context("no output")?).read_line(&mut number)?;
        if number.trim().is_empty() {
            anyhow::bail!("Xvfb did not start: {}", server.log());
        }
        Ok(Self { name: format!(":{}", number.trim()), _server: server, _log: log, pixels })
    }

    /// Its name, for `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The current picture. Programs on the display do not notice.
    ///
    /// # Errors
    /// When the server has not laid open what it shows.
    pub fn picture(&self) -> Result<Picture> {
        Picture::read(&self.pixels.path().join("Xvfb_screen0"))
    }

    /// What is on a part of it now: quickly, so that it can be looked at again and again.
    ///
    /// # Errors
    /// When that part is not on it, or the server has not laid open what it shows.
    pub fn area(&self, area: Area) -> Result<Picture> {
        Picture::read_area(&self.pixels.path().join("Xvfb_screen0"), area)
    }
}
