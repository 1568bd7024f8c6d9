//! A device that requires a signed request has not run the command, so it is sent again, once.

use wilco_ledger::{Claim, Input, Outcome, PublishResult, State};

use crate::bench::{Bench, PLAIN, answer, at_broker, id, out, puback, says, sent};

fn challenges(again: bool) -> Input {
    Input::Challenged { answer: answer(Claim::Id(id("a")), Outcome::Rejected), again }
}

const AGAIN: &str = "a rejected challenge; a handed 2; publish a 2";

fn sent_again() -> Bench {
    // It is not safe to repeat.
    at_broker(PLAIN).at(30, challenges(false), AGAIN)
}

#[test]
fn a_command_that_must_not_be_repeated_is_sent_again_because_it_was_not_carried_out() {
    sent_again()
        .look("a", |command| assert_eq!((command.state, command.attempt), (State::AtBroker, 2)))
        .at(40, sent("a", 2), "a sent 2")
        .at(50, puback("a", 2), "a at broker 2")
        .at(60, says("a", Outcome::Succeeded), "a succeeded moved")
        .look("a", |command| assert_eq!(command.duplicates, 0));
}

#[test]
fn the_same_challenge_once_more_repeats_nothing() {
    sent_again()
        .at(35, challenges(false), "a rejected duplicate")
        .at(40, sent("a", 2), "a sent 2")
        .at(45, challenges(false), "a rejected duplicate")
        .restarted()
        .at(46, challenges(false), "a rejected duplicate")
        .at(60, says("a", Outcome::Succeeded), "a succeeded moved");
}

#[test]
fn a_challenge_to_the_signed_request_is_the_device_s_last_word() {
    sent_again().at(40, sent("a", 2), "a sent 2").at(50, challenges(true), "a rejected moved");
}

#[test]
fn a_challenge_before_the_puback_is_one_too() {
    out(PLAIN).at(10, challenges(false), AGAIN).at(15, puback("a", 1), "").at(20, sent("a", 2), "a sent 2").at(
        30,
        puback("a", 2),
        "a at broker 2",
    );
}

#[test]
fn a_command_that_has_ended_is_not_sent_again() {
    at_broker(PLAIN).at(30, says("a", Outcome::Succeeded), "a succeeded moved").at(
        40,
        challenges(false),
        "a rejected conflict",
    );
}

#[test]
fn without_a_connection_it_waits_for_the_next_one() {
    at_broker(PLAIN)
        .at(25, Input::Disconnected, "")
        .at(30, challenges(false), "a rejected challenge")
        .look("a", |command| {
            assert_eq!(command.last_send.map(|send| send.publish_result), Some(PublishResult::Declined))
        })
        .at(40, Input::Connected, "a handed 2; publish a 2");
}
