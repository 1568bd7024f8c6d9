//! A living fleet without any setting up: a broker and virtual devices inside this process, on this machine only.
//!
//! Nothing of it is written to disk.

mod cast;

use std::{io, time::Duration};

use tokio::time::timeout;
use wilco_dialect::Topics;

use crate::{
    broker::{Broker, BrokerError},
    endpoint::{Endpoint, EndpointError, TlsFiles},
    fleet::Fleet,
    persona::Persona,
    store::{Store, StoreError},
};

/// How many devices the demo fleet usually has.
pub const DEMO_DEVICES: usize = 2_000;

/// Files that this process needs for other things.
const OTHER_FILES: u64 = 256;
/// A device's end of its connection, and the broker's.
const FILES_EACH: u64 = 2;
/// Consoles and tools that may connect beside the devices.
const GUESTS: usize = 100;
/// As soon as these are there, the fleet can be shown; the others come within seconds.
const VANGUARD: usize = 12;
const PATIENCE: Duration = Duration::from_secs(5);

/// A running demo fleet.
pub struct DemoFleet {
    fleet: Fleet,
    broker: Broker,
    devices: usize,
}

/// Why there is no demo fleet.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The broker cannot listen.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The system does not say how many files the process may open.
    #[error("it is not known how many files this process may open: {0}")]
    Files(io::Error),
    /// The process may not open as many files as even a small fleet needs.
    #[error("this process may open only {0} files, too few for a single device")]
    TooFewFiles(u64),
    /// Not to be expected: the broker's own address is not understood.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Not to be expected: these devices have no stored memory.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DemoFleet {
    /// Starts a broker on 127.0.0.1 and so many devices, fewer if the system allows fewer connections. Returns when
    /// the first of them are connected; the rest follow in the background. Call it within a tokio runtime.
    ///
    /// # Errors
    /// See [`DemoError`].
    pub async fn start(devices: usize) -> Result<DemoFleet, DemoError> {
        let devices = devices.min(connections_allowed(devices)?);
        let broker = Broker::start(devices + GUESTS).await?;
        let endpoint = Endpoint::new(&broker.url(), &TlsFiles::default(), Topics::default())?;
        // The embedded broker is slow where thousands of devices share a topic filter: each answer would wait for seconds.
        let quiet = |persona: Persona| Persona { broadcasts: false, ..persona };
        let cast = cast::cast(devices).into_iter().map(|persona| (quiet(persona), Store::None));
        let fleet = Fleet::start(endpoint, cast)?;
        // Too late is better than never: the devices keep trying.
        let _ = timeout(PATIENCE, fleet.connected(VANGUARD)).await;
        Ok(DemoFleet { fleet, broker, devices })
    }

    /// Where to connect: `mqtt://127.0.0.1:PORT`, MQTT 5 or 3.1.1, no credentials.
    #[must_use]
    pub fn url(&self) -> String {
        self.broker.url()
    }

    /// How many devices there are, including those that are away.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.devices
    }

    /// Waits until every device has been connected at least once.
    pub async fn complete(&self) {
        self.fleet.connected(self.devices).await;
    }

    /// Ends the devices and then the broker.
    pub async fn stop(self) {
        // Without the good-byes of thousands of devices: nobody is left to hear them.
        drop(self.fleet);
        self.broker.stop().await;
    }
}

fn connections_allowed(devices: usize) -> Result<usize, DemoError> {
    let wanted = OTHER_FILES + FILES_EACH * devices as u64;
    connections_within(rlimit::increase_nofile_limit(wanted).map_err(DemoError::Files)?)
}

/// How many devices so many files are enough for.
fn connections_within(files: u64) -> Result<usize, DemoError> {
    match files.saturating_sub(OTHER_FILES) / FILES_EACH {
        0 => Err(DemoError::TooFewFiles(files)),
        connections => Ok(usize::try_from(connections).unwrap_or(usize::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::{DemoError, connections_within};

    #[test]
    fn a_fleet_of_no_device_is_none() {
        let check = |files, expected: Option<usize>| match connections_within(files) {
            Ok(devices) => assert_eq!(Some(devices), expected, "{files}"),
            Err(DemoError::TooFewFiles(told)) => assert_eq!((told, None), (files, expected)),
            Err(other) => panic!("{other}"),
        };
        check(60, None);
        check(257, None);
        check(258, Some(1));
        check(1_024, Some(384));
    }
}
