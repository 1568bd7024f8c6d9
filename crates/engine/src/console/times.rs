//! Answer times of devices.

use std::{cmp::Ordering, collections::HashMap};

use wilco_ledger::DeviceId;

use super::{Handle, device_id};
use crate::{
    answer_times::by_name,
    api::{Failure, SuggestedTimeout, TimesBy, TimesQuery, TimesView},
    rollouts::span_ms,
    store::ConnectionId,
};

/// The latest answers of a connection that are looked at.
const OF_CONNECTION: usize = 20_000;
/// The latest answers of one device.
const OF_DEVICE: usize = 500;

impl Handle {
    /// Answer times: of the latest 20,000 answers of the connection, or the latest 500 of one device.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode) for the connection; `Invalid` for an invalid device ID;
    /// `Store`.
    pub async fn answer_times(&self, query: TimesQuery) -> Result<Vec<TimesView>, Failure> {
        let shared = self.shared(&query.connection).await?;
        let device = query.device.as_deref().map(device_id).transpose()?;
        let limit = if device.is_some() { OF_DEVICE } else { OF_CONNECTION };
        let connection = ConnectionId::from(query.connection.as_str());
        let answered = self.store.answered(&connection, device.as_ref(), limit).await?;
        let by = query.by;
        let mut firmware: HashMap<DeviceId, Option<String>> = HashMap::new();
        if by == TimesBy::Firmware {
            let fleet = shared.fleet.read();
            for answered in &answered {
                let reported = || fleet.get(&answered.device).and_then(|device| device.firmware.clone());
                firmware.entry(answered.device.clone()).or_insert_with(reported);
            }
        }
        let mut views = by_name(answered.into_iter().map(|answered| {
            let took = span_ms(answered.sent_at, answered.finished_at);
            let name = match by {
                TimesBy::Command => Some(answered.name),
                TimesBy::Device => Some(answered.device.as_str().to_owned()),
                TimesBy::Firmware => firmware.get(&answered.device).cloned().flatten(),
            };
            (name, took)
        }));
        if by == TimesBy::Device {
            views.sort_by(|one, other| other.p95_ms.partial_cmp(&one.p95_ms).unwrap_or(Ordering::Equal));
        }
        Ok(views)
    }

    /// The timeout that the latest answers to a command suggest: those of the device or, if there are too few, those of
    /// all devices of the connection. `None` if these are too few as well.
    ///
    /// # Errors
    /// As [`Handle::answer_times`].
    pub async fn suggested_timeout(
        &self,
        connection: &str,
        device: Option<String>,
        command: &str,
    ) -> Result<Option<SuggestedTimeout>, Failure> {
        for device in device.map(Some).into_iter().chain([None]) {
            let of_device = device.is_some();
            let query = TimesQuery { connection: connection.to_owned(), device, by: TimesBy::Command };
            let times = self.answer_times(query).await?;
            let of_command = times.into_iter().find(|times| times.name.as_deref() == Some(command));
            let suggested = of_command.and_then(|TimesView { suggested_timeout_ms, count, p99_ms, .. }| {
                Some(SuggestedTimeout { timeout_ms: suggested_timeout_ms?, count, p99_ms, of_device })
            });
            if suggested.is_some() {
                return Ok(suggested);
            }
        }
        Ok(None)
    }
}
