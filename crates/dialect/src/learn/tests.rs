#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use super::{Observed, learn, propose};
use crate::{DialectFile, DialectForm, Exchange};

fn observed(at: i64, topic: &str, payload: &str) -> Observed {
    Observed { at, topic: topic.to_owned(), payload: payload.to_owned(), retained: false }
}

#[test]
fn an_invented_firmware_is_described_from_received_messages() {
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
    check("a/d", "b/e", "have no level in common");
    assert!(propose("mine", &[], 0, None).unwrap_err().contains("missing"));
    let silent = propose("mine", &[observed(0, "a/d-1/beep", "1")], 0, None).unwrap();
    assert_eq!(silent.form.request_topic, "a/{device}/beep");
}

#[test]
fn recorded_bytes_are_printed_readably_whatever_their_content() {
    let heard = [
        observed(0, "it's/ask/pump-7", r#"{"tid":"a1","cmd":"valve","it's":{"a'b":1},"x\u007f":"'"}"#),
        observed(9, "it's/tell/pump-7", "{\"tid\":\"a1\",\"of/it\":\"OK\",\"why~\":\"a \\\"b\\\" \u{7f}\"}"),
    ];
    let proposal = learn("mine", &heard).unwrap();
    let read: toml::Table = toml::from_str(&proposal.file).unwrap_or_else(|error| panic!("{error}\n{}", proposal.file));
    assert_eq!(read["request"][0]["topic"].as_str(), Some("it's/ask/{device}"));
    let json = read["request"][0]["json"].as_str().unwrap();
    assert!(json.contains(r#""it's":{args}"#) && json.contains("\u{7f}"), "{json}");
    assert_eq!(read["receive"][0]["outcome"][0]["at"].as_str(), Some("/of~1it"));
    assert_eq!(read["receive"][0]["outcome"][0]["message"].as_str(), Some("/why~0"));
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

/// Plays an exchange with what is learned, which is said to be a guess.
fn check_guess(heard: &[Observed], exchange: &str) {
    let proposal = learn("mine", heard).unwrap();
    assert!(proposal.remarks[0].contains("choose the messages yourself"), "{:?}", proposal.remarks);
    let file = DialectFile::parse(&proposal.file).unwrap_or_else(|problems| panic!("{problems:?}\n{}", proposal.file));
    let exchange: Exchange = serde_json::from_str(exchange).unwrap();
    assert_eq!(exchange.play(&[file]).unwrap().wrong, Vec::<String>::new(), "{}", proposal.file);
    // The form in the window shows all of it.
    assert_eq!(DialectForm::of(&proposal.file).unwrap().unwrap(), proposal.form);
}

#[test]
fn firmware_that_reports_its_state_is_learned_without_ids() {
    let heard = [
        Observed { retained: true, ..observed(0, "house/lamp-1/alive", "online") },
        observed(10, "house/lamp-1/power", "3.5"),
        observed(100, "house/lamp-1/light/set", "ON"),
        observed(130, "house/lamp-1/light", "ON"),
        observed(2_000, "house/lamp-1/power", "9.5"),
        observed(3_000, "house/lamp-1/light/set", "OFF"),
        observed(3_040, "house/lamp-1/light", "OFF"),
        observed(4_000, "house/lamp-1/power", "3.5"),
    ];
    let exchange = |reported: &str, state: &str, id: &str| {
        format!(
            r#"{{"dialect":"mine","name":"x","device":"lamp-2","command":"light","args":{{"value":"ON"}},"id":"c1",
                "request":{{"topic":"house/lamp-2/light/set","payload":"ON"}},
                "answers":[{{"topic":"house/lamp-2/light","payload":"{reported}"}}],
                "expect":{{"state":"{state}","id":{id},"message":null}}}}"#
        )
    };
    check_guess(&heard, &exchange("ON", "succeeded", "\"inferred\""));
    check_guess(&heard, &exchange("OFF", "waiting", "null"));
    // Topics that say nothing of what they are, and JSON: the value that comes back tells.
    let heard = [
        observed(0, "z/d-1/data", r#"{"rpm":1400}"#),
        observed(50, "z/d-1/a", r#"{"valve":"open"}"#),
        observed(90, "z/d-1/b", r#"{"valve":"open","bar":2.5}"#),
        observed(900, "z/d-1/data", r#"{"rpm":1410}"#),
    ];
    let proposal = learn("mine", &heard).unwrap();
    let DialectForm { request_topic, state_topic, .. } = &proposal.form;
    assert_eq!((request_topic.as_str(), state_topic.as_str()), ("z/{device}/a", "z/{device}/b"));
}

#[test]
fn firmware_that_answers_in_words_is_learned_without_ids() {
    let heard = [
        observed(0, "p/pump-7/rpm", "1400"),
        observed(10, "p/pump-7/cmd", "open valve"),
        observed(60, "p/pump-7/out", "SUCCESS: valve is open"),
        observed(1_000, "p/pump-7/rpm", "1410"),
        observed(2_000, "p/pump-7/cmd", "flush"),
        observed(2_050, "p/pump-7/out", "FAILURE: no water"),
    ];
    let exchange = |said: &str, state: &str| {
        format!(
            r#"{{"dialect":"mine","name":"x","device":"p1","command":"any","args":{{"value":"drain"}},"id":"c1",
                "request":{{"topic":"p/p1/cmd","payload":"drain"}},
                "answers":[{{"topic":"p/p1/out","payload":"{said}"}}],
                "expect":{{"state":"{state}","id":"inferred","message":null}}}}"#
        )
    };
    check_guess(&heard, &exchange("SUCCESS: all is drained", "succeeded"));
    check_guess(&heard, &exchange("failure: the drain is blocked", "failed"));
}

#[test]
fn unrelated_messages_are_not_guessed_to_be_a_request_and_its_answer() {
    let check = |heard: &[Observed]| {
        let why = learn("mine", heard).unwrap_err();
        assert!(why.contains("look like a request and its answer"), "{why}");
    };
    check(&[]);
    check(&[observed(0, "a/d-1/temperature", "20.5"), observed(10, "a/d-1/humidity", "61")]);
    // Another device, and too late.
    check(&[observed(0, "a/d-1/set", "on"), observed(10, "b/d-2/state", "on")]);
    check(&[observed(0, "a/d-1/set", "on"), observed(20_000, "a/d-1/state", "on")]);
}

#[test]
fn firmware_with_its_ids_in_topics_is_learned() {
    let heard = |first: &str, second: &str| {
        [
            Observed { retained: true, ..observed(0, "acme/pump-7/alive", "online") },
            observed(10, "acme/pump-7/values", r#"{"bar":2.5}"#),
            observed(100, &format!("acme/pump-7/cmd/{first}"), r#"{"op":"open","args":{"to":3}}"#),
            observed(150, &format!("acme/pump-7/ack/{first}"), r#"{"st":"ok"}"#),
            observed(900, &format!("acme/pump-7/cmd/{second}"), r#"{"op":"close","args":{}}"#),
            observed(990, &format!("acme/pump-7/ack/{second}"), r#"{"st":"error","why":"stuck"}"#),
        ]
    };
    let exchange = |id: &str, answered: &str, state: &str, matched: &str| {
        format!(
            r#"{{"dialect":"mine","name":"x","device":"p1","command":"drain","args":{{"to":5}},"id":"c1","wire_id":{id},
                "request":{{"topic":"acme/p1/cmd/{plain}","payload":"{{\"op\":\"drain\",\"args\":{{\"to\":5}}}}"}},
                "answers":[{{"topic":"acme/p1/ack/{answered}","payload":"{{\"st\":\"error\"}}"}}],
                "expect":{{"state":"{state}","id":{matched},"message":null}}}}"#,
            plain = id.trim_matches('"')
        )
    };
    for (first, second, id) in
        [("41", "42", "7"), ("0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a", "0198f3c3-7d1e-7c2a-9c55-1f2e3d4c5b6b", "\"c1\"")]
    {
        check_guess(&heard(first, second), &exchange(id, id.trim_matches('"'), "failed", "\"exact\""));
        check_guess(&heard(first, second), &exchange(id, "8", "waiting", "null"));
        // Two messages that somebody chooses are enough.
        let heard = heard(first, second);
        check(&heard[2..4], &exchange(id, "8", "waiting", "null"));
    }
    // A site, a version and two devices with one request each are no IDs.
    let heard = [
        observed(0, "v1/site-3/pump-7/cmd", "flush"),
        observed(50, "v1/site-3/pump-7/out", "OK"),
        observed(1_000, "v1/site-3/pump-8/cmd", "flush"),
        observed(1_050, "v1/site-3/pump-8/out", "ERR 5"),
    ];
    let proposal = learn("mine", &heard).unwrap();
    assert!(!proposal.form.request_topic.contains("{id}"), "{}", proposal.file);
}

#[test]
fn firmware_that_speaks_in_lines_of_words_is_learned() {
    let exchange = |said: &str, state: &str| {
        format!(
            r#"{{"dialect":"mine","name":"x","device":"p1","command":"any","args":{{"value":"SET,LED,0"}},"id":"c1",
                "request":{{"topic":"bench/p1/in","payload":"SET,LED,0"}},
                "answers":[{{"topic":"bench/p1/out","payload":"{said}"}}],
                "expect":{{"state":"{state}","id":{},"message":null}}}}"#,
            if state == "waiting" { "null" } else { "\"inferred\"" }
        )
    };
    let words = [
        observed(0, "bench/psu-4/in", "SET,LED,1"),
        observed(30, "bench/psu-4/out", "OK"),
        observed(900, "bench/psu-4/in", "SET,FAN,9"),
        observed(930, "bench/psu-4/out", "ERR 5"),
    ];
    check_guess(&words, &exchange("OK", "succeeded"));
    check_guess(&words, &exchange("ERR 17", "failed"));
    check_guess(&words, &exchange("ERROR", "waiting"));
    let lines = [
        observed(0, "bench/psu-4/in", "SET,LED,1"),
        observed(30, "bench/psu-4/out", "ACK,LED,1"),
        observed(60, "bench/psu-4/out", "DONE,LED,1"),
        observed(900, "bench/psu-4/in", "SET,FAN,9"),
        observed(930, "bench/psu-4/out", "NAK,FAN,range"),
    ];
    check_guess(&lines, &exchange("ACK,LED,0", "accepted"));
    check_guess(&lines, &exchange("DONE,LED,0", "succeeded"));
    check_guess(&lines, &exchange("NAK,LED,busy", "rejected"));
    check_guess(&lines, &exchange("BUSY,LED,0", "waiting"));
}

#[test]
fn firmware_that_numbers_its_commands_and_outcomes_is_learned() {
    let heard = [
        observed(0, "rig/ask/m-3", r#"{"seq":17,"cmd":"move","params":{"mm":5}}"#),
        observed(40, "rig/tell/m-3", r#"{"seq":17,"rc":0}"#),
        observed(900, "rig/ask/m-3", r#"{"seq":18,"cmd":"move","params":{"mm":900}}"#),
        observed(940, "rig/tell/m-3", r#"{"seq":18,"rc":5,"text":"beyond the end"}"#),
    ];
    let exchange = |said: &str, state: &str, message: &str| {
        let said = said.replace('"', "\\\"");
        let exchange = format!(
            r#"{{"dialect":"mine","name":"x","device":"m-4","command":"home","args":{{}},"id":"c1","wire_id":9,
                "request":{{"topic":"rig/ask/m-4","payload":"{{\"seq\":9,\"cmd\":\"home\",\"params\":{{}}}}"}},
                "answers":[{{"topic":"rig/tell/m-4","payload":"{said}"}}],
                "expect":{{"state":"{state}","id":"exact","message":{message}}}}}"#
        );
        serde_json::from_str::<Exchange>(&exchange).unwrap()
    };
    let proposal = learn("mine", &heard).unwrap();
    let file = DialectFile::parse(&proposal.file).unwrap_or_else(|problems| panic!("{problems:?}\n{}", proposal.file));
    for (said, state, message) in [
        (r#"{"seq":9,"rc":0}"#, "succeeded", "null"),
        (r#"{"seq":9,"rc":7,"text":"no power"}"#, "failed", "\"no power\""),
    ] {
        let played = exchange(said, state, message).play(std::slice::from_ref(&file)).unwrap();
        assert_eq!(played.wrong, Vec::<String>::new(), "{}", proposal.file);
    }
    assert!(proposal.remarks.iter().any(|remark| remark.contains("0 counts as succeeded")), "{:?}", proposal.remarks);
    assert_eq!(DialectForm::of(&proposal.file).unwrap().unwrap(), proposal.form);
    // A truth value, too.
    let heard = [
        observed(0, "rig/ask/m-3", r#"{"seq":17,"cmd":"move"}"#),
        observed(40, "rig/tell/m-3", r#"{"seq":17,"success":false}"#),
    ];
    let form = learn("mine", &heard).unwrap().form;
    assert_eq!((form.outcomes[0].at.as_str(), form.outcomes[0].is.as_str()), ("/success", "true"));
}

#[test]
fn an_id_in_a_field_of_a_text_is_found() {
    // Numbers that differ in each exchange.
    check(
        &[
            observed(0, "p/pump-7/in", "17,SET,40"),
            observed(9, "p/pump-7/out", "17,OK"),
            observed(20, "p/pump-7/in", "18,SET,400"),
            observed(29, "p/pump-7/out", "18,ERR,out of range, at most 100"),
        ],
        r#"{"dialect":"mine","name":"x","device":"p1","command":"SET","args":{"value":5},"id":"c1","wire_id":3,
            "request":{"topic":"p/p1/in","payload":"3,SET,5"},
            "answers":[{"topic":"p/p1/out","payload":"2,OK"},{"topic":"p/p1/out","payload":"3,ERR,dry, or empty"}],
            "expect":{"state":"failed","id":"exact","message":"dry, or empty"}}"#,
    );
    // The answer has it elsewhere, and other separators.
    check(
        &[observed(0, "p/pump-7/in", "open;valve2;A9F31;fast"), observed(9, "p/pump-7/out", "DONE; A9F31")],
        r#"{"dialect":"mine","name":"x","device":"p1","command":"close","args":{"value1":"v1","value2":"slow"},"id":"c1",
            "request":{"topic":"p/p1/in","payload":"close;v1;c1;slow"},
            "answers":[{"topic":"p/p1/out","payload":"DONE;c1"}],
            "expect":{"state":"succeeded","id":"exact","message":null}}"#,
    );
    // Nobody points at them.
    let heard = [
        observed(0, "shop/d-3/x", "1201|RUN"),
        observed(5, "shop/d-3/temperature", "20,5"),
        observed(40, "shop/d-3/y", "1201|FAILED|no air"),
    ];
    let proposal = learn("mine", &heard).unwrap();
    assert_eq!((&*proposal.form.request_topic, &*proposal.form.answer_topic), ("shop/{device}/x", "shop/{device}/y"));
    assert_eq!((&*proposal.form.request_payload, &*proposal.form.answer_id), ("{id}|{command}", "|1"));
    assert_eq!(proposal.form.outcomes[0].at, "|2");
    assert!(DialectForm::of(&proposal.file).unwrap().is_some(), "{}", proposal.file);
}

#[test]
fn fields_that_only_happen_to_be_the_same_are_no_id() {
    // The value that was asked for, and a number that every message has.
    let heard = [
        observed(0, "p/pump-7/set", "40,7"),
        observed(9, "p/pump-7/level", "7,41"),
        observed(11, "p/pump-7/level", "7,42"),
    ];
    let proposal = propose("mine", &heard, 0, Some(1)).unwrap();
    assert_eq!(proposal.form.answer_id, "", "{}", proposal.file);
}
