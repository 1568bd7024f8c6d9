//! How fast commands go out: no second sees more sends than the broker takes.

use std::collections::VecDeque;

use crate::{Millis, Timestamp};

/// A second, and the millisecond that two times may be closer than they look, each being rounded down.
const SECOND: Millis = Millis(1_001);

/// A number of sends a second, and those of the last one.
#[derive(Debug)]
pub(super) struct Rate {
    /// `None`: any number.
    per_second: Option<usize>,
    /// When what is not known to be written yet was handed over; oldest first.
    handed: VecDeque<Timestamp>,
    /// When the others were written; oldest first.
    written: VecDeque<Timestamp>,
}

impl Rate {
    pub(super) fn new(per_second: Option<u32>) -> Rate {
        let per_second = per_second.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        Rate { per_second, handed: VecDeque::new(), written: VecDeque::new() }
    }

    /// As many have gone out in this second as may.
    pub(super) fn is_used_up(&self) -> bool {
        self.per_second.is_some_and(|number| self.handed.len() + self.written.len() >= number)
    }

    /// When the next send may go, once it is used up.
    pub(super) fn renewed_at(&self) -> Option<Timestamp> {
        let oldest = [self.handed.front(), self.written.front()].into_iter().flatten().min();
        oldest.map(|oldest| *oldest + SECOND)
    }

    /// Leaves what was sent more than a second ago behind.
    pub(super) fn advance(&mut self, now: Timestamp) {
        for sends in [&mut self.handed, &mut self.written] {
            while sends.front().is_some_and(|at| *at + SECOND <= now) {
                sends.pop_front();
            }
        }
    }

    /// One more has gone out.
    pub(super) fn count(&mut self, now: Timestamp) {
        if self.per_second.is_some() {
            self.handed.push_back(now);
        }
    }

    /// The oldest of them was written only now. The broker's second begins then: a slow commit would otherwise push two
    /// of ours together on the wire.
    pub(super) fn written(&mut self, now: Timestamp) {
        if self.per_second.is_some() {
            self.handed.pop_front();
            self.written.push_back(now);
        }
    }
}
