//! From the domain's words to the wire's, and nothing else.

use std::sync::Arc;

use serde_json::Value;
use wilco_ledger::{
    Answer, Command, Event, Fact, Match, NotDelivered, Origin, Outcome, Raw, Reading, State, Stray, TimeOut, Timestamp,
};

use crate::api::{AnswerView, CommandView, EventView, WireView, sentence};

/// A command as it stood when that was written down.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) command: Arc<Command>,
    /// When it is given up, where that is still to come.
    pub(crate) deadline: Option<Timestamp>,
}

impl Standing {
    pub(crate) fn view(&self, connection: &str) -> CommandView {
        command(connection, &self.command, self.deadline)
    }
}

/// A command as it is shown.
pub(crate) fn command(connection: &str, command: &Command, deadline: Option<Timestamp>) -> CommandView {
    CommandView {
        connection: connection.to_owned(),
        device: command.asked.device.as_str().to_owned(),
        id: command.asked.id.as_str().to_owned(),
        command: command.asked.name.to_string(),
        args: json(&command.asked.args),
        by: match command.origin {
            Origin::Here => "you".to_owned(),
            Origin::Observed => "another console".to_owned(),
        },
        state: command.state.as_str().to_owned(),
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
        message: command.message.as_ref().map(ToString::to_string),
        result: command.result.as_ref().map(|text| json(text)),
        matched: command.matched.map(|matched| {
            match matched {
                Match::Exact => "exact",
                Match::Inferred => "inferred",
                Match::Ambiguous => "ambiguous",
            }
            .to_owned()
        }),
        late: command.late,
        duplicates: command.duplicates,
        conflict: command.conflict,
        contradicted: command.contradicted.map(|outcome| outcome_word(outcome).to_owned()),
        nobody_listening: command.nobody_listening,
        again_of: command.asked.again_of.as_ref().map(|id| id.as_str().to_owned()),
    }
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
                view.text = format!("Moved the command from {} to {}", title(from), title(to));
            }
            view
        })
        .collect()
}

/// Answers that belong to no command as they are shown, in their order.
pub(crate) fn strays(events: &[Event]) -> Vec<EventView> {
    (0..).zip(events).map(|(place, stray)| event(place, stray)).collect()
}

/// A state's name for people.
fn title(state: State) -> String {
    let words = state.as_str().replace('_', " ");
    sentence(&words).trim_end_matches('.').to_owned()
}

/// A fact as it is shown, at its place among the others.
fn event(place: u32, event: &Event) -> EventView {
    let (kind, text, attempt, answer) = match &event.fact {
        Fact::Submitted { origin: Origin::Here, .. } => ("submitted", "Written to the outbox".to_owned(), None, None),
        Fact::Submitted { origin: Origin::Observed, .. } => {
            ("submitted", "Another console asked for it".to_owned(), None, None)
        }
        Fact::Held => ("held", "Held until the device is online".to_owned(), None, None),
        Fact::Released => ("released", "The device is there: no longer held".to_owned(), None, None),
        Fact::Handed { attempt } => {
            ("handed", "Handed to MQTT: it may be sent from here on".to_owned(), Some(*attempt), None)
        }
        Fact::Sent { attempt } => ("sent", "On the wire".to_owned(), Some(*attempt), None),
        Fact::AtBroker { attempt, nobody_listening: false } => {
            ("at_broker", "The broker has it".to_owned(), Some(*attempt), None)
        }
        Fact::AtBroker { attempt, nobody_listening: true } => {
            ("at_broker", "The broker has it, and nobody listens on the topic".to_owned(), Some(*attempt), None)
        }
        Fact::DeliveryUnknown { attempt } => (
            "delivery_unknown",
            "The connection ended before the broker acknowledged it".to_owned(),
            Some(*attempt),
            None,
        ),
        Fact::Undeliverable(why) => ("undeliverable", not_delivered(why), None, None),
        Fact::Unconfirmed => ("unconfirmed", "Delivered; no answer is expected".to_owned(), None, None),
        Fact::Answered { answer, reading } => {
            ("answered", reading_sentence(*reading).to_owned(), None, Some(answer_view(answer, reading_word(*reading))))
        }
        Fact::Unsolicited { answer, stray } => {
            ("unsolicited", stray_sentence(*stray).to_owned(), None, Some(answer_view(answer, stray_word(*stray))))
        }
        Fact::Unreadable { raw, why } => {
            let answer = AnswerView {
                outcome: "unreadable".to_owned(),
                reading: "unreadable".to_owned(),
                progress: None,
                message: None,
                raw: wire(&raw.topic, &raw.payload, raw.qos),
            };
            ("unreadable", format!("Cannot be read: {why}"), None, Some(answer))
        }
        Fact::TimedOut(why) => ("timed_out", timed_out(*why).to_owned(), None, None),
        Fact::Expired => ("expired", "Its time to live passed before it was sent".to_owned(), None, None),
        Fact::Cancelled => ("cancelled", "Withdrawn before it was sent".to_owned(), None, None),
        Fact::NotSent { attempt } => {
            ("not_sent", "The MQTT client did not take it: it is not on the wire".to_owned(), Some(*attempt), None)
        }
    };
    EventView { place, at: event.at.0, kind: kind.to_owned(), text, attempt, answer }
}

/// A message as it went over the wire.
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
    }
}

fn answer_view(answer: &Answer, reading: &str) -> AnswerView {
    let Raw { topic, payload, qos } = &answer.raw;
    AnswerView {
        outcome: outcome_word(answer.outcome).to_owned(),
        reading: reading.to_owned(),
        progress: answer.progress,
        message: answer.message.as_ref().map(ToString::to_string),
        raw: wire(topic, payload, *qos),
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    outcome.state().as_str()
}

fn reading_word(reading: Reading) -> &'static str {
    match reading {
        Reading::Moved => "moved",
        Reading::Inferred => "inferred",
        Reading::Late => "late",
        Reading::Heartbeat => "heartbeat",
        Reading::Duplicate => "duplicate",
        Reading::Conflict => "conflict",
        Reading::Contradiction => "contradiction",
        Reading::AfterTheEnd => "after_the_end",
        Reading::Ambiguous => "ambiguous",
    }
}

fn reading_sentence(reading: Reading) -> &'static str {
    match reading {
        Reading::Moved => "Moved the command",
        Reading::Inferred => "Names no id, and only this command could be meant",
        Reading::Late => "Came after we had given up, and settles the command all the same",
        Reading::Heartbeat => "Still at it",
        Reading::Duplicate => "The same answer again. The state did not move",
        Reading::Conflict => "A different final answer. The first one stands",
        Reading::Contradiction => "The command had ended here, but the device reports this",
        Reading::AfterTheEnd => "Came after the end. The state did not move",
        Reading::Ambiguous => "Names no id, and more than one command could be meant",
    }
}

fn stray_word(stray: Stray) -> &'static str {
    match stray {
        Stray::UnknownId => "unknown_id",
        Stray::OtherDevice => "other_device",
        Stray::Disagreement => "disagreement",
        Stray::Retained => "retained",
        Stray::NothingOutstanding => "nothing_outstanding",
    }
}

fn stray_sentence(stray: Stray) -> &'static str {
    match stray {
        Stray::UnknownId => "Names an id that nobody here knows",
        Stray::OtherDevice => "Names the id of another device's command",
        Stray::Disagreement => "Payload and Correlation Data name different ids",
        Stray::Retained => "Retained by the broker, so it is an old one",
        Stray::NothingOutstanding => "Names no id, and no command of this device is outstanding",
    }
}

fn not_delivered(why: &NotDelivered) -> String {
    match why {
        NotDelivered::Refused { code } => format!("The broker refused it (MQTT reason {code:#04x})"),
        NotDelivered::TooLarge { bytes } => format!("At {bytes} bytes it is larger than the broker takes"),
        NotDelivered::DeviceOffline => "The device is offline, and waiting was not wanted".to_owned(),
        NotDelivered::NotConnected => "There is no connection to the broker, and waiting was not wanted".to_owned(),
    }
}

fn timed_out(why: TimeOut) -> &'static str {
    match why {
        TimeOut::Silence => "No answer in time",
        TimeOut::HeartbeatsStopped => "The device was at it and then fell silent",
        TimeOut::MayHaveRun => "Nobody can say whether it was sent: it may have run",
        TimeOut::Abandoned => "Somebody stopped waiting",
    }
}

/// What is stored as JSON text comes back as JSON; anything else stands as the text it is.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
