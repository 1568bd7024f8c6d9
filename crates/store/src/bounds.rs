//! Determines which evidence counts for the quota and its size, and shortens large payloads.
//!
//! Evidence that decides the state of a command does not count and is kept whole: only devices that received a request
//! can send it, once for each command. A device can repeat everything else without end. Requests of other consoles, and the
//! answers to them, are whatever somebody publishes: a large request counts, and a large answer is shortened. The caller decides
//! whether there is room left.

use sha2::{Digest, Sha256};
use wilco_ledger::{Answer, Cut, DeviceId, Fact, Origin, Raw, Reading, Submission, Timestamp};

use super::ConnectionId;

/// The size of an event besides its payload and its texts: the row and its index entries, bytes. An estimate.
const ROW: u64 = 256;
/// Payloads that only repeat something are kept whole up to this size, bytes.
const WHOLE: usize = 16 * 1_024;
/// Of larger ones so much of the beginning is kept, and as much of the end.
const PART: usize = 4 * 1_024;
/// The same of the newest message that is not kept.
const PART_OF_DISCARDED: usize = 256;
/// A device's sentence is kept up to this many bytes where it settles nothing.
const SENTENCE: usize = 4 * 1_024;

/// Messages of a device that were not kept, because its quota or the overall quota was used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// The number of messages.
    pub messages: u64,
    /// The size of their payloads together, bytes.
    pub bytes: u64,
    /// When the first one arrived.
    pub first_at: Timestamp,
    /// When the last one arrived.
    pub last_at: Timestamp,
    /// The last one, without the middle of a large payload.
    pub newest: Raw,
}

/// The number of messages of a device that were not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscardedOf {
    /// The connection.
    pub connection: ConnectionId,
    /// The device.
    pub device: DeviceId,
    /// The number of messages.
    pub messages: u64,
}

impl Discarded {
    /// Creates the count with one message.
    #[must_use]
    pub fn one(newest: Raw, at: Timestamp) -> Discarded {
        Discarded { messages: 1, bytes: newest.payload.len() as u64, first_at: at, last_at: at, newest }
    }

    /// Adds a message.
    pub fn add(&mut self, newest: Raw, at: Timestamp) {
        self.messages = self.messages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(newest.payload.len() as u64);
        self.last_at = at;
        self.newest = newest;
    }

    /// The middle of a large payload is left out.
    #[must_use]
    pub fn shortened(mut self) -> Discarded {
        shorten(&mut self.newest, 2 * PART_OF_DISCARDED, PART_OF_DISCARDED);
        self
    }
}

/// The bytes of a fact that count for the quota, after [`shorten_fact`]. `None`: it does not count.
pub fn counted(fact: &Fact) -> Option<u64> {
    match fact {
        Fact::Answered { answer, reading } if !decides(*reading) => Some(size_of_answer(answer)),
        Fact::Unsolicited { answer, .. } => Some(size_of_answer(answer)),
        Fact::Unreadable { raw, .. } => Some(size_of_raw(raw)),
        _ => None,
    }
}

/// The bytes by which an event with a request counts: a large one of another console does.
pub fn counted_request(fact: &Fact, request: &Raw) -> Option<u64> {
    match fact {
        Fact::Submitted { submission, origin: Origin::Observed } => size_of_request(submission, request),
        _ => None,
    }
}

/// The bytes by which a request of another console would count. `None`: it is not so large that it would.
pub fn size_of_request(submission: &Submission, request: &Raw) -> Option<u64> {
    let size = || ROW + request.payload.len() as u64 + request.topic.len() as u64 + submission.args.len() as u64;
    (request.payload.len() > WHOLE).then(size)
}

/// The bytes by which an answer would count.
pub fn size_of_answer(answer: &Answer) -> u64 {
    let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len().min(SENTENCE) as u64);
    size_of_raw(&answer.raw) + text(&answer.message) + text(&answer.result)
}

/// The bytes of an unreadable message that count for the quota.
pub fn size_of_raw(raw: &Raw) -> u64 {
    let payload = if raw.payload.len() > WHOLE { 2 * PART } else { raw.payload.len() };
    ROW + payload as u64 + raw.topic.len() as u64
}

/// Removes the middle of a large payload if the fact counts for the quota, and the repetitions of its content.
pub fn shorten_fact(fact: &mut Fact) {
    match fact {
        Fact::Answered { answer, reading } if !decides(*reading) => {
            // A heartbeat's sentence is the command's from now on, so that is shortened before it is read.
            if *reading != Reading::Heartbeat {
                shorten_sentence(answer);
            }
            answer.result.take_if(|result| result.len() > SENTENCE);
            shorten(&mut answer.raw, WHOLE, PART);
        }
        Fact::Unsolicited { answer, .. } => {
            shorten_sentence(answer);
            answer.result.take_if(|result| result.len() > SENTENCE);
            shorten(&mut answer.raw, WHOLE, PART);
        }
        Fact::Unreadable { raw, .. } => shorten(raw, WHOLE, PART),
        _ => {}
    }
}

/// Reduces an answer to its outcome.
pub fn reduce(answer: &mut Answer) {
    answer.message = None;
    answer.result = None;
    shorten(&mut answer.raw, 0, 0);
}

/// Leaves out the middle of a large answer to another console's command, and what is repeated of it beside.
pub fn shorten_answer(answer: &mut Answer) {
    if answer.raw.payload.len() > WHOLE {
        shorten_sentence(answer);
        answer.result.take_if(|result| result.len() > SENTENCE);
        shorten(&mut answer.raw, WHOLE, PART);
    }
}

/// A very long sentence ends in an ellipsis.
pub fn shorten_sentence(answer: &mut Answer) {
    if let Some(message) = answer.message.as_mut().filter(|message| message.len() > SENTENCE) {
        let end = message.floor_char_boundary(SENTENCE - '…'.len_utf8());
        *message = format!("{}…", &message[..end]).into();
    }
}

fn decides(reading: Reading) -> bool {
    match reading {
        Reading::Moved | Reading::Inferred | Reading::Late | Reading::Contradiction | Reading::Challenge => true,
        Reading::Heartbeat | Reading::Duplicate | Reading::Conflict | Reading::AfterTheEnd | Reading::Ambiguous => {
            false
        }
    }
}

/// Keeps the first and the last `part` bytes of a payload that is larger than `whole`.
fn shorten(raw: &mut Raw, whole: usize, part: usize) {
    let payload = &raw.payload;
    if payload.len() <= whole || raw.cut.is_some() {
        return;
    }
    let (first, last) = (&payload[..part], &payload[payload.len() - part..]);
    raw.cut = Some(Box::new(Cut {
        bytes: payload.len() as u64,
        first: u32::try_from(part).unwrap_or(u32::MAX),
        sha256: Sha256::digest(payload).into(),
    }));
    raw.payload = [first, last].concat().into();
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::{
        Answer, Claim, CommandId, Delivery, DeviceId, Fact, Millis, Origin, Outcome, Policy, Raw, Reading, Retry,
        Submission,
    };

    use super::{
        PART, SENTENCE, WHOLE, counted, counted_request, reduce, shorten_answer, shorten_fact, size_of_answer,
        size_of_request,
    };

    fn answer(payload: usize, text: usize) -> Answer {
        let bytes: Vec<u8> = (0..payload).map(|place| u8::try_from(place % 251).unwrap()).collect();
        Answer {
            device: DeviceId::new("press").unwrap(),
            claim: Claim::Nothing,
            correlation: None,
            outcome: Outcome::Running,
            progress: None,
            message: Some("ä".repeat(text / 2).into()),
            result: Some("1".repeat(text).into()),
            said_at: None,
            retained: false,
            raw: Raw { topic: "press/resp".into(), payload: bytes.into(), qos: 1, cut: None },
        }
    }

    fn read(answer: Answer, reading: Reading) -> (Answer, Option<u64>) {
        let mut fact = Fact::Answered { answer: Box::new(answer), reading };
        shorten_fact(&mut fact);
        let size = counted(&fact);
        let Fact::Answered { answer, .. } = fact else { unreachable!() };
        (*answer, size)
    }

    #[test]
    fn of_a_large_payload_that_repeats_something_both_ends_are_kept_with_its_size_and_its_hash() {
        let whole = answer(WHOLE + 1, 0);
        let estimate = size_of_answer(&whole);
        let (kept, size) = read(whole.clone(), Reading::AfterTheEnd);
        let cut = kept.raw.cut.unwrap();
        assert_eq!((cut.bytes, cut.first as usize), (whole.raw.payload.len() as u64, PART));
        assert_eq!(kept.raw.payload[..PART], whole.raw.payload[..PART]);
        assert_eq!(kept.raw.payload[PART..], whole.raw.payload[whole.raw.payload.len() - PART..]);
        assert_eq!(<[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(&whole.raw.payload)), cut.sha256);
        // The estimate before recording is the real size.
        assert_eq!(size, Some(estimate));
    }

    #[test]
    fn decisive_evidence_is_kept_whole_and_does_not_count() {
        for reading in [Reading::Moved, Reading::Inferred, Reading::Late, Reading::Contradiction] {
            let whole = answer(128 * 1_024, 3 * SENTENCE);
            assert_eq!(read(whole.clone(), reading), (whole, None));
        }
    }

    #[test]
    fn a_payload_of_the_largest_size_that_is_kept_whole_is() {
        let whole = answer(WHOLE, SENTENCE);
        let size = size_of_answer(&whole);
        assert_eq!(read(whole.clone(), Reading::Duplicate), (whole, Some(size)));
    }

    #[test]
    fn long_texts_of_a_repetition_are_shortened_at_a_character() {
        let (kept, size) = read(answer(10, 2 * SENTENCE), Reading::Conflict);
        let message = kept.message.clone().unwrap();
        assert!(message.len() <= SENTENCE && message.ends_with("ä…"), "{} bytes", message.len());
        assert_eq!(kept.result, None);
        assert!(size.is_some_and(|size| size <= size_of_answer(&answer(10, 2 * SENTENCE))));
    }

    #[test]
    fn a_large_request_of_another_console_counts_with_its_arguments_and_no_other_does() {
        let submission = Submission {
            device: DeviceId::new("press").unwrap(),
            id: CommandId::new("theirs").unwrap(),
            name: "led".into(),
            args: "x".repeat(20_000).into(),
            form: None,
            policy: Policy {
                delivery: Delivery::BrokerHolds,
                timeout: Millis::seconds(10),
                time_to_live: Millis::seconds(60),
                retry: Retry { permitted: false, limit: 0, pause: Millis(500) },
                answer_expected: true,
                answers_carry_ids: true,
            },
            again_of: None,
            rollout: None,
            automatic: false,
            by: None,
        };
        let raw = |bytes| Raw { topic: "press/req".into(), payload: vec![b'x'; bytes].into(), qos: 1, cut: None };
        let large = size_of_request(&submission, &raw(WHOLE + 1)).unwrap();
        assert!(large > (WHOLE + 20_000) as u64);
        assert_eq!(size_of_request(&submission, &raw(WHOLE)), None);
        let fact = |origin| Fact::Submitted { submission: submission.clone().into(), origin };
        assert_eq!(counted_request(&fact(Origin::Observed), &raw(WHOLE + 1)), Some(large));
        assert_eq!(counted_request(&fact(Origin::Here), &raw(WHOLE + 1)), None);
        assert_eq!(counted_request(&Fact::Handed { attempt: 1 }, &raw(WHOLE + 1)), None);
    }

    #[test]
    fn of_a_large_answer_to_another_console_both_ends_are_kept_and_a_small_one_whole() {
        let mut small = answer(WHOLE, 3 * SENTENCE);
        shorten_answer(&mut small);
        assert_eq!(small, answer(WHOLE, 3 * SENTENCE));
        let mut large = answer(WHOLE + 1, 3 * SENTENCE);
        shorten_answer(&mut large);
        assert_eq!((large.raw.payload.len(), large.result), (2 * PART, None));
        assert!(large.raw.cut.is_some() && large.message.unwrap().len() <= SENTENCE);
    }

    #[test]
    fn of_a_sign_of_life_without_room_the_size_and_the_hash_are_kept() {
        let mut kept = answer(5_000, 200);
        reduce(&mut kept);
        assert_eq!((kept.raw.payload.len(), kept.raw.cut.map(|cut| cut.bytes)), (0, Some(5_000)));
        assert_eq!((kept.message, kept.result, kept.outcome), (None, None, Outcome::Running));
    }
}
