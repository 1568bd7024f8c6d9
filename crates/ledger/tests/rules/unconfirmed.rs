//! Commands without an expected answer: the PUBACK finishes them, and a later answer still settles them.

use wilco_ledger::{Answer, Claim, Input, Limits, Match, Outcome, Policy, Puback};

use crate::bench::{
    Bench, OUT, PLAIN, REPEATABLE, WITHOUT_ID, answer, at_broker, cancel, delivered, device, id, murmurs, out,
    presence, puback, says, sent, submission, submit,
};

const QUIET: Policy = Policy { answer_expected: false, ..PLAIN };

/// As [`QUIET`], for firmware that answers without an id if it answers at all.
const QUIET_WITHOUT_ID: Policy = Policy { answer_expected: false, ..WITHOUT_ID };

const ENDED: &str = "a at broker 1; a Unconfirmed";

/// The command `a`, finished at 20.
fn unconfirmed(policy: Policy) -> Bench {
    out(policy).at(10, sent("a", 1), "a sent 1").at(20, puback("a", 1), ENDED)
}

/// The same, and the command `b` of the same device after it, awaiting its answer.
fn then_asked(policy: Policy) -> Bench {
    unconfirmed(policy).at(30, submit("b", WITHOUT_ID), "b submitted; b handed 1; publish b 1").at(
        40,
        puback("b", 1),
        "b at broker 1",
    )
}

#[test]
fn the_puback_is_the_end() {
    unconfirmed(QUIET)
        .shows("a", "unconfirmed", "The broker has it. No answer is expected.")
        .wakes(None)
        .at(30, puback("a", 1), "")
        .at(31, cancel("a"), "")
        .at(32, Input::Disconnected, "")
        .at(33, Input::Connected, "")
        .at(90_000, Input::Tick, "");
    out(QUIET)
        .at(
            20,
            delivered("a", 1, Puback::Accepted { nobody_listening: true }),
            "a at broker 1, nobody listening; a Unconfirmed",
        )
        .shows(
            "a",
            "unconfirmed",
            "The broker has it, but reported no subscribers on the device's topic. No answer is expected.",
        );
    // What the broker keeps for a device that is away has been delivered as far as MQTT can tell.
    let held = Policy { delivery: wilco_ledger::Delivery::BrokerHolds, ..QUIET };
    Bench::connected().at(0, presence(false), "").at(1, submit("a", held), OUT).at(2, puback("a", 1), ENDED);
}

#[test]
fn a_refusal_is_the_end_too() {
    out(QUIET)
        .at(
            20,
            delivered("a", 1, Puback::Refused { code: 0x87, said: None }),
            "a Undeliverable(Refused { code: 135, said: None })",
        )
        .shows("a", "undeliverable", "The broker refused it: not authorized (0x87). The device did not receive it.");
    out(QUIET).at(20, delivered("a", 1, Puback::TooLarge { bytes: 9 }), "a Undeliverable(TooLarge { bytes: 9 })");
}

#[test]
fn without_a_puback_it_times_out_or_is_sent_again() {
    out(QUIET)
        .at(10, sent("a", 1), "a sent 1")
        .at(10_010, Input::Tick, "a TimedOut(MayHaveRun)")
        .shows(
            "a",
            "timed_out",
            "No acknowledgement within 10 s. It was sent, but no acknowledgement from the broker was recorded, so it \
             may have run.",
        )
        .at(10_020, puback("a", 1), "a at broker 1")
        .shows(
            "a",
            "timed_out",
            "No acknowledgement in time. The broker acknowledged it only afterwards; the device may still run it.",
        );
    out(QUIET)
        .at(10, Input::Disconnected, "a delivery unknown 1")
        .at(20, Input::Connected, "")
        .at(10_000, Input::Tick, "a TimedOut(MayHaveRun)")
        .shows(
            "a",
            "timed_out",
            "No acknowledgement within 10 s. The connection was lost while it was being sent, so it may have run.",
        )
        .at(10_001, says("a", Outcome::Succeeded), "a succeeded late");
    out(Policy { answer_expected: false, ..REPEATABLE })
        .at(10, Input::Disconnected, "a delivery unknown 1")
        .at(20, Input::Connected, "a handed 2; publish a 2")
        .at(30, puback("a", 2), "a at broker 2; a Unconfirmed")
        // Silence is what was expected: no retry.
        .at(59_000, Input::Tick, "");
}

#[test]
fn an_answer_settles_it_before_and_after_its_end() {
    unconfirmed(QUIET)
        .at(30, says("a", Outcome::Accepted), "a accepted aftertheend")
        .at(31, says("a", Outcome::Succeeded), "a succeeded moved")
        .look("a", |command| assert_eq!((command.state.as_str(), command.late), ("succeeded", false)))
        .at(32, says("a", Outcome::Succeeded), "a succeeded duplicate")
        .at(33, says("a", Outcome::Failed), "a failed conflict")
        .shows("a", "succeeded", "");
    unconfirmed(QUIET).at(80_000, says("a", Outcome::Rejected), "a rejected moved").shows("a", "rejected", "");
    out(QUIET)
        .at(10, says("a", Outcome::Succeeded), "a succeeded moved")
        .at(20, puback("a", 1), "a at broker 1")
        .shows("a", "succeeded", "");
    out(QUIET)
        .at(10, says("a", Outcome::Accepted), "a accepted moved")
        .at(20, puback("a", 1), ENDED)
        .shows("a", "unconfirmed", "The device has it. No further answer is expected.")
        .at(30, says("a", Outcome::Failed), "a failed moved");
    // Without a PUBACK: the device has it, so the broker had it.
    out(QUIET).at(20, says("a", Outcome::Accepted), "a accepted moved").at(30_000, Input::Tick, "a Unconfirmed").shows(
        "a",
        "unconfirmed",
        "The device has it. No further answer is expected.",
    );
    out(QUIET)
        .at(20, says("a", Outcome::Running), "a running moved")
        .at(10_020, Input::Tick, "a TimedOut(HeartbeatsStopped)")
        .at(10_021, says("a", Outcome::Succeeded), "a succeeded late");
    // An old or a foreign answer does not.
    unconfirmed(QUIET)
        .at(
            30,
            Input::Answer(Answer { retained: true, ..answer(Claim::Nothing, Outcome::Succeeded) }),
            "unsolicited Retained",
        )
        .at(
            31,
            Input::Answer(Answer { device: device("e"), ..answer(Claim::Id(id("a")), Outcome::Succeeded) }),
            "unsolicited OtherDevice",
        )
        .shows("a", "unconfirmed", "The broker has it. No answer is expected.");
}

#[test]
fn a_restart_changes_nothing_of_it() {
    out(QUIET).at(10, sent("a", 1), "a sent 1").restarted().at(20, Input::Connected, "").at(
        10_010,
        Input::Tick,
        "a TimedOut(MayHaveRun)",
    );
    // Not taken in at the start, it is unknown until an answer names it and the store hands it over.
    unconfirmed(QUIET)
        .restarted()
        .at(30, Input::Connected, "")
        .at(31, says("a", Outcome::Succeeded), "unsolicited UnknownId")
        .adopts("a")
        .at(32, says("a", Outcome::Succeeded), "a succeeded moved");
    // Taken in at the start, it can be meant by an answer without an id as before.
    unconfirmed(QUIET_WITHOUT_ID)
        .restarted()
        .adopts("a")
        .at(30, Input::Connected, "")
        .at(31, submit("b", WITHOUT_ID), "b submitted; b handed 1; publish b 1")
        .at(32, murmurs(Outcome::Succeeded), "a succeeded ambiguous");
}

#[test]
fn the_oldest_is_the_one_asked_first_whenever_it_was_taken_in() {
    let taken_in_last = |submission: [(&str, i64); 2]| {
        let [(first, at), (second, then)] = submission;
        Bench::connected()
            .at(at, submit(first, QUIET), &format!("{first} submitted; {first} handed 1; publish {first} 1"))
            .at(at, puback(first, 1), &format!("{first} at broker 1; {first} Unconfirmed"))
            .at(then, submit(second, PLAIN), &format!("{second} submitted; {second} handed 1; publish {second} 1"))
            .restarted()
            .adopts(first)
            .at(30, murmurs(Outcome::Accepted), &format!("{first} accepted ambiguous"))
    };
    taken_in_last([("a", 0), ("b", 0)]);
    taken_in_last([("b", 0), ("a", 1)]);
}

#[test]
fn it_does_not_count_among_the_awaited() {
    let narrow = Limits { answer_window: 1, ..Limits::default() };
    let ask = |name: &str, policy: Policy| Input::Submit(submission(name, "a", policy));
    Bench::with(narrow)
        .at(0, Input::Connected, "")
        .at(0, submit("a", QUIET), OUT)
        .at(1, ask("e", QUIET), "e/a submitted; e/a handed 1; publish e/a 1")
        .at(2, ask("f", PLAIN), "f/a submitted; f/a handed 1; publish f/a 1")
        .at(3, ask("g", PLAIN), "g/a submitted")
        // The window is full of what is awaited; both kinds wait for room in the order in which they came.
        .at(4, ask("h", QUIET), "h/a submitted")
        .at(5, puback("a", 1), ENDED)
        .at(2_002, Input::Tick, "g/a handed 1; publish g/a 1")
        .at(4_002, Input::Tick, "h/a handed 1; publish h/a 1");
}

#[test]
fn an_answer_without_an_id_settles_it_while_it_can_be_meant() {
    unconfirmed(QUIET_WITHOUT_ID)
        .at(30, murmurs(Outcome::Accepted), "a accepted aftertheend")
        .at(10_009, murmurs(Outcome::Succeeded), "a succeeded inferred")
        .look("a", |command| assert_eq!(command.matched, Some(Match::Inferred)))
        .at(10_009, murmurs(Outcome::Succeeded), "unsolicited NothingOutstanding");
    unconfirmed(QUIET_WITHOUT_ID).at(10_010, murmurs(Outcome::Succeeded), "unsolicited NothingOutstanding").shows(
        "a",
        "unconfirmed",
        "The broker has it. No answer is expected.",
    );
    // A time-out of another one leaves its doubt here too.
    at_broker(PLAIN)
        .at(10_010, Input::Tick, "a TimedOut(Silence)")
        .at(10_011, submit("b", QUIET), "b submitted; b handed 1; publish b 1")
        .at(10_012, puback("b", 1), "b at broker 1; b Unconfirmed")
        .at(10_013, murmurs(Outcome::Succeeded), "b succeeded ambiguous");
}

#[test]
fn it_does_not_hold_up_the_next_one() {
    out(QUIET_WITHOUT_ID)
        .at(5, submit("b", QUIET_WITHOUT_ID), "b submitted")
        .at(20, puback("a", 1), "a at broker 1; a Unconfirmed; b handed 1; publish b 1")
        .at(30, puback("b", 1), "b at broker 1; b Unconfirmed")
        // In the order in which they were asked; the first of two is nobody's for sure.
        .at(40, murmurs(Outcome::Succeeded), "a succeeded ambiguous")
        .at(50, murmurs(Outcome::Succeeded), "b succeeded inferred")
        .shows("a", "unconfirmed", "The broker has it. No answer is expected.");
}

#[test]
fn its_answer_is_not_taken_for_the_next_one_s() {
    let none = |bench: Bench| bench.shows("b", "at_broker", "");
    none(then_asked(QUIET_WITHOUT_ID).at(50, murmurs(Outcome::Succeeded), "a succeeded ambiguous")).at(
        60,
        murmurs(Outcome::Succeeded),
        "b succeeded inferred",
    );
    // Until a final answer has come, either may be meant.
    none(then_asked(QUIET_WITHOUT_ID).at(50, murmurs(Outcome::Accepted), "a accepted ambiguous").at(
        51,
        murmurs(Outcome::Succeeded),
        "a succeeded ambiguous",
    ))
    .at(60, murmurs(Outcome::Failed), "b failed inferred");
    // A text that names neither is no better; one that names one of them is.
    let within = |text: &str| Input::Answer(answer(Claim::Within(text.into()), Outcome::Succeeded));
    none(then_asked(QUIET_WITHOUT_ID).at(50, within("SUCCESS: light: on"), "a succeeded ambiguous"));
    then_asked(QUIET_WITHOUT_ID).at(50, within("SUCCESS: b"), "b succeeded moved");
    none(then_asked(QUIET_WITHOUT_ID).at(50, within("SUCCESS: a"), "a succeeded moved")).at(
        60,
        murmurs(Outcome::Succeeded),
        "b succeeded inferred",
    );
    // Later than an answer to it would have come, only the next one can be meant.
    then_asked(QUIET_WITHOUT_ID).at(10_010, murmurs(Outcome::Succeeded), "b succeeded inferred");
    then_asked(QUIET_WITHOUT_ID).at(10_009, murmurs(Outcome::Succeeded), "a succeeded ambiguous");
    // What was asked before it is answered before it.
    at_broker(PLAIN)
        .at(25, submit("b", QUIET), "b submitted; b handed 1; publish b 1")
        .at(26, puback("b", 1), "b at broker 1; b Unconfirmed")
        .at(30, murmurs(Outcome::Succeeded), "a succeeded ambiguous")
        .at(31, murmurs(Outcome::Succeeded), "a succeeded ambiguous")
        .at(32, says("a", Outcome::Succeeded), "a succeeded moved")
        .at(33, murmurs(Outcome::Succeeded), "b succeeded inferred");
}

#[test]
fn one_that_is_forgotten_leaves_its_doubt_as_long_as_it_could_be_answered() {
    let forgetful = Limits { settled_kept: 0, ..Limits::default() };
    let forgotten_at = |now: i64| {
        Bench::with(forgetful)
            .at(0, Input::Connected, "")
            .at(0, submit("a", QUIET_WITHOUT_ID), OUT)
            .at(20, puback("a", 1), ENDED)
            .at(now, Input::Tick, "")
            .at(now, submit("b", WITHOUT_ID), "b submitted; b handed 1; publish b 1")
    };
    forgotten_at(9_999).at(10_050, murmurs(Outcome::Succeeded), "b succeeded ambiguous");
    forgotten_at(10_000).at(10_050, murmurs(Outcome::Succeeded), "b succeeded inferred");
}
