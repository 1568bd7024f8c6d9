//! A dialect file as a form: the parts that most firmware needs, as plain texts. Form and file have the same content.
//!
//! A file can contain more than the form. Then it has no form ([`DialectForm::of`]) and is edited as text.

use std::fmt::Write as _;

use serde_json::Value;
use toml::Spanned;
use wilco_ledger::Outcome;

use super::{
    DialectFile, FORMAT, FileProblem, IdKind,
    source::{As, IdSource, OneOrMany, ReceiveSource, Source},
};

/// The fields. An empty text means that the part is not described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialectForm {
    /// The name: one word, such as `my-firmware`.
    pub name: String,
    /// The title.
    pub title: String,
    /// The description, a sentence.
    pub about: String,
    /// The topic of requests, with `{device}`.
    pub request_topic: String,
    /// The payload, with `{command}`, `{id}` and `{args...}`.
    pub request_payload: String,
    /// The payload is JSON.
    pub is_json: bool,
    /// How the command's ID is written.
    pub request_id: IdKind,
    /// The topic of answers.
    pub answer_topic: String,
    /// The place of the command's ID in an answer; empty if answers contain none.
    pub answer_id: String,
    /// The outcomes; the first match counts.
    pub outcomes: Vec<OutcomeField>,
    /// The topic on which the device reports its state.
    pub state_topic: String,
    /// The key of a state that is a single value.
    pub state_key: String,
    /// The key that the device must report to settle a command without an answer; empty: each argument under its name.
    pub expect_key: String,
    /// The required value; empty: any.
    pub expect_value: String,
    /// The reason why the device cannot report back, as a sentence.
    pub silent: String,
    /// The topic of the device's presence.
    pub presence_topic: String,
    /// The place of the presence in that payload; empty: the whole payload.
    pub presence_at: String,
    /// The values for online, separated by commas.
    pub online: String,
    /// The values for offline, separated by commas.
    pub offline: String,
    /// The topics of measurements.
    pub telemetry: Vec<String>,
}

/// A value in an answer, and its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeField {
    /// Its place: a JSON pointer, a placeholder of the topic, or a field of a text. If place and value are empty, it matches every answer.
    pub at: String,
    /// The value, or several separated by commas. `word*` matches the beginning of a text. Empty: any value.
    pub is: String,
    /// What it means.
    pub means: Outcome,
    /// The place of the device's message.
    pub message: String,
}

impl Default for DialectForm {
    fn default() -> DialectForm {
        let text = String::new;
        DialectForm {
            name: text(),
            title: text(),
            about: text(),
            request_topic: text(),
            request_payload: text(),
            is_json: true,
            request_id: IdKind::Text,
            answer_topic: text(),
            answer_id: text(),
            outcomes: Vec::new(),
            state_topic: text(),
            state_key: text(),
            expect_key: text(),
            expect_value: text(),
            silent: text(),
            presence_topic: text(),
            presence_at: text(),
            online: text(),
            offline: text(),
            telemetry: Vec::new(),
        }
    }
}

impl DialectForm {
    /// An example for firmware whose answers contain the command's ID.
    #[must_use]
    pub fn starter() -> DialectForm {
        let outcome = |is: &str, means, message: &str| OutcomeField {
            at: "/status".to_owned(),
            is: is.to_owned(),
            means,
            message: message.to_owned(),
        };
        DialectForm {
            name: "my-firmware".to_owned(),
            title: "My firmware".to_owned(),
            request_topic: "{device}/in".to_owned(),
            request_payload: r#"{"cmd":{command},"id":{id},{args...}}"#.to_owned(),
            answer_topic: "{device}/out".to_owned(),
            answer_id: "/id".to_owned(),
            outcomes: vec![outcome("ok", Outcome::Succeeded, ""), outcome("error", Outcome::Failed, "/message")],
            ..DialectForm::default()
        }
    }

    /// The form of a file; `None` for one with more than the form can show.
    ///
    /// # Errors
    /// All that is wrong with the file, by line.
    pub fn of(text: &str) -> Result<Option<DialectForm>, Vec<FileProblem>> {
        let file = DialectFile::parse(text)?;
        let Ok(source) = toml::from_str::<Source>(text) else { return Ok(None) };
        let form = read(&source);
        // Only if nothing is lost.
        Ok(form.filter(|form| DialectFile::parse(&form.text("")).is_ok_and(|written| written == file)))
    }

    /// The equivalent file. Comments at the head of the previous file are kept.
    #[must_use]
    pub fn text(&self, before: &str) -> String {
        let mut text = String::new();
        for line in before.lines().take_while(|line| line.starts_with('#') || line.trim().is_empty()) {
            text.push_str(line);
            text.push('\n');
        }
        // Writing to a text does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "format = {FORMAT}")?;
        for (name, value) in [("name", &self.name), ("title", &self.title), ("about", &self.about)] {
            writeln!(text, "{name} = {}", quoted(value))?;
        }
        if !self.request_topic.is_empty() {
            writeln!(text, "\n[[request]]\ntopic = {}", quoted(&self.request_topic))?;
            if !self.request_payload.is_empty() {
                let name = if self.is_json { "json" } else { "text" };
                writeln!(text, "{name} = {}", template(&self.request_payload))?;
            }
            match self.request_id {
                IdKind::Text => writeln!(text, "id = \"text\"")?,
                IdKind::Int31 => writeln!(text, "id = \"int31\"")?,
                IdKind::None => {}
            }
            self.write_expectation(text)?;
        }
        if !self.answer_topic.is_empty() {
            writeln!(text, "\n[[receive]]\ntopic = {}\nas = \"answer\"", quoted(&self.answer_topic))?;
            if !self.answer_id.is_empty() {
                writeln!(text, "id = {}", quoted(&self.answer_id))?;
            }
            writeln!(text, "outcome = [")?;
            self.outcomes.iter().try_for_each(|outcome| outcome.write(text))?;
            writeln!(text, "]")?;
        }
        if !self.state_topic.is_empty() {
            writeln!(text, "\n[[receive]]\ntopic = {}\nas = \"state\"", quoted(&self.state_topic))?;
            if !self.state_key.is_empty() {
                writeln!(text, "key = {}", quoted(&self.state_key))?;
            }
        }
        if !self.presence_topic.is_empty() {
            writeln!(text, "\n[[receive]]\ntopic = {}\nas = \"presence\"", quoted(&self.presence_topic))?;
            if !self.presence_at.is_empty() {
                writeln!(text, "at = {}", quoted(&self.presence_at))?;
            }
            writeln!(text, "online = {}\noffline = {}", listed(&self.online), listed(&self.offline))?;
        }
        for topic in self.telemetry.iter().filter(|topic| !topic.is_empty()) {
            writeln!(text, "\n[[receive]]\ntopic = {}\nas = \"telemetry\"", quoted(topic))?;
        }
        Ok(())
    }

    /// The evidence that a command was carried out, if there is no answer.
    fn write_expectation(&self, text: &mut String) -> std::fmt::Result {
        if !self.silent.is_empty() {
            return writeln!(text, "silent = {}", quoted(&self.silent));
        }
        if !self.answer_topic.is_empty() || self.state_topic.is_empty() {
            return Ok(());
        }
        if self.expect_key.is_empty() {
            return writeln!(text, "expect = {{ each = \"args\" }}");
        }
        let value = match self.expect_value.as_str() {
            "" => String::new(),
            value => format!(", value = {}", quoted(value)),
        };
        writeln!(text, "expect = {{ key = {}{value} }}", quoted(&self.expect_key))
    }
}

impl OutcomeField {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        let mut parts = Vec::new();
        // A word without a place is the whole payload.
        if !self.at.is_empty() || !self.is.is_empty() {
            parts.push(format!("at = {}", quoted(&self.at)));
        }
        match self.is.strip_suffix('*') {
            Some(start) if !start.is_empty() && !start.contains(',') => {
                parts.push(format!("begins = {}", quoted(start)));
            }
            _ if self.is.is_empty() => {}
            _ => parts.push(format!("is = {}", listed_values(&self.is))),
        }
        parts.push(format!("means = \"{}\"", self.means.state().as_str()));
        if !self.message.is_empty() {
            parts.push(format!("message = {}", quoted(&self.message)));
        }
        writeln!(text, "  {{ {} }},", parts.join(", "))
    }
}

/// What of a file the form has room for; `None` where something is plainly too much.
fn read(source: &Source) -> Option<DialectForm> {
    let mut form = DialectForm {
        name: source.name.get_ref().clone(),
        title: source.title.clone(),
        about: source.about.clone(),
        ..DialectForm::default()
    };
    match source.requests.as_slice() {
        [] => {}
        [request] => {
            let request = request.get_ref();
            form.request_topic = single(request.topic.as_ref().or(source.topic.as_ref().map(Spanned::get_ref))?)?;
            form.is_json = request.text.is_none();
            form.request_payload = request.json.as_ref().or(request.text.as_ref()).cloned().unwrap_or_default();
            form.request_id = match request.id {
                IdSource::Text => IdKind::Text,
                IdSource::Int31 => IdKind::Int31,
                IdSource::None => IdKind::None,
            };
            form.silent = request.silent.clone().unwrap_or_default();
            if let Some(expect) = &request.expect {
                form.expect_key = expect.key.clone().unwrap_or_default();
                form.expect_value = expect.value.clone().unwrap_or_default();
            }
        }
        _ => return None,
    }
    for receive in &source.receive_rules {
        form.add(receive.get_ref())?;
    }
    Some(form)
}

impl DialectForm {
    fn add(&mut self, receive: &ReceiveSource) -> Option<()> {
        let topic = single(&receive.topic)?;
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        match receive.kind {
            As::Answer if self.answer_topic.is_empty() => {
                self.answer_topic = topic;
                self.answer_id = text(&receive.id);
                for outcome in &receive.outcome {
                    let means = outcome.means.outcome()?;
                    let message = outcome.message.as_ref().map_or(Some(String::new()), single)?;
                    let begins = match &outcome.begins {
                        Some(begins) => Some(format!("{}*", single(begins)?)),
                        None => None,
                    };
                    let is = outcome.is.as_ref().map(|is| is.all().join(", ")).or(begins).unwrap_or_default();
                    self.outcomes.push(OutcomeField { at: text(&outcome.at), is, means, message });
                }
            }
            As::State if self.state_topic.is_empty() => {
                self.state_topic = topic;
                self.state_key = text(&receive.key);
            }
            As::Presence if self.presence_topic.is_empty() => {
                self.presence_topic = topic;
                self.presence_at = text(&receive.at);
                self.online = receive.online.join(", ");
                self.offline = receive.offline.join(", ");
            }
            As::Telemetry => self.telemetry.push(topic),
            _ => return None,
        }
        Some(())
    }
}

fn single(topic: &OneOrMany) -> Option<String> {
    match topic.all() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// A text as TOML has it: its escapes are those of JSON, but for DEL.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// A payload, as it is written where that is possible.
fn template(text: &str) -> String {
    let is_plain = !text.contains('\'') && !text.chars().any(char::is_control);
    if is_plain { format!("'{text}'") } else { quoted(text) }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn listed(text: &str) -> String {
    format!("[{}]", words(text).map(quoted).collect::<Vec<_>>().join(", "))
}

/// Words, a single one without brackets. Numbers and `true` are compared by value however they are written.
fn listed_values(text: &str) -> String {
    let mut words = words(text);
    match (words.next(), words.next()) {
        (Some(one), None) => quoted(one),
        _ => listed(text),
    }
}

#[cfg(test)]
mod tests;
