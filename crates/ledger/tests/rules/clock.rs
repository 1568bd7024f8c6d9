//! Timeouts, expiry and resends.

use wilco_ledger::{Answer, Claim, Delivery, Input, Limits, Millis, Outcome, Policy, Puback, Timestamp};

use crate::bench::{
    Bench, OUT, PLAIN, REPEATABLE, answer, at_broker, cancel, delivered, device, id, out, presence, puback, says, sent,
    submit,
};

#[test]
fn silence_times_out_and_a_late_answer_still_settles() {
    at_broker(PLAIN)
        .wakes(Some(10_010))
        .at(10_009, Input::Tick, "")
        .at(10_010, Input::Tick, "a TimedOut(Silence)")
        .shows("a", "timed_out", "No answer within 10 s. The broker has it; the device may still run it.")
        .at(10_500, says("a", Outcome::Running), "a running aftertheend")
        .shows("a", "timed_out", "No answer within 10 s. The broker has it; the device may still run it.")
        .at(11_000, says("a", Outcome::Failed), "a failed late")
        .look("a", |command| assert!(command.late))
        .shows("a", "failed", "")
        .at(11_001, says("a", Outcome::Failed), "a failed duplicate")
        .at(11_002, says("a", Outcome::Succeeded), "a succeeded conflict");
}

#[test]
fn running_restarts_the_clock_and_its_end_is_told_with_the_last_progress() {
    let running = |progress: u8| {
        Input::Answer(Answer { progress: Some(progress), ..answer(Claim::Id(id("a")), Outcome::Running) })
    };
    at_broker(PLAIN)
        .at(5_000, running(10), "a running moved")
        .at(14_000, running(40), "a running heartbeat")
        .wakes(Some(24_000))
        .at(24_000, Input::Tick, "a TimedOut(HeartbeatsStopped)")
        .shows("a", "timed_out", "The device reported 40 %, then sent nothing for 10 s. It may still be running it.")
        .look("a", |command| assert_eq!(command.progress, Some(40)));
}

#[test]
fn accepted_restarts_the_clock() {
    at_broker(PLAIN)
        .at(9_000, says("a", Outcome::Accepted), "a accepted moved")
        .wakes(Some(19_000))
        .at(19_000, Input::Tick, "a TimedOut(Silence)")
        .shows("a", "timed_out", "The device accepted it, then sent nothing for 10 s. It may still run it.");
}

/// The command `a` has reached the broker over a connection that ended, and its session is resumed over the next one.
fn resumed_at(now: i64) -> Bench {
    at_broker(PLAIN).at(30, Input::Disconnected, "").at(40, Input::Resumed, "").at(now, Input::Connected, "")
}

#[test]
fn an_answer_after_the_deadline_is_late_although_the_broker_is_still_being_read() {
    Bench::connected()
        .at(0, Input::Resumed, "")
        .at(0, submit("a", PLAIN), OUT)
        .at(5, sent("a", 1), "a sent 1")
        .at(10, puback("a", 1), "a at broker 1")
        .at(10_500, says("a", Outcome::Succeeded), "a succeeded late");
    // Sent over an earlier connection: its answer may have waited at the broker.
    resumed_at(10_400).at(10_500, says("a", Outcome::Succeeded), "a succeeded moved");
    // All that waited there has been read.
    resumed_at(10_400).at(10_450, Input::Drained, "").at(10_500, says("a", Outcome::Succeeded), "a succeeded late");
    resumed_at(5_000).at(5_050, Input::Drained, "").at(9_000, says("a", Outcome::Succeeded), "a succeeded moved");
}

#[test]
fn commands_of_an_earlier_connection_have_a_few_more_seconds_for_busy_devices() {
    resumed_at(9_000)
        .at(9_001, Input::Drained, "")
        .at(
            9_002,
            submit("quick", Policy { timeout: Millis(500), ..PLAIN }),
            "quick submitted; quick handed 1; publish quick 1",
        )
        .wakes(Some(9_502))
        .at(9_502, Input::Tick, "quick TimedOut(MayHaveRun)")
        .at(10_010, Input::Tick, "")
        .wakes(Some(14_000))
        .at(14_000, Input::Tick, "a TimedOut(Silence)");
    // One that answers shows that others may.
    let others = |count: i64| {
        let mut bench = at_broker(PLAIN);
        for number in 0..count {
            let name = format!("b{number}");
            bench = bench.at(20, submit(&name, PLAIN), &format!("{name} submitted; {name} handed 1; publish {name} 1"));
        }
        let opened: Vec<String> = (0..count).map(|number| format!("b{number} delivery unknown 1")).collect();
        bench = bench.at(30, Input::Disconnected, &opened.join("; "));
        bench = bench.at(20_000, Input::Resumed, "").at(20_000, Input::Connected, "").at(20_000, Input::Drained, "");
        for number in 0..count {
            let at = 20_000 + 4_000 * (number + 1);
            bench = bench.at(at, says(&format!("b{number}"), Outcome::Succeeded), &format!("b{number} succeeded late"));
        }
        bench
    };
    others(1).wakes(Some(25_000)).at(25_000, Input::Tick, "").wakes(Some(29_000)).at(
        29_000,
        Input::Tick,
        "a TimedOut(Silence)",
    );
    // But not forever.
    others(7).at(49_999, Input::Tick, "").at(50_000, Input::Tick, "a TimedOut(Silence)");
}

#[test]
fn a_command_never_sent_expires_and_is_never_published() {
    Bench::new()
        .at(0, submit("a", PLAIN), "a submitted")
        .wakes(Some(60_000))
        .at(60_000, Input::Connected, "a Expired")
        .shows("a", "expired", "It could not be sent within 60 s. It was not sent, and will not be.")
        .at(60_001, Input::Tick, "");
}

#[test]
fn silence_is_followed_by_the_same_id_with_growing_pauses() {
    // The jitter of these ids is part of what a version promises: a restart must not move a retry.
    at_broker(REPEATABLE)
        .wakes(Some(2_075))
        .at(2_074, Input::Tick, "")
        .at(2_075, Input::Tick, "a handed 2; publish a 2")
        .at(2_305, sent("a", 2), "a sent 2")
        .at(2_306, Input::Tick, "")
        .at(2_310, puback("a", 2), "a at broker 2")
        .wakes(Some(6_807))
        .at(6_807, Input::Tick, "a handed 3; publish a 3")
        .at(6_990, puback("a", 3), "a at broker 3")
        .wakes(Some(16_807))
        .at(16_807, Input::Tick, "a TimedOut(Silence)")
        .look("a", |command| assert_eq!(command.attempt, 3))
        .at(17_000, says("a", Outcome::Succeeded), "a succeeded late");
}

#[test]
fn a_repeat_waits_for_the_puback_of_the_send_before() {
    out(REPEATABLE).at(10, sent("a", 1), "a sent 1").at(5_000, Input::Tick, "").at(
        5_001,
        puback("a", 1),
        "a at broker 1; a handed 2; publish a 2",
    );
}

#[test]
fn a_sign_of_the_device_puts_the_repeat_off() {
    at_broker(REPEATABLE).at(2_000, says("a", Outcome::Accepted), "a accepted moved").wakes(Some(4_065)).at(
        4_065,
        Input::Tick,
        "a handed 2; publish a 2",
    );
}

#[test]
fn no_repeat_after_the_time_to_live() {
    let policy = Policy { time_to_live: Millis::seconds(2), timeout: Millis::seconds(30), ..REPEATABLE };
    at_broker(policy).wakes(Some(30_010)).at(30_010, Input::Tick, "a TimedOut(Silence)");
}

#[test]
fn a_repeat_that_was_not_taken_leaves_the_clock_where_it_was() {
    at_broker(REPEATABLE)
        .at(2_075, Input::Tick, "a handed 2; publish a 2")
        .at(2_076, delivered("a", 2, Puback::NotTaken), "a not sent 2")
        .look("a", |command| assert_eq!(command.silent_since(), Timestamp(10)))
        .at(3_076, Input::Tick, "a handed 3; publish a 3")
        .look("a", |command| assert_eq!(command.attempt, 2));
}

#[test]
fn commands_held_by_the_broker_may_take_their_time_to_live_and_the_timeout() {
    let policy = Policy { delivery: Delivery::BrokerHolds, ..PLAIN };
    let check = |before: Option<bool>, deadline: i64| {
        let bench = match before {
            Some(online) => Bench::connected().at(0, presence(online), ""),
            None => Bench::connected(),
        };
        bench.at(0, submit("a", policy), OUT).at(20, puback("a", 1), "a at broker 1").wakes(Some(deadline));
    };
    check(Some(true), 10_000);
    check(Some(false), 70_000);
    // Of a device that has never said whether it is there, an answer is expected as of any other.
    check(None, 10_000);
    let held = || {
        Bench::connected().at(0, presence(false), "").at(0, submit("a", policy), OUT).at(
            20,
            puback("a", 1),
            "a at broker 1",
        )
    };
    held().at(70_000, Input::Tick, "a TimedOut(Silence)");
    held().at(30_000, says("a", Outcome::Accepted), "a accepted moved").wakes(Some(40_000));
    held().restarted().wakes(Some(70_000));
}

#[test]
fn commands_held_by_the_broker_are_not_duplicated() {
    let policy = Policy { delivery: Delivery::BrokerHolds, ..REPEATABLE };
    Bench::connected()
        .at(0, presence(false), "")
        .at(0, submit("a", policy), OUT)
        .at(20, puback("a", 1), "a at broker 1")
        .at(30_000, Input::Tick, "")
        .at(30_001, presence(true), "a handed 2; publish a 2");
    Bench::connected()
        .at(0, presence(false), "")
        .at(0, submit("a", policy), OUT)
        .at(20, Input::Disconnected, "a delivery unknown 1")
        .at(30, Input::Connected, "a handed 2; publish a 2");
}

#[test]
fn after_a_start_nothing_times_out_or_is_repeated_until_what_the_broker_kept_is_read() {
    out(REPEATABLE)
        .at(1, submit("b", PLAIN), "b submitted; b handed 1; publish b 1")
        .at(2, puback("b", 1), "b at broker 1")
        .restarted()
        .at(90_000, Input::Resumed, "")
        .wakes(None)
        .at(90_001, submit("c", PLAIN), "c submitted")
        .at(90_002, submit("x", Policy { time_to_live: Millis(5), ..PLAIN }), "x submitted")
        .at(90_003, submit("y", PLAIN), "y submitted")
        .wakes(Some(90_007))
        .at(90_007, Input::Tick, "x Expired")
        .at(90_008, cancel("y"), "y Cancelled")
        .at(90_010, Input::Connected, "c handed 1; publish c 1")
        .at(90_500, says("b", Outcome::Succeeded), "b succeeded moved")
        .look("b", |command| assert!(!command.late))
        .at(90_501, Input::Drained, "")
        .wakes(Some(95_500))
        .at(95_500, Input::Tick, "a TimedOut(MayHaveRun)");
    out(REPEATABLE).restarted().at(10_000, Input::Resumed, "").at(10_001, Input::Connected, "").at(
        15_000,
        Input::Drained,
        "a handed 2; publish a 2",
    );
}

#[test]
fn a_deadline_can_be_asked_for() {
    let check = |bench: Bench, expected: Option<i64>| {
        assert_eq!(bench.ledger.deadline(&device("d"), &id("a")), expected.map(Timestamp));
    };
    check(Bench::new(), None);
    check(Bench::new().at(5, submit("a", PLAIN), "a submitted"), Some(60_005));
    check(at_broker(REPEATABLE), Some(10_010));
    check(at_broker(PLAIN).at(30, says("a", Outcome::Succeeded), "a succeeded moved"), None);
}

#[test]
fn a_command_without_any_time_ends_at_once() {
    let none = Policy { time_to_live: Millis(0), ..PLAIN };
    Bench::connected().at(0, submit("a", none), "a submitted; a Expired");
    let impatient = Policy { timeout: Millis(0), ..PLAIN };
    Bench::connected().at(0, submit("a", impatient), "a submitted; a handed 1; publish a 1; a TimedOut(MayHaveRun)");
}

const HOUR: i64 = 3_600_000;

impl Bench {
    /// Nothing waits for a time, and the clock is set back by an hour.
    fn set_back(mut self) -> Bench {
        assert_eq!(self.ledger.next_deadline(), None);
        self.ledger.clock_is_set(-HOUR);
        self
    }
}

#[test]
fn after_a_clock_is_set_back_the_rate_of_that_second_holds_nobody_up() {
    let limits = Limits { sends_per_second: Some(1), ..Limits::default() };
    Bench::with(limits)
        .at(0, Input::Connected, "")
        .at(0, submit("a", PLAIN), OUT)
        .at(5, sent("a", 1), "a sent 1")
        .at(10, says("a", Outcome::Succeeded), "a succeeded moved")
        .set_back()
        .at(500 - HOUR, submit("b", PLAIN), "b submitted")
        .wakes(Some(1_006 - HOUR))
        .at(1_006 - HOUR, Input::Tick, "b handed 1; publish b 1");
}

#[test]
fn after_a_clock_is_set_back_devices_that_never_returned_are_sent_commands() {
    let away = || Bench::connected().at(0, presence(true), "").at(1, Input::Disconnected, "");
    let back = away().at(2, Input::SessionLost, "").at(3, Input::Connected, "").set_back();
    back.at(6_000 - HOUR, submit("a", PLAIN), OUT);
}

#[test]
fn after_a_clock_is_set_back_commands_time_out_as_before() {
    let resumed =
        Bench::connected().at(1, Input::Disconnected, "").at(2, Input::Resumed, "").at(3, Input::Connected, "");
    resumed
        .at(4, Input::Drained, "")
        .set_back()
        .at(20_000 - HOUR, submit("a", PLAIN), OUT)
        .at(20_005 - HOUR, sent("a", 1), "a sent 1")
        .wakes(Some(30_005 - HOUR));
}
