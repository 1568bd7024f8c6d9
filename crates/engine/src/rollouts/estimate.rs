//! Estimates how long a rollout takes, from what is known before it starts.

use wilco_ledger::{AnswerWindow, Limits, Millis};

use super::survey::ExpectedAnswer;
use crate::api::{BetweenStages, NewRollout};

/// The answer time of a device of which none is known, where none is known of any other, milliseconds.
const ANSWER_MS: f64 = 200.0;

/// How long it is expected to take, pauses included; `None` where a person must go ahead. Offline members are not waited
/// for here. `broker_ms`: from PUBLISH to PUBACK. `longest`: after that time a member times out.
pub(crate) fn expected(
    spec: &NewRollout,
    stages: &[u32],
    members: &[ExpectedAnswer],
    limits: &Limits,
    broker_ms: Option<f64>,
    longest: Option<Millis>,
) -> Option<Millis> {
    let between = match spec.between {
        BetweenStages::Ask if stages.len() > 1 => return None,
        BetweenStages::Continue | BetweenStages::Ask => 0.0,
        BetweenStages::Pause { pause_ms } => milliseconds(Millis(pause_ms)),
    };
    // It is watched during the pause, too.
    let between = spec.gate.as_ref().map_or(between, |gate| between.max(milliseconds(Millis(gate.for_ms))));
    let broker_ms = broker_ms.unwrap_or(0.0);
    let mut sorted: Vec<f64> = members.iter().filter_map(|member| member.answer_ms).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    // One slow device says nothing about the others.
    let typical = sorted.get(sorted.len() / 2).copied().unwrap_or_else(|| ANSWER_MS.max(broker_ms));
    let (mut total, mut rest) = (0.0, members);
    for (place, size) in stages.iter().enumerate() {
        let (stage, others) = rest.split_at((*size as usize).min(rest.len()));
        rest = others;
        let answer = |member: &ExpectedAnswer| match longest {
            Some(longest) => member.answer_ms.unwrap_or(typical).min(milliseconds(longest)),
            // No answer is waited for.
            None => broker_ms,
        };
        let answers: Vec<f64> = stage.iter().filter(|member| !member.offline).map(answer).collect();
        let pause = if place == 0 { 0.0 } else { between };
        total += pause + stage_ms(&answers, spec, limits, broker_ms);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither negative nor NaN; it saturates"
    )]
    Some(Millis(total.round() as u64))
}

/// From the first release of a stage to the last answer, where its online members answer after these times.
fn stage_ms(answers: &[f64], spec: &NewRollout, limits: &Limits, broker_ms: f64) -> f64 {
    if answers.is_empty() {
        return 0.0;
    }
    if spec.is_broadcast() {
        // One publish, for which no window has to be waited.
        return answers.iter().copied().fold(0.0, f64::max);
    }
    let rate = [spec.rate, limits.sends_per_second].into_iter().flatten().min();
    let after_the_first = count(answers.len() - 1);
    let by_rate = rate.map_or(0.0, |rate| after_the_first * 1_000.0 / f64::from(rate.max(1)));
    // Each member has one of the places for a time; those that find one at once wait for none.
    let by_window = |places: usize, times: f64| {
        let waiting = count(answers.len().saturating_sub(places));
        times * waiting / count(answers.len()) / count(places.max(1))
    };
    let slow = answers.iter().filter(|answer| **answer > milliseconds(AnswerWindow::SLOW_AFTER)).count();
    let silent_after = milliseconds(limits.silent_after);
    let in_answer_window = answers.iter().map(|answer| answer.min(silent_after)).sum();
    let release = [
        by_rate,
        milliseconds(AnswerWindow::send_to_slow(slow)),
        by_window(limits.answer_window, in_answer_window),
        by_window(limits.send_window, broker_ms * count(answers.len())),
        spec.in_flight.map_or(0.0, |places| by_window(places as usize, answers.iter().sum())),
    ];
    let last_answer = answers.iter().copied().fold(0.0, f64::max);
    release.into_iter().fold(0.0, f64::max) + last_answer
}

#[expect(clippy::cast_precision_loss, reason = "a number of devices")]
fn count(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn milliseconds(span: Millis) -> f64 {
    span.0 as f64
}

#[cfg(test)]
mod tests {
    use wilco_ledger::{Limits, Millis};

    use super::{ExpectedAnswer, expected};
    use crate::api::{BetweenStages, Gate, NewRollout};

    const LONGEST: Option<Millis> = Some(Millis(10_000));

    fn members(count: usize, answer_ms: f64) -> Vec<ExpectedAnswer> {
        vec![ExpectedAnswer { offline: false, answer_ms: Some(answer_ms) }; count]
    }

    fn check(spec: &NewRollout, stages: &[u32], members: &[ExpectedAnswer], limits: Limits, wanted: Option<u64>) {
        assert_eq!(expected(spec, stages, members, &limits, Some(20.0), LONGEST), wanted.map(Millis), "{spec:?}");
    }

    #[test]
    fn the_narrowest_of_rate_and_windows_says_how_long_it_takes() {
        let plain = NewRollout::default();
        let aws = Limits { sends_per_second: Some(90), send_window: 100, answer_window: 250, ..Limits::default() };
        let wide = Limits { send_window: 10_000, answer_window: 10_000, ..Limits::default() };
        check(&plain, &[1], &members(1, 300.0), wide, Some(300));
        check(&plain, &[1_000], &members(1_000, 300.0), wide, Some(300));
        // 90 a second, then the last one answers.
        check(&plain, &[9_001], &members(9_001, 300.0), aws, Some(100_300));
        // Of the connection's rate and the rollout's own the lower one counts.
        let slow = NewRollout { rate: Some(10), ..NewRollout::default() };
        check(&slow, &[101], &members(101, 300.0), aws, Some(10_300));
        let fast = NewRollout { rate: Some(1_000), ..NewRollout::default() };
        check(&fast, &[9_001], &members(9_001, 300.0), aws, Some(100_300));
        // Ten at once, each for 500 ms: 1,000 take 100 rounds.
        let narrow = NewRollout { in_flight: Some(10), ..NewRollout::default() };
        check(&narrow, &[1_000], &members(1_000, 500.0), wide, Some(50_000));
        check(&narrow, &[10], &members(10, 500.0), wide, Some(500));
        // A device that is silent for two seconds holds up no others.
        let window = Limits { answer_window: 100, ..wide };
        check(&plain, &[1_100], &members(1_100, 5_000.0), window, Some(20_000 + 5_000));
        // No more slow devices get commands than could answer while Wilco reads: 800 in a second and a half.
        check(&plain, &[1_800], &members(1_800, 5_000.0), wide, Some(3_000 + 5_000));
    }

    #[test]
    fn each_stage_waits_for_its_slowest_and_pauses_lie_between() {
        let wide = Limits { send_window: 10_000, answer_window: 10_000, ..Limits::default() };
        let pause = NewRollout { between: BetweenStages::Pause { pause_ms: 60_000 }, ..NewRollout::default() };
        let mut some = members(10, 100.0);
        some[9].answer_ms = Some(700.0);
        check(&pause, &[5, 5], &some, wide, Some(100 + 60_000 + 700));
        check(&pause, &[10], &some, wide, Some(700));
        let gate = Some(Gate { series: "temperature".into(), min: None, max: Some(8.0), for_ms: 90_000 });
        check(&NewRollout { gate: gate.clone(), ..pause.clone() }, &[5, 5], &some, wide, Some(100 + 90_000 + 700));
        let ask = NewRollout { between: BetweenStages::Ask, ..NewRollout::default() };
        check(&ask, &[5, 5], &some, wide, None);
        check(&ask, &[10], &some, wide, Some(700));
        // Wilco does not wait for offline devices, and for no device longer than its timeout.
        some[9].offline = true;
        check(&pause, &[5, 5], &some, wide, Some(100 + 60_000 + 100));
        some[0].answer_ms = Some(90_000.0);
        check(&NewRollout::default(), &[10], &some, wide, Some(10_000));
        // One of which nothing is known is like most of them.
        some[0].answer_ms = None;
        check(&NewRollout::default(), &[10], &some, wide, Some(100));
        check(&NewRollout::default(), &[], &[], wide, Some(0));
    }
}
