//! The demo broker: in memory, on the loopback interface, on a port that is free.

use std::net::{Ipv4Addr, SocketAddr};

use mqtt5::broker::{
    MqttBroker,
    config::{BrokerConfig, StorageBackend, StorageConfig},
};
use tokio::task::JoinHandle;
use tracing::error;

use super::DemoError;

/// Consoles and tools that may connect beside the devices.
const GUESTS: usize = 100;
const LARGEST_PACKET: usize = 1 << 20;

pub(super) struct Broker {
    pub(super) address: SocketAddr,
    shutdown: Box<dyn Fn() + Send + Sync>,
    running: JoinHandle<()>,
}

impl Broker {
    pub(super) async fn start(devices: usize) -> Result<Broker, DemoError> {
        // Persistence stays on, in memory: without it no session is resumed.
        let storage = StorageConfig::new().with_backend(StorageBackend::Memory).with_persistence(true);
        let config = BrokerConfig::new()
            .with_bind_address((Ipv4Addr::LOCALHOST, 0))
            .with_max_clients(devices + GUESTS)
            .with_max_packet_size(LARGEST_PACKET)
            .with_storage(storage)
            .with_sys_topics_enabled(false);
        let failed = |error: mqtt5::MqttError| DemoError::Broker(error.to_string());
        let mut broker = MqttBroker::with_config(config).await.map_err(failed)?;
        let address = broker.local_addr().ok_or_else(|| DemoError::Broker("it has no address".to_owned()))?;
        let handle = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let running = tokio::spawn(async move {
            if let Err(error) = broker.run().await {
                error!("the demo broker ended: {error}");
            }
        });
        // An error means that the broker has ended already.
        ready.wait_for(|ready| *ready).await.map_err(|_| DemoError::Broker("it ended at once".to_owned()))?;
        Ok(Broker { address, shutdown: Box::new(move || handle.shutdown()), running })
    }

    pub(super) async fn stop(mut self) {
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
