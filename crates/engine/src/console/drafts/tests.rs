#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use super::MOST_SAMPLES;
use crate::{
    api::{
        ConnectionEntry, ConnectionSettings, DialectDraft, DialectFields, DraftSource, FailureCode, FileToWrite,
        OutcomeWord, ReadingKind, SampleMessage,
    },
    console::fixture::{engine, plant},
};

fn sample(at: i64, topic: &str, payload: &str) -> SampleMessage {
    SampleMessage { at, topic: topic.to_owned(), payload: payload.to_owned(), retained: false }
}

/// A pump that names each command in its answer.
fn pump() -> Vec<SampleMessage> {
    vec![
        sample(0, "pumps/p-7/data", r#"{"bar":2.5}"#),
        sample(100, "pumps/p-7/in", r#"{"cmd":"start","seq":17}"#),
        sample(150, "pumps/p-7/out", r#"{"seq":17,"state":"OK"}"#),
        sample(200, "other/topic", "x"),
    ]
}

fn kinds(draft: &DialectDraft) -> Vec<ReadingKind> {
    draft.readings.iter().map(|reading| reading.kind).collect()
}

/// A dialect file of that name.
fn file(name: &str, topic: &str) -> String {
    format!(
        "format = 1\nname = \"{name}\"\ntitle = \"Pumps\"\nabout = \"Ours.\"\n[vars]\nbase = \"pumps\"\n\
         [[request]]\ntopic = \"{{base}}/{{device}}/{topic}\"\njson = '{{\"cmd\":{{command}},\"seq\":{{id}},{{args...}}}}'\n\
         id = \"int31\"\n[[receive]]\ntopic = \"{{base}}/{{device}}/out\"\nas = \"answer\"\nid = \"/seq\"\n\
         outcome = [{{ at = \"/state\", is = \"OK\", means = \"succeeded\" }}]\n"
    )
}

#[tokio::test]
async fn a_dialect_is_drafted_from_messages_a_form_and_a_file_which_say_the_same() {
    let (_data, engine, handle) = engine().await;
    let draft = async |source: DraftSource| handle.draft_dialect(source, pump()).await.unwrap();
    let expected = [ReadingKind::Telemetry, ReadingKind::Request, ReadingKind::Answer, ReadingKind::Other];

    let new = draft(DraftSource::New).await;
    assert_eq!((new.name.as_deref(), new.problems.is_empty()), (Some("my-firmware"), true));
    let learned = draft(DraftSource::Everything { name: "mine".into() }).await;
    assert_eq!(kinds(&learned), expected, "{}", learned.text);
    assert_eq!(learned.readings[2].device.as_deref(), Some("p-7"));
    let chosen = draft(DraftSource::Messages { name: "mine".into(), request: 1, answer: Some(2) }).await;
    assert_eq!((chosen.text.as_str(), kinds(&chosen)), (learned.text.as_str(), expected.to_vec()));

    // The form is the file, and what is changed in one is in the other.
    let fields = chosen.fields.unwrap();
    assert_eq!((fields.request_topic.as_str(), fields.answer_id.as_str()), ("pumps/{device}/in", "/seq"));
    let outcomes = vec![OutcomeWord { at: "/state".into(), is: "GOOD".into(), ..fields.outcomes[0].clone() }];
    let fields = Box::new(DialectFields { outcomes, ..fields });
    let before = format!("# Our pumps.\n{}", chosen.text);
    let changed = draft(DraftSource::Fields { fields: fields.clone(), before }).await;
    assert!(changed.text.starts_with("# Our pumps.\n") && changed.text.contains("GOOD"), "{}", changed.text);
    assert_eq!(kinds(&changed)[2], ReadingKind::Unreadable, "OK is no word of it any more");
    let read = draft(DraftSource::Text { text: changed.text.clone() }).await;
    assert_eq!((read.fields, read.text), (Some(*fields), changed.text));
    engine.stop().await;
}

#[tokio::test]
async fn a_draft_says_what_is_wrong_with_it_and_reads_only_the_latest_messages() {
    let (_data, engine, handle) = engine().await;
    let text = file("mine", "in").replace("int31", "int32");
    let wrong = handle.draft_dialect(DraftSource::Text { text: text.clone() }, pump()).await.unwrap();
    let [problem] = &wrong.problems[..] else { panic!("{wrong:?}") };
    assert_eq!((problem.line, problem.what.contains("int32")), (10, true), "{}", problem.what);
    assert_eq!((wrong.text, wrong.name, wrong.fields, wrong.readings), (text, None, None, Vec::new()));
    // The name of a dialect that comes with Wilco, and its topics.
    let shadow = DraftSource::Text { text: file("shelly", "in") };
    let remarks = handle.draft_dialect(shadow, Vec::new()).await.unwrap().remarks;
    assert!(remarks.iter().any(|remark| remark.contains("has the same name")), "{remarks:?}");

    let nothing = handle.draft_dialect(DraftSource::Everything { name: "mine".into() }, Vec::new()).await.unwrap_err();
    assert_eq!(nothing.code, FailureCode::Invalid);
    assert_eq!(nothing.hint.as_deref(), Some("Choose the messages yourself, or write the file."));
    let missing = DraftSource::Messages { name: "mine".into(), request: 9, answer: None };
    assert!(handle.draft_dialect(missing, pump()).await.unwrap_err().message.contains("missing"));

    let many: Vec<SampleMessage> =
        (0..=2_000).map(|number| sample(number, "pumps/p-7/out", r#"{"seq":1,"state":"OK"}"#)).collect();
    let read = handle.draft_dialect(DraftSource::Text { text: file("mine", "in") }, many).await.unwrap();
    assert_eq!((read.readings.len(), MOST_SAMPLES), (2_001, 2_000));
    assert_eq!((kinds(&read)[0], kinds(&read)[1]), (ReadingKind::Other, ReadingKind::Answer));
    engine.stop().await;
}

#[tokio::test]
async fn a_dialect_file_is_saved_renamed_exported_imported_and_removed() {
    let (data, engine, handle) = engine().await;
    let id = plant(&handle).await;
    let listed = async || {
        let own = handle.own_dialects(&id).await.unwrap();
        own.into_iter().map(|one| (one.name, one.enabled)).collect::<Vec<_>>()
    };
    let enabled = async || {
        let view = handle.connection_view(&id).await.unwrap();
        view.settings.dialects.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, []);
    handle.save_dialect(&id, &file("pumps", "in"), None, false).await.unwrap();
    assert_eq!((listed().await, enabled().await), (vec![("pumps".to_owned(), false)], vec!["wilco".to_owned()]));
    let one = handle.own_dialects(&id).await.unwrap().remove(0);
    assert_eq!((one.title.as_str(), one.about.as_str(), one.text), ("Pumps", "Ours.", file("pumps", "in")));
    assert_eq!(one.settings.iter().map(|setting| setting.name.as_str()).collect::<Vec<_>>(), ["base"]);

    // Enabled with a setting, it keeps both when the file is changed, and when it gets another name.
    handle.save_dialect(&id, &file("pumps", "in"), None, true).await.unwrap();
    let dialects = ["wilco", "pumps:base=plant"].iter().map(|text| text.parse().unwrap()).collect();
    let view = handle.connection_view(&id).await.unwrap();
    let settings = ConnectionSettings { dialects, ..view.settings.clone() };
    handle.save_connection(ConnectionEntry { settings, ..ConnectionEntry::from(&view) }).await.unwrap();
    handle.save_dialect(&id, &file("pumps", "ask"), None, false).await.unwrap();
    assert_eq!(
        (listed().await, enabled().await.join(" ")),
        (vec![("pumps".to_owned(), true)], "wilco pumps:base=plant".into())
    );
    handle.save_dialect(&id, &file("our-pumps", "ask"), Some("pumps".into()), false).await.unwrap();
    assert_eq!(listed().await, [("our-pumps".to_owned(), true)]);
    assert_eq!(enabled().await.join(" "), "wilco our-pumps:base=plant");

    let path = data.path().join("pumps.toml");
    let to = FileToWrite { path: path.clone(), replace: false };
    assert_eq!(handle.export_dialect(&id, "our-pumps", to.clone()).await.unwrap(), path);
    assert_eq!(handle.read_dialect(path.clone()).await.unwrap(), file("our-pumps", "ask"));
    assert_eq!(handle.export_dialect(&id, "our-pumps", to).await.unwrap_err().code, FailureCode::Exists);
    // Also one that comes with Wilco, to begin with.
    let shipped = FileToWrite { path, replace: true };
    let path = handle.export_dialect(&id, "tasmota", shipped).await.unwrap();
    assert!(handle.read_dialect(path).await.unwrap().contains("name = \"tasmota\""));
    assert_eq!(handle.read_dialect(data.path().join("none.toml")).await.unwrap_err().code, FailureCode::File);

    assert_eq!(handle.save_dialect(&id, "format = 1", None, true).await.unwrap_err().code, FailureCode::Invalid);
    assert_eq!(handle.remove_dialect(&id, "pumps").await.unwrap_err().code, FailureCode::NotFound);
    handle.remove_dialect(&id, "our-pumps").await.unwrap();
    assert_eq!((listed().await, enabled().await), (Vec::new(), vec!["wilco".to_owned()]));
    // The last dialect of a connection stays.
    let view = handle.save_dialect(&id, &file("pumps", "in"), None, true).await.unwrap();
    let settings = ConnectionSettings { dialects: vec!["pumps".into()], ..view.settings.clone() };
    handle.save_connection(ConnectionEntry { settings, ..ConnectionEntry::from(&view) }).await.unwrap();
    let only = handle.remove_dialect(&id, "pumps").await.unwrap_err();
    assert!(only.message.contains("the only dialect"), "{}", only.message);
    engine.stop().await;
}
