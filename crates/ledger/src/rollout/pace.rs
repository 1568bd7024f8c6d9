//! The pace of releases: evenly spread, and at most the requested number per second.

use std::num::NonZeroU32;

use crate::Timestamp;

const MICROSECONDS: i64 = 1_000;

/// A number of releases a second.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// The time between two releases in microseconds, rounded up. `None`: as fast as may be.
    gap: Option<i64>,
    /// The first moment for the next release, Unix microseconds.
    next: i64,
}

impl Pace {
    pub(super) fn new(rate: Option<NonZeroU32>, last: Option<Timestamp>) -> Pace {
        let gap = rate.map(|rate| 1_000_000_i64.div_euclid(i64::from(rate.get())).max(1));
        let gap = gap.zip(rate).map(|(gap, rate)| gap + i64::from(1_000_000 % rate.get() != 0));
        let next = last.zip(gap).map_or(i64::MIN, |(last, gap)| end_of(last) + gap);
        Pace { gap, next }
    }

    /// A release may happen now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let Some(gap) = self.gap else { return true };
        // A time further away than that was computed before the clock was set back, and is ignored.
        self.next < end_of(now) || self.next > end_of(now).saturating_add(gap)
    }

    /// From when on the next release may happen; `None` if that does not depend on the time.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        self.gap.map(|_| Timestamp(self.next.div_euclid(MICROSECONDS)))
    }

    /// One is released.
    pub(super) fn count(&mut self, now: Timestamp) {
        if let Some(gap) = self.gap {
            let at = now.0.saturating_mul(MICROSECONDS);
            let is_set_back = self.next > end_of(now).saturating_add(gap);
            let next = if is_set_back { at } else { self.next.max(at) };
            self.next = next.saturating_add(gap);
        }
    }
}

/// The first moment that is no longer that millisecond.
fn end_of(at: Timestamp) -> i64 {
    at.0.saturating_add(1).saturating_mul(MICROSECONDS)
}
