//! The store against real SQLite files.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod corruption;
mod definitions;
mod durability;
mod evidence;
mod facts;
mod history;
mod interference;
mod logs;
mod look_up;
mod model;
mod plans;
mod power_loss;
mod profiles;
mod projection_queue;
mod recording_vfs;
mod refusal;
mod retention;
mod search;
mod settings;
mod telemetry;

use tempfile::TempDir;
use wilco_ledger::{
    Answer, Claim, Command, CommandId, Delivery, DeviceId, Event, Fact, Match, Millis, Origin, Outcome, Policy, Raw,
    Reading, Retry, Rungs, State, Submission, Timestamp,
};

use super::{Change, ConnectionId, Forgotten, Remains, Store, StoreError, StoredDevice};

/// Deletions, step by step as the engine makes them.
impl Store {
    /// Deletes up to `limit` commands that finished before that time.
    async fn forget_ended(&self, before: Timestamp, limit: usize) -> Result<Vec<Forgotten>, StoreError> {
        let ended = self.ended(before, limit).await?;
        self.forget_commands(ended.clone()).await?;
        Ok(ended)
    }

    /// Deletes a part of a device. Returns the number of deleted commands of users, and whether there is more.
    async fn forget_device(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        limit: usize,
    ) -> Result<(usize, bool), StoreError> {
        match self.remains(connection, device, limit).await? {
            Remains::Commands(commands) => {
                let sent = commands.iter().filter(|command| !command.automatic).count();
                self.forget_commands(commands).await?;
                Ok((sent, true))
            }
            Remains::Other => self.sweep_device(connection, device).await.map(|()| (0, true)),
            Remains::Nothing => Ok((0, false)),
        }
    }
}

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

/// The rows of the tables that are made of the events, as they lie in the file.
fn projection(dir: &TempDir) -> [Vec<Vec<rusqlite::types::Value>>; 3] {
    let connection = super::open::reader(&dir.path().join(super::FILE_NAME)).unwrap();
    ["commands", "tallies", "counters"].map(|table| {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|n| row.get(n)).collect();
        statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    })
}

/// Each token of the search index with the row of a command that has it, as they lie in the file; which is whole.
fn indexed(dir: &TempDir) -> Vec<(String, i64)> {
    let connection = super::open::reader(&dir.path().join(super::FILE_NAME)).unwrap();
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let tokens = "CREATE VIRTUAL TABLE temp.tokens USING fts5vocab('main', 'command_search', 'instance')";
    connection.execute(tokens, []).unwrap();
    let mut statement = connection.prepare("SELECT DISTINCT term, doc FROM tokens ORDER BY 1, 2").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap()
}

fn connection() -> ConnectionId {
    ConnectionId::from("bench")
}

fn device(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}

/// A device of which nothing is known yet.
fn device_without_messages(name: &str) -> StoredDevice {
    StoredDevice {
        device: device(name),
        online: None,
        presence_since: None,
        led: None,
        seen_at: None,
        firmware: None,
        boot: None,
        restart: None,
        tags: Vec::new(),
        state: None,
        reported_at: None,
        trip_ms: None,
        description: None,
        disagreement: None,
    }
}

fn id(id: &str) -> CommandId {
    CommandId::new(id).unwrap()
}

fn policy() -> Policy {
    Policy {
        delivery: Delivery::HoldHere,
        timeout: Millis::seconds(10),
        time_to_live: Millis::seconds(60),
        retry: Retry { permitted: true, limit: 3, pause: Millis(500) },
        answer_expected: true,
        answers_carry_ids: true,
    }
}

fn submission(device_name: &str, command: &str) -> Submission {
    Submission {
        device: device(device_name),
        id: id(command),
        name: "led".into(),
        args: r#"{"on":true}"#.into(),
        form: None,
        policy: policy(),
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
    }
}

fn answer(device_name: &str, command: &str, outcome: Outcome) -> Answer {
    Answer {
        device: device(device_name),
        claim: Claim::Id(id(command)),
        correlation: Some(id(command)),
        outcome,
        progress: None,
        message: Some("it is on".into()),
        result: Some(r#"{"on":true}"#.into()),
        said_at: Some(Timestamp(-5)),
        retained: false,
        raw: Raw { topic: format!("{device_name}/resp").into(), payload: Box::from(*b"\xff\0{}"), qos: 1, cut: None },
    }
}

fn event(device_name: &str, command: &str, at: i64, fact: Fact) -> Event {
    Event { device: device(device_name), command: Some(id(command)), at: Timestamp(at), fact }
}

fn submitted(device_name: &str, command: &str, at: i64) -> Event {
    let submission = submission(device_name, command).into();
    event(device_name, command, at, Fact::Submitted { submission, origin: Origin::Here })
}

/// A command as it stands right after its submission.
fn queued(device_name: &str, command: &str, at: i64) -> Command {
    Command {
        submission: submission(device_name, command).into(),
        origin: Origin::Here,
        submitted_at: Timestamp(at),
        state: State::Queued,
        changed_at: Timestamp(at),
        attempt: 0,
        last_send: None,
        rungs: Rungs::default(),
        last_answer_at: None,
        progress: None,
        message: None,
        result: None,
        matched: None,
        late: false,
        duplicates: 0,
        unreadable: None,
        conflict: false,
        contradicted: None,
        ambiguous: 0,
        nobody_listening: false,
        abandoned: false,
        repeat_refused: false,
    }
}

fn change(event: Event, command: Command) -> Change {
    Change::Event { connection: connection(), event, command: Some(command.into()) }
}

/// A command that was submitted, as one change.
fn submit(device_name: &str, command: &str, at: i64) -> Change {
    change(submitted(device_name, command, at), queued(device_name, command, at))
}

/// A whole life as the ledger tells it: the events, and the command after each.
fn life(device_name: &str, command: &str, at: i64, outcome: Outcome) -> Vec<Change> {
    let answered =
        |outcome, reading| Fact::Answered { answer: Box::new(answer(device_name, command, outcome)), reading };
    let facts = [
        Fact::Handed { attempt: 1 },
        Fact::Sent { attempt: 1 },
        Fact::AtBroker { attempt: 1, nobody_listening: false },
        answered(Outcome::Accepted, Reading::Moved),
        answered(outcome, Reading::Moved),
        answered(outcome, Reading::Duplicate),
    ];
    let mut events = vec![submitted(device_name, command, at)];
    events.extend((1..).zip(facts).map(|(later, fact)| event(device_name, command, at + later, fact)));
    let mut snapshot = Command::begin(&events[0]).unwrap();
    let mut changes = vec![change(events[0].clone(), snapshot.clone())];
    for event in &events[1..] {
        snapshot.apply(event);
        changes.push(change(event.clone(), snapshot.clone()));
    }
    changes
}

/// A command in a given state, without the events that would have led to it.
fn in_state(device_name: &str, command: &str, at: i64, state: State) -> Change {
    let mut snapshot = queued(device_name, command, at);
    snapshot.state = state;
    snapshot.rungs.finished = state.is_final().then_some(Timestamp(at));
    snapshot.matched = Some(Match::Exact);
    change(submitted(device_name, command, at), snapshot)
}
