//! How fast the store is on this disk: `cargo run --release -p wilco-engine --example store_rates [COMMANDS] [DIR]`.
//!
//! Each command has its full life (six events): first submitted in batches and answered one event at a time from many tasks,
//! then as in a fan-out, window by window. The small windows show what it would cost to note in smaller steps which commands
//! are handed over (decision 89). For manual use: the figures depend on the disk.

#![expect(clippy::print_stdout, reason = "it only prints figures")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use wilco_engine::store::{Change, ConnectionId, HistoryFilter, Store, StoreError};
use wilco_ledger::{
    Answer, Claim, Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Outcome, Policy, Raw, Reading,
    Retry, State, Submission, Timestamp,
};

const TASKS: usize = 64;
const BATCH: usize = 500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let commands: usize = arguments.next().map_or(Ok(20_000), |count| count.parse())?;
    let dir = arguments.next().map_or_else(|| std::env::temp_dir().join("wilco-store-rates"), PathBuf::from);
    std::fs::create_dir_all(&dir)?;
    let store = Store::open(&dir)?;
    println!("{} commands are there already", store.command_count(None).await?);

    for window in [1, 10, 20, 50, 100, 250, 500, 1_000] {
        fan_out(&store, commands, window).await?;
    }

    let lives: Vec<Vec<Change>> = (0..commands).map(life).collect::<Result<_, _>>()?;
    let begun = Instant::now();
    for batch in lives.chunks(BATCH) {
        store.commit(batch.iter().map(|life| life[0].clone()).collect()).await?;
    }
    tell("submissions, 500 at a time", commands, begun);

    let begun = Instant::now();
    let mut tasks = Vec::new();
    for share in lives.chunks(commands.div_ceil(TASKS).max(1)) {
        let (store, share) = (store.clone(), share.to_vec());
        tasks.push(tokio::spawn(async move {
            for change in share.into_iter().flat_map(|life| life.into_iter().skip(1)) {
                store.commit(vec![change]).await?;
            }
            Ok::<_, StoreError>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    tell("events, one at a time from 64 tasks", commands * 5, begun);

    let begun = Instant::now();
    let mut filter = HistoryFilter { states: vec![State::Succeeded, State::Failed], limit: 100, ..Default::default() };
    let mut pages = 0;
    while pages < 100 {
        let page = store.history(filter.clone()).await?;
        pages += 1;
        filter.before = page.next;
        if filter.before.is_none() {
            break;
        }
    }
    tell("pages of 100 by state", pages, begun);
    search(&store).await?;
    let begun = Instant::now();
    let devices = store.latest_per_device(&ConnectionId::from("rates")).await?.len();
    tell("last commands of devices", devices, begun);
    store.close().await?;
    Ok(())
}

/// The first page of a typed search: frequent words, rare ones, and none.
async fn search(store: &Store) -> Result<(), StoreError> {
    for text in ["s", "sensor", "sensor-00042", "led true", "0004", "xyzzy"] {
        let begun = Instant::now();
        let mut found = 0;
        for _ in 0..50 {
            let filter = HistoryFilter { search: text.to_owned(), limit: 100, ..Default::default() };
            found = store.history(filter).await?.rows.len();
        }
        tell(&format!("searches for '{text}', {found} rows on the first page"), 50, begun);
    }
    Ok(())
}

/// All are submitted at once. Then each window is handed over, sent, acknowledged by the broker, accepted and finished;
/// with the last of it, the next window is handed over.
async fn fan_out(store: &Store, commands: usize, window: usize) -> Result<(), Box<dyn std::error::Error>> {
    let lives: Vec<Vec<Change>> = (0..commands).map(life).collect::<Result<_, _>>()?;
    let begun = Instant::now();
    let mut committing = Instant::now();
    let mut slowest = Duration::ZERO;
    let mut next: Vec<Change> = lives.iter().map(|life| life[0].clone()).collect();
    for windows in lives.chunks(window) {
        next.extend(windows.iter().map(|life| life[1].clone()));
        for events in [2..4, 4..5, 5..6] {
            store.commit(next).await?;
            slowest = slowest.max(committing.elapsed());
            next = windows.iter().flat_map(|life| life[events.clone()].to_vec()).collect();
            committing = Instant::now();
        }
    }
    store.commit(next).await?;
    tell(&format!("commands in windows of {window}, slowest commit {} ms", slowest.as_millis()), commands, begun);
    store.command_count(None).await?;
    tell("  and until they can be listed", commands, begun);
    Ok(())
}

fn tell(what: &str, count: usize, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("{count:>9} {what}: {seconds:.3} s, {:.0} a second", count as f64 / seconds);
}

/// The events of one command that succeeds.
fn life(number: usize) -> Result<Vec<Change>, Box<dyn std::error::Error>> {
    let device = DeviceId::new(format!("sensor-{:05}", number % 10_000))?;
    let id = CommandId::new(uuid::Uuid::now_v7().to_string())?;
    let submission = Submission {
        device: device.clone(),
        id: id.clone(),
        name: "led".into(),
        args: r#"{"on":true}"#.into(),
        form: None,
        policy: Policy {
            delivery: Delivery::Now,
            timeout: Millis::seconds(10),
            time_to_live: Millis::seconds(60),
            retry: Retry { permitted: true, limit: 3, pause: Millis::seconds(1) },
            answer_expected: true,
            answers_carry_ids: true,
        },
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
    };
    let answer = |outcome| Answer {
        device: device.clone(),
        claim: Claim::Id(id.clone()),
        correlation: Some(id.clone()),
        outcome,
        progress: None,
        message: None,
        result: Some(r#"{"on":true}"#.into()),
        said_at: None,
        retained: false,
        raw: Raw { topic: format!("{device}/resp").into(), payload: Box::from([b'x'; 120]), qos: 1, cut: None },
    };
    let answered = |outcome| Fact::Answered { answer: Box::new(answer(outcome)), reading: Reading::Moved };
    let facts = [
        Fact::Submitted { submission: submission.into(), origin: Origin::Here },
        Fact::Handed { attempt: 1 },
        Fact::Sent { attempt: 1 },
        Fact::AtBroker { attempt: 1, nobody_listening: false },
        answered(Outcome::Accepted),
        answered(Outcome::Succeeded),
    ];
    let mut standing: Option<Command> = None;
    Ok((0..)
        .zip(facts)
        .map(|(later, fact)| {
            let at = Timestamp(1_800_000_000_000 + later);
            let event = Event { device: device.clone(), command: Some(id.clone()), at, fact };
            match &mut standing {
                Some(standing) => standing.apply(&event),
                None => standing = Command::begin(&event),
            }
            Change::Event { connection: "rates".into(), event, command: standing.clone().map(Into::into) }
        })
        .collect())
}
