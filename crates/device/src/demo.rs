//! The demo fleet: a broker and virtual devices inside this process, on this machine only. Nothing is written to disk.

mod cast;

use std::{io, time::Duration};

use tokio::time::timeout;
use wilco_dialect::Topics;

use crate::{
    broker::{Broker, BrokerError},
    device_settings::DeviceSettings,
    dials::Dials,
    endpoint::{Endpoint, EndpointError, TlsFiles},
    fleet::Fleet,
    store::{Store, StoreError},
};

/// How many devices the demo fleet usually has.
pub const DEMO_DEVICES: usize = 2_000;

/// Files that this process needs for other purposes.
const OTHER_FILES: u64 = 256;
/// Two files for each device: its end of the connection, and the broker's.
const FILES_EACH: u64 = 2;
/// The number of consoles and tools that may connect in addition to the devices.
const GUESTS: usize = 100;
/// Once this many are connected, the fleet can be shown; the others follow within seconds.
const VANGUARD: usize = 12;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A running demo fleet.
pub struct DemoFleet {
    /// `None` only while its devices restart.
    fleet: Option<Fleet>,
    broker: Broker,
    devices: usize,
}

/// Why there is no demo fleet.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The broker could not listen.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The limit of open files is unknown.
    #[error("the limit on open files of this process is unknown: {0}")]
    Files(io::Error),
    /// The process may not open as many files as even a small fleet needs.
    #[error("this process may open only {0} files, which is too few for a single device")]
    TooFewFiles(u64),
    /// Unexpected: the broker's own address is invalid.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Unexpected: these devices have no stored memory.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DemoFleet {
    /// Starts a broker on 127.0.0.1 and this number of devices, or fewer if the system allows fewer connections, with
    /// these faults in addition to their own. Returns when the first of them are connected; the rest follow in the
    /// background. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`DemoError`].
    pub async fn start(devices: usize, dials: &Dials) -> Result<DemoFleet, DemoError> {
        let devices = connections_allowed(devices)?;
        let broker = Broker::start(devices + GUESTS).await?;
        let mut demo = DemoFleet { fleet: None, broker, devices };
        demo.restart(dials).await?;
        Ok(demo)
    }

    /// Restarts the devices with other faults, from their initial state, so that a run can be repeated. The broker
    /// continues. Returns as [`DemoFleet::start`] does.
    ///
    /// # Errors
    /// [`DemoError::Endpoint`] and [`DemoError::Store`], which are unexpected.
    pub async fn restart(&mut self, dials: &Dials) -> Result<(), DemoError> {
        // Their connections end, and the broker publishes their last wills.
        self.fleet = None;
        let endpoint = Endpoint::new(&self.broker.url(), &TlsFiles::default(), Topics::default())?;
        // The embedded broker is slow where thousands of devices share a topic filter: each answer would wait for seconds.
        let quiet =
            |device_settings: DeviceSettings| (DeviceSettings { broadcasts: false, ..device_settings }, Store::None);
        let cast = cast::cast(self.devices);
        // Without faults it is as it was cast.
        let cast = if *dials == Dials::default() { cast } else { dials.turn(cast) };
        let fleet = Fleet::start(endpoint, cast.into_iter().map(quiet))?;
        // Too late is better than never: the devices keep trying.
        let _ = timeout(CONNECT_TIMEOUT, fleet.connected(VANGUARD)).await;
        self.fleet = Some(fleet);
        Ok(())
    }

    /// The URL to connect to: `mqtt://127.0.0.1:PORT`, with MQTT 5 or 3.1.1, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        self.broker.url()
    }

    /// The number of devices, including those that are offline.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.devices
    }

    /// Waits until every device has been connected at least once.
    pub async fn complete(&self) {
        if let Some(fleet) = &self.fleet {
            fleet.connected(self.devices).await;
        }
    }

    /// Stops the devices and then the broker.
    pub async fn stop(self) {
        // Without the DISCONNECTs of thousands of devices: no client receives them.
        drop(self.fleet);
        self.broker.stop().await;
    }
}

/// How many of the requested devices this process can connect to its own broker. Raises the limit of open files if
/// possible.
///
/// # Errors
/// [`DemoError::Files`] and [`DemoError::TooFewFiles`].
pub fn connections_allowed(devices: usize) -> Result<usize, DemoError> {
    let wanted = OTHER_FILES + FILES_EACH * devices as u64;
    Ok(connections_within(rlimit::increase_nofile_limit(wanted).map_err(DemoError::Files)?)?.min(devices))
}

/// The number of devices for which this number of files is enough.
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
