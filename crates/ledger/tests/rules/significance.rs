//! Which messages must be recorded, and which only repeat what is known.

use wilco_ledger::{About, Claim, Outcome, Significance, Timestamp};

use crate::bench::{Bench, PLAIN, answer, at_broker, device, id, murmurs, says, submit};

/// What an answer to the command `a` would change at that time.
#[track_caller]
fn check(bench: &Bench, now: i64, outcome: Outcome, expected: Significance) {
    let answer = answer(Claim::Id(id("a")), outcome);
    assert_eq!(bench.ledger.significance(&answer, Timestamp(now)), expected, "{outcome:?} at {now}");
}

fn repeats() -> Significance {
    Significance::Repeats(Some(id("a")))
}

fn keeps_alive(is_due: bool) -> Significance {
    Significance::KeepsAlive { command: id("a"), is_due }
}

#[test]
fn state_changes_and_the_first_message_of_each_kind_are_recorded() {
    let bench = at_broker(PLAIN);
    check(&bench, 30, Outcome::Accepted, Significance::Decides);
    let bench = bench.at(30, says("a", Outcome::Accepted), "a accepted moved");
    check(&bench, 40, Outcome::Accepted, Significance::Decides);
    let bench = bench.at(40, says("a", Outcome::Accepted), "a accepted duplicate");
    check(&bench, 50, Outcome::Accepted, keeps_alive(false));
    check(&bench, 50, Outcome::Succeeded, Significance::Decides);
    let bench = bench.at(50, says("a", Outcome::Succeeded), "a succeeded moved");
    check(&bench, 60, Outcome::Succeeded, repeats());
    check(&bench, 60, Outcome::Running, repeats());
    check(&bench, 60, Outcome::Failed, Significance::Decides);
    let bench = bench.at(60, says("a", Outcome::Failed), "a failed conflict");
    check(&bench, 70, Outcome::Failed, repeats());
}

#[test]
fn a_sign_of_life_is_recorded_four_times_in_a_timeout() {
    let bench = at_broker(PLAIN).at(100, says("a", Outcome::Running), "a running moved");
    check(&bench, 2_599, Outcome::Running, keeps_alive(false));
    check(&bench, 2_600, Outcome::Running, keeps_alive(true));
    // An end is never taken for one.
    check(&bench, 2_599, Outcome::Failed, Significance::Decides);
    let bench = bench.at(2_600, says("a", Outcome::Running), "a running heartbeat");
    check(&bench, 5_099, Outcome::Running, keeps_alive(false));
}

#[test]
fn an_answer_after_the_timeout_is_recorded_once() {
    let bench = at_broker(PLAIN).at(10_100, wilco_ledger::Input::Tick, "a TimedOut(Silence)");
    check(&bench, 10_200, Outcome::Succeeded, Significance::Decides);
    let bench = bench.at(10_200, says("a", Outcome::Succeeded), "a succeeded late");
    // The first duplicate is recorded, too.
    let bench = bench.at(10_300, says("a", Outcome::Succeeded), "a succeeded duplicate");
    check(&bench, 10_400, Outcome::Succeeded, repeats());
}

#[test]
fn messages_of_no_command_change_nothing() {
    let bench = Bench::connected();
    check(&bench, 0, Outcome::Succeeded, Significance::Repeats(None));
    let unreadable = |bench: &Bench, about: &About, retained: bool| {
        bench.ledger.weight_of_unreadable(&device("d"), about, retained, Timestamp(50))
    };
    assert_eq!(unreadable(&bench, &About::Unnamed, false), Significance::Repeats(None));
    let bench = at_broker(PLAIN);
    assert_eq!(unreadable(&bench, &About::Unnamed, false), Significance::Decides);
    assert_eq!(unreadable(&bench, &About::Unnamed, true), Significance::Repeats(None));
}

#[test]
fn an_answer_that_is_passed_over_leaves_the_same_doubt_as_a_recorded_one() {
    // Two commands may be meant, so the first answer without an ID is for the older one, and the next for neither.
    let bench = || at_broker(PLAIN).at(30, submit("b", PLAIN), "b submitted; b handed 1; publish b 1");
    let mut passed = bench().at(40, murmurs(Outcome::Succeeded), "a succeeded ambiguous");
    let nameless = answer(Claim::Nothing, Outcome::Succeeded);
    assert_eq!(passed.ledger.significance(&nameless, Timestamp(50)), repeats());
    passed.ledger.pass_over(&nameless, Timestamp(50));
    let recorded = bench().at(40, murmurs(Outcome::Succeeded), "a succeeded ambiguous").at(
        50,
        murmurs(Outcome::Succeeded),
        "a succeeded ambiguous",
    );
    for bench in [passed, recorded] {
        bench.at(60, says("b", Outcome::Succeeded), "b succeeded moved").look("a", |command| {
            assert!(!command.is_settled());
        });
    }
}
