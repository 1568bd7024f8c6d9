//! Every fact is read as it was written.

use wilco_ledger::{
    Answer, Claim, Command, Delivery, Event, Fact, LastSend, Match, NotDelivered, Origin, Outcome, PublishResult, Raw,
    Reading, Rungs, State, TimeOut, Timestamp, Unmatched, UnreadableAnswers,
};

use super::{
    answer, change, connection, device, event, id, life, projection, queued, store, submission, submit, submitted,
};
use crate::{Change, table::events};

fn every_fact() -> Vec<Fact> {
    let mut facts = vec![
        Fact::Held,
        Fact::Released,
        Fact::AwaitsReturn,
        Fact::EventsMissing,
        Fact::Handed { attempt: 1 },
        Fact::Sent { attempt: 2 },
        Fact::AtBroker { attempt: u32::MAX, nobody_listening: true },
        Fact::AtBroker { attempt: 1, nobody_listening: false },
        Fact::DeliveryUnknown { attempt: 3 },
        Fact::NotSent { attempt: 4 },
        Fact::Undeliverable(NotDelivered::NotWritten("It has no restart.".into())),
        Fact::Undeliverable(NotDelivered::Refused { code: 0x87, said: None }),
        Fact::Undeliverable(NotDelivered::TooLarge { bytes: 200_000 }),
        Fact::Undeliverable(NotDelivered::DeviceOffline),
        Fact::Undeliverable(NotDelivered::NotConnected),
        Fact::Unconfirmed,
        Fact::Expired,
        Fact::Cancelled,
    ];
    for why in [TimeOut::Silence, TimeOut::HeartbeatsStopped, TimeOut::MayHaveRun, TimeOut::Abandoned] {
        facts.push(Fact::TimedOut(why));
    }
    for (origin, delivery) in
        [(Origin::Here, Delivery::Now), (Origin::Observed, Delivery::BrokerHolds), (Origin::Here, Delivery::HoldHere)]
    {
        let mut submission = submission("kitchen", "c1");
        submission.policy.delivery = delivery;
        submission.policy.answer_expected = origin == Origin::Here;
        submission.again_of = (origin == Origin::Observed).then(|| id("an \"older\" one"));
        facts.push(Fact::Submitted { submission: submission.into(), origin });
    }
    for outcome in [Outcome::Accepted, Outcome::Running, Outcome::Succeeded, Outcome::Failed, Outcome::Rejected] {
        facts.push(answered(answer("kitchen", "c1", outcome), Reading::Moved));
    }
    for reading in [
        Reading::Inferred,
        Reading::Late,
        Reading::Heartbeat,
        Reading::Duplicate,
        Reading::Conflict,
        Reading::Contradiction,
        Reading::AfterTheEnd,
        Reading::Ambiguous,
    ] {
        facts.push(answered(bare(Claim::Nothing), reading));
    }
    let unmatched = [
        Unmatched::UnknownId,
        Unmatched::OtherDevice,
        Unmatched::Disagreement,
        Unmatched::Retained,
        Unmatched::NothingOutstanding,
    ];
    for unmatched in unmatched {
        let answer = bare(Claim::Within("FAILURE: b'{\"id\": 7}' <b>\u{1F4A1}</b>".into()));
        facts.push(Fact::Unsolicited { answer: Box::new(answer), unmatched });
    }
    facts.push(answered(bare(Claim::State), Reading::Inferred));
    let raw = Raw { topic: "kitchen/resp".into(), payload: [0xff, 0, b'x'].into(), qos: 1, cut: None };
    facts.push(Fact::Unreadable { raw: Box::new(raw), why: "It is not UTF-8.".into() });
    facts
}

fn answered(answer: Answer, reading: Reading) -> Fact {
    Fact::Answered { answer: Box::new(answer), reading }
}

fn bare(claim: Claim) -> Answer {
    Answer {
        device: device("another"),
        claim,
        correlation: None,
        outcome: Outcome::Running,
        progress: Some(40),
        message: None,
        result: None,
        said_at: None,
        retained: true,
        raw: Raw { topic: "".into(), payload: Box::default(), qos: 0, cut: None },
    }
}

#[tokio::test]
async fn every_fact_comes_back_as_it_went_in() {
    let (_dir, store) = store();
    let events: Vec<Event> =
        (0..).zip(every_fact()).map(|(at, fact)| event("kitchen", "c1", i64::from(at) - 3, fact)).collect();
    let mut changes = vec![submit("kitchen", "c1", -4)];
    changes.extend(events.iter().map(|event| change(event.clone(), queued("kitchen", "c1", 0))));
    store.commit(changes).await.unwrap();
    let evidence = store.evidence(&connection(), &device("kitchen"), &id("c1")).await.unwrap().unwrap();
    assert_eq!(evidence.events[1..], (1..).zip(events).collect::<Vec<_>>());
    assert_eq!(store.evidence(&connection(), &device("garage"), &id("c1")).await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_that_belongs_to_no_command_is_kept_under_its_device() {
    let (_dir, store) = store();
    let unmatched = |at| Event {
        device: device("kitchen"),
        command: None,
        at: Timestamp(at),
        fact: Fact::Unsolicited {
            answer: Box::new(answer("kitchen", "nobody's", Outcome::Succeeded)),
            unmatched: Unmatched::UnknownId,
        },
    };
    let keep = |at| Change::Event { connection: connection(), event: unmatched(at), command: None };
    store.commit((1..=3).map(keep).collect()).await.unwrap();
    assert_eq!(store.unmatched(&connection(), &device("kitchen"), 2).await.unwrap(), [unmatched(3), unmatched(2)]);
    assert_eq!(store.unmatched(&connection(), &device("garage"), 2).await.unwrap(), []);
}

#[tokio::test]
async fn a_projection_comes_back_as_it_went_in() {
    let (_dir, store) = store();
    let plain = queued("kitchen", "plain", 1);
    let mut submission = submission("kitchen", "full");
    submission.again_of = Some(id("plain"));
    let full = Command {
        submission: submission.into(),
        origin: Origin::Observed,
        submitted_at: Timestamp(2),
        state: State::Cancelled,
        changed_at: Timestamp(3),
        attempt: 4,
        last_send: Some(LastSend {
            number: 5,
            at: Timestamp(11),
            before: Timestamp(10),
            on_wire: true,
            publish_result: PublishResult::NotSent,
        }),
        rungs: Rungs {
            sent: Some(Timestamp(5)),
            at_broker: Some(Timestamp(6)),
            accepted: Some(Timestamp(7)),
            finished: Some(Timestamp(8)),
        },
        last_answer_at: Some(Timestamp(12)),
        progress: Some(100),
        message: Some("a <b>sentence</b>\0".into()),
        result: Some("[1]".into()),
        matched: Some(Match::Inferred),
        late: true,
        duplicates: 9,
        unreadable: Some(UnreadableAnswers { count: 3, last_at: Timestamp(13), why: "It is not text.".into() }),
        conflict: true,
        contradicted: Some(Outcome::Succeeded),
        ambiguous: 10,
        nobody_listening: true,
        abandoned: true,
        repeat_refused: true,
    };
    let rows = [("plain", &plain), ("full", &full)]
        .map(|(name, command)| change(submitted("kitchen", name, 1), command.clone()));
    store.commit(rows.to_vec()).await.unwrap();
    let (commands, count) = store.last_commands(&connection(), &device("kitchen"), 9).await.unwrap();
    assert_eq!((commands, count), (vec![full.clone(), plain], 2));
    store
        .write(|transaction| events::forget_command(transaction, &connection(), &device("kitchen"), &id("full")))
        .await
        .unwrap();
    // Without a beginning among its events, a command is what was made of them.
    assert_eq!(store.command(&connection(), &device("kitchen"), &id("full")).await.unwrap(), Some(full));
}

#[tokio::test]
async fn a_command_is_what_its_events_say() {
    let (_dir, store) = store();
    let changes = life("kitchen", "c1", 100, Outcome::Failed);
    let Some(Change::Event { command: Some(expected), .. }) = changes.last().cloned() else { unreachable!() };
    assert_eq!((expected.state, expected.duplicates), (State::Failed, 1));
    for change in changes {
        store.commit(vec![change]).await.unwrap();
    }
    let (listed, _) = store.last_commands(&connection(), &device("kitchen"), 9).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&*expected));
    assert_eq!(
        store.command(&connection(), &device("kitchen"), &id("c1")).await.unwrap(),
        Some(Command::clone(&expected))
    );
    assert_eq!(store.command(&connection(), &device("kitchen"), &id("c2")).await.unwrap(), None);
}

#[tokio::test]
async fn the_unsettled_ones_come_in_the_order_of_submission() {
    let (_dir, store) = store();
    store.commit(life("kitchen", "done", 100, Outcome::Succeeded)).await.unwrap();
    for (device, command) in [("b", "z"), ("a", "y"), ("b", "x")] {
        store.commit(vec![submit(device, command, 200)]).await.unwrap();
    }
    let sent = life("kitchen", "under way", 300, Outcome::Succeeded)[..4].to_vec();
    let Some(Change::Event { command: Some(under_way), .. }) = sent.last().cloned() else { unreachable!() };
    store.commit(sent).await.unwrap();
    assert_eq!(
        store.unsettled(&connection()).await.unwrap(),
        [queued("b", "z", 200), queued("a", "y", 200), queued("b", "x", 200), Command::clone(&under_way)]
    );
    assert_eq!(store.unsettled(&"elsewhere".into()).await.unwrap(), []);
}

#[tokio::test]
async fn the_projection_can_be_rebuilt() {
    let (dir, store) = store();
    for (number, device) in ["a", "b", "a", "c"].into_iter().enumerate() {
        let at = i64::try_from(number).unwrap();
        let changes = life(device, &format!("c{number}"), 100 - at, Outcome::Rejected);
        store.commit(changes[..number + 2].to_vec()).await.unwrap();
        store.commit(changes[number + 2..].to_vec()).await.unwrap();
    }
    store.commit(vec![submit("a", "open", 500)]).await.unwrap();
    let before = projection(&dir);
    assert_eq!(before.each_ref().map(Vec::len), [5, 3, 1]);
    store.rebuild_projection().await.unwrap();
    assert_eq!(projection(&dir), before);
}
