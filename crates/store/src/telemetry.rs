//! Stored measurements of devices.

use wilco_ledger::{DeviceId, Timestamp};

use super::{
    ConnectionId, Store, StoreError,
    samples::Measured,
    table::{removed, telemetry},
};

/// Devices looked at for old measurements in one transaction.
const PRUNED_AT_ONCE: u32 = 200;
/// Blocks of a device forgotten in one transaction.
const BLOCKS_AT_ONCE: u32 = 2_000;

impl Store {
    /// Adds measurements of devices of a connection: all of them, or none. Each call is small, so that no writer waits
    /// long. Returns for each device the number of series that are not stored.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn keep_telemetry(
        &self,
        connection: &ConnectionId,
        measured: Vec<Measured>,
    ) -> Result<Vec<usize>, StoreError> {
        let id = connection.clone();
        self.write(move |transaction| {
            if removed::has(transaction, &id)? {
                return Ok(Vec::new());
            }
            measured.iter().map(|measured| telemetry::add(transaction, &id, measured)).collect()
        })
        .await
    }

    /// Goes through what a device has measured from then to then, both included: each value with its time and its
    /// series' name, in about the order of time.
    pub async fn fold_telemetry<T: Send + 'static>(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        span: (Timestamp, Timestamp),
        mut begun: T,
        mut add: impl FnMut(&mut T, Timestamp, &str, f64) + Send + 'static,
    ) -> Result<T, StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.readers
            .read(move |connection| {
                telemetry::each(connection, &id, &device, span, |at, name, value| add(&mut begun, at, name, value))?;
                Ok(begun)
            })
            .await
    }

    /// When the first of a device's measurements that are kept was made.
    pub async fn first_telemetry(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.readers.read(move |connection| telemetry::first(connection, &id, &device)).await
    }

    /// Forgets what was measured before then, on one connection or on all; up to ten minutes before it may stay.
    pub async fn prune_telemetry(
        &self,
        connection: Option<&ConnectionId>,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let id = connection.cloned();
            let (last, more) = self
                .write(move |transaction| {
                    let sources = telemetry::sources(transaction, id.as_ref(), after, PRUNED_AT_ONCE)?;
                    for source in &sources {
                        let pruned = telemetry::prune(transaction, *source, before, BLOCKS_AT_ONCE)?;
                        if pruned == BLOCKS_AT_ONCE as usize {
                            // The same one again, for it has more.
                            return Ok((source - 1, true));
                        }
                    }
                    Ok((sources.last().copied().unwrap_or(after), sources.len() == PRUNED_AT_ONCE as usize))
                })
                .await?;
            after = last;
            if !more {
                return Ok(());
            }
        }
    }
}
