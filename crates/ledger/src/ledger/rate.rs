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
    /// Oldest first.
    sends: VecDeque<Timestamp>,
}

impl Rate {
    pub(super) fn new(per_second: Option<u32>) -> Rate {
        let per_second = per_second.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        Rate { per_second, sends: VecDeque::new() }
    }

    /// As many have gone out in this second as may.
    pub(super) fn is_used_up(&self) -> bool {
        self.per_second.is_some_and(|number| self.sends.len() >= number)
    }

    /// When the next send may go, once it is used up.
    pub(super) fn renewed_at(&self) -> Option<Timestamp> {
        self.sends.front().map(|oldest| *oldest + SECOND)
    }

    /// Leaves what was sent more than a second ago behind.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while self.renewed_at().is_some_and(|at| at <= now) {
            self.sends.pop_front();
        }
    }

    /// One more has gone out.
    pub(super) fn count(&mut self, now: Timestamp) {
        if self.per_second.is_some() {
            self.sends.push_back(now);
        }
    }
}
