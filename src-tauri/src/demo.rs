//! The demo fleet inside the app.

use std::{fs, path::Path};

use wilco_device::demo::{DEMO_DEVICES, DemoError, DemoFleet};
use wilco_engine::{
    DEMO, Handle,
    api::{ConnectionView, Failure, FailureCode, FaultDials},
};
use wilco_rehearsal::{check, device_dials};

/// The hint when the system allows too few open files.
const MORE_FILES: &str = "The full fleet needs about 5,000 open files. Raise the limit (ulimit -n), then restart \
                          Wilco.";

/// Starts the demo's broker and devices. If not all of them can run, a notice is shown.
pub(crate) async fn start(engine: &Handle) -> Result<DemoFleet, Failure> {
    let dials = device_dials(&faults(engine.data_dir()));
    let fleet = DemoFleet::start(DEMO_DEVICES, &dials).await.map_err(|error| did_not_start(&error))?;
    if let Some(message) = shortfall(fleet.devices()) {
        engine.warn(message, Some(MORE_FILES.to_owned())).await;
    }
    Ok(fleet)
}

/// Restarts its devices with other faults.
pub(crate) async fn restart(fleet: &mut DemoFleet, faults: &FaultDials) -> Result<(), Failure> {
    fleet.restart(&device_dials(faults)).await.map_err(|error| did_not_start(&error))
}

fn did_not_start(error: &DemoError) -> Failure {
    Failure {
        code: FailureCode::Internal,
        message: format!("The demo fleet could not start: {error}."),
        hint: Some("It needs a free port on 127.0.0.1 and about 5,000 open files.".into()),
    }
}

/// Where the faults of the demo fleet are kept, in the data directory.
const FAULTS: &str = "demo-faults.json";

/// The faults of the demo fleet: only its devices' own by default.
pub(crate) fn faults(data_dir: &Path) -> FaultDials {
    let kept: Option<FaultDials> =
        fs::read(data_dir.join(FAULTS)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    kept.filter(|faults| check(faults).is_ok()).unwrap_or_default()
}

/// Keeps it for the next start.
pub(crate) fn keep_faults(data_dir: &Path, faults: &FaultDials) -> Result<(), Failure> {
    check(faults)?;
    let failed = |error: &dyn std::fmt::Display| Failure {
        code: FailureCode::File,
        message: format!("Could not write {FAULTS} in the data folder: {error}."),
        hint: Some("Check the disk and the permissions of the data folder.".into()),
    };
    let text = serde_json::to_vec(faults).map_err(|error| failed(&error))?;
    wilco_atomic_file::replace(&data_dir.join(FAULTS), &text).map_err(|error| failed(&error))
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

/// Starts it again for users who have tried it, until they remove it. If it does not start, everything else works.
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
    use wilco_engine::api::FaultDials;

    use super::{DEMO_DEVICES, FAULTS, faults, keep_faults, shortfall};

    #[test]
    fn faults_are_kept_and_what_makes_no_sense_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(faults(folder.path()), FaultDials::default());
        let dials = FaultDials { fail: 0.25, delay_ms: 400, seed: 7, ..FaultDials::default() };
        keep_faults(folder.path(), &dials).expect("kept");
        assert_eq!(faults(folder.path()), dials);
        let wrong = FaultDials { fail: 2.0, ..FaultDials::default() };
        assert!(keep_faults(folder.path(), &wrong).is_err());
        assert_eq!(faults(folder.path()), dials);
        for text in ["", "{", r#"{"fail":2}"#, r#"{"other":1}"#] {
            std::fs::write(folder.path().join(FAULTS), text).expect("written");
            assert_eq!(faults(folder.path()), FaultDials::default(), "{text}");
        }
    }

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
