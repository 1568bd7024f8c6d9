//! Matching answers to commands, and answers that settle none.

use wilco_ledger::{About, Answer, Claim, Input, Limits, Match, Outcome, Raw, Timestamp};

use crate::bench::{
    Bench, OUT, PLAIN, REPEATABLE, WITHOUT_ID, answer, at_broker, cancel, device, id, murmurs, out, puback, says, sent,
    submission, submit,
};

#[test]
fn an_answer_before_the_puback_implies_delivery() {
    out(PLAIN)
        .at(10, says("a", Outcome::Succeeded), "a succeeded moved")
        .at(20, puback("a", 1), "a at broker 1")
        .shows("a", "succeeded", "");
}

#[test]
fn an_unreadable_message_is_kept_with_its_command_and_settles_nothing() {
    let murmur = |about, retained| {
        let raw = Raw { topic: "d/resp".into(), payload: [0xff].into(), qos: 1, cut: None };
        Input::Unreadable { device: device("d"), raw, why: "It is not UTF-8.".into(), about, retained }
    };
    at_broker(PLAIN)
        .at(30, murmur(About::Named(id("a")), true), "unreadable: It is not UTF-8.")
        .at(31, murmur(About::Named(id("b")), false), "unreadable: It is not UTF-8.")
        .at(32, murmur(About::Nothing, false), "unreadable: It is not UTF-8.")
        .at(33, murmur(About::Named(id("a")), false), "a unreadable: It is not UTF-8.")
        .at(34, murmur(About::Unnamed, false), "a unreadable: It is not UTF-8.")
        .shows("a", "at_broker", "An answer arrived after 24 ms. It is not UTF-8. It does not count.")
        .at(40, says("a", Outcome::Succeeded), "a succeeded moved")
        .shows("a", "succeeded", "");
}

#[test]
fn an_unknown_id_is_kept_as_unsolicited() {
    Bench::connected()
        .at(0, says("x", Outcome::Succeeded), "unsolicited UnknownId")
        .at(1, Input::Observed(submission("d", "x", PLAIN)), "x observed")
        .at(2, says("x", Outcome::Succeeded), "x succeeded moved");
}

#[test]
fn an_answer_from_another_device_s_topic_settles_nothing() {
    at_broker(PLAIN)
        .at(
            30,
            Input::Answer(Answer { device: device("e"), ..answer(Claim::Id(id("a")), Outcome::Succeeded) }),
            "unsolicited OtherDevice",
        )
        .shows("a", "at_broker", "");
}

#[test]
fn a_retained_answer_settles_nothing() {
    at_broker(PLAIN)
        .at(
            30,
            Input::Answer(Answer { retained: true, ..answer(Claim::Id(id("a")), Outcome::Succeeded) }),
            "unsolicited Retained",
        )
        .shows("a", "at_broker", "");
}

#[test]
fn correlation_data_counts_where_the_payload_is_silent_and_must_not_disagree() {
    let correlated = |claim: Claim, correlation: &str| {
        Input::Answer(Answer { correlation: Some(id(correlation)), ..answer(claim, Outcome::Succeeded) })
    };
    let check = |input: Input, expected: &str| {
        at_broker(PLAIN).at(25, submit("b", PLAIN), "b submitted; b handed 1; publish b 1").at(30, input, expected);
    };
    check(correlated(Claim::Nothing, "a"), "a succeeded moved");
    check(correlated(Claim::Nothing, "x"), "unsolicited UnknownId");
    check(correlated(Claim::Id(id("a")), "a"), "a succeeded moved");
    check(correlated(Claim::Id(id("a")), "b"), "unsolicited Disagreement");
    check(correlated(Claim::Id(id("a")), "x"), "unsolicited Disagreement");
    check(correlated(Claim::Within("SUCCESS: a".into()), "b"), "unsolicited Disagreement");
    check(correlated(Claim::Within("SUCCESS: b".into()), "b"), "b succeeded moved");
    check(correlated(Claim::Within("SUCCESS".into()), "b"), "b succeeded moved");
    check(correlated(Claim::Within("SUCCESS: a and b".into()), "b"), "b succeeded moved");
}

#[test]
fn the_same_answer_again_is_a_duplicate() {
    let with = |result: &str, said_at: i64| {
        Input::Answer(Answer {
            result: Some(result.into()),
            said_at: Some(Timestamp(said_at)),
            ..answer(Claim::Id(id("a")), Outcome::Succeeded)
        })
    };
    at_broker(PLAIN)
        .at(30, says("a", Outcome::Accepted), "a accepted moved")
        .at(31, says("a", Outcome::Accepted), "a accepted duplicate")
        .at(40, with("1", 5), "a succeeded moved")
        .at(41, with("1", 6), "a succeeded duplicate")
        .at(42, with("2", 5), "a succeeded conflict")
        .at(43, says("a", Outcome::Failed), "a failed conflict")
        .at(44, says("a", Outcome::Running), "a running aftertheend")
        .look("a", |command| {
            assert_eq!((command.state.as_str(), command.duplicates, command.conflict), ("succeeded", 2, true));
            assert_eq!(command.result.as_deref(), Some("1"));
        });
}

#[test]
fn an_accepted_that_was_overtaken_moves_nothing() {
    at_broker(PLAIN)
        .at(30, says("a", Outcome::Running), "a running moved")
        .at(31, says("a", Outcome::Accepted), "a accepted heartbeat")
        .shows("a", "running", "");
}

#[test]
fn the_device_s_word_on_a_cancelled_or_expired_command_is_kept_beside_its_state() {
    let check = |end: Input, now: i64, event: &str, state: &str, ended: &str| {
        Bench::new()
            .at(0, submit("a", PLAIN), "a submitted")
            .at(now, end, event)
            .at(now, says("a", Outcome::Running), "a running aftertheend")
            .at(now, says("a", Outcome::Succeeded), "a succeeded contradiction")
            .look("a", |command| assert_eq!(command.contradicted, Some(Outcome::Succeeded)))
            .shows("a", state, &format!("It {ended} here before it was sent, but the device reports succeeded."))
            .at(now, says("a", Outcome::Succeeded), "a succeeded duplicate")
            .at(now, says("a", Outcome::Failed), "a failed conflict");
    };
    check(cancel("a"), 5, "a Cancelled", "cancelled", "was cancelled");
    check(Input::Tick, 60_000, "a Expired", "expired", "expired");
}

#[test]
fn an_answer_without_an_id_settles_the_only_command_it_can_mean() {
    at_broker(WITHOUT_ID)
        .at(30, murmurs(Outcome::Running), "a running inferred")
        .at(31, murmurs(Outcome::Running), "a running heartbeat")
        .at(40, murmurs(Outcome::Succeeded), "a succeeded inferred")
        .look("a", |command| assert_eq!(command.matched, Some(Match::Inferred)))
        .at(41, murmurs(Outcome::Succeeded), "unsolicited NothingOutstanding");
}

#[test]
fn an_answer_without_an_id_is_ambiguous_where_more_than_one_can_be_meant() {
    at_broker(PLAIN)
        .at(25, submit("b", PLAIN), "b submitted; b handed 1; publish b 1")
        .at(30, murmurs(Outcome::Succeeded), "a succeeded ambiguous")
        .look("a", |command| {
            assert_eq!((command.state.as_str(), command.ambiguous), ("at_broker", 1));
            assert_eq!(command.matched, Some(Match::Ambiguous));
        })
        .at(40, says("a", Outcome::Failed), "a failed moved")
        .look("a", |command| assert_eq!(command.matched, Some(Match::Exact)))
        .at(50, murmurs(Outcome::Succeeded), "b succeeded inferred");
    // What was never sent cannot be meant; another console's command can.
    at_broker(PLAIN).at(25, Input::Observed(submission("d", "x", PLAIN)), "x observed").at(
        30,
        murmurs(Outcome::Succeeded),
        "a succeeded ambiguous",
    );
    let narrow = Limits { send_window: 1, ..Limits::default() };
    Bench::with(narrow)
        .at(0, Input::Connected, "")
        .at(0, submit("a", PLAIN), OUT)
        .at(1, submit("b", PLAIN), "b submitted")
        .at(2, murmurs(Outcome::Succeeded), "a succeeded inferred");
}

#[test]
fn an_answer_without_an_id_may_be_that_of_a_command_that_timed_out() {
    at_broker(PLAIN)
        .at(10_010, Input::Tick, "a TimedOut(Silence)")
        .at(10_011, submit("b", PLAIN), "b submitted; b handed 1; publish b 1")
        .at(10_020, murmurs(Outcome::Succeeded), "b succeeded ambiguous")
        .at(10_030, murmurs(Outcome::Succeeded), "b succeeded inferred");
    at_broker(PLAIN)
        .at(100, cancel("a"), "a TimedOut(Abandoned)")
        .at(101, submit("b", PLAIN), "b submitted; b handed 1; publish b 1")
        .at(102, murmurs(Outcome::Succeeded), "b succeeded ambiguous");
    // What a restart has forgotten counts as doubt.
    at_broker(WITHOUT_ID).restarted().at(30, murmurs(Outcome::Succeeded), "a succeeded ambiguous");
    at_broker(WITHOUT_ID).at(30, murmurs(Outcome::Accepted), "a accepted inferred").restarted().at(
        40,
        murmurs(Outcome::Succeeded),
        "a succeeded inferred",
    );
}

#[test]
fn a_restart_does_not_end_the_doubt_that_a_time_out_leaves() {
    let timed_out = || at_broker(WITHOUT_ID).at(10_020, Input::Tick, "a TimedOut(Silence)");
    let then_asked = |bench: Bench| {
        bench.at(10_030, Input::Connected, "").at(
            10_040,
            submit("b", WITHOUT_ID),
            "b submitted; b handed 1; publish b 1",
        )
    };
    then_asked(timed_out().restarted().adopts("a"))
        .at(10_050, murmurs(Outcome::Succeeded), "b succeeded ambiguous")
        .at(10_060, murmurs(Outcome::Succeeded), "b succeeded inferred");
    // Its own answer ends it.
    then_asked(timed_out().restarted()).adopts("a").at(10_050, says("a", Outcome::Succeeded), "a succeeded late").at(
        10_060,
        murmurs(Outcome::Succeeded),
        "b succeeded inferred",
    );
}

#[test]
fn a_retained_answer_does_not_end_the_doubt_that_a_time_out_leaves() {
    at_broker(PLAIN)
        .at(10_010, Input::Tick, "a TimedOut(Silence)")
        .at(10_011, submit("b", PLAIN), "b submitted; b handed 1; publish b 1")
        .at(
            10_012,
            Input::Answer(Answer { retained: true, ..answer(Claim::Nothing, Outcome::Succeeded) }),
            "unsolicited Retained",
        )
        .at(10_020, murmurs(Outcome::Succeeded), "b succeeded ambiguous");
}

#[test]
fn an_id_is_found_inside_a_text() {
    let within = |text: &str, outcome: Outcome| Input::Answer(answer(Claim::Within(text.into()), outcome));
    let check = |text: &str, expected: &str| {
        at_broker(PLAIN)
            .at(25, submit("a-2", PLAIN), "a-2 submitted; a-2 handed 1; publish a-2 1")
            .at(26, submit("küche", PLAIN), "küche submitted; küche handed 1; publish küche 1")
            .at(30, within(text, Outcome::Succeeded), expected);
    };
    check("SUCCESS: b'{\"id\": \"a\"}'", "a succeeded moved");
    check("a", "a succeeded moved");
    check("did (a), and again a", "a succeeded moved");
    check("SUCCESS: a-2", "a-2 succeeded moved");
    check("SUCCESS: küche!", "küche succeeded moved");
    check("SUCCESS: ükü küche", "küche succeeded moved");
    check("a, or a-2?", "a succeeded ambiguous");
    check("apple", "a succeeded ambiguous");
    check("a2", "a succeeded ambiguous");
    check("banana", "a succeeded ambiguous");
    check("ünïcödé", "a succeeded ambiguous");
    check("", "a succeeded ambiguous");
    // Outstanding ones before settled ones; settled ones anyway.
    at_broker(PLAIN)
        .at(30, within("a", Outcome::Succeeded), "a succeeded moved")
        .at(31, within("a", Outcome::Succeeded), "a succeeded duplicate")
        .at(32, submit("b", PLAIN), "b submitted; b handed 1; publish b 1")
        .at(33, within("b after a", Outcome::Succeeded), "b succeeded moved")
        .at(34, within("b after a", Outcome::Succeeded), "unsolicited NothingOutstanding");
}

#[test]
fn another_console_s_command_is_watched_and_never_sent() {
    Bench::connected()
        .at(0, Input::Observed(submission("d", "x", REPEATABLE)), "x observed")
        .at(1, Input::Observed(submission("d", "x", REPEATABLE)), "")
        .at(2, sent("x", 1), "")
        .at(3, puback("x", 1), "")
        .at(4, Input::Disconnected, "")
        .at(5, Input::Connected, "")
        .shows("x", "at_broker", "")
        .at(10_000, Input::Tick, "x TimedOut(Silence)")
        .at(10_001, says("x", Outcome::Succeeded), "x succeeded late");
    let theirs = Bench::connected().at(0, Input::Observed(submission("d", "x", PLAIN)), "x observed");
    let of = |bench: &Bench, name: &str| {
        bench.ledger.is_of_observed(&answer(Claim::Id(id(name)), Outcome::Succeeded), Timestamp(9))
    };
    assert!(of(&theirs, "x") && !of(&theirs, "y") && !of(&out(PLAIN), "a"));
    // Our own, coming back on the request topic.
    out(PLAIN).at(5, Input::Observed(submission("d", "a", PLAIN)), "").at(6, submit("a", PLAIN), "");
}
