//! The fleet inside the app.

use wilco_device::demo::{DEMO_DEVICES, DemoFleet};
use wilco_engine::{
    DEMO, Handle,
    api::{ConnectionView, Failure, FailureCode},
};

/// Starts the demo's broker and devices.
pub(crate) async fn start() -> Result<DemoFleet, Failure> {
    DemoFleet::start(DEMO_DEVICES).await.map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("The demo fleet did not start: {error}."),
        hint: Some("It needs a free port on 127.0.0.1 and about 5,000 open files.".into()),
    })
}

/// Starts it again for somebody who has tried it, until they remove it. Where it does not start, all else works.
pub(crate) async fn resume(engine: &Handle) -> Result<Option<DemoFleet>, Failure> {
    if connection(engine).await?.is_none() {
        return Ok(None);
    }
    match start().await {
        Ok(fleet) => {
            engine.open_demo(&fleet.url()).await?;
            Ok(Some(fleet))
        }
        Err(Failure { message, hint, .. }) => {
            engine.warn(message, hint).await;
            Ok(None)
        }
    }
}

/// The connection to it, if there is one.
pub(crate) async fn connection(engine: &Handle) -> Result<Option<ConnectionView>, Failure> {
    Ok(engine.connections().await?.into_iter().find(|connection| connection.id == DEMO))
}
