//! Devices that send too fast, beside one that is commanded. Times depend on the machine: they are printed.

#![expect(clippy::print_stdout, reason = "figures that depend on the machine are shown, not asserted")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wilco_engine::api::{CommandState, DeviceDetail, DiscardedView, NewCommand};
use wilco_tests::{Broker, Device, Publisher, Settings, soon_async};

use crate::desk::{Desk, answer, led, plain, readings};

/// As long as a flood may take to be handled.
const HANDLED_WITHIN: Duration = Duration::from_secs(120);

/// Beside each flood, 95 of 100 commands of another device end within this time.
const SEEN_WITHIN: Duration = Duration::from_millis(250);

/// The memory that the engine may take beside each flood, MB.
const MEMORY: u64 = 300;

/// What the evidence of one device may take here, bytes.
const OF_A_DEVICE: u64 = 100_000;

/// A broker that discards nothing by itself, and a console with small quotas.
async fn bench() -> Result<(Broker, Desk, String)> {
    let broker = Broker::start(&Settings { more: "max_queued_messages 0", ..Settings::default() })?;
    let desk = Desk::new().await?;
    let handle = desk.engine().handle();
    let settings = handle.settings().await?;
    let small =
        wilco_engine::api::Settings { evidence_bytes: 1_000_000, device_evidence_bytes: OF_A_DEVICE, ..settings };
    handle.change_settings(small).await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    Ok((broker, desk, connection))
}

async fn detail(desk: &Desk, connection: &str, device: &str) -> Result<DeviceDetail> {
    Ok(desk.console().device(connection, device).await?)
}

/// What was not kept of a device, once that is this many.
async fn discarded(desk: &Desk, connection: &str, device: &str, messages: u64) -> Result<DiscardedView> {
    let mut last = None;
    let what = format!("{messages} messages not kept of {device}");
    let found = soon_async(&what, HANDLED_WITHIN, async || {
        // The device is listed with its first message.
        let view = desk.console().device(connection, device).await.ok().and_then(|detail| detail.discarded);
        last.clone_from(&view);
        Ok(view.filter(|view| view.messages == messages))
    });
    found.await.with_context(|| format!("it is {last:?}"))
}

/// Commands a well-behaved device one command after the other for as long as it is told to, and prints how long that took
/// beside that flood, as a row for `cargo xtask floods`.
async fn command_a_good_device(desk: &Desk, connection: &str, flood: &str, goes_on: impl Fn() -> bool) -> Result<()> {
    let mut took = Vec::new();
    while took.len() < 40 || goes_on() {
        let started = Instant::now();
        let ended = desk.carry_out(led(connection, "good")).await?;
        took.push(started.elapsed());
        ensure!(ended.state == CommandState::Succeeded, "{ended:#?}");
    }
    took.sort();
    let (median, p95, longest) = (took[took.len() / 2], took[took.len() * 95 / 100], took[took.len() - 1]);
    let memory = resident_megabytes()?;
    let ms = |length: Duration| format!("{} ms", length.as_millis());
    let commands = took.len();
    println!("flood | {flood} | {commands} | {} | {} | {} | {memory} MB", ms(median), ms(p95), ms(longest));
    // What is promised is promised of the program as people get it.
    if !cfg!(debug_assertions) {
        ensure!(p95 <= SEEN_WITHIN, "the p95 is {p95:?}");
        ensure!(memory <= MEMORY, "it takes {memory} MB");
    }
    Ok(())
}

fn resident_megabytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1_000)
}

/// Runs a flood beside the commands of a good device.
async fn beside_a_good_device(
    desk: &Desk,
    broker: &Broker,
    connection: &str,
    what: &str,
    flood: impl FnOnce(&mut Publisher) -> Result<()> + Send + 'static,
) -> Result<u64> {
    let _good = Device::start(broker, "good", None)?;
    desk.sees_online(connection, 1).await?;
    let mut publisher = Publisher::connect(broker, "flooder")?;
    let flooding = tokio::task::spawn_blocking(move || {
        flood(&mut publisher)?;
        publisher.finish()
    });
    command_a_good_device(desk, connection, what, || !flooding.is_finished()).await?;
    flooding.await?
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_of_one_device_take_no_more_than_its_quota_and_the_first_and_the_newest_are_kept() -> Result<()>
{
    let (broker, desk, connection) = bench().await?;
    let before = desk.engine().handle().data_size().await?;
    let sent = beside_a_good_device(&desk, &broker, &connection, "messages of 128 kB, 100 per second", |publisher| {
        publisher.flood(400, 100, |number| {
            let payload = format!("{number:06} {}", "x".repeat(128 * 1_024));
            ("loud/resp".into(), payload.into_bytes())
        })
    })
    .await?;
    ensure!(sent == 400, "the broker acknowledged {sent}");

    let kept = desk.console().unmatched(&connection, "loud", 1_000).await?;
    let discarded = discarded(&desk, &connection, "loud", sent - kept.len() as u64).await?;
    ensure!(kept.len() >= 10, "only {} are kept", kept.len());
    let first = kept.last().and_then(|event| event.answer.as_ref()).context("nothing is kept")?;
    ensure!(first.raw.payload.starts_with("000000 xxx"), "the first is not the first: {:.20}", first.raw.payload);
    assert_eq!(first.raw.bytes, 128 * 1_024 + 7);
    let cut = first.raw.cut.as_ref().context("it is kept whole")?;
    ensure!(cut.sha256.len() == 64 && first.raw.payload.contains("bytes not kept"), "{cut:?}");
    ensure!(discarded.newest.payload.starts_with("000399 xxx"), "{:.20}", discarded.newest.payload);
    assert_eq!(discarded.bytes, (sent - kept.len() as u64) * (128 * 1_024 + 7));

    let evidence = detail(&desk, &connection, "loud").await?.evidence_bytes;
    ensure!(evidence <= OF_A_DEVICE, "{evidence} bytes");
    let all = desk.console().evidence_use(None).await?;
    assert_eq!((all.quota, all.discarded), (1_000_000, discarded.messages));
    assert_eq!(all.devices.iter().map(|of| of.device.as_str()).collect::<Vec<_>>(), ["loud"]);
    let grown = desk.engine().handle().data_size().await? - before;
    ensure!(grown < 10_000_000, "the database has grown by {grown} bytes with {} sent", sent * 128 * 1_024);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_that_settles_a_command_is_kept_whole_although_its_device_has_no_room_left() -> Result<()> {
    let (broker, mut desk, connection) = bench().await?;
    let id = desk.send(led(&connection, "loud")).await?;
    desk.reaches("loud", &id, CommandState::AtBroker).await?;
    let mut publisher = Publisher::connect(&broker, "flooder")?;
    let progress = |id: &str, number: u64| json!({"id": id, "status": "running", "number": number}).to_string();
    let of = id.clone();
    publisher.flood(5_000, 5_000, |number| ("loud/resp".into(), progress(&of, number).into_bytes()))?;
    let result = "y".repeat(100_000);
    let last = json!({"id": id, "status": "succeeded", "result": {"log": result}}).to_string();
    publisher.publish("loud/resp", last.as_bytes(), false)?;
    publisher.flood(1_000, 5_000, |number| ("loud/resp".into(), progress(&id, number).into_bytes()))?;
    ensure!(publisher.finish()? == 6_001, "not all was acknowledged");

    let ended = desk.ended("loud", &id).await?;
    assert_eq!(ended.state, CommandState::Succeeded);
    let handled = soon_async("end of the flood", HANDLED_WITHIN, async || {
        let detail = desk.evidence(&connection, "loud", &id).await?;
        let kept = readings(&detail).len() as u64 + u64::from(detail.left_out);
        Ok(detail.discarded.as_ref().is_some_and(|of| of.messages + kept == 6_001).then_some(detail))
    });
    let detail = handled.await?;
    let settled =
        detail.events.iter().filter_map(|event| event.answer.as_ref()).find(|it| it.outcome.as_str() == "succeeded");
    assert_eq!(settled.context("it is not kept")?.raw.payload, last);
    let newest = detail.discarded.context("nothing was left out")?.newest;
    ensure!(newest.payload.contains("\"number\":999"), "{newest:?}");

    // The counts are on the disk, and what is kept still makes the command what it is.
    desk.reopen().await?;
    desk.online(&connection).await?;
    let again = desk.evidence(&connection, "loud", &id).await?;
    assert_eq!((again.command.state, again.command.duplicates), (CommandState::Succeeded, ended.duplicates));
    let messages = again.discarded.context("nothing was left out")?.messages;
    broker.publish("loud/resp", &answer(&id, "running"), false)?;
    discarded(&desk, &connection, "loud", messages + 1).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_messages_a_second_of_one_device_are_counted_and_its_newest_report_is_read() -> Result<()> {
    let (broker, desk, connection) = bench().await?;
    let noted = soon_async("note that the device sends too much", HANDLED_WITHIN, async || {
        let row = desk.console().device(&connection, "loud").await.ok().map(|detail| detail.row);
        Ok(row.and_then(|row| row.over_rate))
    });
    let flooded = beside_a_good_device(
        &desk,
        &broker,
        &connection,
        "answers, measurements, statuses and reports of one device, 5,000 per second",
        |publisher| {
            publisher.flood(20_000, 5_000, |number| match number % 4 {
                0 => ("loud/resp".into(), answer(&format!("unknown-{number}"), "succeeded")),
                1 => ("loud/telemetry".into(), json!({"temperature": number}).to_string().into_bytes()),
                2 => ("loud/status".into(), br#"{"online":true}"#.to_vec()),
                _ => ("loud/state".into(), json!({"led": number == 19_999, "number": number}).to_string().into_bytes()),
            })
        },
    );
    let (per_second, sent) = tokio::join!(noted, flooded);
    let (per_second, sent) = (per_second?, sent?);
    ensure!(sent == 20_000, "the broker acknowledged {sent}");
    println!("the device was noted with {per_second} messages in a second");

    let kept = desk.console().unmatched(&connection, "loud", 1_000).await?;
    let all = soon_async("every answer, kept or counted", HANDLED_WITHIN, async || {
        let kept = desk.console().unmatched(&connection, "loud", 1_000).await?.len() as u64;
        let discarded = detail(&desk, &connection, "loud").await?.discarded.map_or(0, |view| view.messages);
        Ok((kept + discarded == 5_000).then_some((kept, discarded)))
    });
    println!("{:?} answers kept and not kept, at least {} of them kept at once", all.await?, kept.len());
    // The newest report is read, however many came before it, and the note goes once it is quiet.
    soon_async("newest report", HANDLED_WITHIN, async || {
        let row = detail(&desk, &connection, "loud").await?.row;
        Ok((row.led == Some(true) && row.over_rate.is_none()).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_retained_statuses_do_not_keep_a_good_device_waiting() -> Result<()> {
    let broker = Broker::start(&Settings { more: "max_queued_messages 0", ..Settings::default() })?;
    let mut publisher = Publisher::connect(&broker, "flooder")?;
    for number in 0..20_000 {
        publisher.publish(&format!("ghost-{number:05}/status"), br#"{"online":true}"#, true)?;
    }
    ensure!(publisher.finish()? == 20_000);
    let _good = Device::start(&broker, "good", None)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    command_a_good_device(&desk, &connection, "20,000 retained statuses when Wilco connects", || false).await?;
    desk.sees_online(&connection, 20_001).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_answers_with_unknown_ids_are_counted_and_one_to_an_old_command_among_them_counts()
-> Result<()> {
    let (broker, mut desk, connection) = bench().await?;
    // A command that timed out, and a later one, so that only the history knows the first.
    let old = desk.send(NewCommand { timeout_ms: Some(1_000), ..led(&connection, "loud") }).await?;
    assert_eq!(desk.ended("loud", &old).await?.state, CommandState::TimedOut);
    let later = desk.send(led(&connection, "loud")).await?;
    desk.reaches("loud", &later, CommandState::AtBroker).await?;
    broker.publish("loud/resp", &answer(&later, "succeeded"), false)?;
    assert_eq!(desk.ended("loud", &later).await?.state, CommandState::Succeeded);
    desk.reopen().await?;
    desk.online(&connection).await?;

    let of = old.clone();
    let sent = beside_a_good_device(
        &desk,
        &broker,
        &connection,
        "100,000 answers with unknown command IDs, 5,000 per second",
        move |publisher| {
            publisher.flood(100_000, 5_000, |number| {
                let id = if number == 50_000 { of.clone() } else { format!("unknown-{number}") };
                ("loud/resp".into(), answer(&id, "succeeded"))
            })
        },
    )
    .await?;
    ensure!(sent == 100_000, "the broker acknowledged {sent}");
    soon_async("every answer, kept or counted", HANDLED_WITHIN, async || {
        let kept = desk.console().unmatched(&connection, "loud", 1_000).await?.len() as u64;
        let discarded = detail(&desk, &connection, "loud").await?.discarded.map_or(0, |view| view.messages);
        Ok((kept + discarded == 99_999).then_some(()))
    })
    .await?;
    let found = desk.evidence(&connection, "loud", &old).await?;
    ensure!(found.command.late && found.command.state == CommandState::Succeeded, "{:#?}", found.command);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_invented_devices_are_counted_and_real_ones_are_listed() -> Result<()> {
    let (broker, mut desk, connection) = bench().await?;
    let before = desk.engine().handle().data_size().await?;
    let sent =
        beside_a_good_device(&desk, &broker, &connection, "100,000 invented devices, 5,000 per second", |publisher| {
            publisher
                .flood(100_000, 5_000, |number| (format!("invented-{number}/status"), br#"{"online":true}"#.to_vec()))
        })
        .await?;
    ensure!(sent == 100_000, "the broker acknowledged {sent}");
    desk.notice("Too many new device IDs arrived at once on bench").await?;
    let view = soon_async("every ID, listed or counted", HANDLED_WITHIN, async || {
        let view = desk.view(&connection).await?;
        // The good device is listed too.
        Ok((view.devices + view.unlisted == 100_001).then_some(view))
    })
    .await?;
    ensure!((20_001..22_000).contains(&view.devices), "{} devices are listed", view.devices);
    // A device that comes only now is commanded as ever, and one that was left out is listed when it continues.
    let _late = Device::start(&broker, "late", None)?;
    let ended = desk.carry_out(led(&connection, "late")).await?;
    assert_eq!(ended.state, CommandState::Succeeded);
    let left_out = soon_async("a device that goes on", HANDLED_WITHIN, async || {
        broker.publish("invented-99999/state", br#"{"led":true}"#, false)?;
        Ok(desk.console().device(&connection, "invented-99999").await.ok())
    });
    ensure!(left_out.await?.row.led == Some(true));

    // While the engine runs, SQLite's log lies beside the database and may take more than it.
    desk.reopen().await?;
    let grown = desk.engine().handle().data_size().await?.saturating_sub(before);
    ensure!(grown < 20_000_000, "the database has grown by {grown} bytes");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_another_console_that_never_end_are_counted() -> Result<()> {
    const SENT: u64 = 5_000;
    let (broker, desk, connection) = bench().await?;
    let sent = beside_a_good_device(
        &desk,
        &broker,
        &connection,
        "5,000 requests of another console within a second",
        |publisher| {
            publisher.flood(SENT, 5_000, |number| {
                let request = json!({"id": format!("theirs-{number}"), "command": "led", "args": {"on": true}});
                ("loud/req".into(), request.to_string().into_bytes())
            })
        },
    )
    .await?;
    ensure!(sent == SENT, "the broker acknowledged {sent}");
    let (seen, discarded) = soon_async("every request, kept or counted", HANDLED_WITHIN, async || {
        // The device is listed with its first message.
        let Ok(detail) = desk.console().device(&connection, "loud").await else { return Ok(None) };
        let seen = u64::from(detail.command_count);
        let discarded = detail.discarded.map_or(0, |view| view.messages);
        Ok((seen + discarded == SENT).then_some((seen, discarded)))
    })
    .await?;
    println!("{seen} requests are in the history, {discarded} are counted");
    ensure!((500..1_000).contains(&seen), "{seen} are in the history");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_of_another_console_take_no_more_than_the_quota_and_later_small_ones_are_listed() -> Result<()> {
    const SENT: u64 = 400;
    let (broker, desk, connection) = bench().await?;
    let before = desk.engine().handle().data_size().await?;
    let request = |id: &str, bytes: usize| {
        json!({"id": id, "command": "led", "args": {"on": true, "text": "x".repeat(bytes)}}).to_string().into_bytes()
    };
    let publish = |topic: &str, payload: &[u8]| {
        let mut publisher = Publisher::connect(&broker, "console")?;
        publisher.publish(topic, payload, false)?;
        publisher.finish()
    };
    // The request and its arguments are kept: two thirds of the quota.
    publish("loud/req", &request("first", 30 * 1_024))?;
    let first = desk.command(("loud", "first"), "observed command", |_| true).await?;
    ensure!(first.args.as_str().len() > 30 * 1_024, "{} bytes", first.args.as_str().len());
    let sent = beside_a_good_device(
        &desk,
        &broker,
        &connection,
        "requests of another console, 128 kB, 100 per second",
        move |publisher| {
            publisher.flood(SENT, 100, |number| ("loud/req".into(), request(&format!("theirs-{number}"), 128 * 1_024)))
        },
    )
    .await?;
    ensure!(sent == SENT, "the broker acknowledged {sent}");
    let all = discarded(&desk, &connection, "loud", SENT).await?;
    ensure!(all.bytes > SENT * 128 * 1_024 && all.newest.payload.contains("theirs-399"), "{all:?}");
    let seen = detail(&desk, &connection, "loud").await?;
    ensure!((60_000..=OF_A_DEVICE).contains(&seen.evidence_bytes), "{} bytes", seen.evidence_bytes);
    assert_eq!(seen.command_count, 1);

    // A small one is listed as ever, and of a large answer to it both ends are kept.
    broker.publish("loud/req", br#"{"id":"last","command":"led","args":{"on":true}}"#, false)?;
    desk.command(("loud", "last"), "observed command", |_| true).await?;
    let answer = json!({"id": "last", "status": "succeeded", "result": {"log": "y".repeat(128 * 1_024)}});
    publish("loud/resp", answer.to_string().as_bytes())?;
    let ended = desk.ended("loud", "last").await?;
    assert_eq!((ended.state, ended.result), (CommandState::Succeeded, None));
    let detail = desk.evidence(&connection, "loud", "last").await?;
    let kept = detail.events.iter().find_map(|event| event.answer.as_ref()).context("no answer")?;
    ensure!(kept.raw.cut.is_some() && kept.raw.payload.contains("bytes not kept"), "{:.200}", kept.raw.payload);
    let grown = desk.engine().handle().data_size().await?.saturating_sub(before);
    ensure!(grown < 10_000_000, "the database has grown by {grown} bytes with {} sent", SENT * 128 * 1_024);
    Ok(())
}
