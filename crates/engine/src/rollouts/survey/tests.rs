#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use serde_json::{Value, json};
use wilco_ledger::{
    Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Policy, Retry, State, Submission, Timestamp,
};

use super::{Requested, Survey};
use crate::{
    api::{LeaveOut, Presence},
    fleet::Fleet,
    store::{CommandTemplate, NewMember},
};

const POLICY: Policy = Policy {
    delivery: Delivery::Now,
    timeout: Millis(10_000),
    time_to_live: Millis(60_000),
    retry: Retry { permitted: false, limit: 0, pause: Millis(500) },
    answer_expected: true,
    answers_carry_ids: true,
};

fn id(text: &str) -> DeviceId {
    DeviceId::new(text).unwrap()
}

fn template(command: &str, args: &Value) -> CommandTemplate {
    CommandTemplate { name: command.into(), args: args.to_string().into(), form: None, policy: POLICY }
}

fn command(device: &str, origin: Origin, state: State) -> Command {
    let submission = Submission {
        device: id(device),
        id: CommandId::new("0198f3c2-7d1e-7c2a-9c55-000000000001").unwrap(),
        name: "led".into(),
        args: "{}".into(),
        policy: POLICY,
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
        form: None,
    };
    let fact = Fact::Submitted { submission: submission.into(), origin };
    let mut command = Command::begin(&Event { device: id(device), command: None, at: Timestamp(1), fact }).unwrap();
    command.state = state;
    command
}

/// One device of each kind, and one that is two of them.
fn fleet() -> Fleet {
    let mut fleet = Fleet::default();
    for (device, presence, led) in [
        ("lit", Presence::Online, true),
        ("dark", Presence::Online, false),
        ("away", Presence::Offline, false),
        ("away-and-lit", Presence::Offline, true),
        ("watched", Presence::Unknown, false),
        ("theirs", Presence::Online, false),
        ("ours", Presence::Online, false),
        ("done", Presence::Online, false),
    ] {
        fleet.update(&id(device), |device| {
            device.presence = presence;
            device.report(json!({"led": led}).to_string(), None);
        });
    }
    fleet
}

const TARGET: [&str; 9] =
    ["lit", "dark", "away", "away-and-lit", "watched", "theirs", "ours", "done", "never-heard-of"];

fn survey(leave_out: LeaveOut) -> Survey {
    let target = TARGET.map(|device| NewMember { device: id(device), args: None }).to_vec();
    let busy = TARGET.map(|device| match device {
        "theirs" => Some(command(device, Origin::Observed, State::Running)),
        "ours" => Some(command(device, Origin::Here, State::Held)),
        _ => None,
    });
    Survey::of(&fleet(), target, busy.to_vec(), &template("led", &json!({"on": true})), leave_out)
}

#[test]
fn each_kind_is_counted_in_the_whole_target_whoever_is_left_out() {
    for leave_out in [LeaveOut::default(), LeaveOut { offline: true, already: true, busy: true }] {
        let survey = survey(leave_out);
        assert_eq!((survey.offline.count, survey.offline.examples), (2, vec!["away".into(), "away-and-lit".into()]));
        assert_eq!((survey.already.count, survey.already.examples), (2, vec!["lit".into(), "away-and-lit".into()]));
        assert_eq!((survey.busy_elsewhere.count, survey.busy_elsewhere.examples), (1, vec!["theirs".into()]));
        assert_eq!((survey.busy_here.count, survey.busy_here.examples), (1, vec!["ours".into()]));
        assert_eq!(survey.presence_unknown, 2);
    }
}

#[test]
fn only_those_that_are_named_are_left_out() {
    let check = |leave_out: LeaveOut, without: &[&str]| {
        let survey = survey(leave_out);
        let members: Vec<_> = survey.members.iter().map(|member| member.device.as_str()).collect();
        let expected: Vec<_> = TARGET.into_iter().filter(|device| !without.contains(device)).collect();
        assert_eq!(members, expected, "{leave_out:?}");
        assert_eq!(survey.usual.len(), members.len());
    };
    check(LeaveOut::default(), &[]);
    check(LeaveOut { offline: true, ..LeaveOut::default() }, &["away", "away-and-lit"]);
    check(LeaveOut { already: true, ..LeaveOut::default() }, &["lit", "away-and-lit"]);
    check(LeaveOut { busy: true, ..LeaveOut::default() }, &["theirs", "ours"]);
    check(LeaveOut { offline: true, already: true, busy: true }, &["lit", "away", "away-and-lit", "theirs", "ours"]);
}

#[test]
fn an_already_reported_state_is_described_briefly() {
    let check = |command: &str, args: &Value, expected: Option<&str>| {
        let mut fleet = Fleet::default();
        let report = json!({"led": true, "telemetry_interval_ms": 5_000, "running": {"a": 1, "b": "x"}});
        fleet.update(&id("pump"), |device| device.report(report.to_string(), None));
        let requested = Requested::of(command, &args.to_string());
        let found = requested.reported_by(fleet.get(&id("pump")).unwrap());
        assert_eq!(found.as_deref(), expected, "{command} {args}");
    };
    check("led", &json!({"on": true}), Some("ON"));
    check("led", &json!({"on": false}), None);
    check("led", &json!({"on": "ON"}), None);
    check("telemetry.set", &json!({"interval_ms": 5_000}), Some("interval_ms = 5000"));
    check("config.set", &json!({"changes": {"a": 1.0, "b": "x"}}), Some("a = 1.0, b = \"x\""));
    check("restart", &json!({}), None);
}

#[test]
fn a_device_is_as_asked_only_when_it_reports_just_that() {
    let report = json!({
        "led": false, "telemetry_interval_ms": 5_000,
        "running": {"interval_s": 30, "limits": [1, 2.5]}, "saved": {"interval_s": 60, "limits": [1, 2.5]},
    });
    let check = |command: &str, args: Value, expected: bool| {
        let mut fleet = Fleet::default();
        fleet.update(&id("pump"), |device| device.report(report.to_string(), None));
        let target = vec![NewMember { device: id("pump"), args: None }];
        let survey = Survey::of(&fleet, target, Vec::new(), &template(command, &args), LeaveOut::default());
        assert_eq!(survey.already.count == 1, expected, "{command} {args}");
    };
    let set = |changes: Value, apply: &str| json!({"changes": changes, "apply": apply});
    check("led", json!({"on": false}), true);
    check("led", json!({"on": true}), false);
    check("led", json!({}), false);
    check("telemetry.set", json!({"interval_ms": 5_000}), true);
    check("telemetry.set", json!({"interval_ms": 5_001}), false);
    check("telemetry.set", json!({}), false);
    // `now` changes both, so both must be so; `restart` changes what is saved.
    check("config.set", set(json!({"interval_s": 30}), "now"), false);
    check("config.set", set(json!({"interval_s": 60}), "now"), false);
    check("config.set", set(json!({"limits": [1.0, 2.5]}), "now"), true);
    check("config.set", set(json!({"interval_s": 60.0}), "restart"), true);
    check("config.set", set(json!({"interval_s": 30}), "restart"), false);
    check("config.set", set(json!({"interval_s": 60, "other": 1}), "restart"), false);
    check("config.set", set(json!({}), "restart"), false);
    check("restart", json!({}), false);
}

#[test]
fn a_member_with_individual_arguments_is_judged_by_them() {
    let target = vec![
        NewMember { device: id("dark"), args: Some(r#"{"on":false}"#.into()) },
        NewMember { device: id("lit"), args: Some(r#"{"on":false}"#.into()) },
    ];
    let survey = Survey::of(&fleet(), target, Vec::new(), &template("led", &json!({"on": true})), LeaveOut::default());
    assert_eq!((survey.already.count, survey.already.examples), (1, vec!["dark".into()]));
}

#[test]
fn whole_numbers_are_compared_to_the_last_digit() {
    let check = |wanted: &str, reported: &str, expected: bool| {
        let mut fleet = Fleet::default();
        let report = format!(r#"{{"running":{{"serial":{reported}}},"saved":{{"serial":{reported}}}}}"#);
        fleet.update(&id("pump"), |device| device.report(report, None));
        let target = vec![NewMember { device: id("pump"), args: None }];
        let args = format!(r#"{{"changes":{{"serial":{wanted}}},"apply":"now"}}"#);
        let template = CommandTemplate { args: args.into(), ..template("config.set", &json!({})) };
        let survey =
            Survey::of(&fleet, target, Vec::new(), &template, LeaveOut { already: true, ..LeaveOut::default() });
        assert_eq!((survey.already.count == 1, survey.members.is_empty()), (expected, expected), "{wanted} {reported}");
    };
    check("1795438800", "1795438801", false);
    check("1795438800", "1795438800.0", true);
    check("9007199254740993", "9007199254740992", false);
    check("123456789012345678901234567890", "123456789012345678901234567891", false);
    check("123456789012345678901234567890", "12345678901234567890123456789e1", true);
    check("1e400", "10e399", true);
    check(r#"[1,{"a":18446744073709551617}]"#, r#"[1,{"a":18446744073709551616}]"#, false);
}
