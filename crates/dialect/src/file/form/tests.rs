#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use super::{DialectForm, Outcome, OutcomeField};
use crate::{DialectFile, IdKind, shipped, shipped_text};

fn pump() -> DialectForm {
    let outcome = |is: &str, means, message: &str| OutcomeField {
        at: "/rc".into(),
        is: is.into(),
        means,
        message: message.into(),
    };
    DialectForm {
        name: "pump".into(),
        title: "Pump \"3\"".into(),
        about: "Our pumps.".into(),
        request_topic: "pumps/{device}/in".into(),
        request_payload: r#"{"cmd":{command},"seq":{id},{args...}}"#.into(),
        request_id: IdKind::Int31,
        answer_topic: "pumps/{device}/out".into(),
        answer_id: "/seq".into(),
        outcomes: vec![
            outcome("0", Outcome::Succeeded, ""),
            outcome("7, 8", Outcome::Rejected, "/text"),
            outcome("error*", Outcome::Failed, "/text"),
            outcome("", Outcome::Failed, "/text"),
        ],
        presence_topic: "pumps/{device}/alive".into(),
        online: "1, yes".into(),
        offline: "0".into(),
        telemetry: vec!["pumps/{device}/data".into()],
        ..DialectForm::default()
    }
}

#[test]
fn a_form_and_its_file_say_the_same() {
    let check = |form: &DialectForm| {
        let text = form.text("# Kept.\n\nformat = 1\n");
        assert!(text.starts_with("# Kept.\n"), "{text}");
        let read = DialectForm::of(&text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
        assert_eq!(read.as_ref(), Some(form), "{text}");
    };
    check(&pump());
    check(&DialectForm::starter());
    let state = DialectForm {
        request_topic: "pumps/{device}/level/set".into(),
        request_payload: "it's {args.value}".into(),
        is_json: false,
        request_id: IdKind::None,
        answer_topic: String::new(),
        answer_id: String::new(),
        outcomes: Vec::new(),
        state_topic: "pumps/{device}/level".into(),
        state_key: "level".into(),
        expect_key: "level".into(),
        expect_value: "{args.value}".into(),
        ..pump()
    };
    check(&state);
    let silent = String::from("The pump has no way to report that it has beeped.");
    check(&DialectForm { silent, expect_key: String::new(), expect_value: String::new(), ..state });
}

#[test]
fn a_file_that_says_more_has_no_form_and_is_not_changed_by_one() {
    let check = |name: &str, has_form: bool| {
        let form = DialectForm::of(shipped_text(name).unwrap()).unwrap();
        assert_eq!(form.is_some(), has_form, "{name}");
    };
    check("tasmota", false);
    check("zigbee2mqtt", false);
    check("wilco", false);
    // A file that has a form is the same dialect when it is written from that form.
    for file in shipped() {
        let text = shipped_text(file.name()).unwrap();
        if let Some(form) = DialectForm::of(text).unwrap() {
            assert_eq!(&DialectFile::parse(&form.text(text)).unwrap(), file, "{}", file.name());
        }
    }
    assert!(DialectForm::of("format = 2").is_err());
    // A word that ends with the sign for a beginning.
    let text = pump().text("").replace(r#"begins = "error""#, r#"is = "error*""#);
    assert!(text.contains(r#"is = "error*""#), "{text}");
    assert_eq!(DialectForm::of(&text).unwrap(), None);
}
