//! Logs of devices: complete and verified, or with a list of missing parts.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wilco_dialect::device_side::{cut_log, write_log_chunk};
use wilco_engine::api::{AuditQuery, CommandState, FailureCode, LogState, LogView};
use wilco_ledger::CommandId;
use wilco_tests::{Broker, Certificates, Device, soon_async};

use crate::desk::{Desk, PATIENCE, ask, led, mutual, plain};

/// Waits until a log stands so.
async fn stands(desk: &Desk, (connection, device, id): (&str, &str, &str), standing: LogState) -> Result<LogView> {
    let mut last = None;
    let what = format!("log that is {standing:?}");
    let found = soon_async(&what, PATIENCE, async || {
        let log = desk.console().log(connection, device, id, true).await?;
        last = Some(log.clone());
        Ok((log.standing == standing).then_some(log))
    });
    found.await.with_context(|| format!("it stands as {last:?}"))
}

fn text(log: &LogView) -> String {
    wilco_engine::logs::plain(&log.parts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_fetched_over_mutual_tls_checked_kept_saved_and_deleted() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let _device = Device::start(&broker, "pump-7", Some((&certificates, &certificates.issue("pump-7")?)))?;
    let mut desk = Desk::new().await?;
    let console = certificates.issue("operator")?;
    let connection = desk.connect(mutual("plant", &broker, &certificates, &console)).await?;
    desk.sees_online(&connection, 1).await?;
    desk.carry_out(led(&connection, "pump-7")).await?;

    let asked = desk.carry_out(ask(&connection, "pump-7", "log.get", json!({}))).await?;
    assert_eq!(asked.state, CommandState::Succeeded);
    let whole = stands(&desk, (&connection, "pump-7", &asked.id), LogState::Whole).await?;
    ensure!(whole.sentence.contains("checksum verified"), "{whole:?}");
    ensure!(text(&whole).contains("led"), "it does not tell of the command before: {whole:?}");

    let last = desk.carry_out(ask(&connection, "pump-7", "log.get", json!({"lines": 1}))).await?;
    let last = stands(&desk, (&connection, "pump-7", &last.id), LogState::Whole).await?;
    assert_eq!(text(&last).lines().count(), 1);

    desk.reopen().await?;
    let kept = desk.console().logs(&connection, "pump-7").await?;
    assert_eq!(kept.iter().map(|log| log.id.as_str()).collect::<Vec<_>>(), [last.id.as_str(), asked.id.as_str()]);
    let again = desk.console().log(&connection, "pump-7", &asked.id, true).await?;
    assert_eq!(again, whole);

    let place = tempfile::tempdir()?;
    let path = place.path().join("pump-7.log");
    desk.console().save_log(&connection, "pump-7", &asked.id, path.clone().into()).await?;
    assert_eq!(std::fs::read_to_string(&path)?, text(&whole));
    let nowhere = place.path().join("no/such/folder.log");
    let refused = desk.console().save_log(&connection, "pump-7", &asked.id, nowhere.into()).await;
    let refused = refused.err().context("it was written nowhere")?;
    ensure!(refused.code == FailureCode::File && refused.message.starts_with("The folder of"), "{refused:?}");

    desk.console().forget_log(&connection, "pump-7", &asked.id).await?;
    assert_eq!(desk.console().logs(&connection, "pump-7").await?.len(), 1);
    let newest = desk.console().audit(AuditQuery { limit: 1, ..AuditQuery::default() }).await?.entries;
    assert_eq!(newest.first().map(|entry| &*entry.what), Some("Deleted a log of pump-7"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_did_not_come_is_named_and_the_command_succeeds_all_the_same() -> Result<()> {
    let broker = Broker::plain()?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    let id = desk.send(ask(&connection, "pump-7", "log.get", json!({}))).await?;
    desk.reaches("pump-7", &id, CommandState::AtBroker).await?;
    let line = "I pump: the pressure is 2.81 bar, and nobody minds.\n";
    let (chunks, receipt) = cut_log(&CommandId::new(&id)?, &line.repeat(5_000));
    ensure!(chunks.len() > 7, "{} chunks", chunks.len());
    let missing = [3, 7];
    for chunk in chunks.iter().filter(|chunk| !missing.contains(&chunk.number)) {
        broker.publish("pump-7/log", &write_log_chunk(chunk), false)?;
    }
    stands(&desk, (&connection, "pump-7", &id), LogState::Coming).await?;
    let done = json!({"id": id, "status": "succeeded", "result": receipt.to_result()}).to_string();
    broker.publish("pump-7/resp", done.as_bytes(), false)?;

    let gaps = stands(&desk, (&connection, "pump-7", &id), LogState::Gaps).await?;
    assert_eq!(gaps.sentence, format!("Chunks 3 and 7 of {} were not received.", chunks.len()));
    ensure!(text(&gaps).contains("\n[chunk 3 missing]\n"), "the gap is not shown");
    assert_eq!(desk.ended("pump-7", &id).await?.state, CommandState::Succeeded);

    // The program ends in between, and what comes late is still put to the rest.
    desk.reopen().await?;
    desk.online(&connection).await?;
    for chunk in chunks.iter().filter(|chunk| missing.contains(&chunk.number)) {
        broker.publish("pump-7/log", &write_log_chunk(chunk), false)?;
    }
    let whole = stands(&desk, (&connection, "pump-7", &id), LogState::Whole).await?;
    assert_eq!(text(&whole), line.repeat(5_000));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_log_is_abandoned_with_a_message() -> Result<()> {
    let broker = Broker::plain()?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    let id = desk.send(ask(&connection, "pump-7", "log.get", json!({}))).await?;
    desk.reaches("pump-7", &id, CommandState::AtBroker).await?;
    let text = "again and again\n".repeat(25_000);
    let publish = |number: u32| {
        let chunk = json!({"id": id, "chunk": number, "text": text}).to_string();
        broker.publish("pump-7/log", chunk.as_bytes(), false)
    };
    (1..=25).try_for_each(publish)?;
    let wrong = stands(&desk, (&connection, "pump-7", &id), LogState::Wrong).await?;
    ensure!(wrong.sentence.starts_with("The log is too long"), "{}", wrong.sentence);
    ensure!(wrong.bytes <= 8 * 1024 * 1024, "{} bytes are kept", wrong.bytes);

    // The program ends in between, and still nothing is put to it.
    desk.reopen().await?;
    desk.online(&connection).await?;
    publish(26)?;
    broker.publish("pump-7/status", br#"{"online":true}"#, false)?;
    desk.sees_online(&connection, 1).await?;
    let next = desk.send(led(&connection, "pump-7")).await?;
    desk.reaches("pump-7", &next, CommandState::AtBroker).await?;
    assert_eq!(desk.console().log(&connection, "pump-7", &id, true).await?, wrong);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_with_a_bad_byte_is_told_of_and_the_other_chunks_are_kept() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    let id = desk.send(ask(&connection, "pump-7", "log.get", json!({}))).await?;
    desk.reaches("pump-7", &id, CommandState::AtBroker).await?;
    let chunk = |number: u32, text: &[u8]| {
        [format!(r#"{{"id":"{id}","chunk":{number},"of":3,"text":""#).as_bytes(), text, b"\"}"].concat()
    };
    broker.publish("pump-7/log", &chunk(1, b"one "), false)?;
    let bad = chunk(2, b"gr\xfcn ");
    broker.publish("pump-7/log", &bad, false)?;
    broker.publish("pump-7/log", &chunk(3, b"three"), false)?;

    let told = desk.command(("pump-7", &id), "unreadable chunk", |command| command.unreadable.is_some()).await?;
    let message = told.message.unwrap_or_default();
    ensure!(message.contains("This log chunk is unreadable") && message.contains("not UTF-8"), "{message}");
    let events = desk.evidence(&connection, "pump-7", &id).await?.events;
    let kept = events.into_iter().find(|event| event.kind.as_str() == "unreadable").context("no evidence")?;
    assert_eq!(kept.answer.context("no bytes")?.raw.bytes as usize, bad.len());
    let wrong = stands(&desk, (&connection, "pump-7", &id), LogState::Wrong).await?;
    ensure!(wrong.sentence.contains("unreadable"), "{}", wrong.sentence);
    let all = soon_async("third chunk", PATIENCE, async || {
        let log = desk.console().log(&connection, "pump-7", &id, true).await?;
        Ok((log.have == 2).then_some(log))
    });
    assert_eq!(text(&all.await?), "one \n[chunk 2 missing]\nthree");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_here_asked_for_is_not_kept() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("plant", &broker)).await?;
    let chunk = json!({"id": "of-somebody-else", "chunk": 1, "of": 1, "text": "secret\n"}).to_string();
    broker.publish("pump-7/log", chunk.as_bytes(), false)?;
    soon_async("pump-7", PATIENCE, async || Ok(desk.console().device(&connection, "pump-7").await.ok())).await?;
    ensure!(desk.console().logs(&connection, "pump-7").await?.is_empty());
    let unknown = desk.console().log(&connection, "pump-7", "of-somebody-else", true).await;
    assert_eq!(unknown.err().context("it is known")?.code, FailureCode::NotFound);
    Ok(())
}
