//! Definitions and buttons, and the form that a command keeps.

use std::sync::Arc;

use wilco_dialect::CommandKind;
use wilco_ledger::{Event, Expectation, Fact, Millis, Origin, Submission, Term, WireForm};

use super::{change, connection, device, id, queued, store, submission};
use crate::{Definition, Store, StoredButton};

fn definition(id: &str, name: &str, of: Option<&str>) -> Definition {
    let kind = CommandKind {
        name: name.into(),
        title: "Calibrate".into(),
        schema: r#"{"properties":{"start":{"minimum":10000000000000000000001},"end":{"const":1.0,"default":1e10}}}"#
            .into(),
        form: Some(form()),
        timeout: Millis::seconds(10),
        time_to_live: Millis(1),
        safe_to_repeat: true,
        dangerous: true,
        answer_expected: false,
        icon: "gauge".into(),
    };
    Definition { id: id.into(), connection: of.map(Into::into), kind }
}

fn form() -> WireForm {
    WireForm {
        topic: Some("{device}/do".into()),
        payload: Some("{id} {args.level}".into()),
        plain: true,
        ..WireForm::default()
    }
}

fn button(id: &str, label: &str) -> StoredButton {
    StoredButton {
        id: id.into(),
        connection: None,
        label: label.into(),
        icon: "play".into(),
        command: "calibrate".into(),
        args: r#"{"level":3}"#.into(),
        no_answer: false,
    }
}

async fn names(store: &Store) -> Vec<String> {
    store.definitions().await.unwrap().into_iter().map(|definition| definition.kind.name).collect()
}

#[tokio::test]
async fn definitions_come_back_as_they_were() {
    let (_dir, store) = store();
    let mut plain = definition("b", "blink", None);
    plain.kind.form = None;
    let all = [plain, definition("c", "calibrate", Some("bench"))];
    assert_eq!(store.save_catalogue(all.to_vec(), vec![]).await.unwrap(), None);
    assert_eq!(store.definitions().await.unwrap(), all);
    let mut renamed = all[0].clone();
    renamed.kind.name = "zap".into();
    store.save_catalogue(vec![renamed], vec![]).await.unwrap();
    assert_eq!(names(&store).await, ["calibrate", "zap"]);
    assert!(store.remove_definition("b").await.unwrap());
    assert!(!store.remove_definition("b").await.unwrap());
    assert_eq!(names(&store).await, ["calibrate"]);
}

#[tokio::test]
async fn a_name_is_given_once_for_the_same_connections() {
    let (_dir, store) = store();
    let save = async |definitions: &[Definition]| store.save_catalogue(definitions.to_vec(), vec![]).await.unwrap();
    assert_eq!(save(&[definition("a", "calibrate", None)]).await, None);
    assert_eq!(save(&[definition("b", "calibrate", Some("bench"))]).await, None);
    let taken = Some("calibrate".to_owned());
    assert_eq!(save(&[definition("c", "blink", None), definition("d", "calibrate", None)]).await, taken);
    assert_eq!(save(&[definition("d", "calibrate", Some("bench"))]).await, taken);
    assert_eq!(names(&store).await, ["calibrate", "calibrate"], "nothing of what was refused is stored");
}

#[tokio::test]
async fn buttons_keep_their_order_and_their_place() {
    let (_dir, store) = store();
    for (id, label) in [("1", "one"), ("2", "two"), ("3", "three")] {
        store.save_button(button(id, label)).await.unwrap();
    }
    store.order_buttons(vec!["3".into(), "1".into(), "2".into()]).await.unwrap();
    store.save_button(button("1", "uno")).await.unwrap();
    let labels = async || store.buttons().await.unwrap().into_iter().map(|button| button.label).collect::<Vec<_>>();
    assert_eq!(labels().await, ["three", "uno", "two"]);
    assert!(store.remove_button("1").await.unwrap());
    assert_eq!(labels().await, ["three", "two"]);
}

#[tokio::test]
async fn data_of_a_connection_is_removed_with_it() {
    let (_dir, store) = store();
    store.save_catalogue(vec![definition("a", "a", None), definition("b", "b", Some("bench"))], vec![]).await.unwrap();
    store.save_button(StoredButton { connection: Some(connection()), ..button("1", "one") }).await.unwrap();
    store.remove_connection(&connection()).await.unwrap();
    store.sweep().await.unwrap();
    assert_eq!(names(&store).await, ["a"]);
    assert_eq!(store.buttons().await.unwrap(), []);
}

#[tokio::test]
async fn a_command_keeps_the_form_that_it_was_asked_in() {
    let (_dir, store) = store();
    let terms = [("POWER", Some("ON")), ("started", None)];
    let terms = terms.map(|(key, value)| Term { key: key.into(), value: value.map(Into::into) });
    let expectations = [
        Expectation::State { terms: terms.into(), words_under: ["Restart".into()].into() },
        Expectation::Nothing("It has no state topic.".into()),
    ];
    for (number, expects) in (1..).zip(expectations.map(|expects| Some(Box::new(expects))).into_iter().chain([None])) {
        keeps(
            &store,
            &format!("c{number}"),
            WireForm { expects, unwritable: Some("It has no level.".into()), ..form() },
        )
        .await;
    }
}

async fn keeps(store: &Store, name: &str, form: WireForm) {
    let submission = Arc::new(Submission { form: Some(Arc::new(form)), ..submission("pump", name) });
    let snapshot = wilco_ledger::Command { submission: Arc::clone(&submission), ..queued("pump", name, 100) };
    let fact = Fact::Submitted { submission: Arc::clone(&submission), origin: Origin::Here };
    let event = Event { device: device("pump"), command: Some(id(name)), at: wilco_ledger::Timestamp(100), fact };
    store.commit(vec![change(event, snapshot)]).await.unwrap();
    let replayed = store.command(&connection(), &device("pump"), &id(name)).await.unwrap().unwrap();
    assert_eq!(replayed.submission, submission);
    let listed = store.last_commands(&connection(), &device("pump"), 1).await.unwrap().0;
    assert_eq!(listed[0].submission, submission);
}
