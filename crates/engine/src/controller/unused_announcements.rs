//! Device announcements that could not be used completely: decides which of them get a notice.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use wilco_ledger::{Millis, Timestamp, grouped};

/// Topics with a notice of their own. Others are only counted, since anybody can announce anything.
const TOLD: usize = 10;
/// The most topics that are counted.
const COUNTED: usize = 10_000;
/// Topics are counted for this long before the first notice with their number, and before the next ones.
const FIRST_AFTER: Millis = Millis::seconds(2);
const NEXT_AFTER: Millis = Millis::seconds(60);

/// The hint of each notice.
pub(super) const HINT: &str = "Wilco uses all other announcements.";

/// The announcements of a connection that are not used completely.
#[derive(Debug, Default)]
pub(super) struct UnusedAnnouncements {
    told: HashSet<Box<str>>,
    /// The hashes of further topics.
    further: HashSet<u64>,
    /// How many of those the last notice counted.
    counted: usize,
    due: Option<Timestamp>,
}

impl UnusedAnnouncements {
    /// The sentence for a notice, if this topic gets one: what is wrong with the first part, and how many more there are.
    pub(super) fn notice(&mut self, topic: &str, problems: &[String], now: Timestamp) -> Option<String> {
        let (first, others) = problems.split_first()?;
        if self.told.contains(topic) {
            return None;
        }
        if self.told.len() >= TOLD {
            self.count(topic, now);
            return None;
        }
        self.told.insert(topic.into());
        Some(match others.len() {
            0 => first.clone(),
            1 => format!("{first} 1 more part of this announcement is not used."),
            more => format!("{first} {} more parts of this announcement are not used.", grouped(more)),
        })
    }

    fn count(&mut self, topic: &str, now: Timestamp) {
        let mut hasher = DefaultHasher::new();
        topic.hash(&mut hasher);
        if self.further.len() < COUNTED && self.further.insert(hasher.finish()) {
            let after = if self.counted == 0 { FIRST_AFTER } else { NEXT_AFTER };
            self.due = self.due.or(Some(now + after));
        }
    }

    /// When the further topics are due to be counted in a notice.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// The sentence for a notice with the number of further topics, if it is due.
    pub(super) fn counted(&mut self, now: Timestamp) -> Option<String> {
        self.due.take_if(|due| *due <= now)?;
        self.counted = self.further.len();
        Some(match self.counted {
            1 => "The announcement on 1 more topic is not used completely.".to_owned(),
            COUNTED => {
                format!("The announcements on {} or more other topics are not used completely.", grouped(COUNTED))
            }
            more => format!("The announcements on {} more topics are not used completely.", grouped(more)),
        })
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::Timestamp;

    use super::{COUNTED, UnusedAnnouncements};

    fn note(unused: &mut UnusedAnnouncements, number: usize, now: i64) -> Option<String> {
        unused.notice(
            &format!("homeassistant/switch/s{number}/config"),
            &[format!("Problem {number}.")],
            Timestamp(now),
        )
    }

    #[test]
    fn ten_topics_have_a_notice_each_and_the_others_are_counted() {
        let mut unused = UnusedAnnouncements::default();
        for number in 0..10 {
            assert_eq!(note(&mut unused, number, 0), Some(format!("Problem {number}.")));
            assert_eq!(note(&mut unused, number, 0), None);
        }
        assert_eq!((unused.due(), unused.counted(Timestamp(9_000))), (None, None));
        for number in [10, 11, 12, 11, 3] {
            assert_eq!(note(&mut unused, number, 1_000), None);
        }
        assert_eq!((unused.due(), unused.counted(Timestamp(2_999))), (Some(Timestamp(3_000)), None));
        let three = "The announcements on 3 more topics are not used completely.";
        assert_eq!(unused.counted(Timestamp(3_000)).as_deref(), Some(three));
        assert_eq!((unused.due(), unused.counted(Timestamp(9_000))), (None, None));
        // The same ones again say nothing; a new one does, a minute later.
        note(&mut unused, 12, 9_000);
        assert_eq!(unused.due(), None);
        note(&mut unused, 13, 10_000);
        assert_eq!(unused.due(), Some(Timestamp(70_000)));
        assert!(unused.counted(Timestamp(70_000)).is_some_and(|notice| notice.contains("on 4 more topics")));
    }

    #[test]
    fn a_flood_costs_little_and_is_told_as_that() {
        let mut unused = UnusedAnnouncements::default();
        (0..COUNTED + 50).for_each(|number| drop(note(&mut unused, number, 0)));
        assert_eq!((unused.told.len(), unused.further.len()), (10, COUNTED));
        let counted = unused.counted(Timestamp(2_000)).unwrap_or_default();
        assert!(counted.contains("on 10,000 or more other topics"), "{counted}");
    }

    #[test]
    fn several_problems_of_one_announcement_are_one_notice() {
        let mut unused = UnusedAnnouncements::default();
        let problems = ["A is bad.", "B is bad.", "C is bad."].map(str::to_owned);
        let mut notice = |topic: &str, count: usize| unused.notice(topic, &problems[..count], Timestamp(0));
        assert_eq!(notice("a", 0), None);
        assert_eq!(notice("a", 2).as_deref(), Some("A is bad. 1 more part of this announcement is not used."));
        assert_eq!(notice("b", 3).as_deref(), Some("A is bad. 2 more parts of this announcement are not used."));
    }
}
