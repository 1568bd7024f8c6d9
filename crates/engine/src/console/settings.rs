//! Reads and changes the settings.

use std::fs;

use serde_json::json;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{Handle, defect};
use crate::{
    api::{AuditKind, Failure, FaultDials, NotificationContent, Settings},
    audit,
    controller::Request,
    notifications::{MOST_UNREAD, Notifications},
};

impl Handle {
    /// The current settings.
    ///
    /// # Errors
    /// None.
    pub async fn settings(&self) -> Result<Settings, Failure> {
        Ok(self.settings.get())
    }

    /// Stores and applies new settings. Unfinished commands keep the settings with which they were sent.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) when one of them is not possible, `Store`; then all are as
    /// they were.
    pub async fn change_settings(&self, settings: Settings) -> Result<(), Failure> {
        settings.check()?;
        let as_json = |settings: &Settings| serde_json::to_value(settings).unwrap_or_default();
        let changes = audit::between(Some(&as_json(&self.settings.get())), &as_json(&settings));
        let names: Vec<_> = changes.as_object().into_iter().flat_map(|changes| changes.keys().cloned()).collect();
        let entry = self.audit.entry(AuditKind::Settings, format!("Changed settings: {}", names.join(", ")));
        // Saved as they are, they are no change.
        let store = if names.is_empty() { self.store.clone() } else { self.store.audited(entry.with(&changes)) };
        store.save_settings(settings.clone()).await?;
        self.settings.set(settings);
        Ok(())
    }

    /// Records that the demo fleet, which the engine does not run itself, now has these faults.
    ///
    /// # Errors
    /// `Store`.
    pub async fn audit_demo_faults(&self, faults: &FaultDials) -> Result<(), Failure> {
        let entry = self.audit.entry(AuditKind::Settings, "Changed the faults of the demo fleet").with(&json!(faults));
        Ok(self.store.append_audit(entry).await?)
    }

    /// The size of the data on the disk, bytes.
    ///
    /// # Errors
    /// [`FailureCode::Internal`](crate::api::FailureCode).
    pub async fn data_size(&self) -> Result<u64, Failure> {
        let dir = self.data_dir.clone();
        let sum = move || {
            let files = fs::read_dir(dir).into_iter().flatten().flatten();
            files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
        };
        spawn_blocking(sum).await.map_err(defect)
    }

    /// Applies the notification settings from now on.
    ///
    /// # Errors
    /// [`FailureCode::Internal`](crate::api::FailureCode) if the engine is stopping.
    pub async fn notifications(&self) -> Result<mpsc::Receiver<NotificationContent>, Failure> {
        let (listener, receiver) = mpsc::channel(MOST_UNREAD);
        let notifications = Notifications::new(self.settings.clone(), listener);
        self.request(|reply| Request::Notifications(notifications, reply)).await?;
        Ok(receiver)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use serde_json::json;

    use crate::{
        api::{FailureCode, NewCommand, Settings},
        console::fixture::{engine_on, plant},
        paths::DataDir,
    };

    #[tokio::test]
    async fn settings_are_gone_by_at_once_and_after_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(Some(data.path())).unwrap();
        let engine = engine_on(&data_dir).await;
        let handle = engine.handle();
        let chosen = Settings { timeout_s: 33, time_to_live_s: 44, ..handle.settings().await.unwrap() };
        handle.change_settings(chosen.clone()).await.unwrap();
        let refused = handle.change_settings(Settings { timeout_s: 0, ..chosen.clone() }).await.unwrap_err();
        assert_eq!(refused.code, FailureCode::Invalid);
        assert_eq!(handle.settings().await.unwrap(), chosen);

        let connection = plant(&handle).await;
        let check = async |command: &str, ttl_ms: Option<u64>, expected: (u64, u64)| {
            let new = NewCommand {
                connection: connection.clone(),
                devices: vec!["pump-7".into()],
                command: command.into(),
                args: json!({"on": true}).into(),
                ttl_ms,
                ..NewCommand::default()
            };
            let id = handle.send(new).await.unwrap().ids.remove(0);
            let (device, id) = (super::super::device_id("pump-7").unwrap(), super::super::command_id(&id).unwrap());
            let submission =
                handle.store.command(&connection.as_str().into(), &device, &id).await.unwrap().unwrap().submission;
            assert_eq!((submission.policy.timeout.0, submission.policy.time_to_live.0), expected, "{command}");
        };
        check("calibrate", None, (33_000, 44_000)).await;
        check("calibrate", Some(5), (33_000, 5)).await;
        // One of the catalogue's brings times of its own.
        check("led", None, (10_000, 60_000)).await;
        engine.stop().await;

        let engine = engine_on(&data_dir).await;
        assert_eq!(engine.handle().settings().await.unwrap(), chosen);
        engine.stop().await;
    }
}
