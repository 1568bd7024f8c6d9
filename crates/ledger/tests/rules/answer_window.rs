//! The answer window against a broker with a limited queue, and devices that answer late or never.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use wilco_ledger::{AnswerWindow, SentCommand, Timestamp};

/// So many messages mosquitto keeps for a client.
const KEPT: usize = 1_000;
/// So many it hands over without a PUBACK.
const AT_ONCE: usize = 20;
/// So many commands may always wait for answers, if that is less than the window says.
const FEW: usize = 250;
/// A device without an answer counts for so long, milliseconds.
const SILENT_AFTER: i64 = 2_000;

/// Devices, a broker and a console as they are in one run.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Commands that the console sends in a millisecond, if it may.
    sends: usize,
    /// Messages that it reads in a millisecond.
    reads: usize,
    /// The console sends PUBACKs for what it has read after so long: milliseconds.
    commit: i64,
    /// So many messages the broker hands over without a PUBACK.
    at_once: usize,
    /// From a command to its last answer, milliseconds. `None`: there is none.
    answer: Option<i64>,
    /// One command of so many is never answered. 0: none.
    silent_one_of: usize,
    /// Devices say at once that they have accepted a command.
    accepts: bool,
    /// So many messages more come with the last answer: reports.
    reports: usize,
    /// The console reads nothing for so long, milliseconds, every three seconds.
    stops: i64,
    /// All devices stop at the first of these times, and answer at the second what they should have answered meanwhile.
    devices_stop: (i64, i64),
    seconds: i64,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            sends: 10,
            reads: 30,
            commit: 0,
            at_once: usize::MAX,
            answer: None,
            silent_one_of: 0,
            accepts: false,
            reports: 0,
            stops: 0,
            devices_stop: (0, 0),
            seconds: 10,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Message {
    /// A device has accepted a command, or reports.
    Other,
    Done {
        sent: SentCommand,
        at: i64,
    },
    Probe,
}

/// What the console has read and not acknowledged.
#[derive(Debug, Clone, Copy, Default)]
struct Read {
    messages: usize,
    /// Our probe is one of them.
    probe: bool,
}

/// What a run came to.
#[derive(Debug, Default)]
struct Outcome {
    sent: usize,
    longest_queue: usize,
}

fn run(run: Run) -> Outcome {
    let mut window = AnswerWindow::default();
    window.connected(true);
    let mut outcome = Outcome::default();
    let mut queue: VecDeque<Message> = VecDeque::new();
    let mut handed_over = 0;
    let mut read = Read::default();
    // What is being stored, and until when.
    let mut committing: Option<(i64, Read)> = None;
    let mut answers: BTreeMap<i64, Vec<(SentCommand, i64)>> = BTreeMap::new();
    // How many commands of each millisecond count in the window.
    let mut counted: BTreeMap<i64, usize> = BTreeMap::new();
    let mut awaited = 0;
    for now in 0..run.seconds * 1_000 {
        let at = Timestamp(now);
        while let Some(first) = counted.first_entry()
            && *first.key() + SILENT_AFTER <= now
            && window.has_read(Timestamp(first.key() + SILENT_AFTER))
        {
            awaited -= first.remove();
        }
        if now % 3_000 >= run.stops {
            if let Some((_, stored)) = committing.take_if(|(until, _)| *until <= now) {
                handed_over -= stored.messages;
                if stored.probe {
                    window.probe_settled(at);
                }
            }
            for _ in 0..run.reads {
                if handed_over == run.at_once {
                    break;
                }
                let Some(message) = queue.pop_front() else { break };
                handed_over += 1;
                read.messages += 1;
                match message {
                    Message::Probe => {
                        window.probe_returned(at);
                        read.probe = true;
                    }
                    Message::Other => window.message(),
                    Message::Done { sent, at: sent_at } => {
                        window.message();
                        window.ended(sent, true, at);
                        if let Some(count) = counted.get_mut(&sent_at) {
                            *count -= 1;
                            awaited -= 1;
                        }
                    }
                }
            }
            if committing.is_none() && read.messages > 0 {
                committing = Some((now + run.commit, std::mem::take(&mut read)));
            }
        }
        window.tick(at);
        let few = FEW.min(window.always());
        let sends = run.sends.min(window.spare().max(few.saturating_sub(awaited)));
        let mut sent: Vec<_> = (0..sends).map(|_| (window.sent(at), now)).collect();
        if run.silent_one_of > 0 {
            let mut number = outcome.sent;
            sent.retain(|_| {
                number += 1;
                !number.is_multiple_of(run.silent_one_of)
            });
        }
        outcome.sent += sends;
        counted.insert(now, sends);
        awaited += sends;
        if run.accepts {
            queue.extend(std::iter::repeat_n(Message::Other, sends));
        }
        if let Some(answer) = run.answer {
            let (from, until) = run.devices_stop;
            let due = now + answer;
            answers.entry(if (from..until).contains(&due) { until } else { due }).or_default().extend(sent);
        }
        for (sent, at) in answers.remove(&now).unwrap_or_default() {
            queue.push_back(Message::Done { sent, at });
            queue.extend(std::iter::repeat_n(Message::Other, run.reports));
        }
        let is_full = window.spare() == 0 && awaited >= few;
        let silent = counted.first_key_value().map(|(sent_at, _)| Timestamp(sent_at + SILENT_AFTER));
        let silence = silent.filter(|silent| is_full && *silent <= at && !window.has_read(*silent));
        let silence = window.next_probe_at().filter(|due| silence.is_some() && *due <= at);
        let room = window.probe_due_at().filter(|due| awaited >= few * 3 / 4 && *due <= at);
        if silence.or(room).is_some() {
            window.probe_sent(at);
            window.probe_confirmed(at);
            queue.push_back(Message::Probe);
        }
        outcome.longest_queue = outcome.longest_queue.max(queue.len());
    }
    outcome
}

#[test]
fn devices_that_answer_late_or_never_hold_up_no_others() {
    // 250 at a time, each for two seconds, would be 125 a second.
    let check = |run_of: Run, per_second: usize| {
        for answer in [None, Some(5_000)] {
            for accepts in [false, true] {
                let outcome = run(Run { answer, accepts, seconds: 20, ..run_of });
                assert!(outcome.sent > per_second * 20, "{answer:?}, accepts: {accepts}: {outcome:?}");
                assert!(outcome.longest_queue < KEPT / 2, "{answer:?}, accepts: {accepts}: {outcome:?}");
            }
        }
    };
    check(Run::default(), 450);
    check(Run { at_once: AT_ONCE, commit: 5, ..Run::default() }, 450);
    check(Run { at_once: AT_ONCE, commit: 20, ..Run::default() }, 250);
}

#[test]
fn a_few_silent_devices_hold_up_none_that_answer_promptly() {
    // As many as the console can send.
    for commit in [0, 5] {
        let outcome = run(Run { answer: Some(3), silent_one_of: 20, reads: 60, commit, seconds: 6, ..Run::default() });
        assert!(outcome.sent > 57_000, "{outcome:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// The accepted commands of a console that cannot read all their answers show in the queue before it is full.
    #[test]
    fn the_broker_drops_nothing_that_a_slow_console_could_read(
        sends in 1_usize..20,
        reads in 1_usize..20,
        answer in prop_oneof![Just(None), (0_i64..8_000).prop_map(Some)],
    ) {
        let outcome = run(Run { sends, reads, answer, accepts: true, ..Run::default() });
        prop_assert!(outcome.longest_queue <= KEPT, "{:?}", outcome);
    }

    /// So does whatever answers a console reads as fast as it sends.
    #[test]
    fn the_broker_drops_nothing_for_a_console_that_reads_as_fast_as_it_sends(
        sends in 1_usize..20,
        answer in 0_i64..8_000,
        accepts: bool,
    ) {
        let outcome = run(Run { sends, reads: sends * 2 + 1, answer: Some(answer), accepts, ..Run::default() });
        prop_assert!(outcome.longest_queue <= KEPT, "{:?}", outcome);
    }

    /// Devices that take long answer as fast as their commands were sent, and that is as fast as mosquitto hands their
    /// answers over to a console that stores them before it sends PUBACKs.
    #[test]
    fn mosquitto_drops_nothing_of_devices_that_take_long(
        sends in 1_usize..20,
        commit in 1_i64..25,
        answer in 1_000_i64..8_000,
        accepts: bool,
        reports in 0_usize..3,
    ) {
        let slow = Run { sends, commit, at_once: AT_ONCE, answer: Some(answer), accepts, reports, ..Run::default() };
        let outcome = run(Run { seconds: 20, ..slow });
        prop_assert!(outcome.longest_queue <= KEPT, "{:?}", outcome);
    }

    /// Devices behind one hub or on one busy computer may stop together, and then answer together.
    #[test]
    fn mosquitto_drops_nothing_of_devices_that_stop_together_for_half_a_second(
        sends in 1_usize..20,
        commit in 1_i64..8,
        answer in 1_000_i64..8_000,
        accepts: bool,
        reports in 0_usize..3,
        from in 1_000_i64..9_000,
        length in 0_i64..500,
    ) {
        let slow = Run { sends, commit, at_once: AT_ONCE, answer: Some(answer), accepts, reports, ..Run::default() };
        let outcome = run(Run { devices_stop: (from, from + length), ..slow });
        prop_assert!(outcome.longest_queue <= KEPT, "{:?}", outcome);
    }

    /// Answers that wait for a console that is stopped for a while are not those of silent devices.
    #[test]
    fn the_broker_drops_nothing_while_a_console_is_stopped(
        sends in 1_usize..20,
        at_work in 0_i64..200,
        accepts: bool,
        reports in 0_usize..2,
        stops in 0_i64..2_900,
    ) {
        let answer = at_work / i64::try_from(sends).unwrap_or(1);
        let reads = sends * (2 + reports) + 1;
        let prompt = Run { sends, reads, answer: Some(answer), accepts, reports, ..Run::default() };
        let outcome = run(Run { stops, seconds: 20, ..prompt });
        prop_assert!(outcome.longest_queue <= KEPT, "{:?}", outcome);
        prop_assert!(outcome.sent > 50, "{:?}", outcome);
    }

    #[test]
    fn only_a_probe_that_returns_lets_more_out_and_only_over_a_connection(
        steps in prop::collection::vec((0_usize..9, 0_i64..3_000, 0_usize..300), 1..400),
    ) {
        let mut window = AnswerWindow::default();
        let (mut now, mut connected) = (0, false);
        // Commands sent since a probe may last have shown something.
        let mut unproven = 0;
        for (what, pause, count) in steps {
            now += pause;
            let at = Timestamp(now);
            match what {
                0 => {
                    window.connected(true);
                    connected = true;
                }
                1 => {
                    window.disconnected();
                    connected = false;
                }
                2 if connected => window.probe_sent(at),
                3 => window.probe_confirmed(at),
                4 => (0..count).for_each(|_| window.message()),
                5 => {
                    (0..count).for_each(|_| _ = window.sent(at));
                    unproven += count;
                }
                6 => window.tick(at),
                7 => window.probe_refused(),
                _ => {
                    window.probe_returned(at);
                    window.probe_settled(at);
                    unproven = 0;
                }
            }
            let spare = window.spare();
            prop_assert!(spare <= 9_usize.saturating_sub(unproven), "step {}: {} after {}", what, spare, unproven);
            prop_assert!(spare == 0 || connected, "there is no connection");
            prop_assert!(connected || window.probe_due_at().is_none(), "a probe without a connection");
        }
    }
}
