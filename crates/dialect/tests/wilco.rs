//! Messages of Wilco's own dialect, as tables.

use serde_json::{Value, json};
use wilco_dialect::{
    DecodedMessage, Dialect, Filter, Inbound, LifecycleEvent, Request, StateReport, Subscriptions, TelemetryRest,
    Topics,
};
use wilco_ledger::{Answer, Claim, CommandId, DeviceId, Millis, Outcome, Timestamp};

const ID: &str = "0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a";

fn dialect() -> Dialect {
    Dialect::named("wilco", Topics::new("cmd").expect("a prefix")).expect("a known dialect")
}

fn device(id: &str) -> DeviceId {
    DeviceId::new(id).expect("a device ID")
}

/// Decodes a message on `cmd/dock-1/{channel}`: `Err` with the sentence if it is unreadable.
fn hear(channel: &str, payload: &[u8]) -> Result<Option<DecodedMessage>, String> {
    let topic = format!("cmd/dock-1/{channel}");
    let inbound = Inbound { topic: &topic, payload, qos: 1, retained: false, correlation: None };
    dialect().decode(&inbound).map_err(|unreadable| {
        assert_eq!(unreadable.device, Some(device("dock-1")));
        unreadable.to_string()
    })
}

fn answer(payload: &[u8]) -> Answer {
    match hear("resp", payload) {
        Ok(Some(DecodedMessage::Answer(answer))) => answer,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(payload)),
    }
}

#[test]
fn a_request_is_written_as_the_specification_says() {
    let id = CommandId::new(ID).expect("an id");
    let request = Request {
        id: &id,
        command: "led",
        args: r#"{"on":true}"#,
        form: None,
        issued_at: Timestamp(1_795_438_800_123),
        expires_at: Timestamp(1_795_438_860_123),
        attempt: 1,
        by: None,
    };
    let check = |now: i64, expiry: u32| {
        let out = dialect().encode(&device("dock-1"), &request, Timestamp(now));
        assert_eq!(out.topic, "cmd/dock-1/req");
        assert_eq!(
            String::from_utf8(out.payload).expect("UTF-8"),
            format!(
                r#"{{"id":"{ID}","command":"led","args":{{"on":true}},"issued_at":1795438800123,"expires_at":1795438860123,"attempt":1}}"#
            )
        );
        assert_eq!(out.correlation, ID.as_bytes());
        assert_eq!(out.response_topic.as_deref(), Some("cmd/dock-1/resp"));
        assert_eq!(out.content_type, "application/json");
        assert_eq!(out.expiry, expiry);
    };
    check(1_795_438_800_123, 60);
    check(1_795_438_800_124, 60);
    check(1_795_438_801_123, 59);
    check(1_795_438_860_122, 1);
    check(1_795_438_860_123, 1);
    check(i64::MAX, 1);
    check(i64::MIN, u32::MAX);
}

#[test]
fn quotes_in_names_stay_inside_their_strings() {
    let id = CommandId::new("a\"b\\").expect("an id");
    let request = Request {
        id: &id,
        command: "l\"ed\n",
        args: "",
        form: None,
        issued_at: Timestamp(1),
        expires_at: Timestamp(2),
        attempt: 3,
        by: Some("O\"Neill\u{1}"),
    };
    let out = dialect().encode(&device("dock-1"), &request, Timestamp(1));
    let read: Value = serde_json::from_slice(&out.payload).expect("JSON");
    assert_eq!(
        read,
        json!({"id": "a\"b\\", "command": "l\"ed\n", "args": {}, "issued_at": 1, "expires_at": 2, "attempt": 3,
            "by": "O\"Neill\u{1}"})
    );
}

#[test]
fn a_json_answer_is_read() {
    let payload = format!(r#"{{"id":"{ID}","status":"running","progress":40,"message":"erasing","at":1795438801004}}"#);
    let running = answer(payload.as_bytes());
    assert_eq!(running.device, device("dock-1"));
    assert_eq!(running.claim, Claim::Id(CommandId::new(ID).expect("an id")));
    assert_eq!(running.outcome, Outcome::Running);
    assert_eq!(running.progress, Some(40));
    assert_eq!(running.message.as_deref(), Some("erasing"));
    assert_eq!(running.result, None);
    assert_eq!(running.said_at, Some(Timestamp(1_795_438_801_004)));
    assert_eq!(&*running.raw.topic, "cmd/dock-1/resp");
    assert_eq!(&*running.raw.payload, payload.as_bytes());
    assert_eq!(running.raw.qos, 1);
    assert!(!running.retained);
}

#[test]
fn answers_are_read_leniently() {
    let check = |payload: &str, claim: Option<&str>, outcome: Outcome| {
        let answer = answer(payload.as_bytes());
        assert_eq!(answer.outcome, outcome, "{payload}");
        let expected = claim.map_or(Claim::Nothing, |id| Claim::Id(CommandId::new(id).expect("an id")));
        assert_eq!(answer.claim, expected, "{payload}");
    };
    check(r#"{"id":"a","status":"SUCCEEDED"}"#, Some("a"), Outcome::Succeeded);
    check(r#"{"id":"a","status":"Ok"}"#, Some("a"), Outcome::Succeeded);
    check(r#"{"id":"a","status":"done","at":"soon"}"#, Some("a"), Outcome::Succeeded);
    check(r#"{"id":1111,"status":"ack"}"#, Some("1111"), Outcome::Accepted);
    check(r#"{"id":"a","status":"in_progress"}"#, Some("a"), Outcome::Running);
    check(r#"{"id":"a","status":"Error"}"#, Some("a"), Outcome::Failed);
    check(r#"{"id":"a","status":"denied"}"#, Some("a"), Outcome::Rejected);
    check(r#"{"status":"success"}"#, None, Outcome::Succeeded);
    check(r#"{"id":"","status":"success"}"#, None, Outcome::Succeeded);
    check(r#"{"id":null,"status":"success"}"#, None, Outcome::Succeeded);
    check("\u{feff} {\"id\":\"a\",\"status\":\"ok\"} \r\n\0", Some("a"), Outcome::Succeeded);
    check(r#"{"id":"a","status":"ok","result":{"t":NaN}}"#, Some("a"), Outcome::Succeeded);
}

#[test]
fn progress_is_a_percentage_of_a_running_command() {
    let check = |status: &str, progress: &str, expected: Option<u8>| {
        let read = answer(format!(r#"{{"id":"a","status":"{status}","progress":{progress}}}"#).as_bytes());
        assert_eq!(read.progress, expected, "{progress}");
    };
    check("running", "0", Some(0));
    check("running", "-5", Some(0));
    check("running", "250", Some(100));
    check("running", "99.9", Some(99));
    check("running", "1e300", Some(100));
    check("running", "\"40 %\"", Some(40));
    check("running", "\"much\"", None);
    check("running", "null", None);
    check("succeeded", "100", None);
}

#[test]
fn equal_results_are_equal_texts() {
    let result = |text: &str| answer(format!(r#"{{"id":"a","status":"ok","result":{text}}}"#).as_bytes()).result;
    assert_eq!(result(r#"{ "b" : {"d":1,"c":2}, "a":[1, 2] }"#).as_deref(), Some(r#"{"a":[1,2],"b":{"c":2,"d":1}}"#));
    assert_eq!(result(r#"{"on":true}"#), result(r#"{ "on": true }"#));
    assert_eq!(result("null"), None);
}

#[test]
fn a_plain_text_answer_is_read_with_the_request_somewhere_in_it() {
    let check = |payload: &str, outcome: Outcome| {
        let answer = answer(payload.as_bytes());
        assert_eq!(answer.outcome, outcome, "{payload}");
        let text = payload.trim().trim_matches('"');
        assert_eq!(answer.claim, Claim::Within(text.into()), "{payload}");
        assert_eq!(answer.message.as_deref(), Some(text));
    };
    check(
        &format!(r#"SUCCESS: command ran successfully from payload: b'{{"id":"{ID}","command":"led"}}'"#),
        Outcome::Succeeded,
    );
    check("FAILURE: command did not run successfully from payload: light: on", Outcome::Failed);
    check("success: yes", Outcome::Succeeded);
    check("Success", Outcome::Succeeded);
    check("\"FAILURE: no\"", Outcome::Failed);
    check("REJECTED: <b>no</b>", Outcome::Rejected);
}

#[test]
fn unreadable_input_is_reported_with_the_reason() {
    let check = |payload: &[u8], part: &str| {
        let why = hear("resp", payload).expect_err(&String::from_utf8_lossy(&payload[..payload.len().min(40)]));
        assert!(why.contains(part), "{why}");
        assert!(why.ends_with('.') && why.len() < 400, "{why}");
    };
    check(b"", "it is empty");
    check(&[0xff, 0xfe, 0x00], "not UTF-8");
    check(br#"{"id":"a"}"#, "it has no status");
    check(br#"{"id":"a","status":7}"#, "its status is not a string");
    check(br#"{"id":"a","status":"weird"}"#, "\"weird\" is not accepted");
    check(br#"{"id":["a"],"status":"ok"}"#, "its ID is neither");
    check(format!(r#"{{"id":"{}","status":"ok"}}"#, "x".repeat(200)).as_bytes(), "at most 128 bytes");
    check(format!(r#"{{"id":"a","status":"{}"}}"#, "x".repeat(200_000)).as_bytes(), "is not accepted");
    check(br#"{"id":"a","status":"o"#, "not valid JSON");
    check(b"[1,2,3]", "neither a JSON object");
    check(b"17", "neither a JSON object");
    check(b"hello", "neither a JSON object");
    check("x".repeat(200_000).as_bytes(), "neither a JSON object");
    check("{".repeat(200_000).as_bytes(), "not valid JSON");
    check(format!(r#"{{"status":{}"#, "[".repeat(200_000)).as_bytes(), "not valid JSON");
    check("x".repeat(600_000).as_bytes(), "600000 bytes");
}

#[test]
fn a_long_sentence_is_cut_and_the_message_kept_as_it_came() {
    let payload = format!(r#"{{"id":"a","status":"failed","message":"{}"}}"#, "é".repeat(100_000));
    let answer = answer(payload.as_bytes());
    let message = answer.message.expect("a message");
    assert!(message.len() < 20_000 && message.ends_with('…'));
    assert_eq!(answer.raw.payload.len(), payload.len());
}

#[test]
fn correlation_and_retained_are_passed_through() {
    let check = |correlation: Option<&[u8]>, expected: Option<&str>| {
        let inbound =
            Inbound { topic: "cmd/dock-1/resp", payload: br#"{"status":"ok"}"#, qos: 0, retained: true, correlation };
        let Ok(Some(DecodedMessage::Answer(answer))) = dialect().decode(&inbound) else { panic!("an answer") };
        assert_eq!(answer.correlation.as_ref().map(CommandId::as_str), expected);
        assert!(answer.retained);
    };
    check(Some(ID.as_bytes()), Some(ID));
    check(Some(b""), None);
    check(Some(&[0xff]), None);
    check(None, None);
}

#[test]
fn presence_comes_from_the_status() {
    let check = |payload: &str, expected: Option<bool>| {
        let online = match hear("status", payload.as_bytes()) {
            Ok(Some(DecodedMessage::Presence { online, .. })) => Some(online),
            Ok(None) => None,
            other => panic!("{payload}: {other:?}"),
        };
        assert_eq!(online, expected, "{payload}");
    };
    check(r#"{"online":false}"#, Some(false));
    check(r#"{"online":"TRUE"}"#, Some(true));
    check("online", Some(true));
    check("\"Offline\"", Some(false));
    check("0", Some(false));
    check("", None);
    let full = br#"{"online":true,"boot":"b1","firmware":"2.3.1","tags":["kitchen",7,"east"],"since":1795438801004}"#;
    assert_eq!(
        hear("status", full),
        Ok(Some(DecodedMessage::Presence {
            device: device("dock-1"),
            online: true,
            boot: Some("b1".into()),
            firmware: Some("2.3.1".into()),
            tags: vec!["kitchen".into(), "east".into()],
            since: Some(Timestamp(1_795_438_801_004)),
        }))
    );
    for unreadable in [&b"{}"[..], b"perhaps", b"{\"online\":[]}", &[0xff]] {
        assert!(hear("status", unreadable).is_err());
    }
}

#[test]
fn state_is_an_object() {
    let heard = hear("state", br#"{"led":true,"identifying":true,"running":{"a":1},"saved":7}"#).expect("readable");
    let Some(DecodedMessage::State { state, .. }) = heard else { panic!("a state: {heard:?}") };
    let running = r#"{"a":1}"#.to_owned();
    let expected = StateReport { led: Some(true), identifying: true, running: Some(running), ..StateReport::default() };
    assert_eq!(StateReport::of(&state), expected);
    assert_eq!(StateReport::of(r#"{"led":1,"identifying":"yes"}"#), StateReport::default());
    assert_eq!(hear("state", b""), Ok(None));
    for unreadable in [&b"[]"[..], b"on", &[0xff]] {
        assert!(hear("state", unreadable).is_err());
    }
}

#[test]
fn telemetry_is_its_finite_numbers_in_order() {
    let check = |payload: &str, at: Option<i64>, expected: &[(&str, f64)]| {
        let heard = hear("telemetry", payload.as_bytes()).expect("readable");
        let Some(DecodedMessage::Telemetry { at: heard_at, series, .. }) = heard else {
            panic!("telemetry: {heard:?}")
        };
        assert_eq!(heard_at, at.map(Timestamp), "{payload}");
        let series: Vec<_> = series.iter().map(|(name, number)| (name.as_str(), *number)).collect();
        assert_eq!(series, expected, "{payload}");
    };
    check(r#"{"at":7,"temperature":21.5,"heap":81920}"#, Some(7), &[("temperature", 21.5), ("heap", 81_920.0)]);
    check(r#"{"z":1,"a":2,"m":-3}"#, None, &[("z", 1.0), ("a", 2.0), ("m", -3.0)]);
    check(r#"{"a":NaN,"b":1e999,"c":"7","d":{"e":1},"f":[1],"g":true,"h":null,"i":1}"#, None, &[("i", 1.0)]);
    check(r#"{"a":1,"a":2}"#, None, &[("a", 2.0)]);
    check("{}", None, &[]);
    let many: String = (0..1_000).map(|n| format!("\"s{n}\":{n},")).collect();
    let heard = hear("telemetry", format!("{{{many}\"last\":1}}").as_bytes());
    assert!(matches!(heard, Ok(Some(DecodedMessage::Telemetry { series, .. })) if series.len() == 64));
    for unreadable in [&b"21.5"[..], b"", b"warm", &[0xff]] {
        assert!(hear("telemetry", unreadable).is_err());
    }
}

#[test]
fn telemetry_that_is_not_a_measurement_is_reported() {
    let check = |payload: &str, quoted: &[&str], empty: &[&str], left_out: u32| {
        let heard = hear("telemetry", payload.as_bytes()).expect("readable");
        let Some(DecodedMessage::Telemetry { rest, .. }) = heard else { panic!("telemetry: {heard:?}") };
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(rest, TelemetryRest { quoted: names(quoted), empty: names(empty), left_out }, "{payload}");
    };
    check(r#"{"at":7,"t":21.5,"name":"dock","up":true,"more":[1]}"#, &[], &[], 0);
    check(r#"{"t":"21.5","u":" -3e2 ","serial":"x1"}"#, &["t", "u"], &[], 0);
    check(r#"{"t":NaN,"u":-Infinity,"v":null,"w":"NaN"}"#, &["w"], &["t", "u", "v"], 0);
    let many: Vec<_> = (0..10_000).map(|n| format!("\"s{n}\":{n}")).collect();
    check(&format!("{{{}}}", many.join(",")), &[], &[], 9_936);
}

#[test]
fn another_consoles_request_is_observed() {
    let payload = format!(
        r#"{{"id":"{ID}","command":"restart","args":{{"b":1,"a":2}},"issued_at":1000,"expires_at":31000,"attempt":2}}"#
    );
    let Ok(Some(DecodedMessage::Request(seen))) = hear("req", payload.as_bytes()) else { panic!("a request") };
    assert_eq!(seen.device, device("dock-1"));
    assert_eq!(seen.id.as_str(), ID);
    assert_eq!(&*seen.name, "restart");
    assert_eq!(&*seen.args, r#"{"b":1,"a":2}"#);
    assert_eq!(seen.policy.timeout, Millis::seconds(60));
    assert_eq!(seen.policy.time_to_live, Millis::seconds(30));
    assert!(!seen.policy.retry.permitted);
    assert!(hear("req", b"light: on").is_err());
    assert!(hear("req", br#"{"command":"led"}"#).is_err());
}

#[test]
fn a_retained_request_is_pointed_out() {
    let inbound = Inbound {
        topic: "cmd/dock-1/req",
        payload: br#"{"id":"a","command":"restart"}"#,
        qos: 1,
        retained: true,
        correlation: None,
    };
    let unreadable = dialect().decode(&inbound).expect_err("no retained requests");
    assert!(
        unreadable.why.contains("'restart'") && unreadable.why.contains("whenever it reconnects"),
        "{}",
        unreadable.why
    );
}

#[test]
fn other_topics_are_left_alone() {
    let check = |topic: &str, expected: Option<DecodedMessage>| {
        let inbound = Inbound { topic, payload: b"\xff", qos: 0, retained: false, correlation: None };
        assert_eq!(dialect().decode(&inbound), Ok(expected), "{topic}");
    };
    check("cmd/all/req", Some(DecodedMessage::Broadcast(None)));
    check("cmd/groups/kitchen/req", Some(DecodedMessage::Broadcast(None)));
    check("cmd/dock-1/other", None);
    check("dock-1/resp", None);
    check("cmd/a/b/resp", None);
    check("$SYS/broker/uptime", None);
}

#[test]
fn a_broadcast_of_another_console_is_a_command_of_each_device_that_answers_it() {
    let payload = br#"{"id":"0198f3c2-0000-7000-8000-000000000001","command":"restart","args":{},"by":"Ana"}"#;
    let hear = |topic: &str, retained| {
        let inbound = Inbound { topic, payload, qos: 0, retained, correlation: None };
        match dialect().decode(&inbound) {
            Ok(Some(DecodedMessage::Broadcast(broadcast))) => broadcast.map(|broadcast| *broadcast),
            other => panic!("{topic}: {other:?}"),
        }
    };
    let all = hear("cmd/all/req", false).expect("readable");
    assert_eq!((all.group.as_deref(), all.name(), all.by()), (None, "restart", Some("Ana")));
    assert_eq!(hear("cmd/groups/kitchen/req", false).expect("readable").group.as_deref(), Some("kitchen"));
    let asked = all.of(device("pump-7"));
    assert_eq!((asked.device.as_str(), asked.id.clone()), ("pump-7", all.id));
    assert_eq!((&*asked.name, &*asked.args, asked.by.as_deref()), ("restart", "{}", Some("Ana")));
    assert!(!asked.policy.retry.permitted);
    assert_eq!(hear("cmd/all/req", true), None);
}

#[test]
fn answers_are_required_and_other_filters_are_optional() {
    let filter = |filter: &str, qos, required| {
        let others_only = filter.ends_with("/req");
        Filter { filter: filter.to_owned(), qos, required, others_only }
    };
    assert_eq!(
        dialect().filters(&Subscriptions::default()),
        [
            filter("cmd/+/resp", 1, true),
            filter("cmd/+/status", 0, false),
            filter("cmd/+/state", 0, false),
            filter("cmd/+/telemetry", 0, false),
            filter("cmd/+/log", 1, false),
            filter("cmd/+/req", 0, false),
            filter("cmd/groups/+/req", 0, false),
        ]
    );
    let named = dialect().filters(&Subscriptions { devices: Some(&[device("a"), device("b")]), lifecycle: false });
    assert_eq!(named.len(), 12);
    assert_eq!(
        named[..3],
        [filter("cmd/a/resp", 1, true), filter("cmd/b/resp", 1, true), filter("cmd/a/status", 0, false)]
    );
}

#[test]
fn lifecycle_events_are_received_if_requested() {
    let last = |wishes: Subscriptions<'_>, count: usize| {
        let filters = dialect().filters(&wishes);
        assert!(filters.iter().rev().take(count).all(|filter| filter.qos == 0 && !filter.required));
        assert!(filters.iter().all(|filter| !filter.others_only));
        filters[filters.len() - count..].iter().map(|filter| filter.filter.clone()).collect::<Vec<_>>()
    };
    let event = |what: &str| format!("$aws/events/presence/{what}");
    assert_eq!(
        last(Subscriptions { devices: None, lifecycle: true }, 2),
        [event("connected/+"), event("disconnected/+")]
    );
    assert_eq!(
        last(Subscriptions { devices: Some(&[device("a")]), lifecycle: true }, 2),
        [event("connected/a"), event("disconnected/a")]
    );
}

#[test]
fn a_lifecycle_event_is_read_with_what_it_has() {
    let hear = |topic: &str, payload: &str| {
        let topic = format!("$aws/events/presence/{topic}");
        let inbound =
            Inbound { topic: &topic, payload: payload.as_bytes(), qos: 0, retained: false, correlation: None };
        dialect().decode(&inbound).map_err(|unreadable| {
            assert_eq!(unreadable.device, None, "nothing was heard of the device itself");
            unreadable.why
        })
    };
    let check =
        |topic: &str, payload: &str, online: bool, version: Option<u64>, session: Option<&str>, at: Option<i64>| {
            let event = LifecycleEvent { online, version, session: session.map(str::to_owned), at: at.map(Timestamp) };
            assert_eq!(
                hear(topic, payload),
                Ok(Some(DecodedMessage::Lifecycle { device: device("dock-1"), event })),
                "{payload}"
            );
        };
    check(
        "connected/dock-1",
        r#"{"clientId":"dock-1","timestamp":1573002230757,"eventType":"connected","sessionIdentifier":"a4666d2a",
            "principalIdentifier":"12345678901234567890123456789012","versionNumber":3}"#,
        true,
        Some(3),
        Some("a4666d2a"),
        Some(1_573_002_230_757),
    );
    check(
        "disconnected/dock-1",
        r#"{"clientId":"dock-1","timestamp":7,"eventType":"disconnected","clientInitiatedDisconnect":true,
            "disconnectReason":"CLIENT_INITIATED_DISCONNECT","versionNumber":"3"}"#,
        false,
        Some(3),
        None,
        Some(7),
    );
    check("connected/dock-1", "{}", true, None, None, None);
    check(
        "connected/dock-1",
        r#"{"versionNumber":-1,"timestamp":"soon","sessionIdentifier":7}"#,
        true,
        None,
        None,
        None,
    );
    assert_eq!(hear("connected/a/b", "{}"), Ok(None), "no device has such an id");
    assert_eq!(hear("connected/", "{}"), Ok(None));
    let why = hear("connected/dock-1", "soon").expect_err("no JSON");
    assert!(why.contains("'dock-1'") && why.ends_with('.'), "{why}");
}
