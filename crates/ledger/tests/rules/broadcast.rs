//! One publish for many devices: commands that share an ID.

use wilco_ledger::{Answer, Claim, Delivery, Input, Limits, Outcome, Policy, Puback};

use crate::bench::{Bench, PLAIN, REPEATABLE, answer, delivered, device, id, presence, puback, sent, submission};

const BROADCAST: Policy = Policy { delivery: Delivery::Broadcast, ..PLAIN };

fn submit(device: &str, policy: Policy) -> Input {
    Input::Submit(submission(device, "a", policy))
}

/// Two devices are asked together; another limit lets only one command out at a time.
fn out() -> Bench {
    let limits = Limits { send_window: 1, answer_window: 1, ..Limits::default() };
    Bench::with(limits)
        .at(0, Input::Connected, "")
        .at(1, submit("d", BROADCAST), "a submitted; a handed 1; publish a 1")
        .at(1, submit("e", BROADCAST), "e/a submitted; e/a handed 1")
}

#[test]
fn one_publish_takes_all_that_share_its_id_up() {
    let from_e = Answer { device: device("e"), ..answer(Claim::Id(id("a")), Outcome::Succeeded) };
    out()
        .at(2, sent("a", 1), "a sent 1; e/a sent 1")
        .at(3, puback("a", 1), "a at broker 1; e/a at broker 1")
        .at(4, Input::Answer(from_e), "e/a succeeded moved")
        .at(10_003, Input::Tick, "a TimedOut(Silence)");
}

#[test]
fn whether_a_device_is_online_makes_no_difference() {
    Bench::connected()
        .at(0, presence(false), "")
        .at(1, submit("d", BROADCAST), "a submitted; a handed 1; publish a 1")
        .at(2, submit("e", BROADCAST), "e/a submitted; e/a handed 1");
    Bench::new().at(1, submit("d", BROADCAST), "a submitted; a Undeliverable(NotConnected)");
}

#[test]
fn it_is_never_sent_again() {
    let repeatable = Policy { delivery: Delivery::Broadcast, ..REPEATABLE };
    Bench::connected()
        .at(1, submit("d", repeatable), "a submitted; a handed 1; publish a 1")
        .at(1, submit("e", repeatable), "e/a submitted; e/a handed 1")
        .at(2, Input::Disconnected, "a delivery unknown 1; e/a delivery unknown 1")
        .at(3, Input::Connected, "")
        .at(30_000, Input::Tick, "a TimedOut(MayHaveRun); e/a TimedOut(MayHaveRun)");
    out().at(
        2,
        delivered("a", 1, Puback::NotTaken),
        "a not sent 1; a Undeliverable(NotConnected); e/a not sent 1; e/a Undeliverable(NotConnected)",
    );
}
