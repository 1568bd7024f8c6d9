//! Encodes requests.

use std::{borrow::Cow, collections::BTreeMap};

use wilco_ledger::{CommandId, DeviceId, Expectation, MOST_TERMS, Term, Timestamp, grouped};

use super::{DialectSet, Member};
use crate::{
    Channel, KnownDevice, Request,
    devices::{CommandRequest, Control, DeviceCommand, Devices, RequestPayload},
    file::{Expect, IdKind, RequestRule, VARIANT, flattened, listed},
    json::ExactValue,
    pattern::{Kind, Known, Pattern},
    payload::{Args, Values},
};

/// The longest topic, bytes.
const LONGEST_TOPIC: usize = 1_024;
/// The largest payload, bytes: what AWS carries in one message.
const LARGEST: usize = 128 * 1024;

/// A command for a device, before its ID is known.
#[derive(Debug, Clone, Copy)]
pub struct CommandToEncode<'a> {
    /// The device.
    pub device: &'a KnownDevice,
    /// The command's name.
    pub command: &'a str,
    /// Its arguments as JSON text.
    pub args: &'a str,
}

/// The request and its expected report.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The topic.
    pub topic: String,
    /// The payload. Never retained.
    pub payload: String,
    /// How the command ID is encoded.
    pub id: IdKind,
    /// The required report; `None` if answers contain the command's ID.
    pub expects: Option<Expectation>,
}

impl Message {
    /// Whether answers can refer to the command.
    #[must_use]
    pub fn answers_carry_ids(&self) -> bool {
        self.id != IdKind::None
    }

    /// Whether the device can report back.
    #[must_use]
    pub fn answer_expected(&self) -> bool {
        !matches!(self.expects, Some(Expectation::Nothing(_)))
    }
}

impl DialectSet {
    /// The encoding of the command's ID; call it before [`DialectSet::encode`], which requires the ID.
    ///
    /// # Errors
    /// A sentence: why the device cannot be asked like this.
    pub fn id_kind(&self, asking: &CommandToEncode<'_>) -> Result<IdKind, String> {
        let member = self.of(asking)?;
        if member.native.is_some() {
            return Ok(IdKind::Text);
        }
        let (command, args) = by_request(asking);
        let asking = CommandToEncode { command: &command, args: &args, ..*asking };
        let args = parsed(asking.args)?;
        Ok(member.rule(&asking, &args).map_or(IdKind::None, |rule| rule.id))
    }

    /// A request to a device. `wire_id` is the command's ID in the form of [`DialectSet::id_kind`].
    ///
    /// # Errors
    /// A sentence: why the device cannot be asked like this.
    pub fn encode(
        &self,
        asking: &CommandToEncode<'_>,
        devices: &Devices,
        id: &CommandId,
        wire_id: &str,
    ) -> Result<Message, String> {
        let member = self.of(asking)?;
        if let Some(native) = &member.native {
            return native_message(native, asking, id);
        }
        let found = asking.device.command(asking.command);
        if let Some(why) = found.and_then(|command| command.refused.as_ref()) {
            return Err(why.to_string());
        }
        let message = match found {
            Some(command) if matches!(command.ask, CommandRequest::Topic { .. }) => {
                let message = named(member, command, asking.args)?;
                self.is_own(asking.device, devices, &message.topic)?;
                message
            }
            _ => {
                let (command, args) = by_request(asking);
                let asking = CommandToEncode { command: &command, args: &args, ..*asking };
                let args = parsed(asking.args)?;
                let rule = member.rule(&asking, &args).ok_or_else(|| {
                    format!("{} has no command '{}' with these arguments.", member.file.title, asking.command)
                })?;
                let topic = member.topic(rule, asking.device)?;
                member.message(rule, topic, &asking, &args, wire_id)?
            }
        };
        self.refuses(member, asking.device, &message)?;
        Ok(message)
    }

    fn of<'s>(&'s self, asking: &CommandToEncode<'_>) -> Result<&'s Member, String> {
        let dialect = &asking.device.dialect;
        self.member(dialect).ok_or_else(|| format!("The dialect '{dialect}' is not enabled on this connection."))
    }

    /// Refuses requests on topics of Wilco's own dialect, requests that would reach several devices, and invalid topics
    /// and payloads.
    fn refuses(&self, member: &Member, device: &KnownDevice, message: &Message) -> Result<(), String> {
        usable(&message.topic)?;
        if let Some(group) = member.group(&device.address) {
            return Err(format!(
                "'{}' refers to several devices ({}), so it cannot be the name of one.",
                group.device, group.title
            ));
        }
        let own = self.members.iter().filter_map(|member| member.native.as_ref());
        for native in own.filter(|_| member.native.is_none()) {
            if native.claims(&message.topic) {
                return Err(format!(
                    "'{}' is a topic of the wilco dialect, so this command cannot use it.",
                    message.topic
                ));
            }
        }
        if message.payload.len() > LARGEST {
            let bytes = message.payload.len();
            return Err(format!("The payload would have {} bytes; the limit is {}.", grouped(bytes), grouped(LARGEST)));
        }
        Ok(())
    }
}

fn native_message(native: &crate::Dialect, asking: &CommandToEncode<'_>, id: &CommandId) -> Result<Message, String> {
    if let Some(why) = native.refuses(asking.command, asking.args) {
        return Err(why);
    }
    let request = Request {
        id,
        command: asking.command,
        args: asking.args,
        form: None,
        issued_at: Timestamp(0),
        expires_at: Timestamp(0),
        attempt: 1,
        by: None,
    };
    let outbound = native.encode(&asking.device.id, &request, Timestamp(0));
    let payload = String::from_utf8(outbound.payload).map_err(|error| error.to_string())?;
    let id = if native.answers_carry_ids(asking.command) { IdKind::Text } else { IdKind::None };
    Ok(Message { topic: outbound.topic, payload, id, expects: None })
}

/// MQTT 5 section 4.7: what a topic to publish to may not have.
pub(crate) fn usable(topic: &str) -> Result<(), String> {
    if topic.is_empty() || topic.len() > LONGEST_TOPIC {
        return Err(format!(
            "The topic would have {} bytes; it must have from 1 to {}.",
            grouped(topic.len()),
            grouped(LONGEST_TOPIC)
        ));
    }
    if let Some(bad) = topic.chars().find(|c| matches!(c, '+' | '#') || c.is_control()) {
        return Err(format!("The topic would contain {bad:?}, which is not allowed in a topic to publish to."));
    }
    Ok(())
}

fn parsed(args: &str) -> Result<Args<'_>, String> {
    Args::parse(args).map_err(|error| format!("The arguments are not a JSON object ({error})."))
}

/// The dialect's request for a discovered command, with its arguments.
fn by_request<'a>(asking: &CommandToEncode<'a>) -> (Cow<'a, str>, Cow<'a, str>) {
    let plain = (Cow::Borrowed(asking.command), Cow::Borrowed(asking.args));
    let device: &'a KnownDevice = asking.device;
    let Some(found) = device.command(asking.command) else { return plain };
    let CommandRequest::Request { command, argument, beside } = &found.ask else { return plain };
    let Ok(given) = Args::parse(asking.args) else { return plain };
    let mut args = crate::in_place::beside_of(beside.as_deref());
    if let Some(argument) = argument {
        let value = given.value("value").or_else(|| given.value("on")).or_else(|| given.value(argument));
        let value = value.map(|value| match (&found.control, value) {
            (Control::Switch { on, off }, ExactValue::Bool(is_on)) => word(found.sent(if is_on { on } else { off })),
            (Control::Choice(_), ExactValue::String(text)) => found.sent(&text),
            (_, value) => value,
        });
        crate::in_place::put_at(&mut args, argument, value.unwrap_or_default());
    }
    (Cow::Borrowed(&**command), Cow::Owned(args.to_string()))
}

/// A word for on or off, where `true` and `false` are no texts.
fn word(word: ExactValue) -> ExactValue {
    match word.as_str() {
        Some("true") => ExactValue::Bool(true),
        Some("false") => ExactValue::Bool(false),
        _ => word,
    }
}

/// A command on a topic that discovery names.
fn named(member: &Member, command: &DeviceCommand, args: &str) -> Result<Message, String> {
    let CommandRequest::Topic { topic, payload } = &command.ask else {
        return Err(format!("'{}' has no command topic.", command.name));
    };
    let args = parsed(args)?;
    let value = match (&command.control, args.value("value").or_else(|| args.value("on"))) {
        (Control::Switch { on, off }, Some(ExactValue::Bool(is_on))) => {
            Some(ExactValue::from(if is_on { &**on } else { &**off }))
        }
        (_, given) => given,
    };
    let wanted = value.as_ref().filter(|_| !matches!(payload, RequestPayload::Fixed(_))).map(ExactValue::plain);
    let reported = |sent: &str| command.reported(sent).to_owned();
    // A template's output is for the device alone; the expected state is the value.
    let is_json = matches!(payload, RequestPayload::Json | RequestPayload::Fixed(_));
    let is_member = matches!(payload, RequestPayload::Member(_));
    let missing = || format!("'{}' needs a value: {{\"value\": …}}.", command.title);
    let payload = match payload {
        RequestPayload::Fixed(fixed) => fixed.to_string(),
        RequestPayload::Value => wanted.clone().ok_or_else(missing)?,
        RequestPayload::Json => json(&args, value.as_ref()),
        RequestPayload::Member(name) => {
            let value = value.clone().ok_or_else(missing)?;
            let mut object = ExactValue::Object(vec![("state".to_owned(), "ON".into())]);
            crate::in_place::put_at(&mut object, name, value);
            object.to_string()
        }
        RequestPayload::Template(template) => {
            let value = value.as_ref().ok_or_else(missing)?;
            let made = template.command(value);
            made.ok_or_else(|| format!("The template of '{}' produces nothing for this value.", command.title))?
        }
    };
    // Of a colour each part is expected.
    let is_word = command.reported_as.iter().any(|(sent, _)| **sent == *payload);
    let by_member = if is_member { wanted.as_deref() } else { (is_json && !is_word).then_some(&*payload) };
    let expects = match &command.reports {
        None => Expectation::Nothing("Its discovery has no state topic, so it cannot report back.".into()),
        Some(key) => Expectation::State {
            terms: named_terms(member, key, wanted.as_deref().unwrap_or(&payload), by_member, &reported).into(),
            words_under: Box::default(),
        },
    };
    Ok(Message { topic: topic.to_string(), payload, id: IdKind::None, expects: Some(expects) })
}

/// The arguments as a light with `schema: json` takes them: `on` and `value` are its state.
fn json(args: &Args<'_>, value: Option<&ExactValue>) -> String {
    let mut object = ExactValue::Object(Vec::new());
    if let Some(value) = value {
        object.set("state", value.clone());
    }
    for (name, raw) in args.members().filter(|(name, _)| !matches!(*name, "on" | "value")) {
        object.set(name, ExactValue::parse(raw).unwrap_or_default());
    }
    object.to_string()
}

/// The required report after a payload on a topic that discovery names: the value, or each member of a JSON object.
fn named_terms(
    member: &Member,
    key: &str,
    wanted: &str,
    payload: Option<&str>,
    reported: &dyn Fn(&str) -> String,
) -> Vec<Term> {
    let compare = &member.file.compare;
    let term = |key: &str, sent: &str| Term { key: compare.key(key), value: compare.asked(&reported(sent)) };
    match payload.and_then(|payload| ExactValue::parse(payload).ok()) {
        Some(ExactValue::Object(members)) => {
            let named = members.iter().filter(|(name, value)| !value.is_object() && *name != "transition");
            let key = |name: &str| if name == "state" { key.to_owned() } else { format!("{key}/{name}") };
            named.take(MOST_TERMS).map(|(name, value)| term(&key(name), &value.plain())).collect()
        }
        _ => vec![term(key, wanted)],
    }
}

impl Member {
    /// The first request rule that matches.
    fn rule(&self, asking: &CommandToEncode<'_>, args: &Args<'_>) -> Option<&RequestRule> {
        self.rules(asking, args).into_iter().find(|rule| self.is_set(rule, asking.device))
    }

    /// The topic for a device, among the several of a rule: the first one, unless a setting selects a variant.
    fn topic<'m>(&self, rule: &'m RequestRule, device: &KnownDevice) -> Result<&'m Pattern, String> {
        let own = device.vars.get(VARIANT).map(|variant| Cow::Borrowed(&**variant));
        let Some(wanted) = own.or_else(|| self.setting(VARIANT)) else { return Ok(&rule.topics[0]) };
        let place = self.file.variants.iter().position(|one| *one == *wanted).ok_or_else(|| {
            let (title, variants) = (&self.file.title, self.file.variants.join(", "));
            format!("{title} has no variant '{wanted}'. Use one of: {variants}.")
        })?;
        Ok(rule.topics.get(place).unwrap_or(&rule.topics[0]))
    }

    /// Whether the settings are as a rule wants them.
    fn is_set(&self, rule: &RequestRule, device: &KnownDevice) -> bool {
        rule.settings.iter().all(|(name, wanted)| {
            let own = device.vars.get(name.as_str()).map(|value| Cow::Borrowed(&**value));
            own.or_else(|| self.setting(name)).unwrap_or_default() == *wanted
        })
    }

    /// All request rules that match, whatever the settings are.
    pub(crate) fn rules(&self, asking: &CommandToEncode<'_>, args: &Args<'_>) -> Vec<&RequestRule> {
        self.file.requests.iter().filter(|rule| applies(rule, asking, args, self.file.compare.command_kind())).collect()
    }

    /// The message that a rule makes.
    pub(crate) fn message(
        &self,
        rule: &RequestRule,
        topic: &Pattern,
        asking: &CommandToEncode<'_>,
        args: &Args<'_>,
        wire_id: &str,
    ) -> Result<Message, String> {
        let captured = command_parts(rule, asking.command, self.file.compare.command_kind());
        let text = |name: &str| self.value(name, asking, wire_id, &captured);
        let in_topic = |name: &str| match name.strip_prefix("args.") {
            Some(path) => args.text(path).filter(|level| !level.is_empty() && !level.contains(['/', '+', '#'])),
            None => text(name),
        };
        let topic = topic
            .fill(&in_topic)
            .map(|topic| asking.device.rooted(topic))
            .map_err(|name| format!("The topic contains {{{name}}}, but there is no valid value for it."))?;
        let values = Values { text: &text, numeric_id: rule.id == IdKind::Int31, args };
        let payload = rule.payload.fill(&values);
        let expects = match (&rule.expect, &rule.silent) {
            (Some(expect), _) => Some(self.expectation(expect, &values, asking.device)),
            (None, Some(why)) => Some(Expectation::Nothing(why.clone())),
            (None, None) => None,
        };
        Ok(Message { topic, payload, id: rule.id, expects })
    }

    fn value<'v>(
        &'v self,
        name: &str,
        asking: &CommandToEncode<'v>,
        wire_id: &'v str,
        captured: &'v BTreeMap<String, String>,
    ) -> Option<Cow<'v, str>> {
        match name {
            "device" => Some(Cow::Borrowed(&*asking.device.address)),
            "command" => Some(Cow::Borrowed(asking.command)),
            "id" => Some(Cow::Borrowed(wire_id)),
            name => {
                let own = || asking.device.vars.get(name).map(|value| Cow::Borrowed(&**value));
                captured.get(name).map(|text| Cow::Borrowed(text.as_str())).or_else(own).or_else(|| self.setting(name))
            }
        }
    }

    fn expectation(&self, expect: &Expect, values: &Values<'_, '_>, device: &KnownDevice) -> Expectation {
        let compare = &self.file.compare;
        let fill = |pattern: &Pattern, key: &str| {
            let value = |name: &str| match name.strip_prefix("args.") {
                _ if name == "key" => Some(Cow::Owned(key.to_owned())),
                Some(path) => Some(values.args.text(path).unwrap_or_default()),
                None => Some((values.text)(name).unwrap_or_default()),
            };
            pattern.fill(&value).unwrap_or_default()
        };
        let wanted = |value: String| compare.asked(device.word(&value));
        let mut terms: Vec<Term> = Vec::new();
        if let Some(each) = &expect.each {
            let text = if **each == *"args" { Some(Cow::Borrowed(values.args.written)) } else { (values.text)(each) };
            let text = text.unwrap_or_default();
            match ExactValue::parse(&text) {
                Ok(ExactValue::Object(members)) => {
                    for (name, value) in members.iter().filter(|(name, _)| !compare.is_unreported(name)) {
                        let key = |key: &str| compare.key(&fill(&expect.key, key));
                        if *value == ExactValue::Null || compare.is_reshaped(name) {
                            terms.push(Term { key: key(name), value: None });
                            continue;
                        }
                        let mut leaves = Vec::new();
                        flattened(name, value, &mut leaves);
                        terms.extend(
                            leaves.into_iter().map(|(path, value)| Term { key: key(&path), value: wanted(value) }),
                        );
                    }
                }
                _ => {
                    terms.push(Term { key: compare.key(&fill(&expect.key, "state")), value: wanted(text.into_owned()) })
                }
            }
        } else {
            let key = compare.key(&fill(&expect.key, ""));
            let value = expect.value.as_ref().filter(|_| !compare.is_reshaped(&key));
            terms.push(Term { value: value.and_then(|value| wanted(fill(value, ""))), key });
        }
        if terms.is_empty() {
            return Expectation::Nothing("This kind of device does not report back.".into());
        }
        terms.truncate(MOST_TERMS);
        let mut words_under: Vec<Box<str>> = expect.words_under.iter().map(|key| compare.key(&fill(key, ""))).collect();
        if compare.words_without_index {
            words_under.extend(without_index(&terms, &words_under));
        }
        Expectation::State { terms: terms.into(), words_under: words_under.into() }
    }
}

/// The names under which words are expected, without their numbers.
fn without_index(terms: &[Term], words_under: &[Box<str>]) -> Vec<Box<str>> {
    let keys = terms.iter().map(|term| &term.key).chain(words_under);
    let shorter = keys.filter_map(|key| {
        let name = key.trim_end_matches(|c: char| c.is_ascii_digit());
        (!name.is_empty() && name.len() < key.len()).then(|| name.into())
    });
    shorter.collect()
}

/// What stands in the places of a rule's command.
fn command_parts(rule: &RequestRule, command: &str, kind: Kind) -> BTreeMap<String, String> {
    let none = |_: &str| None;
    let known = Known { bound: &none, is_device: &|_| false };
    let captures = rule.commands.iter().find_map(|pattern| pattern.read(command, kind, &known));
    captures
        .into_iter()
        .flat_map(|captures| captures.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect::<Vec<_>>())
        .collect()
}

fn applies(rule: &RequestRule, asking: &CommandToEncode<'_>, args: &Args<'_>, kind: Kind) -> bool {
    let none = |_: &str| None;
    let known = Known { bound: &none, is_device: &|_| false };
    let reads = |pattern: &Pattern| pattern.read(asking.command, kind, &known).is_some();
    let is_command = rule.commands.is_empty() || rule.commands.iter().any(reads);
    let address = &*asking.device.address;
    let is_device = rule.device.as_deref().is_none_or(|device| match device.strip_prefix('!') {
        Some(other) => other != address,
        None => device == address,
    });
    let has = |name: &String| args.names().any(|one| one == name);
    let only = rule.only.is_empty()
        || (rule.only.iter().all(has) && args.names().all(|name| rule.only.iter().any(|one| one == name)));
    let values = rule.values.iter().all(|(name, values)| {
        let given = args.text(name).unwrap_or_default();
        listed(values, &given)
    });
    is_command && is_device && only && values && rule.needs.iter().all(has)
}

impl crate::Dialect {
    /// Whether a topic belongs to devices of this dialect.
    pub(crate) fn claims(&self, topic: &str) -> bool {
        let topics = self.topics();
        matches!(
            topics.parse(topic),
            Some((
                _,
                Channel::Req | Channel::Resp | Channel::Status | Channel::State | Channel::Telemetry | Channel::Log
            ))
        ) || topics.is_broadcast(topic)
    }
}

/// The id of a device by a name that may have several levels.
pub(crate) fn device_id(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap_or_else(|_| DeviceId::closest_to(name))
}
