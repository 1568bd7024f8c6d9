#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::BTreeSet;

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use wilco_ledger::{DeviceId, State};

use super::{Relation, Search, Term, parse::parse, read_search};
use crate::{
    api::{DesiredState, Presence, SearchPartKind},
    fleet::tests::fleet,
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9._-]{1,8}", "\\PC{0,6}", Just("or".to_owned()), Just("*".to_owned()), Just("-tag:x".to_owned())]
        .prop_map(|text| text.to_lowercase())
}

fn relation() -> impl Strategy<Value = Relation> {
    prop_oneof![
        Just(Relation::Is),
        Just(Relation::Below),
        Just(Relation::AtMost),
        Just(Relation::Above),
        Just(Relation::AtLeast)
    ]
}

fn filled() -> impl Strategy<Value = String> {
    text().prop_filter("it has a value", |text| !text.is_empty())
}

fn term() -> impl Strategy<Value = Term> {
    let optional = |test: proptest::strategy::BoxedStrategy<(Relation, String)>| proptest::option::of(test);
    prop_oneof![
        text().prop_map(Term::Word),
        prop_oneof![Just(Presence::Online), Just(Presence::Offline), Just(Presence::Unknown)].prop_map(Term::Presence),
        Just(Term::Disagrees),
        any::<Option<bool>>().prop_map(Term::Led),
        proptest::option::of(proptest::sample::select(vec![
            DesiredState::AsWanted,
            DesiredState::Differs,
            DesiredState::Unknown,
        ]))
        .prop_map(Term::Desired),
        proptest::option::of(filled()).prop_map(Term::Tag),
        optional((prop_oneof![relation(), Just(Relation::Begins)], filled()).boxed()).prop_map(Term::Firmware),
        proptest::option::of(proptest::sample::select(State::ALL.to_vec())).prop_map(Term::State),
        proptest::option::of((relation(), 0..u64::MAX / 2)).prop_map(Term::Seen),
        proptest::option::of((relation(), 0..u64::MAX / 2)).prop_map(Term::Restarted),
        (filled(), optional((relation(), text()).boxed())).prop_map(|(key, test)| Term::Config(key, test)),
        (filled(), proptest::option::of((relation(), -1e12..1e12))).prop_map(|(key, test)| Term::Measured(key, test)),
    ]
}

fn search() -> impl Strategy<Value = Search> {
    let one = term().prop_map(Search::Term);
    let compound = one.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Search::Every),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Search::Any),
            inner.prop_map(|search| Search::Not(Box::new(search))),
        ]
    });
    prop_oneof![Just(Search::default()), compound]
}

proptest! {
    #[test]
    fn stored_facts_are_read_as_written(search in search()) {
        let written = search.to_string();
        assert_eq!(parse(&written).0.unwrap(), search, "{written}");
    }

    #[test]
    fn any_text_is_a_search_or_has_a_place_that_is_wrong(text in "([a-z]{1,3}|tag:|is:|seen:<|config\\.|-|\\(|\\)|\"| or | |\\\\|\\PC){0,12}") {
        let (search, parts) = parse(&text);
        match search {
            Ok(search) => assert_eq!(parse(&search.to_string()).0.unwrap(), search, "{text:?}"),
            Err(error) => {
                assert!(error.from < error.to && text.get(error.from..error.to).is_some(), "{text:?} {error:?}");
                assert!(!error.message.is_empty() && !error.hint.is_empty());
            }
        }
        assert!(parts.iter().all(|(_, from, to)| text.get(*from..*to).is_some()), "{text:?}");
        for caret in 0..4 {
            read_search(&fleet(), &text, caret, &BTreeSet::new());
        }
    }
}

#[test]
fn an_error_points_to_the_word_and_says_what_is_possible() {
    let check = |text: &str, word: &str, message: &str, hint: &str| {
        let error = parse(text).0.unwrap_err();
        assert_eq!(&text[error.from..error.to], word, "{text}");
        assert!(error.message.contains(message), "{text}: {}", error.message);
        assert!(error.hint.contains(hint), "{text}: {}", error.hint);
    };
    check(
        "pump is:sideways",
        "is:sideways",
        "`is:` has no value `sideways`.",
        "is:online, is:offline, is:unknown, is:disagrees",
    );
    check("led:red", "led:red", "`led:` has no value `red`.", "led:on");
    check("state:done", "state:done", "`state:` has no value `done`.", "Possible values: state:queued, ");
    check("frimware:2 x", "frimware:", "there is no field 'frimware'", "firmware:");
    check("a tag: b", "tag:", "has no value", "Write a tag");
    check("firmware:<", "firmware:<", "has no version", "firmware:<2.1");
    check("seen:<10x", "seen:<10x", "'10x' is not a duration", "seen:<10m");
    check("restarted:<x", "restarted:<x", "'x' is not a duration", "restarted:<10m");
    check(
        "telemetry.temperature:>hot",
        "telemetry.temperature:>hot",
        "'hot' is not a number",
        "telemetry.temperature:>8",
    );
    check("(a or b", "(", "not closed", "Add )");
    check("a \"b", "\"b", "not closed", "Add \"");
    check("a) b )", ")", "this closing parenthesis has no opening one", "Remove");
    check("a or", "or", "condition on both sides", "quotes");
    check("()", "()", "parentheses are empty", "Remove");
    check("config.interval:", "config.interval:", "config.interval: has no value.", "* for any");
    check("config.\"a b\":> x", "config.\"a b\":>", "has no value", "an empty text");
    check("config.:3", "config.:3", "config. has no key.", "config.report_interval_s:>30");
    check("telemetry.temperature:< 8", "telemetry.temperature:<", "telemetry.temperature: has no value.", ">8");
    check("telemetry.:3", "telemetry.:3", "has no series", "telemetry.temperature:>8");
    check("tag:(a or b)", "tag:(a", "a field has one value", "tag:a or tag:b");
    check("tag:>a", "tag:>a", "cannot be compared", "directly after");
    check("name:", "name:", "name: has no value.", "part of the name");
    check("is:", "is:", "is: has no value.", "is:online");
    check("seen:10", "seen:10", "'10' is not a duration", "seen:<10m");
    check("x \"a\\\"", "\"a\\\"", "not closed", "Add \"");
}

#[test]
fn an_error_is_found_at_its_position_whatever_precedes_it() {
    let check = |before: &str| {
        let reading = read_search(&fleet(), &format!("{before} seen:<10x y"), 0, &BTreeSet::new());
        let error = reading.error.unwrap();
        let start = u32::try_from(before.encode_utf16().count()).unwrap() + 1;
        assert_eq!((error.from, error.to), (start, start + 9), "{before}");
        assert_eq!(error.message, "'10x' is not a duration.");
    };
    for before in ["pump", "Kühlhaus", "\u{1f600}\u{1f600}", "tag:\"größe \u{1f9ca} x\"", "(a or b)"] {
        check(before);
    }
    // As the command line and an error of a list name it.
    let refused = Search::read("tag:\"größe \u{1f9ca}\" is:sideways").unwrap_err();
    assert!(refused.message.starts_with("This search is not valid at 'is:sideways': "), "{refused}");
}

#[test]
fn an_error_stays_short_however_long_the_search_is() {
    let long = "x".repeat(10_000);
    for search in [format!("state:{long}"), format!("seen:{long}"), format!("{long}:1"), format!("\"{long}")] {
        let refused = Search::read(&search).unwrap_err();
        let all = format!("{} {}", refused.message, refused.hint.unwrap_or_default());
        assert!(all.chars().count() < 500 && refused.message.contains("xxx…"), "{all}");
    }
}

#[test]
fn typed_text_is_parsed_token_by_token() {
    let reading = read_search(&fleet(), "\u{1f600} -tag:dock or (kitchen)", 0, &BTreeSet::new());
    let parts: Vec<_> = reading.parts.iter().map(|part| (part.kind, part.from, part.to)).collect();
    use SearchPartKind::{Field, Operator, Word};
    assert_eq!(
        parts,
        [(Word, 0, 2), (Field, 3, 12), (Operator, 13, 15), (Operator, 16, 17), (Word, 17, 24), (Operator, 24, 25)]
    );
    assert_eq!(reading.error, None);
}

#[test]
fn valid_continuations_are_offered() {
    let series = BTreeSet::from(["temperature".to_owned()]);
    let check = |text: &str, expected: &[&str]| {
        let caret = u32::try_from(text.len()).unwrap();
        let reading = read_search(&fleet(), text, caret, &series);
        let offered: Vec<_> = reading.completions.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(offered, expected, "{text}");
        assert!(reading.completions.iter().all(|one| one.to == caret && one.open == one.text.ends_with([':', '.'])));
    };
    check("pump t", &["tag:", "telemetry."]);
    check("pump -tag:", &["tag:kitchen", "tag:dock"]);
    check("(firmware:2.1", &["firmware:2.10.0"]);
    check("is:o", &["is:online", "is:offline"]);
    check("des", &["desired:"]);
    check("desired:", &["desired:as_wanted", "desired:differs", "desired:unknown"]);
    check("telemetry.", &["telemetry.temperature:"]);
    check("config.", &["config.report_interval_s:"]);
    check("config.report_interval_s:", &["config.report_interval_s:30", "config.report_interval_s:60"]);
    check("led:on", &[]);
    check("seen:<1", &["seen:<1m", "seen:<10m", "seen:<1h"]);
    check("firmware:<2.3", &["firmware:<2.3.1"]);
    check("FIRMWARE:=2", &["firmware:=2.3.1", "firmware:=2.10.0"]);
    check("config.report_interval_s:>", &["config.report_interval_s:>30", "config.report_interval_s:>60"]);
}

#[test]
fn each_tag_and_version_is_offered_however_many_there_are_and_however_it_is_written() {
    let mut fleet = fleet();
    for number in 0..200 {
        fleet.update(&DeviceId::new(format!("lamp-{number}")).unwrap(), |device| {
            device.tags = vec![format!("Row {number}"), "all lamps".into()];
            device.firmware = Some(format!("7.{number}"));
        });
    }
    let offered = |text: &str| -> Vec<_> {
        let caret = u32::try_from(text.encode_utf16().count()).unwrap();
        let completions = read_search(&fleet, text, caret, &BTreeSet::new()).completions;
        completions.into_iter().map(|one| (one.text, one.note, one.from, one.to)).collect()
    };
    let check = |text: &str, expected: &[&str]| {
        let texts: Vec<_> = offered(text).into_iter().map(|(text, ..)| text).collect();
        assert_eq!(texts, expected, "{text}");
    };
    assert_eq!((offered("tag:row").len(), &*offered("tag:row")[0].0), (12, "tag:\"Row 0\""));
    // Within quotes a space belongs to the tag, and a tag is found by each of its words.
    check("tag:\"row 199", &["tag:\"Row 199\""]);
    check("-tag:\"ALL l", &["tag:\"all lamps\""]);
    check("tag:lamps", &["tag:\"all lamps\""]);
    check("firmware:7.198", &[]);
    assert_eq!(offered("firmware:7.19").len(), 10);
    assert_eq!(offered("tag:\"all")[0], ("tag:\"all lamps\"".into(), "200 devices".into(), 0, 8));
}
