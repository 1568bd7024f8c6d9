//! Limits the rate of sends: no second has more sends than the broker accepts.
//!
//! They are spread over the second, because the delay to the broker varies: two bursts that leave a second apart may arrive
//! closer together.

use std::collections::VecDeque;

use crate::{Millis, Timestamp};

/// A second, and the millisecond that two times may be closer than they look, each being rounded down.
const SECOND: Millis = Millis(1_001);
/// A tenth of it, for a tenth of the sends.
const TENTH: Millis = Millis(101);

/// A number of sends a second, and those of the last one.
#[derive(Debug)]
pub(super) struct Rate {
    /// `None`: any number.
    per_second: Option<usize>,
    /// When what is not known to be written yet was handed over; oldest first.
    handed: VecDeque<Timestamp>,
    /// When the others were written; oldest first.
    written: VecDeque<Timestamp>,
    now: Timestamp,
}

impl Rate {
    pub(super) fn new(per_second: Option<u32>) -> Rate {
        let per_second = per_second.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        Rate { per_second, handed: VecDeque::new(), written: VecDeque::new(), now: Timestamp(0) }
    }

    /// As many have gone out by now as may.
    pub(super) fn is_used_up(&self) -> bool {
        self.renewed_at().is_some_and(|at| at > self.now)
    }

    /// When the next send may go, or might have gone.
    pub(super) fn renewed_at(&self) -> Option<Timestamp> {
        let per_second = self.per_second?;
        // Fewer than ten a second are people's own clicks, which may come as they please.
        let per_tenth = if per_second < 10 { per_second } else { per_second / 10 };
        let mut sends: Vec<_> = self.handed.iter().chain(&self.written).copied().collect();
        sends.sort_unstable();
        let of_the_last = |count: usize| sends.len().checked_sub(count).and_then(|place| sends.get(place).copied());
        let second = of_the_last(per_second).map(|at| at + SECOND);
        let tenth = of_the_last(per_tenth).map(|at| at + TENTH);
        [second, tenth].into_iter().flatten().max()
    }

    /// Leaves what was sent more than a second ago behind.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.now = now;
        for sends in [&mut self.handed, &mut self.written] {
            while sends.front().is_some_and(|at| *at + SECOND <= now) {
                sends.pop_front();
            }
        }
    }

    /// The clock is ahead of the one before by so many milliseconds from now on.
    pub(super) fn clock_is_set(&mut self, by: i64) {
        self.now = self.now.moved(by);
        self.handed.iter_mut().chain(&mut self.written).for_each(|at| *at = at.moved(by));
    }

    /// One more has gone out.
    pub(super) fn count(&mut self, now: Timestamp) {
        if self.per_second.is_some() {
            self.handed.push_back(now);
        }
    }

    /// The oldest send was written only now. The broker's second starts then: a slow commit would otherwise push two of
    /// ours together.
    pub(super) fn written(&mut self, now: Timestamp) {
        if self.per_second.is_some() {
            self.handed.pop_front();
            self.written.push_back(now);
        }
    }
}
