//! Retention: deletes old finished commands in small batches, and old telemetry and audit entries. Unfinished commands
//! are always kept.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use wilco_ledger::{DeviceId, Timestamp};

use super::Handle;
use crate::{
    api::{AuditKind, Failure, Older},
    audit,
    controller::{DeviceRequest, Request, SerialChange},
    profile::device_id,
    settings::days_ago,
    store::{self, ConnectionId},
};

/// A start has better to do at first.
const FIRST_AFTER: Duration = Duration::from_secs(10);
/// How long a person who set too few days has to correct it, at most.
const EVERY: Duration = Duration::from_secs(3_600);
/// How far ahead of the last event a clock may be, milliseconds: 30 days. A clock further ahead, for example to test
/// the expiry of a certificate, would delete everything.
const BELIEVED: i64 = 30 * 86_400_000;
/// Commands deleted in one commit; other changes wait that long.
const FORGOTTEN_AT_ONCE: usize = 250;
/// Answers that belong to no command, forgotten in one transaction.
const UNMATCHED_AT_ONCE: u32 = 1_000;

impl Handle {
    /// The number of commands that ended more than this many days ago, of unmatched answers that arrived before then,
    /// and of logs that began before then.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for no days, or more than 3,650; `Store`.
    pub async fn count_older(&self, days: u32) -> Result<Older, Failure> {
        let before = days_ago(days, self.clock.now())?;
        let store::Older { commands, unmatched, logs } = self.store.count_older(before).await?;
        Ok(Older { commands, unmatched, logs })
    }

    /// Deletes them, with all their evidence, and returns their number.
    ///
    /// # Errors
    /// As [`Handle::count_older`]; some may then have been forgotten.
    pub async fn forget_older(&self, days: u32) -> Result<Older, Failure> {
        let older = self.forget_before(days_ago(days, self.clock.now())?, || true).await?;
        let what = format!("Deleted the history of more than {} ago", audit::days(days));
        self.store.append_audit(self.audit.entry(AuditKind::History, what).with(&counted(&older))).await?;
        Ok(older)
    }

    /// Deletes a device without unfinished commands: its state, measurements, logs and commands with all their
    /// evidence. Nothing is sent to it. If it publishes again, or the broker has retained its status, it is listed
    /// again.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Invalid` while a command of it is in progress and for one of those
    /// that a connection names; `Store`, and then some of its commands may be forgotten.
    pub async fn forget_device(&self, connection: &str, device: &str) -> Result<(), Failure> {
        let (connection, device) = (ConnectionId::from(connection), device_id(device)?);
        let mut more = self.delete_some(&connection, &device).await?;
        let what = format!("Deleted {device} with its history");
        let entry = self.entry_on(connection.as_str(), AuditKind::Device, what);
        self.store.append_audit(entry.with(&json!({ "devices": [device.as_str()] }))).await?;
        while more {
            more = self.delete_some(&connection, &device).await?;
        }
        Ok(())
    }

    /// Deletes a part of a device, finally the device itself. Says whether there is more.
    pub(super) async fn delete_some(&self, connection: &ConnectionId, device: &DeviceId) -> Result<bool, Failure> {
        let remains = self.store.remains(connection, device, FORGOTTEN_AT_ONCE).await?;
        self.of_devices(|reply| DeviceRequest::Delete(connection.clone(), device.clone(), remains, reply)).await
    }

    /// Deletes data that is older than the settings allow, now and every hour. Does not end by itself.
    pub(super) async fn keep_to_retention(self) {
        // Nothing is deleted that is being read.
        self.loaded.all_at_last().await;
        // The remains of a deletion that was interrupted by the end of the program.
        if let Err(error) = self.store.sweep().await {
            tracing::warn!(%error, "the remaining data of removed connections was not deleted");
        }
        let began = Instant::now();
        let newest = self.store.newest().await.unwrap_or_default();
        let mut hours = interval_at(began + FIRST_AFTER, EVERY);
        hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            hours.tick().await;
            let now = believed(self.clock.now(), newest, began.elapsed());
            if let Err(failure) = self.forget_measured(now).await {
                tracing::warn!(%failure, "old measurements were not deleted");
            }
            if let Some(days) = self.settings.get().audit_days
                && let Err(failure) = self.forget_audit(days, now).await
            {
                tracing::warn!(%failure, "old entries of the audit were not deleted");
            }
            let Some(days) = self.settings.get().history_days else { continue };
            match self.forget_ended(days, now).await {
                Ok(older) if older == Older::default() => {}
                Ok(older) => {
                    let Older { commands, unmatched, logs } = older;
                    tracing::info!(commands, unmatched, logs, days, "old history was deleted");
                    let what = format!("The retention deleted the history of more than {} ago", audit::days(days));
                    let entry = self.audit.entry(AuditKind::History, what).with(&counted(&older));
                    if let Err(error) = self.store.append_audit(entry).await {
                        tracing::warn!(%error, "the deletion of old history is missing in the audit");
                    }
                }
                Err(failure) => tracing::warn!(%failure, "old history was not deleted"),
            }
        }
    }

    /// Deletes measurements that are older than the settings allow.
    async fn forget_measured(&self, now: Timestamp) -> Result<(), Failure> {
        let before = days_ago(self.settings.get().telemetry_days, now)?;
        Ok(self.prune_telemetry(None, before).await?)
    }

    /// Deletes commands that finished more than this many days ago, for as long as the settings require it.
    async fn forget_ended(&self, days: u32, now: Timestamp) -> Result<Older, Failure> {
        let is_wanted = || self.settings.get().history_days == Some(days);
        self.forget_before(days_ago(days, now)?, is_wanted).await
    }

    /// Deletes commands that finished before that time, in small steps, until it is no longer wanted.
    pub(super) async fn forget_before(
        &self,
        before: Timestamp,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Older, Failure> {
        let mut older = Older::default();
        self.loaded.all().await?;
        while is_wanted() {
            let ended = self.store.ended(before, FORGOTTEN_AT_ONCE).await?;
            let some = match ended.is_empty() {
                true => 0,
                false => {
                    self.request(|reply| Request::InTurn(SerialChange::ForgetEnded(before, ended, reply))).await??
                }
            };
            if some == 0 {
                break;
            }
            older.commands = older.commands.saturating_add(number(some));
        }
        while is_wanted() {
            let some = self.store.forget_unmatched(before, UNMATCHED_AT_ONCE).await?;
            if some == 0 {
                break;
            }
            older.unmatched = older.unmatched.saturating_add(number(some));
        }
        if older.commands + older.unmatched > 0 {
            self.quota.load(&self.store).await?;
        }
        if is_wanted() {
            older.logs = number(self.store.prune_logs(before).await?);
        }
        Ok(older)
    }
}

/// How much was deleted, for the audit.
fn counted(older: &Older) -> serde_json::Value {
    json!({ "commands": older.commands, "unmatched": older.unmatched, "logs": older.logs })
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The reference time of the retention: the clock's if it is consistent with the last event before this program
/// started, and otherwise that event's. A clock that is too far ahead is not used at all: with a history of 7 days,
/// even 30 days ahead would delete everything.
fn believed(now: Timestamp, newest: Option<Timestamp>, since_start: Duration) -> Timestamp {
    let elapsed = i64::try_from(since_start.as_millis()).unwrap_or(i64::MAX);
    let Some(newest) = newest.map(|newest| Timestamp(newest.0.saturating_add(elapsed))) else { return now };
    if now.0 > newest.0.saturating_add(BELIEVED) { newest } else { now }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::time::Duration;

    use serde_json::json;
    use wilco_dialect::LogChunk;
    use wilco_ledger::{CommandId, DeviceId, Event, Fact, Raw, Timestamp};

    use crate::{
        Handle,
        api::{ConnectionEntry, ConnectionSettings, DeviceQuery, FailureCode, HistoryQuery, NewCommand, Older},
        console::fixture::{engine, engine_on, plant},
        paths::DataDir,
        store::{Change, ConnectionId},
    };

    #[test]
    fn a_clock_that_is_years_ahead_has_nothing_forgotten() {
        const DAY: i64 = 86_400_000;
        let check = |now: i64, newest: Option<i64>, hours: u64, expected: i64| {
            let newest = newest.map(|day| Timestamp(day * DAY));
            let time = super::believed(Timestamp(now * DAY), newest, Duration::from_secs(hours * 3_600));
            assert_eq!(time, Timestamp(expected * DAY), "{now} {newest:?}");
        };
        check(100, None, 0, 100);
        check(100, Some(99), 0, 100);
        check(100, Some(120), 0, 100);
        check(128, Some(99), 0, 128);
        // It is not believed by 30 days either: what happened yesterday would be forgotten after 7.
        check(800, Some(99), 0, 99);
        // However long it runs, what happens while the clock is wrong does not make it right.
        check(800, Some(99), 48, 101);
    }

    #[tokio::test]
    async fn the_window_sees_at_once_that_what_ended_is_forgotten_and_that_the_rest_is_not() {
        let (_data, engine, handle) = engine().await;
        let connection = plant(&handle).await;
        let devices: Vec<_> = (0..600).map(|number| format!("pump-{number:03}")).collect();
        let new = NewCommand {
            connection: connection.clone(),
            devices: devices.clone(),
            command: "led".into(),
            args: json!({"on": true}).into(),
            ..NewCommand::default()
        };
        let ids = handle.send(new).await.unwrap().ids;
        for (device, id) in devices.iter().zip(&ids).skip(1) {
            handle.cancel(&connection, device, id).await.unwrap();
        }

        // They ended just now, which is no day ago.
        assert_eq!(handle.count_older(1).await.unwrap(), Older::default());
        assert_eq!(handle.forget_older(1).await.unwrap(), Older::default());
        let later = Timestamp(handle.clock.now().0 + 1);
        assert_eq!(handle.forget_before(later, || true).await.unwrap(), Older { commands: 599, ..Older::default() });

        assert_eq!(handle.connections().await.unwrap()[0].counts.kept, 1);
        assert_eq!(handle.history(HistoryQuery { limit: 10, ..HistoryQuery::default() }).await.unwrap().total, 1);
        let query = DeviceQuery { connection: connection.clone(), ..DeviceQuery::default() };
        let rows = handle.devices(query, 0, 1_000).await.unwrap().rows;
        let with_a_command = rows.iter().filter(|row| row.last_command.is_some());
        assert_eq!(with_a_command.map(|row| row.device.as_str()).collect::<Vec<_>>(), ["pump-000"]);
        // A cancelled deletion does not restore deleted commands.
        let again = handle.cancel(&connection, &devices[1], &ids[1]).await.unwrap_err();
        assert_eq!(again.code, FailureCode::NotFound);

        let nothing = handle.forget_older(0).await.unwrap_err();
        assert_eq!(
            (nothing.code, &*nothing.message),
            (FailureCode::Invalid, "A history of 0 days would keep nothing: all finished commands would be deleted.")
        );
        engine.stop().await;
    }

    #[tokio::test]
    async fn a_device_that_was_mistyped_can_be_forgotten_once_it_has_nothing_to_do() {
        let (data, engine, handle) = engine().await;
        let connection = plant(&handle).await;
        let new = NewCommand {
            connection: connection.clone(),
            devices: vec!["pump-1".into(), "pmup-1".into()],
            command: "led".into(),
            args: json!({"on": true}).into(),
            ..NewCommand::default()
        };
        let ids = handle.send(new).await.unwrap().ids;
        let refused = |name: &'static str| {
            let (handle, connection) = (handle.clone(), connection.clone());
            async move { handle.forget_device(&connection, name).await.unwrap_err() }
        };
        let busy = refused("pmup-1").await;
        assert_eq!((busy.code, &*busy.message), (FailureCode::Invalid, "'pmup-1' has an unfinished command."));
        assert_eq!(refused("pump-7").await.code, FailureCode::NotFound);
        handle.cancel(&connection, "pmup-1", &ids[1]).await.unwrap();

        handle.forget_device(&connection, "pmup-1").await.unwrap();
        let names = async |handle: &Handle| {
            let query = DeviceQuery { connection: connection.clone(), ..DeviceQuery::default() };
            let rows = handle.devices(query, 0, 10).await.unwrap().rows;
            rows.into_iter().map(|row| row.device).collect::<Vec<_>>()
        };
        assert_eq!(names(&handle).await, ["pump-1"]);
        assert_eq!(handle.connections().await.unwrap()[0].counts.kept, 1);
        assert_eq!(refused("pmup-1").await.code, FailureCode::NotFound);
        engine.stop().await;

        let engine = engine_on(&DataDir::open(Some(data.path())).unwrap()).await;
        assert_eq!(names(&engine.handle()).await, ["pump-1"]);
        engine.stop().await;
    }

    #[tokio::test]
    async fn a_device_that_a_connection_names_is_not_forgotten() {
        let (_data, engine, handle) = engine().await;
        let entry = ConnectionEntry {
            name: "plant".into(),
            url: "mqtt://127.0.0.1:9".into(),
            settings: ConnectionSettings { devices_named: vec!["pump-1".into()], ..ConnectionSettings::default() },
            ..ConnectionEntry::default()
        };
        let connection = handle.save_connection(entry).await.unwrap().id;
        let new = NewCommand {
            connection: connection.clone(),
            devices: vec!["pump-1".into()],
            command: "state.get".into(),
            ..NewCommand::default()
        };
        let id = handle.send(new).await.unwrap().ids.remove(0);
        handle.cancel(&connection, "pump-1", &id).await.unwrap();
        let named = handle.forget_device(&connection, "pump-1").await.unwrap_err();
        assert_eq!(named.message, "'pump-1' is listed under Only these devices of this connection.");
        engine.stop().await;
    }

    #[tokio::test]
    async fn logs_and_stray_answers_from_before_then_are_counted_and_forgotten_without_a_command() {
        let (_data, engine, handle) = engine().await;
        let connection = plant(&handle).await;
        let came = |command: &str, at: Timestamp| Change::LogChunk {
            connection: ConnectionId::from(connection.as_str()),
            device: DeviceId::new("pump-1").unwrap(),
            at,
            chunk: LogChunk {
                id: CommandId::new(command).unwrap(),
                number: 1,
                of: Some(1),
                offset: None,
                text: "a line\n".into(),
                sha256: None,
            },
        };
        let now = handle.clock.now();
        let days_ago = |days: i64| Timestamp(now.0 - days * 86_400_000);
        handle.store.commit(vec![came("old", days_ago(8)), came("new", days_ago(6))]).await.unwrap();
        let unmatched = |at: Timestamp| Change::Event {
            connection: ConnectionId::from(connection.as_str()),
            event: Event {
                device: DeviceId::new("pump-1").unwrap(),
                command: None,
                at,
                fact: Fact::Unreadable {
                    raw: Box::new(Raw { topic: "pump-1/resp".into(), payload: Box::default(), qos: 1, cut: None }),
                    why: "It is empty.".into(),
                },
            },
            command: None,
        };
        handle.store.commit([9, 8, 6].map(|days| unmatched(days_ago(days))).to_vec()).await.unwrap();
        let older = Older { commands: 0, unmatched: 2, logs: 1 };
        assert_eq!(handle.count_older(7).await.unwrap(), older);
        assert_eq!(handle.forget_older(7).await.unwrap(), older);
        assert_eq!(handle.count_older(7).await.unwrap(), Older::default());
        let kept = handle.logs(&connection, "pump-1").await.unwrap();
        assert_eq!(kept.iter().map(|log| log.id.as_str()).collect::<Vec<_>>(), ["new"]);
        engine.stop().await;
    }
}
