//! Analyses the answers of a rollout's members: how long they took, and why some failed.

use std::collections::HashMap;

use wilco_ledger::{State, Timestamp};

use crate::{
    answer_times::percentile,
    api::{AnswerTimes, Cause, CommandState, MemberState},
    store::StoredMember,
};

/// Buckets of the histogram, at most.
const BUCKETS: usize = 48;
/// Causes that are listed, at most.
const CAUSES: usize = 20;
/// The widths of buckets, times a power of ten.
const WIDTHS: [f64; 5] = [1.0, 2.0, 2.5, 5.0, 10.0];

/// From sent to the final answer, milliseconds; `None` where the device has given none.
pub(crate) fn took(member: &StoredMember) -> Option<f64> {
    let answered = member.state.is_some_and(State::is_from_device);
    let (sent, finished) = member.sent_at.zip(member.finished_at).filter(|_| answered)?;
    Some(span_ms(sent, finished))
}

/// From one time to the other, milliseconds; 0 if the clock went back.
#[expect(clippy::cast_precision_loss, reason = "no answer takes so long")]
pub(crate) fn span_ms(from: Timestamp, to: Timestamp) -> f64 {
    (to.0 - from.0).max(0) as f64
}

/// The histogram and the percentiles of the members' answer times.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bucket's place is small and not negative"
)]
pub(crate) fn answer_times(members: &[StoredMember]) -> AnswerTimes {
    let mut times: Vec<f64> = members.iter().filter_map(took).collect();
    times.sort_by(f64::total_cmp);
    let Some(max) = times.last().copied() else { return AnswerTimes::default() };
    // A few that are far slower than all others do not make the buckets wide: they share the last one.
    let (p50, p95, p99) = (percentile(&times, 50), percentile(&times, 95), percentile(&times, 99));
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let bucket_ms = width(max.min(p99 * 1.2) / BUCKETS as f64);
    let mut buckets = vec![0; BUCKETS.min((max / bucket_ms) as usize + 1)];
    for time in &times {
        let place = ((time / bucket_ms) as usize).min(buckets.len() - 1);
        if let Some(count) = buckets.get_mut(place) {
            *count += 1;
        }
    }
    AnswerTimes {
        count: u32::try_from(times.len()).unwrap_or(u32::MAX),
        bucket_ms,
        buckets,
        p50_ms: Some(p50),
        p95_ms: Some(p95),
        p99_ms: Some(p99),
        max_ms: Some(max),
    }
}

/// The smallest width that is enough: 1, 2, 2.5 or 5 times a power of ten, 1 ms at the least.
fn width(ms: f64) -> f64 {
    let power = 10_f64.powf(ms.max(1.0).log10().floor());
    WIDTHS.iter().map(|width| width * power).find(|width| *width >= ms).unwrap_or(10.0 * power)
}

/// Why members failed, the most frequent cause first, equally frequent ones by message.
pub(crate) fn causes(members: &[StoredMember]) -> Vec<Cause> {
    let mut counts: HashMap<(&str, CommandState), u32> = HashMap::new();
    for member in members {
        if let MemberState::Released(state) = member.state.into()
            && MemberState::Released(state).has_failed()
        {
            *counts.entry((member.message.as_deref().unwrap_or_default(), state)).or_default() += 1;
        }
    }
    let mut causes: Vec<_> = counts.into_iter().collect();
    causes.sort_by(|((message, state), count), ((other, other_state), other_count)| {
        other_count.cmp(count).then_with(|| message.cmp(other)).then_with(|| state.cmp(other_state))
    });
    let cause =
        |((message, state), count): ((&str, CommandState), u32)| Cause { message: message.to_owned(), state, count };
    causes.into_iter().take(CAUSES).map(cause).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::{DeviceId, State, Timestamp};

    use super::{answer_times, causes, width};
    use crate::{
        api::{AnswerTimes, CommandState},
        store::StoredMember,
    };

    fn member(place: u32, state: State, message: &str, took: i64) -> StoredMember {
        StoredMember {
            member: place,
            device: DeviceId::new(format!("pump-{place}")).unwrap(),
            args: None,
            earlier: None,
            state: Some(state),
            command: None,
            message: Some(message.to_owned()),
            attempts: 1,
            released_at: Some(Timestamp(1_000)),
            sent_at: Some(Timestamp(1_000)),
            finished_at: Some(Timestamp(1_000 + took)),
        }
    }

    #[test]
    fn a_slow_straggler_leaves_the_buckets_narrow() {
        let mut members: Vec<_> = (1..=199).map(|took| member(0, State::Succeeded, "", took)).collect();
        members.push(member(0, State::Failed, "", 60_000));
        // A time-out is no answer.
        members.push(member(0, State::TimedOut, "", 90_000));
        let times = answer_times(&members);
        assert_eq!((times.count, times.bucket_ms, times.buckets.len()), (200, 5.0, 48));
        assert_eq!((times.buckets[0], times.buckets[1], times.buckets[47]), (4, 5, 1));
        assert_eq!(times.buckets.iter().sum::<u32>(), 200);
        assert_eq!(
            [times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms],
            [Some(100.0), Some(190.0), Some(198.0), Some(60_000.0)]
        );
    }

    #[test]
    fn without_answers_there_are_no_times() {
        assert_eq!(answer_times(&[member(0, State::TimedOut, "", 5)]), AnswerTimes::default());
        let one = answer_times(&[member(0, State::Succeeded, "", 0)]);
        assert_eq!((one.buckets, one.bucket_ms, one.p99_ms), (vec![1], 1.0, Some(0.0)));
    }

    #[test]
    fn widths_are_round() {
        let check = |ms: f64, expected: f64| assert!((width(ms) - expected).abs() < 1e-9, "{ms}: {}", width(ms));
        check(0.0, 1.0);
        check(1.2, 2.0);
        check(2.1, 2.5);
        check(26.0, 50.0);
        check(51.0, 100.0);
    }

    #[test]
    fn causes_are_counted_by_message_and_state() {
        let mut members = vec![
            member(0, State::Failed, "jammed", 1),
            member(1, State::Rejected, "busy", 1),
            member(2, State::Rejected, "busy", 1),
            member(3, State::Failed, "busy", 1),
            member(4, State::Succeeded, "busy", 1),
        ];
        let counted: Vec<_> =
            causes(&members).into_iter().map(|cause| (cause.message, cause.state, cause.count)).collect();
        let expected = [
            ("busy", CommandState::Rejected, 2),
            ("busy", CommandState::Failed, 1),
            ("jammed", CommandState::Failed, 1),
        ];
        assert_eq!(counted, expected.map(|(message, state, count)| (message.to_owned(), state, count)));

        members.extend((0..30).map(|number| member(number, State::Failed, &format!("error {number}"), 1)));
        assert_eq!(causes(&members).len(), 20);
    }
}
