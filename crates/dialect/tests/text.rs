//! Messages of the text dialect, as tables.

use serde_json::json;
use wilco_dialect::{DecodedMessage, Dialect, FREE_TEXT, Inbound, Outbound, Request, Subscriptions, Topics};
use wilco_ledger::{Answer, Claim, CommandId, DeviceId, Outcome, Timestamp};

const ID: &str = "0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a";

fn dialect() -> Dialect {
    Dialect::named("text", Topics::default()).expect("a known dialect")
}

fn native() -> Dialect {
    Dialect::named("wilco", Topics::default()).expect("a known dialect")
}

fn dock() -> DeviceId {
    DeviceId::new("dock-1").expect("a device ID")
}

fn encode(dialect: &Dialect, command: &str, args: &str) -> Outbound {
    let id = CommandId::new(ID).expect("an id");
    let (issued_at, expires_at) = (Timestamp(1_000), Timestamp(61_000));
    dialect.encode(
        &dock(),
        &Request { id: &id, command, args, form: None, issued_at, expires_at, attempt: 1, by: None },
        issued_at,
    )
}

fn hear(channel: &str, payload: &[u8], correlation: Option<&[u8]>) -> Result<Option<DecodedMessage>, String> {
    let topic = format!("dock-1/{channel}");
    let inbound = Inbound { topic: &topic, payload, qos: 1, retained: false, correlation };
    dialect().decode(&inbound).map_err(|unreadable| unreadable.to_string())
}

fn answer(payload: &str) -> Answer {
    match hear("resp", payload.as_bytes(), None) {
        Ok(Some(DecodedMessage::Answer(answer))) => answer,
        other => panic!("{payload}: {other:?}"),
    }
}

#[test]
fn free_text_is_sent_byte_for_byte_and_its_id_separately() {
    for text in ["light: on", "  light: on\r\n", "{\"on\": true}", "grün"] {
        let out = encode(&dialect(), FREE_TEXT, &json!({ "text": text }).to_string());
        assert_eq!(out.payload, text.as_bytes());
        assert_eq!(out.content_type, "text/plain");
        assert_eq!((out.topic.as_str(), out.response_topic.as_deref()), ("dock-1/req", Some("dock-1/resp")));
        assert_eq!((out.correlation.as_slice(), out.expiry), (ID.as_bytes(), 60));
    }
}

#[test]
fn every_other_command_is_sent_as_in_the_native_dialect() {
    let check = |command: &str, args: &str| {
        assert_eq!(encode(&dialect(), command, args), encode(&native(), command, args), "{command} {args}");
    };
    check("led", r#"{"on":true}"#);
    check("restart", "");
    // What is refused before it is sent is at least not sent as something else.
    check(FREE_TEXT, r#"{"text":7}"#);
    check(FREE_TEXT, "{}");
    let out = encode(&native(), FREE_TEXT, r#"{"text":"light: on"}"#);
    assert_eq!(out.content_type, "application/json");
}

#[test]
fn invalid_commands_are_refused_with_a_message() {
    let check = |dialect: Dialect, command: &str, args: &str, expected: Option<&str>| {
        let refused = dialect.refuses(command, args);
        match (&refused, expected) {
            (None, None) => {}
            (Some(why), Some(part)) => assert!(why.contains(part) && why.ends_with('.') && why.len() < 200, "{why}"),
            _ => panic!("{command} {}: {refused:?}", &args[..args.len().min(40)]),
        }
    };
    let text = |text: &str| json!({ "text": text }).to_string();
    check(dialect(), FREE_TEXT, &text("light: on"), None);
    check(dialect(), FREE_TEXT, &text(&"x".repeat(128 * 1024)), None);
    check(dialect(), FREE_TEXT, &text(&"x".repeat(128 * 1024 + 1)), Some("131,073 bytes"));
    check(dialect(), FREE_TEXT, &text("light\0on"), Some("a NUL character at byte 5"));
    check(dialect(), FREE_TEXT, &text(""), Some("is empty"));
    check(dialect(), FREE_TEXT, "", Some("no free text"));
    check(dialect(), FREE_TEXT, r#"{"text":null}"#, Some("no free text"));
    check(dialect(), FREE_TEXT, r#"{"text":7}"#, Some("not a string"));
    check(dialect(), FREE_TEXT, r#"{"text":"a","qos":1}"#, Some("\"qos\" beside 'text'"));
    check(dialect(), FREE_TEXT, r#""light: on""#, Some("not a JSON object"));
    check(dialect(), "led", r#"{"on":true}"#, None);
    check(dialect(), "led", "[]", Some("not a JSON object"));
    check(native(), FREE_TEXT, r#"{"text":7}"#, None);
    check(native(), "led", "", None);
    check(native(), "led", "on", Some("not a JSON object"));
}

#[test]
fn only_answers_to_free_text_come_without_an_id() {
    assert!(!dialect().answers_carry_ids(FREE_TEXT));
    assert!(dialect().answers_carry_ids("led"));
    assert!(native().answers_carry_ids(FREE_TEXT));
}

#[test]
fn answers_are_text_with_the_request_somewhere_in_it_or_native_json() {
    let check = |payload: &str, outcome: Outcome| {
        let answer = answer(payload);
        assert_eq!((answer.outcome, answer.claim), (outcome, Claim::Within(payload.into())));
        assert_eq!(answer.message.as_deref(), Some(payload));
    };
    check(
        &format!(r#"SUCCESS: command ran successfully from payload: b'{{"id":"{ID}","command":"led"}}'"#),
        Outcome::Succeeded,
    );
    check("FAILURE: command did not run successfully from payload: b'light: on'", Outcome::Failed);
    check("OK", Outcome::Succeeded);
    check("ERROR 17", Outcome::Failed);
    let json = answer(&format!(r#"{{"id":"{ID}","status":"running","progress":40}}"#));
    assert_eq!((json.outcome, json.progress), (Outcome::Running, Some(40)));
    assert_eq!(json.claim, Claim::Id(CommandId::new(ID).expect("an id")));
    assert_eq!(answer(r#"{"status":"ok"}"#).claim, Claim::Nothing);
}

#[test]
fn any_other_answer_is_unreadable_and_says_why() {
    let check = |payload: &[u8], part: &str| {
        let why = hear("resp", payload, None).expect_err("unreadable");
        assert!(why.contains(part) && why.ends_with('.'), "{why}");
    };
    check(b"hello", "begins with a word such as SUCCESS or FAILURE");
    check(b"Success is not guaranteed", "begins with a word such as SUCCESS or FAILURE");
    check(b"", "it is empty");
    check(b"  \r\n", "it is empty");
    check(&[0xff], "not UTF-8");
    check(br#"{"id":"a"}"#, "it has no status");
}

#[test]
fn reports_are_read_where_they_are_json_and_left_alone_where_they_are_not() {
    let online = hear("status", br#"{"online":true}"#, None);
    assert!(matches!(online, Ok(Some(DecodedMessage::Presence { online: true, .. }))), "{online:?}");
    assert!(matches!(hear("status", b"offline", None), Ok(Some(DecodedMessage::Presence { online: false, .. }))));
    assert!(matches!(hear("state", br#"{"led":true}"#, None), Ok(Some(DecodedMessage::State { .. }))));
    assert!(matches!(hear("telemetry", br#"{"t":1}"#, None), Ok(Some(DecodedMessage::Telemetry { .. }))));
    for channel in ["status", "state", "telemetry"] {
        for payload in [&b"21.5 degrees"[..], &[0xff], b""] {
            assert_eq!(hear(channel, payload, None), Ok(None), "{channel}");
        }
    }
}

#[test]
fn another_consoles_request_is_observed_where_it_has_an_id() {
    let check = |payload: &str, correlation: Option<&str>, expected: Option<(&str, &str, bool)>| {
        let seen = match hear("req", payload.as_bytes(), correlation.map(str::as_bytes)) {
            Ok(Some(DecodedMessage::Request(seen))) => Some(seen),
            Ok(None) => None,
            other => panic!("{payload}: {other:?}"),
        };
        let seen = seen.as_ref().map(|seen| (&*seen.name, &*seen.args, seen.policy.answers_carry_ids));
        assert_eq!(seen, expected, "{payload}");
    };
    check("light: on", Some(ID), Some(("text", r#"{"text":"light: on"}"#, false)));
    check("light: on", None, None);
    check(r#"{"cmd":"led"}"#, Some(ID), Some(("text", r#"{"text":"{\"cmd\":\"led\"}"}"#, false)));
    check(r#"{"id":"a","command":"led","args":{"on":true}}"#, None, Some(("led", r#"{"on":true}"#, true)));
    let inbound = Inbound { topic: "dock-1/req", payload: b"light: on", qos: 1, retained: true, correlation: None };
    let unreadable = dialect().decode(&inbound).expect_err("no retained requests");
    assert!(unreadable.why.contains("whenever it reconnects"), "{}", unreadable.why);
    assert!(hear("req", &[0xff], None).is_err());
}

#[test]
fn topics_are_those_of_the_native_dialect() {
    assert_eq!(dialect().filters(&Subscriptions::default()), native().filters(&Subscriptions::default()));
    assert!(dialect().is_answer("dock-1/resp"));
    assert!(!dialect().is_answer("dock-1/req"));
    let inbound = Inbound { topic: "all/req", payload: b"light: on", qos: 1, retained: false, correlation: None };
    assert_eq!(dialect().decode(&inbound), Ok(Some(DecodedMessage::Broadcast(None))));
}
