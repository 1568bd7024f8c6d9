//! Counts the commands sent in the last half second that have no answer yet, and those answered as quickly.
//!
//! Times are grouped into slices of 50 ms. A command leaves the count with its slice, at the latest after half a second.

use std::collections::VecDeque;

use crate::{Millis, Timestamp};

/// For how long a command counts.
pub(crate) const SPAN: Millis = Millis(500);
/// The length of a slice, milliseconds.
const SLICE: i64 = 50;

/// The commands of the last half second.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecentSends {
    /// Oldest first.
    slices: VecDeque<Slice>,
}

/// A twentieth of a second.
#[derive(Debug, Clone, Copy)]
struct Slice {
    from: Timestamp,
    /// Commands that were sent in this slice and have not ended.
    unanswered: usize,
    /// Answers that came in this slice to commands of the last half second.
    answers: usize,
}

impl RecentSends {
    /// A command was sent.
    pub(crate) fn sent(&mut self, now: Timestamp) {
        self.advance(now);
        self.slice_of(now).unanswered += 1;
    }

    /// One that was sent at that time has ended. Returns whether it was one of the last half second.
    pub(crate) fn ended(&mut self, sent_at: Timestamp, now: Timestamp) -> bool {
        self.advance(now);
        let from = start_of_slice(sent_at);
        let Some(slice) = self.slices.iter_mut().find(|slice| slice.from == from) else { return false };
        slice.unanswered = slice.unanswered.saturating_sub(1);
        true
    }

    /// A command of the last half second was answered.
    pub(crate) fn answered(&mut self, now: Timestamp) {
        self.slice_of(now).answers += 1;
    }

    /// Time has passed.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while self.slices.front().is_some_and(|slice| slice.from + SPAN <= now) {
            self.slices.pop_front();
        }
    }

    /// The commands without an answer.
    pub(crate) fn unanswered(&self) -> usize {
        self.slices.iter().map(|slice| slice.unanswered).sum()
    }

    /// The answers to commands of the last half second.
    pub(crate) fn answers(&self) -> usize {
        self.slices.iter().map(|slice| slice.answers).sum()
    }

    /// When the next commands without an answer no longer count.
    pub(crate) fn fewer_at(&self) -> Option<Timestamp> {
        self.slices.iter().find(|slice| slice.unanswered > 0).map(|slice| slice.from + SPAN)
    }

    /// The clock is ahead of the one before by so many milliseconds from now on: what was counted by the other one is
    /// not known any more.
    pub(crate) fn clock_is_set(&mut self) {
        self.slices.clear();
    }

    fn slice_of(&mut self, now: Timestamp) -> &mut Slice {
        let from = start_of_slice(now);
        // Times never go back while something is counted, so the last slice is the only one that can be meant.
        if self.slices.back().is_none_or(|last| last.from < from) {
            self.slices.push_back(Slice { from, unanswered: 0, answers: 0 });
        }
        let last = self.slices.len() - 1;
        &mut self.slices[last]
    }
}

fn start_of_slice(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(SLICE) * SLICE)
}

#[cfg(test)]
mod tests {
    use super::RecentSends;
    use crate::Timestamp;

    #[test]
    fn commands_count_until_they_end_and_for_half_a_second_at_most() {
        let mut recent = RecentSends::default();
        assert_eq!((recent.unanswered(), recent.answers(), recent.fewer_at()), (0, 0, None));
        for at in [0, 49, 50, 120] {
            recent.sent(Timestamp(at));
        }
        assert_eq!((recent.unanswered(), recent.fewer_at()), (4, Some(Timestamp(500))));
        assert!(recent.ended(Timestamp(49), Timestamp(130)));
        recent.answered(Timestamp(130));
        assert_eq!((recent.unanswered(), recent.answers()), (3, 1));
        recent.advance(Timestamp(499));
        assert_eq!(recent.unanswered(), 3);
        recent.advance(Timestamp(500));
        assert_eq!((recent.unanswered(), recent.answers(), recent.fewer_at()), (2, 1, Some(Timestamp(550))));
        assert!(!recent.ended(Timestamp(0), Timestamp(501)), "that is too long ago");
        assert!(recent.ended(Timestamp(50), Timestamp(549)));
        assert_eq!((recent.unanswered(), recent.fewer_at()), (1, Some(Timestamp(600))));
        recent.advance(Timestamp(600));
        assert_eq!((recent.unanswered(), recent.answers(), recent.fewer_at()), (0, 0, None));
    }
}
