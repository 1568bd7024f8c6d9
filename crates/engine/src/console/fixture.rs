//! The fixture of tests that use the engine from outside: an engine without a keyring, and a connection to an address where
//! nothing listens.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::{
    Engine, Handle, Options,
    api::ConnectionEntry,
    chance::Chance,
    clock::{Source, tests::Played},
    paths::DataDir,
    vault::Vault,
};

/// An engine on data of its own, which are gone with the directory.
pub(crate) async fn engine() -> (TempDir, Engine, Handle) {
    let data = tempfile::tempdir().unwrap();
    let engine = engine_on(&DataDir::open(Some(data.path())).unwrap()).await;
    let handle = engine.handle();
    (data, engine, handle)
}

/// An engine on these data.
pub(crate) async fn engine_on(data_dir: &DataDir) -> Engine {
    engine_with(data_dir, Vault::in_memory(), Source::computer(), Chance::Computer).await
}

/// An engine on these data, with these clocks.
pub(crate) async fn engine_at(data_dir: &DataDir, played: &Arc<Played>) -> Engine {
    engine_with(data_dir, Vault::in_memory(), Source::Played(Arc::clone(played)), Chance::Computer).await
}

/// An engine on these data, with this number as its only random one.
pub(crate) async fn engine_by_chance(data_dir: &DataDir, number: u32) -> Engine {
    engine_with(data_dir, Vault::in_memory(), Source::computer(), Chance::Given(number)).await
}

/// An engine on these data, with this keyring, these clocks and these random numbers.
pub(crate) async fn engine_with(data_dir: &DataDir, vault: Vault, clocks: Source, chance: Chance) -> Engine {
    let options = Options { data_dir: data_dir.clone(), vault, passing: false };
    Engine::start_with(options, clocks, chance).await.unwrap()
}

/// An engine on these data that has only listed its connections. It reads what is stored of as many as there are turns.
pub(crate) async fn engine_held(data_dir: &DataDir, turns: &Arc<Semaphore>) -> Engine {
    let options = Options { data_dir: data_dir.clone(), vault: Vault::in_memory(), passing: false };
    Engine::begin_with(options, Source::computer(), Chance::Computer, Arc::clone(turns), super::WithoutRoom::Fails)
        .await
        .unwrap()
}

/// A connection called `plant`, and its id. Nobody listens there: everything stays in the outbox.
pub(crate) async fn plant(handle: &Handle) -> String {
    let url = "mqtt://127.0.0.1:9".into();
    let entry = ConnectionEntry { name: "plant".into(), url, ..ConnectionEntry::default() };
    handle.save_connection(entry).await.unwrap().id
}

/// The history does nothing more until the answer is dropped.
pub(crate) fn pause_writer(handle: &Handle) -> std::sync::mpsc::Sender<()> {
    handle.store.pause_writer()
}
