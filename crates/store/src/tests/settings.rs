//! Settings are read as they were written.

use super::store;
use wilco_definitions::Settings;

use crate::Store;

#[tokio::test]
async fn settings_are_the_default_until_they_are_changed_and_come_back_as_they_were() {
    let (dir, store) = store();
    assert_eq!(store.settings().await.unwrap(), Settings::default());
    let chosen = Settings {
        history_days: None,
        audit_days: Some(90),
        telemetry_days: 30,
        evidence_bytes: 1_000_000,
        device_evidence_bytes: 1_000_000_000_000,
        timeout_s: 604_800,
        time_to_live_s: 1,
        notify_failed: false,
        notify_long: false,
        long_after_s: 90,
        operator_name: Some("Ana \"A\"".to_owned()),
    };
    for settings in [chosen.clone(), Settings { history_days: Some(1), ..chosen.clone() }, chosen.clone()] {
        store.save_settings(settings.clone()).await.unwrap();
        assert_eq!(store.settings().await.unwrap(), settings);
    }
    store.close().await.unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().settings().await.unwrap(), chosen);
}
