//! Charts of measurements, and the task that stores measurements.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use wilco_ledger::Timestamp;

use super::{DEMO, Handle, device_id};
use crate::{
    api::{Failure, Notice, NoticeLevel, TelemetryQuery, TelemetryView},
    controller::Request,
    dialects,
    store::{ConnectionId, StoreError},
    telemetry::{Chart, Written},
};

/// Measurements are stored at this interval. A block of ten seconds costs no more than a block of one.
const WRITE_EVERY: Duration = Duration::from_secs(10);
/// Devices whose measurements are written in one transaction, between which commands have their turn.
const DEVICES_AT_ONCE: usize = 50;
/// The demo fleet measures a lot, so its measurements are kept for this time only, milliseconds.
const OF_DEMO: i64 = 3_600_000;
/// The demo's is pruned once in so many writings.
const PRUNE_DEMO_EVERY: u32 = 60;

impl Handle {
    /// The measurements of a device, reduced to the requested number of points.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for an invalid ID, `Store`.
    pub async fn telemetry(&self, query: TelemetryQuery) -> Result<TelemetryView, Failure> {
        let (connection, device) = (ConnectionId::from(query.connection), device_id(&query.device)?);
        let now = self.clock.now();
        // A device's clock may be a little ahead of ours.
        let until_now = || self.telemetry.last(&connection, &device).map_or(now, |last| last.max(now));
        let to = query.to.map_or_else(until_now, Timestamp);
        let from = match query.from {
            Some(from) => Timestamp(from),
            None => self.store.first_telemetry(&connection, &device).await?.unwrap_or(Timestamp(to.0 - 60_000)),
        };
        let chart = Chart::new(from, to, query.points);
        let mut chart = self.store.fold_telemetry(&connection, &device, (from, to), chart, Chart::add).await?;
        self.telemetry.add_to(&mut chart, &connection, &device);
        let mut view = chart.view();
        let shared = self.shared(connection.as_str()).await.ok();
        if let Some(dialects) = shared.and_then(|shared| shared.dialects) {
            let dialects = dialects::read(&dialects);
            for series in &mut view.series {
                series.unit = dialects.unit_of(&device, &series.name);
            }
        }
        Ok(view)
    }

    /// Writes down what is measured, every few seconds, until it is closed.
    pub(super) async fn record_telemetry(self) {
        let mut ticks = interval_at(Instant::now() + WRITE_EVERY, WRITE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut count, mut failing) = (0_u32, false);
        loop {
            let is_closing = tokio::select! {
                _ = ticks.tick() => false,
                () = self.telemetry.closing() => true,
            };
            let written = self.write_telemetry().await;
            if let Err(error) = &written
                && !failing
            {
                tracing::warn!(%error, "could not store measurements");
                self.warn(format!("Telemetry is not being saved: {error}."), error.hint()).await;
            }
            failing = written.is_err();
            if is_closing {
                return;
            }
            self.say_dropped().await;
            count = count.wrapping_add(1);
            if count.is_multiple_of(PRUNE_DEMO_EVERY) {
                self.prune_demo().await;
            }
        }
    }

    /// Writes pending measurements, one part at a time.
    async fn write_telemetry(&self) -> Result<(), StoreError> {
        for (connection, measured) in self.telemetry.waiting() {
            for some in measured.chunks(DEVICES_AT_ONCE) {
                let unkept = self.store.keep_telemetry(&connection, some.to_vec()).await?;
                let unkept = unkept.into_iter().chain(std::iter::repeat(0));
                let written = some.iter().zip(unkept).map(|(one, unkept)| Written {
                    device: one.device.clone(),
                    samples: one.samples.len(),
                    unkept,
                });
                self.telemetry.done(&connection, &written.collect::<Vec<_>>());
            }
        }
        Ok(())
    }

    async fn say_dropped(&self) {
        let dropped = self.telemetry.take_dropped();
        if dropped > 0 {
            let message =
                format!("Telemetry arrives faster than it can be written to disk: {dropped} messages were dropped.");
            self.warn(message, Some("Increase the devices' telemetry interval (telemetry.set).".into())).await;
        }
    }

    async fn prune_demo(&self) {
        let before = Timestamp(self.clock.now().0 - OF_DEMO);
        if let Err(error) = self.prune_telemetry(Some(&ConnectionId::from(DEMO)), before).await {
            tracing::warn!(%error, "could not delete the measurements of the demo fleet");
        }
    }

    /// Forgets what was measured before then, on one connection or on all, and the names of which nothing is left.
    pub(super) async fn prune_telemetry(
        &self,
        connection: Option<&ConnectionId>,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.prune_telemetry(connection, before).await?;
        self.telemetry.forget_before(connection, before);
        Ok(())
    }

    /// Reports to the current listener, or the next one.
    pub async fn warn(&self, message: String, hint: Option<String>) {
        let notice = Notice { level: NoticeLevel::Warning, message, hint, connection: None };
        // A closing program shows no notices.
        let _ = self.request(|reply| Request::Notice(notice, reply)).await;
    }
}
