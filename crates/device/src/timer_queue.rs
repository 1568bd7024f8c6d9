//! The scheduled actions of a virtual device, ordered by time.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use tokio::time::Instant;

/// Scheduled actions by their times; those with equal times are in the order in which they were added.
#[derive(Debug)]
pub(crate) struct TimerQueue<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    added: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Instant,
    number: u64,
    what: T,
}

impl<T> TimerQueue<T> {
    pub(crate) fn new() -> TimerQueue<T> {
        TimerQueue { entries: BinaryHeap::new(), added: 0 }
    }

    pub(crate) fn add(&mut self, at: Instant, what: T) {
        self.added += 1;
        self.entries.push(Reverse(Entry { at, number: self.added, what }));
    }

    /// When the next action is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    /// The actions that are due.
    pub(crate) fn take(&mut self, now: Instant) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| entry.what)
    }

    /// Removes actions that are no longer needed.
    pub(crate) fn drop_all(&mut self, unwanted: impl Fn(&T) -> bool) {
        self.entries.retain(|Reverse(entry)| !unwanted(&entry.what));
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

impl<T> Entry<T> {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.number)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::TimerQueue;

    #[test]
    fn things_come_in_the_order_of_time() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timer_queue = TimerQueue::new();
        for (ms, what) in [(20, 'c'), (10, 'a'), (15, 'x'), (10, 'b'), (30, 'd')] {
            timer_queue.add(at(ms), what);
        }
        timer_queue.drop_all(|what| *what == 'x');
        assert_eq!(timer_queue.next(), Some(at(10)));
        assert_eq!(timer_queue.take(at(9)), None);
        let taken: String = std::iter::from_fn(|| timer_queue.take(at(20))).collect();
        assert_eq!(taken, "abc");
        timer_queue.clear();
        assert_eq!(timer_queue.next(), None);
    }
}
