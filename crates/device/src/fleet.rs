//! Many devices in one process, each with its own MQTT connection.

use std::sync::Arc;

use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::{
    device_settings::DeviceSettings,
    endpoint::Endpoint,
    session::{Session, Surroundings},
    store::{Store, StoreError},
};

/// How many devices connect at the same time: enough to be quick, few enough for the backlog of any broker.
const CONNECTING: usize = 64;

/// Running devices. If this is dropped, they stop without disconnecting properly.
pub struct Fleet {
    sessions: JoinSet<()>,
    stop: watch::Sender<bool>,
    seen: watch::Receiver<usize>,
}

impl Fleet {
    /// Switches devices on, each with the location of its memory. They connect in the background, in this order, and
    /// keep trying.
    ///
    /// # Errors
    /// [`StoreError`] if a device's memory cannot be read; then no device is switched on.
    pub fn start(
        endpoint: Endpoint,
        devices: impl IntoIterator<Item = (DeviceSettings, Store)>,
    ) -> Result<Fleet, StoreError> {
        let (seen_sender, seen) = watch::channel(0);
        let around = Arc::new(Surroundings { endpoint, gate: Semaphore::new(CONNECTING), seen: seen_sender });
        let prepared: Result<Vec<_>, _> = devices
            .into_iter()
            .map(|(device_settings, store)| Session::new(Arc::clone(&around), device_settings, store))
            .collect();
        let (stop, stopped) = watch::channel(false);
        let mut sessions = JoinSet::new();
        for (session, event_loop) in prepared? {
            sessions.spawn(session.run(event_loop, stopped.clone()));
        }
        Ok(Fleet { sessions, stop, seen })
    }

    /// Waits until this number of devices have been connected at least once.
    pub async fn connected(&self, count: usize) {
        // An error means that all devices have stopped.
        let _ = self.seen.clone().wait_for(|seen| *seen >= count.min(self.sessions.len())).await;
    }

    /// Switches all devices off; each publishes its offline status.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.sessions.join_next().await.is_some() {}
    }
}
