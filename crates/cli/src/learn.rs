//! `wilco dialects learn`: receives messages while a device is used, and proposes a dialect file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use wilco_dialect::{DialectFile, Observed, ReadKind, learn, preview};
use wilco_engine::api::{ConnectionView, FoundDialect, TrafficMessage, TrafficQuery};

use crate::{
    base::Base,
    interrupt::Interrupt,
    link,
    output::{Output, clean, several, visible_name},
    problem::{NOT_DONE, Problem, note, warn},
};

/// Messages that are kept at most.
const MOST: usize = 5_000;
/// The most topics that are named of those that the proposal does not read.
const NAMED: usize = 10;

/// What was received.
#[derive(Default)]
struct Received {
    messages: Vec<Observed>,
    /// How many messages on each topic are no text, or are too large to be shown whole.
    unread: BTreeMap<String, usize>,
    /// How many messages arrived too fast.
    left_out: usize,
}

/// Runs it. An interrupt ends the time, and the messages received by then are used.
pub(crate) async fn run(
    connection: &str,
    filter: &str,
    time: Duration,
    name: &str,
    data_dir: Option<&Path>,
) -> Result<ExitCode, Problem> {
    let base = Base::open(data_dir).await?;
    let observed = listen(&base, connection, filter, time).await;
    base.close().await;
    let Received { messages: observed, unread, left_out } = observed?;
    for (topic, times) in unread.iter().take(NAMED) {
        let (messages, topic) = (several(*times, "message"), visible_name(topic));
        warn(&clean(&format!("Could not read {messages} on {topic}: binary, or too large to be shown.")), None);
    }
    if left_out > 0 {
        warn(&format!("Could not read {}: they arrived too fast.", several(left_out, "message")), None);
    }
    match learn(name, &observed) {
        Err(why) => {
            let topics: BTreeSet<&str> = observed.iter().map(|one| one.topic.as_str()).collect();
            for topic in topics.iter().take(NAMED) {
                note(&clean(&format!("Received on {}.", visible_name(topic))));
            }
            warn(&why, Some("Or write the dialect yourself: docs/dialects/write.md."));
            Ok(ExitCode::from(NOT_DONE))
        }
        Ok(proposal) => {
            for remark in &proposal.remarks {
                note(remark);
            }
            match DialectFile::parse(&proposal.file) {
                Ok(file) => print_unread(&file, &observed),
                Err(problems) => {
                    for problem in problems {
                        warn(&format!("The proposal needs work: {problem}."), None);
                    }
                }
            }
            let mut output = Output::data();
            proposal.file.lines().try_for_each(|line| output.line(line))?;
            output.flush()?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Says which of the messages the proposed dialect does not read: those on its topics that are unreadable, and the topics
/// that it does not describe.
fn print_unread(file: &DialectFile, observed: &[Observed]) {
    let mut unreadable: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for (message, read) in observed.iter().zip(preview(file, observed)) {
        match read.kind {
            ReadKind::Unreadable => unreadable.entry(&message.topic).or_insert((0, read.said)).0 += 1,
            ReadKind::Other => *others.entry(&message.topic).or_default() += 1,
            _ => {}
        }
    }
    for (topic, (times, why)) in unreadable.iter().take(NAMED) {
        let topic = visible_name(topic);
        warn(&clean(&format!("Could not read {} on {topic}: {why}", several(*times, "message"))), None);
    }
    for (topic, times) in others.iter().take(NAMED) {
        note(&clean(&format!("Not described: {} on {}.", several(*times, "message"), visible_name(topic))));
    }
    let more = unreadable.len().saturating_sub(NAMED) + others.len().saturating_sub(NAMED);
    if more > 0 {
        note(&format!("Not read either: messages on {} more.", several(more, "topic")));
    }
}

/// Lists dialects of devices that are not enabled.
pub(crate) async fn find(connection: &str, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let mut interrupt = Interrupt::listen()?;
    let base = Base::open(data_dir).await?;
    let found = async {
        let connection = base.connection(connection).await?;
        let mut batches = base.console().listen().await?;
        link::online(base.console(), &mut batches, &connection, link::CONNECT_TIMEOUT).await?;
        let found = base.console().find_dialects(&connection.id).await?;
        Ok::<_, Problem>((connection, found))
    };
    let outcome = tokio::select! {
        outcome = found => outcome,
        () = interrupt.received() => Err(Problem::Interrupted),
    };
    base.close().await;
    let (connection, found) = outcome?;
    let mut output = Output::text();
    if found.is_empty() {
        output.line("No device of another dialect has announced itself.")?;
    }
    for one in &found {
        let examples: Vec<_> = one.examples.iter().map(|device| visible_name(device)).collect();
        output.line(&clean(&format!("{}: {}", answers_here(one), examples.join(", "))))?;
    }
    if !found.is_empty() {
        let enabled = connection.settings.dialects.iter().map(ToString::to_string);
        let all = enabled.chain(found.iter().map(|one| one.name.clone()));
        let options: Vec<String> = all.map(|dialect| format!("--dialect {dialect}")).collect();
        let shown = visible_name(&connection.name);
        output.line(&clean(&format!("Enable: wilco connections edit {shown} {}", options.join(" "))))?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// `3 Shelly devices answer here`.
fn answers_here(found: &FoundDialect) -> String {
    let answer = if found.devices == 1 { "answers" } else { "answer" };
    format!("{} {answer} here", several(found.devices as usize, &format!("{} device", found.title)))
}

/// Says which devices are not listed because their dialect is not enabled, as far as the running app has found any.
pub(crate) fn print_offers(connection: &ConnectionView) {
    for offer in &connection.offers {
        let show = if offer.devices == 1 { "Show it" } else { "Show them" };
        let enabled = connection.settings.dialects.iter();
        let kept = enabled.map(|dialect| format!("--dialect {dialect} ")).collect::<String>();
        let edit = format!("wilco connections edit {} {kept}--dialect {}", connection.name, offer.name);
        note(&format!("{}. {show}: {edit}", answers_here(offer)));
    }
}

async fn listen(base: &Base, connection: &str, filter: &str, time: Duration) -> Result<Received, Problem> {
    let mut interrupt = Interrupt::listen()?;
    let connection = base.connection(connection).await?;
    let console = base.console();
    let begin = async {
        let mut batches = console.listen().await?;
        link::online(console, &mut batches, &connection, link::CONNECT_TIMEOUT).await?;
        let query = TrafficQuery { connection: connection.id.clone(), device: None, filter: filter.to_owned() };
        let traffic = console.traffic(query).await?;
        console.subscribe(&connection.id, filter).await?;
        Ok::<_, Problem>(traffic)
    };
    let mut traffic = tokio::select! {
        traffic = begin => traffic?,
        () = interrupt.received() => return Err(Problem::Interrupted),
    };
    note(&format!("Subscribed to {} for {} s. Use the device now.", clean(filter), time.as_secs()));
    let until = Instant::now() + time;
    let mut received = Received::default();
    while received.messages.len() < MOST {
        tokio::select! {
            batch = timeout_at(until, traffic.recv()) => match batch {
                Ok(Some(batch)) => {
                    received.left_out += batch.left_out as usize;
                    batch.messages.into_iter().for_each(|one| received.add(one));
                }
                Ok(None) | Err(_) => break,
            },
            () = interrupt.received() => break,
        }
    }
    console.unsubscribe(&connection.id, filter).await?;
    let all = received.messages.len() + received.unread.values().sum::<usize>();
    note(&format!("Received {}.", several(all, "message")));
    Ok(received)
}

impl Received {
    fn add(&mut self, one: TrafficMessage) {
        if one.cut > 0 || one.wire.binary {
            if self.unread.len() < MOST {
                *self.unread.entry(one.wire.topic).or_default() += 1;
            }
            return;
        }
        let (topic, payload) = (one.wire.topic, one.wire.payload);
        self.messages.push(Observed { at: one.at, topic, payload, retained: one.retained });
    }
}
