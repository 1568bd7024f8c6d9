//! `wilco dialects learn`: receives messages while a device is used, and proposes a dialect file.

use std::{path::Path, process::ExitCode, time::Duration};

use tokio::time::{Instant, timeout_at};
use wilco_dialect::{DialectFile, Observed, learn};
use wilco_engine::api::{ConnectionView, FoundDialect, TrafficQuery};

use crate::{
    base::Base,
    interrupt::Interrupt,
    link,
    output::{Output, clean, several, visible_name},
    problem::{NOT_DONE, Problem, note, warn},
};

/// Messages that are kept at most.
const MOST: usize = 5_000;

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
    let observed = observed?;
    match learn(name, &observed) {
        Err(why) => {
            warn(&why, Some("Or write the dialect yourself: docs/dialects/write.md."));
            Ok(ExitCode::from(NOT_DONE))
        }
        Ok(proposal) => {
            for remark in &proposal.remarks {
                note(remark);
            }
            if let Err(problems) = DialectFile::parse(&proposal.file) {
                for problem in problems {
                    warn(&format!("The proposal needs work: {problem}."), None);
                }
            }
            let mut output = Output::data();
            proposal.file.lines().try_for_each(|line| output.line(line))?;
            output.flush()?;
            Ok(ExitCode::SUCCESS)
        }
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

async fn listen(base: &Base, connection: &str, filter: &str, time: Duration) -> Result<Vec<Observed>, Problem> {
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
    let mut observed = Vec::new();
    while observed.len() < MOST {
        tokio::select! {
            batch = timeout_at(until, traffic.recv()) => match batch {
                Ok(Some(batch)) => observed.extend(batch.messages.into_iter().filter(|one| one.cut == 0 && !one.wire.binary).map(|one| {
                    Observed { at: one.at, topic: one.wire.topic, payload: one.wire.payload, retained: one.retained }
                })),
                Ok(None) | Err(_) => break,
            },
            () = interrupt.received() => break,
        }
    }
    console.unsubscribe(&connection.id, filter).await?;
    note(&format!("Received {}.", several(observed.len(), "message")));
    Ok(observed)
}
