//! Many devices at once.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use wilco_engine::api::{AnswerMatch, CommandState, ConnectionEntry, DeviceQuery, HistoryQuery, NewCommand};
use wilco_tests::{Broker, Child, program, soon_async};

use crate::desk::{Desk, led, plain};

pub(crate) const COUNT: u32 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_commands_to_a_fleet_are_all_reconciled() -> Result<()> {
    let fleet = Fleet::start(&[]).await?;
    for round in 1..=3 {
        fleet.command_everybody(None).await?;
        fleet.all_succeeded(round * COUNT).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_doubled_broken_and_misnamed_answers_still_end_with_every_command_reconciled() -> Result<()> {
    // One answer in twenty is lost one way or the other, so that five repeats are enough for any of the fleet.
    let faults =
        ["--drop", "0.03", "--wrong-id", "0.01", "--malformed", "0.01", "--duplicate", "0.3", "--reorder", "0.2"];
    let fleet = Fleet::start(&faults).await?;
    fleet.command_everybody(Some(5)).await?;
    fleet.all_succeeded(COUNT).await
}

/// Starts the virtual devices `sim-0001` and so on.
pub(crate) fn devices(broker: &Broker, log: &Path, arguments: &[&str]) -> Result<Child> {
    let mut command = Child::command(program("wilco-device")?);
    command.args(["--url", &broker.url(), "--id", "sim", "--count", &COUNT.to_string(), "--telemetry-ms", "1000"]);
    Child::start(command.args(arguments).stdout(Stdio::null()), log)
}

/// Their ids.
pub(crate) fn ids() -> Vec<String> {
    (1..=COUNT).map(|number| format!("sim-{number:04}")).collect()
}

struct Fleet {
    desk: Desk,
    connection: String,
    _devices: Child,
    _broker: Broker,
    _directory: tempfile::TempDir,
}

impl Fleet {
    async fn start(faults: &[&str]) -> Result<Fleet> {
        let broker = Broker::plain()?;
        let directory = tempfile::tempdir()?;
        let devices = devices(&broker, &directory.path().join("log"), faults)?;
        let desk = Desk::new().await?;
        let connection = desk.connect(plain("fleet", &broker)).await?;
        desk.sees_online(&connection, COUNT).await?;
        Ok(Fleet { desk, connection, _devices: devices, _broker: broker, _directory: directory })
    }

    async fn command_everybody(&self, retries: Option<u32>) -> Result<()> {
        let new = NewCommand { devices: ids(), retries, ..led(&self.connection, "") };
        assert_eq!(self.desk.console().send(new).await?.ids.len(), COUNT as usize);
        Ok(())
    }

    async fn all_succeeded(&self, expected: u32) -> Result<()> {
        let of = |states: &[CommandState]| HistoryQuery {
            connection: Some(self.connection.clone()),
            states: states.to_vec(),
            limit: 1_000,
            ..HistoryQuery::default()
        };
        let what = format!("{expected} commands that succeeded");
        let page = soon_async(&what, Duration::from_secs(50), async || {
            let page = self.desk.console().history(of(&[CommandState::Succeeded])).await?;
            Ok((page.commands.len() == expected as usize).then_some(page))
        });
        let page = match page.await {
            Ok(page) => page,
            Err(error) => {
                let rest = self.desk.console().history(of(&[])).await?.commands;
                let rest: Vec<_> =
                    rest.into_iter().filter(|command| command.state != CommandState::Succeeded).take(5).collect();
                return Err(error.context(format!("for instance {rest:#?}")));
            }
        };
        assert!(page.commands.iter().all(|command| command.matched == Some(AnswerMatch::Exact)));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_name_is_too_long_is_told_of_once() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    for name in ["a".repeat(201), "b".repeat(300)] {
        broker.publish(&format!("{name}/status"), br#"{"online":true}"#, false)?;
    }
    desk.notice("its ID has 201 bytes").await?;
    // What comes behind it has been heard, so it has been as well.
    broker.publish("lamp-1/state", br#"{"led":true}"#, true)?;
    let reported =
        async || Ok(desk.console().device(&connection, "lamp-1").await.ok().map(|detail| detail.reported_at));
    let at = soon_async("a state", Duration::from_secs(10), reported).await?;
    ensure!(at.is_some(), "nobody knows when it was reported");
    ensure!(!desk.seen().notices.iter().any(|notice| notice.message.contains("300 bytes")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn home_assistants_own_status_is_not_a_device() -> Result<()> {
    let broker = Broker::plain()?;
    let topics = ["homeassistant/status", "homeassistant/state"];
    topics.into_iter().try_for_each(|topic| broker.publish(topic, b"online", true))?;
    let desk = Desk::new().await?;
    let sets: [&[&str]; 4] = [&["wilco"], &["wilco", "homeassistant"], &["wilco", "zigbee2mqtt"], &["text", "tasmota"]];
    for dialects in sets {
        let named = |entry: &mut ConnectionEntry| {
            entry.settings.dialects = dialects.iter().map(|name| (*name).into()).collect();
        };
        let connection = desk.connect(plain(&dialects.join(" and "), &broker).with(named)).await?;
        for topic in topics {
            broker.publish(topic, b"online", false)?;
        }
        // It has been heard once what comes after it has been.
        broker.publish("lamp-1/status", br#"{"online":true}"#, false)?;
        desk.sees_online(&connection, 1).await?;
        let page = desk.console().devices(DeviceQuery { connection, ..DeviceQuery::default() }, 0, 10).await?;
        let listed: Vec<_> = page.rows.iter().map(|row| row.device.as_str()).collect();
        assert_eq!(listed, ["lamp-1"], "{dialects:?}");
    }
    Ok(())
}
