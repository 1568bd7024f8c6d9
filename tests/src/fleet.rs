//! Many virtual devices in one process, with adjustable faults.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::broker::Broker;
use crate::child::Child;
use crate::programs::program;
use crate::soon;

/// Longest wait for all devices of a fleet. The machine may be busy with other tests.
const ALL_ONLINE: Duration = Duration::from_secs(60);

/// A fleet of devices `STEM-0001`, …, all of them online.
#[derive(Debug)]
pub struct Fleet {
    _devices: Child,
    _log: tempfile::TempDir,
}

impl Fleet {
    /// Starts `count` devices and waits until each says that it is online. `more` goes to `wilco-device`.
    ///
    /// # Errors
    /// When the program is not built, or a device is not online within a minute.
    pub fn start(broker: &Broker, stem: &str, count: usize, more: &[&str]) -> Result<Self> {
        let statuses = broker.listen("+/status")?;
        let log = tempfile::tempdir()?;
        let mut command = Child::command(program("wilco-device")?);
        command.args(["--url", &broker.url(), "--id", stem, "--count", &count.to_string(), "--telemetry-ms", "0"]);
        command.args(more).stdout(Stdio::null());
        let devices = Child::start(&mut command, &log.path().join("log"))?;
        soon("whole fleet", ALL_ONLINE, || {
            let log = statuses.log();
            let online = |line: &&str| line.starts_with(&format!("{stem}-")) && line.contains("\"online\":true");
            (log.lines().filter(online).count() >= count).then_some(())
        })
        .with_context(|| devices.log())?;
        Ok(Self { _devices: devices, _log: log })
    }
}
