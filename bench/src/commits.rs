//! The cost of the disk alone: the two commits of a command, submitted and answered, by the store itself.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use uuid::Uuid;
use wilco_engine::store::{Change, Store};
use wilco_ledger::{
    Answer, Claim, Command, CommandId, Delivery, DeviceId, Event, Fact, Millis, Origin, Outcome, Policy, Raw, Reading,
    Retry, Submission, Timestamp,
};

use crate::course::device;

/// A store with nothing else to do.
pub(crate) struct Commits {
    store: Store,
}

impl Commits {
    /// Opens a store in that directory.
    pub(crate) async fn open(data: &Path) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let data = data.to_owned();
        Ok(Self { store: tokio::task::spawn_blocking(move || Store::open(&data)).await?? })
    }

    /// Both commits of one command.
    pub(crate) async fn both(&self) -> Result<Duration> {
        let [submitted, answered] = life()?;
        let begun = Instant::now();
        self.store.commit(submitted).await?;
        self.store.commit(answered).await?;
        Ok(begun.elapsed())
    }
}

/// The commits of a command that is answered immediately: before it is sent, and with the answer.
fn life() -> Result<[Vec<Change>; 2]> {
    let device = DeviceId::new(device(0))?;
    let id = CommandId::new(Uuid::now_v7().to_string())?;
    let submission = Submission {
        device: device.clone(),
        id: id.clone(),
        name: "led".into(),
        form: None,
        args: r#"{"on":true}"#.into(),
        policy: Policy {
            delivery: Delivery::BrokerHolds,
            timeout: Millis::seconds(10),
            time_to_live: Millis::seconds(60),
            retry: Retry { permitted: true, limit: 0, pause: Millis::seconds(2) },
            answer_expected: true,
            answers_carry_ids: true,
        },
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
    };
    let payload = format!(r#"{{"id":"{}","status":"succeeded"}}"#, id.as_str());
    let answer = Answer {
        device: device.clone(),
        claim: Claim::Id(id.clone()),
        correlation: None,
        outcome: Outcome::Succeeded,
        progress: None,
        message: None,
        result: None,
        said_at: None,
        retained: false,
        raw: Raw {
            topic: format!("wilco/{device}/resp").into(),
            payload: payload.into_bytes().into(),
            qos: 1,
            cut: None,
        },
    };
    let facts = [
        Fact::Submitted { submission: submission.into(), origin: Origin::Here },
        Fact::Handed { attempt: 1 },
        Fact::Sent { attempt: 1 },
        Fact::AtBroker { attempt: 1, nobody_listening: false },
        Fact::Answered { answer: Box::new(answer), reading: Reading::Moved },
    ];
    let mut standing: Option<Command> = None;
    let mut changes = Vec::new();
    for (later, fact) in (0..).zip(facts) {
        let at = Timestamp(1_800_000_000_000 + later);
        let event = Event { device: device.clone(), command: Some(id.clone()), at, fact };
        match &mut standing {
            Some(standing) => standing.apply(&event),
            None => standing = Command::begin(&event),
        }
        changes.push(Change::Event { connection: "bench".into(), event, command: standing.clone().map(Arc::new) });
    }
    let answered = changes.split_off(2);
    Ok([changes, answered])
}
