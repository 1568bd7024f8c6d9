//! The schema of a command is kept digit for digit.

use std::fs;

use serde_json::json;

use super::{asking, calibrate, changes};
use crate::{
    Handle,
    api::{
        AuditQuery, CommandDefinition, CommandToPreview,
        ImportChange::{Changed, Same},
        NewCommand,
    },
    console::fixture::{engine, plant},
};

/// With numbers that no double holds, or writes otherwise.
const EXACT: &str = concat!(
    r#"{"type":"object","properties":{"level":{"minimum":10000000000000000000001,"maximum":1e400,"#,
    r#""default":10000000000000000000002},"gain":{"const":0.1000000000000000000001},"scale":{"enum":[1e10,1.0]}}}"#
);

#[tokio::test]
async fn the_numbers_of_a_schema_keep_their_digits() {
    let (data, here, handle) = engine().await;
    let schema = async |handle: &Handle| {
        handle.catalogue().await.unwrap().into_iter().find(|entry| !entry.built_in).unwrap().definition.schema
    };
    let described = CommandDefinition { schema: EXACT.replace(':', " :\n ").into(), ..calibrate() };
    let shown = CommandToPreview { definition: described.clone(), connection: None, device: None, args: None };
    let shown = handle.preview_command(shown).await.unwrap();
    let defaults = r#"{"level":10000000000000000000002,"gain":0.1000000000000000000001,"scale":1e10}"#;
    assert!(shown.problems.is_empty() && shown.payload.contains(defaults), "{shown:?}");
    let saved = handle.save_definition(None, described).await.unwrap();
    assert_eq!((saved.definition.schema.as_str(), schema(&handle).await.as_str()), (EXACT, EXACT));
    let path = data.path().join("commands.json");
    handle.export_catalogue(&[], path.clone().into()).await.unwrap();
    let written = fs::read_to_string(&path).unwrap();
    for line in ["\"minimum\": 10000000000000000000001,", "\"const\": 0.1000000000000000000001", "1e10,", "1.0"] {
        assert!(written.lines().any(|written| written.trim() == line), "{line}: {written}");
    }
    assert_eq!(changes(&handle.read_catalogue(path.clone()).await.unwrap()), [("calibrate", Same)]);
    let other = data.path().join("other.json");
    fs::write(&other, written.replace("1e10", "10000000000")).unwrap();
    assert_eq!(changes(&handle.read_catalogue(other).await.unwrap()), [("calibrate", Changed)]);
    here.stop().await;

    let (_data, there, handle) = engine().await;
    handle.import_catalogue(path, &[]).await.unwrap();
    assert_eq!(schema(&handle).await.as_str(), EXACT);
    let connection = plant(&handle).await;
    let below = NewCommand {
        args: r#"{"level":10000000000000000000000}"#.to_owned().into(),
        ..asking(&connection, "calibrate", json!({}))
    };
    let failure = handle.send(below).await.unwrap_err();
    let why = "level: 10000000000000000000000 is less than the minimum of 10000000000000000000001.";
    assert!(failure.message.ends_with(why), "{failure:?}");
    there.stop().await;
}

#[tokio::test]
async fn the_audit_has_the_digits_of_a_schema_and_none_of_its_secrets() {
    let (_data, engine, handle) = engine().await;
    let details = async |schema: &str| {
        let described = CommandDefinition { schema: schema.to_owned().into(), ..calibrate() };
        let entry = handle.save_definition(None, described).await.unwrap();
        handle.remove_definition(&entry.id).await.unwrap();
        let page = handle.audit(AuditQuery { limit: 2, ..AuditQuery::default() }).await.unwrap();
        page.entries[1].details.clone().unwrap().to_string()
    };
    let quoted = |schema: &str| json!(schema).to_string().trim_matches('"').to_owned();
    assert!(details(EXACT).await.contains(&quoted(EXACT)));
    let secret = r#"{"properties":{"limit":{"maximum":1e400},"password":{"default":"canary"}}}"#;
    let told = details(secret).await;
    let expected = quoted(r#"{"properties":{"limit":{"maximum":1e400},"password":"(not recorded)"}}"#);
    assert!(told.contains(&expected) && !told.contains("canary"), "{told}");
    engine.stop().await;
}
