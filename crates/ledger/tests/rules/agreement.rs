//! Whether devices report what they answered.

use std::cell::RefCell;
use std::collections::HashMap;

use wilco_ledger::{Agreements, Disagreement, FOLLOWS_WITHIN, Millis, Term, Timestamp};

use crate::bench::{device, id};

/// The time that a device has to report what it said.
const TIME: i64 = 10_000;

/// One device and what it reports.
#[derive(Default)]
struct Bench {
    agreements: Agreements,
    reports: RefCell<HashMap<String, String>>,
}

fn term(key: &str, value: &str) -> Term {
    Term { key: key.into(), value: Some(value.into()) }
}

impl Bench {
    /// The device says at 0 that it did what the command `a` asked for: the LED is on.
    fn said_on() -> Bench {
        let mut bench = Bench::default();
        bench.agreements.record_success(&device("d"), &id("a"), &[term("led", "true")], false, Timestamp(0));
        bench
    }

    fn reports(mut self, key: &str, value: &str) -> Bench {
        self.reports.borrow_mut().insert(key.into(), value.into());
        let reports = self.reports.borrow();
        self.agreements.reported(&device("d"), |key| reports.get(key).map(|value| value.as_str().into()));
        drop(reports);
        self
    }

    fn at(mut self, now: i64) -> Bench {
        let reports = self.reports.borrow();
        self.agreements.look(Timestamp(now), |_, key| reports.get(key).map(|value| value.as_str().into()));
        drop(reports);
        self
    }

    fn presence(mut self, online: bool, now: i64) -> Bench {
        self.agreements.presence(&device("d"), online, Timestamp(now));
        self
    }

    /// What the device said and what it reports instead.
    #[track_caller]
    fn disagrees(self, expected: Option<(&str, &str)>) -> Bench {
        let found = self.agreements.of(&device("d"));
        let found = found.as_ref().map(|found| (&*found.said, &*found.reported));
        assert_eq!(found, expected);
        self
    }
}

#[test]
fn a_device_that_reports_what_it_said_agrees_whichever_came_first() {
    assert_eq!(FOLLOWS_WITHIN, Millis(TIME as u64));
    Bench::said_on().reports("led", "true").at(TIME).disagrees(None);
    // The report before the answer.
    let mut bench = Bench::default().reports("led", "true");
    bench.agreements.record_success(&device("d"), &id("a"), &[term("led", "true")], false, Timestamp(0));
    bench.at(TIME).disagrees(None);
    // In other words, and as another number.
    Bench::said_on().reports("led", "TRUE").at(TIME).disagrees(None);
}

#[test]
fn a_device_that_reports_something_else_disagrees_once_its_time_is_over_and_not_before() {
    let bench = Bench::said_on().reports("led", "false").at(TIME - 1).disagrees(None);
    assert_eq!(bench.agreements.next_due(), Some(Timestamp(TIME)));
    let bench = bench.at(TIME).disagrees(Some(("true", "false")));
    assert_eq!(bench.agreements.next_due(), None);
    // It did not stay so either.
    Bench::said_on().reports("led", "true").reports("led", "false").at(TIME).disagrees(Some(("true", "false")));
}

#[test]
fn a_late_report_of_what_it_said_ends_the_disagreement() {
    let bench = Bench::said_on().reports("led", "false").at(TIME).disagrees(Some(("true", "false")));
    bench.reports("led", "true").disagrees(None);
}

#[test]
fn somebody_who_presses_the_button_later_is_no_disagreement() {
    Bench::said_on().reports("led", "true").at(TIME).reports("led", "false").at(10 * TIME).disagrees(None);
}

#[test]
fn a_device_that_reports_nothing_of_it_says_nothing() {
    let bench = Bench::said_on().reports("relay", "false").at(TIME).disagrees(None);
    bench.reports("led", "false").at(2 * TIME).disagrees(None);
}

#[test]
fn the_next_command_for_the_same_value_ends_it_and_another_does_not() {
    let mut bench = Bench::said_on().reports("led", "false").at(TIME).disagrees(Some(("true", "false")));
    assert!(!bench.agreements.requested(&device("d"), &[term("telemetry_interval_ms", "500")]));
    let mut bench = bench.disagrees(Some(("true", "false")));
    assert!(bench.agreements.requested(&device("d"), &[term("led", "false")]));
    bench.disagrees(None);
    // While it is not decided, too.
    let mut bench = Bench::said_on().reports("led", "false");
    assert!(!bench.agreements.requested(&device("d"), &[term("led", "true")]));
    assert_eq!(bench.agreements.next_due(), None);
    bench.at(TIME).disagrees(None);
}

#[test]
fn the_time_that_a_device_is_offline_does_not_count() {
    let bench = Bench::said_on().reports("led", "false").presence(false, 5_000).at(TIME).disagrees(None);
    let bench = bench.presence(true, 60_000).at(60_000 + TIME - 1).disagrees(None);
    bench.at(60_000 + TIME).disagrees(Some(("true", "false")));
    // One that answered and was gone before that was read.
    let mut bench = Bench::default().reports("led", "false");
    bench.agreements.record_success(&device("d"), &id("a"), &[term("led", "true")], true, Timestamp(0));
    let bench = bench.at(TIME).disagrees(None).presence(true, 20_000).reports("led", "true");
    bench.at(20_000 + TIME).disagrees(None);
}

#[test]
fn each_value_is_checked_separately() {
    let mut bench = Bench::said_on().reports("led", "false").reports("telemetry_interval_ms", "1000");
    let interval = [term("telemetry_interval_ms", "500")];
    bench.agreements.record_success(&device("d"), &id("b"), &interval, false, Timestamp(0));
    let mut bench = bench.at(TIME).disagrees(Some(("true", "false"))).reports("led", "true");
    let of = bench.agreements.of(&device("d")).expect("the interval");
    assert_eq!((of.command.as_str(), &*of.key, &*of.reported), ("b", "telemetry_interval_ms", "1000"));
    bench.agreements.forget(&device("d"));
    bench.disagrees(None);
}

#[test]
fn its_state_is_unchanged_after_a_restart() {
    let mut bench = Bench::default();
    let before = Disagreement { command: id("a"), key: "led".into(), said: "true".into(), reported: "false".into() };
    bench.agreements.restore(&device("d"), before.clone());
    assert_eq!(bench.agreements.of(&device("d")), Some(before));
    // The broker's copy of the same report changes nothing.
    let bench = bench.reports("led", "false").disagrees(Some(("true", "false")));
    bench.reports("led", "true").disagrees(None);
}
