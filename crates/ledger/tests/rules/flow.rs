//! The windows, the queue, and the ledger's capacity.

use std::collections::VecDeque;

use wilco_ledger::{Answer, Claim, Delivery, Effect, Input, Ledger, Limits, Outcome, Policy, Puback, Timestamp};

use crate::bench::{
    Bench, OUT, PLAIN, REPEATABLE, WITHOUT_ID, answer, at_broker, cancel, delivered, device, id, murmurs, out,
    presence, puback, says, submission, submit,
};

#[test]
fn firmware_without_ids_gets_one_command_at_a_time_and_no_repeat() {
    at_broker(WITHOUT_ID)
        .at(25, submit("b", WITHOUT_ID), "b submitted")
        .at(26, submit("c", WITHOUT_ID), "c submitted")
        .at(27, Input::Submit(submission("e", "f", WITHOUT_ID)), "e/f submitted; e/f handed 1; publish e/f 1")
        .at(30, murmurs(Outcome::Succeeded), "a succeeded inferred; b handed 1; publish b 1")
        .at(31, cancel("c"), "c Cancelled")
        .at(32, submit("g", WITHOUT_ID), "g submitted")
        .at(
            40,
            delivered("b", 1, Puback::Refused { code: 0x80, said: None }),
            "b Undeliverable(Refused { code: 128, said: None }); g handed 1; publish g 1",
        )
        .at(50, Input::Disconnected, "e/f delivery unknown 1; g delivery unknown 1")
        .at(60, Input::Connected, "");
}

#[test]
fn an_unsent_command_does_not_wait_for_a_resend_that_waits_for_queued_answers() {
    // Both wait behind `a`, which can only go when nothing is in flight.
    Bench::connected()
        .at(0, submit("a", WITHOUT_ID), OUT)
        .at(1, delivered("a", 1, Puback::NotTaken), "a not sent 1")
        .at(2, submit("b", REPEATABLE), "b submitted; b handed 1; publish b 1")
        .restarted()
        .at(10, submit("c", PLAIN), "c submitted")
        .at(20, Input::Connected, "")
        .at(21, Input::Resumed, "")
        .at(30, cancel("a"), "a Cancelled; c handed 1; publish c 1")
        .at(40, Input::Drained, "b handed 2; publish b 2");
}

#[test]
fn without_a_send_window_nothing_is_sent_or_sent_again_and_answers_still_count() {
    let closed = Limits { send_window: 0, ..Limits::default() };
    Bench::with(closed)
        .at(0, Input::Connected, "")
        .at(1, submit("a", REPEATABLE), "a submitted")
        .at(2, cancel("a"), "a Cancelled")
        .at(3, Input::Tick, "");
    // What was sent before it was closed waits for its answer, and for nothing else.
    let mut sent = at_broker(REPEATABLE);
    sent.ledger.set_limits(closed);
    sent.at(9_000, Input::Tick, "").wakes(Some(10_010)).at(9_001, says("a", Outcome::Succeeded), "a succeeded moved");
}

#[test]
fn the_send_window_counts_what_has_no_puback() {
    let narrow = Limits { send_window: 2, ..Limits::default() };
    let full = || {
        Bench::with(narrow)
            .at(0, Input::Connected, "")
            .at(0, submit("a", PLAIN), OUT)
            .at(1, submit("b", PLAIN), "b submitted; b handed 1; publish b 1")
            .at(2, submit("c", PLAIN), "c submitted")
            .at(3, submit("e", PLAIN), "e submitted")
    };
    full().at(4, puback("b", 1), "b at broker 1; c handed 1; publish c 1");
    full().at(4, delivered("b", 1, Puback::NotTaken), "b not sent 1; c handed 1; publish c 1");
    // An answer is no PUBACK.
    full()
        .at(4, says("a", Outcome::Succeeded), "a succeeded moved")
        .at(5, puback("a", 1), "a at broker 1; c handed 1; publish c 1")
        .at(6, puback("a", 1), "");
    full().at(4, Input::Disconnected, "a delivery unknown 1; b delivery unknown 1").at(
        5,
        Input::Connected,
        "c handed 1; publish c 1; e handed 1; publish e 1",
    );
}

#[test]
fn no_more_is_handed_over_than_a_few_times_what_the_broker_takes_at_once() {
    let handed = |at_once: Option<u16>, devices: usize| {
        let mut ledger = Ledger::new(Limits::default());
        ledger.broker_takes(at_once);
        let mut room = Vec::new();
        for number in 0..devices {
            ledger.handle(Input::Submit(submission(&format!("pump-{number}"), "a", PLAIN)), Timestamp(0));
        }
        let mut open: VecDeque<_> = ledger
            .handle(Input::Connected, Timestamp(1))
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Publish { device, id, attempt } => Some((device, id, attempt)),
                _ => None,
            })
            .collect();
        room.push((open.len(), ledger.room()));
        // Each PUBACK makes room for one more.
        if let Some((device, id, attempt)) = open.pop_front() {
            let puback = Puback::Accepted { nobody_listening: false };
            let effects = ledger.handle(Input::Delivered { device, id, attempt, puback }, Timestamp(2));
            let published = effects.iter().filter(|effect| matches!(effect, Effect::Publish { .. })).count();
            room.push((published, ledger.room()));
        }
        room
    };
    assert_eq!(handed(Some(20), 300), [(100, 0), (1, 0)]);
    assert_eq!(handed(Some(1), 300), [(5, 0), (1, 0)]);
    // The windows of the connection are narrower, or it says nothing.
    assert_eq!(handed(Some(u16::MAX), 600), [(500, 0), (0, 0)]);
    assert_eq!(handed(None, 600), [(500, 0), (0, 0)]);
    let closed = Limits { send_window: 0, ..Limits::default() };
    let mut ledger = Ledger::new(closed);
    ledger.broker_takes(Some(20));
    assert_eq!(ledger.room(), 0);
}

#[test]
fn the_answer_window_counts_what_is_unanswered_by_devices_that_are_not_silent() {
    let narrow = Limits { answer_window: 2, ..Limits::default() };
    let ask = |name: &str| Input::Submit(submission(name, "a", PLAIN));
    let full = || {
        Bench::with(narrow)
            .at(0, Input::Connected, "")
            .at(0, submit("a", PLAIN), OUT)
            .at(10, ask("e"), "e/a submitted; e/a handed 1; publish e/a 1")
            .at(20, ask("f"), "f/a submitted")
            .at(30, ask("g"), "g/a submitted")
    };
    full().at(40, says("a", Outcome::Succeeded), "a succeeded moved; f/a handed 1; publish f/a 1");
    full()
        .at(40, puback("a", 1), "a at broker 1")
        .wakes(Some(2_000))
        .at(1_999, Input::Tick, "")
        .at(2_000, Input::Tick, "f/a handed 1; publish f/a 1")
        .at(2_010, Input::Tick, "g/a handed 1; publish g/a 1");
    // A device that speaks is not silent.
    full()
        .at(1_500, says("a", Outcome::Accepted), "a accepted moved")
        .at(2_009, Input::Tick, "")
        .at(2_010, Input::Tick, "f/a handed 1; publish f/a 1")
        .at(3_499, Input::Tick, "")
        .at(3_500, Input::Tick, "g/a handed 1; publish g/a 1");
}

#[test]
fn a_command_that_its_device_accepts_before_it_was_sent_takes_a_place_in_the_answer_window() {
    let narrow = Limits { answer_window: 1, ..Limits::default() };
    Bench::with(narrow)
        .at(0, submit("a", PLAIN), "a submitted")
        .at(10, says("a", Outcome::Accepted), "a accepted moved")
        .at(20, Input::Submit(submission("e", "a", PLAIN)), "e/a submitted")
        .at(30, Input::Connected, "")
        .at(2_010, Input::Tick, "e/a handed 1; publish e/a 1");
}

#[test]
fn five_hundred_dead_devices_do_not_stall_the_rest() {
    let mut ledger = Ledger::new(Limits::default());
    ledger.handle(Input::Connected, Timestamp(0));
    let mut published = 0;
    for n in 0..1_000 {
        let effects = ledger.handle(Input::Submit(submission(&format!("dead-{n}"), "a", PLAIN)), Timestamp(0));
        for effect in effects {
            if let Effect::Publish { device, id, attempt } = effect {
                published += 1;
                let puback = Puback::Accepted { nobody_listening: false };
                ledger.handle(Input::Delivered { device, id, attempt, puback }, Timestamp(1));
            }
        }
    }
    assert_eq!(published, 500);
    let effects = ledger.handle(Input::Tick, Timestamp(2_000));
    assert_eq!(effects.len(), 1_000, "five hundred more, each recorded and published");
}

#[test]
fn the_counts_follow() {
    let check = |bench: Bench, queued: usize, held: usize, in_flight: usize| {
        let counts = bench.ledger.counts();
        assert_eq!((counts.queued, counts.held, counts.in_flight), (queued, held, in_flight));
        assert_eq!(bench.ledger.outstanding().count(), queued + held + in_flight);
    };
    check(Bench::new(), 0, 0, 0);
    check(out(PLAIN), 1, 0, 0);
    check(at_broker(PLAIN), 0, 0, 1);
    check(at_broker(PLAIN).at(30, presence(false), "").at(31, submit("b", PLAIN), "b submitted; b Held"), 0, 1, 1);
    check(at_broker(PLAIN).at(30, says("a", Outcome::Failed), "a failed moved"), 0, 0, 0);
    check(at_broker(PLAIN).restarted(), 0, 0, 1);
}

#[test]
fn the_oldest_settled_commands_are_forgotten() {
    let few = Limits { settled_kept: 2, ..Limits::default() };
    let mut bench = Bench::with(few).at(0, Input::Connected, "");
    for name in ["a", "b", "c"] {
        bench = bench.at(0, submit(name, PLAIN), &format!("{name} submitted; {name} handed 1; publish {name} 1")).at(
            0,
            says(name, Outcome::Succeeded),
            &format!("{name} succeeded moved"),
        );
    }
    for name in ["a", "b", "c"] {
        assert!(bench.ledger.is_known(&device("d"), &id(name)), "a publish is still under way");
        bench = bench.at(1, puback(name, 1), &format!("{name} at broker 1"));
    }
    assert!(!bench.ledger.is_known(&device("d"), &id("a")));
    assert!(bench.ledger.is_known(&device("d"), &id("b")));
    assert!(bench.ledger.is_known_elsewhere(&device("e"), &id("b")));
    assert!(!bench.ledger.is_known_elsewhere(&device("d"), &id("b")));
    // The store brings it back when an answer names it.
    bench.adopts("a").at(3, says("a", Outcome::Succeeded), "a succeeded duplicate");
}

#[test]
fn old_commands_are_removed_when_the_store_deletes_them() {
    let mut bench = at_broker(PLAIN).at(30, says("a", Outcome::Succeeded), "a succeeded moved").at(
        40,
        submit("b", PLAIN),
        "b submitted; b handed 1; publish b 1",
    );
    let mut check = |before: i64, known: [bool; 2]| {
        bench.ledger.take_changed();
        bench.ledger.forget(Timestamp(before), Timestamp(1_000));
        assert_eq!(["a", "b"].map(|name| bench.ledger.is_known(&device("d"), &id(name))), known, "before {before}");
    };
    check(30, [true, true]);
    check(31, [false, true]);
    // However old: it is unfinished.
    check(i64::MAX, [false, true]);
    bench.at(1_001, says("a", Outcome::Succeeded), "unsolicited UnknownId").at(
        1_002,
        says("b", Outcome::Succeeded),
        "b succeeded moved",
    );
}

#[test]
fn a_device_is_forgotten_with_all_of_it_but_not_while_it_has_something_to_do() {
    let mut bench = at_broker(PLAIN).at(20, presence(false), "");
    assert!(!bench.ledger.forget_device(&device("d")), "it may still answer");
    assert!(bench.ledger.is_busy(&device("d")) && !bench.ledger.is_busy(&device("e")));
    bench = bench.at(30, says("a", Outcome::Succeeded), "a succeeded moved");
    assert!(!bench.ledger.is_busy(&device("d")), "it has finished");
    assert!(!bench.ledger.forget_device(&device("d")), "the store has not heard of its end");
    bench.ledger.take_changed();
    assert!(bench.ledger.forget_device(&device("d")));
    assert!(!bench.ledger.is_known(&device("d"), &id("a")));
    assert!(bench.ledger.forget_device(&device("e")), "there is nothing of it");
    // It restarts, and nobody has said that it is offline.
    bench.at(40, says("a", Outcome::Succeeded), "unsolicited UnknownId").at(
        50,
        submit("b", Policy { delivery: Delivery::Now, ..PLAIN }),
        "b submitted; b handed 1; publish b 1",
    );
}

#[test]
#[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "it is the test that is timed, not the ledger")]
fn twenty_thousand_outstanding_commands_are_no_burden() {
    let mut ledger = Ledger::new(Limits { answer_window: 20_000, ..Limits::default() });
    let started = std::time::Instant::now();
    let mut published = VecDeque::new();
    let mut handle = |input: Input| {
        let effects = ledger.handle(input, Timestamp(0));
        published.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Publish { device, id, attempt } => Some((device, id, attempt)),
            Effect::Record(_) => None,
        }));
        published.len()
    };
    handle(Input::Connected);
    for n in 0..20_000 {
        handle(Input::Submit(submission(&format!("device-{n}"), "shared", REPEATABLE)));
    }
    assert_eq!(handle(Input::Tick), 500, "the send window");
    for n in 0..20_000 {
        let (device, attempt) = (device(&format!("device-{n}")), 1);
        let puback = Puback::Accepted { nobody_listening: false };
        handle(Input::Delivered { device, id: id("shared"), attempt, puback });
    }
    assert_eq!(handle(Input::Tick), 20_000);
    handle(Input::Disconnected);
    handle(Input::Connected);
    for n in 0..20_000 {
        let device = device(&format!("device-{n}"));
        handle(Input::Answer(Answer { device, ..answer(Claim::Id(id("shared")), Outcome::Succeeded) }));
    }
    assert_eq!(ledger.outstanding().count(), 0);
    assert!(started.elapsed().as_secs() < 10, "took {:?}", started.elapsed());
}
