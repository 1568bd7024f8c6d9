//! The quotas of evidence: one for each device, and one for all together.
//!
//! Only messages that a device can repeat without end count: progress, duplicates, unreadable messages and messages of no
//! command; and large requests of other consoles. Messages that decide the state of a command are always kept.

use std::{collections::HashMap, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use wilco_ledger::DeviceId;

use crate::{
    settings::SharedSettings,
    store::{ConnectionId, Store, StoreError},
};

/// The used space, shared. Cheap to clone.
#[derive(Clone)]
pub(crate) struct EvidenceQuota {
    settings: SharedSettings,
    used: Arc<Mutex<Used>>,
}

/// Bytes, those included that are on their way to the disk.
#[derive(Default)]
struct Used {
    total: u64,
    devices: HashMap<(ConnectionId, DeviceId), u64>,
}

impl EvidenceQuota {
    pub(crate) fn new(settings: SharedSettings) -> EvidenceQuota {
        EvidenceQuota { settings, used: Arc::default() }
    }

    /// Takes the figures of the store.
    ///
    /// # Errors
    /// See [`StoreError`]; then they stay as they are.
    pub(crate) async fn load(&self, store: &Store) -> Result<(), StoreError> {
        let stored = store.evidence_use().await?;
        let mut used = self.lock();
        used.total = stored.iter().map(|(.., bytes)| bytes).sum();
        used.devices = stored.into_iter().map(|(connection, device, bytes)| ((connection, device), bytes)).collect();
        Ok(())
    }

    /// Whether so many bytes more of a device fit in.
    pub(crate) fn has_room(&self, connection: &ConnectionId, device: &DeviceId, bytes: u64) -> bool {
        let settings = self.settings.get();
        let used = self.lock();
        let of_device = used.devices.get(&(connection.clone(), device.clone())).copied().unwrap_or(0);
        used.total.saturating_add(bytes) <= settings.evidence_bytes
            && of_device.saturating_add(bytes) <= settings.device_evidence_bytes
    }

    /// So many bytes of a device are about to be stored.
    pub(crate) fn add(&self, connection: &ConnectionId, device: &DeviceId, bytes: u64) {
        let mut used = self.lock();
        used.total = used.total.saturating_add(bytes);
        let of_device = used.devices.entry((connection.clone(), device.clone())).or_default();
        *of_device = of_device.saturating_add(bytes);
    }

    /// The evidence of a device is gone.
    pub(crate) fn forget(&self, connection: &ConnectionId, device: &DeviceId) {
        let mut used = self.lock();
        let bytes = used.devices.remove(&(connection.clone(), device.clone())).unwrap_or(0);
        used.total = used.total.saturating_sub(bytes);
    }

    /// The evidence of a connection is gone.
    pub(crate) fn forget_connection(&self, connection: &ConnectionId) {
        let mut used = self.lock();
        used.devices.retain(|(of, _), _| of != connection);
        used.total = used.devices.values().sum();
    }

    /// The size of all evidence, bytes.
    pub(crate) fn total(&self) -> u64 {
        self.lock().total
    }

    /// The size of a connection's evidence, bytes.
    pub(crate) fn of_connection(&self, connection: &ConnectionId) -> u64 {
        let used = self.lock();
        used.devices.iter().filter(|((of, _), _)| of == connection).map(|(_, bytes)| bytes).sum()
    }

    /// The size of a device's evidence, bytes.
    pub(crate) fn of_device(&self, connection: &ConnectionId, device: &DeviceId) -> u64 {
        self.lock().devices.get(&(connection.clone(), device.clone())).copied().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::DeviceId;

    use super::EvidenceQuota;
    use crate::{api::Settings, settings::SharedSettings, store::ConnectionId};

    #[test]
    fn a_device_has_room_up_to_its_own_quota_and_all_up_to_theirs() {
        let settings =
            SharedSettings::new(Settings { evidence_bytes: 250, device_evidence_bytes: 100, ..Settings::default() });
        let quota = EvidenceQuota::new(settings.clone());
        let (plant, lab) = (ConnectionId::from("plant"), ConnectionId::from("lab"));
        let device = |name: &str| DeviceId::new(name).unwrap();
        let check = |connection: &ConnectionId, name: &str, bytes: u64, expected: bool| {
            assert_eq!(quota.has_room(connection, &device(name), bytes), expected, "{name} {bytes}");
        };
        quota.add(&plant, &device("a"), 60);
        check(&plant, "a", 40, true);
        check(&plant, "a", 41, false);
        // A device of the same name on another connection is another device.
        check(&lab, "a", 100, true);
        quota.add(&lab, &device("a"), 100);
        check(&plant, "b", 90, true);
        check(&plant, "b", 91, false);
        assert_eq!((quota.total(), quota.of_connection(&lab), quota.of_device(&plant, &device("a"))), (160, 100, 60));
        // A larger quota applies at once.
        settings.set(Settings { evidence_bytes: 1_000, device_evidence_bytes: 500, ..settings.get() });
        check(&plant, "a", 440, true);
    }
}
