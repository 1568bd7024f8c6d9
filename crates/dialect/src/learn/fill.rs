//! Fills in the form of a proposed dialect from the received messages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wilco_ledger::Outcome;

use super::{
    IN_TOPIC, Observed, Pair, counted,
    fields::{self, Fields},
    object,
    outcomes::{leading_outcome, outcome, outcome_code},
    shown, template,
};
use crate::{
    file::{DialectForm, IdKind, OutcomeField},
    json::ExactValue,
};

/// Members that name what is to be done.
const COMMANDS: [&str; 6] = ["command", "cmd", "method", "action", "name", "op"];
/// Words of presence.
const THERE: [(&str, &str); 5] =
    [("online", "offline"), ("Online", "Offline"), ("true", "false"), ("connected", "disconnected"), ("1", "0")];

pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The JSON pointer (RFC 6901) of a member.
pub(super) fn pointer(member: &str) -> String {
    format!("/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// How a dialect file says where a member, a field or the ID in the topic is.
fn place(name: &str) -> String {
    if name == IN_TOPIC || fields::is_field(name) { name.to_owned() } else { pointer(name) }
}

pub(super) fn header(name: &str) -> DialectForm {
    DialectForm {
        name: name.to_owned(),
        title: name.to_owned(),
        about: "Learned from messages.".to_owned(),
        ..DialectForm::default()
    }
}

pub(super) fn fill_request(form: &mut DialectForm, pair: &Pair<'_>, remarks: &mut Vec<String>) {
    form.request_topic = pair.template(&pair.request.topic);
    let in_topic = pair.id.as_ref().filter(|(member, _)| member == IN_TOPIC).map(|(_, id)| match id.parse::<u32>() {
        Ok(_) => IdKind::Int31,
        Err(_) => IdKind::Text,
    });
    let Some(asked) = object(&pair.request.payload) else {
        form.is_json = false;
        let in_field = pair.id.as_ref().filter(|(name, _)| fields::is_field(name));
        let made = in_field.and_then(|(_, id)| Some((fields::request_template(&pair.request.payload, id)?, id)));
        if let Some((template, id)) = made {
            let is_number = id.parse::<u32>().is_ok() && !id.starts_with('0');
            form.request_id = if is_number { IdKind::Int31 } else { IdKind::Text };
            remarks.push(format!("The request is a text with fields: {template}."));
            form.request_payload = template;
            return;
        }
        form.request_id = in_topic.unwrap_or(IdKind::None);
        form.request_payload = "{args.value}".to_owned();
        remarks.push("The request is plain text, so it sends the argument 'value' of a command.".to_owned());
        return;
    };
    let id = pair.id.as_ref().map(|(member, _)| member.as_str());
    let command = COMMANDS.iter().find(|member| asked.get(member).is_some_and(|value| value.as_str().is_some()));
    let arguments = asked.members().iter().find(|(name, value)| value.is_object() && Some(name.as_str()) != id);
    let arguments = arguments.map(|(name, _)| name);
    let mut parts = Vec::new();
    for (name, value) in asked.members() {
        let place = if Some(name.as_str()) == id {
            "{id}".to_owned()
        } else if command.is_some_and(|command| command == name) {
            "{command}".to_owned()
        } else if arguments == Some(name) {
            "{args}".to_owned()
        } else if command.is_some() && arguments.is_some() && !value.to_string().contains(['{', '}']) {
            value.to_string()
        } else {
            continue;
        };
        parts.push(format!("{}:{place}", quoted(name)));
    }
    if arguments.is_none() {
        parts.push("{args...}".to_owned());
    }
    match command {
        Some(command) => remarks.push(format!("The command is in '{command}'.")),
        None => remarks.push("No member contains the command's name, so only its arguments are sent.".to_owned()),
    }
    form.request_id = match id.map(|id| asked.get(id)) {
        _ if in_topic.is_some() => in_topic.unwrap_or(IdKind::None),
        Some(Some(ExactValue::Number(_))) => IdKind::Int31,
        Some(_) => IdKind::Text,
        None => IdKind::None,
    };
    form.request_payload = format!("{{{}}}", parts.join(","));
}

pub(super) fn fill_answer(form: &mut DialectForm, pair: &Pair<'_>, answers: &[&Observed], remarks: &mut Vec<String>) {
    form.answer_topic = pair.template(&pair.answer.topic);
    let id = pair.id.as_ref().map(|(member, _)| member.as_str());
    form.answer_id = id.map_or(String::new(), place);
    // The member whose values are words for how it went; of a plain text, the whole.
    let mut words_of: BTreeMap<String, BTreeMap<String, Outcome>> = BTreeMap::new();
    let mut message = None;
    for one in answers {
        let Some(said) = object(&one.payload) else {
            if let Some(said) = Fields::of(&one.payload).filter(|_| id.is_some_and(fields::is_field)) {
                let Some(at) = said.outcome() else { continue };
                let (word, name) = (said.fields[at], said.named(at));
                let Some(outcome) = outcome(word) else { continue };
                words_of.entry(name).or_default().insert(word.to_owned(), outcome);
                let id_at = id.and_then(|id| (0..said.fields.len()).find(|place| said.named(*place) == id));
                let after = at.max(id_at.unwrap_or(at)) + 1;
                message = message.or_else(|| (after < said.fields.len()).then(|| said.named_from(after)));
                continue;
            }
            if let Some((is, outcome)) = leading_outcome(&one.payload) {
                words_of.entry(String::new()).or_default().insert(is, outcome);
            }
            continue;
        };
        for (name, value) in said.members().iter().filter(|(name, _)| Some(name.as_str()) != id) {
            let Some(text) = value.as_str() else { continue };
            match outcome(text) {
                Some(outcome) => drop(words_of.entry(name.clone()).or_default().insert(text.to_owned(), outcome)),
                None => message = message.or_else(|| Some(name.clone())),
            }
        }
    }
    let message = message.map(|name| place(&name)).unwrap_or_default();
    if let Some((name, words)) = words_of.into_iter().max_by_key(|(_, words)| words.len()) {
        let at = if name.is_empty() { String::new() } else { place(&name) };
        let field = |(word, outcome): (&String, &Outcome)| OutcomeField {
            at: at.clone(),
            is: word.clone(),
            means: *outcome,
            message: message.clone(),
        };
        form.outcomes = words.iter().map(field).collect();
        let found = match name.as_str() {
            "" => "is the payload".to_owned(),
            field if fields::is_field(field) => "is in a field of the text".to_owned(),
            name => format!("is in '{name}'"),
        };
        remarks.push(format!(
            "The outcome {found}: {}. Add the values that were not seen.",
            words.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
        ));
    } else if let Some((name, done)) = outcome_code(answers) {
        let field = |is: &str, means: Outcome| OutcomeField {
            at: pointer(&name),
            is: is.to_owned(),
            means,
            message: message.clone(),
        };
        form.outcomes = vec![field(done, Outcome::Succeeded), field("", Outcome::Failed)];
        remarks.push(format!("The outcome is in '{name}': {done} counts as succeeded, and any other value as failed."));
    } else {
        form.outcomes = vec![OutcomeField {
            at: String::new(),
            is: String::new(),
            means: Outcome::Succeeded,
            message: String::new(),
        }];
        remarks.push("No member of the answer contains the outcome, so every answer counts as succeeded.".to_owned());
    }
}

/// The second message only reports what is so now.
pub(super) fn fill_state(form: &mut DialectForm, pair: &Pair<'_>, remarks: &mut Vec<String>) {
    form.request_id = IdKind::None;
    form.state_topic = template(&pair.answer.topic, &pair.device);
    let last = form.state_topic.split('/').rfind(|level| *level != "{device}" && !level.is_empty());
    let key = last.unwrap_or("value").to_owned();
    if object(&pair.answer.payload).is_none() {
        form.state_key.clone_from(&key);
    }
    match (object(&pair.request.payload), object(&pair.answer.payload)) {
        (Some(_), Some(_)) => remarks.push(
            "The answer only reports state: a command succeeds when the device reports each argument with its value."
                .to_owned(),
        ),
        (_, None) => {
            form.expect_value = "{args.value}".to_owned();
            remarks.push(format!(
                "The answer only reports state: a command succeeds when '{key}' has the value that was sent."
            ));
            form.expect_key = key;
        }
        (None, Some(reported)) => {
            let sent = pair.request.payload.trim();
            let is_sent = |value: &ExactValue| shown(value).is_some_and(|text| text.eq_ignore_ascii_case(sent));
            form.expect_value = "{args.value}".to_owned();
            let found = reported.members().iter().find(|(_, value)| is_sent(value));
            form.expect_key = found.map_or(key, |(name, _)| name.clone());
            remarks.push(format!(
                "The answer only reports state: a command succeeds when '{}' has the value that was sent.",
                form.expect_key
            ));
        }
    }
}

pub(super) fn fill_rest(form: &mut DialectForm, pair: &Pair<'_>, usable: &[&Observed], remarks: &mut Vec<String>) {
    let used: BTreeSet<String> =
        [&form.request_topic, &form.answer_topic, &form.state_topic].into_iter().cloned().collect();
    presence(form, usable, &pair.device, &used, remarks);
    telemetry(form, usable, &pair.device, &used, remarks);
}

pub(super) fn presence(
    form: &mut DialectForm,
    usable: &[&Observed],
    device: &str,
    used: &BTreeSet<String>,
    remarks: &mut Vec<String>,
) {
    for message in usable.iter().filter(|one| one.topic.split('/').any(|level| level == device)) {
        let topic = template(&message.topic, device);
        let payload = message.payload.trim();
        let found = THERE.iter().find(|(on, off)| payload == *on || payload == *off);
        if let Some((on, off)) = found.filter(|_| !used.contains(&topic) && (message.retained || payload.len() > 4)) {
            form.presence_topic = topic;
            (form.online, form.offline) = ((*on).to_owned(), (*off).to_owned());
            remarks.push(format!("Presence: '{}' says {payload}.", message.topic));
            return;
        }
    }
    remarks.push("No topic reported the device's presence.".to_owned());
}

pub(super) fn telemetry(
    form: &mut DialectForm,
    usable: &[&Observed],
    device: &str,
    used: &BTreeSet<String>,
    remarks: &mut Vec<String>,
) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let live = usable.iter().filter(|one| !one.retained);
    for message in live.filter(|one| one.topic.split('/').any(|level| level == device)) {
        let topic = template(&message.topic, device);
        let is_number = |(_, value): &(String, ExactValue)| matches!(value, ExactValue::Number(_));
        let has_numbers = object(&message.payload).is_some_and(|said| said.members().iter().any(is_number));
        if has_numbers && !used.contains(&topic) {
            *seen.entry(topic).or_default() += 1;
        }
    }
    for (topic, times) in seen.into_iter().take(8) {
        remarks.push(format!("Measurements arrive on '{topic}' ({} seen).", counted(times, "message")));
        form.telemetry.push(topic);
    }
}
