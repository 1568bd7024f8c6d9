use serde_json::Value;
use wilco_ledger::{CommandId, DeviceId, Timestamp, WireForm};

use super::{Part, arguments_as_values, carries_id, is_unusable, parts, refuses};
use crate::{Dialect, Outbound, Request, Topics};

fn form(topic: Option<&str>, payload: Option<&str>, plain: bool) -> WireForm {
    WireForm { topic: topic.map(Into::into), payload: payload.map(Into::into), plain, ..WireForm::default() }
}

fn encoded(form: &WireForm, prefix: &str, args: &str) -> Outbound {
    let topics = Topics::new(prefix).expect("a prefix");
    let dialect = Dialect::named("wilco", topics).expect("a dialect");
    let id = CommandId::new("c-\"1\"").expect("an id");
    let device = DeviceId::new("pump-7").expect("a device ID");
    let (issued_at, expires_at) = (Timestamp(1_000), Timestamp(61_000));
    let request =
        Request { id: &id, command: "calibrate", args, form: Some(form), issued_at, expires_at, attempt: 2, by: None };
    dialect.encode(&device, &request, issued_at)
}

#[test]
fn a_template_is_cut_at_names_in_braces_only() {
    let check = |template: &str, expected: &[Part<'_>]| {
        assert_eq!(parts(template).collect::<Vec<_>>(), expected, "{template}");
    };
    check("{id}", &[Part::Place("id")]);
    check("a{device}b", &[Part::Text("a"), Part::Place("device"), Part::Text("b")]);
    check(r#"{"a":{args.x.0}}"#, &[Part::Text(r#"{"a":"#), Part::Place("args.x.0"), Part::Text("}")]);
    check("{{id}}", &[Part::Text("{"), Part::Place("id"), Part::Text("}")]);
    check("{}{ id }{1}", &[Part::Text("{}{ id }{1}")]);
    check("{id", &[Part::Text("{id")]);
    check("grün {id}", &[Part::Text("grün "), Part::Place("id")]);
}

#[test]
fn a_payload_of_json_stays_json_whatever_is_filled_in() {
    let check = |template: &str, args: &str, expected: &str| {
        let out = encoded(&form(None, Some(template), false), "", args);
        let text = String::from_utf8(out.payload).expect("text");
        assert_eq!(text, expected);
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        assert_eq!((out.topic.as_str(), out.content_type), ("pump-7/req", "application/json"));
    };
    check(r#"{"tid":{id},"n":{attempt}}"#, "{}", r#"{"tid":"c-\"1\"","n":2}"#);
    check(r#"{"t":"<{id}> {args.a}"}"#, r#"{"a":"b\"\\"}"#, r#"{"t":"<c-\"1\"> b\"\\"}"#);
    check(r#"{"level":{args.level},"who":"{device}"}"#, r#"{"level":3}"#, r#"{"level":3,"who":"pump-7"}"#);
    check(r#"[{args.level},{args.list.1}]"#, r#"{"list":[1,{"a":2}]}"#, r#"[null,{"a":2}]"#);
    check(r#"{"a":{args}}"#, r#"{"n":9007199254740993}"#, r#"{"a":{"n":9007199254740993}}"#);
    check(r#"{"a":{args},"e":[{issued_at},{expires_at}]}"#, "", r#"{"a":{},"e":[1000,61000]}"#);
    check(r#"{"\"{command}":1}"#, "{}", r#"{"\"calibrate":1}"#);
}

#[test]
fn a_plain_payload_and_a_topic_have_texts_as_they_are() {
    let own = form(Some("cmnd/{device}/{args.what}"), Some("{args.level} {args.none}{args.text} {x y}"), true);
    let out = encoded(&own, "plant/a", r#"{"what":"POWER","level":7,"text":"a \"b\""}"#);
    assert_eq!(out.topic, "plant/a/cmnd/pump-7/POWER");
    assert_eq!(out.payload, br#"7 a "b" {x y}"#);
    assert_eq!((out.content_type, out.response_topic.as_deref()), ("text/plain", Some("plant/a/pump-7/resp")));
}

#[test]
fn a_form_that_cannot_work_is_refused_with_a_sentence() {
    let check = |topic: Option<&str>, payload: Option<&str>, part: Option<&str>| {
        let why = is_unusable(&form(topic, payload, false), "calibrate");
        match part {
            Some(part) => {
                assert!(why.as_ref().is_some_and(|why| why.contains(part)), "{topic:?} {payload:?}: {why:?}")
            }
            None => assert_eq!(why, None),
        }
    };
    check(Some("{device}/do"), Some(r#"{"a":{args.x}}"#), None);
    check(Some("{device}/req"), None, None);
    check(Some("groups/req"), None, Some("does not contain {device}"));
    check(Some("{device}/+/do"), None, Some("wildcard +"));
    check(Some("{device}//do"), None, Some("empty level"));
    check(Some("{device}/"), None, Some("empty level"));
    check(Some("/{device}"), None, Some("empty level"));
    check(Some("$aws/{device}"), None, Some("reserved for the broker"));
    check(Some("{device}/a\n"), None, Some("control character"));
    check(Some("{device}/resp"), None, Some("Devices publish on …/resp"));
    check(Some("groups/{device}/req"), None, Some("broadcast topic"));
    check(Some("{device}/{args}"), None, Some("{args} is not allowed in a topic"));
    check(Some("{device}/{nonsense}"), None, Some("{nonsense} is unknown"));
    check(Some("  "), None, Some("The topic is empty"));
    check(None, Some(r#"{"a":{args.x}"#), Some("does not produce JSON"));
    check(None, Some("level {args.x}"), Some("does not produce JSON"));
    check(None, Some(r#"{"a":1{args.x}}"#), Some("does not produce JSON"));
    check(None, Some(r#"{{id}:1}"#), None);
    check(None, Some(r#"{{args.x}:1}"#), Some("does not produce JSON"));
    check(None, Some(r#"{"a":{args.}}"#), Some("{args.} is unknown"));
    check(None, Some(&"x".repeat(20_000)), Some("20,000 bytes"));
}

#[test]
fn arguments_that_do_not_fit_a_form_are_refused() {
    let check = |topic: &str, prefix: &str, args: &str, part: Option<&str>| {
        let why = refuses(&form(Some(topic), None, false), &Topics::new(prefix).expect("a prefix"), "calibrate", args);
        match part {
            Some(part) => assert!(why.as_ref().is_some_and(|why| why.contains(part)), "{args}: {why:?}"),
            None => assert_eq!(why, None),
        }
    };
    check("{device}/{args.what}", "", r#"{"what":"on"}"#, None);
    check("{device}/{args.what}", "", r#"{"what":7}"#, None);
    check("{device}/{args.what}", "", "{}", Some("needs the argument 'what'"));
    check("{device}/{args.what}", "", r#"{"what":"a/b"}"#, Some("not allowed in a topic"));
    check("{device}/{args.what}", "", r##"{"what":"#"}"##, Some("not allowed in a topic"));
    check("{device}/{args.what}", "cmd", r#"{"what":"resp"}"#, Some("Devices publish on …/resp"));
    let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(200_000));
    let why = refuses(&form(None, Some("{args.text}"), true), &Topics::default(), "calibrate", &large);
    assert_eq!(why.as_deref(), Some("The payload would have 200,000 bytes; the limit is 131,072."));
}

#[test]
fn a_name_in_a_topic_is_no_word_of_a_devices() {
    let check = |name: &str, part: Option<&str>| {
        let form = form(Some("{device}/{command}"), None, false);
        let refused = refuses(&form, &Topics::new("plant").expect("a prefix"), name, "{}");
        for why in [is_unusable(&form, name), refused] {
            match part {
                Some(part) => assert!(why.as_ref().is_some_and(|why| why.contains(part)), "{name}: {why:?}"),
                None => assert_eq!(why, None, "{name}"),
            }
        }
    };
    check("calibrate", None);
    check("", None);
    check("resp", Some("Devices publish on …/resp"));
    check("telemetry", Some("Devices publish on …/telemetry"));
    check("a+b", Some("the name \"a+b\" is not allowed in a topic"));
    check("a/resp", Some("the name \"a/resp\" is not allowed in a topic"));
}

#[test]
fn a_device_that_was_not_told_the_id_cannot_repeat_it() {
    let check = |topic: Option<&str>, payload: Option<&str>, expected: bool| {
        assert_eq!(carries_id(&form(topic, payload, true)), expected, "{topic:?} {payload:?}");
    };
    check(None, None, true);
    check(Some("{device}/do"), None, true);
    check(None, Some("{id} on"), true);
    check(None, Some("on"), false);
    check(Some("{device}/do/{id}"), Some("on"), true);
}

#[test]
fn a_missing_value_is_sent_as_null() {
    let check = |payload: &str, plain: bool, expected: &[&str]| {
        assert_eq!(arguments_as_values(&form(Some("{args.a}"), Some(payload), plain)), expected, "{payload}");
    };
    check(r#"{"open":{args.percent},"by":"{args.who} \" {args.and}","x":{args.x.0}}"#, false, &["percent", "x.0"]);
    check("{args.percent}", true, &[]);
    check("{id}", false, &[]);
}
