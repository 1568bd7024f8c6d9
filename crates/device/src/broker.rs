//! An MQTT broker inside this process: in memory, on the loopback interface.
//!
//! It serves the demo fleet and tests. It cannot be reached from other machines and writes no files.

use std::net::{Ipv4Addr, SocketAddr};

use mqtt5::broker::{
    MqttBroker,
    config::{BrokerConfig, StorageBackend, StorageConfig},
};
use tokio::task::JoinHandle;
use tracing::error;

const LARGEST_PACKET: usize = 1 << 20;

/// A running broker, which stops when this is dropped.
pub struct Broker {
    address: SocketAddr,
    shutdown: Box<dyn Fn() + Send + Sync>,
    running: JoinHandle<()>,
}

/// The broker could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the broker could not be started on this machine: {0}")]
pub struct BrokerError(String);

impl Broker {
    /// Starts a broker for this number of clients on a free port, with MQTT 5 and 3.1.1 and without credentials.
    ///
    /// # Errors
    /// [`BrokerError`] if it cannot listen.
    pub async fn start(clients: usize) -> Result<Broker, BrokerError> {
        Broker::start_on(0, clients).await
    }

    /// The same on this port; 0 chooses a free one.
    ///
    /// # Errors
    /// [`BrokerError`] if it cannot listen.
    pub async fn start_on(port: u16, clients: usize) -> Result<Broker, BrokerError> {
        // Persistence stays on, in memory: without it no session is resumed.
        let storage = StorageConfig::new().with_backend(StorageBackend::Memory).with_persistence(true);
        let config = BrokerConfig::new()
            .with_bind_address((Ipv4Addr::LOCALHOST, port))
            .with_max_clients(clients)
            .with_max_packet_size(LARGEST_PACKET)
            .with_storage(storage)
            .with_sys_topics_enabled(false);
        let failed = |error: mqtt5::MqttError| BrokerError(error.to_string());
        let mut broker = MqttBroker::with_config(config).await.map_err(failed)?;
        let address = broker.local_addr().ok_or_else(|| BrokerError("it has no address".to_owned()))?;
        let handle = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let running = tokio::spawn(async move {
            if let Err(error) = broker.run().await {
                error!("the demo broker stopped: {error}");
            }
        });
        // An error means that the broker has ended already.
        ready.wait_for(|ready| *ready).await.map_err(|_| BrokerError("it stopped immediately".to_owned()))?;
        Ok(Broker { address, shutdown: Box::new(move || handle.shutdown()), running })
    }

    /// The URL to connect to: `mqtt://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }

    /// Stops the broker, and waits until it has stopped.
    pub async fn stop(mut self) {
        (self.shutdown)();
        // A panic inside the broker is over by now, too.
        let _ = (&mut self.running).await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        (self.shutdown)();
        self.running.abort();
    }
}
