//! Both ends of the protocol understand each other, and no input crashes either.

use proptest::prelude::*;
use serde_json::{Value, json};
use wilco_dialect::{
    Channel, DecodedMessage, Dialect, Inbound, Request, TelemetryRest, Topics,
    device_side::{
        Online, Response, State, read_request, write_offline, write_online, write_response, write_state,
        write_telemetry,
    },
    uuids_in,
};
use wilco_ledger::{Claim, CommandId, DeviceId, Millis, Outcome, Timestamp};

fn dialect() -> Dialect {
    Dialect::Wilco(Topics::default())
}

fn dock() -> DeviceId {
    DeviceId::new("dock-1").expect("a device ID")
}

fn hear(channel: Channel, payload: &[u8]) -> Option<DecodedMessage> {
    let topic = Topics::default().of(&dock(), channel);
    dialect()
        .decode(&Inbound { topic: &topic, payload, qos: 1, retained: false, correlation: None })
        .expect("what a device writes is readable")
}

#[test]
fn missing_parts_of_a_request_are_reported() {
    let check = |payload: &str, id: Option<&str>, part: &str| {
        let malformed = read_request(payload.as_bytes(), None).expect_err(payload);
        assert_eq!(malformed.id.as_ref().map(CommandId::as_str), id, "{payload}");
        assert!(malformed.why.contains(part), "{}", malformed.why);
    };
    check("light: on", None, "not a JSON object");
    check("[]", None, "not a JSON object");
    check("{}", None, "no ID");
    check(r#"{"id":{},"command":"led"}"#, None, "neither text nor a number");
    check(r#"{"id":"a"}"#, Some("a"), "has no command");
    check(r#"{"id":"a","command":""}"#, Some("a"), "not a valid name");
    check(r#"{"id":"a","command":7}"#, Some("a"), "not a valid name");
    check(r#"{"id":"a","command":"led","args":[true]}"#, Some("a"), "args are not");
    check(r#"{"id":"a","command":"led","expires_at":"soon"}"#, Some("a"), "expires_at is not a time");
}

#[test]
fn the_id_may_travel_as_correlation_data_alone() {
    let asked = read_request(br#"{"command":"led"}"#, Some(b"1111")).expect("a request");
    assert_eq!(asked.id.as_str(), "1111");
    assert_eq!(asked.args, "{}");
    let malformed = read_request(b"light: on", Some(b"1111")).expect_err("no JSON");
    assert_eq!(malformed.id.as_ref().map(CommandId::as_str), Some("1111"));
}

#[test]
fn an_answer_is_written_as_the_specification_says() {
    let response = Response {
        id: Some(CommandId::new("a").expect("an id")),
        outcome: Outcome::Running,
        progress: Some(40),
        message: Some("erasing".into()),
        result: None,
        at: Timestamp(5),
    };
    assert_eq!(
        String::from_utf8_lossy(&write_response(&response)),
        r#"{"id":"a","status":"running","progress":40,"message":"erasing","at":5}"#
    );
}

#[test]
fn reports_are_decoded_as_encoded() {
    let tags = vec!["kitchen".to_owned()];
    let online = Online { boot: "b1", firmware: "2.3.1", tags: &tags, since: Timestamp(5) };
    assert_eq!(
        hear(Channel::Status, &write_online(&online)),
        Some(DecodedMessage::Presence {
            device: dock(),
            online: true,
            boot: Some("b1".into()),
            firmware: Some("2.3.1".into()),
            tags: tags.clone(),
            since: Some(Timestamp(5)),
        })
    );
    assert!(matches!(
        hear(Channel::Status, &write_offline("2.3.1", &tags)),
        Some(DecodedMessage::Presence { online: false, .. })
    ));
    let config = json!({"buzzer": true});
    let config = config.as_object().expect("an object");
    let check = |telemetry_interval: Option<Millis>, expected: Value| {
        let state = State { led: true, identifying: false, telemetry_interval, running: config, saved: config };
        let Some(DecodedMessage::State { state, .. }) = hear(Channel::State, &write_state(&state)) else {
            panic!("a state")
        };
        let both = json!({"buzzer": true});
        let expected = json!({"led": true, "identifying": false, "telemetry_interval_ms": expected,
            "running": both, "saved": both});
        assert_eq!(state, expected.to_string());
    };
    check(Some(Millis(500)), json!(500));
    check(None, Value::Null);
    let telemetry = write_telemetry(Timestamp(7), &[("temperature", 21.5), ("broken", f64::NAN), ("heap", 8.0)]);
    assert_eq!(String::from_utf8_lossy(&telemetry), r#"{"at":7,"temperature":21.5,"heap":8.0}"#);
    assert_eq!(
        hear(Channel::Telemetry, &telemetry),
        Some(DecodedMessage::Telemetry {
            device: dock(),
            at: Some(Timestamp(7)),
            series: vec![("temperature".into(), 21.5), ("heap".into(), 8.0)],
            rest: TelemetryRest::default(),
        })
    );
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![
        Outcome::Accepted,
        Outcome::Running,
        Outcome::Succeeded,
        Outcome::Failed,
        Outcome::Rejected,
    ])
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Payloads that are right but for a few bytes.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let right = prop::sample::select(vec![
        r#"{"id":"0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a","status":"running","progress":40,"message":"erasing","at":1}"#,
        r#"{"id":"a","command":"led","args":{"on":true},"issued_at":1,"expires_at":2,"attempt":1}"#,
        r#"{"online":true,"boot":"b","firmware":"2.3.1","tags":["kitchen"],"since":1}"#,
        r#"{"at":1,"temperature":21.5,"humidity":NaN,"deep":{"a":[1,2,{"b":null}]}}"#,
        r#"{"id":"a","chunk":2,"of":3,"offset":40,"text":"2026-11-23 started\n","sha256":"ba7816bf"}"#,
        r#"SUCCESS: command ran successfully from payload: b'{"id":"0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a"}'"#,
    ]);
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    (right, prop::collection::vec(change, 0..6)).prop_map(|(right, changes)| {
        let mut bytes = right.as_bytes().to_vec();
        for (index, byte, kind) in changes {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    })
}

fn hear_everywhere(payload: &[u8], correlation: Option<&[u8]>) {
    let of_device = Channel::ALL.map(|channel| Topics::default().of(&dock(), channel));
    let of_broker = ["connected", "disconnected"].map(|what| format!("$aws/events/presence/{what}/{}", dock()));
    for topic in of_device.into_iter().chain(of_broker) {
        let inbound = Inbound { topic: &topic, payload, qos: 1, retained: false, correlation };
        for dialect in [dialect(), Dialect::Text(Topics::default())] {
            if let Err(unreadable) = dialect.decode(&inbound) {
                assert!(unreadable.why.ends_with('.') && unreadable.why.len() < 1_000, "{}", unreadable.why);
            }
        }
    }
    drop(read_request(payload, correlation));
    drop(uuids_in(&String::from_utf8_lossy(payload)));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(payload: Vec<u8>, correlation: Option<Vec<u8>>) {
        hear_everywhere(&payload, correlation.as_deref());
    }

    #[test]
    fn nearly_right_payloads_are_survived(payload in nearly_right()) {
        hear_everywhere(&payload, None);
    }

    #[test]
    fn any_topic_is_survived(prefix in "[a-z/+#$\u{0}é]{0,8}", topic in "[a-z/+#$\u{0}é]{0,20}") {
        if let Ok(topics) = Topics::new(&prefix) {
            if let Some((device, channel)) = topics.parse(&topic) {
                prop_assert_eq!(topics.of(&device, channel), topic.clone());
            }
            let _ = topics.is_broadcast(&topic);
        }
    }

    #[test]
    fn a_request_arrives_as_it_was_sent(
        id in ".{1,30}", command in ".{1,40}", args in json_values(), issued: i64, expires: i64, attempt: u32,
        by in "([^ ].{0,60}[^ ])?",
    ) {
        let args = json!({ "value": args });
        let id = CommandId::new(id).expect("an id");
        let request = Request {
            id: &id,
            command: &command,
            args: &args.to_string(),
            form: None,
            issued_at: Timestamp(issued),
            expires_at: Timestamp(expires),
            attempt,
            by: Some(by.as_str()),
        };
        let out = dialect().encode(&dock(), &request, Timestamp(issued));
        prop_assert!(out.expiry >= 1);
        let asked = read_request(&out.payload, Some(&out.correlation)).expect("a request");
        let by = by.trim();
        prop_assert_eq!(asked.by.as_deref(), Some(by).filter(|by| !by.is_empty()));
        prop_assert_eq!(&asked.id, &id);
        prop_assert_eq!(&asked.command, &command);
        prop_assert_eq!(&asked.args, &args.to_string());
        prop_assert_eq!(asked.issued_at, Some(Timestamp(issued)));
        prop_assert_eq!(asked.expires_at, Some(Timestamp(expires)));
        prop_assert!(matches!(hear(Channel::Req, &out.payload), Some(DecodedMessage::Request(seen)) if seen.id == id));
    }

    #[test]
    fn an_answer_arrives_as_it_was_given(
        id in prop::option::of(".{1,30}"),
        outcome in outcomes(),
        progress in prop::option::of(0..=100_u8),
        message in prop::option::of(".{0,60}"),
        result in prop::option::of(json_values()),
        at: i64,
    ) {
        let response = Response {
            id: id.map(|id| CommandId::new(id).expect("an id")),
            outcome,
            progress: progress.filter(|_| outcome == Outcome::Running),
            message,
            result,
            at: Timestamp(at),
        };
        let Some(DecodedMessage::Answer(answer)) = hear(Channel::Resp, &write_response(&response)) else {
            panic!("an answer")
        };
        prop_assert_eq!(answer.claim, response.id.clone().map_or(Claim::Nothing, Claim::Id));
        prop_assert_eq!(answer.outcome, response.outcome);
        prop_assert_eq!(answer.progress, response.progress);
        // An empty message is none.
        let message = response.message.as_deref().filter(|message| !message.trim().is_empty());
        prop_assert_eq!(answer.message.as_deref(), message);
        prop_assert_eq!(answer.said_at, Some(response.at));
        let result = answer.result.map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
        prop_assert_eq!(result, response.result);
    }
}
