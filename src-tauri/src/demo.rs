//! The fleet inside the app.

use wilco_device::demo::{DEMO_DEVICES, DemoFleet};
use wilco_engine::{
    DEMO, Handle,
    api::{ConnectionView, Failure, FailureCode},
};

/// What to do where the system lets the app open too few files.
const MORE_FILES: &str = "The full fleet needs about 5,000 open files: raise the limit (ulimit -n) and restart Wilco.";

/// Starts the demo's broker and devices. Where not all of them can run, that is said.
pub(crate) async fn start(engine: &Handle) -> Result<DemoFleet, Failure> {
    let fleet = DemoFleet::start(DEMO_DEVICES).await.map_err(|error| Failure {
        code: FailureCode::Internal,
        message: format!("The demo fleet could not start: {error}."),
        hint: Some("It needs a free port on 127.0.0.1 and about 5,000 open files.".into()),
    })?;
    if let Some(message) = shortfall(fleet.devices()) {
        engine.warn(message, Some(MORE_FILES.to_owned())).await;
    }
    Ok(fleet)
}

fn shortfall(devices: usize) -> Option<String> {
    let devices = match devices {
        DEMO_DEVICES.. => return None,
        1 => "1 device".to_owned(),
        more => format!("{more} devices"),
    };
    Some(format!(
        "The demo fleet runs with {devices} instead of 2,000, because the system limits the number of open files."
    ))
}

/// Starts it again for somebody who has tried it, until they remove it. Where it does not start, all else works.
pub(crate) async fn resume(engine: &Handle) -> Result<Option<DemoFleet>, Failure> {
    if connection(engine).await?.is_none() {
        return Ok(None);
    }
    match start(engine).await {
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

#[cfg(test)]
mod tests {
    use super::{DEMO_DEVICES, shortfall};

    #[test]
    fn a_fleet_that_comes_up_short_is_said() {
        assert_eq!(shortfall(DEMO_DEVICES), None);
        let told = |devices| shortfall(devices).unwrap_or_default();
        assert!(
            told(384).starts_with("The demo fleet runs with 384 devices instead of 2,000, because the system limits")
        );
        assert!(told(1).starts_with("The demo fleet runs with 1 device instead"));
    }
}
