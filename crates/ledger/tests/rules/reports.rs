//! Commands whose only answer is a report of the device's state, which is also sent for other reasons.

use std::sync::Arc;

use wilco_ledger::{
    About, Claim, Expectation, Fact, Input, Match, Outcome, Policy, Raw, Report, Reported, Significance, Submission,
    Term, Timestamp, WireForm,
};

use crate::bench::{Bench, PLAIN, WITHOUT_ID, device, id, murmurs, presence, puback, sent, submission};

/// A command that is answered by state alone.
const BY_STATE: Policy = Policy { answers_carry_ids: false, ..PLAIN };

fn expecting(name: &str, terms: &[(&str, Option<&str>)], words_under: &[&str]) -> Submission {
    let term = |(key, value): &(&str, Option<&str>)| Term { key: (*key).into(), value: value.map(Into::into) };
    let expects = Expectation::State {
        terms: terms.iter().map(term).collect(),
        words_under: words_under.iter().map(|key| (*key).into()).collect(),
    };
    with(name, expects)
}

fn with(name: &str, expects: Expectation) -> Submission {
    let form = WireForm { expects: Some(Box::new(expects)), ..WireForm::default() };
    Submission { form: Some(Arc::new(form)), ..submission("d", name, BY_STATE) }
}

fn out(submission: Submission) -> Bench {
    Bench::connected()
        .at(0, Input::Submit(submission), "a submitted; a handed 1; publish a 1")
        .at(10, sent("a", 1), "a sent 1")
        .at(20, puback("a", 1), "a at broker 1")
}

fn reported(values: &[(&str, &str)]) -> Report {
    let words = [("Error", Outcome::Failed), ("Restarting", Outcome::Accepted), ("Done", Outcome::Succeeded)];
    let one = |(key, value): &(&str, &str)| Reported {
        key: (*key).into(),
        value: (*value).into(),
        own: None,
        word: words.iter().find(|(word, _)| word == value).map(|(_, outcome)| *outcome),
    };
    Report {
        device: device("d"),
        values: values.iter().map(one).collect(),
        met: Outcome::Succeeded,
        steps: false,
        retained: false,
        raw: Raw::default(),
    }
}

fn reports(values: &[(&str, &str)]) -> Input {
    Input::Report(reported(values))
}

#[test]
fn a_report_of_what_was_asked_settles_the_command() {
    out(expecting("a", &[("POWER", Some("ON"))], &[]))
        .at(30, reports(&[("POWER", "on"), ("Dimmer", "40")]), "a succeeded inferred")
        .look("a", |command| assert_eq!(command.matched, Some(Match::Reported)))
        // The device says it twice.
        .at(31, reports(&[("POWER", "ON")]), "");
}

#[test]
fn a_wall_switch_pressed_in_the_middle_is_no_answer() {
    out(expecting("a", &[("POWER", Some("OFF"))], &[]))
        .at(30, reports(&[("POWER", "ON")]), "")
        .at(31, reports(&[("Dimmer", "0")]), "")
        .shows("a", "at_broker", "")
        .at(40, reports(&[("POWER", "OFF")]), "a succeeded inferred");
    out(expecting("a", &[("POWER", Some("OFF"))], &[])).at(30, reports(&[("POWER", "ON")]), "").at(
        10_010,
        Input::Tick,
        "a TimedOut(Silence)",
    );
}

#[test]
fn a_command_that_no_report_met_says_what_was_missing() {
    out(expecting("a", &[("POWER", Some("OFF"))], &[])).at(10_010, Input::Tick, "a TimedOut(Silence)").shows(
        "a",
        "timed_out",
        "The device did not report POWER = OFF within 10 s. The broker has it; the device may still run it.",
    );
    // What is reported long afterwards may be anybody's doing.
    out(expecting("a", &[("POWER", Some("OFF"))], &[])).at(10_010, Input::Tick, "a TimedOut(Silence)").at(
        90_000,
        reports(&[("POWER", "OFF")]),
        "",
    );
}

#[test]
fn all_of_what_was_asked_must_be_so_at_once() {
    let lamp = || out(expecting("a", &[("state", Some("ON")), ("brightness", Some("50"))], &[]));
    lamp().at(30, reports(&[("state", "ON"), ("brightness", "10")]), "");
    lamp().at(30, reports(&[("state", "ON")]), "").at(31, reports(&[("brightness", "50.0")]), "a succeeded inferred");
    lamp()
        .at(30, reports(&[("state", "ON")]), "")
        .at(31, reports(&[("state", "OFF")]), "")
        .at(32, reports(&[("brightness", "50")]), "")
        .at(33, reports(&[("state", "ON")]), "a succeeded inferred");
}

#[test]
fn whatever_the_state_is_answers_a_toggle() {
    out(expecting("a", &[("POWER", None)], &[])).at(30, reports(&[("Dimmer", "3")]), "").at(
        31,
        reports(&[("POWER", "OFF")]),
        "a succeeded inferred",
    );
}

#[test]
fn a_word_in_place_of_the_value_says_how_it_went() {
    out(expecting("a", &[("Dimmer", Some("40"))], &[]))
        .at(30, reports(&[("Dimmer", "Error")]), "a failed inferred")
        .shows("a", "failed", "Error");
    // A value that happens to be such a word is that value.
    out(expecting("a", &[("Name", Some("Error"))], &[])).at(30, reports(&[("Name", "Error")]), "a succeeded inferred");
    out(expecting("a", &[("started", None)], &["Restart"]))
        .at(30, reports(&[("Restart", "Restarting")]), "a accepted inferred")
        .at(31, reports(&[("Fade", "OFF")]), "")
        .at(32, reports(&[("Restart", "Restarting")]), "a accepted duplicate")
        .shows("a", "accepted", "")
        .at(40, reports(&[("started", "Online")]), "a succeeded inferred");
}

#[test]
fn a_repeated_request_is_accepted_and_a_number_on_its_way_is_running() {
    let target = |value: &str| Input::Report(Report { met: Outcome::Accepted, ..reported(&[("level", value)]) });
    let step = |value: &str| Input::Report(Report { steps: true, ..reported(&[("level", value)]) });
    out(expecting("a", &[("level", Some("100"))], &[]))
        .at(30, step("10"), "")
        .at(31, target("50"), "")
        .at(32, target("100"), "a accepted inferred")
        .at(33, step("20"), "a running inferred")
        .at(34, step("40"), "a running heartbeat")
        .at(35, step("off"), "")
        .at(36, step("100"), "a succeeded inferred");
}

#[test]
fn a_retained_report_another_device_s_and_one_before_the_send_settle_nothing() {
    out(expecting("a", &[("POWER", Some("ON"))], &[]))
        .at(30, Input::Report(Report { retained: true, ..reported(&[("POWER", "ON")]) }), "")
        .at(31, Input::Report(Report { device: device("e"), ..reported(&[("POWER", "ON")]) }), "");
    Bench::new().at(0, Input::Submit(expecting("a", &[("POWER", Some("ON"))], &[])), "a submitted").at(
        1,
        reports(&[("POWER", "ON")]),
        "",
    );
    Bench::connected()
        .at(0, presence(false), "")
        .at(1, Input::Submit(expecting("a", &[("POWER", Some("ON"))], &[])), "a submitted; a Held")
        .at(2, reports(&[("POWER", "ON")]), "");
}

#[test]
fn a_report_settles_another_console_s_command_beside_ours() {
    out(expecting("a", &[("POWER", Some("ON"))], &[]))
        .at(25, Input::Observed(expecting("x", &[("POWER", Some("ON"))], &[])), "x observed")
        .at(26, Input::Observed(expecting("y", &[("POWER", Some("OFF"))], &[])), "y observed")
        .at(30, reports(&[("POWER", "ON")]), "a succeeded inferred; x succeeded inferred");
}

#[test]
fn a_device_that_reports_nothing_back_ends_as_unconfirmed_by_the_reason() {
    let expects = Expectation::Nothing("Its discovery has no state topic, so it cannot report back.".into());
    let quiet = Submission { policy: Policy { answer_expected: false, ..BY_STATE }, ..with("a", expects) };
    Bench::connected()
        .at(0, Input::Submit(quiet), "a submitted; a handed 1; publish a 1")
        .at(10, puback("a", 1), "a at broker 1; a Unconfirmed")
        .at(20, reports(&[("POWER", "ON")]), "")
        .shows("a", "unconfirmed", "Sent. Its discovery has no state topic, so it cannot report back.");
}

#[test]
fn a_refusal_without_an_id_still_settles_the_only_command() {
    out(expecting("a", &[("POWER", Some("ON"))], &[])).at(30, murmurs(Outcome::Rejected), "a rejected inferred");
}

#[test]
fn a_command_settled_by_a_report_shows_this() {
    let mut bench = out(expecting("a", &[("POWER", Some("ON"))], &[]));
    bench = bench.at(30, reports(&[("POWER", "ON")]), "a succeeded inferred");
    let answered = bench.events.iter().find_map(|event| match &event.fact {
        Fact::Answered { answer, .. } => Some(answer.claim.clone()),
        _ => None,
    });
    assert_eq!(answered, Some(Claim::State));
}

#[test]
fn a_command_that_expects_no_report_is_settled_by_none() {
    crate::bench::at_broker(WITHOUT_ID).at(30, reports(&[("POWER", "ON")]), "").shows("a", "at_broker", "");
}

#[test]
fn a_report_that_cannot_be_read_is_told_to_every_command_that_waits_for_one() {
    let unreadable = |of: &str, retained: bool| {
        let raw = Raw { topic: "d/state".into(), payload: b"{\"POWER\":".as_slice().into(), qos: 1, cut: None };
        Input::Unreadable { device: device(of), raw, why: "It is cut off.".into(), about: About::Report, retained }
    };
    let nothing = Bench::connected().at(0, unreadable("d", false), "");
    assert!(!nothing.ledger.waits_for_report(&device("d")));
    // Answers would carry IDs, so that two commands can wait together.
    let by_id = |name: &str, term| Submission { policy: PLAIN, ..expecting(name, &[term], &[]) };
    let bench = out(by_id("a", ("POWER", Some("ON"))));
    assert!(bench.ledger.waits_for_report(&device("d")) && !bench.ledger.waits_for_report(&device("e")));
    let significance =
        |bench: &Bench| bench.ledger.weight_of_unreadable(&device("d"), &About::Report, false, Timestamp(25));
    assert_eq!(significance(&bench), Significance::Decides);
    let bench = bench
        .at(30, unreadable("e", false), "")
        .at(31, unreadable("d", true), "unreadable: It is cut off.")
        .at(32, unreadable("d", false), "a unreadable: It is cut off.")
        .shows("a", "at_broker", "A report arrived after 22 ms. It is cut off. It does not count.");
    assert_eq!(significance(&bench), Significance::Repeats(Some(id("a"))));
    let bench = bench
        .at(40, Input::Submit(by_id("b", ("Dimmer", Some("40")))), "b submitted; b handed 1; publish b 1")
        .at(41, sent("b", 1), "b sent 1");
    assert_eq!(significance(&bench), Significance::Decides);
    bench
        .at(50, unreadable("d", false), "a unreadable: It is cut off.; b unreadable: It is cut off.")
        .at(60, reports(&[("Dimmer", "40")]), "b succeeded inferred")
        .shows("b", "succeeded", "")
        .at(10_010, Input::Tick, "a TimedOut(Silence)")
        .shows(
            "a",
            "timed_out",
            "The device did not report POWER = ON within 10 s, and a report could not be read. It is cut off. The device \
             may have run it.",
        );
}
