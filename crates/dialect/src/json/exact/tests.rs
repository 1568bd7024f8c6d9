#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use proptest::prelude::*;

use super::ExactValue;

#[test]
fn a_value_is_written_as_it_was_read() {
    let check = |text: &str| assert_eq!(ExactValue::parse(text).unwrap().to_string(), text);
    check(r#"{"b":[1.50,1e999,10000000000000000000001],"a":{"":null,"\"":true},"c":"\n","d":[],"e":{}}"#);
    check("-0");
    assert!(ExactValue::parse("{\"a\":}").is_err());
    assert!(ExactValue::parse(&format!("{}{}", "[".repeat(200), "]".repeat(200))).is_err());
    let spaced = ExactValue::parse(" { \"a\" : [ 1.0 , \"\\u00e4\" ] } ").unwrap();
    assert_eq!(spaced.to_string(), "{\"a\":[1.0,\"ä\"]}");
}

#[test]
fn a_part_is_found_by_its_pointer() {
    let value = ExactValue::parse(r#"{"a/b":[{"~":1.0},2]}"#).unwrap();
    let check = |pointer: &str, expected: Option<&str>| {
        assert_eq!(value.pointer(pointer).map(ToString::to_string).as_deref(), expected, "{pointer}");
    };
    check("/a~1b/0/~0", Some("1.0"));
    check("/a~1b/1", Some("2"));
    check("/a~1b/2", None);
    check("/a~1b/1/x", None);
    check("a", None);
    assert!(value.pointer("").is_some());
}

#[test]
fn equal_values_have_equal_keys() {
    let key = |text: &str| ExactValue::parse(text).unwrap().key();
    assert_eq!(key(r#"{"a":[1e1,"x"],"b":0.10}"#), key(r#"{"b":1E-1,"a":[10.0,"x"]}"#));
    assert_ne!(key("9007199254740993"), key("9007199254740992"));
    assert_ne!(key("1"), key("\"1\""));
    assert_ne!(key("[1,2]"), key("[12]"));
    assert_ne!(key(r#""1e1""#), key("10"));
}

#[test]
fn a_value_is_written_with_the_digits_that_were_read() {
    let check = |text: &str, expected: &str| assert_eq!(ExactValue::parse(text).unwrap().to_string(), expected);
    check("1.50", "1.50");
    check(r#" { "b" : [1e10, -0.0, 1e400], "a":"\u00e4\"" } "#, r#"{"b":[1e10,-0.0,1e400],"a":"ä\""}"#);
    check(
        r#"{"n":123456789012345678901234567890,"m":{},"o":[],"p":null,"q":true,"r":false}"#,
        r#"{"n":123456789012345678901234567890,"m":{},"o":[],"p":null,"q":true,"r":false}"#,
    );
    check(r#"{"a":1,"b":2,"\u0061":3}"#, r#"{"a":3,"b":2}"#);
    let many: Vec<String> = (0..40).map(|name| format!("\"{}\":{name}", name % 30)).collect();
    let read = ExactValue::parse(&format!("{{{}}}", many.join(","))).unwrap();
    assert_eq!((read.get("9"), read.get("29")), (Some(&ExactValue::from(39)), Some(&ExactValue::from(29))));
    assert!(matches!(read, ExactValue::Object(members) if members.len() == 30));
}

#[test]
fn words_that_stand_for_numbers_are_null_where_a_device_wrote_them() {
    let check = |text: &str, expected: Option<&str>| {
        let read = ExactValue::of_device(text).ok().map(|value| value.to_string());
        assert_eq!(read.as_deref(), expected, "{text}");
    };
    check(r#"{"a":NaN,"b":[-Infinity,1.50]}"#, Some(r#"{"a":null,"b":[null,1.50]}"#));
    check(r#"{"a":NaN,"b"#, None);
    check("NaN", None);
    assert!(ExactValue::parse("[NaN]").is_err());
}

#[test]
fn other_texts_are_refused() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for text in
        ["", "NaN", "{", "[1", r#"{"a"}"#, "1 2", "\"\\ud800\"", "01", r#"{"a":1,}"#, &deep(200), &deep(100_000)]
    {
        assert!(ExactValue::parse(text).is_err(), "{}", &text[..text.len().min(20)]);
    }
    assert!(ExactValue::parse(&deep(100)).is_ok());
}

#[test]
fn a_pointer_finds_a_part() {
    let value = ExactValue::parse(r#"{"a":[{"b/c":1.50,"~":2}],"":3}"#).unwrap();
    let check = |pointer: &str, expected: Option<&str>| {
        let found = value.pointer(pointer).map(ToString::to_string);
        assert_eq!(found.as_deref(), expected, "{pointer}");
    };
    check("/a/0/b~1c", Some("1.50"));
    check("/a/0/~0", Some("2"));
    check("/", Some("3"));
    check("/a/1", None);
    check("/a/00", None);
    check("/a/+0", None);
    check("a", None);
    assert_eq!(value.pointer(""), Some(&value));
}

proptest! {
    /// Exactly what serde_json accepts is read, with the same values.
    #[test]
    fn it_reads_what_others_read(text in "[\\[\\]{},:\"a\\\\u0-9.eE+ntrf \\-]{0,24}") {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        let ours = ExactValue::parse(&text);
        if let Ok(theirs) = &theirs {
            let again = ours.as_ref().map(|ours| serde_json::from_str::<serde_json::Value>(&ours.to_string()));
            prop_assert_eq!(again.unwrap().unwrap(), theirs.clone());
        } else if ours.is_ok() {
            // Numbers beyond a double, which others refuse.
            prop_assert!(theirs.is_err_and(|error| error.to_string().contains("number out of range")), "{}", text);
        }
    }

    #[test]
    fn a_number_keeps_its_digits(number in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?") {
        let text = format!("{{\"a\":[{number}]}}");
        let value = ExactValue::parse(&text).unwrap();
        prop_assert_eq!(value.pointer("/a/0").map(ExactValue::plain), Some(number));
        prop_assert_eq!(value.to_string(), text);
    }
}
