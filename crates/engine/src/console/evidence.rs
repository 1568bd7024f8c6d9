//! The space that evidence uses.

use super::Handle;
use crate::{
    api::{DiscardedOfDevice, EvidenceUse, Failure},
    store::ConnectionId,
};

/// The maximum number of listed devices.
const NAMED: u32 = 5;

impl Handle {
    /// The use of the evidence quota, and the discarded messages, of one connection or of all.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn evidence_use(&self, connection: Option<String>) -> Result<EvidenceUse, Failure> {
        let connection = connection.as_deref().map(ConnectionId::from);
        let (discarded, most) = self.store.most_discarded(connection.as_ref(), NAMED).await?;
        let devices = most.into_iter().map(|of| DiscardedOfDevice {
            connection: of.connection.as_str().to_owned(),
            device: of.device.as_str().to_owned(),
            messages: of.messages,
        });
        self.loaded.all().await?;
        let quota = self.settings.get().evidence_bytes;
        let bytes = connection.as_ref().map_or_else(|| self.quota.total(), |id| self.quota.of_connection(id));
        Ok(EvidenceUse { bytes, quota, discarded, devices: devices.collect() })
    }
}
