//! Live traffic shows the messages of a session, and slows nothing.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::timeout;
use wilco_engine::api::{FailureCode, TrafficBatch, TrafficMessage, TrafficQuery};
use wilco_tests::{Broker, Child, Device, program};

use crate::desk::{BOTH, Desk, PATIENCE, led, plain};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_and_its_answers_are_seen_on_the_wire_as_they_were() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "kitchen", None)?;
    let mut desk = Desk::new().await?;
    for mqtt in BOTH {
        let connection = desk.connect(plain(&format!("{mqtt:?}"), &broker).over(mqtt)).await?;
        desk.sees_online(&connection, 1).await?;
        let query =
            TrafficQuery { connection: connection.clone(), device: Some("kitchen".into()), filter: String::new() };
        let mut batches = desk.engine().handle().traffic(query).await?;
        let id = desk.carry_out(led(&connection, "kitchen")).await?.id;

        let mut seen: Vec<TrafficMessage> = Vec::new();
        let done =
            |seen: &[TrafficMessage]| seen.iter().any(|one| one.meaning == format!("Answer: succeeded, ID {id}."));
        while !done(&seen) {
            let batch = timeout(PATIENCE, batches.recv()).await?.context("the traffic ended")?;
            assert_eq!(batch.left_out, 0);
            seen.extend(batch.messages);
        }
        let asked = seen.iter().find(|one| one.outgoing).context("nothing was seen going out")?;
        assert_eq!((asked.wire.topic.as_str(), asked.wire.qos), ("kitchen/req", 1));
        assert!(asked.wire.payload.contains(&id) && asked.meaning.starts_with("Request: led"), "{asked:?}");
        assert!(asked.packet_bytes > asked.wire.bytes + 11, "{asked:?}");
        let names: Vec<_> = asked.properties.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.contains(&"Correlation Data"), mqtt == BOTH[0], "{names:?}");
        let answer = seen.iter().find(|one| !one.outgoing && one.wire.topic == "kitchen/resp").context("no answer")?;
        assert!(answer.meaning.starts_with("Answer: ") && !answer.retained && !answer.unreadable, "{answer:?}");
        drop(batches);
        desk.console().remove_connection(&connection).await?;
    }
    desk.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_slows_no_command_and_what_is_left_out_is_counted() -> Result<()> {
    let broker = Broker::plain()?;
    let directory = tempfile::tempdir()?;
    let mut fleet = Child::command(program("wilco-device")?);
    fleet.args(["--url", &broker.url(), "--id", "sim", "--count", "100", "--telemetry-ms", "50"]);
    let _fleet = Child::start(fleet.stdout(Stdio::null()), &directory.path().join("log"))?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(plain("flood", &broker)).await?;
    desk.sees_online(&connection, 100).await?;
    let handle = desk.engine().handle();
    let query = TrafficQuery { connection: connection.clone(), device: None, filter: "+/telemetry".into() };
    let refused = handle.traffic(TrafficQuery { filter: "a#".into(), ..query.clone() }).await;
    assert_eq!(refused.err().map(|failure| failure.code), Some(FailureCode::Invalid));

    // One reads as it comes, another never does, and a third comes back to it after a while.
    let mut read = handle.traffic(query.clone()).await?;
    let _never_read = handle.traffic(query.clone()).await?;
    let mut late = handle.traffic(query).await?;
    let reading = tokio::spawn(async move {
        let mut seen = 0;
        while let Ok(Some(batch)) = timeout(Duration::from_secs(3), read.recv()).await {
            seen += batch.messages.len();
            if seen > 1_000 {
                break;
            }
        }
        seen
    });
    for _ in 0..20 {
        desk.carry_out(led(&connection, "sim-0001")).await?;
    }
    assert!(reading.await? > 1_000, "nothing more was seen");

    let is_behind = async |batches: &mut tokio::sync::mpsc::Receiver<TrafficBatch>| -> Result<(u64, u64, u64)> {
        let (mut first, mut last, mut accounted) = (None, 0, 0);
        loop {
            let batch = timeout(PATIENCE, batches.recv()).await?.context("the traffic ended")?;
            accounted += batch.messages.len() as u64 + u64::from(batch.left_out);
            first = first.or(batch.messages.first().map(|message| message.number));
            last = batch.messages.last().map_or(last, |message| message.number);
            if batch.left_out > 0 {
                return Ok((first.unwrap_or(0), last, accounted));
            }
        }
    };
    // It takes two thousand messages until its queue is full: two seconds of this flood, and more on a busy machine.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let (first, last, accounted) = timeout(PATIENCE, is_behind(&mut late)).await??;
    assert_eq!(first, 1);
    assert!(accounted >= last, "{accounted} of {last} are accounted for");
    desk.close().await;
    Ok(())
}
