//! How much room evidence takes.

use super::Handle;
use crate::api::{DiscardedOfDevice, EvidenceUse, Failure};

/// Devices that are named.
const NAMED: u32 = 5;

impl Handle {
    /// How much of its quota evidence takes, and what was not kept.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn evidence_use(&self) -> Result<EvidenceUse, Failure> {
        let (discarded, most) = self.store.most_discarded(NAMED).await?;
        let devices = most.into_iter().map(|of| DiscardedOfDevice {
            connection: of.connection.as_str().to_owned(),
            device: of.device.as_str().to_owned(),
            messages: of.messages,
        });
        let quota = self.settings.get().evidence_bytes;
        Ok(EvidenceUse { bytes: self.quota.total(), quota, discarded, devices: devices.collect() })
    }
}
