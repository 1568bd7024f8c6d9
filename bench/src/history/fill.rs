//! Writes a history of millions of commands through the engine's own store, each command with all its events.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wilco_engine::api::grouped;
use wilco_engine::store::{Change, ConnectionId, Store, StoredDevice};
use wilco_ledger::{
    Answer, Claim, Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Outcome, Policy, Raw, Reading,
    Retry, Submission, TimeOut, Timestamp,
};

use crate::course::device;

/// The time over which the commands are spread: within it no retention deletes anything.
pub(super) const SPAN: i64 = 7 * 86_400_000;
/// Commands of one commit.
const AT_ONCE: usize = 2_000;
/// Commands that are still waited for at the end.
pub(super) const UNFINISHED: usize = 500;
/// How many commands are written before that is told.
const TOLD_AFTER: usize = 250_000;

const POLICY: Policy = Policy {
    delivery: Delivery::BrokerHolds,
    timeout: Millis::seconds(10),
    time_to_live: Millis::seconds(7 * 86_400),
    retry: Retry { permitted: false, limit: 0, pause: Millis(500) },
    answer_expected: true,
    answers_carry_ids: true,
};

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Succeeded,
    Failed,
    Rejected,
    TimedOut,
    Expired,
    Cancelled,
    /// It is waiting in the outbox.
    None,
}

/// One in so many commands ends otherwise than well.
fn end_of(number: usize, commands: usize) -> End {
    if number + UNFINISHED.min(commands / 2) >= commands {
        return End::None;
    }
    match number % 200 {
        0..3 => End::Failed,
        3 => End::Rejected,
        4..7 => End::TimedOut,
        7 => End::Expired,
        8 => End::Cancelled,
        _ => End::Succeeded,
    }
}

/// The events to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fill {
    pub(super) commands: usize,
    pub(super) devices: usize,
    /// When the last command was submitted.
    pub(super) until: Timestamp,
}

impl Fill {
    fn submitted_at(&self, number: usize) -> Timestamp {
        let span = i128::from(SPAN) * number as i128 / self.commands.max(1) as i128;
        Timestamp(self.until.0 - SPAN + i64::try_from(span).unwrap_or(SPAN))
    }

    /// Writes it all into the store of a data directory, and says how long that took.
    pub(super) async fn write(&self, data: &Path, connection: &str) -> Result<Duration> {
        let connection = ConnectionId::from(connection);
        let store = Store::open(data)?;
        let begun = Instant::now();
        let numbers: Vec<usize> = (0..self.devices).collect();
        for some in numbers.chunks(AT_ONCE) {
            let changes = some.iter().map(|number| self.device(&connection, *number)).collect::<Result<_>>()?;
            store.commit(changes).await?;
        }
        let numbers: Vec<usize> = (0..self.commands).collect();
        for some in numbers.chunks(AT_ONCE) {
            let mut changes = Vec::with_capacity(some.len() * 8);
            for number in some {
                self.command(&connection, *number, &mut changes)?;
            }
            store.commit(changes).await?;
            let written = some.last().map_or(0, |last| last + 1);
            if written.is_multiple_of(TOLD_AFTER) {
                println!("{} commands are written", grouped(written as u64));
            }
        }
        // Its tables of commands follow its events; a reader waits for them.
        store.command_count(None).await?;
        let took = begun.elapsed();
        store.close().await?;
        Ok(took)
    }

    fn device(&self, connection: &ConnectionId, number: usize) -> Result<Change> {
        let device = StoredDevice {
            device: DeviceId::new(device(number))?,
            online: Some(true),
            presence_since: Some(self.until),
            led: Some(true),
            seen_at: Some(self.until),
            firmware: Some(format!("2.{}.0", number % 7)),
            boot: Some(format!("{number:032x}")),
            restart: None,
            tags: vec![format!("hall-{}", number % 20)],
            state: Some(r#"{"led":true,"running":{"report_interval_s":30},"saved":{"report_interval_s":30}}"#.into()),
            reported_at: Some(self.until),
            trip_ms: Some(12.0),
            description: None,
            disagreement: None,
        };
        Ok(Change::Device { connection: connection.clone(), device })
    }

    /// A command with all its events, and how it stands after them.
    fn command(&self, connection: &ConnectionId, number: usize, changes: &mut Vec<Change>) -> Result<()> {
        let at = self.submitted_at(number);
        // One after the other, in another order in each round.
        let place = number.wrapping_mul(7_919) % self.devices;
        let (device, id) = (DeviceId::new(device(place))?, CommandId::new(id(at, number))?);
        let submission = Arc::new(Submission {
            device: device.clone(),
            id: id.clone(),
            name: "led".into(),
            args: r#"{"on":true}"#.into(),
            form: None,
            policy: POLICY,
            again_of: None,
            rollout: None,
            automatic: false,
            by: None,
        });
        let end = end_of(number, self.commands);
        let facts = facts(&device, &id, end);
        let event = |later: u64, fact| Event {
            device: device.clone(),
            command: Some(id.clone()),
            at: at + Millis(later),
            fact,
        };
        let first = event(0, Fact::Submitted { submission, origin: Origin::Here });
        let mut command = Command::begin(&first).context("it begins with its submission")?;
        let change = |event| Change::Event { connection: connection.clone(), event, command: None };
        changes.push(change(first));
        for (later, fact) in (1..).zip(facts) {
            let event = event(later * 5, fact);
            command.apply(&event);
            changes.push(change(event));
        }
        changes.push(Change::CommandSnapshot { connection: connection.clone(), command: Arc::new(command) });
        Ok(())
    }
}

/// An id that grows with time, as those of the engine do: a UUID of version 7.
fn id(at: Timestamp, number: usize) -> String {
    let milliseconds = at.0.unsigned_abs();
    let (high, low) = (milliseconds >> 16, milliseconds & 0xffff);
    format!("{high:08x}-{low:04x}-7{:03x}-8000-{number:012x}", number & 0xfff)
}

fn facts(device: &DeviceId, id: &CommandId, end: End) -> Vec<Fact> {
    let answer = |outcome: Outcome| {
        let (word, message) = match outcome {
            Outcome::Failed => ("failed", Some("The valve is jammed.")),
            Outcome::Rejected => ("rejected", Some("Not while the door is open.")),
            Outcome::Accepted => ("accepted", None),
            _ => ("succeeded", None),
        };
        let payload = format!(r#"{{"id":"{id}","status":"{word}"}}"#);
        let answer = Answer {
            device: device.clone(),
            claim: Claim::Id(id.clone()),
            correlation: Some(id.clone()),
            outcome,
            progress: None,
            message: message.map(Into::into),
            result: None,
            said_at: None,
            retained: false,
            raw: Raw {
                topic: format!("{device}/resp").into(),
                payload: payload.into_bytes().into(),
                qos: 1,
                cut: None,
            },
        };
        Fact::Answered { answer: Box::new(answer), reading: Reading::Moved }
    };
    let mut facts = match end {
        End::None => return Vec::new(),
        End::Expired => return vec![Fact::Expired],
        End::Cancelled => return vec![Fact::Cancelled],
        End::Succeeded | End::Failed | End::Rejected | End::TimedOut => vec![
            Fact::Handed { attempt: 1 },
            Fact::Sent { attempt: 1 },
            Fact::AtBroker { attempt: 1, nobody_listening: false },
        ],
    };
    facts.extend(match end {
        End::Failed => vec![answer(Outcome::Accepted), answer(Outcome::Failed)],
        End::Rejected => vec![answer(Outcome::Rejected)],
        End::TimedOut => vec![Fact::TimedOut(TimeOut::Silence)],
        _ => vec![answer(Outcome::Accepted), answer(Outcome::Succeeded)],
    });
    facts
}

#[cfg(test)]
mod tests {
    use wilco_engine::store::{HistoryFilter, Store};
    use wilco_ledger::{State, Timestamp};

    use super::{Fill, SPAN, UNFINISHED};

    #[tokio::test]
    async fn every_command_is_there_as_its_events_say() {
        let data = tempfile::tempdir().expect("a directory");
        let fill = Fill { commands: 3_000, devices: 70, until: Timestamp(SPAN * 3_000) };
        fill.write(data.path(), "bench").await.expect("a history");
        let store = Store::open(data.path()).expect("a store");
        let count = async |states: Vec<State>| {
            let filter = HistoryFilter { states, limit: 10_000, ..HistoryFilter::default() };
            store.history(filter).await.expect("a page").rows
        };
        let all = count(Vec::new()).await;
        assert_eq!(all.len(), 3_000);
        assert!(all.windows(2).all(|pair| pair[0].1.submitted_at >= pair[1].1.submitted_at));
        assert_eq!(count(vec![State::Queued]).await.len(), UNFINISHED);
        // 2,500 have ended, of each 200 three in this way.
        assert_eq!(count(vec![State::Failed]).await.len(), 39);
        let shown = all.iter().map(|(_, command)| command.clone()).collect::<Vec<_>>();
        store.rebuild_projection().await.expect("what the events make of it");
        let rebuilt: Vec<_> = count(Vec::new()).await.into_iter().map(|(_, command)| command).collect();
        assert_eq!(rebuilt, shown);
        assert_eq!(store.devices(&"bench".into()).await.expect("devices").len(), 70);
    }
}
