//! Converts domain types to wire types, and nothing else.

mod snapshot;

pub(crate) use snapshot::CommandSnapshot;
use wilco_dialect::Request as Encoding;
use wilco_ledger::{
    Answer, Claim, Command, Disagreement, Event, Expectation, Fact, Match, Millis, NotDelivered, Origin, Raw, Reading,
    State, Term, TimeOut, Timestamp, Unmatched,
};

use crate::{
    api::{
        AnswerMatch, AnswerOutcome, AnswerReading, AnswerView, CommandState, CommandView, CutView, DisagreementView,
        DiscardedView, EventKind, EventView, JsonText, SentBy, SettledBy, UnreadableView, WireView, grouped, sentence,
    },
    store::Discarded,
};

/// A device that is connected answers within this time.
const AT_ONCE: Millis = Millis(10_000);

/// A command as it is shown.
pub(crate) fn command(connection: &str, command: &Command, deadline: Option<Timestamp>) -> CommandView {
    let (args, result) = (JsonText::of(&command.submission.args), command.result.as_deref().map(JsonText::of));
    view(connection, command, deadline, args, result)
}

fn view(
    connection: &str,
    command: &Command,
    deadline: Option<Timestamp>,
    args: JsonText,
    result: Option<JsonText>,
) -> CommandView {
    CommandView {
        connection: connection.to_owned(),
        device: command.submission.device.as_str().to_owned(),
        id: command.submission.id.as_str().to_owned(),
        command: command.submission.name.to_string(),
        args,
        by: match command.origin {
            Origin::Here if command.submission.automatic => SentBy::Wilco,
            Origin::Here => SentBy::You,
            Origin::Observed => SentBy::AnotherConsole,
        },
        automatic: command.submission.automatic,
        operator: command.submission.by.as_deref().map(str::to_owned),
        state: command.state.into(),
        is_final: command.state.is_final(),
        queued_at: command.submitted_at.0,
        sent_at: command.rungs.sent.map(|at| at.0),
        at_broker_at: command.rungs.at_broker.map(|at| at.0),
        accepted_at: command.rungs.accepted.map(|at| at.0),
        finished_at: command.rungs.finished.map(|at| at.0),
        deadline: deadline.map(|at| at.0),
        changed_at: command.changed_at.0,
        attempts: command.attempt,
        progress: command.progress,
        message: command.message.as_ref().map(ToString::to_string).or_else(|| now_reports(command)),
        result,
        matched: command.matched.map(|matched| match matched {
            Match::Exact => AnswerMatch::Exact,
            Match::Inferred | Match::Reported => AnswerMatch::Inferred,
            Match::Ambiguous => AnswerMatch::Ambiguous,
        }),
        settled_by: settled_by(command),
        late: command.late,
        duplicates: command.duplicates,
        unreadable: command.unreadable.as_ref().map(|answers| UnreadableView {
            count: answers.count,
            last_at: answers.last_at.0,
            why: answers.why.to_string(),
        }),
        conflict: command.conflict,
        contradicted: command.contradicted.map(Into::into),
        nobody_listening: command.nobody_listening,
        clocks_differ: clocks_differ(command),
        again_of: command.submission.again_of.as_ref().map(|id| id.as_str().to_owned()),
    }
}

/// Whether a device refuses a command as expired that it can only just have received.
fn clocks_differ(command: &Command) -> bool {
    let says_expired = |message: &str| {
        message.split(|letter: char| !letter.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("expired"))
    };
    let sent = command.rungs.sent.unwrap_or(command.submitted_at);
    let answered = command.rungs.finished.unwrap_or(command.changed_at);
    command.state == State::Rejected
        && command.message.as_deref().is_some_and(says_expired)
        && answered.since(sent) < AT_ONCE
}

/// The evidence for a command's end, if the device itself has reported it.
fn settled_by(command: &Command) -> Option<SettledBy> {
    match command.matched.filter(|_| command.state.is_from_device())? {
        Match::Exact | Match::Inferred => Some(SettledBy::Answer),
        Match::Reported => Some(SettledBy::Report),
        Match::Ambiguous => None,
    }
}

/// The expected report of a command without an answer of its own.
fn now_reports(command: &Command) -> Option<String> {
    let is_reported = command.state == State::Succeeded && command.matched == Some(Match::Reported);
    let Expectation::State { terms, .. } = command.expects().filter(|_| is_reported)? else { return None };
    Some(match &**terms {
        [Term { key, .. }] if key.starts_with('$') => "The device has restarted.".to_owned(),
        [Term { value: Some(value), .. }] => format!("The device reported {value}."),
        [Term { key, value: None }] => format!("The device has reported {key}."),
        several => {
            let shown =
                several.iter().take(4).filter_map(|Term { key, value }| Some(format!("{key} = {}", value.as_deref()?)));
            let shown: Vec<String> = shown.collect();
            if shown.is_empty() {
                return None;
            }
            format!("The device reported {}.", shown.join(", "))
        }
    })
}

/// A command's facts as they are shown, oldest first: of an answer that moved it, also from where to where.
pub(crate) fn course(events: &[(u32, Event)]) -> Vec<EventView> {
    let mut command: Option<Command> = None;
    let state = |command: &Option<Command>| command.as_ref().map(|command| command.state);
    events
        .iter()
        .map(|(place, fact)| {
            let before = state(&command);
            match &mut command {
                Some(command) => command.apply(fact),
                None => command = Command::begin(fact),
            }
            let mut view = event(*place, fact);
            if let (Fact::Answered { reading: Reading::Moved, .. }, Some(from), Some(to)) =
                (&fact.fact, before, state(&command))
                && from != to
            {
                view.text = format!("Changed the state from {} to {}", title(from), title(to));
            }
            view
        })
        .collect()
}

/// Answers that belong to no command as they are shown, in their order.
pub(crate) fn unmatched(events: &[Event]) -> Vec<EventView> {
    (0..).zip(events).map(|(place, unmatched)| event(place, unmatched)).collect()
}

/// A state's display name.
fn title(state: State) -> String {
    sentence(&CommandState::from(state).words()).trim_end_matches('.').to_owned()
}

/// A fact as it is shown, at its place among the others.
fn event(place: u32, event: &Event) -> EventView {
    let (kind, text, attempt, answer) = match &event.fact {
        Fact::Submitted { origin: Origin::Here, .. } => {
            (EventKind::Submitted, "Written to the outbox".to_owned(), None, None)
        }
        Fact::Submitted { origin: Origin::Observed, submission } => {
            let by = submission.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
            (EventKind::Submitted, format!("Sent by another console{by}"), None, None)
        }
        Fact::Held => (EventKind::Held, "Held until the device is online".to_owned(), None, None),
        Fact::Released => (EventKind::Released, "The device is online: released".to_owned(), None, None),
        Fact::AwaitsReturn => {
            (EventKind::AwaitsReturn, "Waiting for the device to reconnect to the broker".to_owned(), None, None)
        }
        Fact::EventsMissing => {
            (EventKind::EventsMissing, "The history has lost events: it may have been sent".to_owned(), None, None)
        }
        Fact::Handed { attempt } => {
            (EventKind::Handed, "Passed to the MQTT client; it may have been sent".to_owned(), Some(*attempt), None)
        }
        Fact::Sent { attempt } => (EventKind::Sent, "Sent".to_owned(), Some(*attempt), None),
        Fact::AtBroker { attempt, nobody_listening: false } => {
            (EventKind::AtBroker, "Acknowledged by the broker".to_owned(), Some(*attempt), None)
        }
        Fact::AtBroker { attempt, nobody_listening: true } => (
            EventKind::AtBroker,
            "Acknowledged by the broker; no subscribers on the topic".to_owned(),
            Some(*attempt),
            None,
        ),
        Fact::DeliveryUnknown { attempt } => (
            EventKind::DeliveryUnknown,
            "The connection ended before the broker acknowledged it".to_owned(),
            Some(*attempt),
            None,
        ),
        Fact::Undeliverable(why) => (EventKind::Undeliverable, not_delivered(why), None, None),
        Fact::Unconfirmed => (EventKind::Unconfirmed, "Delivered; no answer is expected".to_owned(), None, None),
        Fact::Answered { answer, reading: Reading::Inferred } if answer.claim == Claim::State => (
            EventKind::Answered,
            "Reports what this command requested".to_owned(),
            None,
            Some(answer_view(answer, reading_view(Reading::Inferred))),
        ),
        Fact::Answered { answer, reading } => (
            EventKind::Answered,
            reading_sentence(*reading).to_owned(),
            None,
            Some(answer_view(answer, reading_view(*reading))),
        ),
        Fact::Unsolicited { answer, unmatched } => (
            EventKind::Unsolicited,
            unmatched_sentence(*unmatched).to_owned(),
            None,
            Some(answer_view(answer, unmatched_view(*unmatched))),
        ),
        Fact::Unreadable { raw, why } => {
            let answer = AnswerView {
                outcome: AnswerOutcome::Unreadable,
                reading: AnswerReading::Unreadable,
                progress: None,
                message: None,
                raw: self::raw(raw),
            };
            (EventKind::Unreadable, format!("Cannot be read: {why}"), None, Some(answer))
        }
        Fact::TimedOut(why) => (EventKind::TimedOut, timed_out(*why).to_owned(), None, None),
        Fact::Expired => (EventKind::Expired, "Its time to live passed before it was sent".to_owned(), None, None),
        Fact::Cancelled => (EventKind::Cancelled, "Cancelled before it was sent".to_owned(), None, None),
        Fact::NotSent { attempt } => {
            (EventKind::NotSent, "Not sent: the MQTT client rejected it".to_owned(), Some(*attempt), None)
        }
    };
    EventView { place, at: event.at.0, kind, text, attempt, answer }
}

/// A command as a dialect is to write it.
pub(crate) fn encoding(command: &Command, attempt: u32) -> Encoding<'_> {
    Encoding {
        id: &command.submission.id,
        command: &command.submission.name,
        args: &command.submission.args,
        form: command.submission.form.as_deref(),
        issued_at: command.submitted_at,
        expires_at: command.submitted_at + command.submission.policy.time_to_live,
        attempt,
        by: command.submission.by.as_deref(),
    }
}

/// A message as it was kept.
pub(crate) fn raw(raw: &Raw) -> WireView {
    let Raw { topic, payload, qos, cut } = raw;
    let whole = wire(topic, payload, *qos);
    let Some(cut) = cut.as_deref() else { return whole };
    let (first, last) = payload.split_at(payload.len().min(cut.first as usize));
    let missing = cut.bytes.saturating_sub(payload.len() as u64);
    let gap = format!("… {} bytes not kept …", grouped(missing));
    let ends = (std::str::from_utf8(valid_start(first)), std::str::from_utf8(valid_end(last)));
    let (text, binary) = match ends {
        (Ok(first), Ok(last)) => (format!("{first}\n{gap}\n{last}"), false),
        _ => (format!("{}\n{gap}\n{}", first.escape_ascii(), last.escape_ascii()), true),
    };
    WireView {
        bytes: u32::try_from(cut.bytes).unwrap_or(u32::MAX),
        payload: text,
        binary,
        cut: Some(CutView {
            first: u32::try_from(first.len()).unwrap_or(u32::MAX),
            last: u32::try_from(last.len()).unwrap_or(u32::MAX),
            sha256: cut.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
        }),
        ..whole
    }
}

/// Without the character that its end has cut in two.
fn valid_start(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}

/// Without the rest of a character that its beginning has cut in two.
fn valid_end(bytes: &[u8]) -> &[u8] {
    let rest = bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    &bytes[rest..]
}

/// The difference between a device's answer and its report.
pub(crate) fn disagreement(of: &Disagreement) -> DisagreementView {
    disagreed(of, false)
}

/// The same; `past` where the device does not report it any more.
pub(crate) fn disagreed(of: &Disagreement, past: bool) -> DisagreementView {
    let reports = if past { "reported" } else { "reports" };
    let Disagreement { command, key, said, reported } = of;
    let plain = |value: &str| serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
    let (said, reported) = (plain(said), plain(reported));
    let text = match &**key {
        "led" => {
            let word = |on: &str| if on == "true" { "ON" } else { "OFF" };
            format!("Answered {}, {reports} {}", word(&said), word(&reported))
        }
        "telemetry_interval_ms" => {
            let span = |ms: &str| ms.parse::<u64>().map_or_else(|_| ms.to_owned(), |ms| format!("{} ms", grouped(ms)));
            format!("Answered telemetry every {}, {reports} {}", span(&said), span(&reported))
        }
        other => {
            let name = match other.split_once('.') {
                Some(("running", key)) => key.to_owned(),
                Some(("saved", key)) => format!("saved {key}"),
                _ => other.to_owned(),
            };
            format!("Answered {name} = {said}, {reports} {reported}")
        }
    };
    DisagreementView { command: command.as_str().to_owned(), text, past }
}

/// Messages that were not kept.
pub(crate) fn discarded(discarded: &Discarded) -> DiscardedView {
    DiscardedView {
        messages: discarded.messages,
        bytes: discarded.bytes,
        first_at: discarded.first_at.0,
        last_at: discarded.last_at.0,
        newest: raw(&discarded.newest),
    }
}

/// A message as it was sent or received.
pub(crate) fn wire(topic: &str, payload: &[u8], qos: u8) -> WireView {
    let (payload_text, binary) = match std::str::from_utf8(payload) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (payload.escape_ascii().to_string(), true),
    };
    WireView {
        topic: topic.to_owned(),
        qos,
        bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        payload: payload_text,
        binary,
        cut: None,
    }
}

fn answer_view(answer: &Answer, reading: AnswerReading) -> AnswerView {
    AnswerView {
        outcome: AnswerOutcome::Read(answer.outcome.into()),
        reading,
        progress: answer.progress,
        message: answer.message.as_ref().map(ToString::to_string),
        raw: raw(&answer.raw),
    }
}

fn reading_view(reading: Reading) -> AnswerReading {
    match reading {
        Reading::Moved => AnswerReading::Moved,
        Reading::Inferred => AnswerReading::Inferred,
        Reading::Late => AnswerReading::Late,
        Reading::Challenge => AnswerReading::Challenge,
        Reading::Heartbeat => AnswerReading::Heartbeat,
        Reading::Duplicate => AnswerReading::Duplicate,
        Reading::Conflict => AnswerReading::Conflict,
        Reading::Contradiction => AnswerReading::Contradiction,
        Reading::AfterTheEnd => AnswerReading::AfterTheEnd,
        Reading::Ambiguous => AnswerReading::Ambiguous,
    }
}

fn reading_sentence(reading: Reading) -> &'static str {
    match reading {
        Reading::Moved => "Changed the state",
        Reading::Inferred => "Has no ID, but can only belong to this command",
        Reading::Late => "Arrived after the timeout, but still counts",
        Reading::Challenge => "Requires the device's password; the command did not run, and Wilco sends it again",
        Reading::Heartbeat => "Still running",
        Reading::Duplicate => "Duplicate answer; the state did not change",
        Reading::Conflict => "A different final answer; the first one counts",
        Reading::Contradiction => "The command had finished here, but the device reports this",
        Reading::AfterTheEnd => "Arrived after the command finished; the state did not change",
        Reading::Ambiguous => "Has no ID, and could belong to more than one command",
    }
}

fn unmatched_view(unmatched: Unmatched) -> AnswerReading {
    match unmatched {
        Unmatched::UnknownId => AnswerReading::UnknownId,
        Unmatched::OtherDevice => AnswerReading::OtherDevice,
        Unmatched::Disagreement => AnswerReading::Disagreement,
        Unmatched::Retained => AnswerReading::Retained,
        Unmatched::NothingOutstanding => AnswerReading::NothingOutstanding,
    }
}

fn unmatched_sentence(unmatched: Unmatched) -> &'static str {
    match unmatched {
        Unmatched::UnknownId => "Has an unknown ID",
        Unmatched::OtherDevice => "Has the ID of another device's command",
        Unmatched::Disagreement => "Payload and Correlation Data have different IDs",
        Unmatched::Retained => "Retained by the broker, so it is not new",
        Unmatched::NothingOutstanding => "Has no ID, and this device has no unfinished command",
    }
}

fn not_delivered(why: &NotDelivered) -> String {
    match why {
        NotDelivered::NotWritten(why) => format!("The request could not be encoded: {why}"),
        NotDelivered::Refused { code, said: Some(said) } => {
            format!("The broker refused it (MQTT reason {code:#04x}): “{said}”")
        }
        NotDelivered::Refused { code, said: None } => format!("The broker refused it (MQTT reason {code:#04x})"),
        NotDelivered::TooLarge { bytes } => {
            format!("At {} bytes it is larger than the broker accepts", grouped(*bytes))
        }
        NotDelivered::DeviceOffline => "The device is offline, and the command is not held".to_owned(),
        NotDelivered::NotConnected => "Not connected to the broker, and the command is not held".to_owned(),
    }
}

fn timed_out(why: TimeOut) -> &'static str {
    match why {
        TimeOut::Silence => "No answer in time",
        TimeOut::HeartbeatsStopped => "The device reported progress, then stopped",
        TimeOut::MayHaveRun => "Neither an acknowledgement from the broker nor an answer: it may have run",
        TimeOut::Abandoned => "Stopped waiting",
    }
}
