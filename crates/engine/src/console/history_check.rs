//! Looks whether the stored history is as it was written, when the engine starts and when somebody asks.

use std::time::Duration;

use tokio::time::sleep;

use super::Handle;
use crate::{
    api::{DamagedEvent, Failure, HistoryCheck, HistoryGap},
    store::{Checked, Gap},
};

/// The newest events are looked at where not all are asked for.
const NEWEST: u64 = 10_000;
/// Up to this size the whole file is looked at after a start, bytes. Beyond it that takes minutes, and the newest events
/// must do.
const SMALL: u64 = 256_000_000;
/// An engine that ends before this looks at nothing: most runs of the command line do.
const AFTER: Duration = Duration::from_secs(5);

impl Handle {
    /// Looks whether the history is as it was written: the newest 10,000 events, or all events and the whole file.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode) where nothing can be read at all.
    pub async fn check_history(&self, all: bool) -> Result<HistoryCheck, Failure> {
        let gaps = self.store.gaps().await?;
        let Checked { sound, without_checksum, damaged, named, unreadable, faults } =
            self.store.check((!all).then_some(NEWEST), all).await?;
        let named = named.into_iter().map(|event| DamagedEvent {
            connection: event.connection,
            device: event.device,
            command: event.command,
            at: event.at,
        });
        let gap = |Gap { events, after, until, replaced }| HistoryGap { events, after, until, replaced };
        Ok(HistoryCheck {
            gaps: gaps.into_iter().map(gap).collect(),
            checked: sound + without_checksum + damaged,
            damaged,
            damaged_events: named.collect(),
            unreadable,
            faults,
            all,
        })
    }

    /// Tells the person once what is missing or damaged.
    pub(super) async fn tell_of_damage(self) {
        sleep(AFTER).await;
        let size = self.data_size().await.unwrap_or(u64::MAX);
        match self.check_history(size <= SMALL).await {
            Ok(found) => {
                for (message, hint) in found.sentences() {
                    self.warn(message, Some(hint)).await;
                }
            }
            Err(failure) => tracing::warn!(%failure, "the history could not be checked"),
        }
    }
}
