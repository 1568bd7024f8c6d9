//! The device without a network: its actions for each input.

use serde_json::{Value, json};
use wilco_device::{
    device::{Action, Device},
    memory::Memory,
    payload_format::PayloadFormat,
};
use wilco_dialect::{Checksum, LogReceipt, device_side::Response};
use wilco_ledger::{CommandId, Millis, Outcome, Timestamp};

/// In November 2026.
const NOW: Timestamp = Timestamp(1_795_438_800_000);

fn device() -> Device {
    Device::start(Memory::default(), "boot-1".to_owned(), NOW)
}

fn request(id: &str, command: &str, args: Value) -> Vec<u8> {
    json!({"id": id, "command": command, "args": args, "issued_at": NOW.0, "expires_at": NOW.0 + 60_000, "attempt": 1})
        .to_string()
        .into_bytes()
}

fn id(id: &str) -> CommandId {
    CommandId::new(id).expect("an id")
}

/// Everything that happens to a request on a device that does it at once.
fn ask(device: &mut Device, payload: &[u8], now: Timestamp) -> Vec<Action> {
    let mut actions = Vec::new();
    for action in device.receive(payload, None, now) {
        match action {
            Action::Perform(id) => actions.extend(device.perform(&id, None, now)),
            other => actions.push(other),
        }
    }
    actions
}

fn answers(actions: &[Action]) -> Vec<&Response> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Answer(response) => Some(response),
            _ => None,
        })
        .collect()
}

/// The only answer, which has to be a refusal.
fn refusal(actions: &[Action]) -> (Option<&CommandId>, &str) {
    match actions {
        [Action::Answer(Response { id, outcome: Outcome::Rejected, message: Some(why), .. })] => (id.as_ref(), why),
        other => panic!("not one refusal: {other:?}"),
    }
}

fn state(device: &Device) -> Value {
    serde_json::from_slice(&device.state_payload()).expect("JSON")
}

#[test]
fn a_command_is_remembered_accepted_done_remembered_and_answered_in_this_order() {
    let mut device = device();
    let begun = device.receive(&request("a", "led", json!({"on": true})), None, NOW);
    assert!(
        matches!(
            begun.as_slice(),
            [Action::Remember, Action::Answer(Response { outcome: Outcome::Accepted, .. }), Action::Perform(_)]
        ),
        "{begun:?}"
    );
    assert_eq!(state(&device)["led"], json!(false));
    let done = device.perform(&id("a"), None, NOW);
    assert!(
        matches!(
            done.as_slice(),
            [Action::Remember, Action::ReportState, Action::Answer(Response { outcome: Outcome::Succeeded, .. })]
        ),
        "{done:?}"
    );
    assert_eq!(answers(&done)[0].result, Some(json!({"on": true})));
    assert_eq!(state(&device)["led"], json!(true));
}

#[test]
fn each_command_yields_its_result() {
    let first_day = json!({"report_interval_s": 30, "temp_high_c": 8.0, "buzzer": true, "ntp_host": "pool.ntp.org"});
    let quiet = json!({"report_interval_s": 30, "temp_high_c": 8.0, "buzzer": false, "ntp_host": "pool.ntp.org"});
    let change = |apply: &str| json!({"changes": {"buzzer": false}, "apply": apply});
    let check = |command: &str, args: Value, expected: Value| {
        let actions = ask(&mut device(), &request("a", command, args), NOW);
        let answers = answers(&actions);
        assert_eq!(answers.len(), 2, "{command}: {answers:?}");
        assert_eq!(answers[1].outcome, Outcome::Succeeded, "{command}");
        assert_eq!(answers[1].result.as_ref(), Some(&expected), "{command}");
    };
    check("led", json!({"on": false}), json!({"on": false}));
    check("config.get", json!({}), json!({"running": first_day, "saved": first_day}));
    check("config.set", change("now"), json!({"running": quiet, "saved": quiet}));
    check("config.set", change("restart"), json!({"running": first_day, "saved": quiet}));
    check("telemetry.set", json!({"interval_ms": 500}), json!({"interval_ms": 500}));
    let first_state = json!({"led": false, "identifying": false, "telemetry_interval_ms": null,
        "running": first_day, "saved": first_day});
    check("state.get", json!({}), first_state);
}

#[test]
fn unsupported_commands_are_rejected_with_a_reason() {
    let expired = json!({"id": "a", "command": "led", "args": {"on": true}, "expires_at": NOW.0 - 5}).to_string();
    let half = json!({"changes": {"buzzer": false, "colour": "red"}, "apply": "now"});
    let check = |payload: Vec<u8>, named: Option<&str>, part: &str| {
        let mut device = device();
        let before = state(&device);
        let actions = ask(&mut device, &payload, NOW);
        let (refused, why) = refusal(&actions);
        assert_eq!(refused.map(CommandId::as_str), named, "{why}");
        assert!(why.contains(part) && why.ends_with('.'), "{why}");
        assert_eq!(state(&device), before);
        assert_eq!(*device.memory(), Memory::default(), "nothing was begun");
    };
    check(expired.into_bytes(), Some("a"), "expired 5 ms before it arrived");
    check(request("a", "fly", json!({})), Some("a"), "does not support the command 'fly'");
    check(request("a", "led", json!({"on": "yes"})), Some("a"), "'on' to be true or false");
    check(
        request("a", "telemetry.set", json!({"interval_ms": "500"})),
        Some("a"),
        "a whole number from 100 to 3600000",
    );
    let nan = br#"{"id":"a","command":"telemetry.set","args":{"interval_ms":NaN}}"#;
    check(nan.to_vec(), Some("a"), "needs 'interval_ms'");
    check(request("a", "log.get", json!({"lines": 0})), Some("a"), "a whole number from 1 to 100000");
    check(request("a", "identify", json!({"seconds": 61})), Some("a"), "a whole number from 1 to 60");
    check(request("a", "config.set", half), Some("a"), "no configuration key 'colour'");
    check(b"light: on".to_vec(), None, "malformed");
    check(vec![0xff, 0x00], None, "malformed");
    check(br#"{"command":"led"}"#.to_vec(), None, "it has no ID");
    check(br#"{"id":"a","command":"led","args":7}"#.to_vec(), Some("a"), "args are not a JSON object");
}

#[test]
fn without_a_clock_nothing_is_expired() {
    let expired = json!({"id": "a", "command": "led", "args": {"on": true}, "expires_at": 1}).to_string();
    let actions = ask(&mut device(), expired.as_bytes(), Timestamp(7_000));
    assert_eq!(answers(&actions)[1].outcome, Outcome::Succeeded);
}

#[test]
fn a_repeated_id_gets_the_stored_outcome_also_after_a_restart_and_after_it_expired() {
    let mut device = device();
    let payload = request("a", "led", json!({"on": true}));
    let first = ask(&mut device, &payload, NOW);
    let stored = answers(&first)[1].clone();
    let much_later = NOW + Millis::seconds(3_600);
    assert_eq!(ask(&mut device, &payload, much_later), [Action::Answer(stored.clone())]);

    let mut device = Device::start(device.into_memory(), "boot-2".to_owned(), much_later);
    assert_eq!(ask(&mut device, &payload, much_later), [Action::Answer(stored)]);
    assert_eq!(state(&device)["led"], json!(false), "it was not done again");
}

#[test]
fn a_repeated_id_of_what_is_under_way_is_accepted_again_and_done_once() {
    let mut device = device();
    let payload = request("a", "led", json!({"on": true}));
    let begun = device.receive(&payload, None, NOW);
    assert_eq!(begun.len(), 3);
    let again = device.receive(&payload, None, NOW);
    assert!(matches!(again.as_slice(), [Action::Answer(Response { outcome: Outcome::Accepted, .. })]), "{again:?}");
    assert_eq!(device.perform(&id("a"), None, NOW).len(), 3);
    assert_eq!(device.perform(&id("a"), None, NOW), []);
}

#[test]
fn a_restart_is_answered_by_the_next_start() {
    let mut device = device();
    let actions = ask(&mut device, &request("a", "restart", json!({"delay_ms": 50})), NOW);
    assert_eq!(actions.last(), Some(&Action::Restart(Millis(50))));
    assert_eq!(answers(&actions).len(), 1);

    let mut device = Device::start(device.into_memory(), "boot-2".to_owned(), NOW);
    let back = device.connected();
    assert!(
        matches!(
            back.as_slice(),
            [
                Action::Remember,
                Action::ReportStatus,
                Action::ReportState,
                Action::Answer(Response { outcome: Outcome::Succeeded, .. })
            ]
        ),
        "{back:?}"
    );
    assert_eq!(answers(&back)[0].result, Some(json!({"boot": "boot-2"})));
    assert_eq!(device.connected(), [Action::ReportStatus, Action::ReportState], "it is said once");
}

#[test]
fn interrupted_commands_are_reported_as_unknown() {
    let mut device = device();
    let begun = device.receive(&request("a", "led", json!({"on": true})), None, NOW);
    assert_eq!(begun.len(), 3);
    let mut device = Device::start(device.into_memory(), "boot-2".to_owned(), NOW);
    let back = device.connected();
    let said = answers(&back);
    assert_eq!(said[0].outcome, Outcome::Failed);
    assert!(said[0].message.as_deref().is_some_and(|why| why.contains("outcome is unknown")));
}

#[test]
fn configuration_saved_for_the_next_restart_runs_after_it() {
    let mut device = device();
    let changes = json!({"changes": {"buzzer": false, "temp_high_c": 6.5}, "apply": "restart"});
    ask(&mut device, &request("a", "config.set", changes), NOW);
    assert_eq!(state(&device)["running"]["buzzer"], json!(true));
    assert_eq!(state(&device)["saved"]["buzzer"], json!(false));
    let device = Device::start(device.into_memory(), "boot-2".to_owned(), NOW);
    assert_eq!(state(&device)["running"], state(&device)["saved"]);
    assert_eq!(state(&device)["running"]["temp_high_c"], json!(6.5));
}

#[test]
fn a_broken_device_says_that_it_failed_and_remembers_it() {
    let mut device = device();
    let payload = request("a", "led", json!({"on": true}));
    assert_eq!(device.receive(&payload, None, NOW).len(), 3);
    let actions = device.perform(&id("a"), Some("The bus does not answer."), NOW);
    assert_eq!(answers(&actions)[0].outcome, Outcome::Failed);
    assert_eq!(state(&device)["led"], json!(false));
    let again = ask(&mut device, &payload, NOW);
    assert_eq!(answers(&again), answers(&actions));
}

#[test]
fn a_command_that_cannot_be_stored_is_not_started() {
    let mut device = device();
    assert_eq!(device.receive(&request("a", "led", json!({"on": true})), None, NOW).len(), 3);
    let refused = device.withdraw(&id("a"), "no space left on device", NOW);
    assert!(refusal(refused.as_slice()).1.contains("no space left on device"));
    assert_eq!(device.perform(&id("a"), None, NOW), []);
    assert_eq!(*device.memory(), Memory::default());
}

#[test]
fn progress_is_said_of_what_is_under_way_only() {
    let mut device = device();
    assert_eq!(device.progress(&id("a"), 10, NOW), None);
    assert_eq!(device.receive(&request("a", "led", json!({"on": true})), None, NOW).len(), 3);
    let Some(Action::Answer(running)) = device.progress(&id("a"), 40, NOW) else { panic!("a heartbeat") };
    assert_eq!((running.outcome, running.progress), (Outcome::Running, Some(40)));
}

#[test]
fn a_telemetry_interval_is_measured_by_at_once_and_reported_and_ends_with_a_restart() {
    let mut device = device().measuring(Some(Millis(5_000)));
    assert_eq!(state(&device)["telemetry_interval_ms"], json!(5_000));
    let actions = ask(&mut device, &request("a", "telemetry.set", json!({"interval_ms": 250})), NOW);
    assert!(
        matches!(
            actions[2..],
            [
                Action::Remember,
                Action::ReportState,
                Action::Answer(Response { outcome: Outcome::Succeeded, .. }),
                Action::Measure
            ]
        ),
        "{actions:?}"
    );
    assert_eq!(device.telemetry_interval(), Some(Millis(250)));
    assert_eq!(state(&device)["telemetry_interval_ms"], json!(250));
    let device = Device::start(device.into_memory(), "boot-2".to_owned(), NOW).measuring(Some(Millis(5_000)));
    assert_eq!(state(&device)["telemetry_interval_ms"], json!(5_000));
}

#[test]
fn while_it_blinks_it_says_so_and_the_led_stays_what_it_is_switched_to() {
    let mut device = device();
    let actions = ask(&mut device, &request("a", "identify", json!({"seconds": 3})), NOW);
    assert!(
        matches!(actions[2..], [Action::ReportState, Action::Blink(_, Millis(3_000))]),
        "accepted, and not done: {actions:?}"
    );
    let reported = |device: &Device| (state(device)["led"].clone(), state(device)["identifying"].clone());
    assert_eq!(reported(&device), (json!(false), json!(true)));
    let heartbeat = device.progress(&id("a"), 33, NOW);
    assert!(matches!(heartbeat, Some(Action::Answer(Response { outcome: Outcome::Running, progress: Some(33), .. }))));
    ask(&mut device, &request("b", "led", json!({"on": true})), NOW);
    assert_eq!(reported(&device), (json!(true), json!(true)));

    let done = device.blinked(&id("a"), NOW);
    assert!(matches!(done[..2], [Action::Remember, Action::ReportState]), "{done:?}");
    assert_eq!(answers(&done)[0].result, Some(json!({"seconds": 3})));
    assert_eq!(reported(&device), (json!(true), json!(false)));
    assert_eq!(device.blinked(&id("a"), NOW), [], "it is said once");
    assert_eq!(device.progress(&id("a"), 66, NOW), None);
}

#[test]
fn two_who_ask_it_to_blink_are_both_answered() {
    let mut device = device();
    ask(&mut device, &request("a", "identify", json!({"seconds": 3})), NOW);
    ask(&mut device, &request("b", "identify", json!({"seconds": 9})), NOW);
    assert_eq!(answers(&device.blinked(&id("a"), NOW)).len(), 1);
    assert_eq!(state(&device)["identifying"], json!(true), "it still blinks for b");
    assert_eq!(answers(&device.blinked(&id("b"), NOW)).len(), 1);
    assert_eq!(state(&device)["identifying"], json!(false));
}

#[test]
fn a_log_is_sent_by_the_surroundings_and_answered_with_what_was_sent() {
    let mut device = device();
    let payload = request("a", "log.get", json!({"lines": 20}));
    let actions = ask(&mut device, &payload, NOW);
    assert_eq!(actions[2..], [Action::SendLog(id("a"), Some(20))]);
    let receipt = LogReceipt { chunks: Some(3), bytes: Some(70_000), sha256: Some(Checksum::of("a log")) };
    let done = device.log_sent(&id("a"), Ok(&receipt), NOW);
    assert!(matches!(done.as_slice(), [Action::Remember, Action::Answer(_)]), "{done:?}");
    let result = answers(&done)[0].result.clone().expect("a result");
    assert_eq!(LogReceipt::of(&result), receipt);
    assert_eq!(device.log_sent(&id("a"), Ok(&receipt), NOW), [], "it is said once");
    let again = ask(&mut device, &payload, NOW);
    assert_eq!(answers(&again), answers(&done), "the outcome, and the log not again");
    assert_eq!(again.len(), 1);

    ask(&mut device, &request("b", "log.get", json!({})), NOW);
    let failed = device.log_sent(&id("b"), Err("permission denied"), NOW);
    assert_eq!(answers(&failed)[0].outcome, Outcome::Failed);
    assert_eq!(answers(&failed)[0].message.as_deref(), Some("The device cannot read its log (permission denied)."));
}

#[test]
fn a_restart_ends_the_blinking() {
    let mut device = device();
    ask(&mut device, &request("a", "identify", json!({})), NOW);
    let mut device = Device::start(device.into_memory(), "boot-2".to_owned(), NOW);
    assert_eq!(state(&device)["identifying"], json!(false));
    let back = device.connected();
    assert_eq!(answers(&back)[0].outcome, Outcome::Failed);
}

/// A device that speaks text.
fn texter() -> Device {
    device().speaking(PayloadFormat::Text)
}

/// The only answer, a text.
fn said(actions: &[Action]) -> &str {
    let mut texts = actions.iter().filter_map(|action| match action {
        Action::Say(text) => Some(text.as_str()),
        Action::Answer(other) => panic!("no text: {other:?}"),
        _ => None,
    });
    let only = texts.next().expect("an answer");
    assert_eq!(texts.next(), None, "one answer");
    only
}

#[test]
fn text_is_answered_once_in_text_with_the_request_echoed() {
    let check = |payload: &[u8], led: bool, expected: &str| {
        let mut device = texter();
        let actions = ask(&mut device, payload, NOW);
        assert_eq!(said(&actions), expected);
        assert_eq!(state(&device)["led"], json!(led));
    };
    let ran = "SUCCESS: command ran successfully from payload: ";
    check(b"light: on", true, &format!("{ran}light: on"));
    check(b"Light: ON", true, &format!("{ran}Light: ON"));
    check(b"light: off", false, &format!("{ran}light: off"));
    let json = request("a", "led", json!({"on": true}));
    check(&json, true, &format!("{ran}{}", String::from_utf8_lossy(&json)));
    check(b"telemetry: 500", false, &format!("{ran}telemetry: 500"));
    let why = "FAILURE: 'telemetry.set' needs 'interval_ms' to be a whole number from 100 to 3600000. ";
    check(b"telemetry: 5", false, &format!("{why}From payload: telemetry: 5"));
    let json = request("a", "fly", json!({}));
    let why = "FAILURE: This device does not support the command 'fly'. From payload: ";
    check(&json, false, &format!("{why}{}", String::from_utf8_lossy(&json)));
    let actions = ask(&mut texter(), b"fly", NOW);
    assert!(said(&actions).starts_with("FAILURE: This device supports 'light: on', "), "{actions:?}");
    assert!(said(&actions).ends_with(" From payload: fly"));
}

#[test]
fn the_same_text_without_an_id_is_a_new_command_and_with_one_it_is_not() {
    let mut device = texter();
    ask(&mut device, b"light: on", NOW);
    ask(&mut device, b"light: off", NOW);
    assert_eq!(state(&device)["led"], json!(false));
    ask(&mut device, b"light: on", NOW);
    assert_eq!(state(&device)["led"], json!(true));
    let mut device = Device::start(device.into_memory(), "boot-2".to_owned(), NOW).speaking(PayloadFormat::Text);
    ask(&mut device, b"light: on", NOW);
    assert_eq!(state(&device)["led"], json!(true), "it was not taken for one before the restart");

    let mut device = texter();
    let first = device.receive(b"light: on", Some(b"1111"), NOW);
    assert!(matches!(first.as_slice(), [Action::Remember, Action::Perform(_)]), "{first:?}");
    assert!(said(&device.perform(&id("1111"), None, NOW)).starts_with("SUCCESS: "));
    let again = device.receive(b"light: on", Some(b"1111"), NOW);
    assert!(matches!(again.as_slice(), [Action::Say(text)] if text.starts_with("SUCCESS: ")), "{again:?}");
}

#[test]
fn a_restart_by_text_is_answered_in_text_by_the_next_start() {
    let mut device = texter();
    let actions = ask(&mut device, b"restart", NOW);
    assert_eq!(actions.last(), Some(&Action::Restart(Millis(100))));
    let mut device = Device::start(device.into_memory(), "boot-2".to_owned(), NOW).speaking(PayloadFormat::Text);
    assert_eq!(said(&device.connected()), "SUCCESS: command ran successfully from payload: restart");
    // What was interrupted says so.
    let mut device = texter();
    assert_eq!(device.receive(b"light: on", None, NOW).len(), 2);
    let mut device = Device::start(device.into_memory(), "boot-2".to_owned(), NOW).speaking(PayloadFormat::Text);
    let back = device.connected();
    assert!(said(&back).contains("outcome is unknown. From payload: light: on"), "{back:?}");
}

#[test]
fn text_has_no_word_for_progress_and_says_what_goes_wrong() {
    let mut device = texter();
    let begun = device.receive(b"light: on", Some(b"a"), NOW);
    assert_eq!(begun.len(), 2);
    assert_eq!(device.progress(&id("a"), 40, NOW), None);
    let failed = device.perform(&id("a"), Some("The bus does not answer."), NOW);
    assert!(said(&failed).starts_with("FAILURE: The bus does not answer. "));
    assert_eq!(device.receive(b"light: off", Some(b"b"), NOW).len(), 2);
    let refused = device.withdraw(&id("b"), "no space left on device", NOW);
    assert!(said(refused.as_slice()).ends_with("From payload: light: off"));
}
