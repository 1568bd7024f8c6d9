//! Usual answer times, from the latest commands in the history.
//!
//! It stores nothing: percentiles are computed on request from a bounded number of commands, so they cost a fan-out
//! nothing and ignore old commands.

use std::collections::BTreeMap;

use crate::api::TimesView;

/// From so many answers on it is known what is usual.
const USUAL: usize = 5;
/// From so many answers on a timeout is suggested.
const SUGGESTED: usize = 20;
/// No answer is slower than usual because of less than this, milliseconds.
pub(crate) const NOTICEABLE: f64 = 250.0;
/// Timeouts that people choose, seconds.
const ROUND: [u64; 19] = [1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200];

/// The times of each name, in the order of the names. `answers`: a name, and how long an answer took in milliseconds.
pub(crate) fn by_name(answers: impl IntoIterator<Item = (Option<String>, f64)>) -> Vec<TimesView> {
    let mut times: BTreeMap<Option<String>, Vec<f64>> = BTreeMap::new();
    for (name, took) in answers {
        times.entry(name).or_default().push(took);
    }
    times.into_iter().filter_map(|(name, times)| view(name, times)).collect()
}

fn view(name: Option<String>, mut times: Vec<f64>) -> Option<TimesView> {
    times.sort_by(f64::total_cmp);
    let max_ms = *times.last()?;
    let [p50_ms, p95_ms, p99_ms] = [50, 95, 99].map(|percent| percentile(&times, percent));
    let slow_after = (p95_ms * 1.5).max(p50_ms + NOTICEABLE);
    Some(TimesView {
        name,
        count: u32::try_from(times.len()).unwrap_or(u32::MAX),
        p50_ms,
        p95_ms,
        p99_ms,
        max_ms,
        slow_after_ms: (times.len() >= USUAL).then_some(slow_after),
        suggested_timeout_ms: if times.len() >= SUGGESTED { timeout(p99_ms, max_ms) } else { None },
    })
}

/// The smallest time within which so many per cent have answered; `times` are sorted.
pub(crate) fn percentile(times: &[f64], percent: usize) -> f64 {
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

/// A round number of seconds, at least three times what 99 % need, and a quarter more than the slowest needed.
fn timeout(p99_ms: f64, max_ms: f64) -> Option<u64> {
    let least = (p99_ms * 3.0).max(max_ms * 1.25);
    #[expect(clippy::cast_precision_loss, reason = "small constants")]
    ROUND.into_iter().map(|seconds| seconds * 1_000).find(|ms| *ms as f64 >= least)
}

#[cfg(test)]
mod tests {
    use super::by_name;

    /// The answer times of one name, from these answers.
    fn check(times: &[f64], percentiles: [f64; 3], slow_after: Option<f64>, timeout: Option<u64>) {
        let views = by_name(times.iter().map(|took| (Some("led".to_owned()), *took)));
        let [view] = views.as_slice() else { panic!("{views:?}") };
        assert_eq!([view.p50_ms, view.p95_ms, view.p99_ms], percentiles, "{times:?}");
        assert_eq!((view.slow_after_ms, view.suggested_timeout_ms), (slow_after, timeout), "{times:?}");
    }

    fn up_to(count: u32) -> Vec<f64> {
        (1..=count).rev().map(f64::from).collect()
    }

    #[test]
    fn percentiles_are_of_all_answers_and_nothing_is_concluded_from_a_few() {
        check(&[40.0], [40.0, 40.0, 40.0], None, None);
        check(&up_to(4), [2.0, 4.0, 4.0], None, None);
        check(&up_to(5), [3.0, 5.0, 5.0], Some(253.0), None);
        check(&up_to(20), [10.0, 19.0, 20.0], Some(260.0), Some(1_000));
        check(&up_to(1_000), [500.0, 950.0, 990.0], Some(1_425.0), Some(3_000));
    }

    #[test]
    fn a_timeout_leaves_room_for_the_slowest() {
        let mut times = vec![100.0; 199];
        times.push(20_000.0);
        check(&times, [100.0, 100.0, 100.0], Some(350.0), Some(30_000));
        times.push(9e9);
        check(&times, [100.0, 100.0, 100.0], Some(350.0), None);
    }

    #[test]
    fn names_are_in_order_and_those_without_one_come_first() {
        let names = [Some("2.0"), None, Some("1.9"), Some("2.0")];
        let views = by_name(names.map(|name| (name.map(str::to_owned), 1.0)));
        let views: Vec<_> = views.iter().map(|view| (view.name.as_deref(), view.count)).collect();
        assert_eq!(views, [(None, 1), (Some("1.9"), 1), (Some("2.0"), 2)]);
    }
}
