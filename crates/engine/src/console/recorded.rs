//! Replies of the engine that the page's fake backend also gives. They are the same in every installation.
//! `WILCO_RECORD=1 cargo test -p wilco-engine recorded` records them again.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{env, fs, path::Path};

use serde_json::json;

use super::fixture;

#[tokio::test]
async fn replies_of_the_pages_fake_backend_are_recorded_from_this_engine() {
    let (_data, engine, handle) = fixture::engine().await;
    let answers = json!({
        "catalogue": handle.catalogue().await.unwrap(),
        "dialects": handle.dialects().await.unwrap(),
        "settings": handle.settings().await.unwrap(),
    });
    engine.stop().await;
    let answers = format!("{answers:#}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/backend/fake/recorded.json");
    if env::var_os("WILCO_RECORD").is_some() {
        fs::write(&path, &answers).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == answers,
        "ui/src/backend/fake/recorded.json is not what the engine answers"
    );
}
