//! No second has more sends than the broker accepts, and nothing else changes because of that.

use wilco_ledger::{Effect, Input, Ledger, Limits, Millis, Outcome, Policy, Puback, Timestamp};

use crate::bench::{Bench, OUT, PLAIN, REPEATABLE, cancel, delivered, puback, says, sent, submission, submit};

const TWO: Limits = Limits {
    send_window: 500,
    answer_window: 500,
    silent_after: Millis::seconds(2),
    sends_per_second: Some(2),
    return_within: Millis::seconds(5),
    earlier_answers_within: Millis::seconds(5),
    earlier_answers_at_most: Millis::seconds(30),
    settled_kept: 10_000,
};

fn out(name: &str) -> String {
    format!("{name} submitted; {name} handed 1; publish {name} 1")
}

/// Both sends of the first second are used up, and `c` waits.
fn waiting(policy: Policy) -> Bench {
    Bench::with(TWO)
        .at(0, Input::Connected, "")
        .at(0, submit("a", PLAIN), OUT)
        .at(400, submit("b", PLAIN), &out("b"))
        .at(500, submit("c", policy), "c submitted")
}

#[test]
fn sends_beyond_the_rate_wait_for_the_next_second() {
    waiting(PLAIN)
        .wakes(Some(1_001))
        .at(600, submit("e", PLAIN), "e submitted")
        .at(700, puback("a", 1), "a at broker 1")
        .at(800, says("b", Outcome::Succeeded), "b succeeded moved")
        .at(1_000, Input::Tick, "")
        .at(1_001, Input::Tick, "c handed 1; publish c 1")
        .wakes(Some(1_401))
        .at(1_401, Input::Tick, "e handed 1; publish e 1")
        // Nothing waits, so only answers are waited for.
        .wakes(Some(10_000));
    // After a pause the whole second is there again, and no more than that.
    waiting(PLAIN).at(9_000, submit("e", PLAIN), "e submitted; c handed 1; publish c 1; e handed 1; publish e 1").at(
        9_001,
        submit("f", PLAIN),
        "f submitted",
    );
}

#[test]
fn a_second_begins_when_a_send_is_written_and_not_when_it_is_handed_over() {
    waiting(PLAIN)
        .at(700, sent("a", 1), "a sent 1")
        .wakes(Some(1_401))
        .at(1_001, Input::Tick, "")
        .at(1_401, Input::Tick, "c handed 1; publish c 1")
        .at(1_402, sent("c", 1), "c sent 1")
        .at(1_500, submit("e", PLAIN), "e submitted")
        .wakes(Some(1_701))
        .at(1_701, Input::Tick, "e handed 1; publish e 1");
}

#[test]
fn waiting_commands_can_be_cancelled_and_expire() {
    waiting(PLAIN).at(600, cancel("c"), "c Cancelled").wakes(Some(10_000)).at(1_001, Input::Tick, "");
    let brief = Policy { time_to_live: Millis(300), ..PLAIN };
    waiting(brief)
        .wakes(Some(800))
        .at(800, Input::Tick, "c Expired")
        .shows("c", "expired", "It could not be sent within 300 ms. It was not sent, and will not be.")
        .at(1_001, Input::Tick, "");
    // The next send and the end of life at once: the end counts.
    waiting(Policy { time_to_live: Millis(501), ..PLAIN }).at(1_001, Input::Tick, "c Expired");
}

#[test]
fn repeats_count_and_so_does_what_was_not_taken() {
    Bench::with(TWO)
        .at(0, Input::Connected, "")
        .at(0, submit("a", REPEATABLE), OUT)
        .at(20, puback("a", 1), "a at broker 1")
        .at(1_500, submit("b", PLAIN), &out("b"))
        .at(1_600, submit("c", PLAIN), &out("c"))
        .wakes(Some(2_065))
        .at(2_065, Input::Tick, "")
        .wakes(Some(2_501))
        .at(2_501, Input::Tick, "a handed 2; publish a 2")
        .at(2_502, submit("e", PLAIN), "e submitted")
        .at(2_601, Input::Tick, "e handed 1; publish e 1");
    waiting(PLAIN).at(600, delivered("b", 1, Puback::NotTaken), "b not sent 1").wakes(Some(1_001));
}

#[test]
fn a_new_session_starts_no_new_second() {
    waiting(PLAIN)
        .at(600, Input::Disconnected, "a delivery unknown 1; b delivery unknown 1")
        .wakes(Some(10_000))
        .at(700, Input::Connected, "")
        .wakes(Some(1_001))
        .at(1_001, Input::Tick, "c handed 1; publish c 1");
}

#[test]
fn a_closed_window_is_not_woken_for_the_next_second() {
    let narrow = Limits { send_window: 2, ..TWO };
    Bench::with(narrow)
        .at(0, Input::Connected, "")
        .at(0, submit("a", PLAIN), OUT)
        .at(1, submit("b", PLAIN), &out("b"))
        .at(2, submit("c", PLAIN), "c submitted")
        .wakes(Some(10_000))
        .at(3, puback("a", 1), "a at broker 1")
        .wakes(Some(1_001))
        .at(1_001, Input::Tick, "c handed 1; publish c 1");
}

#[test]
fn a_fan_out_takes_as_long_as_it_must_and_leaves_nobody_out() {
    const DEVICES: usize = 1_000;
    let mut ledger = Ledger::new(Limits { send_window: DEVICES, sends_per_second: Some(100), ..Limits::default() });
    ledger.handle(Input::Connected, Timestamp(0));
    let mut published = Vec::new();
    let mut note = |effects: Vec<Effect>, now: Timestamp| {
        let publishes = effects.iter().filter(|effect| matches!(effect, Effect::Publish { .. })).count();
        published.extend(std::iter::repeat_n(now.0, publishes));
        published.len()
    };
    for number in 0..DEVICES {
        let policy = Policy { answer_expected: false, ..PLAIN };
        let submission = Input::Submit(submission(&format!("device-{number}"), "a", policy));
        note(ledger.handle(submission, Timestamp(0)), Timestamp(0));
    }
    while let Some(now) = ledger.next_deadline() {
        if note(ledger.handle(Input::Tick, now), now) == DEVICES {
            break;
        }
    }
    assert_eq!(published.len(), DEVICES);
    assert_eq!(published.last(), Some(&9_999));
    assert!(published.windows(11).all(|sends| sends[10] - sends[0] > 100), "they are not spread");
    assert!(published.windows(101).all(|sends| sends[100] - sends[0] > 1_000));
}
