//! From submission to the broker: connections, sessions, presence, cancelling and restarts.

use wilco_ledger::{
    About, Delivery, Input, Ledger, Limits, Match, Millis, Outcome, Policy, Puback, Raw, Retry, Submission, Timestamp,
    WireForm,
};

use crate::bench::{
    Bench, OUT, PLAIN, REPEATABLE, at_broker, cancel, delivered, device, id, out, presence, puback, says, sent,
    submission, submit,
};

#[test]
fn a_command_climbs_its_ladder() {
    at_broker(PLAIN)
        .at(30, says("a", Outcome::Accepted), "a accepted moved")
        .at(40, says("a", Outcome::Running), "a running moved")
        .at(50, says("a", Outcome::Running), "a running heartbeat")
        .at(60, says("a", Outcome::Succeeded), "a succeeded moved")
        .look("a", |command| {
            assert_eq!(command.state.as_str(), "succeeded");
            assert_eq!(command.matched, Some(Match::Exact));
            assert_eq!(command.rungs.sent, Some(Timestamp(10)));
            assert_eq!(command.rungs.at_broker, Some(Timestamp(20)));
            assert_eq!(command.rungs.accepted, Some(Timestamp(30)));
            assert_eq!(command.rungs.finished, Some(Timestamp(60)));
            assert_eq!((command.attempt, command.duplicates, command.late), (1, 0, false));
        })
        .wakes(None);
}

#[test]
fn nothing_is_sent_before_the_connection_is_established() {
    Bench::new()
        .at(0, submit("a", PLAIN), "a submitted")
        .at(1, submit("b", PLAIN), "b submitted")
        .at(2, Input::Tick, "")
        .at(3, Input::Connected, "a handed 1; publish a 1; b handed 1; publish b 1")
        .shows("a", "queued", "");
}

#[test]
fn after_the_broker_forgot_us_a_device_that_was_online_is_given_a_moment_to_come_back() {
    let lost = || {
        Bench::connected()
            .at(0, presence(true), "")
            .at(1, Input::Disconnected, "")
            .at(2, submit("a", PLAIN), "a submitted")
            .at(3, Input::SessionLost, "a AwaitsReturn")
            .at(4, Input::Connected, "")
            .look("a", |command| {
                let message = command.message.as_deref().unwrap_or_default();
                assert!(message.contains("waits a few seconds for the device to reconnect"), "{message}");
            })
            // The broker may have kept this from before.
            .at(5, presence(true), "")
    };
    lost().at(6, Input::DeviceSeen { device: device("d") }, "a handed 1; publish a 1").shows("a", "queued", "");
    lost()
        .at(6, submit("b", PLAIN), "b submitted; b AwaitsReturn")
        .wakes(Some(5_003))
        .at(5_003, Input::Tick, "a handed 1; publish a 1; b handed 1; publish b 1")
        .at(5_004, submit("c", PLAIN), "c submitted; c handed 1; publish c 1");
    // The broker has kept the session, so it has not been away.
    Bench::connected().at(0, presence(true), "").at(1, Input::Disconnected, "").at(2, Input::Connected, "").at(
        3,
        submit("a", PLAIN),
        OUT,
    );
}

#[test]
fn cancel_withdraws_what_was_never_sent_and_stops_waiting_for_the_rest() {
    Bench::new()
        .at(0, submit("a", PLAIN), "a submitted")
        .at(1, cancel("a"), "a Cancelled")
        .shows("a", "cancelled", "Cancelled before it was sent. It will not be sent.")
        .at(2, Input::Connected, "")
        .at(3, cancel("a"), "")
        .at(4, cancel("x"), "");
    Bench::connected()
        .at(0, presence(false), "")
        .at(1, submit("a", PLAIN), "a submitted; a Held")
        .at(2, cancel("a"), "a Cancelled")
        .at(3, presence(true), "");
    let check = |bench: Bench, message: &str| {
        bench
            .at(100, cancel("a"), "a TimedOut(Abandoned)")
            .shows("a", "timed_out", message)
            .look("a", |command| assert!(command.abandoned))
            .at(101, cancel("a"), "")
            .at(30_000, Input::Tick, "")
            .at(30_001, says("a", Outcome::Succeeded), "a succeeded late");
    };
    check(out(REPEATABLE), "Stopped waiting. Wilco does not know whether it was sent, so it may have run.");
    check(at_broker(REPEATABLE), "Stopped waiting. The broker has it; the device may still run it.");
    check(
        at_broker(REPEATABLE).at(30, says("a", Outcome::Accepted), "a accepted moved"),
        "Stopped waiting. The device has it and may still finish it.",
    );
}

#[test]
fn a_lost_session_redelivers_only_what_may_be_repeated() {
    out(REPEATABLE)
        .at(10, sent("a", 1), "a sent 1")
        .at(20, Input::Disconnected, "a delivery unknown 1")
        .at(21, delivered("a", 1, Puback::Unknown), "")
        .at(30, Input::Connected, "a handed 2; publish a 2")
        .at(31, puback("a", 1), "")
        .at(32, puback("a", 2), "a at broker 2")
        .look("a", |command| assert_eq!(command.attempt, 2));
    out(PLAIN)
        .at(10, sent("a", 1), "a sent 1")
        .at(20, Input::Disconnected, "a delivery unknown 1")
        .at(30, Input::Connected, "")
        .at(40, Input::Disconnected, "")
        .shows("a", "sent", "")
        .at(10_010, Input::Tick, "a TimedOut(MayHaveRun)")
        .shows(
            "a",
            "timed_out",
            "No answer within 10 s. The connection was lost before the broker acknowledged it, so it may have run.",
        );
}

#[test]
fn redelivery_waits_for_the_time_to_live() {
    out(REPEATABLE)
        .at(20, Input::Disconnected, "a delivery unknown 1")
        .wakes(Some(60_000))
        .at(60_000, Input::Tick, "a TimedOut(MayHaveRun)")
        .at(60_001, Input::Connected, "");
}

#[test]
fn a_lost_publish_is_not_sent_again_into_the_session_that_lost_it() {
    out(REPEATABLE)
        .at(20, delivered("a", 1, Puback::Unknown), "a delivery unknown 1")
        .at(21, Input::Tick, "")
        .at(22, Input::Disconnected, "")
        .at(30, Input::Connected, "a handed 2; publish a 2");
}

#[test]
fn redelivery_has_the_retries_limit() {
    out(REPEATABLE)
        .at(10, Input::Disconnected, "a delivery unknown 1")
        .at(20, Input::Connected, "a handed 2; publish a 2")
        .at(30, Input::Disconnected, "a delivery unknown 2")
        .at(40, Input::Connected, "a handed 3; publish a 3")
        .at(50, Input::Disconnected, "a delivery unknown 3")
        .at(60, Input::Connected, "")
        .at(10_040, Input::Tick, "a TimedOut(MayHaveRun)");
}

#[test]
fn a_refusal_by_the_broker_is_final() {
    let check = |puback: Puback, event: &str, message: &str| {
        out(REPEATABLE)
            .at(10, sent("a", 1), "a sent 1")
            .at(20, delivered("a", 1, puback), event)
            .shows("a", "undeliverable", message)
            .at(9_000, Input::Tick, "")
            .at(9_001, says("a", Outcome::Succeeded), "a succeeded contradiction")
            .look("a", |command| assert_eq!(command.state.as_str(), "undeliverable"));
    };
    check(
        Puback::Refused { code: 0x87, said: None },
        "a Undeliverable(Refused { code: 135, said: None })",
        "The broker refused it: not authorized (0x87). The device did not receive it.",
    );
    check(
        Puback::TooLarge { bytes: 300_000 },
        "a Undeliverable(TooLarge { bytes: 300000 })",
        "The broker does not accept a message of 300,000 bytes. It was not sent.",
    );
}

#[test]
fn a_refused_repeat_does_not_deny_the_send_before() {
    out(REPEATABLE)
        .at(10, Input::Disconnected, "a delivery unknown 1")
        .at(20, Input::Connected, "a handed 2; publish a 2")
        .at(
            30,
            delivered("a", 2, Puback::Refused { code: 0x97, said: None }),
            "a Undeliverable(Refused { code: 151, said: None })",
        )
        .shows("a", "queued", "The broker refused the repeat: quota exceeded (0x97). An earlier send may have arrived.")
        .at(40, Input::Disconnected, "")
        .at(50, Input::Connected, "")
        .at(60, says("a", Outcome::Succeeded), "a succeeded moved");
}

#[test]
fn a_refusal_by_the_broker_does_not_hide_an_unreadable_answer() {
    let unreadable = || Input::Unreadable {
        device: device("d"),
        raw: Raw { topic: "d/resp".into(), payload: [0xff].into(), qos: 1, cut: None },
        why: "It is damaged.".into(),
        about: About::Named(id("a")),
        retained: false,
    };
    out(REPEATABLE)
        .at(5, unreadable(), "a unreadable: It is damaged.")
        .at(10, Input::Disconnected, "a delivery unknown 1")
        .at(20, Input::Connected, "a handed 2; publish a 2")
        .at(
            30,
            delivered("a", 2, Puback::Refused { code: 0x97, said: None }),
            "a Undeliverable(Refused { code: 151, said: None })",
        )
        .shows(
            "a",
            "queued",
            "The broker refused the repeat: quota exceeded (0x97). An earlier send may have arrived. \
             An answer could not be read. It is damaged.",
        );
    out(PLAIN)
        .at(5, unreadable(), "a unreadable: It is damaged.")
        .at(10_000, Input::Tick, "a TimedOut(MayHaveRun)")
        .at(10_010, delivered("a", 1, Puback::Accepted { nobody_listening: false }), "a at broker 1")
        .shows(
            "a",
            "timed_out",
            "An answer could not be read. It is damaged. The broker acknowledged it only afterwards; \
             the device may still run it.",
        );
}

#[test]
fn nobody_listening_is_a_hint() {
    out(PLAIN)
        .at(20, delivered("a", 1, Puback::Accepted { nobody_listening: true }), "a at broker 1, nobody listening")
        .look("a", |command| assert!(command.nobody_listening))
        .at(10_000, Input::Tick, "a TimedOut(Silence)")
        .shows(
            "a",
            "timed_out",
            "No answer within 10 s. The broker has it, but reported no subscribers on the device's topic.",
        );
}

#[test]
fn sends_rejected_by_the_mqtt_client_were_never_sent() {
    out(PLAIN)
        .at(10, delivered("a", 1, Puback::NotTaken), "a not sent 1")
        .look("a", |command| assert_eq!(command.attempt, 0))
        .at(11, sent("a", 1), "")
        .at(12, puback("a", 1), "")
        .wakes(Some(1_010))
        .at(1_010, Input::Tick, "a handed 2; publish a 2")
        .look("a", |command| assert_eq!(command.attempt, 1))
        .at(1_011, delivered("a", 2, Puback::NotTaken), "a not sent 2")
        .at(1_012, cancel("a"), "a Cancelled");
    out(PLAIN)
        .at(10, Input::Disconnected, "a delivery unknown 1")
        .at(11, delivered("a", 1, Puback::NotTaken), "a not sent 1")
        .restarted()
        .at(20, Input::Connected, "a handed 2; publish a 2");
    out(PLAIN)
        .at(10, sent("a", 1), "a sent 1")
        .at(11, delivered("a", 1, Puback::NotTaken), "a delivery unknown 1")
        .shows("a", "sent", "");
}

#[test]
fn now_or_never_does_not_wait() {
    let now = Policy { delivery: Delivery::Now, ..PLAIN };
    Bench::new()
        .at(0, submit("a", now), "a submitted; a Undeliverable(NotConnected)")
        .shows("a", "undeliverable", "Not connected to the broker, and the command is not held. It was not sent.")
        .at(1, Input::Connected, "");
    Bench::connected()
        .at(0, presence(false), "")
        .at(1, submit("a", now), "a submitted; a Undeliverable(DeviceOffline)")
        .shows("a", "undeliverable", "The device is offline, and the command is not held. It was not sent.")
        .at(2, presence(true), "")
        .at(3, submit("b", now), "b submitted; b handed 1; publish b 1");
    let narrow = Limits { send_window: 1, ..Limits::default() };
    let waiting = || {
        Bench::with(narrow).at(0, Input::Connected, "").at(1, submit("a", PLAIN), OUT).at(
            2,
            submit("b", now),
            "b submitted",
        )
    };
    waiting().at(3, Input::Disconnected, "a delivery unknown 1; b Undeliverable(NotConnected)");
    waiting().at(3, presence(false), "b Undeliverable(DeviceOffline)");
}

#[test]
fn hold_here_keeps_it_until_the_device_is_online() {
    Bench::connected()
        .at(0, presence(false), "")
        .at(1, submit("a", PLAIN), "a submitted; a Held")
        .at(2, submit("b", PLAIN), "b submitted; b Held")
        .restarted()
        .at(3, Input::Connected, "")
        .at(4, presence(true), "a Released; b Released; a handed 1; publish a 1; b handed 1; publish b 1");
    Bench::connected().at(0, presence(false), "").at(1, submit("a", PLAIN), "a submitted; a Held").at(
        60_001,
        presence(true),
        "a Released; a Expired",
    );
    Bench::connected()
        .at(0, presence(false), "")
        .at(1, submit("a", PLAIN), "a submitted; a Held")
        .at(60_001, Input::Tick, "a Expired")
        .shows("a", "expired", "The device did not come online within 60 s. It was not sent, and will not be.");
    Bench::new()
        .at(0, submit("a", PLAIN), "a submitted")
        .at(1, presence(false), "a Held")
        .at(2, presence(false), "")
        .at(3, presence(true), "a Released")
        .at(4, presence(true), "");
}

#[test]
fn a_lost_connection_takes_with_it_who_was_offline() {
    let now = Policy { delivery: Delivery::Now, ..PLAIN };
    let offline = || Bench::connected().at(0, presence(false), "");
    offline().at(1, submit("a", now), "a submitted; a Undeliverable(DeviceOffline)");
    offline().at(1, Input::Disconnected, "").at(2, Input::Connected, "").at(3, submit("a", now), OUT);
    // What is held stays held: the device may be away still.
    offline()
        .at(1, submit("a", PLAIN), "a submitted; a Held")
        .at(2, Input::Disconnected, "")
        .at(3, Input::Connected, "")
        .at(4, presence(true), "a Released; a handed 1; publish a 1");
    // And what the broker may have lost is sent again.
    at_broker(REPEATABLE)
        .at(100, presence(false), "")
        .at(2_075, Input::Tick, "")
        .at(2_076, Input::Disconnected, "")
        .at(2_077, Input::Connected, "a handed 2; publish a 2");
}

#[test]
fn a_device_that_publishes_is_not_offline() {
    let heard = || Input::DeviceSeen { device: device("d") };
    let offline = || Bench::connected().at(0, presence(false), "");
    offline().at(1, submit("a", PLAIN), "a submitted; a Held").at(2, heard(), "a Released; a handed 1; publish a 1");
    offline().at(1, heard(), "").at(2, submit("a", Policy { delivery: Delivery::Now, ..PLAIN }), OUT);
    at_broker(REPEATABLE).at(100, presence(false), "").at(2_075, Input::Tick, "").at(
        2_076,
        heard(),
        "a handed 2; publish a 2",
    );
    // Nothing is known of one that has never been commanded, and nothing is learnt.
    Bench::connected().at(0, heard(), "").at(1, presence(true), "").at(2, heard(), "");
}

#[test]
fn a_restart_sends_freely_only_what_was_provably_never_sent() {
    Bench::connected()
        .at(0, submit("a", PLAIN), OUT)
        .at(1, submit("b", REPEATABLE), "b submitted; b handed 1; publish b 1")
        .at(2, Input::Disconnected, "a delivery unknown 1; b delivery unknown 1")
        .at(3, submit("c", PLAIN), "c submitted")
        .restarted()
        .at(4, Input::Connected, "b handed 2; publish b 2; c handed 1; publish c 1")
        .at(10_000, Input::Tick, "a TimedOut(MayHaveRun)");
    // Killed with its publish in progress: no event says that the session was lost.
    out(PLAIN).restarted().at(4, Input::Connected, "").at(10_000, Input::Tick, "a TimedOut(MayHaveRun)").shows(
        "a",
        "timed_out",
        "No answer within 10 s. Wilco does not know whether it was sent, so it may have run.",
    );
    // As above, but it had been sent.
    out(PLAIN)
        .at(1, sent("a", 1), "a sent 1")
        .restarted()
        .at(4, Input::Connected, "")
        .at(10_001, Input::Tick, "a TimedOut(MayHaveRun)")
        .shows(
            "a",
            "timed_out",
            "No answer within 10 s. It was sent, but no acknowledgement from the broker was recorded, so it may have \
             run.",
        );
    at_broker(PLAIN).restarted().at(30, Input::Connected, "").at(
        40,
        says("a", Outcome::Succeeded),
        "a succeeded moved",
    );
}

#[test]
fn where_events_are_missing_what_seems_unsent_may_have_been_sent() {
    let queued = |policy| Bench::new().at(0, submit("a", policy), "a submitted").restarted_with_events_missing(5, "a");
    queued(PLAIN)
        .shows("a", "queued", "Events are missing from the history, so it may have been sent.")
        .look("a", |command| assert_eq!((command.attempt, command.is_outstanding()), (1, true)))
        .at(6, Input::Connected, "")
        .at(10_005, Input::Tick, "a TimedOut(MayHaveRun)")
        .shows("a", "timed_out", "No answer within 10 s. Wilco does not know whether it was sent, so it may have run.");
    queued(PLAIN).at(6, cancel("a"), "a TimedOut(Abandoned)");
    queued(PLAIN).at(6, Input::Connected, "").at(7, says("a", Outcome::Succeeded), "a succeeded moved");
    // It has the same id, so that a device that deduplicates does nothing twice.
    queued(REPEATABLE).at(6, Input::Connected, "a handed 2; publish a 2");
    Bench::connected()
        .at(0, presence(false), "")
        .at(1, submit("a", PLAIN), "a submitted; a Held")
        .restarted_with_events_missing(5, "a")
        .at(6, Input::Connected, "")
        .at(7, presence(true), "")
        .at(10_005, Input::Tick, "a TimedOut(MayHaveRun)");
    // Of what has been sent, and of what was once not taken, no number is used twice.
    out(PLAIN).restarted_with_events_missing(5, "a").look("a", |command| {
        assert_eq!((command.attempt, command.message.as_deref()), (1, None));
    });
    out(REPEATABLE)
        .at(10, delivered("a", 1, Puback::NotTaken), "a not sent 1")
        .restarted_with_events_missing(11, "a")
        .at(12, Input::Connected, "a handed 3; publish a 3");
}

#[test]
fn inputs_about_nothing_known_do_nothing() {
    let check = |input: Input| {
        Bench::new().at(0, input.clone(), "");
        Bench::connected().at(0, input, "");
    };
    check(cancel("x"));
    check(sent("x", 1));
    check(puback("x", 1));
    check(delivered("x", 0, Puback::NotTaken));
    check(Input::Tick);
    check(Input::Drained);
    check(Input::Connected);
    at_broker(PLAIN)
        .at(30, sent("a", 0), "")
        .at(30, sent("a", 2), "")
        .at(30, puback("a", 0), "")
        .at(30, puback("a", 2), "")
        .at(30, delivered("a", 1, Puback::Refused { code: 0x80, said: None }), "")
        .at(30, delivered("a", 1, Puback::NotTaken), "")
        .at(-30, Input::Tick, "")
        .at(i64::MIN, Input::Tick, "")
        .at(i64::MAX, Input::Tick, "a TimedOut(Silence)");
    let endless = Policy {
        timeout: Millis(u64::MAX),
        time_to_live: Millis(u64::MAX),
        retry: Retry { permitted: true, limit: u32::MAX, pause: Millis(u64::MAX) },
        ..PLAIN
    };
    at_broker(endless).at(i64::MAX - 1, Input::Tick, "");
}

#[test]
fn a_device_known_to_be_offline_before_its_commands_are_is_not_asked() {
    let check = |delivery: Delivery, expected: &str| {
        let policy = Policy { delivery, ..PLAIN };
        let mut bench = Bench::new().at(0, submit("a", policy), "a submitted");
        let command = bench.ledger.command(&device("d"), &id("a")).cloned().expect("a command");
        bench.ledger = Ledger::new(Limits::default());
        let mut bench = bench.at(1, presence(false), "");
        bench.ledger.adopt(command);
        bench.at(2, Input::Connected, expected);
    };
    check(Delivery::HoldHere, "a Held");
    check(Delivery::BrokerHolds, "a handed 1; publish a 1");
}

#[test]
fn a_clock_that_is_set_back_does_no_harm() {
    at_broker(REPEATABLE)
        .at(-5_000, Input::Tick, "")
        .at(-4_000, submit("b", PLAIN), "b submitted; b handed 1; publish b 1")
        .at(-3_000, says("b", Outcome::Succeeded), "b succeeded moved")
        .at(-2_000, Input::Disconnected, "")
        .at(-1_000, Input::Connected, "")
        .at(30, says("a", Outcome::Succeeded), "a succeeded moved");
}

#[test]
fn a_command_for_which_no_request_can_be_written_is_never_sent_and_no_broker_is_blamed() {
    let form = WireForm { unwritable: Some("It has no restart.".into()), ..WireForm::default() };
    let submission = Submission { form: Some(form.into()), ..submission("d", "a", REPEATABLE) };
    Bench::connected()
        .at(0, Input::Submit(submission), "a submitted; a Undeliverable(NotWritten(\"It has no restart.\"))")
        .shows("a", "undeliverable", "The request could not be encoded. It has no restart. It was not sent.")
        .look("a", |command| assert_eq!((command.attempt, command.last_send), (0, None)))
        .wakes(None);
}
