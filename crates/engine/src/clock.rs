//! The one clock. Everything else is handed the time.
//!
//! Wall time at the start plus what a clock that never jumps has counted since, so that setting the computer's clock
//! neither times a command out nor keeps it waiting. A leap between the two is how a wake-up is noticed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use wilco_ledger::Timestamp;

/// Tells the time. A copy tells the same, also after a sleep of which another copy has been told.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    wall_at_start: Arc<AtomicI64>,
    started: Instant,
}

impl Clock {
    /// A clock set by the computer's wall clock.
    #[must_use]
    pub(crate) fn start() -> Clock {
        Clock { wall_at_start: Arc::new(AtomicI64::new(wall())), started: now() }
    }

    /// The time. Never goes back.
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(now().duration_since(self.started).as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.wall_at_start.load(Relaxed).saturating_add(elapsed))
    }

    /// Sets the clock forward by the time the computer has slept, and says how long that was. On Linux and macOS the
    /// steady clock stands still in sleep, so a wall clock that has run ahead by more than a few seconds tells of it.
    pub(crate) fn catch_up(&self) -> Option<wilco_ledger::Millis> {
        self.catch_up_with(wall())
    }

    fn catch_up_with(&self, wall: i64) -> Option<wilco_ledger::Millis> {
        let ahead = wall.saturating_sub(self.now().0);
        if ahead < 5_000 {
            return None;
        }
        self.wall_at_start.fetch_add(ahead, Relaxed);
        Some(wilco_ledger::Millis(ahead.unsigned_abs()))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
fn wall() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::{Clock, wall};

    #[test]
    fn every_copy_learns_of_a_sleep() {
        let clock = Clock::start();
        let copy = clock.clone();
        let before = copy.now();
        assert_eq!(clock.catch_up_with(wall() + 1_000), None);
        let slept = clock.catch_up_with(wall() + 3_600_000).map(|slept| slept.0);
        assert!(slept.is_some_and(|slept| slept.abs_diff(3_600_000) < 5_000), "{slept:?}");
        assert!(copy.now().0 - before.0 >= 3_595_000);
        assert_eq!(clock.catch_up(), None);
    }
}
