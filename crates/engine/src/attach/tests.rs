#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{Attached, Door};
use crate::{api::FailureCode, console::fixture::engine_on, paths::DataDir};

#[tokio::test]
async fn a_window_is_brought_to_the_front_where_there_is_one() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open(Some(data.path())).unwrap();
    let engine = engine_on(&data_dir).await;
    assert!(Attached::find(&data_dir).await.is_none());

    let door = Door::open(&data_dir, engine.handle()).unwrap();
    let without = Attached::find(&data_dir).await.unwrap().raise().await.unwrap_err();
    assert_eq!(without.code, FailureCode::NotFound);
    drop(door);

    let raised = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&raised);
    let raise = move || {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let door = Door::with_window(&data_dir, engine.handle(), raise).unwrap();
    let other = Attached::find(&data_dir).await.unwrap();
    other.raise().await.unwrap();
    other.raise().await.unwrap();
    assert_eq!(raised.load(Ordering::SeqCst), 2);
    // Somebody with another data directory is somebody else.
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(Attached::find(&DataDir::open(Some(elsewhere.path())).unwrap()).await.is_none());
    drop(door);
    engine.stop().await;
}
