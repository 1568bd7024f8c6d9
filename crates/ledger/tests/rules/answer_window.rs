//! The answer window against a broker with a limited queue, and devices that answer late or never.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use wilco_ledger::{AnswerWindow, Timestamp};

/// So many messages mosquitto keeps for a client.
const KEPT: usize = 1_000;
/// So many commands may always wait for answers, if that is less than the window says.
const FEW: usize = 250;
/// A device without an answer counts for so long, milliseconds.
const SILENT_AFTER: i64 = 2_000;

/// Devices and a console as they are in one run.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Commands that the console sends in a millisecond, if it may.
    sends: usize,
    /// Messages that it reads in a millisecond.
    reads: usize,
    /// From a command to its last answer, milliseconds. `None`: there is none.
    answer: Option<i64>,
    /// Devices say at once that they have accepted a command.
    accepts: bool,
    /// So many messages more come with the last answer: reports.
    reports: usize,
    /// The console reads nothing for so long, milliseconds, every three seconds.
    stops: i64,
    seconds: i64,
}

impl Default for Run {
    fn default() -> Run {
        Run { sends: 10, reads: 30, answer: None, accepts: false, reports: 0, stops: 0, seconds: 10 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Message {
    /// A device has accepted a command, or reports.
    Other,
    Done {
        sent_at: i64,
    },
    Probe,
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
    let mut answers: BTreeMap<i64, usize> = BTreeMap::new();
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
        let reads = if now % 3_000 < run.stops { 0 } else { run.reads };
        for _ in 0..reads {
            let Some(message) = queue.pop_front() else { break };
            match message {
                Message::Probe => window.probe_returned(at),
                Message::Other => window.message(),
                Message::Done { sent_at } => {
                    window.message();
                    if let Some(count) = counted.get_mut(&sent_at) {
                        *count -= 1;
                        awaited -= 1;
                    }
                }
            }
        }
        window.tick(at);
        let few = FEW.min(window.always());
        let sends = run.sends.min(window.spare().max(few.saturating_sub(awaited)));
        (0..sends).for_each(|_| window.sent());
        outcome.sent += sends;
        counted.insert(now, sends);
        awaited += sends;
        if run.accepts {
            queue.extend(std::iter::repeat_n(Message::Other, sends));
        }
        if let Some(answer) = run.answer {
            answers.insert(now + answer, sends);
        }
        if let Some(count) = answers.remove(&now) {
            let sent_at = now - run.answer.unwrap_or(0);
            for _ in 0..count {
                queue.push_back(Message::Done { sent_at });
                queue.extend(std::iter::repeat_n(Message::Other, run.reports));
            }
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
    for answer in [None, Some(5_000)] {
        for accepts in [false, true] {
            let outcome = run(Run { answer, accepts, seconds: 20, ..Run::default() });
            assert!(outcome.sent > 9_000 * 20, "{answer:?}, accepts: {accepts}: {outcome:?}");
        }
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

    /// Answers that wait for a console that is stopped for a while are not those of silent devices. (Devices that take
    /// long may be asked in any number, so they may answer in any number.)
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
        let outcome = run(Run { sends, reads, answer: Some(answer), accepts, reports, stops, seconds: 20 });
        prop_assert!(outcome.longest_queue <= KEPT, "{:?}", outcome);
        prop_assert!(outcome.sent > 50, "{:?}", outcome);
    }

    #[test]
    fn only_a_probe_that_returns_lets_more_out_and_only_over_a_connection(
        steps in prop::collection::vec((0_usize..9, 0_i64..3_000, 0_usize..300), 1..400),
    ) {
        let mut window = AnswerWindow::default();
        let (mut now, mut connected) = (0, false);
        for (what, pause, count) in steps {
            now += pause;
            let at = Timestamp(now);
            let before = window.spare();
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
                5 => (0..count).for_each(|_| window.sent()),
                6 => window.tick(at),
                7 => window.probe_refused(),
                _ => window.probe_returned(at),
            }
            let spare = window.spare();
            prop_assert!(spare <= before || what == 8, "step {} let out {} instead of {}", what, spare, before);
            prop_assert!(spare == 0 || connected, "there is no connection");
            prop_assert!(connected || window.probe_due_at().is_none(), "a probe without a connection");
        }
    }
}
