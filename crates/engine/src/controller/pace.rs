//! Decides when a batch of changes is sent: rarely enough for a page to keep up, and immediately after a pause.

use std::time::Duration;

use tokio::time::Instant;

/// On the whole, batches are handed out this far apart.
const EVERY: Duration = Duration::from_millis(60);
/// After a pause so many may follow each other at once: a single command is *Queued*, *Sent* and *Succeeded* in less than
/// a millisecond, and none of these should have to wait because of the one before it.
const AT_ONCE: u32 = 4;
/// The end of all commands is not delayed either, but no display shows more than one batch in this time.
const FRAME: Duration = Duration::from_millis(16);

/// Hands out the right to send a batch.
pub(super) struct Pace {
    /// When the next batch would be due if there had been no pause.
    due: Instant,
    /// From when on the end of all commands may be sent.
    next_frame: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace { due: now, next_frame: now }
    }

    /// From when on a batch may be sent; `all_done` if it contains the end of all commands.
    pub(super) fn opens_at(&self, all_done: bool) -> Instant {
        let usual = self.due.checked_sub(EVERY * (AT_ONCE - 1)).unwrap_or(self.due);
        if all_done { usual.min(self.next_frame) } else { usual }
    }

    /// One is handed out.
    pub(super) fn spend(&mut self, now: Instant) {
        self.due = (self.due.max(now) + EVERY).min(now + EVERY * AT_ONCE);
        self.next_frame = now + FRAME;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Pace;

    /// The times at which batches are sent, milliseconds, if there are changes from each of these times on.
    fn check(all_done: bool, wanted: &[u64], expected: &[u64]) {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut pace = Pace::new(start);
        let mut went_out = Vec::new();
        for &wanted in wanted {
            let when = at(wanted).max(pace.opens_at(all_done));
            pace.spend(when);
            went_out.push(u64::try_from((when - start).as_millis()).expect("a short time"));
        }
        assert_eq!(went_out, expected, "wanted at {wanted:?}");
    }

    #[test]
    fn a_single_command_is_shown_at_once_and_a_flood_in_even_steps() {
        check(false, &[0, 1, 2], &[0, 1, 2]);
        check(false, &[0, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 60, 120, 180]);
        // A pause gives back what it was long enough for, and no more.
        check(false, &[0, 0, 0, 0, 130, 130, 130], &[0, 0, 0, 0, 130, 130, 180]);
        check(
            false,
            &[0, 0, 0, 0, 9_000, 9_000, 9_000, 9_000, 9_000],
            &[0, 0, 0, 0, 9_000, 9_000, 9_000, 9_000, 9_060],
        );
    }

    #[test]
    fn the_end_of_everything_waits_for_no_more_than_a_frame() {
        check(true, &[0, 0, 0, 0, 0, 0, 30], &[0, 0, 0, 0, 16, 32, 48]);
        check(true, &[0, 100], &[0, 100]);
    }

    #[test]
    fn early_batches_are_compensated_within_a_moment() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for frame in 0..1_000 {
            pace.spend(start + Duration::from_millis(16 * frame));
        }
        let last = start + Duration::from_millis(16 * 999);
        assert_eq!(pace.opens_at(false) - last, Duration::from_millis(60));
    }
}
