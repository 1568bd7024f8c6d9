//! Request templates of users' own commands: a topic and a payload with placeholders such as `{id}`, `{device}` and
//! `{args.level}`.
//!
//! Each placeholder stays one value: in JSON a text is quoted and escaped, in a topic it is part of one level. Filling
//! in never fails; [`refuses`] reports beforehand what would be invalid.

use serde_json::Value;
use wilco_ledger::{DeviceId, Timestamp, WireForm, grouped};

use crate::{Channel, Outbound, Request, Topics, json, text::PLAIN, wilco::JSON, words};

/// The longest template, bytes.
const LONGEST: usize = 16 * 1024;
/// The longest topic, bytes.
const LONGEST_TOPIC: usize = 1_024;
/// The largest payload, bytes: what AWS carries in one message.
const LARGEST: usize = 128 * 1024;

/// All placeholders of a template, as shown to users.
const PLACES: &str = "{id}, {device}, {command}, {args}, {args.name}, {issued_at}, {expires_at} and {attempt}";

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    /// Literal text.
    Text(&'a str),
    /// The name of a placeholder, without its braces.
    Place(&'a str),
}

/// The values of the placeholders.
struct Values<'a> {
    id: &'a str,
    device: &'a str,
    command: &'a str,
    /// The arguments as they were written.
    args: &'a str,
    issued_at: Timestamp,
    expires_at: Timestamp,
    attempt: u32,
}

/// The request in its own form. Parts that the form does not define are the dialect's.
pub(crate) fn write(
    form: &WireForm,
    topics: &Topics,
    device: &DeviceId,
    request: &Request<'_>,
    native: Outbound,
) -> Outbound {
    let values = Values {
        id: request.id.as_str(),
        device: device.as_str(),
        command: request.command,
        args: request.args,
        issued_at: request.issued_at,
        expires_at: request.expires_at,
        attempt: request.attempt,
    };
    let mut outbound = native;
    if let Some(topic) = &form.topic {
        outbound.topic = topics.own(&values.plain(topic));
        if topics.is_broadcast(&outbound.topic) {
            // Each device answers where it always does.
            outbound.response_topic = None;
        }
    }
    if let Some(payload) = &form.payload {
        let (text, content_type) =
            if form.plain { (values.plain(payload), PLAIN) } else { (values.json(payload), JSON) };
        outbound.payload = text.into_bytes();
        outbound.content_type = content_type;
    }
    outbound
}

/// Whether the request contains the command's ID.
pub(crate) fn carries_id(form: &WireForm) -> bool {
    let names_id = |template: &str| parts(template).any(|part| part == Part::Place("id"));
    form.payload.as_deref().is_none_or(names_id) || form.topic.as_deref().is_some_and(names_id)
}

/// The arguments in a form.
pub(crate) fn arguments_named(form: &WireForm) -> Vec<&str> {
    let templates = [form.topic.as_deref(), form.payload.as_deref()];
    templates.into_iter().flatten().flat_map(parts).filter_map(argument_in).collect()
}

/// The arguments in its payload as values, so that `null` is sent if they are missing.
pub(crate) fn arguments_as_values(form: &WireForm) -> Vec<&str> {
    let mut quoted = false;
    let values = form.payload.as_deref().filter(|_| !form.plain).into_iter().flat_map(parts).filter_map(|part| {
        if let Part::Text(text) = part {
            quoted = is_in_quotes(text, quoted);
        }
        argument_in(part).filter(|_| !quoted)
    });
    values.collect()
}

/// Why a form cannot be used for the command of that name at all, as a sentence.
pub(crate) fn is_unusable(form: &WireForm, command: &str) -> Option<String> {
    form.topic
        .as_deref()
        .and_then(|topic| unusable_topic(topic, command))
        .or_else(|| form.payload.as_deref().and_then(|payload| unusable_payload(payload, form.plain)))
}

/// Why a form cannot be written for that command with these arguments, as a sentence.
pub(crate) fn refuses(form: &WireForm, topics: &Topics, command: &str, args: &str) -> Option<String> {
    if let Some(why) = is_unusable(form, command) {
        return Some(why);
    }
    if let Some(template) = &form.topic {
        for name in parts(template).filter_map(argument_in) {
            let level = json::part(args, name).map(shown);
            match level.as_deref() {
                None | Some("") => return Some(format!("The topic {template} needs the argument '{name}'.")),
                Some(level) if !is_in_one_level(level) => {
                    let level = words::shortened(level, 40);
                    return Some(format!("The argument '{name}' is {level:?}, which is not allowed in a topic."));
                }
                Some(_) => {}
            }
        }
    }
    sample(command, args, |values| {
        let topic = form.topic.as_deref().map(|template| topics.own(&values.plain(template)));
        if let Some(why) = topic.and_then(|topic| unusable_for_requests(&topic, topics)) {
            return Some(why);
        }
        let payload = form.payload.as_deref()?;
        let bytes = if form.plain { values.plain(payload) } else { values.json(payload) }.len();
        (bytes > LARGEST)
            .then(|| format!("The payload would have {} bytes; the limit is {}.", grouped(bytes), grouped(LARGEST)))
    })
}

fn unusable_topic(template: &str, command: &str) -> Option<String> {
    if let Some(why) = unusable_text(template, "topic") {
        return Some(why);
    }
    let allowed = |name: &str| matches!(name, "device" | "id" | "command") || name.starts_with("args.");
    if let Some(Part::Place(name)) = parts(template).find(|part| matches!(part, Part::Place(name) if !allowed(name))) {
        return Some(format!(
            "{{{name}}} is not allowed in a topic. {{device}}, {{id}}, {{command}} and {{args.name}} are."
        ));
    }
    if !parts(template).any(|part| part == Part::Place("device")) {
        return Some(format!(
            "The topic {template} does not contain {{device}}, so a command would reach every device. Add it."
        ));
    }
    if parts(template).any(|part| part == Part::Place("command")) && !is_in_one_level(command) {
        let command = words::shortened(command, 40);
        return Some(format!("The topic contains {{command}}, but the name {command:?} is not allowed in a topic."));
    }
    sample(command, "{}", |values| {
        let topic = fill(template, |name| if name.starts_with("args.") { "x".to_owned() } else { values.text(name) });
        unusable_for_requests(&topic, &Topics::default())
    })
}

/// Whether a text can be a part of one level of a topic.
fn is_in_one_level(text: &str) -> bool {
    !text.chars().any(|c| matches!(c, '/' | '+' | '#') || c.is_control())
}

/// MQTT 5 section 4.7: what a topic to publish to may not have.
fn unusable_for_requests(topic: &str, topics: &Topics) -> Option<String> {
    if topic.len() > LONGEST_TOPIC {
        return Some(format!(
            "The topic would have {} bytes; the limit is {}.",
            grouped(topic.len()),
            grouped(LONGEST_TOPIC)
        ));
    }
    if let Some(wildcard) = topic.chars().find(|c| matches!(c, '+' | '#')) {
        return Some(format!("The topic contains the wildcard {wildcard}. Only subscriptions can have wildcards."));
    }
    if topic.split('/').any(str::is_empty) {
        return Some("The topic has an empty level. Remove the extra /.".to_owned());
    }
    if topic.starts_with('$') {
        return Some("The topic begins with '$'. Such topics are reserved for the broker.".to_owned());
    }
    if topic.chars().any(char::is_control) {
        return Some("The topic contains a control character.".to_owned());
    }
    if topics.is_broadcast(topic) {
        return Some("The topic is a broadcast topic, but a command is for one device.".to_owned());
    }
    match topics.parse(topic) {
        Some((_, Channel::Req)) | None => None,
        Some((_, channel)) => Some(format!(
            "Devices publish on …/{}, so a command on this topic would be mistaken for a device's message.",
            channel.as_str()
        )),
    }
}

fn unusable_payload(template: &str, plain: bool) -> Option<String> {
    if let Some(why) = unusable_text(template, "payload") {
        return Some(why);
    }
    if plain {
        return None;
    }
    sample("", "{}", |values| {
        let error = serde_json::from_str::<Value>(&values.json(template)).err()?;
        Some(format!(
            "The payload does not produce JSON ({error}). Put names and strings in double quotes, but not placeholders."
        ))
    })
}

fn unusable_text(template: &str, what: &str) -> Option<String> {
    if template.trim().is_empty() {
        return Some(format!("The {what} is empty. Enter one, or use the dialect's."));
    }
    if template.len() > LONGEST {
        return Some(format!("The {what} has {} bytes; the limit is {}.", grouped(template.len()), grouped(LONGEST)));
    }
    let unknown = parts(template).find_map(|part| match part {
        Part::Place(name) if !is_known(name) => Some(name),
        _ => None,
    })?;
    Some(format!("{{{}}} is unknown. Available: {PLACES}.", words::shortened(unknown, 40)))
}

fn is_known(name: &str) -> bool {
    matches!(name, "id" | "device" | "command" | "args" | "issued_at" | "expires_at" | "attempt")
        || name.strip_prefix("args.").is_some_and(|path| path.split('.').all(|key| !key.is_empty()))
}

fn argument_in(part: Part<'_>) -> Option<&str> {
    match part {
        Part::Place(name) => name.strip_prefix("args."),
        Part::Text(_) => None,
    }
}

/// Tries something with values as they could be; a command that has no name yet gets one.
fn sample<T>(command: &str, args: &str, try_out: impl FnOnce(&Values<'_>) -> T) -> T {
    try_out(&Values {
        id: "0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a",
        device: "device-1",
        command: if command.is_empty() { "command" } else { command },
        args,
        issued_at: Timestamp(1),
        expires_at: Timestamp(2),
        attempt: 1,
    })
}

impl Values<'_> {
    /// The plain text of a value: text unchanged, other values as JSON, and nothing for a missing value.
    fn plain(&self, template: &str) -> String {
        fill(template, |name| self.text(name))
    }

    /// The JSON of a value: within quotes as part of the text, elsewhere as a value; `null` if it is missing.
    fn json(&self, template: &str) -> String {
        let mut written = String::with_capacity(template.len() + 64);
        let mut quoted = false;
        for part in parts(template) {
            match part {
                Part::Text(text) => {
                    quoted = is_in_quotes(text, quoted);
                    written.push_str(text);
                }
                Part::Place(name) if quoted => {
                    let text = Value::from(self.text(name)).to_string();
                    written.push_str(&text[1..text.len() - 1]);
                }
                Part::Place(name) => written.push_str(&self.value(name)),
            }
        }
        written
    }

    fn text(&self, name: &str) -> String {
        match name {
            "id" => self.id.to_owned(),
            "device" => self.device.to_owned(),
            "command" => self.command.to_owned(),
            name => match name.strip_prefix("args.") {
                Some(path) => json::part(self.args, path).map(shown).unwrap_or_default(),
                None => self.value(name),
            },
        }
    }

    fn value(&self, name: &str) -> String {
        match name {
            "issued_at" => self.issued_at.0.to_string(),
            "expires_at" => self.expires_at.0.to_string(),
            "attempt" => self.attempt.to_string(),
            "args" if self.args.trim().is_empty() => "{}".to_owned(),
            // To the last digit as it was asked.
            "args" => self.args.to_owned(),
            "id" | "device" | "command" => Value::from(self.text(name)).to_string(),
            name => {
                let path = name.strip_prefix("args.").unwrap_or_default();
                json::part(self.args, path).unwrap_or_else(|| "null".to_owned())
            }
        }
    }
}

fn fill(template: &str, mut value: impl FnMut(&str) -> String) -> String {
    parts(template)
        .map(|part| match part {
            Part::Text(text) => text.to_owned(),
            Part::Place(name) => value(name),
        })
        .collect()
}

/// The pieces of a template, one after the other. Braces around anything but a name are text, as JSON has them.
fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, after) = match name_at_start(rest) {
            Some(name) => (Part::Place(name), &rest[name.len() + 2..]),
            None => {
                let begin = |at: &usize| name_at_start(&rest[*at..]).is_some();
                let end = rest.match_indices('{').map(|(at, _)| at).find(begin).unwrap_or(rest.len());
                (Part::Text(&rest[..end]), &rest[end..])
            }
        };
        rest = after;
        Some(part)
    })
}

/// The name in braces that a text begins with.
fn name_at_start(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain)).then_some(name)
}

/// Whether a JSON text is within quotes after this piece of it.
fn is_in_quotes(text: &str, before: bool) -> bool {
    let mut quoted = before;
    let mut escaped = false;
    for c in text.chars() {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
    }
    quoted
}

/// A text without its quotes, everything else as it was written.
fn shown(written: String) -> String {
    serde_json::from_str(&written).unwrap_or(written)
}

#[cfg(test)]
mod tests;
