//! Reading the evidence of a command with thousands of progress answers.

use wilco_ledger::{Command, Event, Fact, Outcome, Reading, State, TimeOut};

use super::{answer, change, connection, device, event, id, store, submitted};
use crate::{Change, Evidence, Store};

fn answered(outcome: Outcome, reading: Reading, progress: Option<u8>) -> Fact {
    let mut answer = answer("press", "c1", outcome);
    answer.progress = progress;
    Fact::Answered { answer: Box::new(answer), reading }
}

fn still_at_it(count: usize) -> impl Iterator<Item = Fact> {
    std::iter::repeat_with(|| answered(Outcome::Running, Reading::Heartbeat, None)).take(count)
}

fn began() -> Vec<Fact> {
    vec![
        Fact::Handed { attempt: 1 },
        Fact::Sent { attempt: 1 },
        answered(Outcome::Accepted, Reading::Moved, None),
        answered(Outcome::Running, Reading::Moved, Some(7)),
    ]
}

/// Stores a command of those facts and says what it is by all of them.
async fn keep(store: &Store, facts: Vec<Fact>) -> (Vec<Event>, Command) {
    let mut events = vec![submitted("press", "c1", 0)];
    events.extend((1..).zip(facts).map(|(at, fact)| event("press", "c1", at, fact)));
    let command = Command::replay(&events).unwrap();
    let (first, rest) = events.split_first().unwrap();
    let mut changes = vec![change(first.clone(), Command::begin(first).unwrap())];
    let kept = |event: &Event| Change::Event { connection: connection(), event: event.clone(), command: None };
    changes.extend(rest.iter().map(kept));
    changes.push(Change::CommandSnapshot { connection: connection(), command: command.clone().into() });
    store.commit(changes).await.unwrap();
    (events, command)
}

async fn evidence(store: &Store) -> Evidence {
    store.evidence(&connection(), &device("press"), &id("c1")).await.unwrap().unwrap()
}

#[tokio::test]
async fn five_hundred_events_are_all_read() {
    let (_dir, store) = store();
    let facts: Vec<_> = began().into_iter().chain(still_at_it(495)).collect();
    let (events, command) = keep(&store, facts).await;
    assert_eq!(
        evidence(&store).await,
        Evidence { command, events: (0..).zip(events).collect(), left_out: 0, discarded: None }
    );
}

#[tokio::test]
async fn of_twenty_thousand_heartbeats_the_first_and_the_last_are_read_and_all_that_is_not_one() {
    let (_dir, store) = store();
    let mut facts = began();
    facts.extend(still_at_it(10_000));
    // In the middle of them, and nothing that could be left out.
    facts.push(answered(Outcome::Accepted, Reading::Heartbeat, None));
    facts.push(answered(Outcome::Running, Reading::Ambiguous, None));
    facts.push(Fact::AtBroker { attempt: 1, nobody_listening: false });
    facts.extend(still_at_it(10_000));
    facts.push(answered(Outcome::Succeeded, Reading::Moved, None));
    facts.push(answered(Outcome::Failed, Reading::Conflict, None));
    let (events, command) = keep(&store, facts).await;
    assert_eq!((command.state, command.progress), (State::Succeeded, Some(7)));

    let evidence = evidence(&store).await;
    assert_eq!(evidence.command, command, "it is what all of its events make of it");
    assert_eq!((evidence.left_out, evidence.events.len()), (19_750, 260));
    for (place, event) in &evidence.events {
        assert_eq!(event, &events[*place as usize]);
    }
    let places: Vec<u32> = evidence.events.iter().map(|(place, _)| *place).collect();
    let middle = [10_005, 10_006, 10_007];
    assert_eq!(places, (0..15).chain(middle).chain(19_768..20_010).collect::<Vec<_>>());
}

#[tokio::test]
async fn late_messages_do_not_displace_earlier_ones() {
    let (_dir, store) = store();
    let mut facts = began();
    facts.extend(still_at_it(300));
    facts.push(Fact::TimedOut(TimeOut::HeartbeatsStopped));
    facts.extend((0..1_000).map(|_| answered(Outcome::Running, Reading::AfterTheEnd, None)));
    keep(&store, facts).await;
    let evidence = evidence(&store).await;
    let places: Vec<u32> = evidence.events.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (0..15).chain(65..316).chain(1_066..1_306).collect::<Vec<_>>());
    assert_eq!(evidence.left_out, 50 + 750);
}
