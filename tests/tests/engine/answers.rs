//! Irregular answers. The test itself is the device, so that it can send anything.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use wilco_engine::api::{AnswerMatch, CommandRef, CommandState, CommandView, HistoryQuery, MqttVersion, NewCommand};
use wilco_tests::Broker;

use crate::desk::{Desk, answer, led, plain, readings};

/// A console, a broker, and a device of which nothing is known but what the test says in its name.
struct Bench {
    broker: Broker,
    desk: Desk,
    connection: String,
}

const RESP: &str = "mute/resp";

impl Bench {
    async fn new() -> Result<Bench> {
        Bench::speaking(MqttVersion::V5).await
    }

    async fn speaking(mqtt: MqttVersion) -> Result<Bench> {
        let broker = Broker::plain()?;
        let desk = Desk::new().await?;
        let connection = desk.connect(plain("bench", &broker).over(mqtt)).await?;
        Ok(Bench { broker, desk, connection })
    }

    /// A command that the broker has and that nobody has answered.
    async fn ask(&self) -> Result<String> {
        let id = self.desk.send(led(&self.connection, "mute")).await?;
        self.desk.reaches("mute", &id, CommandState::AtBroker).await?;
        Ok(id)
    }

    fn say(&self, payload: &[u8]) -> Result<()> {
        self.broker.publish(RESP, payload, false)
    }

    async fn flags(&self, id: &str, what: &str, look: impl Fn(&CommandView) -> bool) -> Result<CommandView> {
        self.desk.command(("mute", id), what, look).await
    }

    async fn readings(&self, id: &str) -> Result<Vec<String>> {
        let detail = self.desk.evidence(&self.connection, "mute", id).await?;
        Ok(readings(&detail).into_iter().map(str::to_owned).collect())
    }

    /// It has not been settled by anything so far, and is by a proper answer.
    async fn still_waits_and_can_be_settled(&self, id: &str) -> Result<()> {
        let stands = self.desk.evidence(&self.connection, "mute", id).await?.command;
        assert_eq!(stands.state, CommandState::AtBroker, "{stands:#?}");
        self.say(&answer(id, "succeeded"))?;
        let ended = self.desk.ended("mute", id).await?;
        assert_eq!((ended.state, ended.matched), (CommandState::Succeeded, Some(AnswerMatch::Exact)));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_read_settles_nothing_and_is_kept_as_it_came() -> Result<()> {
    let bench = Bench::new().await?;
    let id = bench.ask().await?;
    let long = vec![b'x'; 200_000];
    let not_a_word = format!(r#"{{"id":"{id}","status":42}}"#);
    let cut = format!(r#"{{"id":"{id}","status":"succee"#);
    let payloads: [&[u8]; 6] = [b"hello", b"\xff\xfe\x00led", &long, not_a_word.as_bytes(), cut.as_bytes(), b" "];
    for (count, payload) in (1..).zip(payloads) {
        bench.say(payload)?;
        let came = |command: &CommandView| command.unreadable.as_ref().is_some_and(|answers| answers.count == count);
        let told = bench.flags(&id, "answer that cannot be read", came).await?;
        let message = told.message.unwrap_or_default();
        assert!(message.starts_with("An answer arrived after ") && message.contains("unreadable"), "{message}");
        let events = bench.desk.evidence(&bench.connection, "mute", &id).await?.events;
        let kept = events.into_iter().next_back().context("no evidence")?;
        let raw = kept.answer.context("no answer in the evidence")?.raw;
        assert_eq!((kept.kind.as_str(), raw.bytes as usize), ("unreadable", payload.len()), "{}", kept.text);
        assert_eq!((raw.topic.as_str(), raw.binary), (RESP, std::str::from_utf8(payload).is_err()));
    }
    bench.desk.notice("unreadable").await?;
    bench.still_waits_and_can_be_settled(&id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_which_id_and_status_can_be_read_settles_its_command_and_says_what_is_wrong_with_the_rest()
-> Result<()> {
    let bench = Bench::new().await?;
    let damaged = |id: &str| -> [Vec<u8>; 3] {
        let bad_byte =
            [format!(r#"{{"id":"{id}","status":"succeeded","message":"gr"#).as_bytes(), b"\xfcn\"}"].concat();
        let cut = format!(r#"{{"id":"{id}","status":"succeeded","result":{{"valv"#).into_bytes();
        let too_long =
            format!(r#"{{"id":"{id}","status":"succeeded","result":"{}"}}"#, "x".repeat(600_000)).into_bytes();
        [bad_byte, cut, too_long]
    };
    for number in 0..3 {
        let id = bench.ask().await?;
        bench.say(&damaged(&id)[number])?;
        let ended = bench.desk.ended("mute", &id).await?;
        assert_eq!((ended.state, ended.matched), (CommandState::Succeeded, Some(AnswerMatch::Exact)));
        let message = ended.message.unwrap_or_default();
        assert!(message.contains("The rest of this answer is unreadable: it "), "{message}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_timed_out_says_that_an_answer_came_and_why_it_could_not_be_read() -> Result<()> {
    let bench = Bench::new().await?;
    let hasty = NewCommand { timeout_ms: Some(1_500), ttl_ms: Some(1_500), ..led(&bench.connection, "mute") };
    let id = bench.desk.send(hasty).await?;
    bench.desk.reaches("mute", &id, CommandState::AtBroker).await?;
    bench.say(&answer(&id, "finished"))?;
    let ended = bench.desk.ended("mute", &id).await?;
    assert_eq!(ended.state, CommandState::TimedOut);
    let message = ended.message.unwrap_or_default();
    assert!(message.starts_with("No readable answer within 1.5 s.") && message.contains("finished"), "{message}");
    assert_eq!(ended.unreadable.map(|answers| answers.count), Some(1));
    // One that comes even later says so too, and a proper one settles it.
    bench.say(&answer(&id, "finnished"))?;
    let again =
        bench.flags(&id, "second", |command| command.unreadable.as_ref().is_some_and(|it| it.count == 2)).await?;
    assert!(again.message.is_some_and(|message| message.contains("finnished")));
    bench.say(&answer(&id, "succeeded"))?;
    let late = bench.flags(&id, "late answer", |command| command.late).await?;
    assert_eq!(late.state, CommandState::Succeeded);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proper_answer_of_200_kb_with_markup_in_it_is_only_text() -> Result<()> {
    let bench = Bench::new().await?;
    let id = bench.ask().await?;
    let markup = "<img src=x onerror=alert(1)>";
    let payload = json!({"id": id, "status": "failed", "message": markup, "result": {"log": "y".repeat(200_000)}});
    bench.say(payload.to_string().as_bytes())?;
    let ended = bench.desk.ended("mute", &id).await?;
    assert_eq!((ended.state, ended.message.as_deref()), (CommandState::Failed, Some(markup)));
    let detail = bench.desk.evidence(&bench.connection, "mute", &id).await?;
    let raw = detail.events.into_iter().find_map(|event| event.answer).context("no answer in the evidence")?.raw;
    assert_eq!(raw.payload, payload.to_string());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_belongs_to_no_command_is_kept_under_its_device_and_settles_nothing() -> Result<()> {
    let bench = Bench::new().await?;
    let id = bench.ask().await?;
    let (broker, desk, connection) = (&bench.broker, &bench.desk, &bench.connection);

    bench.say(&answer("0198f3c2-0000-7000-8000-000000000000", "succeeded"))?;
    desk.unmatched(connection, "mute", "unknown_id").await?;

    broker.publish("other/resp", &answer(&id, "succeeded"), false)?;
    desk.unmatched(connection, "other", "other_device").await?;

    let other = ["-D", "publish", "correlation-data", "0198f3c2-0000-7000-8000-000000000001"];
    broker.publish_with(RESP, &answer(&id, "succeeded"), &other)?;
    desk.unmatched(connection, "mute", "disagreement").await?;

    broker.publish("late/resp", b"SUCCESS: of long ago", false)?;
    desk.unmatched(connection, "late", "nothing_outstanding").await?;

    bench.still_waits_and_can_be_settled(&id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_answer_settles_nothing_after_a_restart_either() -> Result<()> {
    let mut bench = Bench::new().await?;
    let id = bench.ask().await?;
    bench.desk.close().await;
    // Without the old session the broker hands out what it has retained, and marks it so.
    bench.broker.restart()?;
    bench.broker.publish(RESP, &answer(&id, "succeeded"), true)?;
    bench.desk.open().await?;
    bench.desk.unmatched(&bench.connection, "mute", "retained").await?;
    bench.still_waits_and_can_be_settled(&id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_answer_again_is_counted_and_another_one_flagged() -> Result<()> {
    let bench = Bench::new().await?;
    let id = bench.ask().await?;
    bench.say(&answer(&id, "accepted"))?;
    bench.say(&answer(&id, "accepted"))?;
    bench.flags(&id, "duplicate", |command| command.duplicates == 1).await?;
    bench.say(&answer(&id, "succeeded"))?;
    bench.desk.ended("mute", &id).await?;
    bench.say(json!({"id": id, "status": "OK", "at": 1}).to_string().as_bytes())?;
    bench.flags(&id, "second duplicate", |command| command.duplicates == 2).await?;
    bench.say(&answer(&id, "failed"))?;
    let conflict = bench.flags(&id, "conflict", |command| command.conflict).await?;
    assert_eq!((conflict.state, conflict.duplicates), (CommandState::Succeeded, 2));
    bench.say(&answer(&id, "running"))?;
    let seen = wilco_tests::soon_async("fifth reading", Duration::from_secs(10), async || {
        Ok(Some(bench.readings(&id).await?).filter(|readings| readings.len() == 6))
    });
    assert_eq!(seen.await?, ["moved", "duplicate", "moved", "duplicate", "conflict", "after_the_end"]);
    assert_eq!(bench.desk.evidence(&bench.connection, "mute", &id).await?.command.state, CommandState::Succeeded);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_the_time_out_counts_and_is_flagged_late() -> Result<()> {
    let bench = Bench::new().await?;
    let hasty = NewCommand { timeout_ms: Some(100), ttl_ms: Some(400), ..led(&bench.connection, "mute") };
    let timed_out = bench.desk.carry_out(hasty).await?;
    assert_eq!((timed_out.state, timed_out.late), (CommandState::TimedOut, false));
    bench.say(&answer(&timed_out.id, "succeeded"))?;
    let late = bench.flags(&timed_out.id, "late answer", |command| command.late).await?;
    assert_eq!((late.state, late.matched), (CommandState::Succeeded, Some(AnswerMatch::Exact)));
    assert_eq!(bench.readings(&timed_out.id).await?, ["late"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_keep_a_command_alive_and_their_end_times_it_out_with_the_last_progress() -> Result<()> {
    let bench = Bench::new().await?;
    let timeout = Duration::from_millis(1_500);
    let slow = NewCommand { timeout_ms: Some(1_500), ttl_ms: Some(1_500), ..led(&bench.connection, "mute") };
    let id = bench.desk.send(slow).await?;
    bench.desk.reaches("mute", &id, CommandState::AtBroker).await?;
    let started = Instant::now();
    let mut progress = 0;
    while started.elapsed() < timeout * 2 {
        progress = (progress + 1).min(99);
        bench.say(json!({"id": id, "status": "running", "progress": progress}).to_string().as_bytes())?;
        bench.flags(&id, "progress", |command| command.progress == Some(progress)).await?;
    }
    let ended = bench.desk.ended("mute", &id).await?;
    assert_eq!((ended.state, ended.progress), (CommandState::TimedOut, Some(progress)));
    let detail = bench.desk.evidence(&bench.connection, "mute", &id).await?;
    let last = detail.events.last().context("no events")?;
    assert_eq!((last.kind.as_str(), last.text.as_str()), ("timed_out", "The device reported progress, then stopped"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_id_settles_the_only_command_and_never_one_of_several() -> Result<()> {
    let bench = Bench::new().await?;
    let only = bench.ask().await?;
    bench.say(b"SUCCESS: done")?;
    let inferred = bench.desk.ended("mute", &only).await?;
    assert_eq!((inferred.state, inferred.matched), (CommandState::Succeeded, Some(AnswerMatch::Inferred)));

    let (first, second) = (bench.ask().await?, bench.ask().await?);
    bench.say(b"FAILURE: not done")?;
    let ambiguous = bench.flags(&first, "doubt", |command| command.matched == Some(AnswerMatch::Ambiguous)).await?;
    assert!(!ambiguous.is_final, "{ambiguous:#?}");
    assert_eq!(bench.readings(&first).await?, ["ambiguous"]);
    assert!(bench.readings(&second).await?.is_empty());
    for id in [&first, &second] {
        bench.say(format!("SUCCESS: {{'id': '{id}'}}").as_bytes())?;
        let ended = bench.desk.ended("mute", id).await?;
        assert_eq!((ended.state, ended.matched), (CommandState::Succeeded, Some(AnswerMatch::Exact)));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_larger_than_any_console_would_read_does_not_hold_up_the_others() -> Result<()> {
    for mqtt in [MqttVersion::V5, MqttVersion::V311] {
        let bench = Bench::speaking(mqtt).await?;
        let id = bench.ask().await?;
        bench.say(&vec![b'x'; 3_000_000])?;
        bench.still_waits_and_can_be_settled(&id).await.with_context(|| format!("{mqtt:?}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_need_attention_are_counted_once_and_can_be_dismissed() -> Result<()> {
    let broker = Broker::plain()?;
    let mut desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    let failed = async |device: &str| -> Result<String> {
        let id = desk.send(led(&connection, device)).await?;
        desk.reaches(device, &id, CommandState::AtBroker).await?;
        // Twice, in the same instant.
        let line = String::from_utf8(answer(&id, "failed"))?;
        broker.publish_lines(&format!("{device}/resp"), &[line.clone(), line])?;
        desk.command((device, &id), "second answer", |command| command.duplicates == 1).await?;
        Ok(id)
    };
    let first = failed("a").await?;
    for device in ["b", "c"] {
        failed(device).await?;
    }
    // One that times out and then succeeds after all.
    let late = desk.send(NewCommand { timeout_ms: Some(300), ..led(&connection, "late") }).await?;
    assert_eq!(desk.ended("late", &late).await?.state, CommandState::TimedOut);
    counted(&desk, 4).await?;
    broker.publish("late/resp", &answer(&late, "succeeded"), false)?;
    counted(&desk, 3).await?;

    let one = CommandRef { device: "a".into(), id: first };
    desk.console().dismiss(&connection, Some(one)).await?;
    counted(&desk, 2).await?;
    desk.reopen().await?;
    desk.online(&connection).await?;
    counted(&desk, 2).await?;
    desk.console().dismiss(&connection, None).await?;
    counted(&desk, 0).await?;
    desk.reopen().await?;
    counted(&desk, 0).await?;
    let all = HistoryQuery { states: vec![CommandState::Failed], limit: 10, ..HistoryQuery::default() };
    assert_eq!(desk.console().history(all).await?.commands.len(), 3, "dismissed is not forgotten");
    Ok(())
}

/// The badge and its list say this number.
async fn counted(desk: &Desk, number: u32) -> Result<()> {
    desk.until(&format!("{number} that need somebody"), |seen| {
        seen.connections.first().filter(|known| known.counts.needs_attention == number).map(drop)
    })
    .await?;
    let query = HistoryQuery { needs_attention: true, limit: 100, ..HistoryQuery::default() };
    let page = desk.console().history(query).await?;
    assert_eq!((page.commands.len(), page.matching), (number as usize, Some(number)));
    Ok(())
}
