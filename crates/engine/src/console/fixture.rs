//! What tests of the engine from outside begin with: one without a keyring, and a connection to nobody.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use tempfile::TempDir;

use crate::{Engine, Handle, Options, api::ConnectionEntry, paths::DataDir, vault::Vault};

/// An engine on data of its own, which are gone with the directory.
pub(crate) async fn engine() -> (TempDir, Engine, Handle) {
    let data = tempfile::tempdir().unwrap();
    let engine = engine_on(&DataDir::open(Some(data.path())).unwrap()).await;
    let handle = engine.handle();
    (data, engine, handle)
}

/// An engine on these data.
pub(crate) async fn engine_on(data_dir: &DataDir) -> Engine {
    Engine::start(Options { data_dir: data_dir.clone(), vault: Vault::in_memory(), passing: false }).await.unwrap()
}

/// A connection called `plant`, and its id. Nobody listens there: everything stays in the outbox.
pub(crate) async fn plant(handle: &Handle) -> String {
    let url = "mqtt://127.0.0.1:9".into();
    let entry = ConnectionEntry { name: "plant".into(), url, ..ConnectionEntry::default() };
    handle.save_connection(entry).await.unwrap().id
}
