//! When a batch may be handed out: rarely enough for a page to keep up, and at once when somebody waits for one.

use std::time::Duration;

use tokio::time::Instant;

/// On the whole, batches are handed out this far apart.
const EVERY: Duration = Duration::from_millis(60);
/// After a pause so many may follow each other at once: a single command is *Queued*, *Sent* and *Succeeded* in less than
/// a millisecond, and none of these should have to wait because of the one before it.
const AT_ONCE: u32 = 4;

/// Hands out the right to send a batch.
pub(super) struct Pace {
    /// When the next batch would be due if there had been no pause.
    due: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace { due: now }
    }

    /// From when on a batch may be handed out.
    pub(super) fn opens_at(&self) -> Instant {
        self.due.checked_sub(EVERY * (AT_ONCE - 1)).unwrap_or(self.due)
    }

    /// One is handed out.
    pub(super) fn spend(&mut self, now: Instant) {
        self.due = self.due.max(now) + EVERY;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Pace;

    /// When each batch goes out, milliseconds, if there is something to hand out from each of these times on.
    fn check(wanted: &[u64], expected: &[u64]) {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut pace = Pace::new(start);
        let mut went_out = Vec::new();
        for &wanted in wanted {
            let when = at(wanted).max(pace.opens_at());
            pace.spend(when);
            went_out.push(u64::try_from((when - start).as_millis()).expect("a short time"));
        }
        assert_eq!(went_out, expected, "wanted at {wanted:?}");
    }

    #[test]
    fn a_single_command_is_shown_at_once_and_a_flood_in_even_steps() {
        check(&[0, 1, 2], &[0, 1, 2]);
        check(&[0, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 60, 120, 180]);
        // A pause gives back what it was long enough for, and no more.
        check(&[0, 0, 0, 0, 130, 130, 130], &[0, 0, 0, 0, 130, 130, 180]);
        check(&[0, 0, 0, 0, 9_000, 9_000, 9_000, 9_000, 9_000], &[0, 0, 0, 0, 9_000, 9_000, 9_000, 9_000, 9_060]);
    }
}
