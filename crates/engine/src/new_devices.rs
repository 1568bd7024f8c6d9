//! Decides which unknown device IDs are listed when very many arrive at once.
//!
//! A program that invents IDs must not fill the list and the disk, and a fleet to which Wilco connects for the first
//! time must be listed completely. Retained messages are more likely those of a fleet than new ones, and an ID that is
//! used again later is more likely that of a device than one that is used once.

use std::{collections::HashMap, hash::BuildHasher};

use foldhash::fast::RandomState;
use wilco_ledger::{DeviceId, Millis, Timestamp};

use crate::message_rates::{Bucket, Rate};

/// New IDs in messages that the broker had retained.
const RETAINED: Rate = Rate { at_once: 100_000, per_second: 100 };
/// New IDs in other messages.
const LIVE: Rate = Rate { at_once: 20_000, per_second: 20 };
/// IDs that were left out, and are used again at least [`AGAIN_AFTER`] later.
const AGAIN: Rate = Rate { at_once: 2_000, per_second: 200 };
const AGAIN_AFTER: Millis = Millis::seconds(10);
/// So many IDs that were left out are remembered.
const MOST_LEFT_OUT: usize = 200_000;
/// And for so long after they were used last.
const REMEMBERED_FOR: Millis = Millis::seconds(600);

impl Default for NewDevices {
    fn default() -> NewDevices {
        NewDevices::new(Timestamp(0))
    }
}

/// The new device IDs of one connection.
pub(crate) struct NewDevices {
    retained: Bucket,
    live: Bucket,
    again: Bucket,
    /// The hashes of those that were left out: when each was first used, and last.
    left_out: HashMap<u64, (Timestamp, Timestamp), RandomState>,
    tidied_at: Timestamp,
}

impl NewDevices {
    /// Before the first message.
    fn new(now: Timestamp) -> NewDevices {
        NewDevices {
            retained: Bucket::full(RETAINED, now),
            live: Bucket::full(LIVE, now),
            again: Bucket::full(AGAIN, now),
            left_out: HashMap::default(),
            tidied_at: now,
        }
    }

    /// Whether a device that is not listed is to be listed, now that a message names it.
    pub(crate) fn admits(&mut self, device: &DeviceId, retained: bool, now: Timestamp) -> bool {
        let (bucket, rate) = if retained { (&mut self.retained, RETAINED) } else { (&mut self.live, LIVE) };
        let hash = self.left_out.hasher().hash_one(device);
        let admits = bucket.take(1, rate, now) || self.is_used_again(hash, now);
        if admits {
            self.left_out.remove(&hash);
        }
        admits
    }

    fn is_used_again(&mut self, hash: u64, now: Timestamp) -> bool {
        if let Some((first, last)) = self.left_out.get_mut(&hash) {
            *last = now;
            return *first + AGAIN_AFTER <= now && self.again.take(1, AGAIN, now);
        }
        if self.left_out.len() < MOST_LEFT_OUT {
            self.left_out.insert(hash, (now, now));
        }
        false
    }

    /// How many IDs were used in the last ten minutes and are not listed; no more than 200,000 are counted.
    pub(crate) fn left_out(&self) -> u32 {
        u32::try_from(self.left_out.len()).unwrap_or(u32::MAX)
    }

    /// Forgets unused IDs, once a minute.
    pub(crate) fn tidy_up(&mut self, now: Timestamp) {
        if self.left_out.is_empty() || now.since(self.tidied_at) < Millis::seconds(60) {
            return;
        }
        self.tidied_at = now;
        self.left_out.retain(|_, (_, last)| *last + REMEMBERED_FOR > now);
        self.left_out.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::{DeviceId, Timestamp};

    use super::NewDevices;

    fn device(number: usize) -> DeviceId {
        DeviceId::new(format!("d{number}")).unwrap()
    }

    /// The number of these IDs that are listed at that second.
    fn listed(new: &mut NewDevices, ids: std::ops::Range<usize>, retained: bool, second: i64) -> usize {
        ids.filter(|number| new.admits(&device(*number), retained, Timestamp(second * 1_000))).count()
    }

    #[test]
    fn a_fleet_that_the_broker_has_retained_is_listed_as_a_whole() {
        let mut new = NewDevices::new(Timestamp(0));
        assert_eq!(listed(&mut new, 0..30_000, true, 0), 30_000);
        // And one that publishes its first message while Wilco is connected.
        assert_eq!(listed(&mut new, 30_000..50_000, false, 0), 20_000);
        assert_eq!(new.left_out(), 0);
    }

    #[test]
    fn of_a_hundred_thousand_invented_ids_a_part_is_listed_and_the_rest_counted() {
        let mut new = NewDevices::new(Timestamp(0));
        let listed: usize = (0..20).map(|second| listed(&mut new, device_ids(second), false, second)).sum();
        assert_eq!(listed, 20_000 + 19 * 20);
        assert_eq!(new.left_out() as usize, 100_000 - listed);
        new.tidy_up(Timestamp(700_000));
        assert_eq!(new.left_out(), 0);
    }

    fn device_ids(second: i64) -> std::ops::Range<usize> {
        let first = usize::try_from(second).unwrap() * 5_000;
        first..first + 5_000
    }

    #[test]
    fn a_device_that_was_left_out_is_listed_when_it_speaks_again() {
        let mut new = NewDevices::new(Timestamp(0));
        assert_eq!(listed(&mut new, 0..50_000, false, 0), 20_000);
        // Repeating itself at once makes no device of it.
        assert_eq!(listed(&mut new, 40_000..40_100, false, 0), 0);
        assert_eq!(listed(&mut new, 40_000..40_100, false, 10), 100);
        assert_eq!(new.left_out(), 29_900);
    }
}
