//! Decides which messages of a device that sends too fast are read.
//!
//! Reports replace each other, so above the rate only the newest is read. Answers do not: each is read, and above the
//! rate those that only repeat something are not kept. The caller knows which is which.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;
use wilco_ledger::{DeviceId, Millis, Timestamp};

/// So many reports of one topic are read without a pause, and so many a second in the long run: a device that was away may
/// send what it measured meanwhile.
const REPORTS: Rate = Rate { at_once: 1_000, per_second: 100 };
/// Beyond that, the newest is read this often.
const NEWEST_EVERY: Millis = Millis(250);
/// The same for answers of one device that only repeat something. A message of an unfinished command counts
/// [`SIGN_OF_LIFE`], any other [`REPETITION`].
const ANSWERS: Rate = Rate { at_once: 25_000, per_second: 250 };
/// So many reports of one topic of other firmware. Such a report can be the answer to a command, and several devices
/// may share the topic, so only what no device needs is left out.
const OTHER_REPORTS: Rate = Rate { at_once: 10_000, per_second: 1_000 };
/// So many requests of other consoles for one device, a large one counting once for each of its kibibytes.
const REQUESTS: Rate = Rate { at_once: 500, per_second: 20 };
/// So many pieces of one device's logs: five of the largest without a pause.
const LOG_CHUNKS: Rate = Rate { at_once: 20_000, per_second: 500 };
/// The cost of a message.
pub(crate) const SIGN_OF_LIFE: u64 = 1;
/// The cost of any other repetition.
pub(crate) const REPETITION: u64 = 25;

/// The messages of one connection. `M` is a message that waits.
pub(crate) struct MessageRates<M> {
    topics: HashMap<String, Topic<M>, RandomState>,
    devices: HashMap<DeviceId, Flow, RandomState>,
    /// Topics with a message that waits, by when it is to be read.
    waiting: BTreeSet<(Timestamp, String)>,
}

struct Topic<M> {
    bucket: Bucket,
    rate: Rate,
    /// The device that sends it, where that is not seen from the topic alone.
    owner: Option<DeviceId>,
    /// The newest report that is not read yet, and when it is to be.
    newest: Option<(Timestamp, M)>,
}

/// The state of one device.
struct Flow {
    answers: Bucket,
    requests: Bucket,
    log_chunks: Bucket,
    /// Messages in this second, all of them.
    arrived: u32,
    /// Some of them were not read, or not kept.
    limited: bool,
    /// It was reported for the last second that some were not read.
    told: bool,
}

/// The capacity of a bucket, and its rate.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) at_once: u64,
    pub(crate) per_second: u64,
}

/// The remaining allowance, in thousandths.
pub(crate) struct Bucket {
    level: u64,
    at: Timestamp,
}

impl<M> Default for MessageRates<M> {
    fn default() -> MessageRates<M> {
        MessageRates { topics: HashMap::default(), devices: HashMap::default(), waiting: BTreeSet::new() }
    }
}

impl<M> MessageRates<M> {
    /// A message of a device has come, of whatever kind.
    pub(crate) fn arrived(&mut self, device: &DeviceId, now: Timestamp) {
        let flow = self.flow(device, now);
        flow.arrived = flow.arrived.saturating_add(1);
    }

    /// A report has come: hands it back where it is to be read now. Otherwise it waits, in the place of an older one.
    pub(crate) fn report(&mut self, topic: &str, device: &DeviceId, message: M, now: Timestamp) -> Option<M> {
        self.report_at(REPORTS, topic, Some(device), message, now)
    }

    /// The same for a report of other firmware. `device`: if the topic alone identifies it.
    pub(crate) fn other_report(
        &mut self,
        topic: &str,
        device: Option<&DeviceId>,
        message: M,
        now: Timestamp,
    ) -> Option<M> {
        self.report_at(OTHER_REPORTS, topic, device, message, now)
    }

    fn report_at(
        &mut self,
        rate: Rate,
        topic: &str,
        device: Option<&DeviceId>,
        message: M,
        now: Timestamp,
    ) -> Option<M> {
        if !self.topics.contains_key(topic) {
            let new = Topic { bucket: Bucket::full(rate, now), rate, owner: None, newest: None };
            self.topics.insert(topic.to_owned(), new);
        }
        let known = self.topics.get_mut(topic)?;
        let owner = if device.is_some() { None } else { known.owner.clone() };
        let passes = known.bucket.take(1, known.rate, now);
        if passes {
            // The waiting message is older.
            if let Some((due, _)) = known.newest.take() {
                self.waiting.remove(&(due, topic.to_owned()));
            }
        }
        let left = if passes {
            Some(message)
        } else {
            match &mut known.newest {
                Some((_, newest)) => *newest = message,
                None => {
                    let due = now + NEWEST_EVERY;
                    known.newest = Some((due, message));
                    self.waiting.insert((due, topic.to_owned()));
                }
            }
            None
        };
        if let Some(owner) = &owner {
            self.arrived(owner, now);
        }
        if let (false, Some(device)) = (passes, device.or(owner.as_ref())) {
            self.flow(device, now).limited = true;
        }
        left
    }

    /// Which device sends the reports of a topic is known now.
    pub(crate) fn note_owner(&mut self, topic: &str, device: &DeviceId) {
        if let Some(known) = self.topics.get_mut(topic).filter(|known| known.owner.as_ref() != Some(device)) {
            known.owner = Some(device.clone());
        }
    }

    /// Whether a request of another console, with a payload of so many bytes, is read.
    pub(crate) fn reads_request(&mut self, device: &DeviceId, bytes: usize, now: Timestamp) -> bool {
        let flow = self.flow(device, now);
        let reads = flow.requests.take(1 + bytes as u64 / 1024, REQUESTS, now);
        flow.limited |= !reads;
        reads
    }

    /// Whether a piece of a log is read.
    pub(crate) fn reads_log_chunk(&mut self, device: &DeviceId, now: Timestamp) -> bool {
        let flow = self.flow(device, now);
        let reads = flow.log_chunks.take(1, LOG_CHUNKS, now);
        flow.limited |= !reads;
        reads
    }

    /// Whether an answer that only repeats something is kept.
    pub(crate) fn keeps_repetition(&mut self, device: &DeviceId, cost: u64, now: Timestamp) -> bool {
        let flow = self.flow(device, now);
        let keeps = flow.answers.take(cost, ANSWERS, now);
        flow.limited |= !keeps;
        keeps
    }

    /// The reports that have waited for long enough.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<M> {
        let mut due = Vec::new();
        while let Some((_, topic)) = self.waiting.first().filter(|(due, _)| *due <= now).cloned() {
            self.waiting.pop_first();
            due.extend(self.topics.get_mut(&topic).and_then(|known| known.newest.take()).map(|(_, message)| message));
        }
        due
    }

    /// When the next one has.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Closes the count of a second: hands back how many messages each device sent of which some were not read or not kept,
    /// and `None` for each of which that is over.
    pub(crate) fn close_second(&mut self, now: Timestamp) -> Vec<(DeviceId, Option<u32>)> {
        let mut news = Vec::new();
        for (device, flow) in &mut self.devices {
            let arrived = std::mem::take(&mut flow.arrived);
            let limited = std::mem::take(&mut flow.limited);
            if limited || flow.told {
                news.push((device.clone(), limited.then_some(arrived)));
            }
            flow.told = limited;
        }
        self.devices.retain(|_, flow| flow.told || !flow.is_rested(now));
        self.topics.retain(|_, known| known.newest.is_some() || !known.bucket.is_full(known.rate, now));
        news
    }

    fn flow(&mut self, device: &DeviceId, now: Timestamp) -> &mut Flow {
        if !self.devices.contains_key(device) {
            self.devices.insert(device.clone(), Flow::new(now));
        }
        self.devices.entry(device.clone()).or_insert_with(|| Flow::new(now))
    }
}

impl Flow {
    fn new(now: Timestamp) -> Flow {
        Flow {
            answers: Bucket::full(ANSWERS, now),
            requests: Bucket::full(REQUESTS, now),
            log_chunks: Bucket::full(LOG_CHUNKS, now),
            arrived: 0,
            limited: false,
            told: false,
        }
    }

    /// Whether all buckets are full.
    fn is_rested(&mut self, now: Timestamp) -> bool {
        self.answers.is_full(ANSWERS, now)
            && self.requests.is_full(REQUESTS, now)
            && self.log_chunks.is_full(LOG_CHUNKS, now)
    }
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Timestamp) -> Bucket {
        Bucket { level: rate.at_once * 1_000, at: now }
    }

    fn fill(&mut self, rate: Rate, now: Timestamp) {
        let more = now.since(self.at).0.saturating_mul(rate.per_second);
        self.level = self.level.saturating_add(more).min(rate.at_once * 1_000);
        self.at = self.at.max(now);
    }

    /// Takes that much out, where it is in there.
    pub(crate) fn take(&mut self, cost: u64, rate: Rate, now: Timestamp) -> bool {
        self.fill(rate, now);
        let left = self.level.checked_sub(cost * 1_000);
        self.level = left.unwrap_or(self.level);
        left.is_some()
    }

    fn is_full(&mut self, rate: Rate, now: Timestamp) -> bool {
        self.fill(rate, now);
        self.level == rate.at_once * 1_000
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::{DeviceId, Timestamp};

    use super::{MessageRates, REPETITION, SIGN_OF_LIFE};

    fn device(name: &str) -> DeviceId {
        DeviceId::new(name).unwrap()
    }

    /// Reports of a device at regular intervals within a second; returns which of them are read, and when.
    fn reports(rates: &mut MessageRates<u64>, count: u64, second: i64) -> Vec<(i64, u64)> {
        let mut read = Vec::new();
        for number in 0..count {
            let now = second * 1_000 + i64::try_from(number * 1_000 / count).unwrap();
            read.extend(rates.due(Timestamp(now)).into_iter().map(|number| (now, number)));
            rates.arrived(&device("a"), Timestamp(now));
            read.extend(rates.report("a/state", &device("a"), number, Timestamp(now)).map(|number| (now, number)));
        }
        read
    }

    #[test]
    fn a_hundred_reports_a_second_are_all_read() {
        let mut rates = MessageRates::default();
        for second in 0..30 {
            assert_eq!(reports(&mut rates, 100, second).len(), 100);
            assert!(rates.close_second(Timestamp(second * 1_000 + 999)).is_empty());
        }
    }

    #[test]
    fn of_five_thousand_a_second_few_are_read_and_the_newest_always() {
        let mut rates = MessageRates::default();
        let first = reports(&mut rates, 5_000, 0);
        assert_eq!(first[..1_000], (0..1_000).map(|number| (number as i64 / 5, number)).collect::<Vec<_>>());
        assert!(first.len() < 1_200, "{} are read", first.len());
        assert!(first.is_sorted_by_key(|(_, number)| *number), "an older one is read after a newer one");
        assert_eq!(rates.close_second(Timestamp(999)), [(device("a"), Some(5_000))]);
        let second = reports(&mut rates, 5_000, 1);
        assert!(second.len() < 200, "{} are read", second.len());
        // After the last of them nothing else comes, and it is read anyway.
        let due = rates.next_due();
        let newest = second.last().map(|(_, number)| *number);
        match due {
            Some(due) => {
                assert!(due.0 <= 2_250, "{due:?}");
                assert_eq!(rates.due(due), [4_999]);
            }
            None => assert_eq!(newest, Some(4_999)),
        }
        assert_eq!(rates.next_due(), None);
    }

    #[test]
    fn topics_and_devices_do_not_take_from_each_other() {
        let mut rates = MessageRates::default();
        reports(&mut rates, 5_000, 0);
        let now = Timestamp(999);
        assert_eq!(rates.report("a/status", &device("a"), 7, now), Some(7));
        assert_eq!(rates.report("b/state", &device("b"), 8, now), Some(8));
        assert!(rates.keeps_repetition(&device("b"), REPETITION, now));
    }

    #[test]
    fn repetitions_are_kept_up_to_a_rate_and_signs_of_life_up_to_a_higher_one() {
        let check = |cost: u64, at_once: u64, per_second: u64| {
            let mut rates = MessageRates::<()>::default();
            let mut kept =
                |now| (0..30_000).filter(|_| rates.keeps_repetition(&device("a"), cost, Timestamp(now))).count();
            assert_eq!((kept(0) as u64, kept(1_000) as u64), (at_once, per_second), "cost {cost}");
        };
        check(REPETITION, 1_000, 10);
        check(SIGN_OF_LIFE, 25_000, 250);
    }

    #[test]
    fn requests_and_pieces_of_logs_are_read_up_to_a_rate() {
        let mut rates = MessageRates::<()>::default();
        let mut check = |now: i64, requests: usize, chunks: usize| {
            let now = Timestamp(now);
            assert_eq!((0..30_000).filter(|_| rates.reads_request(&device("a"), 100, now)).count(), requests);
            assert_eq!((0..30_000).filter(|_| rates.reads_log_chunk(&device("a"), now)).count(), chunks);
        };
        check(0, 500, 20_000);
        check(1_000, 20, 500);
        assert_eq!(rates.close_second(Timestamp(1_000)), [(device("a"), Some(0))]);
        // Of large requests fewer, and of one that is larger than all of them together none.
        let mut large = |bytes| (0..100).filter(|_| rates.reads_request(&device("b"), bytes, Timestamp(0))).count();
        assert_eq!((large(600 * 1024), large(128 * 1024), large(1_023)), (0, 3, 100));
    }

    #[test]
    fn reports_of_other_firmware_are_read_up_to_a_higher_rate_and_their_device_is_named_once_it_is_known() {
        let mut rates = MessageRates::default();
        let read = |rates: &mut MessageRates<u64>, now: i64| {
            (0..20_000).filter_map(|number| rates.other_report("tele/a/STATE", None, number, Timestamp(now))).count()
        };
        assert_eq!(read(&mut rates, 0), 10_000);
        assert!(rates.close_second(Timestamp(0)).is_empty(), "nobody knows yet whose they are");
        rates.note_owner("tele/a/STATE", &device("a"));
        assert_eq!(read(&mut rates, 1_000), 1_000);
        assert_eq!(rates.close_second(Timestamp(1_000)), [(device("a"), Some(20_000))]);
        assert_eq!(rates.due(Timestamp(1_250)), [19_999]);
    }

    #[test]
    fn that_it_is_over_is_told_once_and_then_nothing_is_remembered() {
        let mut rates = MessageRates::default();
        reports(&mut rates, 5_000, 0);
        assert_eq!(rates.close_second(Timestamp(1_000)), [(device("a"), Some(5_000))]);
        rates.due(Timestamp(2_000));
        assert_eq!(rates.close_second(Timestamp(2_000)), [(device("a"), None)]);
        assert!(rates.close_second(Timestamp(3_000)).is_empty());
        assert!(rates.close_second(Timestamp(12_000)).is_empty());
        assert_eq!((rates.topics.len(), rates.devices.len(), rates.waiting.len()), (0, 0, 0));
    }

    #[test]
    fn a_report_that_is_read_at_once_takes_the_place_of_one_that_waits() {
        let mut rates = MessageRates::default();
        reports(&mut rates, 5_000, 0);
        // After a pause there is room again before the one that waits is due.
        assert_eq!(rates.report("a/state", &device("a"), 9_999, Timestamp(1_100)), Some(9_999));
        assert!(rates.due(Timestamp(10_000)).is_empty(), "the older one is read after it");
    }
}
