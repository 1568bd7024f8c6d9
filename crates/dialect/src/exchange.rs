//! Recorded exchanges: a request, its answers, and how both must be interpreted.
//!
//! Replaying an exchange uses the real code: the dialect encodes the request, which is compared; a ledger records it as
//! sent; the dialect decodes the answers, the ledger handles them, and the resulting state of the command is compared.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use wilco_ledger::{
    About, Command, CommandId, Decimal, Delivery, DeviceId, Effect, Input, Ledger, Limits, Match, Millis, Policy,
    Puback, Raw, Retry, State, Submission, Timestamp, WireForm,
};

use crate::{
    DecodedMessage, DialectFile, DialectSet, Inbound, KnownDevice, Topics, Unreadable,
    devices::Devices,
    discovery::by_convention,
    file::{IdKind, ReaderKind, RefusedSetting, RequestRule},
    json::{ExactValue, canonical},
    pattern::{Kind, Known, Pattern},
    payload::Args,
    set::{CommandToEncode, Context, Meaning, Member, Message, device_id},
    wire_ids::WireIds,
};

/// A recorded exchange: a line of a file of exchanges.
#[derive(Debug, Clone, Deserialize)]
pub struct Exchange {
    /// The dialect's name.
    pub dialect: String,
    /// Its special features.
    pub name: String,
    /// The device's name in topics.
    pub device: String,
    /// The command's name.
    pub command: String,
    /// Its arguments, an object with its original text; empty if there are none.
    #[serde(default)]
    pub args: Option<Box<RawValue>>,
    /// The command ID.
    pub id: String,
    /// Its ID in messages, if that differs.
    #[serde(default)]
    pub wire_id: Option<Value>,
    /// The expected request; `None` if it is another console's.
    #[serde(default)]
    pub request: Option<Published>,
    /// The messages before it: the discovery messages of the device.
    #[serde(default)]
    pub discovery: Vec<Published>,
    /// Settings of the dialect that follow neither from the request nor from its defaults.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    /// The answers.
    #[serde(default)]
    pub answers: Vec<Published>,
    /// The expected result.
    pub expect: Expected,
}

/// A message of an exchange.
#[derive(Debug, Clone, Deserialize)]
pub struct Published {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: String,
    /// Whether the message was retained.
    #[serde(default)]
    pub retained: bool,
}

/// The expected interpretation of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Expected {
    /// The state of the command.
    pub state: ReadState,
    /// How the answer was matched; `None` without an answer.
    #[serde(default)]
    pub id: Option<ReadMatch>,
    /// The device's message.
    #[serde(default)]
    pub message: Option<String>,
}

/// The state of a command after an exchange; distinguishes the states that a device's messages can cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is named as the ledger's state is")]
pub enum ReadState {
    /// The device has not answered.
    Waiting,
    Accepted,
    Running,
    Succeeded,
    Failed,
    Rejected,
    Undeliverable,
    TimedOut,
    Expired,
    Cancelled,
}

/// How an answer was matched to its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadMatch {
    /// By its ID.
    Exact,
    /// Without an ID, but only this command was possible.
    Inferred,
    /// Without an ID, and several commands were possible.
    Ambiguous,
}

/// The result of replaying an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The actual interpretation.
    pub read: Expected,
    /// The differences, as sentences. Empty if the exchange passes.
    pub wrong: Vec<String>,
}

/// The console's name in the recording.
const CONSOLE: &str = "wilco";

const SECOND: i64 = 1_000;

impl Exchange {
    /// Replays it with one of these dialects.
    ///
    /// # Errors
    /// A sentence: why it cannot be played at all.
    pub fn play(&self, dialects: &[DialectFile]) -> Result<Played, String> {
        let file = dialects.iter().find(|file| file.name() == self.dialect);
        let file = file.ok_or_else(|| format!("There is no dialect named '{}'.", self.dialect))?;
        let mut wrong = Vec::new();
        let mut playing = Playing::of(self, file)?;
        let id = CommandId::new(&self.id).map_err(|error| format!("The ID is not valid: {error}."))?;
        let asked = playing.ask(self, &id, &mut wrong)?;
        let mut ledger = Ledger::new(Limits::default());
        let device = playing.device.clone();
        let mut now = SECOND;
        let mut tell = |ledger: &mut Ledger, input: Input| {
            now += SECOND / 10;
            ledger.handle(input, Timestamp(now))
        };
        tell(&mut ledger, Input::Connected);
        if self.request.is_none() {
            tell(&mut ledger, Input::Observed(asked));
        } else {
            let effects = tell(&mut ledger, Input::Submit(asked));
            let publish = effects.iter().any(|effect| matches!(effect, Effect::Publish { .. }));
            if !publish {
                return Err("The ledger does not send the command.".to_owned());
            }
            tell(&mut ledger, Input::Sent { device: device.clone(), id: id.clone(), attempt: 1 });
            let puback = Puback::Accepted { nobody_listening: false };
            tell(&mut ledger, Input::Delivered { device: device.clone(), id: id.clone(), attempt: 1, puback });
        }
        for answer in &self.answers {
            for input in playing.receive(answer) {
                tell(&mut ledger, input);
            }
        }
        let command = ledger.command(&device, &id).ok_or("The ledger has lost the command.")?;
        let read = reading(command);
        if read.state != self.expect.state {
            wrong.push(format!("It is {}, but should be {}.", read.state, self.expect.state));
        }
        if read.id != self.expect.id {
            let shown = |id: Option<ReadMatch>| id.map_or("not matched", ReadMatch::as_str);
            wrong.push(format!("Its match is {}, but should be {}.", shown(read.id), shown(self.expect.id)));
        }
        if read.message != self.expect.message {
            let shown = |message: &Option<String>| message.as_ref().map_or("none".to_owned(), |one| format!("{one:?}"));
            wrong.push(format!(
                "The message is {}, but should be {}.",
                shown(&read.message),
                shown(&self.expect.message)
            ));
        }
        Ok(Played { read, wrong })
    }
}

/// The state of a command in the terms of an exchange.
fn reading(command: &Command) -> Expected {
    let state = ReadState::from(command.state);
    let id = command.matched.map(|matched| match matched {
        Match::Exact => ReadMatch::Exact,
        Match::Inferred | Match::Reported => ReadMatch::Inferred,
        Match::Ambiguous => ReadMatch::Ambiguous,
    });
    // What ended without its device has a sentence of ours.
    let message = command.message.as_ref().filter(|_| state != ReadState::Waiting).map(ToString::to_string);
    Expected { state, id, message }
}

impl From<State> for ReadState {
    fn from(state: State) -> ReadState {
        match state {
            State::Queued | State::Held | State::Sent | State::AtBroker | State::Unconfirmed => ReadState::Waiting,
            State::Accepted => ReadState::Accepted,
            State::Running => ReadState::Running,
            State::Succeeded => ReadState::Succeeded,
            State::Failed => ReadState::Failed,
            State::Rejected => ReadState::Rejected,
            State::Undeliverable => ReadState::Undeliverable,
            State::TimedOut => ReadState::TimedOut,
            State::Expired => ReadState::Expired,
            State::Cancelled => ReadState::Cancelled,
        }
    }
}

impl fmt::Display for ReadState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            ReadState::Waiting => "waiting",
            ReadState::Accepted => State::Accepted.as_str(),
            ReadState::Running => State::Running.as_str(),
            ReadState::Succeeded => State::Succeeded.as_str(),
            ReadState::Failed => State::Failed.as_str(),
            ReadState::Rejected => State::Rejected.as_str(),
            ReadState::Undeliverable => State::Undeliverable.as_str(),
            ReadState::TimedOut => State::TimedOut.as_str(),
            ReadState::Expired => State::Expired.as_str(),
            ReadState::Cancelled => State::Cancelled.as_str(),
        })
    }
}

impl ReadMatch {
    /// The name in a file of exchanges.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReadMatch::Exact => "exact",
            ReadMatch::Inferred => "inferred",
            ReadMatch::Ambiguous => "ambiguous",
        }
    }
}

/// An exchange that is being played.
struct Playing {
    set: DialectSet,
    devices: Devices,
    wire_ids: WireIds,
    device: DeviceId,
    dialect: String,
}

impl Playing {
    fn of(exchange: &Exchange, file: &DialectFile) -> Result<Playing, String> {
        let topics = topics(exchange, file);
        let mut set = DialectSet::new([file.clone()], &topics);
        for (name, value) in &exchange.vars {
            match file.refuses(name, value) {
                None => set.set(&exchange.dialect, name, value),
                Some(RefusedSetting::Unknown { known }) => {
                    return Err(format!("{} has no setting '{name}'. Available: {known}.", exchange.dialect));
                }
                Some(RefusedSetting::Word { words }) => {
                    return Err(format!("The setting '{name}' cannot be '{value}'. Allowed: {words}."));
                }
            };
        }
        let mut devices = Devices::default();
        for mut discovery in set.readers(CONSOLE) {
            for message in &exchange.discovery {
                let inbound = message.inbound(true);
                discovery.read(&inbound).apply(&mut devices);
            }
        }
        if file.reader() == Some(ReaderKind::HomeAssistant)
            && exchange.discovery.is_empty()
            && let Some(request) = &exchange.request
        {
            // Topics and payloads are discovery's; without it, what the request itself suggests.
            devices.insert(by_convention(&exchange.device, &exchange.command, &request.topic, &request.payload));
        }
        let device = match devices.named(&exchange.dialect, &exchange.device) {
            Some(known) => known.id.clone(),
            None => {
                let id = device_id(&exchange.device);
                devices.insert(KnownDevice::new(id.clone(), &exchange.dialect, &exchange.device));
                id
            }
        };
        let dialect = exchange.dialect.clone();
        Ok(Playing { set, devices, wire_ids: WireIds::default(), device, dialect })
    }

    /// Encodes the request, compares it, and creates the command.
    fn ask(&mut self, exchange: &Exchange, id: &CommandId, wrong: &mut Vec<String>) -> Result<Submission, String> {
        // As the engine submits them.
        let args = canonical(exchange.args.as_ref().map_or("{}", |args| args.get()));
        let wire_id = match &exchange.wire_id {
            None | Some(Value::Null) => exchange.id.clone(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        self.wire_ids.adopt(&wire_id, &self.device, id);
        let message = match &exchange.request {
            None => None,
            Some(request) => {
                let message = self.message(exchange, request, id, &args, &wire_id)?;
                compare(&message, request, wrong);
                Some(message)
            }
        };
        let carries_id = message.as_ref().is_none_or(Message::answers_carry_ids);
        let answer_expected = message.as_ref().is_none_or(Message::answer_expected);
        let expects = message.and_then(|message| message.expects);
        let form = expects.map(|expects| WireForm { expects: Some(Box::new(expects)), ..WireForm::default() });
        Ok(Submission {
            device: self.device.clone(),
            id: id.clone(),
            name: exchange.command.as_str().into(),
            args: args.into(),
            form: form.map(Into::into),
            policy: Policy {
                delivery: Delivery::BrokerHolds,
                timeout: Millis::seconds(600),
                time_to_live: Millis::seconds(600),
                retry: Retry { permitted: false, limit: 0, pause: Millis::seconds(1) },
                answer_expected,
                answers_carry_ids: carries_id,
            },
            again_of: None,
            rollout: None,
            automatic: false,
            by: None,
        })
    }

    /// The dialect's request. Settings that the exchange does not name (the base topic, the console's name) and the
    /// variant of the request are derived from the recorded request.
    fn message(
        &mut self,
        exchange: &Exchange,
        request: &Published,
        id: &CommandId,
        args: &str,
        wire_id: &str,
    ) -> Result<Message, String> {
        let known = self.devices.get(&self.device).ok_or("The device is unknown.")?.clone();
        let asking = CommandToEncode { device: &known, command: &exchange.command, args };
        let found = known.command(&exchange.command).is_some();
        let member = self.set.member(&self.dialect).ok_or("The dialect is missing.")?;
        if found || member.native.is_some() {
            return self.set.encode(&asking, &self.devices, id, wire_id);
        }
        let parsed = Args::parse(args).map_err(|error| format!("The arguments are not a JSON object ({error})."))?;
        let mut first = None;
        let mut fits = Vec::new();
        // First as the device is called, then as it may be called on the wire; and first with the usual settings.
        for (is_named, is_usual) in [(true, true), (false, true), (true, false), (false, false)] {
            for rule in member.rules(&asking, &parsed) {
                for topic in &rule.topics {
                    first = first.or(Some((rule, topic)));
                    if let Some(settings) =
                        inferred(member, rule, topic, &asking, request, wire_id, (is_named, is_usual))
                    {
                        fits.push((rule.clone(), topic.clone(), settings));
                    }
                }
            }
        }
        if fits.is_empty() {
            let (rule, topic) = first.ok_or_else(|| format!("No request of {} matches this command.", self.dialect))?;
            fits.push((rule.clone(), topic.clone(), BTreeMap::new()));
        }
        // Of several ways of asking, the one that was meant writes what was recorded.
        let mut likeliest = None;
        for (rule, topic, settings) in fits {
            let (mut device, mut set) = (known.clone(), self.set.clone());
            for (name, value) in &settings {
                if name == "device" {
                    device.address = value.as_str().into();
                } else {
                    set.set(&self.dialect, name, value);
                }
            }
            let asking = CommandToEncode { device: &device, ..asking };
            let member = set.member(&self.dialect).ok_or("The dialect is missing.")?;
            let message = member.message(&rule, &topic, &asking, &parsed, wire_id)?;
            let mut wrong = Vec::new();
            compare(&message, request, &mut wrong);
            let is_meant = wrong.is_empty();
            if is_meant || likeliest.is_none() {
                likeliest = Some((message, device, set));
            }
            if is_meant {
                break;
            }
        }
        let (message, device, set) = likeliest.ok_or_else(|| format!("No request of {} matches.", self.dialect))?;
        self.set = set;
        self.devices.insert(device);
        Ok(message)
    }

    /// The ledger's input for a message.
    fn receive(&mut self, answer: &Published) -> Vec<Input> {
        let inbound = answer.inbound(answer.retained);
        let context = Context { devices: &self.devices, wire_ids: &self.wire_ids };
        let decoded = self.set.decode(&inbound, &context);
        let unreadable = |device: Option<DeviceId>, why: String, about: About| {
            let (topic, payload) = (answer.topic.as_str().into(), answer.payload.as_bytes().into());
            let (raw, why, retained) = (Raw { topic, payload, qos: 1, cut: None }, why.into(), answer.retained);
            device.map(|device| Input::Unreadable { device, raw, why, about, retained })
        };
        let input = |meaning: Meaning| match meaning {
            Meaning::Message(DecodedMessage::Answer(answer)) => Some(Input::Answer(answer)),
            Meaning::Message(DecodedMessage::Presence { device, online, .. }) => {
                Some(Input::Presence { device, online })
            }
            Meaning::Message(_) => None,
            Meaning::Report(report) => Some(Input::Report(report)),
            Meaning::Unreadable(Unreadable { device, why, id }) => {
                unreadable(device, why, id.map_or(About::Unnamed, About::Named))
            }
            Meaning::UnreadableReport(Unreadable { device, why, .. }) => unreadable(device, why, About::Report),
        };
        decoded.into_iter().filter_map(|decoded| input(decoded.meaning)).collect()
    }
}

impl Published {
    fn inbound(&self, retained: bool) -> Inbound<'_> {
        Inbound { topic: &self.topic, payload: self.payload.as_bytes(), qos: 1, retained, correlation: None }
    }
}

/// The settings with which this rule would write this request. `None` if it never does.
fn inferred(
    member: &Member,
    rule: &RequestRule,
    topic: &Pattern,
    asking: &CommandToEncode<'_>,
    request: &Published,
    wire_id: &str,
    (is_named, is_usual): (bool, bool),
) -> Option<BTreeMap<String, String>> {
    let mut settings = BTreeMap::new();
    let bound = |name: &str| match name {
        "command" => Some(Cow::Borrowed(asking.command)),
        "id" if rule.id != IdKind::None => Some(Cow::Borrowed(wire_id)),
        "device" if is_named => Some(Cow::Borrowed(&*asking.device.address)),
        name if is_usual => member.setting(name),
        _ => None,
    };
    let known = Known { bound: &bound, is_device: &|_| true };
    let captures = topic.read(&request.topic, Kind::Topic, &known)?;
    let is_setting = |name: &str| member.vars.contains_key(name);
    let taken = captures.iter().filter(|(name, _)| is_setting(name) || *name == "device");
    settings.extend(taken.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let none = |_: &str| None;
    let known = Known { bound: &none, is_device: &|_| false };
    let read = rule.payload.read(&request.payload, &known);
    settings.extend(read.into_iter().filter(|(name, _)| is_setting(name)));
    Some(settings)
}

/// The topic prefix of Wilco's own dialects here.
fn topics(exchange: &Exchange, file: &DialectFile) -> Topics {
    let prefix = exchange.request.as_ref().filter(|_| file.code.is_some()).and_then(|request| {
        let rest = request.topic.strip_suffix("/req")?.strip_suffix(exchange.device.as_str())?;
        Topics::new(rest).ok()
    });
    prefix.unwrap_or_default()
}

/// Compares a request with the one that was recorded. JSON is compared by value; a member that is empty is as good as none.
fn compare(message: &Message, request: &Published, wrong: &mut Vec<String>) {
    if message.topic != request.topic {
        wrong.push(format!("The request goes to '{}', but should go to '{}'.", message.topic, request.topic));
    }
    let json = |text: &str| ExactValue::parse(text).ok().map(without_times);
    let same = match (json(&message.payload), json(&request.payload)) {
        (Some(ours), Some(theirs)) => is_same(&ours, &theirs),
        _ => message.payload == request.payload,
    };
    if !same {
        wrong.push(format!("The request is {:?}, but should be {:?}.", message.payload, request.payload));
    }
}

/// When and how often a request is sent depends on the day.
fn without_times(mut value: ExactValue) -> ExactValue {
    if value.get("issued_at").is_some()
        && let ExactValue::Object(members) = &mut value
    {
        members.retain(|(name, _)| !["issued_at", "expires_at", "attempt"].contains(&name.as_str()));
    }
    value
}

fn is_same(one: &ExactValue, other: &ExactValue) -> bool {
    match (one, other) {
        (ExactValue::Object(ours), ExactValue::Object(theirs)) => {
            let is_empty = |value: &ExactValue| match value {
                ExactValue::Object(members) => members.is_empty(),
                value => *value == ExactValue::Null,
            };
            let is_in = |other: &ExactValue, (name, value): &(String, ExactValue)| {
                other.get(name).map_or(is_empty(value), |other| is_same(value, other))
            };
            ours.iter().all(|member| is_in(other, member)) && theirs.iter().all(|member| is_in(one, member))
        }
        (ExactValue::Array(ours), ExactValue::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| is_same(one, other))
        }
        (ExactValue::Number(one), ExactValue::Number(other)) => {
            one == other || Decimal::parse(one).is_some_and(|one| Decimal::parse(other) == Some(one))
        }
        (one, other) => one == other,
    }
}
