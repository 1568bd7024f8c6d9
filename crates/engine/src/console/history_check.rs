//! Checks the stored history, when the engine starts and on request.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Handle;
use crate::{
    api::{DamagedEvent, Failure, HistoryCheck, HistoryGap, sentence},
    store::{self, Checked, Gap, Interference},
};

/// The number of newest events that are checked if not all are requested.
const NEWEST: u64 = 10_000;
/// Up to this size the whole file is looked at after a start, bytes. Beyond it that takes minutes, and the newest events
/// must do.
const SMALL: u64 = 256_000_000;
/// An engine that ends before this looks at nothing: most runs of the command line do.
const AFTER: Duration = Duration::from_secs(5);
/// While many commands are written the check waits, no longer than this: reading all of the history takes time from them.
const AT_REST_WITHIN: Duration = Duration::from_secs(300);
/// How often it looks whether they are written.
const LOOK: Duration = Duration::from_secs(1);
/// The shortest time between two notices about a program that keeps writing to the database.
const AT_MOST_EVERY: Duration = Duration::from_secs(60);
const CHANGED_HINT: &str = "Close that program, and restart Wilco to read the history again. wilco check finds \
                            altered events. Only Wilco may write to its database.";

impl Handle {
    /// Checks that the history is unaltered: the newest 10,000 events, or all events and the whole file.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode) where nothing can be read at all.
    pub async fn check_history(&self, all: bool) -> Result<HistoryCheck, Failure> {
        let gaps = self.store.gaps().await?;
        let checked = self.store.check((!all).then_some(NEWEST), all).await?;
        let Checked { sound, damaged, named, wrongly_listed, wrongly_listed_commands, unreadable, faults } = checked;
        let named = named.into_iter().map(damaged_event);
        let gap = |Gap { events, after, until, replaced }| HistoryGap { events, after, until, replaced };
        Ok(HistoryCheck {
            gaps: gaps.into_iter().map(gap).collect(),
            checked: sound + damaged,
            damaged,
            damaged_events: named.collect(),
            wrongly_listed,
            wrongly_listed_commands: wrongly_listed_commands.into_iter().map(damaged_event).collect(),
            unreadable,
            faults,
            all,
        })
    }

    /// Shows once what is missing or damaged, and again whenever another program interferes with the database.
    pub(super) async fn notify_of_damage(self) {
        let mut interference = self.store.interference();
        sleep(AFTER).await;
        let _ = timeout(AT_REST_WITHIN, self.until_at_rest()).await;
        self.report_damage().await;
        while interference.changed().await.is_ok() {
            let what = interference.borrow_and_update().clone();
            match what {
                Some(Interference::Replaced(error)) => self.warn(sentence(&error.to_string()), error.hint()).await,
                Some(Interference::Changed) => {
                    let message = "Another program has changed the history while Wilco was using it.".to_owned();
                    self.warn(message, Some(CHANGED_HINT.to_owned())).await;
                    self.report_damage().await;
                }
                None => {}
            }
            sleep(AT_MOST_EVERY).await;
        }
    }

    async fn until_at_rest(&self) {
        while !self.store.is_at_rest() {
            sleep(LOOK).await;
        }
    }

    async fn report_damage(&self) {
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

fn damaged_event(event: store::DamagedEvent) -> DamagedEvent {
    let store::DamagedEvent { connection, device, command, at } = event;
    DamagedEvent { connection, device, command, at }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use crate::{
        api::NoticeLevel,
        console::fixture::{engine, engine_on},
        paths::DataDir,
        store::MARK_FILE_NAME,
    };

    #[tokio::test]
    async fn missing_events_cause_a_notice_and_are_found_by_a_check() {
        let (data, engine, handle) = engine().await;
        assert!(handle.check_history(true).await.unwrap().is_sound());
        engine.stop().await;
        drop(handle);
        let path = data.path().join(MARK_FILE_NAME);
        let mark = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, mark.replace("\"events\":0", "\"events\":7")).unwrap();

        let engine = engine_on(&DataDir::open(Some(data.path())).unwrap()).await;
        let handle = engine.handle();
        handle.report_damage().await;
        let found = handle.check_history(false).await.unwrap();
        assert_eq!((found.gaps.len(), found.gaps[0].events), (1, 7));
        let mut batches = handle.listen().await.unwrap();
        let notice = loop {
            if let Some(notice) = batches.recv().await.unwrap().notices.pop() {
                break notice;
            }
        };
        assert_eq!(notice.level, NoticeLevel::Warning);
        assert!(notice.message.starts_with("The history lacks at least 7 events"), "{notice:?}");
        engine.stop().await;
    }
}
