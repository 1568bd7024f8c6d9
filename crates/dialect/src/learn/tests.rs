#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use super::{Observed, learn, propose};
use crate::{DialectFile, Exchange};

fn observed(at: i64, topic: &str, payload: &str) -> Observed {
    Observed { at, topic: topic.to_owned(), payload: payload.to_owned(), retained: false }
}

#[test]
fn a_made_up_firmware_is_described_from_what_was_heard() {
    let heard = [
        Observed { retained: true, ..observed(0, "plant/dev/pump-7/alive", "online") },
        observed(100, "plant/ask/pump-7", r#"{"tid":"a1","cmd":"valve","params":{"open":true}}"#),
        observed(150, "plant/tell/pump-7", r#"{"tid":"a1","status":"RUNNING"}"#),
        observed(300, "plant/tell/pump-7", r#"{"tid":"a1","status":"SUCCESS","text":"valve is open"}"#),
        observed(400, "plant/dev/pump-7/values", r#"{"bar":2.5}"#),
        observed(500, "plant/ask/pump-7", r#"{"tid":"a2","cmd":"flush","params":{}}"#),
        observed(600, "plant/tell/pump-7", r#"{"tid":"a2","status":"FAILURE","text":"no water"}"#),
    ];
    let proposal = learn("mine", &heard).unwrap();
    let file = DialectFile::parse(&proposal.file).unwrap_or_else(|problems| panic!("{problems:?}\n{}", proposal.file));
    let exchange = r#"{"dialect":"mine","name":"flush","device":"pump-9","command":"flush","args":{"s":5},"id":"c1",
        "request":{"topic":"plant/ask/pump-9","payload":"{\"tid\":\"c1\",\"cmd\":\"flush\",\"params\":{\"s\":5}}"},
        "answers":[{"topic":"plant/tell/pump-9","payload":"{\"tid\":\"c1\",\"status\":\"FAILURE\",\"text\":\"no water\"}"}],
        "expect":{"state":"failed","id":"exact","message":"no water"}}"#;
    let exchange: Exchange = serde_json::from_str(exchange).unwrap();
    let played = exchange.play(&[file]).unwrap();
    assert_eq!(played.wrong, Vec::<String>::new(), "{}", proposal.file);
    assert!(proposal.file.contains("as = \"presence\"") && proposal.file.contains("as = \"telemetry\""));
    assert!(proposal.remarks.iter().any(|remark| remark.contains("in 'status'")), "{:?}", proposal.remarks);
}

/// Plays an exchange with what is proposed of the first two messages.
fn check(heard: &[Observed], exchange: &str) {
    let proposal = propose("mine", heard, 0, Some(1)).unwrap();
    let file = DialectFile::parse(&proposal.file).unwrap_or_else(|problems| panic!("{problems:?}\n{}", proposal.file));
    let exchange: Exchange = serde_json::from_str(exchange).unwrap();
    let played = exchange.play(&[file]).unwrap();
    assert_eq!(played.wrong, Vec::<String>::new(), "{}", proposal.file);
}

#[test]
fn a_request_and_its_answer_that_somebody_points_at_are_described() {
    // The answer names the command by a name that nobody else uses, and by a number.
    check(
        &[
            observed(0, "p/pump-7/in", r#"{"do":"go","ticket":4711}"#),
            observed(900_000, "p/pump-7/out", r#"{"ticket":4711,"state":"OK"}"#),
            observed(900_100, "p/pump-8/out", r#"{"ticket":4712,"state":"FAILED","why":"dry"}"#),
        ],
        r#"{"dialect":"mine","name":"x","device":"p1","command":"any","args":{"do":"stop"},"id":"c1","wire_id":5,
            "request":{"topic":"p/p1/in","payload":"{\"do\":\"stop\",\"ticket\":5}"},
            "answers":[{"topic":"p/p1/out","payload":"{\"ticket\":5,\"state\":\"FAILED\",\"why\":\"dry\"}"}],
            "expect":{"state":"failed","id":"exact","message":"dry"}}"#,
    );
    // The numbers are short, but each request is answered with its own.
    check(
        &[
            observed(0, "p/pump-7/in", r#"{"do":"go","ticket":17,"speed":3}"#),
            observed(9, "p/pump-7/out", r#"{"ticket":17,"state":"OK","speed":3}"#),
            observed(20, "p/pump-8/in", r#"{"do":"go","ticket":18,"speed":3}"#),
            observed(29, "p/pump-8/out", r#"{"ticket":18,"state":"OK","speed":3}"#),
        ],
        r#"{"dialect":"mine","name":"x","device":"p1","command":"any","args":{"do":"stop"},"id":"c1","wire_id":5,
            "request":{"topic":"p/p1/in","payload":"{\"do\":\"stop\",\"ticket\":5}"},
            "answers":[{"topic":"p/p1/out","payload":"{\"ticket\":5,\"state\":\"OK\"}"}],
            "expect":{"state":"succeeded","id":"exact","message":null}}"#,
    );
    // The answer names no command.
    check(
        &[observed(0, "p/pump-7/in", r#"{"cmd":"go"}"#), observed(9, "p/pump-7/out", "done")],
        r#"{"dialect":"mine","name":"x","device":"p1","command":"go","args":{},"id":"c1",
            "request":{"topic":"p/p1/in","payload":"{\"cmd\":\"go\"}"},
            "answers":[{"topic":"p/p1/out","payload":"done"}],
            "expect":{"state":"succeeded","id":"inferred","message":null}}"#,
    );
}

#[test]
fn a_report_of_state_that_somebody_points_at_settles_by_its_value() {
    let of_text = [observed(0, "lamp/d-1/level/set", "40"), observed(9, "lamp/d-1/level", "40")];
    let exchange = |reported: &str, state: &str, id: &str| {
        format!(
            r#"{{"dialect":"mine","name":"x","device":"d2","command":"level","args":{{"value":"70"}},"id":"c1",
                "request":{{"topic":"lamp/d2/level/set","payload":"70"}},
                "answers":[{{"topic":"lamp/d2/level","payload":"{reported}"}}],
                "expect":{{"state":"{state}","id":{id},"message":null}}}}"#
        )
    };
    check(&of_text, &exchange("70.0", "succeeded", "\"inferred\""));
    check(&of_text, &exchange("40", "waiting", "null"));
    check(
        &[observed(0, "z/d-1/set", r#"{"state":"ON"}"#), observed(9, "z/d-1", r#"{"state":"ON","level":3}"#)],
        r#"{"dialect":"mine","name":"x","device":"d2","command":"set","args":{"state":"OFF"},"id":"c1",
            "request":{"topic":"z/d2/set","payload":"{\"state\":\"OFF\"}"},
            "answers":[{"topic":"z/d2","payload":"{\"state\":\"OFF\",\"level\":3}"}],
            "expect":{"state":"succeeded","id":"inferred","message":null}}"#,
    );
}

#[test]
fn two_messages_that_cannot_be_a_request_and_its_answer_are_refused() {
    let check = |one: &str, other: &str, expected: &str| {
        let why = propose("mine", &[observed(0, one, "1"), observed(1, other, "1")], 0, Some(1)).unwrap_err();
        assert!(why.contains(expected), "{why}");
    };
    check("a/d/set", "a/d/set", "on the same topic");
    check("a/d", "b/e", "share no level");
    assert!(propose("mine", &[], 0, None).unwrap_err().contains("missing"));
    let silent = propose("mine", &[observed(0, "a/d-1/beep", "1")], 0, None).unwrap();
    assert_eq!(silent.form.request_topic, "a/{device}/beep");
}

#[test]
fn what_was_heard_is_written_so_that_it_can_be_read_whatever_is_in_it() {
    let heard = [
        observed(0, "it's/ask/pump-7", r#"{"tid":"a1","cmd":"valve","it's":{"a'b":1},"x\u007f":"'"}"#),
        observed(9, "it's/tell/pump-7", "{\"tid\":\"a1\",\"of/it\":\"OK\",\"why~\":\"a \\\"b\\\" \u{7f}\"}"),
    ];
    let proposal = learn("mine", &heard).unwrap();
    let read: toml::Table = toml::from_str(&proposal.file).unwrap_or_else(|error| panic!("{error}\n{}", proposal.file));
    assert_eq!(read["request"][0]["topic"].as_str(), Some("it's/ask/{device}"));
    let json = read["request"][0]["json"].as_str().unwrap();
    assert!(json.contains(r#""it's":{args}"#) && json.contains("\u{7f}"), "{json}");
    assert_eq!(read["hear"][0]["outcome"][0]["at"].as_str(), Some("/of~1it"));
    assert_eq!(read["hear"][0]["outcome"][0]["message"].as_str(), Some("/why~0"));
}

#[test]
fn five_thousand_messages_of_one_id_are_read_once() {
    let heard: Vec<Observed> = (0..5_000)
        .map(|number| observed(number, &format!("a/dev-{}/{}", number % 7, number % 3), r#"{"id":"pump-7","seq":1}"#))
        .collect();
    // With time in the cube of their number this does not come back.
    let proposal = learn("mine", &heard).unwrap();
    assert!(proposal.remarks[0].contains("messages seen)"), "{:?}", proposal.remarks);
}

#[test]
fn what_shares_no_id_is_not_guessed() {
    let heard = [observed(0, "a/d/set", "on"), observed(10, "a/d/state", "on")];
    let why = learn("mine", &heard).unwrap_err();
    assert!(why.contains("are a request and its answer with the same ID"), "{why}");
}
